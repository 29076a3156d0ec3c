//! Runs and their publication.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::storage::{Run, RunStatus};

use super::{Frame, html};
use crate::guard::{Allowed, AllowedForm, Coordinates, ReadsRuns};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "runs.html")]
struct Page {
    frame: Frame,
    csrf: String,
    rows: Vec<Row>,
}

struct Row {
    number: i64,
    cut_off: String,
    status: &'static str,
    started: String,
    by: String,
    summary: String,
    published: Option<String>,
    publishable: bool,
}

pub(super) async fn page(
    caller: Allowed<ReadsRuns>,
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
        Ok(Page { frame, csrf, rows })
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
    Row {
        number: run.number,
        cut_off: run.cutoff_date.to_string(),
        status: match run.status {
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
        },
        started: run.started_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        by: run.started_by,
        summary: summary.unwrap_or_default(),
        publishable: office && run.status == RunStatus::Finished,
        published: run
            .published_at
            .map(|at| format!("{} by {}", at.date_naive(), run.published_by.unwrap_or_default())),
    }
}

/// Publishes a run from the page's button.
pub(super) async fn publish(
    caller: AllowedForm<Coordinates>,
    run: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let number: i64 = run.parse().map_err(|_| Problem::new(Kind::NotFound))?;
    blocking(move || Ok(state.store.publish_run(&caller.scope, number)?)).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header(("location", "/runs"))
        .finish())
}
