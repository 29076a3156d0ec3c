//! Reading one case. Whoever reads a document leaves an event.

use diesel::prelude::*;

use super::put::open_reason;
use super::rows::{
    CaseRecord, VersionRecord, claim_of, load_case, load_findings, load_version, stored_status,
};
use super::{CaseRow, StoredCase, VersionRow};
use crate::access::Scope;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Authors;
use crate::storage::identifiers::utc;
use crate::storage::keyring::Keyring;
use crate::storage::store::require;
use crate::storage::tables::case_versions;
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

/// The row of the case with this pseudonym, if the scope may see it.
pub(crate) fn locate(
    conn: &mut Conn,
    keys: &Keyring,
    scope: &Scope,
    pseudonym: &str,
) -> Result<CaseRecord, StoreError> {
    require(scope, scope.role().sees_cases(), "read cases")?;
    let (centre, case_id) = claim_of(conn, keys, pseudonym)?.ok_or(StoreError::NotFound)?;
    if !scope.covers(&centre) {
        return Err(StoreError::NotFound);
    }
    load_case(conn, &centre, &case_id)?.ok_or(StoreError::NotFound)
}

impl Store {
    /// The current version of a case. Audited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown case and for one of another centre alike; [`StoreError::Withdrawn`] once
    /// it is erased.
    pub fn get_case(&self, scope: &Scope, pseudonym: &str) -> Result<StoredCase, StoreError> {
        self.read_version(scope, pseudonym, None)
    }

    /// One version of a case. Audited.
    ///
    /// # Errors
    /// As [`Store::get_case`].
    pub fn get_version(
        &self,
        scope: &Scope,
        pseudonym: &str,
        version: i64,
    ) -> Result<StoredCase, StoreError> {
        self.read_version(scope, pseudonym, Some(version))
    }

    fn read_version(
        &self,
        scope: &Scope,
        pseudonym: &str,
        version: Option<i64>,
    ) -> Result<StoredCase, StoreError> {
        let stored = self.read(scope, |conn, keys| {
            let case = locate(conn, keys, scope, pseudonym)?;
            let key = case.key(keys)?;
            let version = load_version(conn, &case, version.unwrap_or(case.version))?;
            Ok(StoredCase {
                document: version.open(&key)?,
                findings: load_findings(conn, &case.centre_id, &case.case_id, version.version)?,
                version: version.version,
                schema_version: version.schema_version.clone(),
                derived: version.derived(),
                submitted_at: utc(version.submitted_at),
                row: case.try_into()?,
            })
        })?;
        let event = Event::new("case.read")
            .case(&stored.row.centre_id, &stored.row.case_id)
            .versions(None, Some(stored.version));
        self.record_reading(scope, event)?;
        Ok(stored)
    }

    /// The row of a case without its document. Not audited: it holds what lists show.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn case_row(&self, scope: &Scope, pseudonym: &str) -> Result<CaseRow, StoreError> {
        self.read(scope, |conn, keys| {
            locate(conn, keys, scope, pseudonym)?.try_into()
        })
    }

    /// The history of a case, newest first. Audited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn versions(&self, scope: &Scope, pseudonym: &str) -> Result<Vec<VersionRow>, StoreError> {
        let (case, rows) = self.read(scope, |conn, keys| {
            let case = locate(conn, keys, scope, pseudonym)?;
            let key = case.wrapped_key.is_some().then(|| case.key(keys)).transpose()?;
            let query = case_versions::table
                .filter(case_versions::centre_id.eq(&case.centre_id))
                .filter(case_versions::case_id.eq(&case.case_id))
                .order(case_versions::version.desc());
            let records = on_conn!(conn, c => query.load::<VersionRecord>(c))?;
            let authors = Authors::of(conn, scope, &case)?;
            let rows = records
                .into_iter()
                .map(|row| {
                    Ok(VersionRow {
                        version: row.version,
                        status: stored_status(&row.status)?,
                        submitted_at: utc(row.submitted_at),
                        reason: row
                            .reason
                            .as_deref()
                            .and_then(|text| open_reason(key.as_ref(), &row.centre_id, &row.case_id, text)),
                        schema_version: row.schema_version,
                        actor: authors.shown(row.actor, row.submitted_at),
                        content_hash: hex::encode(&row.content_hash),
                        errors: row.errors,
                        warnings: row.warnings,
                    })
                })
                .collect::<Result<Vec<_>, StoreError>>()?;
            Ok((case, rows))
        })?;
        self.record_reading(
            scope,
            Event::new("case.history").case(&case.centre_id, &case.case_id),
        )?;
        Ok(rows)
    }
}
