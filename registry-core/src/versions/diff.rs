//! What differs between two versions of the case schema, and what that means for those who send.

use std::collections::BTreeSet;

use serde::Serialize;

use super::compare::{Comparison, Side};
use super::{CaseSchema, Upgrade};

/// What a change does to a document that was accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeClass {
    /// Other words; the same documents with the same meaning.
    Cosmetic,
    /// More can be said; what was accepted still is and means the same.
    Addition,
    /// A document may be refused or mean something else until its sender changes it.
    Breaking,
}

impl ChangeClass {
    /// Every class, the gentlest first.
    pub const ALL: [ChangeClass; 3] = [
        ChangeClass::Cosmetic,
        ChangeClass::Addition,
        ChangeClass::Breaking,
    ];

    /// As written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeClass::Cosmetic => "cosmetic",
            ChangeClass::Addition => "addition",
            ChangeClass::Breaking => "breaking",
        }
    }
}

impl std::fmt::Display for ChangeClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SchemaChange)]
pub struct Change {
    pub class: ChangeClass,
    /// What happened, as a stable code: `element_renamed`.
    pub what: &'static str,
    /// The entity or element concerned, by its path in the version before; an addition by its path in the version after.
    pub place: String,
    /// In words.
    pub words: String,
    /// The registry upgrades documents of the version before itself: their senders need not change at once.
    pub upgraded: bool,
}

/// The changes from one version to another, in the order of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaDiff {
    pub from: String,
    pub to: String,
    pub changes: Vec<Change>,
}

impl SchemaDiff {
    /// Compares two versions; `steps` are the upgrades between them, in their order.
    pub(super) fn between(before: &CaseSchema, after: &CaseSchema, steps: &[&Upgrade]) -> Self {
        let mut comparison = Comparison::default();
        let (old, new) = (Side(before), Side(after));
        comparison.root(old, new);
        let mut reached: BTreeSet<String> = BTreeSet::new();
        for entity in &before.dictionary.entities {
            let Some(other) = after.dictionary.entity(&entity.name) else {
                comparison.add(
                    ChangeClass::Breaking,
                    "entity_removed",
                    &entity.name,
                    "The entity is gone.",
                );
                continue;
            };
            comparison.entity(entity, other);
            for element in &entity.elements {
                let path = format!("{}.{}", entity.name, element.name);
                let targets = targets(&path, steps);
                comparison.element(old, new, &path, &targets, steps);
                reached.extend(targets);
            }
        }
        for entity in &after.dictionary.entities {
            if before.dictionary.entity(&entity.name).is_none() {
                comparison.new_entity(entity);
                continue;
            }
            for element in &entity.elements {
                let path = format!("{}.{}", entity.name, element.name);
                if !reached.contains(&path) {
                    comparison.new_element(new, &entity.name, element);
                }
            }
        }
        SchemaDiff {
            from: before.version.clone(),
            to: after.version.clone(),
            changes: comparison.changes,
        }
    }

    /// How many changes of a class there are.
    pub fn count(&self, class: ChangeClass) -> usize {
        self.changes.iter().filter(|change| change.class == class).count()
    }

    /// The gravest class; `None` without a change.
    pub fn worst(&self) -> Option<ChangeClass> {
        self.changes.iter().map(|change| change.class).max()
    }
}

/// Where an element ends up after some steps: itself, where none speaks of it.
fn targets(path: &str, steps: &[&Upgrade]) -> Vec<String> {
    let mut paths = vec![path.to_owned()];
    for step in steps {
        paths = paths
            .into_iter()
            .flat_map(|path| {
                let after = step.after(&path);
                if after.is_empty() { vec![path] } else { after }
            })
            .collect();
    }
    paths
}
