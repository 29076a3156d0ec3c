//! Cases: submissions, versions, findings, life cycle, withdrawal, transfer between centres.

mod again;
mod carried;
mod etag;
mod foreseen;
mod life_cycle;
mod list;
mod living;
mod own;
mod put;
mod read;
mod restored;
mod reuse;
pub(in crate::storage) mod rows;
mod steps;
mod transfer;
mod withdraw;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use again::{JudgedAgain, Rejudged};
pub use foreseen::Foreseen;
pub(crate) use living::{AnswerRecord, answer_in, take_answer_back};
pub use living::{ErrorsOfCheck, FindingAnswer, FindingState, LivingFinding};
pub use own::OwnCase;
pub(crate) use put::{open_reason, sealed_reason};
pub(crate) use read::locate;
pub(crate) use restored::{Again, end_reuse_again, reapply};
pub(crate) use reuse::taken_back;
pub(crate) use rows::{
    CaseRecord, VersionRecord, finding_records, load_case, load_case_anywhere, load_findings, load_version,
    stored_status,
};
pub use steps::LifeStep;
pub use transfer::{Transfer, TransferOutcome};
pub use withdraw::WITHDRAWAL_REASONS;

use super::idempotency::{Answer, Idempotency};

/// A finding as stored with a case version; one that refuses a record (severity reject) is never stored.
pub use crate::validation::{Finding as StoredFinding, Formerly, Severity as StoredSeverity};

/// Where a case is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// Kept for the centre; never enters a run.
    Draft,
    /// Enters runs.
    Submitted,
    /// Checked against the source by the centre's lead; a change needs a reason.
    Verified,
    /// Frozen through a date; a change needs a reason.
    Locked,
}

impl CaseStatus {
    /// Every status.
    pub const ALL: [CaseStatus; 4] = [
        CaseStatus::Draft,
        CaseStatus::Submitted,
        CaseStatus::Verified,
        CaseStatus::Locked,
    ];

    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseStatus::Draft => "draft",
            CaseStatus::Submitted => "submitted",
            CaseStatus::Verified => "verified",
            CaseStatus::Locked => "locked",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What the request says about the version it means to replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// No header: creates; an existing case is refused with [`super::StoreError::PreconditionRequired`].
    #[default]
    None,
    /// `If-Match: "a", "b"`: one of these ETags (quotes included, as sent) is the current one. A weak tag (`W/..`) never matches.
    IfMatch(Vec<String>),
    /// `If-Match: *`: the case exists, whatever its version.
    IfMatchAny,
    /// `If-None-Match: *`: there is no such case.
    IfNoneMatchAny,
    /// No header, and replacing is meant all the same (the demo's loader, files that do not say which version they hold).
    Whatever,
    /// A file that says which version of the case it was taken from. There may be no such case, and content that is the current one is
    /// no change, whatever the version.
    AtVersion(i64),
}

/// What the service computes from a case and keeps beside it for lists and filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Derived {
    /// `patient.histology_code` of value set H.
    pub histology_code: Option<String>,
    /// `core`, `extended`, `excluded` or `not_listed`.
    pub eligibility_class: Option<String>,
    /// Date of metastatic diagnosis as recorded (may be partial).
    pub t0: Option<String>,
}

/// What a new document changes about rows frozen through a day: the stored document, the new one, the day. Nothing is stored unless the
/// answer is empty. The store itself reads no document; [`crate::validation::Judge::frozen`] does.
pub type FrozenRows = Arc<dyn Fn(&Value, &Value, NaiveDate) -> Vec<StoredFinding> + Send + Sync>;

/// One submission. The centre is the scope's.
pub struct PutCase {
    /// The centre's pseudonym for the patient (1 to 64 visible ASCII characters).
    pub pseudonym: String,
    /// What the request says about the version it replaces.
    pub precondition: Precondition,
    /// The document as sent.
    pub document: Value,
    /// The schema version it was validated against.
    pub schema_version: String,
    /// [`CaseStatus::Draft`] or [`CaseStatus::Submitted`]; a locked case stays locked.
    pub status: CaseStatus,
    /// A draft that is there stays one, whatever `status` says: of a request that does not say whether it submits.
    pub keep_draft: bool,
    /// Computed columns.
    pub derived: Derived,
    /// Findings of severity error and warning.
    pub findings: Vec<StoredFinding>,
    /// Under which other identities they may have been kept.
    pub formerly: Vec<Formerly>,
    /// Why; needed for a verified or locked case.
    pub reason: Option<String>,
    /// What a lock through a date has frozen; asked only when the case is locked.
    pub frozen: FrozenRows,
    /// Store the answer under this key in the same transaction.
    pub idempotency: Option<Idempotency<PutOutcome>>,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOutcome {
    /// The record's id (UUIDv7), `envelope.record_id`.
    pub case_id: String,
    /// The current version, from 1.
    pub version: i64,
    /// The current strong ETag, quotes included.
    pub etag: String,
    /// The status after the change.
    pub status: CaseStatus,
    /// When the current version was stored.
    pub submitted_at: DateTime<Utc>,
    /// This request made the case.
    pub created: bool,
    /// The content equals the current version: nothing was stored.
    pub unchanged: bool,
    /// Identities of its findings that the centre has answered.
    #[serde(default)]
    pub answered: BTreeSet<String>,
    /// Consent to research reuse was taken back: bundles that hold the case are not to be handed out any more.
    #[serde(default)]
    pub reuse_ended: bool,
    /// The answer stored earlier under the same idempotency key; send it as it is.
    #[serde(skip)]
    pub replay: Option<Answer>,
}

/// A case as it is now, or one of its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCase {
    /// The row that lists show.
    pub row: CaseRow,
    /// The version that `document` is.
    pub version: i64,
    /// The document as sent.
    pub document: Value,
    /// The schema version this version was validated against.
    pub schema_version: String,
    /// Computed columns of this version.
    pub derived: Derived,
    /// Findings stored with this version.
    pub findings: Vec<StoredFinding>,
    /// When this version was stored.
    pub submitted_at: DateTime<Utc>,
}

/// One line of a list of cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CaseRow {
    /// Record id.
    pub case_id: String,
    /// Centre.
    pub centre_id: String,
    /// Pseudonym; `None` once erased.
    pub pseudonym: Option<String>,
    /// Status.
    pub status: CaseStatus,
    /// Locked through this date.
    pub locked_through: Option<NaiveDate>,
    /// Current version.
    pub version: i64,
    /// Current ETag.
    pub etag: String,
    /// Schema version of the current version.
    pub schema_version: String,
    /// Computed columns.
    pub derived: Derived,
    /// Findings of severity error.
    pub errors: i64,
    /// Findings of severity warning.
    pub warnings: i64,
    /// First stored.
    pub created_at: DateTime<Utc>,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
    /// Set when consent was withdrawn.
    pub withdrawal: Option<Withdrawal>,
}

/// One line of a case's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct VersionRow {
    /// Version number, from 1.
    pub version: i64,
    /// Schema version it was validated against.
    pub schema_version: String,
    /// Status it was stored with.
    pub status: CaseStatus,
    /// When.
    pub submitted_at: DateTime<Utc>,
    /// By whom.
    pub actor: String,
    /// Why, if said.
    pub reason: Option<String>,
    /// Keyed hash of the content (hexadecimal): comparable within this case only.
    pub content_hash: String,
    /// Findings of severity error.
    pub errors: i64,
    /// Findings of severity warning.
    pub warnings: i64,
}

/// Filters of the list of cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// One centre (for scopes that see several).
    pub centre: Option<String>,
    /// Status.
    pub status: Option<CaseStatus>,
    /// Histology code.
    pub histology: Option<String>,
    /// Changed at or after.
    pub updated_since: Option<DateTime<Utc>>,
    /// With or without findings.
    pub has_findings: Option<bool>,
    /// With or without findings of severity error.
    pub has_errors: Option<bool>,
    /// Withdrawn cases too (default: left out).
    pub include_withdrawn: bool,
}

/// What a withdrawal of consent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalMode {
    /// Leaves every later run and release; what past releases rest on is kept.
    NoFurtherUse,
    /// Destroys the case's key, its findings and its evaluations.
    Erase,
}

impl WithdrawalMode {
    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            WithdrawalMode::NoFurtherUse => "no_further_use",
            WithdrawalMode::Erase => "erase",
        }
    }
}

/// Withdrawal of consent for one case.
pub struct Withdraw {
    /// The pseudonym.
    pub pseudonym: String,
    /// The centre, for a coordinator; a centre's scope names its own.
    pub centre: Option<String>,
    /// What is asked.
    pub mode: WithdrawalMode,
    /// When consent was withdrawn (may be before today).
    pub date: NaiveDate,
    /// Why, in administrative words (kept in the audit trail, also after erasure: no patient data).
    pub reason: Option<String>,
    /// The consent document of a `PUT`, with the schema version it was validated against: with it, an unknown
    /// pseudonym is registered as withdrawn instead of refused.
    pub document: Option<(Value, String)>,
    /// As for a submission; `Whatever` for the `:withdraw` action.
    pub precondition: Precondition,
    /// Store the answer under this key in the same transaction.
    pub idempotency: Option<Idempotency<WithdrawOutcome>>,
}

/// A recorded withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Withdrawal {
    /// What was asked.
    pub mode: WithdrawalMode,
    /// Date of withdrawal.
    pub date: NaiveDate,
}

/// What became of a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawOutcome {
    /// Record id.
    pub case_id: String,
    /// ETag after the withdrawal.
    pub etag: String,
    /// Version after the withdrawal.
    pub version: i64,
    /// The withdrawal in force.
    pub withdrawal: Withdrawal,
    /// The pseudonym was not known before and is now registered as withdrawn.
    pub created: bool,
    /// Nothing changed: the same withdrawal was in force.
    pub unchanged: bool,
    /// Releases made from runs that held the case.
    pub releases: Vec<String>,
    /// Data requests whose delivered bundle held the case.
    #[serde(default)]
    pub requests: Vec<String>,
    /// The answer stored earlier under the same idempotency key; send it as it is.
    #[serde(skip)]
    pub replay: Option<Answer>,
}

/// A step in the life of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeCycle {
    /// Submitted becomes verified: somebody has held it against its source.
    Verify,
    /// Frozen through a date (rows dated up to it).
    Lock {
        /// The date.
        through: NaiveDate,
    },
    /// Locked becomes what it was before the lock, or submitted when it was changed since; needs a reason.
    Unlock,
}
