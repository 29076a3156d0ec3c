//! Hot copy, and withdrawals that outlive a restore.

use std::path::Path;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::cases::{WithdrawalMode, reapply};
use super::connection::{Conn, Rights, on_conn};
use super::store::require;
use super::tables::cases;
use super::transaction::Event;
use super::{Store, StoreError};
use crate::access::{Role, Scope};

/// One line of the withdrawal ledger, kept outside the backups and applied again after a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalRecord {
    /// Centre.
    pub centre_id: String,
    /// Record id.
    pub case_id: String,
    /// What was asked.
    pub mode: WithdrawalMode,
    /// Date of withdrawal.
    pub date: NaiveDate,
}

impl Store {
    /// Copies a SQLite database in use into a new file: consistent, without stopping writers. The documents in it stay
    /// sealed: keep the master key elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] on PostgreSQL (use `pg_dump`, see `deploy/`); [`StoreError::Duplicate`] when the file
    /// exists; [`StoreError::Unavailable`] when it cannot be written.
    pub fn backup_to(&self, scope: &Scope, path: &Path) -> Result<(), StoreError> {
        require(scope, scope.role() == Role::System, "make backups")?;
        let mut link = self.inner.context.dialer().dial(Rights::Owner)?;
        let Conn::Sqlite(connection) = &mut link.conn else {
            return Err(StoreError::Unsupported(
                "a PostgreSQL database is backed up with pg_dump; deploy/ has the commands",
            ));
        };
        if path.exists() {
            return Err(StoreError::Duplicate("backup file"));
        }
        let target = path
            .to_str()
            .ok_or(StoreError::Invalid("the path of the backup is not valid UTF-8"))?;
        // Recorded first, so that the copy holds the event of its own making.
        self.write(scope, |tx| {
            tx.audit(Event::new("backup.make"));
            Ok(())
        })?;
        diesel::sql_query("VACUUM INTO ?")
            .bind::<diesel::sql_types::Text, _>(target)
            .execute(connection)?;
        // SQLite leaves flushing of the new file to the system: a backup is one when it is on the disk.
        std::fs::File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|_| StoreError::Unavailable(super::Outage::Missing))
    }

    /// Every withdrawal in force, by centre and case. Keep the list outside the backups.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn withdrawals(&self, scope: &Scope) -> Result<Vec<WithdrawalRecord>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "list withdrawals")?;
        let query = cases::table
            .filter(cases::withdrawal_mode.is_not_null())
            .filter(cases::withdrawn_on.is_not_null())
            .order((cases::centre_id, cases::case_id))
            .select((
                cases::centre_id,
                cases::case_id,
                cases::withdrawal_mode.assume_not_null(),
                cases::withdrawn_on.assume_not_null(),
            ));
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<(String, String, String, NaiveDate)>(c))?)
        })?;
        Ok(rows
            .into_iter()
            .map(|(centre_id, case_id, mode, date)| WithdrawalRecord {
                centre_id,
                case_id,
                mode: if mode == WithdrawalMode::Erase.as_str() {
                    WithdrawalMode::Erase
                } else {
                    WithdrawalMode::NoFurtherUse
                },
                date,
            })
            .collect())
    }

    /// Applies withdrawals again after a restore, also to a case that was transferred after the copy was made. Ones in force
    /// already, and cases that the restored copy does not know, are skipped. Returns how many were applied.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`]; nothing was applied then.
    pub fn reapply_withdrawals(
        &self,
        scope: &Scope,
        records: &[WithdrawalRecord],
    ) -> Result<usize, StoreError> {
        require(scope, scope.role().sees_all_cases(), "apply withdrawals")?;
        let records = records.to_vec();
        self.write(scope, move |tx| {
            let mut applied = 0;
            for record in &records {
                if reapply(tx, &record.case_id, record.mode, record.date)? {
                    applied += 1;
                }
            }
            Ok(applied)
        })
    }
}
