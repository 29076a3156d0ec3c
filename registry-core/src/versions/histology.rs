//! Value set H: what a morphology code means for the registry, and who is eligible.

use std::collections::HashMap;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SchemaError;
use crate::validation::Derived;

/// Local code of a case that an exclusion row or trigger excludes.
const EXCLUDED_CODE: &str = "other_listed_excluded";
/// Local code of a morphology that stands in no row.
const NOT_LISTED_CODE: &str = "not_listed";

/// Who is eligible for the measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
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
pub struct HistologyEntry {
    /// The code of `primary.histology_code`.
    pub local_code: String,
    /// The term in words.
    pub term: String,
    /// ICD-O-3 morphology codes, `8858/3`. Empty where a trigger and not a code decides.
    pub morphologies: Vec<String>,
    /// What the row means for eligibility.
    pub eligibility_class: EligibilityClass,
    /// How sure the mapping is.
    pub certainty: Certainty,
    /// Whether the code is of an older edition.
    #[serde(default)]
    pub legacy: bool,
    /// Whether the code is accepted but queried.
    #[serde(default)]
    pub accepted_with_warning: bool,
    /// Remark in words.
    #[serde(default)]
    pub note: Option<String>,
}

/// Origin that excludes a case whatever its morphology.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Trigger {
    /// Element of `primary` that decides.
    pub element: String,
    /// Values of the element that exclude.
    #[serde(default)]
    pub values: Vec<Value>,
    /// Pattern (whole text) of the element's text that excludes.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Texts the pattern covers that do not exclude by it.
    #[serde(default)]
    pub except: Vec<String>,
}

/// Value set H.
#[derive(Debug)]
pub struct HistologyTable {
    /// Name of the value set.
    pub name: String,
    /// Rows, as listed.
    pub entries: Vec<HistologyEntry>,
    /// Origins that exclude.
    pub triggers: Vec<Trigger>,
    by_morphology: HashMap<String, usize>,
    compiled: Vec<(String, Vec<Value>, Option<Regex>, Vec<String>)>,
}

#[derive(Deserialize)]
struct File {
    name: String,
    entries: Vec<HistologyEntry>,
    #[serde(default)]
    exclusion_triggers: Vec<Trigger>,
}

impl HistologyTable {
    pub(super) fn read(file: Value) -> Result<Self, SchemaError> {
        let wrong = SchemaError::Histology;
        let file: File = serde_json::from_value(file).map_err(|e| wrong(e.to_string()))?;
        let mut by_morphology = HashMap::new();
        for (i, entry) in file.entries.iter().enumerate() {
            for code in &entry.morphologies {
                if by_morphology.insert(code.clone(), i).is_some() {
                    return Err(wrong(format!("morphology {code} stands in two rows")));
                }
            }
        }
        let mut compiled = Vec::with_capacity(file.exclusion_triggers.len());
        for trigger in &file.exclusion_triggers {
            let pattern = match &trigger.pattern {
                None => None,
                Some(text) => Some(
                    Regex::new(&format!("^(?:{text})$"))
                        .map_err(|e| wrong(format!("pattern of {}: {e}", trigger.element)))?,
                ),
            };
            compiled.push((
                trigger.element.clone(),
                trigger.values.clone(),
                pattern,
                trigger.except.clone(),
            ));
        }
        Ok(HistologyTable {
            name: file.name,
            entries: file.entries,
            triggers: file.exclusion_triggers,
            by_morphology,
            compiled,
        })
    }

    /// The row of a morphology code.
    pub fn entry(&self, morphology: &str) -> Option<&HistologyEntry> {
        self.by_morphology
            .get(morphology)
            .and_then(|i| self.entries.get(*i))
    }

    /// Derives histology code and eligibility class from the `primary` object of a body.
    ///
    /// Without a morphology nothing is derived. A trigger or an excluded row excludes; otherwise the row decides; a
    /// morphology in no row is not listed.
    pub fn derive(&self, primary: Option<&Value>) -> Derived {
        let Some(primary) = primary else {
            return Derived::default();
        };
        let Some(morphology) = primary.get("icdo_morphology").and_then(Value::as_str) else {
            return Derived::default();
        };
        let (code, class) = if self.excluded_by_origin(primary) {
            (EXCLUDED_CODE, EligibilityClass::Excluded)
        } else {
            match self.entry(morphology) {
                Some(entry) => (entry.local_code.as_str(), entry.eligibility_class),
                None => (NOT_LISTED_CODE, EligibilityClass::NotListed),
            }
        };
        Derived {
            histology_code: Some(code.to_owned()),
            eligibility_class: Some(class.as_str().to_owned()),
        }
    }

    fn excluded_by_origin(&self, primary: &Value) -> bool {
        self.compiled.iter().any(|(element, values, pattern, except)| {
            primary.get(element).is_some_and(|recorded| {
                values.contains(recorded)
                    || recorded.as_str().is_some_and(|text| {
                        pattern.as_ref().is_some_and(|p| p.is_match(text))
                            && !except.iter().any(|e| e == text)
                    })
            })
        })
    }
}
