//! Runs and their publication.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::storage::{Run, RunProgress, RunStatus};

use super::who::People;
use super::{Frame, Sent, html};
use crate::guard::{Allowed, AllowedForm, Coordinates, NoQuery, ReadsRuns};
use crate::problem::{Kind, Problem};
use crate::routes::runs::in_background;
use crate::runs::Wanted;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "runs.html")]
struct Page {
    frame: Frame,
    csrf: String,
    /// What a run may be started with; for the coordinating office.
    start: Option<Start>,
    /// A run that is under way, with how far it is.
    under_way: Option<UnderWay>,
    rows: Vec<Row>,
}

struct UnderWay {
    number: i64,
    words: String,
    /// Cases of the present phase that are dealt with, and cases in all; none before it has looked at any.
    done: u64,
    total: u64,
}

struct Start {
    today: String,
    guidelines: Vec<String>,
}

struct Row {
    number: i64,
    cut_off: String,
    guideline: String,
    status: &'static str,
    started: String,
    by: String,
    summary: String,
    published: Option<String>,
    publishable: bool,
}

pub(super) async fn page(
    caller: Allowed<ReadsRuns>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Runs", "/runs", &caller);
    let csrf = frame.who.as_ref().map(|w| w.csrf.clone()).unwrap_or_default();
    let page = blocking(move || {
        let office = caller.scope.role() == Role::Coordinator;
        let runs = state.store.list_runs(&caller.scope)?;
        let seen: Vec<Run> = runs
            .into_iter()
            .filter(|r| office || r.published_at.is_some())
            .collect();
        let under_way = seen.iter().find(|run| run.status == RunStatus::Running);
        let under_way = under_way.map(UnderWay::of);
        let people = People::of(&state)?;
        let rows = seen.into_iter().map(|r| row(r, office, &people)).collect();
        let start = office.then(|| Start {
            today: state.ports.clock.now().date_naive().to_string(),
            guidelines: state
                .judge
                .guidelines(&state.schemas.current().version)
                .iter()
                .map(|guideline| guideline.version.clone())
                .collect(),
        });
        Ok(Page {
            frame,
            csrf,
            start,
            under_way,
            rows,
        })
    })
    .await?;
    html(&page)
}

/// How far a run is, in words.
fn how_far(progress: &RunProgress) -> String {
    let doing = match progress.phase.as_str() {
        "evaluating" => "Judging cases",
        "aggregating" => "Counting",
        _ => "Estimating rates and survival",
    };
    format!("{doing}: {} of {} cases", progress.done, progress.total)
}

impl UnderWay {
    fn of(run: &Run) -> Self {
        let progress = run.progress.as_ref();
        let counted = |n: fn(&RunProgress) -> u64| progress.map_or(0, n);
        Self {
            number: run.number,
            words: progress.map_or_else(|| "Beginning".to_owned(), how_far),
            done: counted(|progress| progress.done),
            total: counted(|progress| progress.total),
        }
    }
}

/// What a class of failure means, and what to do about it.
fn why(failure: Option<&str>) -> &'static str {
    match failure {
        Some("store") => "The database did not answer, or had no space left: start it again when it does.",
        Some("transfer") => "A case was transferred meanwhile: start it again.",
        Some("evaluation_payload" | "format") => {
            "A stored evaluation or result cannot be read: tell whoever runs the service."
        }
        Some("centre_table") => "A row of a centre's table cannot be read: look at the centres' years.",
        Some("engine") => "A rule could not be evaluated: tell whoever runs the service.",
        Some("aggregation" | "endpoints" | "statistics") => {
            "A rate or an estimate could not be computed: tell whoever runs the service."
        }
        Some("interrupted") => "The service was stopped meanwhile: start it again.",
        _ => "It broke off: the service's log says where.",
    }
}

fn row(run: Run, office: bool, people: &People) -> Row {
    let failed = run.status == RunStatus::Failed;
    let failure = run.summary.as_ref().and_then(|s| s.get("failure")?.as_str());
    let failure = failed.then(|| why(failure).to_owned());
    let summary = run.summary.as_ref().filter(|_| !failed).map(|s| {
        let count = |name: &str| {
            s.get(name)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or_default()
        };
        format!(
            "{} cases: {} evaluated, {} unchanged",
            count("cases"),
            count("evaluated"),
            count("reused")
        )
    });
    let progress = run.progress.as_ref().map(how_far);
    let guideline = run.parameters.get("guideline_version");
    Row {
        guideline: guideline
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        number: run.number,
        cut_off: run.cutoff_date.to_string(),
        status: match run.status {
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
        },
        started: run.started_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        by: people.who(&run.started_by),
        // How many cases a run has would tell what its results hold back beside those of the run before.
        summary: failure
            .or(summary)
            .or(progress)
            .filter(|_| office)
            .unwrap_or_default(),
        publishable: office && run.status == RunStatus::Finished,
        published: run.published_at.map(|at| {
            format!(
                "{} by {}",
                at.date_naive(),
                run.published_by.map(|by| people.who(&by)).unwrap_or_default()
            )
        }),
    }
}

/// Starts a run from the page's form; the page then says how far it is.
pub(super) async fn start(
    form: AllowedForm<Coordinates>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let today = state.ports.clock.now().date_naive();
        let cut_off = match form.fields.get("cut_off") {
            "" => today,
            text => text.parse().map_err(|_| {
                Problem::with(Kind::InvalidValue, "Data up to: a day (YYYY-MM-DD).").at("cut_off")
            })?,
        };
        if cut_off > today {
            return Err(Problem::with(Kind::InvalidValue, "Data up to: a day that has come.").at("cut_off"));
        }
        let version = form.fields.get("guideline_version");
        let wanted = Wanted {
            cut_off,
            guideline_version: Some(version.to_owned()).filter(|version| !version.is_empty()),
        };
        let shared = state.clone();
        blocking(move || in_background(shared, form.scope, wanted)).await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", "/runs"))
            .finish())
    }
    .await;
    sent.answered(answer, &[], |caller| page(caller, NoQuery, again))
        .await
}

/// Publishes a run from the page's button.
pub(super) async fn publish(
    caller: AllowedForm<Coordinates>,
    run: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let number: i64 = run.parse().map_err(|_| Problem::new(Kind::NotFound))?;
    blocking(move || crate::runs::publish(&state, &caller.scope, number)).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header(("location", "/runs"))
        .finish())
}
