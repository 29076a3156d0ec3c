//! A case put together again from rows, and where each of its leaves stood.

use std::rc::Rc;
use std::sync::Arc;

use csv::StringRecord;
use serde_json::{Map, Value};

use super::cells;
use super::columns::{Layout, Section};
use super::complaint::{Complaint, Place};
use super::sheet::Found;
use super::{CASE_STATUS, CASE_VERSION, EMPTY_SECTIONS, KEY_ELEMENT, KEY_ENTITY, VERSION};
use crate::storage::CaseStatus;

/// A case read from flat files.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// Its key.
    pub patient: String,
    /// The body, to be submitted when nothing is complained of.
    pub document: Value,
    /// Version of the case that the rows were taken from, where they say so.
    pub version: Option<i64>,
    /// Where the case was in its life, where the rows say so.
    pub status: Option<CaseStatus>,
    /// What is wrong with its cells, all at once.
    pub complaints: Vec<Complaint>,
    spots: Vec<Spot>,
}

/// Where the object at a pointer stood.
#[derive(Debug, Clone)]
struct Spot {
    pointer: String,
    file: Arc<str>,
    line: u64,
    found: Rc<Found>,
}

impl Rebuilt {
    /// The place that a finding's JSON pointer leads to: the cell of the element, or the row it should be in.
    pub fn place(&self, pointer: &str) -> Place {
        let inside = |spot: &&Spot| {
            pointer
                .strip_prefix(spot.pointer.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let spot = self
            .spots
            .iter()
            .filter(inside)
            .max_by_key(|spot| spot.pointer.len())
            .or(self.spots.first());
        let Some(spot) = spot else {
            return Place {
                file: "".into(),
                line: 1,
                column: None,
                name: None,
            };
        };
        let element = pointer
            .strip_prefix(spot.pointer.as_str())
            .and_then(|rest| rest.trim_start_matches('/').split('/').next());
        let cell = spot
            .found
            .named
            .iter()
            .find(|(name, ..)| element == Some(name.as_str()));
        Place {
            file: Arc::clone(&spot.file),
            line: spot.line,
            column: cell.map(|(_, field, _)| field + 1),
            name: cell.map(|(.., name)| name.clone()),
        }
    }
}

/// A row on its way into a case.
pub(super) struct RawRow<'a> {
    pub(super) section: &'a Section,
    /// Its number, of a repeated entity.
    pub(super) number: Option<u64>,
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    pub(super) record: Rc<StringRecord>,
    pub(super) found: Rc<Found>,
}

/// What the envelope's row says of the case itself.
pub(super) struct Head {
    pub(super) patient: String,
    /// Version of the case schema.
    pub(super) version: String,
    /// Names of sections sent as empty lists.
    pub(super) empty: String,
    /// Version of the case that the rows were taken from.
    pub(super) held: String,
    /// Where the case was in its life.
    pub(super) status: String,
    /// Where the row stands.
    pub(super) place: Place,
}

/// Puts a case together. `rows` are those of its entities, the envelope's own row first.
pub(super) fn rebuild(layout: &Layout, head: Head, mut rows: Vec<RawRow<'_>>) -> Rebuilt {
    let mut complaints = Vec::new();
    let mut spots = Vec::new();
    let mut document = Map::new();
    document.insert(VERSION.to_owned(), Value::from(head.version.as_str()));
    let dictionary = layout.dictionary(&head.version);
    if dictionary.is_none() {
        complaints.push(Complaint::new(
            "unknown_version",
            head.place.clone(),
            "The case's schema version is none of this registry.",
        ));
    }
    rows.sort_by_key(|row| row.number);
    for row in rows {
        let name = &row.section.name;
        let entity = dictionary.and_then(|d| d.entity(name));
        let mut faults = Vec::new();
        let cell = |at: usize| {
            let field = row.found.fields.get(at).copied().flatten();
            field.and_then(|f| row.record.get(f)).unwrap_or_default()
        };
        let read = if row.section.envelope {
            Map::new()
        } else {
            cells::read(row.section, entity, cell, &mut faults)
        };
        if dictionary.is_some() {
            complaints.extend(faults.into_iter().map(|(at, code, message)| {
                let column = row.section.columns.get(at);
                let field = row.found.fields.get(at).copied().flatten();
                let place = Place {
                    file: Arc::clone(&row.file),
                    line: row.line,
                    column: field.map(|f| f + 1),
                    name: column.map(|c| c.name.clone()),
                };
                Complaint::new(code, place, message)
            }));
        }
        let pointer = if row.section.envelope {
            String::new()
        } else if row.section.repeated {
            let list = document
                .entry(name.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(list) = list else { continue };
            list.push(Value::Object(read));
            format!("/{name}/{}", list.len() - 1)
        } else {
            document.insert(name.clone(), Value::Object(read));
            format!("/{name}")
        };
        spots.push(Spot {
            pointer,
            file: row.file,
            line: row.line,
            found: row.found,
        });
    }
    for name in head.empty.split(' ').filter(|n| !n.is_empty()) {
        let repeated = layout.section(name).is_some_and(|s| s.repeated);
        if repeated && !document.contains_key(name) {
            document.insert(name.to_owned(), Value::Array(Vec::new()));
        } else {
            let mut place = head.place.clone();
            place.name = Some(EMPTY_SECTIONS.to_owned());
            complaints.push(Complaint::new(
                "not_empty",
                place,
                "A section named as empty has rows, or is no repeated section.",
            ));
        }
    }
    if let Some(Value::Object(keyed)) = document.get_mut(KEY_ENTITY) {
        keyed.insert(KEY_ELEMENT.to_owned(), Value::from(head.patient.as_str()));
    }
    let mut unreadable = |column: &str, code, message: &str| {
        let mut place = head.place.clone();
        place.name = Some(column.to_owned());
        complaints.push(Complaint::new(code, place, message));
    };
    let version = head.held.parse().ok().filter(|version: &i64| *version > 0);
    if version.is_none() && !head.held.is_empty() {
        let message = "The version of the case is a whole number from 1, or nothing.";
        unreadable(CASE_VERSION, "bad_case_version", message);
    }
    let status = CaseStatus::parse(&head.status);
    if status.is_none() && !head.status.is_empty() {
        let message = "The status of the case is draft, submitted, verified or locked, or nothing.";
        unreadable(CASE_STATUS, "bad_case_status", message);
    }
    Rebuilt {
        patient: head.patient,
        document: Value::Object(document),
        version,
        status,
        complaints,
        spots,
    }
}
