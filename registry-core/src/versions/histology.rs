//! Value set H: what a morphology code means for the registry, and who is eligible.

use std::collections::{BTreeMap, HashMap};

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SchemaError;
use super::adjudication::{self, Adjudication};
use crate::validation::Derived;

/// Local code of a case that its origin excludes.
const EXCLUDED_CODE: &str = "other_listed_excluded";

/// Who is eligible for the measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EligibilityClass {
    /// Named as included.
    Core,
    /// Named by one statement only (PEComa, inflammatory myofibroblastic tumour).
    Extended,
    /// Named as excluded, or by origin.
    Excluded,
    /// Neither: parked for adjudication, descriptive only.
    NotListed,
}

impl EligibilityClass {
    /// The code of `primary.eligibility_class`.
    pub fn as_str(self) -> &'static str {
        match self {
            EligibilityClass::Core => "core",
            EligibilityClass::Extended => "extended",
            EligibilityClass::Excluded => "excluded",
            EligibilityClass::NotListed => "not_listed",
        }
    }
}

/// How sure the mapping of a morphology code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum Certainty {
    /// Sure.
    A,
    /// Fairly sure, to be verified.
    B,
    /// Uncertain.
    C,
}

/// One row: a term, its morphology codes, and what follows.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HistologyEntry {
    /// The code of `primary.histology_code`.
    pub local_code: String,
    /// The term in words.
    pub term: String,
    /// ICD-O-3.2 morphology codes with behaviour, `8858/3`.
    pub morphologies: Vec<String>,
    /// Codes of older editions that mean the same.
    #[serde(default)]
    pub legacy_morphologies: Vec<String>,
    /// Codes that are accepted but queried; they may stand in one of the other lists, too.
    #[serde(default)]
    pub accepted_with_warning: Vec<String>,
    /// What the row means for eligibility.
    pub eligibility_class: EligibilityClass,
    /// How sure the mapping is.
    pub certainty: Certainty,
    /// Remark in words.
    #[serde(default)]
    pub note: Option<String>,
}

impl HistologyEntry {
    /// Every code that leads to this row; one may come twice.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.morphologies
            .iter()
            .chain(&self.legacy_morphologies)
            .chain(&self.accepted_with_warning)
            .map(String::as_str)
    }
}

/// What a code that stands in no row means.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Otherwise {
    /// The code of `primary.histology_code`.
    pub local_code: String,
    /// What it means for eligibility.
    pub eligibility_class: EligibilityClass,
}

/// An origin that decides eligibility whatever the morphology.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Why, in words.
    pub reason: String,
    /// Element of `primary` that decides, `primary.organ_of_origin`.
    pub element: String,
    /// The class it leads to.
    pub eligibility_class: EligibilityClass,
    /// Codes of the element that fire. Without codes and pattern, `true` fires.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Parameter of the edit checks whose pattern (of the whole text) fires.
    #[serde(default)]
    pub pattern_parameter: Option<String>,
}

/// Value set H.
#[derive(Debug)]
pub struct HistologyTable {
    /// Name of the value set.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Edition of the classification, in words.
    pub standard: String,
    /// Rows, as listed.
    pub entries: Vec<HistologyEntry>,
    /// Origins that decide, in the order they are tried.
    pub triggers: Vec<Trigger>,
    /// What a code in no row means.
    pub otherwise: Otherwise,
    /// What the committee decided on morphologies that are not listed, in the order it was recorded.
    pub decisions: Vec<Adjudication>,
    standing: BTreeMap<String, usize>,
    by_morphology: HashMap<String, usize>,
    patterns: Vec<Option<Regex>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    title: String,
    standard: String,
    otherwise: Otherwise,
    triggers: Vec<Trigger>,
    entries: Vec<HistologyEntry>,
}

impl HistologyTable {
    /// Reads value set H; `pattern` gives the text of a pattern parameter of the edit checks.
    ///
    /// # Errors
    /// A table of another shape, a morphology in two rows, a decision on a morphology the table places.
    pub(super) fn read(
        file: Value,
        decisions: Vec<Adjudication>,
        pattern: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SchemaError> {
        let wrong = SchemaError::Histology;
        let file: File = serde_json::from_value(file).map_err(|e| wrong(e.to_string()))?;
        let mut by_morphology = HashMap::new();
        for (i, entry) in file.entries.iter().enumerate() {
            for code in entry.codes() {
                if by_morphology
                    .insert(code.to_owned(), i)
                    .is_some_and(|row| row != i)
                {
                    return Err(wrong(format!("morphology {code} stands in two rows")));
                }
            }
        }
        for decision in &decisions {
            let placed = by_morphology
                .get(&decision.morphology)
                .and_then(|row| file.entries.get(*row))
                .is_some_and(|entry| entry.eligibility_class != EligibilityClass::NotListed);
            if placed {
                return Err(wrong(format!(
                    "{}: morphology {} is placed by the table, there is nothing to decide",
                    adjudication::DECISIONS,
                    decision.morphology
                )));
            }
        }
        let mut patterns = Vec::with_capacity(file.triggers.len());
        for trigger in &file.triggers {
            if !trigger.element.starts_with("primary.") {
                return Err(wrong(format!("`{}` is no element of primary", trigger.element)));
            }
            patterns.push(match &trigger.pattern_parameter {
                None => None,
                Some(name) => {
                    let text = pattern(name)
                        .ok_or_else(|| wrong(format!("there is no pattern parameter {name}")))?;
                    Some(Regex::new(&format!("^(?:{text})$")).map_err(|e| wrong(format!("{name}: {e}")))?)
                }
            });
        }
        Ok(HistologyTable {
            name: file.name,
            title: file.title,
            standard: file.standard,
            entries: file.entries,
            triggers: file.triggers,
            otherwise: file.otherwise,
            standing: adjudication::standing(&decisions),
            decisions,
            by_morphology,
            patterns,
        })
    }

    /// The row of a morphology code.
    pub fn entry(&self, morphology: &str) -> Option<&HistologyEntry> {
        self.by_morphology
            .get(morphology)
            .and_then(|i| self.entries.get(*i))
    }

    /// The decision that stands on a morphology.
    pub fn decision(&self, morphology: &str) -> Option<&Adjudication> {
        self.standing
            .get(morphology)
            .and_then(|at| self.decisions.get(*at))
    }

    /// Derives histology code and eligibility class from the `primary` object of a body.
    ///
    /// Without a morphology nothing is derived. An origin that fires decides first, then what the committee decided on the morphology,
    /// then its row; a morphology in no row is not listed.
    pub fn derive(&self, primary: Option<&Value>) -> Derived {
        let Some(primary) = primary else {
            return Derived::default();
        };
        let Some(morphology) = primary.get("icdo_morphology").and_then(Value::as_str) else {
            return Derived::default();
        };
        let listed = match self.entry(morphology) {
            Some(entry) => (entry.local_code.as_str(), entry.eligibility_class),
            None => (
                self.otherwise.local_code.as_str(),
                self.otherwise.eligibility_class,
            ),
        };
        let (code, class) = match (self.fired(primary), self.decision(morphology)) {
            (Some(trigger), _) => (EXCLUDED_CODE, trigger.eligibility_class),
            (None, Some(decision)) => (
                decision.histology_code.as_deref().unwrap_or(listed.0),
                decision.eligibility_class,
            ),
            (None, None) => listed,
        };
        Derived {
            histology_code: Some(code.to_owned()),
            eligibility_class: Some(class.as_str().to_owned()),
        }
    }

    /// The first origin that fires.
    fn fired(&self, primary: &Value) -> Option<&Trigger> {
        self.triggers
            .iter()
            .zip(&self.patterns)
            .find(|(trigger, pattern)| {
                let element = trigger.element.trim_start_matches("primary.");
                match (primary.get(element), pattern) {
                    (Some(Value::String(text)), Some(pattern)) => pattern.is_match(text),
                    (Some(Value::String(text)), None) => trigger.codes.contains(text),
                    (Some(Value::Bool(true)), None) => trigger.codes.is_empty(),
                    _ => false,
                }
            })
            .map(|(trigger, _)| trigger)
    }
}
