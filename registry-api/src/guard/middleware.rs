//! Around every request: its id, its log line, its metrics, the headers of its answer; a panic becomes a 500.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{ResponseError, web};
use futures_util::FutureExt;

use super::caller::{identity_of, shows_credentials};
use super::{headers, request_id};
use crate::problem::{Kind, Problem};
use crate::routes::{Access, endpoints};
use crate::state::AppState;

/// An answer with its body boxed.
pub type Envelope = ServiceResponse<BoxBody>;

/// Wraps the whole application.
///
/// # Errors
/// What no handler answered (a panic, a wrong path) as a [`Problem`].
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Envelope, actix_web::Error> {
    let Some(state) = request.app_data::<web::Data<AppState>>().cloned() else {
        return Err(Problem::new(Kind::Internal).into());
    };
    let id = request_id::new(&*state.ports.clock, &*state.ports.entropy);
    let accepts = request
        .headers()
        .get("accept")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let fhir = request.path().starts_with("/fhir/");
    let page = accepts.contains("text/html") && !request.path().starts_with("/api/") && !fhir;
    let current = request_id::Current {
        id: id.clone(),
        page,
        fhir,
        provider: state.settings.oidc.shown(),
        path: request.path().to_owned(),
        reads: request.method().is_safe(),
        ..request_id::Current::default()
    };
    request_id::scope(current, answer(state, id, request, next)).await
}

async fn answer(
    state: web::Data<AppState>,
    id: String,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Envelope, actix_web::Error> {
    let began = Instant::now();
    let method = named(request.method());
    // The pattern, never the path: a path holds a pseudonym.
    let route = request
        .resource_map()
        .match_pattern(request.path())
        .map(|pattern| pattern.replace(":[^/:]+}", "}"))
        .unwrap_or_else(|| "(none)".to_owned());
    let admitted = admit(&state, &request, &route).await;
    let outcome = match admitted {
        Ok(()) => AssertUnwindSafe(next.call(request)).catch_unwind().await,
        Err(problem) => Ok(Err(answered(&problem))),
    };
    let outcome = match outcome {
        Ok(Ok(mut response)) => {
            headers::harden(response.headers_mut());
            Ok(response.map_into_boxed_body())
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(answered(&Problem::internal("a handler panicked"))),
    };
    let status = match &outcome {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    let seconds = began.elapsed().as_secs_f64();
    state.metrics.observe(method, &route, status, seconds);
    tracing::info!(request_id = %id, method = %method, route = %route, status, milliseconds = seconds * 1000.0, "request");
    outcome
}

/// Counts a request that no guard counts: without credentials, or to an address that anyone may ask, where it is counted against the owner of
/// credentials that are accepted and otherwise against its address. A probe is never refused.
async fn admit(state: &AppState, request: &ServiceRequest, route: &str) -> Result<(), Problem> {
    if route.starts_with("/health/") {
        return Ok(());
    }
    let its_own_token = route == "/metrics";
    if !shows_credentials(request.headers()) || its_own_token {
        let address = state.client_address(request.request());
        return state.limiter.check_address(&address);
    }
    if is_guarded(request.method(), route) {
        return Ok(());
    }
    match identity_of(request.request()).await {
        Err(problem) if problem.kind == Kind::RateLimited => Err(problem),
        _ => Ok(()),
    }
}

/// Whether a guard stands before the handler: it establishes who asks, and counts.
fn is_guarded(method: &Method, route: &str) -> bool {
    static GUARDED: OnceLock<HashSet<(Method, &str)>> = OnceLock::new();
    let guarded = GUARDED.get_or_init(|| {
        let all = endpoints().into_iter();
        let guarded = all.filter(|endpoint| matches!(endpoint.access, Access::Roles(_)));
        guarded
            .flat_map(|endpoint| {
                let head = endpoint.head.then_some((Method::HEAD, endpoint.path));
                std::iter::once((endpoint.method, endpoint.path)).chain(head)
            })
            .collect()
    });
    guarded.contains(&(method.clone(), route))
}

/// The answer to a problem, made while the request's id is at hand.
fn answered(problem: &Problem) -> actix_web::Error {
    InternalError::from_response(problem.kind.code(), problem.error_response()).into()
}

/// A method of the service by name; whatever else a client may think of is one name, so that it makes no new counter.
fn named(method: &Method) -> &'static str {
    let known = [
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let names = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known
        .iter()
        .zip(names)
        .find(|(one, _)| *one == method)
        .map_or("other", |(_, name)| name)
}
