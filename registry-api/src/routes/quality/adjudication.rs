//! `GET /api/v1/adjudications`: histologies in neither column of Table 1.

use actix_web::web;
use serde::Serialize;

use crate::guard::{Allowed, Coordinates, NoQuery};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::state::{AppState, blocking};
use crate::work::{Decided, Waiting, adjudications};

/// Histologies in neither column of Table 1.
#[derive(Serialize, utoipa::ToSchema)]
struct Adjudications<'a> {
    /// The run whose cases they are of; none before the first.
    run: Option<i64>,
    waiting: Vec<Waiting>,
    decisions: Vec<Decided<'a>>,
}

/// Histologies that wait for the committee, with their cases on the latest run, and what has been decided. A decision is recorded with
/// `registry rules histology` in the schema folder; once the service has been started again with that folder (`schema.folder`) the next run counts by it, and `registry cases rejudge` brings findings, queries and lists up to it.
#[utoipa::path(get, path = "/api/v1/adjudications", tag = "quality",
    responses((status = 200, description = "run, waiting: morphology, term, cases; decisions", body = Adjudications)), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let (run, waiting) = adjudications(&state, &caller.scope)?;
        let decisions = &state.schemas.histology().decisions;
        let answer = Adjudications {
            run: run.map(|run| run.number),
            waiting,
            decisions: decisions.iter().map(Decided::from).collect(),
        };
        Reply::json(200, &answer)
    })
    .await
}
