//! Running the ETL with this service's parts.

use std::sync::Arc;

use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_core::guideline::Guideline;
use registry_core::storage::Run;
use registry_etl::disclosure::Thresholds;
use registry_etl::measures::{Engine, EngineError};
use registry_etl::results::Sensitivity;
use registry_etl::runs::{self, Options, Progress, RunError};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::results::from_run;
use crate::state::AppState;

/// What a run is of.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Data count up to this date.
    pub cut_off: NaiveDate,
    /// Version of the guideline; the one in force when not given.
    pub guideline_version: Option<String>,
}

impl Wanted {
    /// A run up to `cut_off` by the guideline in force.
    pub fn up_to(cut_off: NaiveDate) -> Self {
        Self {
            cut_off,
            guideline_version: None,
        }
    }

    /// What has not happened yet cannot be counted, and a window that ends in the future is empty.
    ///
    /// # Errors
    /// [`Kind::InvalidValue`] for a cut-off after today (UTC).
    pub fn not_in_the_future(&self, state: &AppState) -> Result<(), Problem> {
        match self.cut_off > state.ports.clock.now().date_naive() {
            true => Err(Problem::with(Kind::InvalidValue, "cut_off lies in the future")),
            false => Ok(()),
        }
    }
}

/// One run; `progress` hears of every step, the run's number from the first on.
///
/// # Errors
/// Another run is active, there is no such version of the guideline, or the run fails (it is then recorded as failed).
pub fn execute(
    state: &AppState,
    scope: &Scope,
    wanted: &Wanted,
    progress: impl FnMut(Progress),
) -> Result<Run, Problem> {
    wanted.not_in_the_future(state)?;
    let options = Options {
        cut_off: wanted.cut_off,
        threads: std::thread::available_parallelism().map_or(2, usize::from),
        thresholds: thresholds(state),
    };
    let other = match &wanted.guideline_version {
        Some(version) => Some(engine(state, version)?),
        None => None,
    };
    let engine = other.as_ref().unwrap_or(&state.engine);
    runs::execute(&state.store, scope, engine, &options, progress).map_err(from_run)
}

/// From how many patients on values are shown, as this service is set.
pub(crate) fn thresholds(state: &AppState) -> Thresholds {
    let disclosure = &state.settings.disclosure;
    Thresholds {
        public: disclosure.public,
        committee: disclosure.committee,
    }
}

/// Signs a finished run off: committee, researchers and peers read it, beside the runs published before.
///
/// # Errors
/// No such run; one without results; another one published at the same moment.
pub fn publish(state: &AppState, scope: &Scope, run: i64) -> Result<Run, Problem> {
    runs::publish(&state.store, scope, run).map_err(from_run)
}

fn engine(state: &AppState, version: &str) -> Result<Engine, Problem> {
    Engine::with_version(state.judge.clone(), version)
        .map_err(|error| Problem::with(Kind::InvalidValue, error.to_string()))
}

/// The engine of the guideline version a run was made by: the only one its results can be read with.
///
/// # Errors
/// [`Kind::InvalidState`] when this service has that version not, or not any more as it was then.
pub fn engine_of(state: &AppState, run: &Run) -> Result<Arc<Engine>, Problem> {
    if state.engine.made(run).is_ok() {
        return Ok(Arc::clone(&state.engine));
    }
    let engine = Engine::of_run(Arc::clone(&state.judge), run);
    engine
        .map(Arc::new)
        .map_err(|error| Problem::with(Kind::InvalidState, error.to_string()))
}

/// The guideline version a run was made by; `None` when this service has it not, or not any more as it was then.
pub fn guideline_of<'a>(state: &'a AppState, run: &Run) -> Option<&'a Guideline> {
    let of_run = |name: &str| run.parameters.get(name).and_then(Value::as_str);
    let (id, digest) = (of_run("guideline")?, of_run("guideline_digest")?);
    let mut all = state.judge.guidelines(&state.schemas.current().version).iter();
    all.find(|guideline| guideline.id == id && guideline.digest == digest)
}

/// The measures of a finished run with another value of a parameter; kept with the run.
///
/// # Errors
/// No such run; a guideline version that this service has not; no such parameter, or a value of another type.
pub fn sensitivity(
    state: &AppState,
    scope: &Scope,
    run: &Run,
    parameter: &str,
    value: &Value,
    progress: impl FnMut(usize, usize),
) -> Result<Sensitivity, Problem> {
    let engine = engine_of(state, run)?;
    let centres = runs::centre_table(&state.store, scope).map_err(from_run)?;
    let wanted = (parameter, value);
    runs::sensitivity(&state.store, scope, &engine, run, &centres, wanted, progress).map_err(|error| {
        match error {
            RunError::Engine(EngineError::Rules(errors)) => {
                Problem::with(Kind::InvalidValue, errors.to_string())
            }
            other => from_run(other),
        }
    })
}
