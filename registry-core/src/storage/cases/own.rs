//! A centre's own cases in full, page by page.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::rows::{CaseRecord, load_version};
use crate::access::Scope;
use crate::storage::connection::on_conn;
use crate::storage::identifiers::utc;
use crate::storage::store::require;
use crate::storage::tables::cases;
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

/// The current version of a case, as its centre takes it home.
#[derive(Debug, Clone)]
pub struct OwnCase {
    /// Record id.
    pub case_id: String,
    /// The centre that holds it.
    pub centre_id: String,
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
            records
                .into_iter()
                .map(|case| {
                    let key = case.key(keys)?;
                    let version = load_version(conn, &case, case.version)?;
                    Ok(OwnCase {
                        document: version.open(&key)?,
                        submitted_at: utc(version.submitted_at),
                        case_id: case.case_id,
                        centre_id: case.centre_id,
                    })
                })
                .collect::<Result<Vec<_>, StoreError>>()
        })?;
        self.record_reading(scope, Event::new("case.export").detail("cases", found.len()))?;
        Ok(found)
    }
}
