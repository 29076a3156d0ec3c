//! `/api/v1/runs`: list, start, sign off; a centre's own cases behind a measure.

pub mod cases;
pub(super) mod sensitivity;

use std::sync::mpsc;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::access::Role;
use registry_core::storage::Run;
use serde::Deserialize;
use serde_json::{Value, json};

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

/// What only the coordinating office reads of a run: how many cases it has, how many of them are new, and up to which change it reads.
/// Beside the results of two published runs it would tell what is held back there because it changed by few.
const OF_THE_OFFICE: [&str; 3] = ["summary", "progress", "watermark"];

/// A run as a role may see it.
pub(crate) fn told(role: Role, run: Run) -> Result<Value, Problem> {
    let mut told = serde_json::to_value(run).map_err(Problem::internal)?;
    if let (true, Some(fields)) = (role != Role::Coordinator, told.as_object_mut()) {
        fields.retain(|name, _| !OF_THE_OFFICE.contains(&name.as_str()));
    }
    Ok(told)
}

/// All runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "Runs")), security(("key" = [])))]
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
        let runs = runs.into_iter().map(|run| told(role, run));
        let runs: Vec<Value> = runs.collect::<Result<_, Problem>>()?;
        since.page(&asked, "runs", runs, |run| run["number"].to_string())
    })
    .await
}

/// One run: state, cut-off, versions; for the coordinating office watermark and counts as well, and while it runs its progress: phase, cases
/// done, cases in all.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs", params(("run" = i64, Path,)),
    responses((status = 200, description = "The run"), (status = 404, description = "No such run")), security(("key" = [])))]
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
        Reply::json(200, &told(role, run)?)
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
    responses((status = 201, description = "Finished"), (status = 202, description = "Started"), (status = 409, description = "Another run is active")), security(("key" = [])))]
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
    let cut_off = wanted.cut_off.unwrap_or(today);
    if cut_off > today {
        return Err(Problem::with(Kind::InvalidValue, "cut_off lies in the future"));
    }
    let (scope, shared) = (caller.scope.clone(), state.clone());
    let of = crate::runs::Wanted {
        cut_off,
        guideline_version: wanted.guideline_version,
    };
    Idempotent::once(idempotent, &state, &scope, move || {
        if wanted.wait {
            let run = crate::runs::execute(&shared, &caller.scope, &of, |_| {})?;
            return Reply::json(
                201,
                &json!({ "run": run.number, "status": run.status, "summary": run.summary }),
            );
        }
        let number = in_background(shared, caller.scope, of)?;
        Ok(Reply::json(202, &json!({ "run": number, "status": "running" }))?
            .header("location", format!("/api/v1/runs/{number}")))
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
    responses((status = 200, description = "Published"), (status = 404, description = "No such run"), (status = 409, description = "Not finished")), security(("key" = [])))]
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
