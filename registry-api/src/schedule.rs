//! What `serve` does by itself: the ETL on a schedule, and deleting what is kept for a while only.

use std::time::Duration;

use actix_web::web;
use chrono::TimeDelta;
use registry_core::access::Scope;
use registry_core::storage::{Run, StoreError};

use crate::problem::Problem;
use crate::releases::discard_withdrawn;
use crate::runs::Wanted;
use crate::state::AppState;

/// How often it is asked whether a run is due.
const ASKED_EVERY: Duration = Duration::from_secs(60);

/// How often what has expired is deleted.
const TIDIED_EVERY: Duration = Duration::from_secs(3600);
/// How often the log is tried again that an erasure could not empty.
const LOG_EMPTIED_EVERY: Duration = Duration::from_secs(5);

/// At the start and every hour: deletes answers to repeated requests, and jobs, that have been kept as long as they are, and bundles that hold a
/// case withdrawn while the service did not see it.
pub(crate) fn keep_tidy(state: web::Data<AppState>) {
    actix_web::rt::spawn(async move {
        let mut interval = actix_web::rt::time::interval(TIDIED_EVERY);
        loop {
            interval.tick().await;
            let state = state.clone();
            let tidied = web::block(move || {
                if let Err(problem) = discard_withdrawn(&state.store, &state.settings.releases.folder) {
                    tracing::warn!(
                        code = problem.kind.code(),
                        "bundles that hold withdrawn cases could not be removed"
                    );
                }
                let deleted = (state.store.purge_idempotency()?, state.store.purge_jobs()?);
                state.store.write_back()?;
                Ok::<_, StoreError>(deleted)
            });
            match tidied.await {
                Ok(Ok((answers, jobs))) => tracing::debug!(answers, jobs, "deleted what had expired"),
                Ok(Err(error)) => tracing::warn!(%error, "what has expired could not be deleted"),
                Err(_) => tracing::error!("deleting what has expired panicked"),
            }
        }
    });
}

/// Every few seconds: empties the log of SQLite that an erasure could not empty because somebody read it.
pub(crate) fn keep_log_empty(state: web::Data<AppState>) {
    actix_web::rt::spawn(async move {
        let mut interval = actix_web::rt::time::interval(LOG_EMPTIED_EVERY);
        loop {
            interval.tick().await;
            if !state.store.log_is_due() {
                continue;
            }
            let state = state.clone();
            match web::block(move || state.store.write_back()).await {
                Ok(Ok(true)) => tracing::info!("the log that an erasure empties is empty"),
                Ok(Ok(false)) => tracing::warn!("somebody still reads the log that an erasure empties"),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the log that an erasure empties could not be emptied")
                }
                Err(_) => tracing::error!("emptying the log panicked"),
            }
        }
    });
}

/// Starts a run `runs.every_hours` hours after the last one was started, by whomever; a restart changes nothing of that.
pub(crate) fn start(state: web::Data<AppState>) {
    if state.settings.runs.every_hours == 0 {
        return;
    }
    actix_web::rt::spawn(async move {
        let mut interval = actix_web::rt::time::interval(ASKED_EVERY);
        loop {
            interval.tick().await;
            let state = state.clone();
            match web::block(move || run_if_due(&state)).await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(run))) => tracing::info!(run = run.number, "scheduled run finished"),
                Ok(Err(problem)) => {
                    tracing::warn!(problem = problem.kind.code(), "scheduled run did not finish")
                }
                Err(_) => tracing::error!("scheduled run panicked"),
            }
        }
    });
}

/// One run up to today, when the last one was started at least `runs.every_hours` hours ago or there was none.
///
/// # Errors
/// Another run is active, or the run fails; the next attempt is `runs.every_hours` hours after it.
pub fn run_if_due(state: &AppState) -> Result<Option<Run>, Problem> {
    let scope = Scope::system("schedule");
    let hours = i64::try_from(state.settings.runs.every_hours).unwrap_or(i64::MAX);
    let pause = TimeDelta::try_hours(hours).unwrap_or(TimeDelta::MAX);
    let now = state.ports.clock.now();
    let last = state
        .store
        .list_runs(&scope)?
        .into_iter()
        .map(|run| run.started_at)
        .max();
    if last.is_some_and(|last| now.signed_duration_since(last) < pause) {
        return Ok(None);
    }
    crate::runs::execute(state, &scope, &Wanted::up_to(now.date_naive()), |_| {}).map(Some)
}
