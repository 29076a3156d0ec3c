//! runs wrapper
use crate::{problem::Problem, state::AppState};
use registry_core::{access::Scope, storage::Run};
/// x
pub fn execute(
    _state: &AppState,
    _scope: &Scope,
    _cut_off: chrono::NaiveDate,
    _progress: impl Fn(u64, u64),
) -> Result<Run, Problem> {
    Err(Problem::internal("none"))
}
