//! The cases a run is made of.

use super::{CaseDocument, CaseHeader, CaseRef};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// Hands the headers of the case versions at `watermark` (no drafts, nothing withdrawn) to `take` in batches, by centre and case.
    pub fn for_each_case_at<E: From<StoreError>>(
        &self,
        scope: &Scope,
        watermark: i64,
        batch: usize,
        take: impl FnMut(Vec<CaseHeader>) -> Result<(), E>,
    ) -> Result<(), E> {
        todo!()
    }
    /// The documents of these case versions, in input order; `None` for one that was erased. One audit event per call.
    pub fn case_documents(
        &self,
        scope: &Scope,
        wanted: &[CaseRef],
    ) -> Result<Vec<Option<CaseDocument>>, StoreError> {
        todo!()
    }
    /// The stored findings of these case versions, in input order.
    pub fn case_findings(
        &self,
        scope: &Scope,
        wanted: &[CaseRef],
    ) -> Result<Vec<Vec<crate::storage::StoredFinding>>, StoreError> {
        todo!()
    }
}
