//! Hot copy, and withdrawals that outlive a restore.

use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::cases::WithdrawalMode;
use super::{Store, StoreError};
use crate::access::Scope;

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
    /// Copies a SQLite database in use into a new file (consistent, without stopping writers). PostgreSQL: use `pg_dump`.
    pub fn backup_to(&self, scope: &Scope, path: &Path) -> Result<(), StoreError> {
        let _ = (scope, path);
        todo!()
    }
    /// Every withdrawal in force, by centre and case.
    pub fn withdrawals(&self, scope: &Scope) -> Result<Vec<WithdrawalRecord>, StoreError> {
        let _ = scope;
        todo!()
    }
    /// Applies withdrawals again after a restore; ones in force already, and cases that the restored copy does not know, are skipped. Returns how many were applied.
    pub fn reapply_withdrawals(
        &self,
        scope: &Scope,
        records: &[WithdrawalRecord],
    ) -> Result<usize, StoreError> {
        let _ = (scope, records);
        todo!()
    }
}
