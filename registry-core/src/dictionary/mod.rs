//! What can be recorded: entities and elements, read from the annotations of the JSON Schema files.
//!
//! The schema files are the only source. Nothing in Rust names an element, so adding an optional element to a
//! schema version adds it to validation, to this dictionary, and to what rules can read, without a change here.

mod absence;
mod codelist;
mod element;
mod read;
mod render;

use std::collections::HashMap;

pub use crate::record::Absence;
pub use absence::AbsenceSet;
pub use codelist::{Code, CodeList, CodeListError};
pub use element::{Cardinality, Element, ElementKind, Entity, EntityKind, Requirement, Visibility};
pub use read::{DictionaryError, EntityFile};
pub use render::{DescribedCode, DescribedDictionary};

/// The entities and elements of one version of the case schema, in the order the schema lists them.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// Version of the case schema, for example `1.0.0`.
    pub version: String,
    /// All entities: the case's own, the envelope (`record`) and the reference table (`centre`).
    pub entities: Vec<Entity>,
    by_name: HashMap<String, usize>,
}

impl Dictionary {
    /// A dictionary of these entities. Names are expected to be unique; [`Dictionary::read`] checks it.
    pub(crate) fn new(version: String, entities: Vec<Entity>) -> Self {
        let by_name = entities
            .iter()
            .enumerate()
            .map(|(i, e)| (e.name.clone(), i))
            .collect();
        Dictionary {
            version,
            entities,
            by_name,
        }
    }

    /// The entity of this name.
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entity_index(name).and_then(|i| self.entities.get(i))
    }

    /// Position of the entity of this name in [`Dictionary::entities`].
    pub fn entity_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The element of this path, `imaging.date` for example.
    pub fn element(&self, path: &str) -> Option<&Element> {
        let (entity, element) = path.split_once('.')?;
        self.entity(entity)?.element(element)
    }

    /// How many elements there are over all entities.
    pub fn element_count(&self) -> usize {
        self.entities.iter().map(|e| e.elements.len()).sum()
    }
}
