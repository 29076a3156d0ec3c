//! Everything that can go wrong in the store, in one type that the API maps to problems.
//!
//! No variant carries a value of a case, a pseudonym or a secret: record ids, names of tables and constraints only.

use super::cases::CaseStatus;
use crate::audit::Tampered;

/// Why credentials are not accepted. One answer (401) to the outside; the kind is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// Malformed, or no such key, session or link.
    #[error("unknown credentials")]
    Unknown,
    /// Was valid once.
    #[error("expired credentials")]
    Expired,
    /// Withdrawn by the coordinating office, or signed out.
    #[error("revoked credentials")]
    Revoked,
    /// A one-time link that was used before.
    #[error("the sign-in link was used before")]
    Used,
}

/// Why the database does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Outage {
    /// Another process holds the SQLite file, or PostgreSQL lock waiting ended.
    #[error("the database is locked by another process")]
    Locked,
    /// The SQLite file is not there or cannot be opened.
    #[error(
        "the database file is missing or cannot be opened: run `registry migrate` or check the path and its permissions"
    )]
    Missing,
    /// The file, the disk or the server is read-only.
    #[error("the database is read-only")]
    ReadOnly,
    /// No space left (answered with 507).
    #[error("the database has no space left")]
    Full,
    /// The server cannot be reached or closed the connection.
    #[error("the database server cannot be reached")]
    Unreachable,
    /// The tables are not there, or older or newer than this program.
    #[error("the database is not migrated to this program's version: run `registry migrate`")]
    NotMigrated,
    /// All connections are in use, or the store is shutting down.
    #[error("no database connection is free")]
    Busy,
    /// The file is not a database, or damaged.
    #[error("the database file is damaged: restore it from a backup")]
    Damaged,
}

/// What a method of the store answers when it does not answer the question.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// No such thing, or not within the scope: the two cannot be told apart (404).
    #[error("not found")]
    NotFound,
    /// The role may not do this at all (403).
    #[error("the role {role} may not {action}")]
    Forbidden {
        /// The role that asked.
        role: &'static str,
        /// What was asked, as a verb phrase.
        action: &'static str,
    },
    /// The case exists and the request names no version (428).
    #[error("the case exists: send If-Match with its ETag")]
    PreconditionRequired {
        /// The current ETag.
        etag: String,
    },
    /// The named version is not the current one, or `If-None-Match: *` met an existing case (412).
    #[error("the case is not at the version that the request names")]
    PreconditionFailed {
        /// The current ETag, if the case exists.
        etag: Option<String>,
    },
    /// Another centre holds this pseudonym (409); a coordination task was opened.
    #[error("the pseudonym is registered elsewhere; the coordinating office has been told")]
    PseudonymRegistered,
    /// The patient has withdrawn consent (409): nothing more is accepted.
    #[error("consent was withdrawn for this case: nothing more is accepted")]
    Withdrawn {
        /// The case is erased too.
        erased: bool,
    },
    /// A change to a verified or locked case needs a reason (422).
    #[error("the case is {}: a change needs a reason", .0.as_str())]
    ReasonRequired(CaseStatus),
    /// Locking or unlocking needs a reason (422).
    #[error("a case is {0} for a reason only: say why")]
    StepReasonRequired(&'static str),
    /// The change touches rows that a lock has frozen (409): each of them, or what is lost of a section.
    #[error("the case is locked through {through}: rows up to then stay as they are")]
    Frozen {
        /// The day of the lock.
        through: chrono::NaiveDate,
        /// Where.
        findings: Vec<crate::validation::Finding>,
    },
    /// The thing is not in a state in which this can be done (409).
    #[error("{0}")]
    InvalidState(&'static str),
    /// Something with this name exists (409).
    #[error("this {0} exists already")]
    Duplicate(&'static str),
    /// A cursor that leads nowhere in this list (400).
    #[error("not a cursor of this list")]
    BadCursor,
    /// A value that the store cannot keep (422); the value is not repeated.
    #[error("{0}")]
    Invalid(&'static str),
    /// A password that is easily guessed (422).
    #[error(transparent)]
    Weak(#[from] crate::access::Weakness),
    /// The first request with this idempotency key is still running (409).
    #[error("a request with this idempotency key is being handled")]
    IdempotencyInFlight {
        /// Within so many seconds the key is free again, unless that request gives another sign of life.
        seconds: i64,
    },
    /// The idempotency key was used with another body (422).
    #[error("the idempotency key was used with another request")]
    IdempotencyReused,
    /// The credentials are not accepted (401).
    #[error("{0}")]
    Unauthenticated(AuthFailure),
    /// Another run is active (409).
    #[error("run {0} is active: one run at a time")]
    RunActive(i64),
    /// The master key is not the one the database was written with.
    #[error("wrong master key: the database was written with key {expected}, this is key {given}")]
    WrongMasterKey {
        /// Id of the key the database needs.
        expected: String,
        /// Id of the key given.
        given: String,
    },
    /// A sealed value does not open: damaged, or moved from another row.
    #[error("a sealed value of case {0} does not open: the row was changed outside the registry")]
    Unreadable(String),
    /// The audit chain does not verify.
    #[error(transparent)]
    Tampered(#[from] Tampered),
    /// The database does not answer now (503; 507 when full).
    #[error("{0}")]
    Unavailable(Outage),
    /// The item was fine, but another item of its atomic batch was refused: nothing was stored.
    #[error("nothing of the batch was stored: item {0} was refused")]
    BatchRefused(usize),
    /// The settings are wrong.
    #[error(transparent)]
    Options(#[from] super::options::OptionsError),
    /// Not offered on this database; says what to use.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A fault of the program or the database (500). Class and place only, never values.
    #[error("internal storage error: {0}")]
    Internal(String),
}

impl StoreError {
    /// True when trying again later can help (503 or 507).
    pub fn is_unavailable(&self) -> bool {
        matches!(self, StoreError::Unavailable(_))
    }
}
