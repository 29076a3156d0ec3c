//! releases wrapper
use crate::{problem::Problem, state::AppState};
use registry_core::{access::Scope, storage::Release};
/// x
pub fn freeze(
    _state: &AppState,
    _scope: &Scope,
    _run: i64,
    _id: &str,
    _title: &str,
) -> Result<Release, Problem> {
    Err(Problem::internal("none"))
}
