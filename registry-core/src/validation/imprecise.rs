//! E-039: a date known to the month or year only, where windows are counted from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use super::identity::{Sighting, identity, text};
use crate::dictionary::{Dictionary, ElementKind, EntityKind};
use crate::guideline::Guideline;
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
    by_entity: Vec<DatesOf>,
}

#[derive(Debug)]
struct DatesOf {
    entity: String,
    repeated: bool,
    /// Name and path of each.
    dates: Vec<(String, String)>,
}

impl WindowDates {
    pub(super) fn of<'g>(dictionary: &Dictionary, guidelines: impl Iterator<Item = &'g Guideline>) -> Self {
        let read = paths_in(guidelines);
        let mut by_entity = Vec::new();
        for entity in dictionary.entities.iter().filter(|e| e.kind == EntityKind::Case) {
            let dates: Vec<(String, String)> = entity
                .elements
                .iter()
                .enumerate()
                .filter(|(at, element)| {
                    element.kind == ElementKind::Date
                        && (entity.anchor_date == Some(*at)
                            || read.contains(format!("{}.{}", entity.name, element.name).as_str()))
                })
                .map(|(_, element)| {
                    let path = format!("{}.{}", entity.name, element.name);
                    (element.name.clone(), path)
                })
                .collect();
            if !dates.is_empty() {
                by_entity.push(DatesOf {
                    entity: entity.name.clone(),
                    repeated: entity.repeated(),
                    dates,
                });
            }
        }
        WindowDates { by_entity }
    }

    /// A finding per partial date, each still without its identity.
    pub(super) fn sightings<'b>(&'b self, body: &'b Value, check: &Check) -> Vec<Sighting<'b>> {
        let mut all = Vec::new();
        for DatesOf {
            entity,
            repeated,
            dates,
        } in &self.by_entity
        {
            let Some(section) = body.get(entity) else { continue };
            let rows = if *repeated {
                section.as_array().map(Vec::as_slice).unwrap_or_default()
            } else {
                std::slice::from_ref(section)
            };
            for (at, row) in rows.iter().enumerate() {
                for (date, path) in dates {
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
                    all.push(Sighting {
                        finding: finding(check, pointer, path),
                        read: BTreeMap::from([(path.as_str(), vec![text(value)])]),
                        row: repeated.then_some((entity, row)),
                        // The whole row used to tell two equal partial dates apart.
                        before: Some(identity(
                            &check.id,
                            &BTreeMap::from([(path.as_str(), vec![text(value), text(row)])]),
                        )),
                    });
                }
            }
        }
        all
    }
}

fn finding(check: &Check, pointer: String, element: &str) -> Finding {
    Finding {
        code: check.id.clone(),
        severity: check.severity,
        pointer,
        rule: Some(check.id.clone()),
        rule_version: Some(check.version.clone()),
        message: check.message.clone(),
        elements: vec![element.to_owned()],
        identity: String::new(),
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
