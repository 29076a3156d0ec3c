//! What changed between two versions of a case, element by element, for whoever may read it.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::form::Words;
use registry_core::storage::{StoredCase, VersionRow};
use registry_core::verification::{Difference, Kind as Became};
use serde::Deserialize;
use serde_json::Value;

use super::case::gone;
use super::who::People;
use super::{Frame, html};
use crate::guard::{Allowed, SeesCases};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "versions.html")]
struct Page {
    frame: Frame,
    pseudonym: String,
    centre: String,
    /// There is one version only.
    alone: bool,
    from: Vec<Choice>,
    to: Vec<Choice>,
    /// The two that are compared: numbers, then how they came.
    numbers: [i64; 2],
    compared: [Version; 2],
    lines: Vec<Line>,
}

/// A version to choose.
struct Choice {
    version: i64,
    label: String,
    chosen: bool,
}

/// One of the two that are compared.
struct Version {
    number: i64,
    stored: String,
    by: String,
    reason: String,
    schema: String,
}

/// One element, or a whole row, that is not the same in both.
pub(super) struct Line {
    section: String,
    /// Which row of it.
    pub(super) row: String,
    /// The element; empty for a whole row.
    element: String,
    how: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

/// Which two; without them the newest and the one before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    from: Option<i64>,
    to: Option<i64>,
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(&format!("Versions of {pseudonym}"), "/cases", &caller);
    let page = blocking(move || {
        let (store, scope) = (&state.store, &caller.scope);
        let versions = store.versions(scope, &pseudonym).map_err(gone)?;
        let newest = versions.iter().map(|one| one.version).max().unwrap_or(1);
        let to = wanted.to.unwrap_or(newest);
        let from = wanted.from.unwrap_or_else(|| (to - 1).max(1));
        let read = |version| store.get_version(scope, &pseudonym, version).map_err(gone);
        let (older, newer) = (read(from)?, read(to)?);
        let differences = state.differ.compare(&older.document, &newer.document).differences;
        let (words, people) = (state.words()?, People::of(&state)?);
        let lines = differences
            .iter()
            .map(|difference| line(difference, (&older.document, &newer.document), words));
        let of = |stored: &StoredCase| {
            let row = versions.iter().find(|row| row.version == stored.version);
            version(stored, row, &people)
        };
        Ok(Page {
            alone: versions.len() < 2,
            from: choices(&versions, from),
            to: choices(&versions, to),
            lines: lines.collect(),
            centre: newer.row.centre_id.clone(),
            numbers: [from, to],
            compared: [of(&older), of(&newer)],
            pseudonym: pseudonym.into_inner(),
            frame,
        })
    })
    .await?;
    html(&page)
}

fn choices(versions: &[VersionRow], chosen: i64) -> Vec<Choice> {
    let choice = |row: &VersionRow| Choice {
        version: row.version,
        label: format!("{}, {}", row.version, row.submitted_at.date_naive()),
        chosen: row.version == chosen,
    };
    versions.iter().map(choice).collect()
}

fn version(stored: &StoredCase, row: Option<&VersionRow>, people: &People) -> Version {
    Version {
        number: stored.version,
        stored: stored.submitted_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        by: row.map(|row| people.who(&row.actor)).unwrap_or_default(),
        reason: row.and_then(|row| row.reason.clone()).unwrap_or_default(),
        schema: stored.schema_version.clone(),
    }
}

/// A difference of two documents in words.
pub(super) fn line(difference: &Difference, (older, newer): (&Value, &Value), words: Words<'_>) -> Line {
    let at = |document: &Value, pointer: &Option<String>| -> Option<Value> {
        document.pointer(pointer.as_deref()?).cloned()
    };
    let (before, after) = (at(older, &difference.stored), at(newer, &difference.reentered));
    let path = difference.element.as_str();
    let (entity, element) = path
        .split_once('.')
        .map_or((path, ""), |(entity, _)| (entity, path));
    let said = |value: &Option<Value>| match value {
        None => String::new(),
        Some(value) if element.is_empty() => row_in_words(entity, value, words),
        Some(value) => words.value(path, value),
    };
    let (said_before, said_after) = (said(&before), said(&after));
    let row = row_of(newer, &difference.reentered).or_else(|| row_of(older, &difference.stored));
    Line {
        section: words.entity(entity),
        row: row.map(|row| words.gist(entity, row)).unwrap_or_default(),
        element: if element.is_empty() {
            String::new()
        } else {
            words.element(path)
        },
        how: how(difference.kind, (&before, &after), said_before == said_after),
        before: said_before,
        after: said_after,
    }
}

/// The row a pointer leads into: `/imaging/0` of `/imaging/0/date`; nothing of a section that is one object.
fn row_of<'a>(document: &'a Value, pointer: &Option<String>) -> Option<&'a Value> {
    let mut tokens = pointer.as_deref()?.split('/').skip(1);
    let rows = document.get(tokens.next()?)?;
    rows.get(tokens.next()?.parse::<usize>().ok()?)
}

/// Every answer of a row.
fn row_in_words(entity: &str, row: &Value, words: Words<'_>) -> String {
    let answers = row.as_object().into_iter().flatten();
    let answers = answers
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let path = format!("{entity}.{name}");
            format!("{}: {}", words.element(&path), words.value(&path, value))
        });
    answers.collect::<Vec<_>>().join("; ")
}

fn how(kind: Became, values: (&Option<Value>, &Option<Value>), same_words: bool) -> &'static str {
    let given = |value: &Option<Value>| value.as_ref().is_some_and(|value| !value.is_null());
    match (given(values.0), given(values.1)) {
        (false, _) => "added",
        (_, false) => "removed",
        // The same label, given to different rows.
        _ if kind == Became::Values && same_words => "leads to another row",
        _ => "changed",
    }
}
