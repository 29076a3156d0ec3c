//! Runs and their publication.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::storage::{Run, RunStatus};

use super::{Frame, html};
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
    rows: Vec<Row>,
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
        let rows = runs
            .into_iter()
            .filter(|r| office || r.published_at.is_some())
            .map(|r| row(r, office))
            .collect();
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
            rows,
        })
    })
    .await?;
    html(&page)
}

fn row(run: Run, office: bool) -> Row {
    let summary = run.summary.as_ref().map(|s| {
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
    let progress = run.progress.as_ref().map(|progress| {
        let doing = match progress.phase.as_str() {
            "evaluating" => "judging cases",
            "aggregating" => "counting",
            _ => "estimating rates and survival",
        };
        format!("{doing}: {} of {} cases", progress.done, progress.total)
    });
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
        by: run.started_by,
        // How many cases a run has would tell what its results hold back beside those of the run before.
        summary: summary.or(progress).filter(|_| office).unwrap_or_default(),
        publishable: office && run.status == RunStatus::Finished,
        published: run
            .published_at
            .map(|at| format!("{} by {}", at.date_naive(), run.published_by.unwrap_or_default())),
    }
}

/// Starts a run from the page's form; the page then says how far it is.
pub(super) async fn start(
    form: AllowedForm<Coordinates>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let today = state.ports.clock.now().date_naive();
    let cut_off = match form.fields.get("cut_off") {
        "" => today,
        text => text
            .parse()
            .map_err(|_| Problem::with(Kind::InvalidValue, "cut_off: a day (YYYY-MM-DD)"))?,
    };
    if cut_off > today {
        return Err(Problem::with(Kind::InvalidValue, "cut_off lies in the future"));
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
