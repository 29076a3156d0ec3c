//! One case: its course, findings, assessment and versions.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::guideline::{MeasureKind, Outcome};
use registry_core::storage::{StoreError, StoredCase, VersionRow};

use super::course::{Event, course};
use super::{Frame, html, words};
use crate::charts;
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::assessed;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "case.html")]
struct Page {
    frame: Frame,
    c: Shown,
}

struct Shown {
    pseudonym: String,
    centre: String,
    status: String,
    version: i64,
    summary: String,
    timeline: Option<String>,
    events: Vec<Event>,
    findings: Vec<(&'static str, String, String, String)>,
    assessment: Vec<Line>,
    versions: Vec<(i64, String, String, String, i64, i64, String)>,
}

struct Line {
    id: String,
    title: String,
    unit: Option<String>,
    grade: String,
    outcome: &'static str,
    class: &'static str,
    because: String,
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(&pseudonym, "/cases", &caller);
    let page = blocking(move || {
        let stored = state.store.get_case(&caller.scope, &pseudonym).map_err(gone)?;
        let versions = state.store.versions(&caller.scope, &pseudonym).map_err(gone)?;
        let c = shown(&state, &stored, versions)?;
        Ok(Page { frame, c })
    })
    .await?;
    html(&page)
}

fn gone(error: StoreError) -> Problem {
    match error {
        StoreError::Withdrawn { .. } => Problem::new(Kind::NotFound),
        other => other.into(),
    }
}

fn shown(state: &AppState, stored: &StoredCase, versions: Vec<VersionRow>) -> Result<Shown, Problem> {
    let (timeline, events) = course(&stored.document);
    let pseudonym = stored.row.pseudonym.clone().unwrap_or_default();
    let histology = stored
        .derived
        .histology_code
        .as_deref()
        .map_or_else(|| "Histology not derivable".to_owned(), words::code);
    let t0 = stored
        .derived
        .t0
        .clone()
        .unwrap_or_else(|| "an unknown date".to_owned());
    Ok(Shown {
        timeline: charts::timeline(&timeline, "Course of the disease"),
        events,
        centre: stored.row.centre_id.clone(),
        status: words::code(stored.row.status.as_str()),
        version: stored.version,
        summary: format!("{histology}, metastatic or multifocal disease first found {t0}."),
        findings: stored
            .findings
            .iter()
            .map(|f| {
                (
                    f.severity.as_str(),
                    f.code.clone(),
                    f.pointer.clone(),
                    f.message.clone(),
                )
            })
            .collect(),
        assessment: assessment(state, stored)?,
        versions: versions
            .into_iter()
            .map(|v| {
                let stored = v.submitted_at.format("%Y-%m-%d %H:%M UTC").to_string();
                (
                    v.version,
                    stored,
                    v.actor,
                    v.schema_version,
                    v.errors,
                    v.warnings,
                    v.reason.unwrap_or_default(),
                )
            })
            .collect(),
        pseudonym,
    })
}

/// Every unit that a measure applies to; what does not apply is left out.
fn assessment(state: &AppState, stored: &StoredCase) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::new();
    for (guideline, outcome) in assessed(state, stored)? {
        let Some(measure) = guideline.measures.get(usize::from(outcome.measure)) else {
            continue;
        };
        if outcome.outcome == Outcome::NotInDenom {
            continue;
        }
        let (spoken, class) = words::outcome(outcome.outcome, measure.kind == MeasureKind::Avoidance);
        let because = match (outcome.outcome, outcome.reason) {
            (Outcome::Excluded, _) => "not counted, because an exclusion of the measure applies".to_owned(),
            (Outcome::Excepted, _) => "not counted, because an exception of the measure applies".to_owned(),
            (_, Some(reason)) => {
                let element = outcome.element.as_deref().unwrap_or_default();
                format!("{element} {}", words::reason(reason.as_str()))
            }
            _ => String::new(),
        };
        lines.push(Line {
            id: measure.id.clone(),
            title: measure.title.clone(),
            unit: measure
                .unit_entity
                .as_ref()
                .map(|_| format!("{} {}", measure.unit, outcome.unit_index + 1)),
            grade: measure.grade.clone(),
            outcome: spoken,
            class,
            because,
        });
    }
    Ok(lines)
}
