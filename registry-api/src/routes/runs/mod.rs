//! `/api/v1/runs`: list, start, sign off; a centre's own cases behind a measure.

pub mod cases;
pub(super) mod sensitivity;

use std::sync::mpsc;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, NaiveDate, Utc};
use registry_core::access::Role;
use registry_core::storage::{Run, RunProgress, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded};
use crate::guard::{Allowed, Coordinates, Json, NoQuery, RawBody, ReadsRuns};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/runs", list),
        guarded(Method::POST, "/api/v1/runs", start),
        guarded(Method::GET, "/api/v1/runs/{run}", show),
        guarded(Method::POST, "/api/v1/runs/{run}:publish", publish),
        guarded(
            Method::GET,
            "/api/v1/runs/{run}/measures/{measure}/cases",
            cases::list,
        ),
        guarded(Method::GET, "/api/v1/runs/{run}/sensitivity", sensitivity::list),
        guarded(
            Method::POST,
            "/api/v1/runs/{run}/sensitivity",
            sensitivity::compute,
        ),
    ]
}

fn number(text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::new(Kind::NotFound))
}

/// Only the coordinating office sees runs that are not published.
fn visible(run: &Run, role: Role) -> bool {
    role == Role::Coordinator || run.published_at.is_some()
}

/// A run as a role may see it. Only the coordinating office reads how many cases it has, how many of them are new, and up to which change it reads:
/// beside the results of two published runs it would tell what is held back there because it changed by few.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ToldRun)]
pub(crate) struct Told {
    pub(crate) number: i64,
    status: RunStatus,
    cutoff_date: NaiveDate,
    /// To the office, as summary and progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark: Option<i64>,
    parameters: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    summary: Option<Option<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<RunProgress>,
    started_at: DateTime<Utc>,
    started_by: String,
    finished_at: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
    published_by: Option<String>,
}

/// A run as a role may see it.
pub(crate) fn told(role: Role, run: Run) -> Told {
    let office = role == Role::Coordinator;
    Told {
        number: run.number,
        status: run.status,
        cutoff_date: run.cutoff_date,
        watermark: office.then_some(run.watermark),
        parameters: run.parameters,
        summary: office.then_some(run.summary),
        progress: run.progress.filter(|_| office),
        started_at: run.started_at,
        started_by: run.started_by,
        finished_at: run.finished_at,
        published_at: run.published_at,
        published_by: run.published_by,
    }
}

/// A page of runs.
#[derive(Serialize, utoipa::ToSchema)]
struct Runs {
    runs: Vec<Told>,
    next: Option<String>,
}

/// A run that was asked for.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StartedRun)]
struct Started {
    /// Its number.
    run: i64,
    status: RunStatus,
    /// Once it is finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Value>,
}

/// All runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "Runs", body = Runs)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<ReadsRuns>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let role = caller.scope.role();
        let mut runs = state.store.list_runs(&caller.scope)?;
        runs.retain(|run| visible(run, role));
        runs.retain(|run| since.takes(&[Some(run.started_at), run.finished_at, run.published_at]));
        let runs = runs.into_iter().map(|run| told(role, run)).collect();
        let id = |run: &Told| run.number.to_string();
        since.page(&asked, runs, id, |runs, next| Runs { runs, next })
    })
    .await
}

/// One run: state, cut-off, versions; for the coordinating office watermark and counts as well, and while it runs its progress: phase, cases
/// done, cases in all.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = i64, Path,)),
    responses((status = 200, description = "The run", body = Told), (status = 404, description = "No such run")), security(("key" = [])))]
pub(super) async fn show(
    caller: Allowed<ReadsRuns>,
    _: NoQuery,
    run: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let number = number(&run)?;
    blocking(move || {
        let run = state.store.run(&caller.scope, number)?;
        let role = caller.scope.role();
        if !visible(&run, role) {
            return Err(Problem::new(Kind::NotFound));
        }
        Reply::json(200, &told(role, run))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewRun)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Without it today.
    cut_off: Option<NaiveDate>,
    /// Version of the guideline; the one in force when not given.
    guideline_version: Option<String>,
    /// Answer when the run is finished, not when it has started.
    #[serde(default)]
    wait: bool,
}

/// Start a run. Answers 202 with its number as soon as it has one; with `"wait": true` 201 when it is finished.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body = Wanted,
    responses((status = 201, description = "Finished", body = Started), (status = 202, description = "Started", body = Started), (status = 409, description = "Another run is active")), security(("key" = [])))]
pub(super) async fn start(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let wanted: Wanted = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"cut_off\"?: date, \"guideline_version\"?: text, \"wait\"?: boolean}",
        )
    })?;
    let today = state.ports.clock.now().date_naive();
    let of = crate::runs::Wanted {
        cut_off: wanted.cut_off.unwrap_or(today),
        guideline_version: wanted.guideline_version,
    };
    of.not_in_the_future(&state)?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    Idempotent::once(idempotent, &state, &scope, move || {
        if wanted.wait {
            let run = crate::runs::execute(&shared, &caller.scope, &of, |_| {})?;
            let finished = Started {
                run: run.number,
                status: run.status,
                summary: run.summary,
            };
            return Reply::json(201, &finished);
        }
        let number = in_background(shared, caller.scope, of)?;
        let started = Started {
            run: number,
            status: RunStatus::Running,
            summary: None,
        };
        Ok(Reply::json(202, &started)?.header("location", format!("/api/v1/runs/{number}")))
    })
    .await
}

/// Starts a run on a thread of its own; answers as soon as the run has its number, or failed to get one.
pub(crate) fn in_background(
    state: web::Data<AppState>,
    scope: registry_core::access::Scope,
    of: crate::runs::Wanted,
) -> Result<i64, Problem> {
    let (tell, told) = mpsc::channel();
    let spawned = std::thread::Builder::new().name("run".to_owned()).spawn(move || {
        let heard = tell.clone();
        let outcome = crate::runs::execute(&state, &scope, &of, move |progress| {
            // Only the first message is waited for.
            let _ = heard.send(Ok(progress.run));
        });
        let _ = tell.send(outcome.map(|run| run.number));
    });
    spawned.map_err(Problem::internal)?;
    told.recv().map_err(Problem::internal)?
}

/// Sign a finished run off: committee, researchers and peers read the published run.
#[utoipa::path(post, path = "/api/v1/runs/{run}:publish", tag = "runs", params(("run" = i64, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, description = "Published", body = Run), (status = 404, description = "No such run"), (status = 409, description = "Not finished")), security(("key" = [])))]
pub(super) async fn publish(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    run: web::Path<String>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let number = number(&run)?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    Idempotent::once(idempotent, &state, &scope, move || {
        Reply::json(200, &crate::runs::publish(&shared, &caller.scope, number)?)
    })
    .await
}
