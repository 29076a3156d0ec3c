//! Completeness and timeliness of a run: one document for the network, one for each centre.

use serde::{Deserialize, Serialize};

use super::{RunIdentity, Suppression};
use crate::quality::Counts;

/// Name of the document that speaks of all centres together.
pub const NETWORK: &str = "all";

/// How completely and how soon one level reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Completeness {
    pub run: RunIdentity,
    /// `all`, or the centre.
    pub level: String,
    /// Cases in the run; `None` when not shown.
    pub cases: Option<u32>,
    pub follow_up: FollowUp,
    /// Days from the metastatic diagnosis to the first submission of the case.
    pub registration: Timeliness,
    pub sections: Vec<SectionCompleteness>,
    pub elements: Vec<ElementCompleteness>,
    /// Sections by half-year of the metastatic diagnosis, and for the network by month of first submission.
    pub periods: Vec<PeriodCompleteness>,
    /// Days from event to first submission, by section.
    pub timeliness: Vec<Timeliness>,
    /// `registration` by half-year of the first submission; none in a run made before it was kept.
    #[serde(default)]
    pub registration_periods: Vec<PeriodTimeliness>,
}

/// Completeness of follow-up (Clark's C): observed over potential time; a death counts as complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FollowUpCompleteness)]
pub struct FollowUp {
    pub patients: Option<u32>,
    pub observed_days: Option<i64>,
    pub potential_days: Option<i64>,
    pub index: Option<f64>,
    pub suppressed: Option<Suppression>,
}

/// Answers to what was expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AnswersGiven)]
pub struct Answers {
    /// Patients of whom something was expected.
    pub patients: Option<u32>,
    /// Those of them of whom it was expected of no other centre too; only where some were transferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<u32>,
    /// `None` for a viewer who gets shares only.
    pub counts: Option<Counts>,
    /// A value, over what could have one.
    pub known_share: Option<f64>,
    /// A value or a final absence code, over what was expected.
    pub answered_share: Option<f64>,
    pub suppressed: Option<Suppression>,
}

impl Answers {
    /// Exact answers of some patients, of whom `shared` answered with another centre too.
    pub fn of(patients: u32, shared: u32, counts: Counts) -> Self {
        Self {
            patients: Some(patients),
            apart: (shared > 0).then(|| patients.saturating_sub(shared)),
            known_share: counts.known_share(),
            answered_share: counts.answered_share(),
            counts: Some(counts),
            suppressed: None,
        }
    }
}

/// A section: its elements together, and how often it is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SectionCompleteness {
    pub section: String,
    #[serde(flatten)]
    pub answers: Answers,
    /// Cases in which the section is attested, over all; `None` for one that cannot be attested.
    pub closed_share: Option<f64>,
}

/// One element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ElementCompleteness {
    /// `entity.element`.
    pub element: String,
    pub section: String,
    /// `R`, or `C`: expected where a rule asks for it.
    pub requirement: String,
    #[serde(flatten)]
    pub answers: Answers,
}

/// What a period is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodBy {
    /// Of the metastatic diagnosis, `2025-H1`.
    HalfYear,
    /// Month of the first submission, `2025-03`.
    SubmissionMonth,
}

impl PeriodBy {
    /// The code in addresses and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HalfYear => "half_year",
            Self::SubmissionMonth => "submission_month",
        }
    }
}

/// One section in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeriodCompleteness {
    pub by: PeriodBy,
    pub period: String,
    pub section: String,
    #[serde(flatten)]
    pub answers: Answers,
}

/// Days until something was submitted first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Timeliness {
    /// The section, or `registration`.
    pub section: String,
    pub patients: Option<u32>,
    /// Rows behind the quantiles.
    pub rows: Option<u32>,
    pub lower_quartile: Option<f64>,
    pub median: Option<f64>,
    pub upper_quartile: Option<f64>,
    pub suppressed: Option<Suppression>,
}

/// The same of what was first submitted in one half-year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeriodTimeliness {
    /// `2025-H1`.
    pub period: String,
    #[serde(flatten)]
    pub times: Timeliness,
}
