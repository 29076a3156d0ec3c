//! From a fired edit check to a finding: what to say, where to look, and what its identity rests on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::breach::child;
use super::identity::{Sighting, text};
use super::{Document, Finding};
use crate::dictionary::{Dictionary, Entity, EntityKind, Requirement};
use crate::record::{CellRef, Record};
use crate::rules::{Check, CheckSet, FiredCheck};
use crate::versions::HistologyTable;

/// Placeholder in a message for the histology term of the case's morphology.
const TERM: &str = "{term}";

/// What findings are made from: the checks of one version and the case at hand.
pub(super) struct Subject<'a> {
    pub(super) dictionary: &'a Dictionary,
    pub(super) histology: &'a HistologyTable,
    pub(super) checks: &'a CheckSet,
    pub(super) record: &'a Record,
    /// The body with the envelope and the derived elements merged in.
    pub(super) document: &'a Document<'a>,
}

impl Subject<'_> {
    /// One finding per fired check, each still without its identity.
    pub(super) fn sightings<'s>(&'s self, fired: &[FiredCheck]) -> Vec<Sighting<'s>> {
        let mut all = Vec::with_capacity(fired.len());
        for fired in fired {
            if let Some(check) = self.checks.checks().get(fired.check) {
                all.push(Sighting {
                    finding: self.finding(check, fired),
                    read: self.read(fired),
                    row: self.row(fired),
                    before: None,
                });
            }
        }
        all
    }

    fn finding(&self, check: &Check, fired: &FiredCheck) -> Finding {
        Finding {
            code: check.id.clone(),
            severity: check.severity,
            pointer: self.pointer(check, fired),
            rule: Some(check.id.clone()),
            rule_version: Some(check.version.clone()),
            message: self.message(check),
            elements: fired.elements(self.record.layout()),
            identity: String::new(),
        }
    }

    fn message(&self, check: &Check) -> String {
        if !check.message.contains(TERM) {
            return check.message.clone();
        }
        let term = self
            .document
            .pointer("/primary/icdo_morphology")
            .and_then(Value::as_str)
            .and_then(|code| self.histology.entry(code))
            .map_or("this histology", |entry| entry.term.as_str());
        check.message.replace(TERM, term)
    }

    /// The values that were read in the body, by element and sorted. The envelope is left out: it differs at every submission.
    fn read(&self, fired: &FiredCheck) -> BTreeMap<&str, Vec<String>> {
        let mut read: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for at in &fired.read {
            let layout = self.record.layout();
            let (Some(entity), Some(element)) = (
                layout.entity_at(at.entity),
                layout.element_at(at.entity, at.element),
            ) else {
                continue;
            };
            if !self.is_case(&entity.name) {
                continue;
            }
            let value = self
                .document
                .pointer(&self.record.pointer(*at))
                .unwrap_or(&Value::Null);
            read.entry(&element.path).or_default().push(text(value));
        }
        read.values_mut().for_each(|values| values.sort_unstable());
        read
    }

    /// The row that was judged, of a check that judges row by row.
    fn row(&self, fired: &FiredCheck) -> Option<(&str, &Value)> {
        let (entity, row) = fired.row?;
        let entity = self.record.layout().entity_at(entity)?;
        let value = self.document.pointer(&format!("/{}/{row}", entity.name))?;
        (self.is_case(&entity.name) && !entity.single).then_some((&*entity.name, value))
    }

    fn is_case(&self, entity: &str) -> bool {
        self.dictionary
            .entity(entity)
            .is_some_and(|e| e.kind == EntityKind::Case)
    }

    /// Where to look: what the check is about, else what it blocks, else what it read, else the section it speaks of.
    fn pointer(&self, check: &Check, fired: &FiredCheck) -> String {
        if let Some(about) = fired.about(self.checks) {
            return self.record.pointer(about);
        }
        let candidates = self.candidates(fired);
        for block in &check.blocks {
            if let Some(element) = block.strip_prefix("*.") {
                return self.of_many_sections(element, &candidates);
            }
        }
        let blocks: Vec<(&str, &str)> = check
            .blocks
            .iter()
            .filter_map(|block| block.split_once('.'))
            .filter(|(entity, _)| self.is_case(entity))
            .collect();
        // Of several sections, the last one with something that was read: judging stops at the first violation.
        let violated = blocks.iter().rev().map(|(entity, _)| *entity).find(|entity| {
            let position = self.record.layout().entity(entity);
            candidates.iter().any(|(at, _)| Some(at.entity) == position)
        });
        let first = blocks
            .iter()
            .find(|(entity, _)| violated.is_none_or(|violated| violated == *entity));
        if let Some((entity, element)) = first {
            return self.blocked(entity, element, fired);
        }
        let scoped: Vec<&(CellRef, String)> = candidates
            .iter()
            .filter(|(at, _)| {
                fired
                    .row
                    .is_none_or(|(entity, row)| (at.entity, at.row) == (entity, row))
            })
            .collect();
        let considered = if scoped.is_empty() {
            candidates.iter().collect()
        } else {
            scoped
        };
        if fired.row.is_none()
            && let Some(section) = self.only_section(&considered)
        {
            return section;
        }
        match considered.as_slice() {
            [] => self.section(check),
            [(_, only)] => only.clone(),
            [(first, pointer), rest @ ..] => {
                let same_row = rest
                    .iter()
                    .all(|(at, _)| (at.entity, at.row) == (first.entity, first.row));
                if same_row {
                    pointer
                        .rsplit_once('/')
                        .map_or_else(String::new, |(row, _)| row.to_owned())
                } else if fired.row.is_none() {
                    // Of a check of the whole record a row of a section says too much.
                    self.only_section(&considered[..1])
                        .unwrap_or_else(|| pointer.clone())
                } else {
                    pointer.clone()
                }
            }
        }
    }

    /// Of a check over many sections (`*.date`): the latest date that was read, for it asks whether one is too late; of anything else the
    /// last cell, for judging stops at the first violation.
    fn of_many_sections(&self, element: &str, candidates: &[(CellRef, String)]) -> String {
        let named = |pointer: &str| {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            name.split('_').any(|word| word == element) || name == element
        };
        let mut all = candidates.iter().filter(|(_, pointer)| named(pointer));
        let found = if element == "date" {
            all.max_by_key(|(_, pointer)| self.document.pointer(pointer).and_then(Value::as_str))
        } else {
            all.next_back()
        };
        found.map_or_else(String::new, |(_, pointer)| pointer.clone())
    }

    /// The repeated section all cells belong to: a check of the whole record is about its rows together.
    fn only_section(&self, cells: &[&(CellRef, String)]) -> Option<String> {
        let (first, _) = cells.first()?;
        let entity = self.record.layout().entity_at(first.entity)?;
        let alone = !entity.single && cells.iter().all(|(at, _)| at.entity == first.entity);
        alone.then(|| format!("/{}", entity.name))
    }

    /// The blocked element: of the scoped row, of the only row read or the only one read that holds it, or the section.
    fn blocked(&self, entity: &str, element: &str, fired: &FiredCheck) -> String {
        let section = format!("/{entity}");
        let repeated = self.dictionary.entity(entity).is_some_and(Entity::repeated);
        if !repeated {
            return child(&section, element);
        }
        let position = self.record.layout().entity(entity);
        let row = match fired.row {
            Some((scope, row)) if Some(scope) == position => Some(row),
            _ => self.only_row(position, element, fired),
        };
        row.map_or(section.clone(), |row| format!("{section}/{row}/{element}"))
    }

    /// The only row that was read, or the only one of those that holds the element.
    fn only_row(&self, entity: Option<u16>, element: &str, fired: &FiredCheck) -> Option<u32> {
        let mut rows: Vec<u32> = fired
            .read
            .iter()
            .filter(|at| Some(at.entity) == entity)
            .map(|at| at.row)
            .collect();
        rows.dedup();
        if rows.len() > 1 {
            let holding = self.candidates(fired).into_iter().filter(|(at, pointer)| {
                Some(at.entity) == entity && pointer.rsplit('/').next() == Some(element)
            });
            rows = holding.map(|(at, _)| at.row).collect();
        }
        match rows.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Cells of the body that were read and hold something, in the order of the dictionary.
    fn candidates(&self, fired: &FiredCheck) -> Vec<(CellRef, String)> {
        let layout = self.record.layout();
        let sent = |at: &CellRef| {
            let (entity, element) = (
                layout.entity_at(at.entity)?,
                layout.element_at(at.entity, at.element)?,
            );
            let known = self.dictionary.element(&element.path)?;
            if !self.is_case(&entity.name) || known.requirement == Requirement::Derived {
                return None;
            }
            let pointer = self.record.pointer(*at);
            self.document
                .pointer(&pointer)
                .filter(|value| !value.is_null())
                .map(|_| (*at, pointer))
        };
        fired.read.iter().filter_map(sent).collect()
    }

    /// The section of a check that read nothing of the body: the one entity its expression names.
    fn section(&self, check: &Check) -> String {
        let words = check.expression.as_deref().unwrap_or_default();
        let named: BTreeSet<&str> = words
            .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
            .filter(|word| self.is_case(word))
            .collect();
        match named.iter().collect::<Vec<_>>().as_slice() {
            [only] => format!("/{only}"),
            _ => String::new(),
        }
    }
}
