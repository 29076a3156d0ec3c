//! `/health/*` and `/metrics`.

mod metrics;

pub use metrics::Metrics;
pub(super) use metrics::{__path_show, show};

use actix_web::http::Method;
use actix_web::web;
use registry_core::storage::{Outage, StoreError};
use serde::Serialize;

use super::{Endpoint, Reply, open};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        open(Method::GET, "/health/live", "a probe has no credentials", live),
        open(Method::GET, "/health/ready", "a probe has no credentials", ready),
        open(
            Method::GET,
            "/metrics",
            "guarded by its own token, or the local machine only",
            show,
        ),
    ]
}

/// How the service is.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `live`; `ready`, or `read_only` of a database that takes no changes now.
    status: &'static str,
}

/// The process is up.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, description = "The process is up", body = Health)))]
pub(super) async fn live() -> Result<Reply, Problem> {
    Reply::json(200, &Health { status: "live" })
}

/// The database is reachable and migrated.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, description = "Ready; `read_only` of a database that takes no changes now: reading goes on", body = Health), (status = 503, description = "The database does not answer or is not migrated")))]
pub(super) async fn ready(state: web::Data<AppState>) -> Result<Reply, Problem> {
    blocking(move || {
        state.store.ping()?;
        if !state.store.is_migrated()? {
            return Err(Problem::new(Kind::Unavailable));
        }
        let status = match state.store.takes_changes() {
            Ok(()) => "ready",
            Err(StoreError::Unavailable(Outage::ReadOnly)) => "read_only",
            Err(other) => return Err(other.into()),
        };
        Reply::json(200, &Health { status })
    })
    .await
}
