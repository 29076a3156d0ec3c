//! ETL runs: numbered, one at a time, reproducible from a watermark; evaluations kept once per evaluation key.

mod documents;
mod evaluations;
mod life;
mod results;
mod source;

pub(crate) use documents::Documents;
pub(crate) use evaluations::{opened_payload, sealed_payload};
pub(crate) use life::end_interrupted;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cases::{CaseStatus, Derived};
use super::holders::Holders;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Holds the lock.
    Running,
    /// Has results.
    Finished,
    /// Ended without results, or was interrupted.
    Failed,
}

impl RunStatus {
    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Finished => "finished",
            RunStatus::Failed => "failed",
        }
    }
}

/// One run of the ETL.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Run {
    /// Number, from 1, without gaps.
    pub number: i64,
    /// How far it is.
    pub status: RunStatus,
    /// Data are counted up to this date.
    pub cutoff_date: NaiveDate,
    /// Highest change number of a case version that belongs to the run.
    pub watermark: i64,
    /// Digests and versions that make it reproducible (schema, guideline, centre table, engine, code), as given.
    pub parameters: Value,
    /// What finished it reports (cases, evaluated, reused, seconds), as given.
    pub summary: Option<Value>,
    /// How far it is, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<RunProgress>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Who started it.
    pub started_by: String,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Who published it.
    pub published_by: Option<String>,
}

/// How far a running run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunProgress {
    /// What it is doing: `evaluating`, `aggregating`, `summarising`.
    pub phase: String,
    /// Cases done.
    pub done: u64,
    /// Cases in all.
    pub total: u64,
}

/// What a new run is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct StartRun {
    /// Data are counted up to this date.
    pub cutoff_date: NaiveDate,
    /// Digests and versions that make it reproducible.
    pub parameters: Value,
}

/// What ends a run.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishRun {
    /// Counts and times, shown with the run.
    pub summary: Value,
    /// The results.
    pub results: Vec<RunResult>,
}

/// One stored result: opaque JSON text under its kind and key (`adherence`, `survival`/`S1`, `overview`, ..).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunResult {
    /// Kind.
    pub kind: String,
    /// Key within the kind; empty when there is one only.
    pub key: String,
    /// JSON text.
    pub body: String,
}

/// What a run is published with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Every other published run when the results were worked out.
    pub beside: Vec<i64>,
    /// Results kept with the run: what of it may be shown beside those runs.
    pub results: Vec<RunResult>,
}

/// Kind and key of a stored result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultKey {
    /// Kind.
    pub kind: String,
    /// Key within the kind.
    pub key: String,
}

/// Names one version of one case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseRef {
    /// Centre.
    pub centre_id: String,
    /// Record id.
    pub case_id: String,
    /// Version.
    pub version: i64,
}

/// A case version that belongs to a run, without its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseHeader {
    /// Which version of which case; the centre is the one that holds it now, where its rows are.
    pub case: CaseRef,
    /// The centres that held it, as known at the watermark.
    pub holders: Holders,
    /// Status of the version (never draft).
    pub status: CaseStatus,
    /// Schema version.
    pub schema_version: String,
    /// Computed columns.
    pub derived: Derived,
    /// When the version was stored.
    pub submitted_at: DateTime<Utc>,
    /// Keyed content hash (hexadecimal).
    pub content_hash: String,
    /// Findings of severity error.
    pub errors: i64,
    /// Findings of severity warning.
    pub warnings: i64,
}

/// Cases that had a version at a watermark and are in no run of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CasesLeftOut {
    /// Never submitted so far.
    pub drafts: u64,
    /// Withdrawn, erased ones included.
    pub withdrawn: u64,
}

/// A case version with its document.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseDocument {
    /// The header.
    pub header: CaseHeader,
    /// The document as sent.
    pub document: Value,
}

/// Names one stored evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EvaluationRef {
    /// Centre.
    pub centre_id: String,
    /// Record id.
    pub case_id: String,
    /// Evaluation key: hash over case version, effective cut-off, guideline, centre table and engine.
    pub key: String,
}

/// An evaluation of one case in a run: stored when new, referenced by the run in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvaluation {
    /// Which version of which case.
    pub case: CaseRef,
    /// Evaluation key.
    pub key: String,
    /// The payload to store; `None` when the evaluation is stored already and only referenced.
    pub payload: Option<Vec<u8>>,
}

/// One line of a run: the case version and its evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEvaluation {
    /// Which version of which case; the centre is the one that holds it now.
    pub case: CaseRef,
    /// The centres that held it, as known at the run's watermark.
    pub holders: Holders,
    /// Evaluation key.
    pub key: String,
    /// The payload as given.
    pub payload: Vec<u8>,
}
