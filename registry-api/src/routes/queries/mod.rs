//! `/api/v1/queries`: data queries of the own centre, or of all for the coordinating office.

pub mod list;
pub mod metrics;
pub mod raise;
pub mod steps;

use actix_web::http::Method;

use super::{Endpoint, guarded};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/queries", list::list),
        guarded(Method::POST, "/api/v1/queries", raise::raise),
        // Before a query by id: the first path that fits answers.
        guarded(Method::GET, "/api/v1/queries/metrics", metrics::metrics),
        guarded(Method::GET, "/api/v1/queries/{id}", steps::show),
        guarded(Method::GET, "/api/v1/queries/{id}/messages", steps::messages),
        guarded(Method::POST, "/api/v1/queries/{id}/messages", steps::message),
        guarded(Method::POST, "/api/v1/queries/{id}:close", steps::close),
        guarded(Method::POST, "/api/v1/queries/{id}:reopen", steps::reopen),
    ]
}
