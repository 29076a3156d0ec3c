//! E-039: a date known to the month or year only, where windows are counted from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use super::fired::identity;
use crate::dictionary::{Dictionary, ElementKind, EntityKind};
use crate::guideline::Guideline;
use crate::intake::canonical;
use crate::rules::Check;

/// Length of a day in full, `2026-03-01`.
const FULL: usize = 10;

/// The elements behind the named dates and windows of the rule language, where they place no row in time themselves.
const NAMED: [(&str, &str); 5] = [
    ("A0", "presentation.referral_date"),
    ("FT", "presentation.referral_date"),
    ("PRE", "presentation.referral_date"),
    ("DEATH", "followup.death_date"),
    ("DIED_BY", "followup.death_date"),
];

/// The date elements windows rest on: those that place a row in time, and those a measure reads, by path or by the name
/// of a date.
#[derive(Debug)]
pub(super) struct WindowDates {
    /// By entity: whether it is repeated, and its date elements.
    by_entity: Vec<(String, bool, Vec<String>)>,
}

impl WindowDates {
    pub(super) fn of<'g>(dictionary: &Dictionary, guidelines: impl Iterator<Item = &'g Guideline>) -> Self {
        let read = paths_in(guidelines);
        let mut by_entity = Vec::new();
        for entity in dictionary.entities.iter().filter(|e| e.kind == EntityKind::Case) {
            let dates: Vec<String> = entity
                .elements
                .iter()
                .enumerate()
                .filter(|(at, element)| {
                    element.kind == ElementKind::Date
                        && (entity.anchor_date == Some(*at)
                            || read.contains(format!("{}.{}", entity.name, element.name).as_str()))
                })
                .map(|(_, element)| element.name.clone())
                .collect();
            if !dates.is_empty() {
                by_entity.push((entity.name.clone(), entity.repeated(), dates));
            }
        }
        WindowDates { by_entity }
    }

    /// A finding per partial date.
    pub(super) fn findings(&self, body: &Value, check: &Check) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (entity, repeated, dates) in &self.by_entity {
            let Some(section) = body.get(entity) else { continue };
            let rows = if *repeated {
                section.as_array().map(Vec::as_slice).unwrap_or_default()
            } else {
                std::slice::from_ref(section)
            };
            for (at, row) in rows.iter().enumerate() {
                for date in dates {
                    let Some(value) = row
                        .get(date)
                        .filter(|v| v.as_str().is_some_and(|d| d.len() < FULL))
                    else {
                        continue;
                    };
                    let pointer = if *repeated {
                        format!("/{entity}/{at}/{date}")
                    } else {
                        format!("/{entity}/{date}")
                    };
                    findings.push(finding(check, pointer, format!("{entity}.{date}"), row, value));
                }
            }
        }
        findings
    }
}

fn finding(check: &Check, pointer: String, element: String, row: &Value, value: &Value) -> Finding {
    let text = |value: &Value| String::from_utf8_lossy(&canonical::to_bytes(value)).into_owned();
    Finding {
        code: check.id.clone(),
        severity: check.severity,
        pointer,
        rule: Some(check.id.clone()),
        rule_version: Some(check.version.clone()),
        message: check.message.clone(),
        // The row tells two equal partial dates apart.
        identity: identity(
            &check.id,
            &BTreeMap::from([(element.as_str(), vec![text(value), text(row)])]),
        ),
        elements: vec![element],
    }
}

/// Everything of the form `entity.element` in the expressions of the guidelines, and what named dates stand for.
fn paths_in<'g>(guidelines: impl Iterator<Item = &'g Guideline>) -> BTreeSet<&'g str> {
    guidelines
        .flat_map(|g| {
            let measures = g.measures.iter().flat_map(|m| m.expressions.values());
            measures
                .chain(g.definitions.values())
                .chain(g.populations.values())
        })
        .flat_map(|text| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')))
        .filter_map(|word| {
            let named = NAMED
                .iter()
                .find(|(name, _)| *name == word)
                .map(|(_, path)| *path);
            named.or_else(|| word.contains('.').then_some(word))
        })
        .collect()
}
