//! Endpoints as data: `schema/endpoints/endpoints.toml`. What a file may name is fixed here; how a named origin or event is dated
//! is Rust, in [`mod@super::estimate`].

use registry_core::versions::SchemaStore;
use serde::{Deserialize, Serialize};

const FILE: &str = "endpoints/endpoints.toml";

/// The file of endpoints cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    #[error("{FILE}: there is no such file")]
    Missing,
    /// With line and column, an unknown name with those that are known.
    #[error("{FILE}: {0}")]
    Unreadable(#[from] toml::de::Error),
    #[error("{FILE}: endpoint `{0}` stands twice")]
    Twice(String),
    #[error("{FILE}: endpoint `{endpoint}`: {what}")]
    Incoherent { endpoint: String, what: &'static str },
}

/// From when a patient is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `presentation.date_detected` of presentation 1.
    MetastaticDiagnosis,
    /// Start of the systemic line `line` of the metastatic setting.
    SystemicLine,
    /// First metastasectomy at one of `sites` (any site when none is named).
    Metastasectomy,
    /// First of those that left no known disease.
    ClearingMetastasectomy,
}

/// What ends the follow-up as an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Death,
    /// `progression.type` is `recurrence_after_clearance`, or death; censored at the last imaging or contact.
    RecurrenceOrDeath,
}

/// A breakdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    Histology,
    Timing,
    Organ,
    Age,
    Period,
    /// Residual tumour of the operation counted from.
    Completeness,
}

impl Stratum {
    /// The code in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Histology => "histology",
            Self::Timing => "timing",
            Self::Organ => "organ",
            Self::Age => "age",
            Self::Period => "period",
            Self::Completeness => "completeness",
        }
    }
}

/// One endpoint. One row per patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// As `S4-lung`: the key of its result.
    pub id: String,
    /// The endpoint of the specification, and the group of it, as published series are matched.
    pub endpoint: String,
    pub group: String,
    pub title: String,
    pub origin: Origin,
    pub origin_text: String,
    pub event: Event,
    pub event_text: String,
    #[serde(default)]
    pub line: Option<u32>,
    #[serde(default)]
    pub sites: Vec<String>,
    pub strata: Vec<Stratum>,
    /// Shown beside the curves.
    pub caveat: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    endpoint: Vec<Definition>,
}

/// The endpoints of a schema folder, in the order of the file.
///
/// # Errors
/// [`DefinitionError`].
pub fn definitions(store: &SchemaStore) -> Result<Vec<Definition>, DefinitionError> {
    read(store.file(FILE).ok_or(DefinitionError::Missing)?)
}

/// Reads the text of the file.
///
/// # Errors
/// [`DefinitionError`].
pub fn read(text: &str) -> Result<Vec<Definition>, DefinitionError> {
    let all = toml::from_str::<File>(text)?.endpoint;
    for (at, one) in all.iter().enumerate() {
        if all[..at].iter().any(|other| other.id == one.id) {
            return Err(DefinitionError::Twice(one.id.clone()));
        }
        let operated = matches!(
            one.origin,
            Origin::Metastasectomy | Origin::ClearingMetastasectomy
        );
        let what = if one.line.is_some() != (one.origin == Origin::SystemicLine) {
            "a line belongs to the origin `systemic_line`, and it to a line"
        } else if !operated && (!one.sites.is_empty() || one.strata.contains(&Stratum::Completeness)) {
            "sites and completeness are of operations"
        } else if one.event == Event::RecurrenceOrDeath && one.origin != Origin::ClearingMetastasectomy {
            "recurrence needs an operation that cleared all disease"
        } else {
            continue;
        };
        return Err(DefinitionError::Incoherent {
            endpoint: one.id.clone(),
            what,
        });
    }
    Ok(all)
}
