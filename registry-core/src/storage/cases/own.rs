//! A centre's own cases in full: page by page, or those somebody names.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::CaseStatus;
use super::rows::{CaseRecord, load_version};
use crate::access::Scope;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::identifiers::utc;
use crate::storage::keyring::Keyring;
use crate::storage::store::require;
use crate::storage::tables::cases;
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

/// Record ids in one statement: far below what either database takes.
const CASES_A_STATEMENT: usize = 500;

/// The current version of a case, as its centre takes it home.
#[derive(Debug, Clone)]
pub struct OwnCase {
    /// Record id.
    pub case_id: String,
    /// The centre that holds it.
    pub centre_id: String,
    /// Which version it is.
    pub version: i64,
    /// Where it is in its life.
    pub status: CaseStatus,
    /// When this version was submitted.
    pub submitted_at: DateTime<Utc>,
    /// The document as submitted.
    pub document: Value,
}

impl Store {
    /// The next `batch` cases of the scope's centre behind the record id `after`, drafts included, withdrawn ones not.
    /// One audit event per page.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for a scope that belongs to no centre or sees no case.
    pub fn own_cases(&self, scope: &Scope, after: &str, batch: usize) -> Result<Vec<OwnCase>, StoreError> {
        require(scope, scope.role().sees_cases(), "export cases")?;
        let centre = scope.centre().unwrap_or_default();
        require(scope, !centre.is_empty(), "export cases")?;
        let found = self.read(scope, |conn, keys| {
            let query = cases::table
                .filter(cases::centre_id.eq(centre))
                .filter(cases::case_id.gt(after))
                .filter(cases::withdrawal_mode.is_null())
                .order(cases::case_id)
                .limit(i64::try_from(batch).unwrap_or(i64::MAX));
            let records = on_conn!(conn, c => query.load::<CaseRecord>(c))?;
            opened(conn, keys, records)
        })?;
        self.record_reading(scope, Event::new("case.export").detail("cases", found.len()))?;
        Ok(found)
    }

    /// The current versions of these cases of a centre (record ids), in the order of the record ids; drafts and withdrawn cases are left
    /// out. One audit event for all.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for another centre's.
    pub fn current_cases(
        &self,
        scope: &Scope,
        centre: &str,
        wanted: &[String],
    ) -> Result<Vec<OwnCase>, StoreError> {
        let allowed = scope.role().sees_cases() && scope.covers(centre);
        require(scope, allowed, "read the cases of this centre")?;
        let mut found = Vec::new();
        for some in wanted.chunks(CASES_A_STATEMENT) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            let more = self.read(scope, |conn, keys| {
                let query = cases::table
                    .filter(cases::centre_id.eq(centre))
                    .filter(cases::case_id.eq_any(&some))
                    .filter(cases::withdrawal_mode.is_null())
                    .filter(cases::status.ne(CaseStatus::Draft.as_str()))
                    .order(cases::case_id);
                let records = on_conn!(conn, c => query.load::<CaseRecord>(c))?;
                opened(conn, keys, records)
            })?;
            found.extend(more);
        }
        if !found.is_empty() {
            let event = Event::new("case.read_many").centre(centre);
            self.record_reading(scope, event.detail("cases", found.len()))?;
        }
        Ok(found)
    }
}

pub(super) fn opened(
    conn: &mut Conn,
    keys: &Keyring,
    records: Vec<CaseRecord>,
) -> Result<Vec<OwnCase>, StoreError> {
    let open = |case: CaseRecord| -> Result<OwnCase, StoreError> {
        let key = case.key(keys)?;
        let version = load_version(conn, &case, case.version)?;
        Ok(OwnCase {
            document: version.open(&key)?,
            submitted_at: utc(version.submitted_at),
            status: case.status()?,
            case_id: case.case_id,
            centre_id: case.centre_id,
            version: version.version,
        })
    };
    records.into_iter().map(open).collect()
}
