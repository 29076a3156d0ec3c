//! Signing in by a one-time link and signing out. Opening the link changes nothing; the form does.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::frame::start;
use super::{Frame, html};
use crate::guard::{AllowedForm, Anyone, Fields};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    token: Option<String>,
}

/// The page of a link, or of somebody without one.
pub(super) async fn page(link: web::Query<Link>) -> Result<HttpResponse, Problem> {
    html(&Page {
        frame: Frame::bare("Sign in"),
        token: link.into_inner().token,
    })
}

/// What a page answers to somebody who is not signed in.
pub(super) fn invitation() -> Option<String> {
    Page {
        frame: Frame::bare("Sign in"),
        token: None,
    }
    .render()
    .ok()
}

fn cookie(state: &AppState, value: String) -> Cookie<'static> {
    Cookie::build(state.session_cookie_name(), value)
        .path("/")
        .http_only(true)
        .secure(state.settings.is_https())
        .same_site(SameSite::Lax)
        .finish()
}

fn to(place: &'static str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header(("location", place));
    response
}

/// Uses a link: a new session with a new id.
pub(super) async fn redeem(
    request: HttpRequest,
    state: web::Data<AppState>,
    fields: Fields,
) -> Result<HttpResponse, Problem> {
    state.limiter.check_address(&state.client_address(&request))?;
    let store = state.store.clone();
    let session = blocking(move || Ok(store.redeem_sign_in_link(fields.get("token"))?)).await;
    let session = match session {
        Err(problem) if problem.kind == Kind::Unauthenticated => {
            return Err(Problem::with(
                Kind::Forbidden,
                "the sign-in link is not valid, has ended, or was used before",
            ));
        }
        other => other?,
    };
    Ok(to(start(session.session.scope.role()))
        .cookie(cookie(&state, session.token.reveal().to_owned()))
        .finish())
}

/// Ends the session on the server and in the browser.
pub(super) async fn sign_out(
    _caller: AllowedForm<Anyone>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    if let Some(session) = request.cookie(&state.session_cookie_name()) {
        let store = state.store.clone();
        blocking(move || Ok(store.end_session(session.value())?)).await?;
    }
    let mut gone = cookie(&state, String::new());
    gone.make_removal();
    Ok(to("/sign-in").cookie(gone).finish())
}
