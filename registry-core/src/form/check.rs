//! Holds a form file against the dictionaries it serves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::file::{Condition, FormFile, How};
use crate::dictionary::{Absence, Dictionary, Element, ElementKind, Entity, EntityKind};

/// What the names of a form file are looked up in.
struct Names<'a> {
    dictionaries: &'a [&'a Dictionary],
    faults: Vec<String>,
}

/// Everything wrong with a form file, in words.
pub(super) fn faults(
    file: &FormFile,
    dictionaries: &[&Dictionary],
    parameters: &BTreeMap<String, i64>,
) -> Vec<String> {
    let mut names = Names {
        dictionaries,
        faults: Vec::new(),
    };
    names.element(&file.identity);
    attestation(file, &mut names);
    for code in &file.withdrawal.codes {
        names.value(&file.withdrawal.element, code);
    }
    for path in file
        .withdrawal
        .keeps
        .iter()
        .chain(&file.wide)
        .chain(file.labels.keys())
    {
        names.element(path);
    }
    for absence in Absence::ALL {
        if !file.absence.contains_key(absence.as_str()) {
            names.fault(format!("[absence] has no words for `{}`", absence.as_str()));
        }
    }
    sections(file, &mut names);
    for show in &file.show {
        for path in &show.elements {
            names.element(path);
        }
        for entity in &show.entities {
            names.entity(entity);
        }
        if show.when.is_empty() || (show.elements.is_empty() && show.entities.is_empty()) {
            names.fault("[[show]] needs something to show and a condition".to_owned());
        }
        for condition in &show.when {
            names.condition(condition);
        }
    }
    for path in file.keys.iter().map(|key| &key.element) {
        names.element(path);
    }
    for path in file
        .links
        .iter()
        .flat_map(|link| link.elements.iter().chain([&link.to]))
    {
        names.element(path);
    }
    suggestions(file, &mut names);
    for preset in &file.presets {
        for (name, value) in &preset.values {
            names.value(&format!("{}.{name}", preset.entity), value);
        }
    }
    for place in file.clone().numbers() {
        let known = match place.as_str().map(|text| text.strip_prefix('$')) {
            Some(Some(name)) => parameters.contains_key(name),
            Some(None) => false,
            None => place.is_i64(),
        };
        if !known {
            names.fault(format!(
                "{place} is neither a whole number nor a parameter of the edit checks"
            ));
        }
    }
    names.faults
}

fn attestation(file: &FormFile, names: &mut Names<'_>) {
    let said = &file.attestation;
    let path = |name: &str| format!("{}.{name}", said.entity);
    names.element(&path(&said.through));
    names.element(&said.last_day);
    names.value(&path(&said.section), &Value::from(said.all.as_str()));
    for code in [&said.complete, &said.never] {
        names.value(&path(&said.status), &Value::from(code.as_str()));
    }
}

fn sections(file: &FormFile, names: &mut Names<'_>) {
    let mut placed = BTreeSet::new();
    for name in file.sections.iter().flat_map(|section| &section.entities) {
        names.entity(name);
        if !placed.insert(name) {
            names.fault(format!("entity `{name}` stands in two sections"));
        }
    }
    for words in &file.entities {
        names.entity(&words.name);
        for name in &words.gist {
            names.element(&format!("{}.{name}", words.name));
        }
    }
}

fn suggestions(file: &FormFile, names: &mut Names<'_>) {
    for suggestion in &file.suggestions {
        for path in suggestion.names() {
            names.element(path);
        }
        match &suggestion.how {
            How::Apart { within, beyond, .. } => {
                for code in [within, beyond] {
                    names.value(&suggestion.element, &Value::from(code.as_str()));
                }
            }
            How::Rank { among, .. } => names.condition(among),
            How::Largest { without, .. } | How::Sum { without, .. } => {
                without.iter().for_each(|condition| names.condition(condition));
            }
            How::DeathWithin { alive, .. } => names.condition(alive),
            How::OwnCentre => {}
        }
    }
}

impl Names<'_> {
    fn fault(&mut self, words: String) {
        self.faults.push(words);
    }

    fn known(&self, path: &str) -> Vec<&Element> {
        self.dictionaries.iter().filter_map(|d| d.element(path)).collect()
    }

    fn element(&mut self, path: &str) {
        if self.known(path).is_empty() {
            self.fault(format!("there is no element `{path}`"));
        }
    }

    fn entity(&mut self, name: &str) {
        let sent = |entity: &Entity| entity.kind == EntityKind::Case;
        if !self.dictionaries.iter().any(|d| d.entity(name).is_some_and(sent)) {
            self.fault(format!("there is no entity `{name}` that a centre sends"));
        }
    }

    /// A value that some version of the element takes.
    fn value(&mut self, path: &str, value: &Value) {
        let known = self.known(path);
        if known.is_empty() {
            self.fault(format!("there is no element `{path}`"));
        } else if !known.iter().any(|element| fits(element, value)) {
            self.fault(format!("`{path}` does not take {value}"));
        }
    }

    fn condition(&mut self, condition: &Condition) {
        for path in condition.names() {
            self.element(path);
        }
        if let Some(entity) = &condition.rows {
            self.entity(entity);
        }
        if let Some(path) = &condition.element {
            for value in condition.is.iter().chain(&condition.not).flatten() {
                self.value(path, value);
            }
        }
        let asked = [
            condition.is.is_some(),
            condition.not.is_some(),
            condition.known.is_some(),
            condition.rows.is_some(),
            condition.before.is_some(),
            condition.years_before.is_some(),
        ];
        let one = asked.iter().filter(|asked| **asked).count() == 1;
        let about = condition.element.is_some() != condition.rows.is_some();
        let aged = condition.years_before.is_some() == condition.at_least.is_some();
        if !(one && about && aged) {
            self.fault(format!(
                "a condition asks one question of one element, not {}",
                serde_json::to_string(condition).unwrap_or_default()
            ));
        }
    }
}

/// Whether an element takes this value; for a set, the set itself or one of its members.
pub(super) fn fits(element: &Element, value: &Value) -> bool {
    if let Value::Array(members) = value {
        let set = matches!(element.kind, ElementKind::CodeSet | ElementKind::StringSet);
        return set
            && members
                .iter()
                .all(|member| !member.is_array() && fits(element, member));
    }
    match (&element.codes, value) {
        (Some(list), Value::Number(n)) => list.integer && list.contains(&n.to_string()),
        (Some(list), Value::String(code)) => !list.integer && list.contains(code),
        (Some(_), _) => false,
        (None, value) => match element.kind {
            ElementKind::Boolean => value.is_boolean(),
            ElementKind::Integer | ElementKind::Year => value.is_i64(),
            ElementKind::Number | ElementKind::Percent => value.is_number(),
            _ => value.is_string(),
        },
    }
}
