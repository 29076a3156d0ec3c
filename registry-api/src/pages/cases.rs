//! The list of cases of the own centre (or of all, for the coordinating office).

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use registry_core::access::Scope;
use registry_core::form::Words;
use registry_core::storage::{CaseFilter, CaseRow, CaseStatus};
use serde::Deserialize;

use super::{Frame, html, words};
use crate::guard::{Allowed, Policy, SeesCases, Submits};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "cases.html")]
struct Page {
    frame: Frame,
    may_enter: bool,
    /// Whether a filter is set: no row then does not mean no case.
    filtered: bool,
    centres: Vec<Choice>,
    statuses: Vec<Choice>,
    histologies: Vec<Choice>,
    updated_since: String,
    findings: Vec<Choice>,
    rows: Vec<Row>,
    /// Address of the next page.
    next: Option<String>,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// Cases of a page.
const PAGE: usize = 100;
const HISTOLOGY: &str = "primary.histology_code";

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

/// Filters, kept in the address over pages; a form sends what was left empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    centre: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    histology: String,
    /// A day, or an instant as the API takes it.
    #[serde(default)]
    updated_since: String,
    #[serde(default)]
    has_findings: String,
    cursor: Option<String>,
}

const FINDINGS: [(&str, &str); 4] = [
    ("", "All cases"),
    ("errors", "With errors"),
    ("true", "With findings"),
    ("false", "Without findings"),
];

impl Wanted {
    fn filter(&self) -> Result<CaseFilter, Problem> {
        let bad = |name: &str, what: &str| Problem::with(Kind::BadQuery, format!("{name}: {what}"));
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let status = match self.status.as_str() {
            "" => None,
            text => Some(
                CaseStatus::parse(text)
                    .ok_or_else(|| bad("status", "draft, submitted, verified or locked"))?,
            ),
        };
        let (has_findings, has_errors) = match self.has_findings.as_str() {
            "" => (None, None),
            "true" => (Some(true), None),
            "false" => (Some(false), None),
            "errors" => (None, Some(true)),
            _ => return Err(bad("has_findings", "true, false or errors")),
        };
        let updated_since = match self.updated_since.as_str() {
            "" => None,
            text => Some(since(text).ok_or_else(|| bad("updated_since", "a day, as 2026-01-31"))?),
        };
        Ok(CaseFilter {
            centre: given(&self.centre),
            status,
            histology: given(&self.histology),
            updated_since,
            has_findings,
            has_errors,
            include_withdrawn: false,
        })
    }

    fn any(&self) -> bool {
        let all = [
            &self.centre,
            &self.status,
            &self.histology,
            &self.updated_since,
            &self.has_findings,
        ];
        all.iter().any(|text| !text.is_empty())
    }

    /// The next page with the same filters.
    fn next(&self, cursor: &str) -> String {
        let parts = [
            ("centre", self.centre.as_str()),
            ("status", &self.status),
            ("histology", &self.histology),
            ("updated_since", &self.updated_since),
            ("has_findings", &self.has_findings),
            ("cursor", cursor),
        ];
        let given: Vec<(&str, &str)> = parts.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        // Texts always encode.
        format!(
            "/cases?{}",
            serde_urlencoded::to_string(given).unwrap_or_default()
        )
    }
}

fn since(text: &str) -> Option<DateTime<Utc>> {
    match text.parse::<NaiveDate>() {
        Ok(day) => Some(day.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => text.parse().ok(),
    }
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Cases", "/cases", &caller);
    let may_enter = Submits::ROLES.contains(&caller.scope.role());
    let office = !caller.scope.role().needs_centre();
    let page = blocking(move || {
        let cursor = wanted.cursor.as_deref();
        let cases = state
            .store
            .list_cases(&caller.scope, &wanted.filter()?, cursor, PAGE)?;
        let called = state.words()?;
        Ok(Page {
            frame,
            may_enter,
            filtered: wanted.any(),
            centres: centres(&state, &caller.scope, office, &wanted.centre)?,
            statuses: statuses(&wanted.status),
            histologies: histologies(&state, &wanted.histology),
            updated_since: wanted.updated_since.chars().take(10).collect(),
            findings: FINDINGS
                .iter()
                .map(|(value, label)| choice(value, label, &wanted.has_findings))
                .collect(),
            next: cases.next.as_deref().map(|cursor| wanted.next(cursor)),
            rows: cases
                .items
                .into_iter()
                .filter_map(|case| row(case, called))
                .collect(),
        })
    })
    .await?;
    html(&page)
}

fn choice(value: &str, label: &str, chosen: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == chosen,
    }
}

/// Centres to choose from; none for a reader who has one.
fn centres(state: &AppState, scope: &Scope, office: bool, chosen: &str) -> Result<Vec<Choice>, Problem> {
    if !office {
        return Ok(Vec::new());
    }
    let all = state.store.list_centres(scope)?;
    let all = all
        .iter()
        .map(|centre| choice(&centre.centre_id, &centre.centre_id, chosen));
    Ok(std::iter::once(choice("", "All centres", chosen))
        .chain(all)
        .collect())
}

fn statuses(chosen: &str) -> Vec<Choice> {
    let all = CaseStatus::ALL.iter().map(|status| status.as_str());
    let all = all.map(|status| choice(status, &words::code(status), chosen));
    std::iter::once(choice("", "Any status", chosen))
        .chain(all)
        .collect()
}

/// The codes of the derived element, by their labels.
fn histologies(state: &AppState, chosen: &str) -> Vec<Choice> {
    let dictionary = &state.schemas.current().dictionary;
    let codes = dictionary
        .element(HISTOLOGY)
        .and_then(|element| element.codes.as_ref());
    let all = codes.into_iter().flat_map(|list| &list.codes);
    let all = all.map(|code| choice(&code.code, code.label.as_deref().unwrap_or(&code.code), chosen));
    std::iter::once(choice("", "Any histology", chosen))
        .chain(all)
        .collect()
}

fn row(case: CaseRow, called: Words<'_>) -> Option<Row> {
    Some(Row {
        pseudonym: case.pseudonym?,
        centre: case.centre_id,
        histology: case
            .derived
            .histology_code
            .map(|code| called.value(HISTOLOGY, &code.into()))
            .unwrap_or_default(),
        t0: case.derived.t0.unwrap_or_default(),
        status: words::code(case.status.as_str()),
        version: case.version,
        errors: case.errors,
        warnings: case.warnings,
        updated: case.updated_at.date_naive().to_string(),
    })
}
