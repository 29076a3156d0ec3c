//! Around every request: its id, its log line, its metrics, the headers of its answer; a panic becomes a 500.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web;
use futures_util::FutureExt;

use super::{headers, request_id};
use crate::problem::{Kind, Problem};
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
    let page = accepts.contains("text/html") && !request.path().starts_with("/api/");
    let current = request_id::Current { id: id.clone(), page };
    request_id::scope(current, answer(state, id, request, next)).await
}

async fn answer(
    state: web::Data<AppState>,
    id: String,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Envelope, actix_web::Error> {
    let began = Instant::now();
    let method = request.method().clone();
    // The pattern, never the path: a path holds a pseudonym.
    let route = request
        .resource_map()
        .match_pattern(request.path())
        .unwrap_or_else(|| "(none)".to_owned());
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let outcome = match outcome {
        Ok(Ok(mut response)) => {
            headers::harden(response.headers_mut());
            Ok(response.map_into_boxed_body())
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Problem::internal("a handler panicked").into()),
    };
    let status = match &outcome {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    let seconds = began.elapsed().as_secs_f64();
    state.metrics.observe(method.as_str(), &route, status, seconds);
    tracing::info!(request_id = %id, method = %method, route = %route, status, milliseconds = seconds * 1000.0, "request");
    outcome
}
