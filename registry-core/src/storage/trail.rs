//! Reading and checking the audit trail.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Filters of the list of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who acted.
    pub actor: Option<String>,
    /// What was done (`case.put`, `key.create`, ..).
    pub action: Option<String>,
    /// Centre concerned.
    pub centre: Option<String>,
    /// Case concerned.
    pub case_id: Option<String>,
    /// At or after.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// One event as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRow {
    /// Place in the chain, from 1.
    pub seq: i64,
    /// When (UTC).
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What.
    pub action: String,
    /// Centre concerned.
    pub centre_id: Option<String>,
    /// Case concerned.
    pub case_id: Option<String>,
    /// What else it concerns (a key id, a run number).
    pub subject: Option<String>,
    /// Version before.
    pub old_version: Option<i64>,
    /// Version after.
    pub new_version: Option<i64>,
    /// Why; `None` when none was given or the case it belongs to is erased.
    pub reason: Option<String>,
    /// A reason was given and cannot be read any more (the case is erased) or not in this role.
    pub reason_sealed: bool,
    /// The request.
    pub request_id: Option<String>,
    /// Further facts, a JSON object (keyed hashes, counts; never values).
    pub details: serde_json::Value,
    /// Hash of this event (hexadecimal).
    pub hash: String,
}

use super::{Page, Store, StoreError};
use crate::access::Scope;
use crate::audit::{ChainHead, ChainReport};
impl Store {
    /// Events, newest first. `coordinator`, `admin`.
    pub fn list_audit(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<AuditRow>, StoreError> {
        todo!()
    }
    /// The recorded head, to be noted outside the database.
    pub fn audit_head(&self) -> Result<ChainHead, StoreError> {
        todo!()
    }
    /// Checks the whole chain against the recorded head and one noted earlier. [`StoreError::Tampered`] says where it breaks.
    pub fn verify_audit(&self, anchor: Option<ChainHead>) -> Result<ChainReport, StoreError> {
        todo!()
    }
    /// Records that something was read or exported that no other method records (`release.download`, `export.csv`, ..).
    pub fn record_access(
        &self,
        scope: &Scope,
        action: &str,
        subject: Option<&str>,
        details: serde_json::Value,
    ) -> Result<(), StoreError> {
        todo!()
    }
}
