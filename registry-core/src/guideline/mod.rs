//! Guideline measures: what is asked, of whom, and what the answer is for one case.

mod compile;
mod composite;
mod evaluate;
mod explain;
mod files;
pub mod indicators;
mod measure;
mod outcome;
pub mod patients;
mod publish;
pub mod questions;
mod rests;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Layout;
use crate::rules::Parameter;
use crate::rules::compile::WindowDays;
use crate::rules::program::Cond;

pub use composite::Composite;
pub use explain::{Explanation, StepExplanation};
pub use measure::{Measure, MeasureKind};
pub use outcome::{Outcome, Step, UnitOutcome};
pub use publish::{Publication, PublicationError, publish};

/// The parameter that `presentation.timing` follows from: how many days after the primary a presentation is synchronous.
pub const SYNCHRONOUS: &str = "SYNC_WINDOW_DAYS";

/// Version of the rule engine; part of every evaluation key. It changes whenever the same rules on the same case could
/// give another answer.
pub const ENGINE_VERSION: &str = "1.0.0";

/// A guideline: its measures, compiled. Made once at start-up, shared by all threads.
pub struct Guideline {
    pub id: String,
    pub version: String,
    pub title: String,
    pub source: String,
    pub status: GuidelineStatus,
    /// Where it was read from, below `schema/guideline/`; empty when it was not read from a schema.
    pub folder: String,
    /// Ordered by statement and id.
    pub measures: Vec<Measure>,
    /// All-or-none summaries of several measures.
    pub composites: Vec<Composite>,
    /// Every threshold, window and list the measures read.
    pub parameters: BTreeMap<String, Parameter>,
    /// Definitions and populations as written, by name.
    pub definitions: BTreeMap<String, String>,
    pub populations: BTreeMap<String, String>,
    /// What parameters are called, of those that somebody has named.
    labels: BTreeMap<String, String>,
    /// SHA-256 (hex) over the guideline's files and replaced parameters.
    pub digest: String,
    layout: Arc<Layout>,
    windows: WindowDays,
    population_programs: Vec<Cond>,
    programs: Vec<Program>,
}

/// Where a guideline version is in its life. Of a published version the catalogue says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuidelineStatus {
    /// Being written; runs on demand only.
    Draft,
    /// In force: what submissions are assessed by and what a run evaluates unless told otherwise. One per guideline.
    Active,
    /// Was in force; still runs on demand.
    Superseded,
}

impl GuidelineStatus {
    pub const ALL: [GuidelineStatus; 3] = [
        GuidelineStatus::Draft,
        GuidelineStatus::Active,
        GuidelineStatus::Superseded,
    ];

    /// As written in `guideline.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            GuidelineStatus::Draft => "draft",
            GuidelineStatus::Active => "active",
            GuidelineStatus::Superseded => "superseded",
        }
    }

    pub fn from_code(code: &str) -> Option<GuidelineStatus> {
        GuidelineStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == code)
    }
}

/// The compiled expressions of one measure.
struct Program {
    /// `None` for the patient.
    unit: Option<u16>,
    population: usize,
    denominator: Cond,
    exclusion: Cond,
    exception: Cond,
    numerator: Cond,
    utilisation: bool,
}

impl Guideline {
    /// The measure of an id, and its position.
    pub fn measure(&self, id: &str) -> Option<(u16, &Measure)> {
        let at = self.measures.iter().position(|measure| measure.id == id)?;
        Some((at as u16, self.measures.get(at)?))
    }

    /// In force.
    pub fn is_active(&self) -> bool {
        self.status == GuidelineStatus::Active
    }

    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}
