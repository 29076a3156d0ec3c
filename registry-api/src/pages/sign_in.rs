//! Signing in with name, password and code, or by a one-time link; signing out. Opening a link changes nothing; the form does.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use registry_core::storage::NewSession;
use serde::Deserialize;

use super::frame::start;
use super::{Frame, html};
use crate::guard::{AllowedForm, Anyone, OpenForm};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// One sentence whatever was wrong: it tells neither whether there is such a name nor which of the three did not fit.
const REFUSED: &str = "Name, password and code do not belong together, or were given wrongly too often. After five failures an account \
                       waits for half a minute, and for longer with each further one.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    token: Option<String>,
    refused: Option<&'static str>,
    /// What people call the provider with which they may sign in.
    provider: Option<String>,
}

impl Page {
    fn of(token: Option<String>, refused: Option<&'static str>, provider: Option<String>) -> Self {
        let frame = Frame::bare("Sign in");
        Self {
            frame,
            token,
            refused,
            provider,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    token: Option<String>,
}

/// The page of a link, or of somebody without one.
pub(super) async fn page(
    link: web::Query<Link>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    html(&Page::of(
        link.into_inner().token,
        None,
        state.settings.oidc.shown(),
    ))
}

/// What a page answers to somebody who is not signed in.
pub(super) fn invitation() -> Option<String> {
    let provider = crate::guard::request_id::request().provider;
    Page::of(None, None, provider).render().ok()
}

fn cookie(state: &AppState, value: String) -> Cookie<'static> {
    Cookie::build(state.session_cookie_name(), value)
        .path("/")
        .http_only(true)
        .secure(state.settings.is_https())
        .same_site(SameSite::Lax)
        .finish()
}

/// The cookie of a session just begun. The one that the browser had ends.
pub(super) async fn begun(
    state: &web::Data<AppState>,
    request: &HttpRequest,
    session: &NewSession,
) -> Result<Cookie<'static>, Problem> {
    end(state, request).await?;
    Ok(cookie(state, session.token.reveal().to_owned()))
}

/// A cookie that takes the browser's away.
pub(super) fn gone(state: &AppState) -> Cookie<'static> {
    let mut gone = cookie(state, String::new());
    gone.make_removal();
    gone
}

async fn end(state: &web::Data<AppState>, request: &HttpRequest) -> Result<(), Problem> {
    let Some(session) = request.cookie(&state.session_cookie_name()) else {
        return Ok(());
    };
    let store = state.store.clone();
    blocking(move || Ok(store.end_session(session.value())?)).await
}

pub(super) fn to(place: &'static str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header(("location", place));
    response
}

/// What a link that does not work is answered with.
pub(super) fn no_such_link(problem: Problem) -> Problem {
    if problem.kind == Kind::Unauthenticated {
        let why = "the sign-in link is not valid, has ended, or was used before";
        return Problem::with(Kind::Forbidden, why);
    }
    problem
}

/// Uses a link: a new session with a new id.
pub(super) async fn redeem(
    form: OpenForm,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    state.limiter.check_address(&state.client_address(&request))?;
    let store = state.store.clone();
    let session = blocking(move || Ok(store.redeem_sign_in_link(form.0.get("token"))?));
    let session = session.await.map_err(no_such_link)?;
    let cookie = begun(&state, &request, &session).await?;
    Ok(to(start(session.session.scope.role())).cookie(cookie).finish())
}

/// Signs in with an account: name, password and code, asked together.
pub(super) async fn with_password(
    form: OpenForm,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    state.limiter.check_sign_in(&state.client_address(&request))?;
    let store = state.store.clone();
    let session = blocking(move || {
        let field = |name| form.0.get(name);
        Ok(store.sign_in(field("login"), field("password"), field("code"))?)
    });
    let session = match session.await {
        Err(problem) if problem.kind == Kind::Unauthenticated => {
            let mut page = html(&Page::of(None, Some(REFUSED), state.settings.oidc.shown()))?;
            *page.status_mut() = actix_web::http::StatusCode::FORBIDDEN;
            return Ok(page);
        }
        other => other?,
    };
    let cookie = begun(&state, &request, &session).await?;
    Ok(to(start(session.session.scope.role())).cookie(cookie).finish())
}

/// Ends the session on the server and in the browser.
pub(super) async fn sign_out(
    _caller: AllowedForm<Anyone>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    end(&state, &request).await?;
    Ok(to("/sign-in").cookie(gone(&state)).finish())
}
