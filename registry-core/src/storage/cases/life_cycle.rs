//! Verified, locked, unlocked.

use super::{CaseRow, LifeCycle};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// Takes a case one step on. `centre_lead`, `coordinator`.
    pub fn move_case(
        &self,
        scope: &Scope,
        pseudonym: &str,
        step: LifeCycle,
        reason: Option<&str>,
    ) -> Result<CaseRow, StoreError> {
        todo!()
    }
}
