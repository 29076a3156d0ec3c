//! Stored results.

use super::ResultKey;
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// One result as the JSON text that was stored.
    pub fn run_result(&self, scope: &Scope, run: i64, kind: &str, key: &str) -> Result<String, StoreError> {
        todo!()
    }
    /// Which results a run has.
    pub fn run_results(&self, scope: &Scope, run: i64) -> Result<Vec<ResultKey>, StoreError> {
        todo!()
    }
}
