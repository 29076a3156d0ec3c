//! The list of cases of the own centre (or of all, for the coordinating office).

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::storage::{CaseFilter, CaseRow};
use serde::Deserialize;

use super::{Frame, html, words};
use crate::guard::{Allowed, Policy, SeesCases, Submits};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "cases.html")]
struct Page {
    frame: Frame,
    may_enter: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    pseudonym: String,
    centre: String,
    histology: String,
    t0: String,
    status: String,
    version: i64,
    errors: i64,
    warnings: i64,
    updated: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    cursor: Option<String>,
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Cases", "/cases", &caller);
    let may_enter = Submits::ROLES.contains(&caller.scope.role());
    let page = blocking(move || {
        let cases = state.store.list_cases(
            &caller.scope,
            &CaseFilter::default(),
            wanted.cursor.as_deref(),
            100,
        )?;
        Ok(Page {
            frame,
            may_enter,
            rows: cases.items.into_iter().filter_map(row).collect(),
            next: cases.next,
        })
    })
    .await?;
    html(&page)
}

fn row(case: CaseRow) -> Option<Row> {
    Some(Row {
        pseudonym: case.pseudonym?,
        centre: case.centre_id,
        histology: case
            .derived
            .histology_code
            .as_deref()
            .map(words::code)
            .unwrap_or_default(),
        t0: case.derived.t0.unwrap_or_default(),
        status: words::code(case.status.as_str()),
        version: case.version,
        errors: case.errors,
        warnings: case.warnings,
        updated: case.updated_at.date_naive().to_string(),
    })
}
