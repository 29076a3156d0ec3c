//! Data queries: what somebody wants to know about a case. An edit check that warns raises one for each of its findings; the coordinating
//! office asks the centre, a centre asks the office.
//!
//! A rule's query goes with its finding: open while the finding is, answered when the finding is, closed by the registry once a version
//! no longer fires it, and open again when it comes back. What the check says stays with the findings; a query keeps its state and times,
//! and what people say, sealed with the case's key.
//!
//! | file | holds |
//! |---|---|
//! | `steps` | the state machine: who may do what from which state |
//! | `rows` | rows of the two tables, sealed words |
//! | `rules` | queries that follow the findings of a version |
//! | `people` | raised, answered, closed and reopened by people |
//! | `read` | one query, lists, counts, times |

mod people;
mod read;
mod rows;
mod rules;
mod steps;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use people::finding_answered;
pub(crate) use rows::{QueryRecord, exported, forget, transfer};
pub(crate) use rules::{Following, close_for_consent, raised_by_checks};

use super::idempotency::{Answer, Idempotency};

/// Where a query is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QueryState {
    /// Waits for those who are asked.
    Open,
    /// Waits for those who asked.
    Answered,
    /// Settled.
    Closed,
}

/// Who asked.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RaisedBy {
    /// An edit check: the centre is asked, and the coordinating office judges the answer.
    Rule,
    /// The coordinating office: the centre is asked.
    Office,
    /// The centre: the coordinating office is asked.
    Centre,
}

/// Why a query is closed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QueryClosing {
    /// The answer settles it.
    Accepted,
    /// Who asked no longer does.
    TakenBack,
    /// A later version no longer fires the check.
    Resolved,
    /// The patient has withdrawn consent.
    ConsentWithdrawn,
}

/// One entry of a query's history.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QueryStep {
    /// The question.
    Raised,
    /// More about the question.
    Message,
    /// An answer.
    Answered,
    /// Closed: the answer settles it.
    Accepted,
    /// Closed by who asked.
    TakenBack,
    /// Closed by the registry: a version no longer fires the check.
    Resolved,
    /// Closed by the registry.
    ConsentWithdrawn,
    /// Open again, with what the answer lacks.
    Reopened,
    /// Open again by the registry: a version fires the check once more.
    CameBack,
}

/// What people can do to a query.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QueryAction {
    /// Say something: an answer, or more about the question.
    Message,
    /// Settle it.
    Close,
    /// Ask again.
    Reopen,
}

macro_rules! named {
    ($($kind:ident { $($variant:ident = $name:literal),+ $(,)? })+) => {$(
        impl $kind {
            /// All of them.
            pub const ALL: &'static [$kind] = &[$($kind::$variant),+];

            /// The name in the database and in answers.
            pub fn as_str(self) -> &'static str {
                match self { $($kind::$variant => $name),+ }
            }

            /// Reads the name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    )+};
}
named! {
    QueryState { Open = "open", Answered = "answered", Closed = "closed" }
    RaisedBy { Rule = "rule", Office = "office", Centre = "centre" }
    QueryClosing { Accepted = "accepted", TakenBack = "taken_back", Resolved = "resolved", ConsentWithdrawn = "consent_withdrawn" }
    QueryStep {
        Raised = "raised", Message = "message", Answered = "answered", Accepted = "accepted", TakenBack = "taken_back",
        Resolved = "resolved", ConsentWithdrawn = "consent_withdrawn", Reopened = "reopened", CameBack = "came_back",
    }
    QueryAction { Message = "message", Close = "close", Reopen = "reopen" }
}

/// One query, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Query)]
pub struct DataQuery {
    /// Id (UUID).
    pub id: String,
    /// Centre of the case.
    pub centre: String,
    /// Pseudonym of the case.
    pub case: String,
    /// Record id of the case.
    pub case_id: String,
    /// Where it is.
    pub state: QueryState,
    /// Who asked.
    pub raised_by: RaisedBy,
    /// Who is to act next; none of a closed query.
    pub waits_for: Option<QuerySide>,
    /// The edit check it is about.
    pub rule: Option<String>,
    /// That check's version, of a rule's query.
    pub rule_version: Option<String>,
    /// JSON Pointer into version `version`.
    pub pointer: Option<String>,
    /// Elements it is about, `entity.element` (or `entity`).
    pub elements: Vec<String>,
    /// The version it is about: of a rule's query the last that fired it, else the one at which it was raised.
    pub version: i64,
    /// What is asked: the check's message, or in the words of who asked.
    pub question: String,
    /// Raised.
    pub opened_at: DateTime<Utc>,
    /// By whom; `registry` of a rule's query.
    pub opened_by: String,
    /// Raised, or last reopened.
    pub asked_at: DateTime<Utc>,
    /// First answered since then.
    pub answered_at: Option<DateTime<Utc>>,
    /// Closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub closed_by: Option<String>,
    /// Why.
    pub closing: Option<QueryClosing>,
    /// How often it was opened again.
    pub reopened: i64,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
}

/// The two sides of a query.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QuerySide {
    /// Submitters and the lead of the case's centre.
    Centre,
    /// The coordinating office.
    Office,
}

/// One entry of a query's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueryEntry {
    /// From 1.
    pub position: i64,
    /// What was done.
    pub step: QueryStep,
    /// By whom; `registry` when nobody did.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What was said.
    pub text: Option<String>,
}

/// A query with its history and what the reader may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueryThread {
    /// The query.
    #[serde(flatten)]
    pub query: DataQuery,
    /// What was said and done, oldest first.
    pub history: Vec<QueryEntry>,
    /// What the reader may do now.
    pub may: Vec<QueryAction>,
    /// The answer stored earlier under the same idempotency key; send it as it is.
    #[serde(skip)]
    pub replay: Option<Answer>,
}

/// A query that somebody raises.
pub struct NewQuery {
    /// Pseudonym of the case.
    pub pseudonym: String,
    /// What is asked.
    pub text: String,
    /// JSON Pointer to what it is about (visible ASCII; of a repeated section a row that the current version has).
    pub pointer: Option<String>,
    /// `entity.element` or `entity`, known to the dictionary.
    pub element: Option<String>,
    /// Id of an edit check.
    pub rule: Option<String>,
    /// Store the answer under this key in the same transaction.
    pub idempotency: Option<Idempotency<QueryThread>>,
}

/// Something done to a query.
pub struct QueryMove {
    /// What.
    pub action: QueryAction,
    /// What is said; needed for a message, for reopening, and for closing what nobody has answered.
    pub text: Option<String>,
    /// Store the answer under this key in the same transaction.
    pub idempotency: Option<Idempotency<QueryThread>>,
}

/// Filters of the list of queries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryFilter {
    /// One centre (for scopes that see several).
    pub centre: Option<String>,
    /// Pseudonym of a case.
    pub case: Option<String>,
    /// States; none for all.
    pub states: Vec<QueryState>,
    /// Who asked; none for everybody.
    pub raised_by: Vec<RaisedBy>,
    /// Those that wait for this side.
    pub waits_for: Option<QuerySide>,
    /// Edit check.
    pub rule: Option<String>,
    /// An element (`imaging.date`) or a section (`imaging`).
    pub element: Option<String>,
    /// Changed at or after.
    pub updated_since: Option<DateTime<Utc>>,
}

/// How many queries of a centre wait, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueriesWaiting {
    /// Open or answered: not settled.
    pub unsettled: i64,
    /// Nobody has answered yet.
    pub open: i64,
    /// The centre's turn.
    pub for_centre: i64,
    /// The coordinating office's turn.
    pub for_office: i64,
}

/// How many queries are not closed, all centres together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueriesOfAll {
    /// Open or answered.
    pub unsettled: i64,
    /// Cases they are about.
    pub cases: i64,
}

/// What the statistics of queries rest on: one query without its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryTimes {
    /// Centre of the case.
    pub centre: String,
    /// The case, to tell how many patients are behind a number.
    pub case_id: String,
    /// Who asked.
    pub raised_by: RaisedBy,
    /// The edit check it is about.
    pub rule: Option<String>,
    /// Where it is.
    pub state: QueryState,
    /// How often it was opened again.
    pub reopened: i64,
    /// Raised, or last reopened.
    pub asked_at: DateTime<Utc>,
    /// First answered since then.
    pub answered_at: Option<DateTime<Utc>>,
    /// Closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why.
    pub closing: Option<QueryClosing>,
}
