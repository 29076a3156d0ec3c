//! `/api/v1/signals`: centres far below the network by letter, what was done about them, and the letter looked up by the coordinating office.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, NaiveDate, Utc};
use registry_core::storage::{
    ClosedFor, RevealedFor, SignalHistory, SignalStatus, SignalStep, StepTaken, Store,
};
use registry_etl::results::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::results::table_of;
use super::wants_csv;
use super::{Endpoint, Idempotent, Reply, guarded};
use crate::guard::{Allowed, Coordinates, Json, NoQuery, Steers};
use crate::problem::{Kind, Problem};
use crate::results::{FollowUp, Listed, Signal, Unlisted, View};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/signals", list),
        guarded(Method::POST, "/api/v1/signals/{measure}/{letter}:status", status),
        guarded(Method::POST, "/api/v1/signals/{measure}/{letter}:reveal", reveal),
    ]
}

/// Something that was done about a signal. The centre's id is left out.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StepOfSignal)]
struct Done<'a> {
    step: &'a str,
    /// A code.
    reason: Option<&'a str>,
    run: i64,
    at: DateTime<Utc>,
    by: &'a str,
}

fn done(history: Option<&SignalHistory>) -> Vec<Done<'_>> {
    let steps = history.into_iter().flat_map(|history| &history.steps);
    steps.map(Done::of).collect()
}

impl<'a> Done<'a> {
    fn of(taken: &'a StepTaken) -> Self {
        Self {
            step: taken.step.name(),
            reason: taken.step.reason(),
            run: taken.run,
            at: taken.at,
            by: &taken.by,
        }
    }
}

/// A centre far below the network in a measure, under its letter.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Signal)]
struct ListedSignal<'a> {
    measure: &'a str,
    title: &'a str,
    letter: &'a str,
    rate: Option<f64>,
    network_rate: Option<f64>,
    denominator: Option<u32>,
    not_assessable: Option<u32>,
    /// The rate if no, or every, not-assessable unit were in the numerator.
    bound_low: Option<f64>,
    bound_high: Option<f64>,
    network_denominator: Option<u32>,
    /// With overdispersion allowed for.
    position_adjusted: Option<Position>,
    q: Option<f64>,
    published_runs_in_a_row: u32,
    status: Option<SignalStatus>,
    history: Vec<Done<'a>>,
}

/// A signal that is followed up and not among those listed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SignalFollowedUp)]
struct FollowedUp<'a> {
    measure: &'a str,
    /// None where the run has the measure not.
    title: Option<&'a str>,
    letter: &'a str,
    status: Option<SignalStatus>,
    history: Vec<Done<'a>>,
}

/// The signals of the published run.
#[derive(Serialize, utoipa::ToSchema)]
struct Signals<'a> {
    run: i64,
    cut_off: NaiveDate,
    signals: Vec<ListedSignal<'a>>,
    /// How many are not listed.
    more: usize,
    followed_up: Vec<FollowedUp<'a>>,
}

fn listed(one: &Listed) -> ListedSignal<'_> {
    let Signal {
        point, own, network, ..
    } = &one.signal;
    ListedSignal {
        measure: &one.signal.measure.id,
        title: &one.signal.measure.title,
        letter: &one.letter,
        rate: point.rate,
        network_rate: one.signal.target,
        denominator: point.denominator,
        not_assessable: point.not_assessable,
        bound_low: own.as_ref().and_then(|row| row.bound_low),
        bound_high: own.as_ref().and_then(|row| row.bound_high),
        network_denominator: network.as_ref().and_then(|row| row.denominator),
        position_adjusted: point.position_adjusted,
        q: point.q,
        published_runs_in_a_row: one.signal.runs,
        status: one.history.as_ref().and_then(SignalHistory::status),
        history: done(one.history.as_ref()),
    }
}

fn unlisted(one: &Unlisted) -> FollowedUp<'_> {
    FollowedUp {
        measure: &one.measure,
        title: one.title.as_deref(),
        letter: &one.letter,
        status: one.history.status(),
        history: done(Some(&one.history)),
    }
}

/// The signals, then those followed up and not among them, as CSV: a line each, without its history.
///
/// # Errors
/// A run without this result; a role that may not read what was done.
pub fn csv(view: &View<'_>) -> Result<String, Problem> {
    let found = FollowUp::of(view)?;
    let mut rows: Vec<Value> = found.listed.iter().map(|one| json!(listed(one))).collect();
    for row in &mut rows {
        row["listed"] = json!(true);
    }
    rows.extend(found.unlisted.iter().map(|one| {
        let mut row = json!(unlisted(one));
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
    responses((status = 200, description = "run, cut_off, signals, more (how many are not listed), followed_up", body = Signals), (status = 404, description = "No run has been published")),
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
        let answer = Signals {
            run: view.run.number,
            cut_off: view.run.cutoff_date,
            signals: found.listed.iter().map(listed).collect(),
            more: found.more,
            followed_up: found.unlisted.iter().map(unlisted).collect(),
        };
        Reply::json(200, &answer)
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

/// How far a signal is followed up.
#[derive(Serialize, utoipa::ToSchema)]
struct SignalNow<'a> {
    measure: &'a str,
    letter: &'a str,
    status: Option<SignalStatus>,
    history: Vec<Done<'a>>,
}

/// Say how far a listed signal is followed up: `noted`, `letter_sent`, `answered`, `closed`, only forwards; `closed` with a reason, and from there `noted` again.
#[utoipa::path(post, path = "/api/v1/signals/{measure}/{letter}:status", tag = "signals",
    params(("measure" = String, Path,), ("letter" = String, Path, description = "The centre's letter"), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Step,
    responses((status = 200, description = "measure, letter, status, history", body = SignalNow), (status = 404, description = "No such signal in the published run"),
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
        let answer = SignalNow {
            measure: &measure,
            letter: &letter,
            status: now.status(),
            history: done(Some(now)),
        };
        Reply::json(200, &answer)
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

/// The centre behind a letter.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RevealedLetter)]
struct Revealed<'a> {
    measure: &'a str,
    letter: &'a str,
    centre_id: &'a str,
    name: &'a str,
}

/// Look up which centre the letter of a listed signal stands for: recorded with its reason.
#[utoipa::path(post, path = "/api/v1/signals/{measure}/{letter}:reveal", tag = "signals",
    params(("measure" = String, Path,), ("letter" = String, Path, description = "The centre's letter"), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Because,
    responses((status = 200, description = "measure, letter, centre_id, name", body = Revealed), (status = 404, description = "No such signal in the published run"),
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
        let answer = Revealed {
            measure: &measure,
            letter: &letter,
            centre_id: &centre.centre_id,
            name: &centre.name,
        };
        Reply::json(200, &answer)
    };
    Idempotent::change(idempotent, &state, &scope, change, told).await
}
