//! What the committee decided on histologies in neither column of the source's Table 1.
//!
//! `adjudication/decisions.toml` lists decisions by morphology. They stand behind value set H: what the table places, or an origin
//! excludes, no decision moves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EligibilityClass, SchemaError, SchemaFiles};
use crate::dictionary::CodeList;

/// Path below `schema/`; there need not be one.
pub const DECISIONS: &str = "adjudication/decisions.toml";

/// A decision on one morphology.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Adjudication {
    /// ICD-O-3.2 morphology with behaviour, `8854/3`.
    pub morphology: String,
    /// Who is eligible; `not_listed` takes an earlier decision back.
    pub eligibility_class: EligibilityClass,
    /// The listed histology its cases count as; without one they stay `not_listed`.
    pub histology_code: Option<String>,
    /// The day it was decided.
    pub decided: toml::value::Datetime,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "decision")]
    decisions: Vec<Adjudication>,
}

/// Every decision, in the order they were recorded.
///
/// # Errors
/// A file of another shape; a histology code that is in no list.
pub(super) fn read(
    files: &SchemaFiles,
    histologies: Option<&CodeList>,
) -> Result<Vec<Adjudication>, SchemaError> {
    if files.bytes(DECISIONS).is_none() {
        return Ok(Vec::new());
    }
    let file: File = files.toml(DECISIONS)?;
    for decision in &file.decisions {
        if let Some(code) = &decision.histology_code
            && !histologies.is_some_and(|list| list.contains(code))
        {
            let message = format!("{DECISIONS}: there is no histology code `{code}`");
            return Err(SchemaError::Histology(message));
        }
    }
    Ok(file.decisions)
}

/// The decision that stands on each morphology: the last one.
pub(super) fn standing(decisions: &[Adjudication]) -> BTreeMap<String, usize> {
    let last = decisions.iter().enumerate();
    last.map(|(at, decision)| (decision.morphology.clone(), at))
        .collect()
}
