//! The life of a run.

use super::{FinishRun, Run, StartRun};
use crate::access::Scope;
use crate::storage::{Store, StoreError};

impl Store {
    /// Takes the lock and a number; the watermark is fixed here. [`StoreError::RunActive`] while another run shows signs of life.
    pub fn start_run(&self, scope: &Scope, start: StartRun) -> Result<Run, StoreError> {
        todo!()
    }
    /// A sign of life; needed more often than the lease is long. Storing evaluations is one too. Fails when the lock was lost.
    pub fn keep_run_alive(&self, scope: &Scope, run: i64) -> Result<(), StoreError> {
        todo!()
    }
    /// Stores the results and gives the lock back.
    pub fn finish_run(&self, scope: &Scope, run: i64, finish: FinishRun) -> Result<Run, StoreError> {
        todo!()
    }
    /// Ends a run without results; `why` is a class of failure, no values.
    pub fn fail_run(&self, scope: &Scope, run: i64, why: &str) -> Result<Run, StoreError> {
        todo!()
    }
    /// Signs a finished run off. `coordinator`. Publishing twice is fine.
    pub fn publish_run(&self, scope: &Scope, run: i64) -> Result<Run, StoreError> {
        todo!()
    }
    /// One run.
    pub fn run(&self, scope: &Scope, run: i64) -> Result<Run, StoreError> {
        todo!()
    }
    /// All runs, newest first.
    pub fn list_runs(&self, scope: &Scope) -> Result<Vec<Run>, StoreError> {
        todo!()
    }
    /// The newest finished run.
    pub fn latest_run(&self, scope: &Scope) -> Result<Option<Run>, StoreError> {
        todo!()
    }
    /// The published run with the highest number.
    pub fn published_run(&self, scope: &Scope) -> Result<Option<Run>, StoreError> {
        todo!()
    }
}
