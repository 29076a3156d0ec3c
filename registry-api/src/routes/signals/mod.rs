//! `/api/v1/signals`: centres far below the network by letter, what was done about them, and the letter looked up by the coordinating office.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::storage::{ClosedFor, RevealedFor, SignalHistory, SignalStatus, SignalStep, Store};
use serde::Deserialize;
use serde_json::{Value, json};

use super::results::table_of;
use super::wants_csv;
use super::{Endpoint, Idempotent, Reply, guarded};
use crate::guard::{Allowed, Coordinates, Json, NoQuery, Steers};
use crate::problem::{Kind, Problem};
use crate::results::{FollowUp, Listed, Unlisted, View};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/signals", list),
        guarded(Method::POST, "/api/v1/signals/{measure}/{letter}:status", status),
        guarded(Method::POST, "/api/v1/signals/{measure}/{letter}:reveal", reveal),
    ]
}

/// What was done: `step`, `reason` (a code), `run`, `at`, `by`. The centre's id is left out.
fn history(history: Option<&SignalHistory>) -> Value {
    let steps = history.into_iter().flat_map(|history| &history.steps);
    let step = |taken: &registry_core::storage::StepTaken| {
        json!({
            "step": taken.step.name(), "reason": taken.step.reason(), "run": taken.run, "at": taken.at, "by": taken.by,
        })
    };
    steps.map(step).collect()
}

fn listed(one: &Listed) -> Value {
    let point = &one.signal.point;
    json!({
        "measure": one.signal.measure.id, "title": one.signal.measure.title, "letter": one.letter,
        "rate": point.rate, "network_rate": one.signal.target, "denominator": point.denominator,
        "not_assessable": point.not_assessable,
        "bound_low": one.signal.own.as_ref().and_then(|row| row.bound_low),
        "bound_high": one.signal.own.as_ref().and_then(|row| row.bound_high),
        "network_denominator": one.signal.network.as_ref().and_then(|row| row.denominator),
        "position_adjusted": point.position_adjusted, "q": point.q,
        "published_runs_in_a_row": one.signal.runs,
        "status": one.history.as_ref().and_then(SignalHistory::status),
        "history": history(one.history.as_ref()),
    })
}

fn unlisted(one: &Unlisted) -> Value {
    json!({
        "measure": one.measure, "title": one.title, "letter": one.letter, "status": one.history.status(),
        "history": history(Some(&one.history)),
    })
}

/// The signals, then those followed up and not among them, as CSV: a line each, without its history.
///
/// # Errors
/// A run without this result; a role that may not read what was done.
pub fn csv(view: &View<'_>) -> Result<String, Problem> {
    let found = FollowUp::of(view)?;
    let mut rows: Vec<Value> = found.listed.iter().map(listed).collect();
    for row in &mut rows {
        row["listed"] = json!(true);
    }
    rows.extend(found.unlisted.iter().map(|one| {
        let mut row = unlisted(one);
        row["listed"] = json!(false);
        row
    }));
    for row in &mut rows {
        row["run"] = json!(view.run.number);
    }
    table_of(&COLUMNS, &rows)
}

const COLUMNS: [&str; 16] = [
    "run",
    "measure",
    "title",
    "letter",
    "listed",
    "rate",
    "network_rate",
    "network_denominator",
    "denominator",
    "not_assessable",
    "bound_low",
    "bound_high",
    "position_adjusted",
    "q",
    "published_runs_in_a_row",
    "status",
];

/// Centres below the 99.8 % limit of a measure in the published run, at most ten, most certain first, and signals still followed up that are not among them; `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/signals", tag = "signals",
    responses((status = 200, description = "run, cut_off, signals, more (how many are not listed), followed_up"), (status = 404, description = "No run has been published")),
    security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<Steers>,
    request: HttpRequest,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    blocking(move || {
        let view = View::of_committee(&state, &caller.scope, None)?;
        if as_csv {
            let name = format!("attachment; filename=\"signals-run-{}.csv\"", view.run.number);
            return Ok(
                Reply::text("text/csv; charset=utf-8", csv(&view)?).header("content-disposition", name)
            );
        }
        let found = FollowUp::of(&view)?;
        let body = json!({
            "run": view.run.number, "cut_off": view.run.cutoff_date,
            "signals": found.listed.iter().map(listed).collect::<Value>(), "more": found.more,
            "followed_up": found.unlisted.iter().map(unlisted).collect::<Value>(),
        });
        Reply::json(200, &body)
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SignalStep)]
#[serde(deny_unknown_fields)]
struct Step {
    /// `noted`, `letter_sent`, `answered` or `closed`.
    status: String,
    /// Of closing: `explained`, `data_corrected`, `care_changed` or `no_longer_listed`.
    reason: Option<String>,
}

/// A status by its code, and the code of its reason.
///
/// # Errors
/// [`Kind::InvalidValue`] names the codes there are.
pub(crate) fn status_step(status: &str, reason: Option<&str>) -> Result<SignalStep, Problem> {
    let status = SignalStatus::named(status).ok_or_else(|| {
        let known = "status: one of noted, letter_sent, answered, closed";
        Problem::with(Kind::InvalidValue, known)
    })?;
    let named = |text: &str| {
        ClosedFor::named(text).ok_or_else(|| {
            let known = "reason: one of explained, data_corrected, care_changed, no_longer_outside";
            Problem::with(Kind::InvalidValue, known)
        })
    };
    Ok(SignalStep::status(status, reason.map(named).transpose()?)?)
}

/// Why a letter is looked up, by its code.
///
/// # Errors
/// [`Kind::InvalidValue`] names the codes there are.
pub(crate) fn reveal_reason(text: &str) -> Result<RevealedFor, Problem> {
    RevealedFor::named(text).ok_or_else(|| {
        let known = "reason: one of letter_to_centre, data_check, asked_by_committee";
        Problem::with(Kind::InvalidValue, known)
    })
}

/// Say how far a listed signal is followed up: `noted`, `letter_sent`, `answered`, `closed`, only forwards; `closed` with a reason, and from there `noted` again.
#[utoipa::path(post, path = "/api/v1/signals/{measure}/{letter}:status", tag = "signals",
    params(("measure" = String, Path,), ("letter" = String, Path, description = "The centre's letter"), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Step,
    responses((status = 200, description = "measure, letter, status, history"), (status = 404, description = "No such signal in the published run"),
        (status = 409, description = "Cannot follow the present status"), (status = 422, description = "An unknown code")), security(("key" = [])))]
pub(super) async fn status(
    caller: Allowed<Steers>,
    request: HttpRequest,
    signal: web::Path<(String, String)>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let step: Step = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"status\": code, \"reason\"?: code}"))?;
    let step = status_step(&step.status, step.reason.as_deref())?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    let (measure, letter) = signal.into_inner();
    let of = (measure.clone(), letter.clone());
    let change = move |store: &Store| {
        let signal = View::of_committee(&shared, &caller.scope, None)?.signal(&of.0, &of.1)?;
        store
            .take_signal_step(&caller.scope, signal, step)
            .map_err(Problem::from)
    };
    let told = move |now: &SignalHistory| {
        let body = json!({ "measure": measure, "letter": letter, "status": now.status(), "history": history(Some(now)) });
        Reply::json(200, &body)
    };
    Idempotent::change(idempotent, &state, &scope, change, told).await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RevealLetter)]
#[serde(deny_unknown_fields)]
struct Because {
    /// `letter_to_centre`, `data_check` or `asked_by_committee`.
    reason: String,
}

/// Look up which centre the letter of a listed signal stands for: recorded with its reason.
#[utoipa::path(post, path = "/api/v1/signals/{measure}/{letter}:reveal", tag = "signals",
    params(("measure" = String, Path,), ("letter" = String, Path, description = "The centre's letter"), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Because,
    responses((status = 200, description = "measure, letter, centre_id, name"), (status = 404, description = "No such signal in the published run"),
        (status = 422, description = "An unknown code")), security(("key" = [])))]
pub(super) async fn reveal(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    signal: web::Path<(String, String)>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let because: Because = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"reason\": code}"))?;
    let reason = reveal_reason(&because.reason)?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    let reader = (state.clone(), caller.scope.clone());
    let centres = blocking(move || Ok(reader.0.store.list_centres(&reader.1)?)).await?;
    let (measure, letter) = signal.into_inner();
    let of = (measure.clone(), letter.clone());
    let change = move |store: &Store| {
        let signal = View::of_committee(&shared, &caller.scope, None)?.signal(&of.0, &of.1)?;
        let step = SignalStep::Revealed(reason);
        store
            .take_signal_step(&caller.scope, signal, step)
            .map_err(Problem::from)
    };
    let told = move |revealed: &SignalHistory| {
        let centre = centres.iter().find(|one| one.centre_id == revealed.centre_id);
        let centre = centre.ok_or(Problem::new(Kind::NotFound))?;
        let body = json!({ "measure": measure, "letter": letter, "centre_id": centre.centre_id, "name": centre.name });
        Reply::json(200, &body)
    };
    Idempotent::change(idempotent, &state, &scope, change, told).await
}
