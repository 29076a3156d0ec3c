//! The ETL on a schedule inside `serve`.

use std::time::Duration;

use actix_web::web;
use registry_core::access::Scope;

use crate::state::AppState;

/// Starts a run every `runs.every_hours` hours; another process's run in progress is left alone.
pub(crate) fn start(state: web::Data<AppState>) {
    let hours = state.settings.runs.every_hours;
    if hours == 0 {
        return;
    }
    actix_web::rt::spawn(async move {
        let mut interval = actix_web::rt::time::interval(Duration::from_secs(hours * 3600));
        interval.tick().await;
        loop {
            interval.tick().await;
            let state = state.clone();
            let outcome = web::block(move || {
                let cut_off = state.ports.clock.now().date_naive();
                crate::runs::execute(&state, &Scope::system("schedule"), cut_off, |_| {})
            })
            .await;
            match outcome {
                Ok(Ok(run)) => tracing::info!(run = run.number, "scheduled run finished"),
                Ok(Err(problem)) => {
                    tracing::warn!(problem = problem.kind.code(), "scheduled run did not finish")
                }
                Err(_) => tracing::error!("scheduled run panicked"),
            }
        }
    });
}
