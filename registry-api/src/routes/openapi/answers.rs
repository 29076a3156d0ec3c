//! The shapes of answers, for the OpenAPI document. What is answered is made elsewhere; `tests/it/openapi.rs` holds the two together.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use utoipa::ToSchema;

/// An error answer (RFC 9457).
#[derive(ToSchema)]
pub struct Problem {
    /// `urn:rps-registry:problem:<code>`.
    pub r#type: String,
    /// What it means, for a person.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable, snake_case.
    pub code: String,
    /// Names the request in the service's log.
    pub request_id: String,
    /// What to do about it. Never a value that was sent.
    pub detail: Option<String>,
    /// Every finding of a refused record or file.
    pub errors: Option<Vec<Value>>,
    /// Findings beyond those listed.
    pub further_errors: Option<u64>,
}

/// What a check or the schema says of a record. Never a value of it.
#[derive(ToSchema)]
pub struct Finding {
    /// Stable: of the schema (`not_in_code_list`; `identifying_pseudonym` for one that reads as a name, a record number or a date of birth), or the edit check's id (`E-011`).
    pub code: String,
    /// `reject` refuses the record, `error` keeps the elements out of measures, `warning` asks.
    pub severity: String,
    /// RFC 6901 pointer into the document as sent.
    pub pointer: String,
    /// Edit check; none for a finding of the schema.
    pub rule: Option<String>,
    /// Version of the edit check.
    pub rule_version: Option<String>,
    /// What is wrong and what is allowed.
    pub message: String,
    /// Elements that were read, `entity.element`.
    pub elements: Vec<String>,
    /// The same finding keeps it when rows move.
    pub identity: String,
    /// `open`, `answered` or `resolved`, of a stored case.
    pub state: Option<String>,
}

/// A finding with its life.
#[derive(ToSchema)]
pub struct LivingFinding {
    pub identity: String,
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// Into the last version that fired it.
    pub pointer: String,
    pub rule: Option<String>,
    pub rule_version: Option<String>,
    pub message: String,
    pub elements: Vec<String>,
    /// `open`, `answered` or `resolved`.
    pub state: String,
    /// First version that fired it.
    pub first_version: i64,
    /// Last version that fired it.
    pub last_version: i64,
    /// Why it stands, once the centre has said so.
    pub answer: Option<FindingAnswer>,
}

/// Why a warning stands.
#[derive(ToSchema)]
pub struct FindingAnswer {
    pub reason: String,
    pub actor: String,
    pub answered_at: DateTime<Utc>,
}

/// The findings of a case.
#[derive(ToSchema)]
pub struct Findings {
    pub findings: Vec<LivingFinding>,
}

/// A section that nobody has attested.
#[derive(ToSchema)]
pub struct UnattestedSection {
    pub section: String,
    /// Measures that cannot be assessed for want of this alone.
    pub measures_unlocked: u64,
}

/// A measure on one unit of a case.
#[derive(ToSchema)]
pub struct AssessmentLine {
    pub guideline: String,
    pub guideline_version: String,
    pub measure: String,
    pub statement: Value,
    pub title: String,
    pub level_and_grade: Value,
    /// `composite` for an all-or-none summary.
    pub kind: String,
    pub unit: String,
    /// Row of the unit; 0 for the patient.
    pub unit_index: u32,
    /// `MET`, `NOT_MET`, `USED`, `NOT_USED`, `NOT_ASSESSABLE`, `EXCLUDED`, `EXCEPTED` or `NOT_IN_DENOM`.
    pub outcome: String,
    /// Why it cannot be assessed or does not count.
    pub reason: Option<String>,
    /// The element that is missing.
    pub element: Option<String>,
    /// Measures of an all-or-none summary.
    pub parts: Option<Vec<String>>,
    /// With `explain=true`.
    pub explanation: Option<Value>,
    /// Of a care gap: `open`, `past` or `not_recorded`.
    pub state: Option<String>,
    /// Of an open care gap: the last day that still counts.
    pub in_time_through: Option<NaiveDate>,
}

/// What the guideline says of a case.
#[derive(ToSchema)]
pub struct Assessment {
    pub version: i64,
    pub assessed_as_of: NaiveDate,
    pub assessment: Vec<AssessmentLine>,
    pub care_gaps: Vec<AssessmentLine>,
}

/// The same, in the answer to a submission.
#[derive(ToSchema)]
pub struct AssessmentOfSubmission {
    pub lines: Vec<AssessmentLine>,
    pub care_gaps: Vec<AssessmentLine>,
}

/// The answer to a stored submission.
#[derive(ToSchema)]
pub struct Acceptance {
    /// Pseudonym.
    pub case: String,
    pub record_id: String,
    pub version: i64,
    pub etag: String,
    pub status: Value,
    pub submitted_at: DateTime<Utc>,
    /// The content was that of the current version: no new one was made.
    pub unchanged: bool,
    pub findings: Vec<Finding>,
    pub further_findings: u64,
    pub not_attested: Vec<UnattestedSection>,
    /// With `assess=true`.
    pub assessment: Option<AssessmentOfSubmission>,
}

/// The verdict on one record, nothing stored.
#[derive(ToSchema)]
pub struct Verdict {
    pub line: u64,
    pub case: Option<String>,
    pub accepted: bool,
    pub findings: Vec<Finding>,
    pub further_findings: Option<u64>,
    pub derived: Option<Value>,
    pub not_attested: Option<Vec<UnattestedSection>>,
    /// What the store would make of it: `new`, `changed`, `unchanged`.
    pub would_be: Option<String>,
    /// Why the store would not take it.
    pub refusal: Option<Problem>,
    /// Of what is no document.
    pub problem: Option<Problem>,
}

/// Verdicts in the order sent.
#[derive(ToSchema)]
pub struct Verdicts {
    pub results: Vec<Verdict>,
}

/// An answer per item, in the order sent: an acceptance, a withdrawal, or a problem, each with its `status`.
#[derive(ToSchema)]
pub struct BatchResults {
    pub results: Vec<Value>,
}

/// A withdrawal of consent that is in force.
#[derive(ToSchema)]
pub struct Withdrawn {
    pub record_id: String,
    pub version: i64,
    pub status: String,
    pub withdrawal: Value,
    pub unchanged: bool,
    /// That the day it arrived was taken for the day of withdrawal.
    pub warnings: Vec<Value>,
    pub releases_that_held_the_case: Vec<Value>,
    pub data_requests_that_held_the_case: Vec<Value>,
}

/// One line of the list of cases.
#[derive(ToSchema)]
pub struct CaseRow {
    pub case_id: String,
    pub centre_id: String,
    /// None once erased.
    pub pseudonym: Option<String>,
    /// `draft`, `submitted`, `verified` or `locked`.
    pub status: String,
    pub locked_through: Option<NaiveDate>,
    pub version: i64,
    pub etag: String,
    pub schema_version: String,
    pub derived: Value,
    pub errors: i64,
    pub warnings: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub withdrawal: Option<Value>,
}

/// A page of cases.
#[derive(ToSchema)]
pub struct Cases {
    pub cases: Vec<CaseRow>,
    pub next: Option<String>,
}

/// A stored case: `case` can be edited and `PUT` back as it is.
#[derive(ToSchema)]
pub struct StoredCase {
    pub case: Value,
    pub derived: Value,
    pub envelope: Value,
    pub findings: Vec<Value>,
}

/// One version of a case.
#[derive(ToSchema)]
pub struct VersionRow {
    pub version: i64,
    pub schema_version: String,
    pub status: String,
    pub submitted_at: DateTime<Utc>,
    pub actor: String,
    pub reason: Option<String>,
    pub content_hash: String,
    pub errors: i64,
    pub warnings: i64,
}

/// A page of a case's history.
#[derive(ToSchema)]
pub struct Versions {
    pub versions: Vec<VersionRow>,
    pub next: Option<String>,
}

/// What became of the cases of a job so far.
#[derive(ToSchema)]
pub struct JobCounts {
    pub total: u64,
    pub created: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub refused: u64,
}

/// A job of a centre.
#[derive(ToSchema)]
pub struct Job {
    pub job_id: String,
    pub centre_id: String,
    /// `import` or `batch`.
    pub kind: String,
    pub dry_run: bool,
    /// `running`, `done`, `failed`, or `interrupted` when its service ended.
    pub state: String,
    pub counts: JobCounts,
    pub problem: Option<String>,
    pub actor: String,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// A page of jobs; the next by the `Link` header.
#[derive(ToSchema)]
pub struct Jobs {
    pub jobs: Vec<Job>,
}

/// An API key without its secret.
#[derive(ToSchema)]
pub struct Key {
    pub key_id: String,
    /// The part that may be shown.
    pub prefix: String,
    pub label: String,
    pub role: String,
    pub centre: Option<String>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub replaced_by: Option<String>,
}

/// A page of keys.
#[derive(ToSchema)]
pub struct Keys {
    pub keys: Vec<Key>,
    pub next: Option<String>,
}

/// A key just made: the only time its text exists.
#[derive(ToSchema)]
pub struct MadeKey {
    pub key: String,
    pub info: Key,
}

/// A centre.
#[derive(ToSchema)]
pub struct Centre {
    pub centre_id: String,
    pub name: String,
    pub country: Option<String>,
    pub active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A page of centres.
#[derive(ToSchema)]
pub struct Centres {
    pub centres: Vec<Centre>,
    pub next: Option<String>,
}

/// A person with an account.
#[derive(ToSchema)]
pub struct User {
    pub person_id: String,
    pub login: String,
    pub name: String,
    pub role: String,
    pub centre: Option<String>,
    /// `invited`, `active` or `disabled`.
    pub state: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// The provider with which the person signs in.
    pub issuer: Option<String>,
}

/// A page of accounts.
#[derive(ToSchema)]
pub struct Users {
    pub users: Vec<User>,
    pub next: Option<String>,
}

/// A run of the ETL; `watermark`, `summary` and `progress` are for the coordinating office.
#[derive(ToSchema)]
pub struct Run {
    pub number: i64,
    /// `running`, `finished` or `failed`.
    pub status: String,
    pub cutoff_date: NaiveDate,
    pub watermark: Option<i64>,
    pub parameters: Value,
    pub summary: Option<Value>,
    pub progress: Option<Value>,
    pub started_at: DateTime<Utc>,
    pub started_by: String,
    pub finished_at: Option<DateTime<Utc>>,
    pub published_at: Option<DateTime<Utc>>,
    pub published_by: Option<String>,
}

/// A page of runs.
#[derive(ToSchema)]
pub struct Runs {
    pub runs: Vec<Run>,
    pub next: Option<String>,
}

/// A frozen release.
#[derive(ToSchema)]
pub struct Release {
    pub release: String,
    pub run: i64,
    pub title: Option<String>,
    pub sha256: Option<String>,
    pub bytes: Option<i64>,
    pub cases: Option<Value>,
    pub created_at: Option<DateTime<Utc>>,
    pub created_by: Option<String>,
    pub manifest: Option<String>,
    pub bundle: Option<String>,
    /// Of one that is not there yet, for the coordinating office: how far it is.
    pub freezing: Option<Value>,
}

/// A page of releases.
#[derive(ToSchema)]
pub struct Releases {
    pub releases: Vec<Release>,
    pub next: Option<String>,
}

/// A data query.
#[derive(ToSchema)]
pub struct Query {
    pub id: String,
    pub centre: String,
    /// Pseudonym.
    pub case: String,
    pub case_id: String,
    /// `open`, `answered` or `closed`.
    pub state: String,
    /// `rule`, `office` or `centre`.
    pub raised_by: String,
    /// `centre` or `office`; nobody when closed.
    pub waits_for: Option<String>,
    pub rule: Option<String>,
    pub rule_version: Option<String>,
    pub pointer: Option<String>,
    pub elements: Vec<String>,
    pub version: i64,
    pub question: String,
    pub opened_at: DateTime<Utc>,
    pub opened_by: String,
    pub asked_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<String>,
    pub closing: Option<String>,
    pub reopened: i64,
    pub updated_at: DateTime<Utc>,
    /// Of one query, not of a list: what was said and done, oldest first.
    pub history: Option<Vec<Value>>,
    /// Of one query: what the reader may do now.
    pub may: Option<Vec<String>>,
}

/// A page of queries.
#[derive(ToSchema)]
pub struct Queries {
    pub queries: Vec<Query>,
    pub next: Option<String>,
}

/// An event of the trail.
#[derive(ToSchema)]
pub struct AuditEvent {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub role: String,
    /// `thing.verb`.
    pub action: String,
    pub centre_id: Option<String>,
    pub case_id: Option<String>,
    pub subject: Option<String>,
    pub old_version: Option<i64>,
    pub new_version: Option<i64>,
    pub reason: Option<String>,
    /// There is a reason that the reader may not read, or that went with its case.
    pub reason_sealed: bool,
    pub request_id: Option<String>,
    pub details: Value,
    pub hash: String,
}

/// A page of events, and the head of the chain to note outside.
#[derive(ToSchema)]
pub struct Audit {
    pub events: Vec<AuditEvent>,
    pub next: Option<String>,
    pub head: Value,
}

/// A case record, as the JSON Schema of its version at `/api/v1/schemas/case/{version}` has it: that decides which other keys there are.
#[derive(ToSchema)]
pub struct CaseRecord {
    /// Version of the case schema.
    #[schema(example = "1.0.0")]
    pub schema_version: String,
    /// With `pseudonym_id`, that of the address.
    #[schema(value_type = Object)]
    pub patient: Value,
}

/// What is changed of a case record (RFC 7396).
#[derive(ToSchema)]
pub struct CasePatch {}

/// A centre in one year: the reference table `centre` of the dictionary at `/api/v1/schemas/case/{version}/dictionary` says which keys there are.
#[derive(ToSchema)]
pub struct CentreYear {}

/// What an approval opens.
#[derive(ToSchema)]
pub struct DataAccess {
    pub files: Vec<String>,
    /// `entity.element`.
    pub elements: Vec<String>,
    pub contracted: bool,
    pub calendar_years: bool,
    pub centre_unmasked: bool,
}
