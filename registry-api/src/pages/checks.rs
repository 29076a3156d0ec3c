//! The edit checks as a page: what each looks at, what it says, how it is run.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, html};
use crate::guard::Reader;
use crate::problem::Problem;
use crate::routes::checks::{Described, Wanted, asked, csv as table, in_force};
use crate::state::AppState;

#[derive(Template)]
#[template(path = "checks.html")]
struct Page {
    frame: Frame,
    severities: [(&'static str, &'static str, bool); 4],
    q: String,
    csv: String,
    /// Checks there are in all.
    all: usize,
    rows: Vec<Row>,
}

/// A check as other pages name it: its id, leading to what it says.
#[derive(Template)]
#[template(
    source = "{% if let Some(rule) = rule.as_ref() %}<a href=\"/checks#{{ id }}\" title=\"{{ rule }}\">{{ id }}</a>{% else %}{{ id }}{% endif %}",
    ext = "html"
)]
pub(super) struct CheckLink {
    pub(super) id: String,
    /// What it looks at; nothing of a check that is not in force.
    pub(super) rule: Option<String>,
}

impl CheckLink {
    pub(super) fn of(state: &AppState, id: &str) -> Self {
        Self {
            rule: rule_in_words(state, id),
            id: id.to_owned(),
        }
    }
}

/// What a check in force looks at.
pub(super) fn rule_in_words(state: &AppState, id: &str) -> Option<String> {
    let checks = in_force(state).ok()?;
    checks.check(id).map(|check| check.rule_in_words.clone())
}

/// What a check in force says when it fires.
pub(super) fn said_when_it_fires(state: &AppState, id: &str) -> Option<String> {
    let checks = in_force(state).ok()?;
    checks.check(id).map(|check| check.message.clone())
}

struct Row {
    id: String,
    version: String,
    severity: &'static str,
    judged: String,
    rule: String,
    message: String,
    elements: Vec<String>,
    blocks: Vec<String>,
    expression: String,
    values: Vec<String>,
    provenance: String,
    note: String,
    /// Version and text, oldest first.
    superseded: Vec<(String, String)>,
}

impl Row {
    fn of(one: &Described<'_>) -> Self {
        let check = one.check;
        let optional = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        Self {
            id: check.id.clone(),
            version: check.version.clone(),
            severity: check.severity.as_str(),
            judged: match check.scope.as_str() {
                "record" => "once per record".to_owned(),
                entity => format!("each row of {entity}"),
            },
            rule: check.rule_in_words.clone(),
            message: check.message.clone(),
            elements: one.elements.clone(),
            blocks: check.blocks.clone(),
            expression: optional(&check.expression),
            values: one.values(),
            provenance: optional(&check.provenance),
            note: optional(&check.note),
            superseded: one
                .superseded
                .iter()
                .map(|before| (before.version.clone(), before.text.to_owned()))
                .collect(),
        }
    }
}

pub(super) async fn page(
    reader: Reader,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let checks = in_force(&state)?;
    let found = asked(&state, &wanted)?;
    let severity = wanted.severity.as_deref().unwrap_or_default();
    html(&Page {
        frame: Frame::open("Edit checks", "/checks", &reader),
        severities: [
            ("", "All"),
            ("reject", "Reject: the record is refused"),
            ("error", "Error: the elements are kept out of measures"),
            ("warning", "Warning: a query is raised"),
        ]
        .map(|(code, label)| (code, label, code == severity)),
        q: wanted.q.clone().unwrap_or_default(),
        csv: address(&wanted),
        all: checks.checks().len(),
        rows: found.iter().map(Row::of).collect(),
    })
}

/// The same choice as CSV.
fn address(wanted: &Wanted) -> String {
    let parts = [("severity", &wanted.severity), ("q", &wanted.q)];
    let given = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let given: Vec<(&str, &str)> = given.collect();
    // Texts always encode.
    let query = serde_urlencoded::to_string(given).unwrap_or_default();
    format!("/checks.csv?{query}")
}

/// The checks of the page as CSV, for the link on it.
pub(super) async fn csv(
    _reader: Reader,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = table(&asked(&state, &wanted)?)?;
    Ok(super::download("checks.csv", text))
}
