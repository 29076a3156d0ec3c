//! Sensitivity: a run's measures with another value of one parameter.

use std::collections::BTreeMap;

use registry_core::access::Scope;
use registry_core::guideline::Guideline;
use registry_core::record::CentreTable;
use registry_core::rules::Parameter;
use registry_core::storage::{Run, RunResult, Store, StoreError};
use serde_json::Value;

use super::{MADE_AS, RunError, compare};
use crate::measures::Engine;
use crate::results::{Sensitivity, kind};

/// The alternatives the guideline names: parameter and value.
pub fn alternatives(guideline: &Guideline) -> Vec<(String, Value)> {
    let of = |parameter: &Parameter| -> Vec<(String, Value)> {
        let values = parameter.alternatives.iter();
        values
            .map(|value| (parameter.name.clone(), value.to_json()))
            .collect()
    };
    guideline.parameters.values().flat_map(of).collect()
}

/// Computes the run's measures with another value of a parameter and keeps the result with the run; one that is kept
/// already is answered again.
///
/// # Errors
/// [`RunError`]; [`crate::measures::EngineError::Rules`] for a parameter that is not there or a value of another type.
pub fn sensitivity(
    store: &Store,
    scope: &Scope,
    engine: &Engine,
    run: &Run,
    centres: &CentreTable,
    (parameter, value): (&str, &Value),
    progress: impl FnMut(usize, usize),
) -> Result<Sensitivity, RunError> {
    let key = format!("{parameter}={value} {MADE_AS}");
    engine.made(run)?;
    match store.run_result(scope, run.number, kind::SENSITIVITY, &key) {
        Ok(known) => return Ok(serde_json::from_str(&known)?),
        Err(StoreError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    let other = engine.with_parameters(&BTreeMap::from([(parameter.to_owned(), value.clone())]))?;
    let guideline = engine.guideline()?;
    let concerned = guideline.resting_on(parameter);
    let comparison = compare(
        store,
        scope,
        run,
        centres,
        [engine, &other],
        |measure| concerned.contains(&measure),
        progress,
    )?;
    let found = Sensitivity {
        parameter: parameter.to_owned(),
        base: guideline
            .parameters
            .get(parameter)
            .map_or(Value::Null, |known| known.value.to_json()),
        value: value.clone(),
        comparison,
    };
    let result = RunResult {
        kind: kind::SENSITIVITY.to_owned(),
        key,
        body: serde_json::to_string(&found)?,
    };
    match store.add_run_result(scope, run.number, result) {
        // Somebody else has computed the same meanwhile.
        Ok(()) | Err(StoreError::Duplicate(_)) => Ok(found),
        Err(error) => Err(error.into()),
    }
}
