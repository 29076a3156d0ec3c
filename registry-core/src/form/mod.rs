//! The entry form: what a person at a screen needs beyond the dictionary, as data in `schema/form/<major>.toml`.
//!
//! The form is generated from the dictionary; this file says in which order sections stand, when an element matters, which
//! values can be worked out, which rows can be begun from a preset. It serves every version of one major number: a name must
//! exist in one of them, and a line about something a version lacks does nothing there.

mod check;
mod file;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::dictionary::{DescribedDictionary, Dictionary, EntityKind};
use crate::versions::{SchemaError, SchemaStore};
pub(crate) use file::{Condition, Show};
use file::{FormFile, Section};
pub use words::Words;

/// Parameters a form may read (`$NAME`), below `schema/`.
const PARAMETERS: &str = "checks/parameters.toml";

/// Why the form files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// A file is missing or has another shape.
    #[error(transparent)]
    File(#[from] SchemaError),
    /// A file names what is in no version of the dictionary, or contradicts itself; every fault at once.
    #[error("schema/{path}: {}", faults.join("; "))]
    Faults {
        /// File below `schema/`.
        path: String,
        /// What is wrong, in words.
        faults: Vec<String>,
    },
}

/// The forms of all versions, checked against their dictionaries.
#[derive(Debug)]
pub struct Forms {
    by_major: BTreeMap<String, FormFile>,
    parameters: BTreeMap<String, i64>,
}

/// The form of one version: its dictionary, and beside it what the form file says about it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Form<'a> {
    version: &'a str,
    dictionary: DescribedDictionary<'a>,
    form: FormFile,
}

impl Forms {
    /// Reads and checks the form of every major version in the catalogue.
    ///
    /// # Errors
    /// A major version without a form, or the first file with faults.
    pub fn of(store: &SchemaStore) -> Result<Self, FormError> {
        let parameters = parameters(store)?;
        let mut by_major = BTreeMap::new();
        let schemas = store.case_schemas();
        for schema in &schemas {
            let number = major(&schema.version);
            if by_major.contains_key(number) {
                continue;
            }
            let path = format!("form/{number}.toml");
            let file: FormFile = store.files().toml(&path)?;
            let same = schemas.iter().filter(|s| major(&s.version) == number);
            let dictionaries: Vec<&Dictionary> = same.map(|s| &*s.dictionary).collect();
            let faults = check::faults(&file, &dictionaries, &parameters);
            if !faults.is_empty() {
                return Err(FormError::Faults { path, faults });
            }
            by_major.insert(number.to_owned(), file);
        }
        Ok(Self { by_major, parameters })
    }

    /// The form of one version.
    pub fn form<'a>(&self, dictionary: &'a Dictionary) -> Option<Form<'a>> {
        let file = self.by_major.get(major(&dictionary.version))?;
        let mut form = file.clone();
        form.keep_what_exists(dictionary);
        form.resolve(&self.parameters);
        Some(Form {
            version: &dictionary.version,
            dictionary: dictionary.described(),
            form,
        })
    }

    /// What the form of a version calls an element (`patient.sex`), where it says so.
    pub fn label(&self, version: &str, path: &str) -> Option<&str> {
        let file = self.by_major.get(major(version))?;
        file.labels.get(path).map(String::as_str)
    }

    /// What the form of a version calls an entity, where it says so.
    pub fn title(&self, version: &str, entity: &str) -> Option<&str> {
        let mut all = self.by_major.get(major(version))?.entities.iter();
        all.find(|one| one.name == entity).map(|one| one.title.as_str())
    }

    /// When elements and entities of one version matter; nothing of a version without a form. The day through which a section is complete
    /// matters where it is said to be, which the form asks in a block of its own.
    pub(crate) fn shows(&self, dictionary: &Dictionary) -> Vec<Show> {
        let Some(file) = self.by_major.get(major(&dictionary.version)) else {
            return Vec::new();
        };
        let mut form = file.clone();
        form.keep_what_exists(dictionary);
        form.resolve(&self.parameters);
        let of = &form.attestation;
        let path = |element: &str| format!("{}.{element}", of.entity);
        let through = Show {
            elements: vec![path(&of.through)],
            entities: Vec::new(),
            when: vec![Condition {
                element: Some(path(&of.status)),
                is: Some(vec![of.complete.clone().into()]),
                ..Condition::default()
            }],
        };
        form.show.push(through);
        form.show
    }

    /// Names and links of the rows of one version.
    pub(crate) fn references(&self, dictionary: &Dictionary) -> Option<References> {
        let mut form = self.by_major.get(major(&dictionary.version))?.clone();
        form.keep_what_exists(dictionary);
        let labels = form.keys.iter().filter(|key| !key.prefix.is_empty());
        let links = form
            .links
            .into_iter()
            .map(|link| (link.elements, link.to, link.also.into_keys().collect()));
        Some(References {
            identity: form.identity,
            labels: labels.map(|key| key.element.clone()).collect(),
            keys: form.keys.iter().map(|key| key.element.clone()).collect(),
            links: links.collect(),
        })
    }
}

/// How rows of a case are named and how they point at each other.
#[derive(Debug)]
pub(crate) struct References {
    /// The element that says whose case it is.
    pub(crate) identity: String,
    /// Elements that name a row by a label of no meaning; a number that names a row (`presentation.seq`) counts, and is none.
    pub(crate) labels: Vec<String>,
    /// Elements that name a row, by a label or by a number.
    pub(crate) keys: Vec<String>,
    /// Elements that point, the element they point at, and words that point at no row.
    pub(crate) links: Vec<(Vec<String>, String, BTreeSet<String>)>,
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

/// The whole numbers among the parameters of the edit checks.
fn parameters(store: &SchemaStore) -> Result<BTreeMap<String, i64>, SchemaError> {
    let table: toml::Table = store.files().toml(PARAMETERS)?;
    let number = |value: &toml::Value| value.get("value")?.as_integer();
    Ok(table
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), number(value)?)))
        .collect())
}

impl FormFile {
    /// Leaves out what this version lacks; sections get every entity a centre sends.
    fn keep_what_exists(&mut self, dictionary: &Dictionary) {
        let has = |path: &String| dictionary.element(path).is_some();
        let knows = |condition: &Condition| condition.names().all(has);
        self.show.retain_mut(|show| {
            show.elements.retain(has);
            show.entities.retain(|name| dictionary.entity(name).is_some());
            !(show.elements.is_empty() && show.entities.is_empty()) && show.when.iter().all(knows)
        });
        self.keys.retain(|key| has(&key.element));
        self.links.retain_mut(|link| {
            link.elements.retain(has);
            has(&link.to)
        });
        self.suggestions.retain(|s| s.names().all(has));
        self.labels.retain(|path, _| has(path));
        for entity in &mut self.entities {
            let known = dictionary.entity(&entity.name);
            entity
                .gist
                .retain(|name| known.is_some_and(|e| e.element(name).is_some()));
        }
        for preset in &mut self.presets {
            let known = dictionary.entity(&preset.entity);
            preset.values.retain(|name, value| {
                known
                    .and_then(|e| e.element(name))
                    .is_some_and(|element| check::fits(element, value))
            });
        }
        self.presets.retain(|preset| !preset.values.is_empty());
        self.complete_sections(dictionary);
    }

    /// Entities in no section stand in one of their own at the end.
    fn complete_sections(&mut self, dictionary: &Dictionary) {
        for section in &mut self.sections {
            section.entities.retain(|name| dictionary.entity(name).is_some());
        }
        let placed: BTreeSet<&str> = self
            .sections
            .iter()
            .flat_map(|s| &s.entities)
            .map(String::as_str)
            .collect();
        let rest: Vec<String> = dictionary
            .entities
            .iter()
            .filter(|e| e.kind == EntityKind::Case && e.name != self.attestation.entity)
            .filter(|e| !placed.contains(e.name.as_str()))
            .map(|e| e.name.clone())
            .collect();
        if !rest.is_empty() {
            self.sections.push(Section {
                title: "Further".to_owned(),
                entities: rest,
            });
        }
    }
}
