//! What a case is judged with and what comes out.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Finding, Severity};
use crate::guideline::UnitOutcome;

/// What the service knows about a case besides its body. Stands for the entity `record` in rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Identifier of the case in this registry.
    pub record_id: Uuid,
    /// The centre, from the credentials.
    pub centre_id: String,
    /// When the body arrived.
    pub submitted_at: DateTime<Utc>,
    /// Last day the case is judged on: the earlier of a run's cut-off and the day of submission.
    pub data_cutoff_date: NaiveDate,
}

impl Envelope {
    /// The entity `record` of the document the rules read; the version is the one the body was sent in.
    pub fn to_record(&self, schema_version: &str) -> Value {
        json!({
            "record_id": self.record_id.to_string(),
            "schema_version": schema_version,
            "centre_id": self.centre_id,
            "submitted_at": self.submitted_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "data_cutoff_date": self.data_cutoff_date.to_string(),
        })
    }
}

/// What the service derives from a body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DerivedElements)]
pub struct Derived {
    /// `primary.histology_code`: local code of value set H; none without a morphology.
    pub histology_code: Option<String>,
    /// `primary.eligibility_class`: core, extended, excluded or not_listed; none without a morphology.
    pub eligibility_class: Option<String>,
}

/// A section nobody attested, and what attesting it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnattestedSection {
    /// Name of the repeated entity.
    pub section: String,
    /// Measures that can be assessed on more units of this case once this section, and no other, is attested through the day it was sent.
    pub measures_unlocked: usize,
}

/// What one guideline says of the case, error edits applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Id of the guideline.
    pub guideline: String,
    /// Outcomes by measure and unit; the measure is a position in the guideline's measures.
    pub outcomes: Vec<UnitOutcome>,
}

/// That a finding is one that was kept under another identity: what was said to it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formerly {
    /// What it is now.
    pub identity: String,
    /// What it was.
    pub before: String,
    /// Not when the case has a finding of this identity too: then nobody can tell which of the two it was.
    pub unless: Option<String>,
    /// Holds only where the document is the one that was judged then: several findings had one identity, and a number by their order.
    pub only_unchanged: bool,
}

/// The verdict on one case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The schema version the body names, if it names one.
    pub schema_version: Option<String>,
    /// Findings in the order of pointer and code, at most [`MAX_FINDINGS`](super::MAX_FINDINGS).
    pub findings: Vec<Finding>,
    /// Under which other identities these findings may have been kept.
    pub formerly: Vec<Formerly>,
    /// Findings beyond the listed ones.
    pub further_findings: usize,
    /// Whether the edit checks that concern the body were run: they read a body that keeps to its schema, and no other.
    pub checked: bool,
    /// Derived elements.
    pub derived: Derived,
    /// Day (or partial day) metastatic disease was first detected: `date_detected` of presentation 1, as sent.
    pub t0: Option<String>,
    /// Whether the body is a withdrawal (consent refused or withdrawn).
    pub withdrawal: bool,
    /// Attestable sections without attestation. Empty for a refused body and for a withdrawal.
    pub unattested: Vec<UnattestedSection>,
    /// The guideline assessment of this very case. Empty for a refused body and for a withdrawal.
    pub assessments: Vec<Assessment>,
}

impl Verdict {
    /// Whether the case is refused.
    pub fn rejected(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Reject)
    }
}
