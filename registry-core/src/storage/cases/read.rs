//! Reading one case.

use super::{CaseRow, StoredCase, StoredFinding, VersionRow};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// The current version of a case. `centre` disambiguates for scopes that see several; `None` looks the pseudonym up. Audited.
    pub fn get_case(&self, scope: &Scope, pseudonym: &str) -> Result<StoredCase, StoreError> {
        todo!()
    }
    /// The row of a case without its document (not audited).
    pub fn case_row(&self, scope: &Scope, pseudonym: &str) -> Result<CaseRow, StoreError> {
        todo!()
    }
    /// One version of a case. Audited.
    pub fn get_version(
        &self,
        scope: &Scope,
        pseudonym: &str,
        version: i64,
    ) -> Result<StoredCase, StoreError> {
        todo!()
    }
    /// The history of a case, newest first. Audited.
    pub fn versions(&self, scope: &Scope, pseudonym: &str) -> Result<Vec<VersionRow>, StoreError> {
        todo!()
    }
    /// The findings of the current version. Audited.
    pub fn findings(&self, scope: &Scope, pseudonym: &str) -> Result<Vec<StoredFinding>, StoreError> {
        todo!()
    }
}
