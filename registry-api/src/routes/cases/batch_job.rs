//! A batch as a job: answered at once, worked off on a thread of its own, a line of the report per item.

use actix_web::web;
use registry_core::access::Scope;
use registry_core::intake::ndjson::Item;
use registry_core::storage::{Job, JobCounts};
use serde_json::{Value, json};

use super::batch;
use crate::at_work::Turn;
use crate::imports::{self, BATCH};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// A batch that was taken in and is not stored yet.
pub(super) struct BatchJob {
    pub(super) state: web::Data<AppState>,
    pub(super) scope: Scope,
    pub(super) items: Vec<Item>,
    /// All or nothing.
    pub(super) atomic: bool,
    /// Why, for cases that are verified or locked.
    pub(super) reason: Option<String>,
}

impl BatchJob {
    /// Notes the job and begins; the job goes on when the answer is long gone.
    pub(super) fn begin(self) -> Result<Job, Problem> {
        let total = self.items.len() as u64;
        let turn = self.state.at_work.begin(&self.scope)?;
        let job = self.state.store.start_job(&self.scope, "batch", false, total)?;
        let begun = job.clone();
        std::thread::Builder::new()
            .name("batch".to_owned())
            .spawn(move || self.carry_out(&begun, turn))
            .map_err(Problem::internal)?;
        Ok(job)
    }

    fn carry_out(mut self, job: &Job, turn: Turn) {
        let mut counts = job.counts;
        let problem = self.work(job, &mut counts).err();
        // Before the end is told: whoever hears of it may begin the next.
        drop(turn);
        let why = problem.as_ref().map(|problem| problem.kind.title());
        if let Err(error) = self.state.store.end_job(&self.scope, &job.job_id, counts, why) {
            tracing::warn!(job = job.job_id, error = %error, "the end of a batch could not be noted");
        }
    }

    fn work(&mut self, job: &Job, counts: &mut JobCounts) -> Result<(), Problem> {
        let mut items = std::mem::take(&mut self.items).into_iter();
        let stretch = if self.atomic { usize::MAX } else { BATCH };
        let (mut first, mut room) = (0, batch::MOST_LISTED);
        loop {
            let some: Vec<Item> = items.by_ref().take(stretch).collect();
            if some.is_empty() {
                return Ok(());
            }
            let reason = self.reason.as_deref();
            let stored = batch::store(&self.state, &self.scope, some, self.atomic, reason, &mut room);
            let (lines, refused) = match stored {
                Ok(results) => {
                    let lines = results.iter().enumerate().map(|(n, result)| {
                        let told = json!(result);
                        imports::count(counts, &told);
                        json!({ "item": first + n, "case": result.case(), "result": told })
                    });
                    (lines.collect(), None)
                }
                Err(problem) if problem.kind == Kind::BatchRefused => {
                    counts.refused = counts.total;
                    (problem.errors.clone(), Some(problem))
                }
                Err(problem) => return Err(problem),
            };
            let lines: Vec<Value> = lines;
            first += lines.len();
            let report: String = lines.iter().map(|line| format!("{line}\n")).collect();
            self.state
                .store
                .tell_job(&self.scope, &job.job_id, *counts, &report)?;
            if let Some(problem) = refused {
                return Err(problem);
            }
        }
    }
}
