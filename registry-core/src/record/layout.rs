use std::collections::HashMap;
use std::sync::Arc;

use super::names::Names;
use crate::dictionary::{Dictionary, Element, ElementKind, Entity, EntityKind};

/// What an element holds, as far as the rules are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Boolean,
    /// Integer, number, percent, year, and codes whose whole list is decimal integers.
    Number,
    Date,
    /// A date and time; the rules see its UTC day.
    Instant,
    /// Code, string or identifier.
    Code,
    /// Code set or string set.
    Set,
}

/// One element as the dictionary describes it: what [`Layout::build`] needs to know.
#[derive(Debug, Clone)]
pub struct ElementSpec {
    pub name: String,
    pub kind: Kind,
    /// The closed list of codes; `None` when any text is allowed.
    pub codes: Option<Vec<String>>,
}

/// One entity as the dictionary describes it.
#[derive(Debug, Clone)]
pub struct EntitySpec {
    pub name: String,
    /// Exactly one row, an object in the document.
    pub single: bool,
    /// A `section_attestation` row can close it.
    pub attestable: bool,
    /// Supplied by the service, not by the document (`centre`).
    pub reference: bool,
    /// The element that dates a row.
    pub anchor_date: Option<String>,
    pub elements: Vec<ElementSpec>,
}

/// Positions of every entity and element; all cells, paths and results refer to these.
#[derive(Debug)]
pub struct Layout {
    entities: Vec<EntityLayout>,
    by_name: HashMap<String, u16>,
    /// The entity the service supplies (`centre`).
    pub(crate) reference: Option<u16>,
    pub(crate) places: Places,
}

#[derive(Debug)]
pub struct EntityLayout {
    pub name: Arc<str>,
    pub single: bool,
    pub attestable: bool,
    pub reference: bool,
    /// Position of the element that dates a row.
    pub anchor_date: Option<u16>,
    /// Position of `presentation_seq`, the link to a presentation.
    pub link: Option<u16>,
    pub elements: Vec<ElementLayout>,
    by_name: HashMap<String, u16>,
    pub(super) names: Names,
}

#[derive(Debug)]
pub struct ElementLayout {
    pub name: String,
    /// `entity.element`.
    pub path: Arc<str>,
    pub kind: Kind,
    pub codes: Option<Arc<[String]>>,
}

/// The elements the language itself reads (named dates, attestation, negative rows).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) record: u16,
    pub(crate) cutoff: u16,
    pub(crate) submitted: u16,
    pub(crate) patient: u16,
    pub(crate) birth_year: u16,
    pub(crate) presentation: u16,
    pub(crate) seq: u16,
    pub(crate) detected: u16,
    pub(crate) referral: u16,
    pub(crate) followup: u16,
    pub(crate) contact: u16,
    pub(crate) vital_status: u16,
    pub(crate) death_date: u16,
    pub(crate) attestation: u16,
    pub(crate) section: u16,
    pub(crate) status: u16,
    pub(crate) complete_through: u16,
    pub(crate) treatments: [u16; 3],
    pub(crate) palliative_care: u16,
    pub(crate) palliative_outcome: u16,
    pub(crate) trial: u16,
    pub(crate) trial_outcome: u16,
    pub(crate) biopsy_decision: u16,
    pub(crate) biopsy_decision_value: u16,
    pub(crate) biopsy_decision_lesion: u16,
    pub(crate) lesion: u16,
    pub(crate) lesion_id: u16,
    pub(crate) prior_malignancy: u16,
    pub(crate) local_treatment: u16,
}

/// The dictionary lacks something the language is built on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("the dictionary has no entity `{0}`, which the rule language reads")]
    NoEntity(String),
    #[error("the dictionary has no element `{0}`, which the rule language reads")]
    NoElement(String),
    #[error("`{entity}` is dated by `{element}`, which is not one of its date elements")]
    NoAnchorDate { entity: String, element: String },
    #[error("the dictionary names `{0}` twice")]
    Twice(String),
}

impl Layout {
    /// The layout of a version of the case schema.
    ///
    /// # Errors
    /// As [`Layout::build`].
    pub fn of(dictionary: &Dictionary) -> Result<Layout, LayoutError> {
        Layout::build(dictionary.entities.iter().map(EntitySpec::of).collect())
    }

    /// Positions follow the order given.
    ///
    /// # Errors
    /// A name given twice, a dating element that is no date, or an entity or element missing that the language reads.
    pub fn build(specs: Vec<EntitySpec>) -> Result<Layout, LayoutError> {
        let mut entities = Vec::with_capacity(specs.len());
        let mut by_name = HashMap::new();
        for spec in specs {
            if by_name.insert(spec.name.clone(), entities.len() as u16).is_some() {
                return Err(LayoutError::Twice(spec.name));
            }
            entities.push(EntityLayout::build(spec)?);
        }
        let find = |entity: &str| -> Result<u16, LayoutError> {
            by_name
                .get(entity)
                .copied()
                .ok_or_else(|| LayoutError::NoEntity(entity.to_owned()))
        };
        let element = |entity: &str, element: &str| -> Result<u16, LayoutError> {
            let path = || LayoutError::NoElement(format!("{entity}.{element}"));
            let at = find(entity)?;
            entities
                .get(usize::from(at))
                .and_then(|entity: &EntityLayout| entity.element(element))
                .ok_or_else(path)
        };
        let places = Places {
            record: find("record")?,
            cutoff: element("record", "data_cutoff_date")?,
            submitted: element("record", "submitted_at")?,
            patient: find("patient")?,
            birth_year: element("patient", "birth_year")?,
            presentation: find("presentation")?,
            seq: element("presentation", "seq")?,
            detected: element("presentation", "date_detected")?,
            referral: element("presentation", "referral_date")?,
            followup: find("followup")?,
            contact: element("followup", "date")?,
            vital_status: element("followup", "vital_status")?,
            death_date: element("followup", "death_date")?,
            attestation: find("section_attestation")?,
            section: element("section_attestation", "section")?,
            status: element("section_attestation", "status")?,
            complete_through: element("section_attestation", "complete_through")?,
            treatments: [find("local_treatment")?, find("systemic")?, find("radiotherapy")?],
            palliative_care: find("palliative_care")?,
            palliative_outcome: element("palliative_care", "outcome")?,
            trial: find("trial")?,
            trial_outcome: element("trial", "outcome")?,
            biopsy_decision: find("biopsy_decision")?,
            biopsy_decision_value: element("biopsy_decision", "decision")?,
            biopsy_decision_lesion: element("biopsy_decision", "lesion_id")?,
            lesion: find("lesion")?,
            lesion_id: element("lesion", "lesion_id")?,
            prior_malignancy: find("prior_malignancy")?,
            local_treatment: find("local_treatment")?,
        };
        let reference = entities.iter().position(|entity| entity.reference);
        Ok(Layout {
            reference: reference.map(|at| at as u16),
            entities,
            by_name,
            places,
        })
    }

    pub fn entities(&self) -> &[EntityLayout] {
        &self.entities
    }

    /// Position of an entity.
    pub fn entity(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).copied()
    }

    pub fn entity_at(&self, entity: u16) -> Option<&EntityLayout> {
        self.entities.get(usize::from(entity))
    }

    pub fn element_at(&self, entity: u16, element: u16) -> Option<&ElementLayout> {
        self.entity_at(entity)?.elements.get(usize::from(element))
    }

    /// Positions of an element written `entity.element`.
    pub fn path(&self, path: &str) -> Option<(u16, u16)> {
        let (entity, element) = path.split_once('.')?;
        let at = self.entity(entity)?;
        Some((at, self.entity_at(at)?.element(element)?))
    }
}

impl EntitySpec {
    fn of(entity: &Entity) -> EntitySpec {
        let anchor = entity.anchor_date.and_then(|at| entity.elements.get(at));
        EntitySpec {
            name: entity.name.clone(),
            single: !entity.repeated(),
            attestable: entity.attestable,
            reference: entity.kind == EntityKind::Reference,
            anchor_date: anchor.map(|element| element.name.clone()),
            elements: entity.elements.iter().map(ElementSpec::of).collect(),
        }
    }
}

impl ElementSpec {
    fn of(element: &Element) -> ElementSpec {
        let integers = element.codes.as_ref().is_some_and(|codes| codes.integer);
        let kind = match element.kind {
            ElementKind::Code if integers => Kind::Number,
            ElementKind::Code | ElementKind::String | ElementKind::Uuid => Kind::Code,
            ElementKind::CodeSet | ElementKind::StringSet => Kind::Set,
            ElementKind::Boolean => Kind::Boolean,
            ElementKind::Integer | ElementKind::Number | ElementKind::Percent | ElementKind::Year => {
                Kind::Number
            }
            ElementKind::Date => Kind::Date,
            ElementKind::DateTime => Kind::Instant,
        };
        let codes = element
            .codes
            .as_ref()
            .filter(|_| matches!(kind, Kind::Code | Kind::Set));
        ElementSpec {
            name: element.name.clone(),
            kind,
            codes: codes.map(|codes| codes.iter().map(str::to_owned).collect()),
        }
    }
}

impl EntityLayout {
    fn build(spec: EntitySpec) -> Result<EntityLayout, LayoutError> {
        let mut by_name = HashMap::new();
        let mut elements = Vec::with_capacity(spec.elements.len());
        for element in spec.elements {
            let path = format!("{}.{}", spec.name, element.name);
            if by_name
                .insert(element.name.clone(), elements.len() as u16)
                .is_some()
            {
                return Err(LayoutError::Twice(path));
            }
            elements.push(ElementLayout {
                name: element.name,
                path: path.into(),
                kind: element.kind,
                codes: element.codes.map(Arc::from),
            });
        }
        let anchor_date = match spec.anchor_date {
            None => None,
            Some(name) => {
                let dates = |at: &u16| {
                    elements
                        .get(usize::from(*at))
                        .is_some_and(|element| element.kind == Kind::Date)
                };
                let at = by_name.get(&name).copied().filter(dates);
                Some(at.ok_or(LayoutError::NoAnchorDate {
                    entity: spec.name.clone(),
                    element: name,
                })?)
            }
        };
        Ok(EntityLayout {
            names: Names::of(elements.iter().map(|element| element.name.as_str())),
            name: spec.name.into(),
            single: spec.single,
            attestable: spec.attestable,
            reference: spec.reference,
            anchor_date,
            link: by_name.get("presentation_seq").copied(),
            elements,
            by_name,
        })
    }

    /// Position of an element of this entity.
    pub fn element(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).copied()
    }
}
