//! Freezing a run: begun under its id, told of while it goes on, kept as a file when it is recorded.

use std::sync::Arc;

use actix_web::web;
use registry_core::access::Scope;
use registry_core::storage::{Freezing, Release, Run, RunStatus};
use registry_etl::measures::Engine;
use registry_etl::releases::{FICTITIOUS, ReleaseError};

use super::{Draft, options, path_of};
use crate::problem::{Kind, Problem};
use crate::runs::engine_of;
use crate::state::AppState;

/// What is to be frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFreezing {
    /// A published run.
    pub run: i64,
    /// Id of the release; `run-<number>` when not given.
    pub id: Option<String>,
    /// Its title; `Run <number>` when not given.
    pub title: Option<String>,
}

/// A release that is begun.
struct Begun {
    freezing: Freezing,
    run: Run,
    engine: Arc<Engine>,
}

/// Freezes a published run: builds the bundle, keeps it, records its checksum. `progress` hears how many cases are read, of how many.
///
/// # Errors
/// [`Kind::Duplicate`] for a known id, [`Kind::InvalidValue`] for one that is no name, [`Kind::InvalidState`] for a run
/// without results or not published, by a guideline version that is not here any more as it was, or while a release of the id is being frozen.
pub fn freeze(
    state: &AppState,
    scope: &Scope,
    new: NewFreezing,
    progress: impl FnMut(usize, usize),
) -> Result<Release, Problem> {
    let begun = begin(state, scope, new)?;
    carry_out(state, scope, &begun, progress)
}

/// The same on a thread of its own: answers what has begun, and the list of releases tells what comes of it.
///
/// # Errors
/// As [`freeze`], as far as it is known before the bundle is built.
pub fn freeze_in_background(
    state: web::Data<AppState>,
    scope: Scope,
    new: NewFreezing,
) -> Result<Freezing, Problem> {
    let begun = begin(&state, &scope, new)?;
    let told = begun.freezing.clone();
    let thread = std::thread::Builder::new().name("release".to_owned());
    thread
        .spawn(move || {
            if let Err(problem) = carry_out(&state, &scope, &begun, |_, _| ()) {
                tracing::warn!(release = %begun.freezing.release_id, code = problem.kind.code(), "a release could not be frozen");
            }
        })
        .map_err(Problem::internal)?;
    Ok(told)
}

fn begin(state: &AppState, scope: &Scope, new: NewFreezing) -> Result<Begun, Problem> {
    let id = new.id.unwrap_or_else(|| format!("run-{}", new.run));
    let title = new.title.unwrap_or_else(|| format!("Run {}", new.run));
    check_id(&id)?;
    let known = state.store.list_releases(scope)?;
    if known.iter().any(|known| known.release_id == id) {
        return Err(Problem::with(
            Kind::Duplicate,
            "a release of this id exists already",
        ));
    }
    let run = state.store.run(scope, new.run)?;
    if run.status != RunStatus::Finished {
        return Err(ReleaseError::NotFinished(run.number).into());
    }
    if run.published_at.is_none() {
        return Err(Problem::with(
            Kind::InvalidState,
            "only a published run can be frozen: publish it first",
        ));
    }
    let engine = engine_of(state, &run)?;
    let freezing = state.store.begin_freezing(scope, &id, run.number, &title)?;
    Ok(Begun {
        freezing,
        run,
        engine,
    })
}

fn carry_out(
    state: &AppState,
    scope: &Scope,
    begun: &Begun,
    mut progress: impl FnMut(usize, usize),
) -> Result<Release, Problem> {
    let id = &begun.freezing.release_id;
    let tell = |done: usize, total: usize| {
        let count = |n| i64::try_from(n).unwrap_or(i64::MAX);
        // Not worth an end: the next lot tells again.
        if let Err(error) = state.store.tell_freezing(scope, id, count(done), count(total)) {
            tracing::warn!(release = %id, error = %error, "the progress of a release could not be noted");
        }
        progress(done, total);
    };
    let made = bundle_of(state, scope, begun, tell);
    if let Err(problem) = &made
        && let Err(error) = state.store.fail_freezing(scope, id, &problem.words())
    {
        tracing::warn!(release = %id, error = %error, "the end of a release could not be noted");
    }
    made
}

fn bundle_of(
    state: &AppState,
    scope: &Scope,
    begun: &Begun,
    progress: impl FnMut(usize, usize),
) -> Result<Release, Problem> {
    let Begun {
        freezing,
        run,
        engine,
    } = begun;
    let mut draft = Draft::begin(state)?;
    let options = options(state, &freezing.release_id, &freezing.title);
    let release = registry_etl::releases::freeze(
        &state.store,
        scope,
        engine,
        run,
        &options,
        &mut draft.out,
        progress,
    )?;
    draft.keep(&path_of(state, &freezing.release_id))?;
    Ok(release)
}

/// The id becomes a file name.
fn check_id(id: &str) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    // An address of its own, and files beside those of releases.
    let taken = id == FICTITIOUS || id.starts_with("synthetic-") || id.starts_with("request-");
    if taken {
        return Err(Problem::with(
            Kind::InvalidValue,
            "a release id is not synthetic, and begins with neither synthetic- nor request-",
        ));
    }
    if !id.is_empty() && id.len() <= 32 && !id.starts_with('.') && id.bytes().all(plain) {
        return Ok(());
    }
    Err(Problem::with(
        Kind::InvalidValue,
        "a release id has 1 to 32 of A-Z a-z 0-9 - _ . and does not begin with a dot",
    ))
}
