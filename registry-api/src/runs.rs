//! Running the ETL with this service's parts.

use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_core::storage::Run;
use registry_etl::disclosure::Thresholds;
use registry_etl::runs::{self, Options, Progress};

use crate::problem::Problem;
use crate::results::from_run;
use crate::state::AppState;

/// One run up to `cut_off`; `progress` hears of every step, the run's number from the first on.
///
/// # Errors
/// Another run is active, or the run fails (it is then recorded as failed).
pub fn execute(
    state: &AppState,
    scope: &Scope,
    cut_off: NaiveDate,
    progress: impl FnMut(Progress),
) -> Result<Run, Problem> {
    let disclosure = &state.settings.disclosure;
    let options = Options {
        cut_off,
        threads: std::thread::available_parallelism().map_or(2, usize::from),
        thresholds: Thresholds {
            public: disclosure.public,
            committee: disclosure.committee,
        },
    };
    runs::execute(&state.store, scope, &state.engine, &options, progress).map_err(from_run)
}
