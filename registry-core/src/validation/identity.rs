//! What makes a finding the same one: its check, the values it read, and the row it is about.
//!
//! A row is known by its key (`lesion_id`), else by its anchor date and the rows it belongs to. Findings that all this does not tell apart
//! are told apart by the whole row, and only rows that say the same in everything by their number. So no order of rows makes one finding
//! of another, and a row that is mended takes its own finding along and nobody else's.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Finding, Formerly};
use crate::dictionary::{Dictionary, EntityKind};
use crate::form::References;
use crate::intake::canonical;

/// Names of what stands beside the elements in an identity; no element has such a name.
const ROW: &str = " row";
const CONTENT: &str = " content";
const AGAIN: &str = "again";

/// By which elements the rows of each repeated entity are known.
#[derive(Debug, Default)]
pub(super) struct RowKeys {
    by_entity: BTreeMap<String, Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    /// The row's own name.
    own: Vec<String>,
    /// Its anchor date, and the rows of other sections that it names.
    otherwise: Vec<String>,
}

impl RowKeys {
    pub(super) fn of(dictionary: &Dictionary, references: &References) -> Self {
        let mut by_entity: BTreeMap<String, Keys> = BTreeMap::new();
        for entity in &dictionary.entities {
            if entity.kind != EntityKind::Case || !entity.repeated() {
                continue;
            }
            let named = |path: &String| {
                let (of, element) = path.split_once('.')?;
                (of == entity.name).then(|| element.to_owned())
            };
            let anchor = entity.anchor_date.and_then(|at| entity.elements.get(at));
            let linked = references.links.iter().flat_map(|(elements, ..)| elements);
            let keys = Keys {
                own: references.keys.iter().filter_map(named).collect(),
                otherwise: anchor
                    .map(|element| element.name.clone())
                    .into_iter()
                    .chain(linked.filter_map(named))
                    .collect(),
            };
            by_entity.insert(entity.name.clone(), keys);
        }
        Self { by_entity }
    }

    /// What a row is known by; nothing of one that says none of it.
    fn of_row(&self, entity: &str, row: &Value) -> Vec<String> {
        let Some(keys) = self.by_entity.get(entity) else {
            return Vec::new();
        };
        let said = |elements: &[String]| -> Vec<String> {
            let value = |element: &String| {
                let value = row.get(element).filter(|value| !value.is_null())?;
                Some(format!("{element}={}", text(value)))
            };
            elements.iter().filter_map(value).collect()
        };
        let own = said(&keys.own);
        if own.is_empty() {
            said(&keys.otherwise)
        } else {
            own
        }
    }
}

/// A finding on its way to its identity.
pub(super) struct Sighting<'a> {
    /// Everything but the identity.
    pub(super) finding: Finding,
    /// The values that were read, by element and sorted.
    pub(super) read: BTreeMap<&'a str, Vec<String>>,
    /// The row it is about: entity and row.
    pub(super) row: Option<(&'a str, &'a Value)>,
    /// The identity that versions before rows had a share in it gave it, without the number of equal ones; `None`: made of what was read.
    pub(super) before: Option<String>,
}

/// Gives every finding its identity, and says under which one an earlier version of this program may have kept it.
pub(super) fn identified(sightings: Vec<Sighting<'_>>, keys: &RowKeys) -> (Vec<Finding>, Vec<Formerly>) {
    let with_key: Vec<String> = sightings
        .iter()
        .map(|seen| {
            let mut read = seen.read.clone();
            let key = seen.row.map(|(entity, row)| keys.of_row(entity, row));
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                read.insert(ROW, key);
            }
            identity(&seen.finding.code, &read)
        })
        .collect();
    let of_old: Vec<String> = sightings
        .iter()
        .map(|seen| {
            let made = || identity(&seen.finding.code, &seen.read);
            seen.before.clone().unwrap_or_else(made)
        })
        .collect();
    let (alike, alike_before) = (counted(&with_key), counted(&of_old));
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    let mut times_before: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut findings, mut formerly) = (Vec::new(), Vec::new());
    for ((seen, with_key), before) in sightings.into_iter().zip(&with_key).zip(&of_old) {
        let by_content = seen.row.map(|(_, row)| within(with_key, CONTENT, &text(row)));
        let alone = alike.get(with_key.as_str()) == Some(&1);
        let distinct = match &by_content {
            Some(by_content) if !alone => by_content,
            _ => with_key,
        };
        let identity = numbered(distinct, times.entry(distinct.clone()).or_default());
        let n = times_before.entry(before).or_default();
        let earlier = numbered(before, n);
        let alone_before = alike_before.get(before.as_str()) == Some(&1);
        if earlier != identity {
            formerly.push(Formerly {
                identity: identity.clone(),
                before: earlier,
                unless: Some(within(before, AGAIN, "1")).filter(|_| alone_before),
                only_unchanged: !alone_before,
            });
        }
        if let Some(by_content) = by_content.filter(|by_content| alone && *by_content != identity) {
            // What used to tell it from another row that is mended by now.
            formerly.push(Formerly {
                identity: identity.clone(),
                before: by_content,
                unless: None,
                only_unchanged: false,
            });
        }
        findings.push(Finding {
            identity,
            ..seen.finding
        });
    }
    (findings, formerly)
}

fn counted(all: &[String]) -> BTreeMap<&str, u32> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one.as_str()).or_default() += 1;
    }
    counts
}

/// The first of equal ones keeps the identity, the others get a number.
fn numbered(identity: &str, times: &mut u32) -> String {
    let n = *times;
    *times += 1;
    if n == 0 {
        identity.to_owned()
    } else {
        within(identity, AGAIN, &n.to_string())
    }
}

fn within(outer: &str, name: &str, what: &str) -> String {
    identity(outer, &BTreeMap::from([(name, vec![what.to_owned()])]))
}

/// The canonical text of a value.
pub(super) fn text(value: &Value) -> String {
    String::from_utf8_lossy(&canonical::to_bytes(value)).into_owned()
}

/// SHA-256 (hex) over a rule and what it read.
pub(super) fn identity(rule: &str, read: &BTreeMap<&str, Vec<String>>) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    part(rule);
    for (element, values) in read {
        part(element);
        for value in values {
            part(value);
        }
    }
    hex::encode(hash.finalize())
}

/// Identity of a finding about one value.
pub(super) fn identity_of(rule: &str, subject: &str, value: Option<&Value>) -> String {
    let value = text(value.unwrap_or(&Value::Null));
    identity(rule, &BTreeMap::from([(subject, vec![value])]))
}
