//! From credentials to scope: the only way a handler gets one.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use registry_core::access::Scope;
use registry_core::storage::Session;

use super::Policy;
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// Name of the session cookie over plain HTTP; over HTTPS it carries the `__Host-` prefix.
pub const SESSION_COOKIE: &str = "registry_session";

/// How a caller proved who they are.
#[derive(Debug, Clone)]
pub enum Via {
    /// A bearer key.
    Key,
    /// A browser session, with the token that its unsafe requests must carry.
    Session(Session),
}

/// A caller whose role passes policy `P`.
#[derive(Debug, Clone)]
pub struct Allowed<P> {
    /// Who asks, for which centre.
    pub scope: Scope,
    /// By which credentials.
    pub via: Via,
    policy: PhantomData<P>,
}

impl<P: Policy> FromRequest for Allowed<P> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = state_of(&request)?;
            let address = state.client_address(&request);
            let (scope, via) = match bearer(&request)? {
                Some(key) => {
                    let store = state.store.clone();
                    let scope = match crate::state::blocking(move || Ok(store.authenticate(&key)?)).await {
                        Ok(scope) => scope,
                        Err(problem) => {
                            state.limiter.check_address(&address)?;
                            return Err(problem);
                        }
                    };
                    (scope, Via::Key)
                }
                None => {
                    let session = session_of(&state, &request)
                        .await?
                        .ok_or(Problem::new(Kind::Unauthenticated))?;
                    check_token(&request, &session)?;
                    (session.scope.clone(), Via::Session(session))
                }
            };
            state.limiter.check_caller(scope.actor())?;
            if !P::ROLES.contains(&scope.role()) {
                return Err(Problem::with(
                    Kind::Forbidden,
                    format!("the role {} may not {}", scope.role(), P::WHAT),
                ));
            }
            let scope = scope.with_request(super::request_id::current());
            Ok(Self {
                scope,
                via,
                policy: PhantomData,
            })
        })
    }
}

/// The state every request carries.
pub(crate) fn state_of(request: &HttpRequest) -> Result<web::Data<AppState>, Problem> {
    request
        .app_data::<web::Data<AppState>>()
        .cloned()
        .ok_or_else(|| Problem::internal("no application state"))
}

fn bearer(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(AUTHORIZATION) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| Problem::new(Kind::Unauthenticated))?;
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => {
            Ok(Some(key.trim().to_owned()))
        }
        _ => Err(Problem::new(Kind::Unauthenticated)),
    }
}

/// The session of the request's cookie, if it carries one that is alive.
pub(crate) async fn session_of(
    state: &web::Data<AppState>,
    request: &HttpRequest,
) -> Result<Option<Session>, Problem> {
    let Some(cookie) = request.cookie(&state.session_cookie_name()) else {
        return Ok(None);
    };
    let store = state.store.clone();
    crate::state::blocking(move || match store.session(cookie.value()) {
        Ok(session) => Ok(Some(session)),
        Err(registry_core::storage::StoreError::Unauthenticated(_)) => Ok(None),
        Err(other) => Err(other.into()),
    })
    .await
}

/// An unsafe request of a session must carry its token; a page's form sends it as a field, see [`crate::pages`].
fn check_token(request: &HttpRequest, session: &Session) -> Result<(), Problem> {
    if request.method().is_safe() {
        return Ok(());
    }
    let sent = request
        .headers()
        .get("x-csrf-token")
        .and_then(|v| v.to_str().ok());
    if sent == Some(session.csrf.as_str()) {
        Ok(())
    } else {
        Err(Problem::new(Kind::CsrfTokenMissing))
    }
}
