//! What positions in the facts of cases mean: sections, elements and cells by the version of the case schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use registry_core::record::Layout;
use registry_core::versions::{CaseSchema, SchemaStore};

use super::QualityFacts;

/// Case schema versions that facts may speak of.
pub struct Versions {
    store: Arc<SchemaStore>,
    forms: BTreeMap<String, (Arc<Layout>, Arc<CaseSchema>)>,
}

impl Versions {
    /// By version number.
    pub fn new(
        store: Arc<SchemaStore>,
        forms: impl IntoIterator<Item = (String, Arc<Layout>, Arc<CaseSchema>)>,
    ) -> Self {
        let forms = forms.into_iter();
        Self {
            store,
            forms: forms
                .map(|(version, layout, schema)| (version, (layout, schema)))
                .collect(),
        }
    }

    /// Name of a section.
    pub fn section(&self, version: &str, entity: u16) -> Option<&str> {
        let (layout, _) = self.forms.get(version)?;
        layout.entity_at(entity).map(|known| known.name.as_ref())
    }

    /// Path of an element, `entity.element`.
    pub fn element(&self, version: &str, entity: u16, element: u16) -> Option<&str> {
        let (layout, _) = self.forms.get(version)?;
        layout
            .element_at(entity, element)
            .map(|known| known.path.as_ref())
    }

    /// JSON Pointer of a cell of a case, into the document as it was sent.
    pub fn pointer(&self, facts: &QualityFacts, entity: u16, row: u32, element: u16) -> Option<String> {
        let (layout, _) = self.forms.get(&facts.schema_version)?;
        let (known, element) = (layout.entity_at(entity)?, layout.element_at(entity, element)?);
        let pointer = if known.single {
            format!("/{}/{}", known.name, element.name)
        } else {
            format!("/{}/{row}/{}", known.name, element.name)
        };
        Some(match &facts.sent_as {
            Some(version) => self.store.as_sent(&pointer, version),
            None => pointer,
        })
    }

    pub(super) fn requirement(&self, version: &str, path: &str) -> Option<&'static str> {
        let (_, schema) = self.forms.get(version)?;
        schema
            .dictionary
            .element(path)
            .map(|element| element.requirement.as_str())
    }

    pub(super) fn attestable(&self, section: &str) -> bool {
        self.forms.values().any(|(layout, _)| {
            let entity = layout.entity(section).and_then(|at| layout.entity_at(at));
            entity.is_some_and(|known| known.attestable)
        })
    }
}
