//! The step from one version of the case schema to the next, as data: `case/<version>/upgrade.toml`.
//!
//! A step renames elements, splits coded elements in two or more, and replaces codes, row by row; rows are neither moved nor
//! dropped, so that a place in the upgraded document leads back to the place in the document as sent. What the file does not
//! name stays as it is, absence codes and partial dates included.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dictionary::{Dictionary, Element, ElementKind};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The version before.
    pub from: String,
    /// The version the file belongs to.
    pub to: String,
    /// What is new and why, for those who send.
    #[serde(default)]
    pub notes: String,
    #[serde(default, rename = "rename", skip_serializing_if = "Vec::is_empty")]
    pub renames: Vec<Rename>,
    #[serde(default, rename = "split", skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<Split>,
    #[serde(default, rename = "recode", skip_serializing_if = "Vec::is_empty")]
    pub recodes: Vec<Recode>,
}

/// An element that goes by another name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = RenamedElement)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// `entity.element` before.
    pub element: String,
    /// Its name after, in the same entity.
    pub to: String,
    pub why: String,
}

/// A coded element that became several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = SplitElement)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// `entity.element` before.
    pub element: String,
    /// The elements after, in the same entity. An absence code goes to each of them.
    pub into: Vec<String>,
    pub why: String,
    /// For every code before, the codes after by element; an element that is left out stays missing.
    pub codes: BTreeMap<String, BTreeMap<String, String>>,
}

/// Codes of an element that go by others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = RecodedElement)]
#[serde(deny_unknown_fields)]
pub struct Recode {
    /// `entity.element` before.
    pub element: String,
    pub why: String,
    /// Code before, code after. Codes that are not named stay.
    pub codes: BTreeMap<String, String>,
}

impl Upgrade {
    /// The step of a version that only adds.
    pub(super) fn nothing(from: &str, to: &str) -> Self {
        Upgrade {
            from: from.to_owned(),
            to: to.to_owned(),
            ..Upgrade::default()
        }
    }

    /// Turns a document of the version before into one of the version after.
    pub fn apply(&self, document: &mut Value) {
        let Value::Object(entities) = document else { return };
        if let Some(version) = entities.get_mut("schema_version") {
            *version = Value::from(self.to.as_str());
        }
        let recodes = self.recodes.iter().map(|r| &r.element);
        let splits = self.splits.iter().map(|s| &s.element);
        let renames = self.renames.iter().map(|r| &r.element);
        let mut touched: Vec<&str> = recodes
            .chain(splits)
            .chain(renames)
            .filter_map(|path| Some(path.split_once('.')?.0))
            .collect();
        touched.sort_unstable();
        touched.dedup();
        for entity in touched {
            match entities.get_mut(entity) {
                Some(Value::Array(rows)) => {
                    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                        self.row(entity, row);
                    }
                }
                Some(Value::Object(row)) => self.row(entity, row),
                _ => {}
            }
        }
    }

    fn row(&self, entity: &str, row: &mut Map<String, Value>) {
        for recode in &self.recodes {
            if let Some(value) = of(&recode.element, entity).and_then(|name| row.get_mut(name)) {
                recode_value(value, &recode.codes);
            }
        }
        // Everything is taken out before anything is put in: two elements may exchange their names.
        let mut after: Vec<(&str, Value)> = Vec::new();
        for split in &self.splits {
            if let Some(value) = of(&split.element, entity).and_then(|name| row.remove(name)) {
                for name in &split.into {
                    let part = match &value {
                        Value::String(code) => split
                            .codes
                            .get(code)
                            .and_then(|parts| parts.get(name))
                            .map(|part| Value::from(part.as_str())),
                        Value::Object(_) => Some(value.clone()),
                        _ => None,
                    };
                    after.extend(part.map(|part| (name.as_str(), part)));
                }
            }
        }
        for rename in &self.renames {
            if let Some(value) = of(&rename.element, entity).and_then(|name| row.remove(name)) {
                after.push((&rename.to, value));
            }
        }
        row.extend(after.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }

    /// The path before of an element of the version after; `None` when it is the same.
    pub fn before(&self, path: &str) -> Option<&str> {
        let (entity, name) = path.split_once('.')?;
        let here = |before: &str, after: &str| of(before, entity).is_some() && after == name;
        let renamed = self.renames.iter().find(|r| here(&r.element, &r.to));
        let split = self
            .splits
            .iter()
            .find(|s| s.into.iter().any(|part| here(&s.element, part)));
        renamed
            .map(|r| r.element.as_str())
            .or(split.map(|s| s.element.as_str()))
    }

    /// The paths after of an element of the version before; empty when it is the same.
    pub fn after(&self, path: &str) -> Vec<String> {
        let Some((entity, _)) = path.split_once('.') else {
            return Vec::new();
        };
        let renamed = self.renames.iter().filter(|r| r.element == path).map(|r| &r.to);
        let split = self
            .splits
            .iter()
            .filter(|s| s.element == path)
            .flat_map(|s| &s.into);
        renamed
            .chain(split)
            .map(|name| format!("{entity}.{name}"))
            .collect()
    }

    /// Whether this step makes every document of the version before one of the version after.
    ///
    /// # Errors
    /// The first thing it leaves over: an element or a code that is gone and not provided for, a name that is in neither version,
    /// an absence code the element after does not take, another type.
    pub fn bridges(&self, before: &Dictionary, after: &Dictionary) -> Result<(), String> {
        for path in self
            .recodes
            .iter()
            .map(|r| &r.element)
            .chain(self.splits.iter().map(|s| &s.element))
            .chain(self.renames.iter().map(|r| &r.element))
        {
            if before.element(path).is_none() {
                return Err(format!("`{path}` is not in {}", self.from));
            }
        }
        for entity in &before.entities {
            if after.entity(&entity.name).is_none() {
                return Err(format!("entity `{}` is gone", entity.name));
            }
            for element in &entity.elements {
                let path = format!("{}.{}", entity.name, element.name);
                let mut targets = self.after(&path);
                if targets.is_empty() {
                    targets.push(path.clone());
                }
                for target in &targets {
                    let found = after.element(target);
                    let found =
                        found.ok_or_else(|| format!("`{path}` leads to no element of {}", self.to))?;
                    if element.kind != found.kind {
                        return Err(format!(
                            "`{path}` is of type {} and `{target}` of type {}",
                            element.kind, found.kind
                        ));
                    }
                    if let Some(absence) = element.absence.iter().find(|a| !found.absence.contains(*a)) {
                        return Err(format!(
                            "`{target}` does not take the absence code `{}`",
                            absence.as_str()
                        ));
                    }
                    self.codes_arrive(&path, element, target, found)?;
                }
            }
        }
        Ok(())
    }

    /// Every code of an element arrives at a code of the element after.
    fn codes_arrive(
        &self,
        path: &str,
        before: &Element,
        target: &str,
        after: &Element,
    ) -> Result<(), String> {
        let known = |code: &str| after.codes.as_ref().is_none_or(|list| list.contains(code));
        let recode = self.recodes.iter().find(|r| r.element == path);
        let split = self.splits.iter().find(|s| s.element == path);
        if split.is_some() && before.kind != ElementKind::Code {
            return Err(format!("`{path}` is no coded element and cannot be split"));
        }
        let name = target.split_once('.').map_or(target, |(_, name)| name);
        for code in before.codes.iter().flat_map(|list| list.iter()) {
            let recoded = recode
                .and_then(|r| r.codes.get(code))
                .map_or(code, String::as_str);
            let arrived = match split {
                None => Some(recoded),
                Some(split) => {
                    let parts = split.codes.get(recoded);
                    let parts = parts.ok_or_else(|| format!("`{path}`: code `{recoded}` is not split"))?;
                    if let Some(stray) = parts.keys().find(|part| !split.into.contains(part)) {
                        return Err(format!("`{path}` is not split into `{stray}`"));
                    }
                    parts.get(name).map(String::as_str)
                }
            };
            if let Some(gone) = arrived.filter(|code| !known(code)) {
                return Err(format!(
                    "`{target}` has no code `{gone}`, which `{path}` leads to"
                ));
            }
        }
        Ok(())
    }
}

/// The element's name when the path is of this entity.
fn of<'p>(path: &'p str, entity: &str) -> Option<&'p str> {
    path.strip_prefix(entity)?.strip_prefix('.')
}

fn recode_value(value: &mut Value, codes: &BTreeMap<String, String>) {
    match value {
        Value::String(code) => {
            if let Some(other) = codes.get(code.as_str()) {
                code.clone_from(other);
            }
        }
        Value::Array(members) => {
            for member in members.iter_mut() {
                recode_value(member, codes);
            }
            // Two codes may have become one; a set holds each once.
            let mut seen = Vec::with_capacity(members.len());
            for member in members.drain(..) {
                if !seen.contains(&member) {
                    seen.push(member);
                }
            }
            *members = seen;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn step(text: &str) -> Upgrade {
        let head = "from = \"1.0.0\"\nto = \"1.1.0\"\n";
        toml::from_str(&format!("{head}{text}")).unwrap()
    }

    #[test]
    fn elements_may_exchange_their_names() {
        let step = step(
            "[[rename]]\nelement = \"a.x\"\nto = \"y\"\nwhy = \"\"\n[[rename]]\nelement = \"a.y\"\nto = \"x\"\nwhy = \"\"\n",
        );
        let mut document =
            json!({"schema_version": "1.0.0", "a": [{"x": 1, "y": {"absent": "unknown"}, "z": "2025-03"}]});
        step.apply(&mut document);
        assert_eq!(
            document,
            json!({"schema_version": "1.1.0", "a": [{"y": 1, "x": {"absent": "unknown"}, "z": "2025-03"}]})
        );
        assert_eq!(
            (step.before("a.x"), step.before("a.y"), step.before("a.z")),
            (Some("a.y"), Some("a.x"), None)
        );
    }

    #[test]
    fn codes_are_replaced_before_they_are_split() {
        let step = step(
            "[[recode]]\nelement = \"a.x\"\nwhy = \"\"\ncodes = { old = \"new\" }\n\
             [[recode]]\nelement = \"a.set\"\nwhy = \"\"\ncodes = { p = \"q\" }\n\
             [[split]]\nelement = \"a.x\"\ninto = [\"l\", \"r\"]\nwhy = \"\"\ncodes = { new = { l = \"1\", r = \"2\" }, half = { r = \"3\" } }\n",
        );
        for (before, after) in [
            (json!({"x": "old"}), json!({"l": "1", "r": "2"})),
            (json!({"x": "half"}), json!({"r": "3"})),
            (
                json!({"x": {"absent": "pending"}}),
                json!({"l": {"absent": "pending"}, "r": {"absent": "pending"}}),
            ),
            (json!({"x": null}), json!({})),
            (json!({"set": ["q", "p", "s"]}), json!({"set": ["q", "s"]})),
            (
                json!({"set": {"absent": "unknown"}}),
                json!({"set": {"absent": "unknown"}}),
            ),
        ] {
            let mut document = json!({"a": before});
            step.apply(&mut document);
            assert_eq!(document, json!({"a": after}), "{before}");
        }
        assert_eq!(step.after("a.x"), ["a.l", "a.r"]);
        assert_eq!(step.before("a.r"), Some("a.x"));
    }

    #[test]
    fn what_is_no_document_stays_as_it_is() {
        let step = step("[[rename]]\nelement = \"a.x\"\nto = \"y\"\nwhy = \"\"\n");
        for odd in [
            json!(null),
            json!([1]),
            json!({"a": "x"}),
            json!({"a": [1, null]}),
            json!({"ab": {"x": 1}}),
        ] {
            let mut document = odd.clone();
            step.apply(&mut document);
            assert_eq!(document, odd);
        }
    }
}
