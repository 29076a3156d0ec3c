//! Signing in with a provider (OpenID Connect): off to it, and back with its answer. Who has an invitation binds the account to it.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use registry_core::storage::StoreError;
use serde::Deserialize;

use super::frame::start;
use super::sign_in::{begun, no_such_link, to};
use super::{Frame, html};
use crate::guard::{NoQuery, OpenForm};
use crate::oidc::{Failure, Flow, LASTS_SECONDS, Provider};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// One sentence whatever failed; the log has the reason.
const REFUSED: &str = "Signing in there did not lead to an account here. Begin again; when it stays so, ask the coordinating office for an \
                       invitation, and open its link first.";

fn cookie_name(state: &AppState) -> &'static str {
    if state.settings.is_https() {
        "__Host-registry_sign_in"
    } else {
        "registry_sign_in"
    }
}

/// What the browser keeps while it is away. `Lax`: it comes back by a link of another site.
fn kept(state: &AppState, value: String) -> Cookie<'static> {
    Cookie::build(cookie_name(state), value)
        .path("/")
        .http_only(true)
        .secure(state.settings.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(LASTS_SECONDS))
        .finish()
}

fn provider(state: &AppState) -> Result<&Provider, Problem> {
    state.provider.as_ref().ok_or(Problem::new(Kind::NotFound))
}

/// Writes the reason down; tells one sentence.
fn refused(failure: &Failure) -> Problem {
    let id = crate::guard::request_id::current();
    tracing::warn!(request_id = %id, reason = %failure, "sign-in with the provider failed");
    match failure {
        Failure::Unreachable { .. } | Failure::Metadata(_) => Problem::with(
            Kind::Unavailable,
            "the provider does not answer as it should; name, password and code work as ever",
        ),
        Failure::Code | Failure::Token(_) => Problem::with(Kind::Forbidden, REFUSED),
    }
}

/// A sign-in on its way, and the provider's address for it. Keeps nothing here.
async fn begin(
    request: &HttpRequest,
    state: &web::Data<AppState>,
    invitation: Option<String>,
) -> Result<(Flow, String), Problem> {
    provider(state)?;
    state.limiter.check_sign_in(&state.client_address(request))?;
    let work = state.clone();
    let away = blocking(move || {
        if let Some(token) = &invitation {
            work.store.enrolment(token)?;
        }
        let flow = Flow::begin(&*work.ports.entropy, invitation);
        let address = provider(&work)?.authorization_address(&flow, work.ports.clock.now());
        Ok((flow, address.map_err(|failure| refused(&failure))?))
    });
    away.await.map_err(no_such_link)
}

/// Off to the provider, to sign in to an account that is bound to one there.
pub(super) async fn leave(
    _: NoQuery,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (flow, address) = begin(&request, &state, None).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header(("location", address))
        .cookie(kept(&state, flow.cookie()))
        .finish())
}

/// The way from an invitation to the provider.
#[derive(Template)]
#[template(path = "away.html")]
struct Away {
    frame: Frame,
    /// What people call it.
    provider: String,
    address: String,
}

/// Off to the provider with an invitation, from its page alone: a link of another site must not tie an account to whoever is signed in at the
/// provider. The browser goes on by itself from a page: an answer to a form may not lead elsewhere (`form-action`).
pub(super) async fn bind(
    form: OpenForm,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let invitation = form.0.get("token").to_owned();
    let (flow, address) = begin(&request, &state, Some(invitation)).await?;
    let onward = HeaderValue::from_str(&format!("0; url={address}")).map_err(Problem::internal)?;
    let mut page = html(&Away {
        frame: Frame::bare("Sign in"),
        provider: state.settings.oidc.shown().unwrap_or_default(),
        address,
    })?;
    page.headers_mut()
        .insert(HeaderName::from_static("refresh"), onward);
    page.add_cookie(&kept(&state, flow.cookie()))
        .map_err(Problem::internal)?;
    Ok(page)
}

/// What a provider may add is not looked at; `iss` is (RFC 9207).
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    iss: Option<String>,
}

/// Back from the provider: a session, when its answer belongs to this browser's sign-in and to an account.
pub(super) async fn come_back(
    answer: web::Query<Answer>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let issuer = provider(&state)?.issuer().to_owned();
    state.limiter.check_sign_in(&state.client_address(&request))?;
    let Answer { code, state: of, iss } = answer.into_inner();
    let no = || Problem::with(Kind::Forbidden, REFUSED);
    let cookie = request.cookie(cookie_name(&state)).ok_or_else(no)?;
    let flow = Flow::resume(cookie.value(), of.as_deref().unwrap_or_default()).ok_or_else(no)?;
    if iss.is_some_and(|iss| iss != issuer) {
        return Err(no());
    }
    let code = code.ok_or_else(no)?;
    let work = state.clone();
    let session = blocking(move || {
        let subject = provider(&work)?.subject(&flow, &code, work.ports.clock.now());
        let subject = subject.map_err(|failure| refused(&failure))?;
        let session = match flow.invitation() {
            Some(token) => work.store.bind_identity(token, &issuer, &subject),
            None => work.store.sign_in_identity(&issuer, &subject),
        };
        session.map_err(|error| match error {
            StoreError::Unauthenticated(_) => Problem::with(Kind::Forbidden, REFUSED),
            other => other.into(),
        })
    })
    .await?;
    let mut done = kept(&state, String::new());
    done.make_removal();
    let cookie = begun(&state, &request, &session).await?;
    Ok(to(start(session.session.scope.role()))
        .cookie(cookie)
        .cookie(done)
        .finish())
}
