//! From credentials to scope: the only way a handler gets one.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use futures_util::FutureExt;
use futures_util::future::Shared;
use registry_core::access::{Role, Scope};
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
        let identity = identity_of(request);
        Box::pin(async move {
            let (scope, via) = identity.await?;
            Self::check(scope, via)
        })
    }
}

impl<P: Policy> Allowed<P> {
    fn check(scope: Scope, via: Via) -> Result<Self, Problem> {
        if !P::ROLES.contains(&scope.role()) {
            return Err(refused::<P>(scope.role()));
        }
        Ok(Self {
            scope,
            via,
            policy: PhantomData,
        })
    }

    /// Who sent a form, as a reader of the page it stands on.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when the role does not pass the page's policy.
    pub fn within(scope: Scope, session: Session) -> Result<Self, Problem> {
        Self::check(scope, Via::Session(session))
    }

    /// The same caller under another policy, where an address answers with more than one kind of thing.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when the role does not pass it.
    pub fn also<Q: Policy>(self) -> Result<Allowed<Q>, Problem> {
        Allowed::check(self.scope, self.via)
    }
}

/// What a role that does not pass a policy is told.
pub(super) fn refused<P: Policy>(role: Role) -> Problem {
    let why = format!("the role \u{201c}{}\u{201d} may not {}", role_name(role), P::WHAT);
    Problem::with(Kind::Forbidden, why)
}

/// What a role is called.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Submitter => "Data manager",
        Role::CentreLead => "Centre lead",
        Role::Researcher => "Researcher",
        Role::Committee => "Steering committee",
        Role::Coordinator => "Coordinating office",
        Role::Admin => "Administrator",
        Role::System => "System",
    }
}

/// Whoever asks, of a page that anyone may read: its menu is the reader's when they are signed in.
#[derive(Debug, Clone)]
pub struct Reader(pub Option<(Scope, Via)>);

impl FromRequest for Reader {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identity = identity_of(request);
        Box::pin(async move {
            match identity.await {
                Ok(known) => Ok(Self(Some(known))),
                Err(problem) if problem.kind == Kind::Unauthenticated => Ok(Self(None)),
                Err(problem) => Err(problem),
            }
        })
    }
}

/// Who asks, established once per request however many extractors want to know.
pub(super) type Identity = Shared<Pin<Box<dyn Future<Output = Result<(Scope, Via), Problem>>>>>;

/// Credentials being turned into a scope.
type Establishing = Pin<Box<dyn Future<Output = Result<(Scope, Via), Problem>>>>;

/// The caller of a request. A body waits for it too, so that nobody unknown makes the service read one.
pub(super) fn identity_of(request: &HttpRequest) -> Identity {
    if let Some(known) = request.extensions().get::<Identity>() {
        return known.clone();
    }
    let facts = Facts::of(request);
    let future: Establishing = Box::pin(async move { establish(facts?).await });
    let identity = future.shared();
    request.extensions_mut().insert(identity.clone());
    identity
}

/// Whether a request shows any credentials, good or bad. One that shows none was counted against its address when it came in.
pub(super) fn shows_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE)
}

/// What the credentials are read from. Not the request itself: it holds the identity, and would never be freed.
struct Facts {
    state: web::Data<AppState>,
    address: String,
    /// Credentials are shown, of whatever kind.
    shown: bool,
    bearer: Result<Option<String>, Problem>,
    cookie: Option<String>,
    csrf: Option<String>,
    /// The browser says that another site's page sends this.
    foreign: bool,
    safe: bool,
}

impl Facts {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = state_of(request)?;
        let csrf = request.headers().get("x-csrf-token");
        Ok(Self {
            address: state.client_address(request),
            shown: shows_credentials(request.headers()),
            bearer: bearer(request),
            cookie: request
                .cookie(&state.session_cookie_name())
                .map(|cookie| cookie.value().to_owned()),
            csrf: csrf.and_then(|value| value.to_str().ok()).map(str::to_owned),
            foreign: is_foreign(request),
            safe: request.method().is_safe(),
            state,
        })
    }
}

/// The browser says that another site's page sends this.
pub(super) fn is_foreign(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Counts the request: against the owner of credentials that are accepted, against its address where those shown are not.
async fn establish(facts: Facts) -> Result<(Scope, Via), Problem> {
    let limiter = &facts.state.limiter;
    let (scope, via) = match accepted(&facts).await {
        Ok(accepted) => accepted,
        Err(problem) => {
            if facts.shown {
                limiter.check_address(&facts.address)?;
            }
            return Err(problem);
        }
    };
    limiter.check_caller(scope.actor())?;
    super::request_id::known(&scope, &via);
    if let Via::Session(session) = &via
        && !facts.safe
        && (facts.foreign || facts.csrf.as_deref() != Some(session.csrf.as_str()))
    {
        return Err(Problem::new(Kind::CsrfTokenMissing));
    }
    Ok((scope.with_request(super::request_id::current()), via))
}

async fn accepted(facts: &Facts) -> Result<(Scope, Via), Problem> {
    match (facts.bearer.clone()?, &facts.cookie) {
        (Some(key), _) => {
            let store = facts.state.store.clone();
            let scope = crate::state::blocking(move || Ok(store.authenticate(&key)?)).await?;
            Ok((scope, Via::Key))
        }
        (None, Some(token)) => {
            let session = session_of_token(&facts.state, token.clone()).await?;
            let session = session.ok_or(Problem::new(Kind::Unauthenticated))?;
            Ok((session.scope.clone(), Via::Session(session)))
        }
        (None, None) => Err(Problem::new(Kind::Unauthenticated)),
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
    match request.cookie(&state.session_cookie_name()) {
        Some(cookie) => session_of_token(state, cookie.value().to_owned()).await,
        None => Ok(None),
    }
}

async fn session_of_token(state: &web::Data<AppState>, token: String) -> Result<Option<Session>, Problem> {
    let store = state.store.clone();
    crate::state::blocking(move || match store.session(&token) {
        Ok(session) => Ok(Some(session)),
        Err(registry_core::storage::StoreError::Unauthenticated(_)) => Ok(None),
        Err(other) => Err(other.into()),
    })
    .await
}
