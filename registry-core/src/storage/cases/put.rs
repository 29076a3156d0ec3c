//! Submissions.

use super::{PutCase, PutOutcome};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// Creates or replaces one case. Acknowledged means durable.
    pub fn put_case(&self, scope: &Scope, put: PutCase) -> Result<PutOutcome, StoreError> {
        todo!()
    }
    /// Many at once, results in input order. `atomic`: all or nothing, the others answer [`StoreError::BatchRefused`].
    pub fn put_cases(
        &self,
        scope: &Scope,
        puts: Vec<PutCase>,
        atomic: bool,
    ) -> Result<Vec<Result<PutOutcome, StoreError>>, StoreError> {
        todo!()
    }
}
