//! Evaluations, sealed with their case's key.

use super::{EvaluationRef, NewEvaluation, RunEvaluation};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// Which of these evaluations are stored, in input order.
    pub fn known_evaluations(
        &self,
        scope: &Scope,
        wanted: &[EvaluationRef],
    ) -> Result<Vec<bool>, StoreError> {
        todo!()
    }
    /// Stores new evaluations and references all of them from the run, in one transaction. Also a sign of life.
    pub fn put_evaluations(
        &self,
        scope: &Scope,
        run: i64,
        evaluations: Vec<NewEvaluation>,
    ) -> Result<(), StoreError> {
        todo!()
    }
    /// Hands the evaluations of a run to `take` in batches, by centre and case; memory stays flat. Evaluations of cases erased since are gone.
    pub fn for_each_run_evaluation<E: From<StoreError>>(
        &self,
        scope: &Scope,
        run: i64,
        batch: usize,
        take: impl FnMut(Vec<RunEvaluation>) -> Result<(), E>,
    ) -> Result<(), E> {
        todo!()
    }
}
