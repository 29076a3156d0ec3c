//! What is compared, compiled against the newest form of a case, and the numbers of `schema/quality/verification.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use super::sample;
use crate::dictionary::{Dictionary, EntityKind, Requirement};
use crate::form::{Forms, References};
use crate::record::{Layout, LayoutError};
use crate::versions::{SchemaError, SchemaStore};

/// File of the numbers below `schema/`.
const PATH: &str = "quality/verification.toml";

/// Why documents cannot be compared. Found at start-up.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The file is missing or has another shape.
    #[error(transparent)]
    File(#[from] SchemaError),
    /// The dictionary lacks what a record is read with.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The file, or the form's keys and links, do not fit the dictionary.
    #[error("schema/{PATH}: {0}")]
    Rules(String),
}

/// Compares two documents of one case. Made once at start-up, shared by all threads.
#[derive(Debug)]
pub struct Verifier {
    pub(super) store: Arc<SchemaStore>,
    pub(super) layout: Arc<Layout>,
    /// In the order rows are paired: what is pointed at comes before what points.
    pub(super) entities: Vec<Plan>,
    pub(super) near_days: i32,
    pub(super) alike: f64,
    share: f64,
    verify_from: f64,
    critical_measures: usize,
    /// What the service works out, and what from.
    pub(super) derived_from: BTreeMap<String, Vec<String>>,
}

/// What is compared of one entity.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) entity: u16,
    /// The element that names a row; rows pair when it says the same.
    pub(super) named_by: Option<u16>,
    /// The element that places a row in time.
    pub(super) anchor: Option<u16>,
    pub(super) elements: Vec<Part>,
}

/// One element and how it is compared.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) element: u16,
    /// Has a closed list of answers: codes, or yes and no.
    pub(super) coded: bool,
    pub(super) link: Option<Link>,
}

/// An element that points at rows of another entity.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) to: u16,
    /// The element there that is pointed at.
    pub(super) key: u16,
    /// Words that point at no row.
    pub(super) also: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    sample: SampleFile,
    agreement: AgreementFile,
    derived_from: BTreeMap<String, Vec<String>>,
    rows: RowsFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleFile {
    share: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementFile {
    verify_from: f64,
    critical_measures: usize,
    left_out: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsFile {
    near_days: i32,
    alike: f64,
    named_by: BTreeMap<String, String>,
}

impl Verifier {
    /// Compiles the rules for the newest form of a case; keys and links of rows are those of the entry form.
    ///
    /// # Errors
    /// A file that does not read, a number out of its range, a name the dictionary does not know.
    pub fn of(store: &Arc<SchemaStore>, forms: &Forms) -> Result<Self, VerifierError> {
        Self::compiled(store, forms, store.files().toml(PATH)?)
    }

    /// The same for two versions of one case: of them what says how far the entry went is compared too.
    ///
    /// # Errors
    /// As [`Verifier::of`].
    pub fn of_versions(store: &Arc<SchemaStore>, forms: &Forms) -> Result<Self, VerifierError> {
        let mut file: RulesFile = store.files().toml(PATH)?;
        file.agreement.left_out.clear();
        Self::compiled(store, forms, file)
    }

    fn compiled(store: &Arc<SchemaStore>, forms: &Forms, file: RulesFile) -> Result<Self, VerifierError> {
        let dictionary = &store.current().dictionary;
        let layout = Arc::new(Layout::of(dictionary)?);
        let wrong = |what: String| Err(VerifierError::Rules(what));
        if sample::parts(file.sample.share).is_none() {
            return wrong("`share` lies above 0 and up to 1, with four decimals at most".to_owned());
        }
        for (name, share) in [
            ("verify_from", file.agreement.verify_from),
            ("alike", file.rows.alike),
        ] {
            if !(share > 0.0 && share <= 1.0) {
                return wrong(format!("`{name}` lies above 0 and up to 1"));
            }
        }
        if file.rows.near_days < 0 {
            return wrong("`near_days` is not negative".to_owned());
        }
        for (derived, sources) in &file.derived_from {
            for path in std::iter::once(derived).chain(sources) {
                if layout.path(path).is_none() {
                    return wrong(format!("`{path}` is not in the dictionary"));
                }
            }
        }
        let references = forms
            .references(dictionary)
            .ok_or_else(|| VerifierError::Rules("this version of the case has no entry form".to_owned()))?;
        let entities = plans(&file, dictionary, &layout, &references).map_err(VerifierError::Rules)?;
        Ok(Self {
            store: Arc::clone(store),
            entities,
            layout,
            near_days: file.rows.near_days,
            alike: file.rows.alike,
            share: file.sample.share,
            verify_from: file.agreement.verify_from,
            critical_measures: file.agreement.critical_measures,
            derived_from: file.derived_from,
        })
    }

    /// The share of a centre's cases that a draw takes when it names none.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// From which share of agreeing answers on a case may be marked verified.
    pub fn verify_from(&self) -> f64 {
        self.verify_from
    }

    /// From how many measures on that read it an element is critical.
    pub fn critical_measures(&self) -> usize {
        self.critical_measures
    }

    /// The elements that are compared (`entity.element`), in the order of the dictionary.
    pub fn elements(&self) -> Vec<&str> {
        let mut places: Vec<(u16, u16)> = self
            .entities
            .iter()
            .flat_map(|plan| plan.elements.iter().map(|part| (plan.entity, part.element)))
            .collect();
        places.sort_unstable();
        places
            .into_iter()
            .filter_map(|(entity, element)| self.layout.element_at(entity, element))
            .map(|element| &*element.path)
            .collect()
    }
}

fn plans(
    file: &RulesFile,
    dictionary: &Dictionary,
    layout: &Layout,
    references: &References,
) -> Result<Vec<Plan>, String> {
    let place = |path: &str| {
        layout
            .path(path)
            .ok_or_else(|| format!("`{path}` is not in the dictionary"))
    };
    let mut left_out = BTreeSet::from([place(&references.identity)?]);
    for path in file.agreement.left_out.iter().chain(&references.labels) {
        left_out.insert(place(path)?);
    }
    let mut links = BTreeMap::new();
    for (paths, to, also) in &references.links {
        let (to, key) = place(to)?;
        for path in paths {
            let also = also.clone();
            links.insert(place(path)?, Link { to, key, also });
        }
    }
    let mut named_by = BTreeMap::new();
    for (entity, element) in &file.rows.named_by {
        let (entity, element) = place(&format!("{entity}.{element}"))?;
        named_by.insert(entity, element);
    }
    let mut plans = Vec::new();
    for (at, entity) in (0_u16..).zip(&dictionary.entities) {
        if entity.kind != EntityKind::Case {
            continue;
        }
        let parts = (0_u16..).zip(&entity.elements).filter(|(element, known)| {
            known.requirement != Requirement::Derived && !left_out.contains(&(at, *element))
        });
        plans.push(Plan {
            entity: at,
            named_by: named_by.get(&at).copied(),
            anchor: layout.entity_at(at).and_then(|known| known.anchor_date),
            elements: parts
                .map(|(element, known)| Part {
                    element,
                    coded: known.is_coded(),
                    link: links.remove(&(at, element)),
                })
                .collect(),
        });
    }
    Ok(pointed_at_first(plans))
}

/// Entities in an order in which every one comes after those its rows point at; where they point in a circle, as the dictionary has them.
fn pointed_at_first(mut waiting: Vec<Plan>) -> Vec<Plan> {
    let mut ordered: Vec<Plan> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|plan| {
            let targets = plan.elements.iter().filter_map(|part| part.link.as_ref());
            targets
                .into_iter()
                .all(|link| link.to == plan.entity || waiting.iter().all(|other| other.entity != link.to))
        });
        ordered.push(waiting.remove(ready.unwrap_or(0)));
    }
    ordered
}
