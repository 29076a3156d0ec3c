//! Lists of cases.

use super::{CaseFilter, CaseRow};
use crate::access::Scope;
use crate::storage::{Page, Store, StoreError};

impl Store {
    /// One page of cases within the scope, oldest record first.
    pub fn list_cases(
        &self,
        scope: &Scope,
        filter: &CaseFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<CaseRow>, StoreError> {
        todo!()
    }
}
