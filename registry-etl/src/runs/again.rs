//! A finished run computed anew.

use registry_core::access::Scope;
use registry_core::storage::{CaseRef, Run, RunResult, Store};

use super::RunError;
use super::counted::Counted;
use super::execute::{BATCH, Options, Work, centre_table};
use crate::measures::Engine;

/// The results of a finished run, made anew from the case versions and the transfers known at its watermark, with the centre table of
/// today; nothing stored is read but documents, and nothing is stored. Equal to what the run stored, unless a case was withdrawn, the
/// centre table was changed, or the engine is another.
///
/// # Errors
/// [`RunError`]; [`RunError::Transferred`] when a case changes hands meanwhile.
pub fn again(
    store: &Store,
    scope: &Scope,
    engine: &Engine,
    run: &Run,
    options: &Options,
) -> Result<Vec<RunResult>, RunError> {
    let still = store.last_transfer(scope)?;
    let centres = centre_table(store, scope)?;
    let work = Work {
        store,
        scope,
        engine,
        options,
        centres: &centres,
        run,
    };
    let mut cases: Vec<CaseRef> = Vec::new();
    store.for_each_case_at::<RunError>(scope, run.watermark, BATCH, |batch| {
        cases.extend(batch.into_iter().map(|header| header.case));
        Ok(())
    })?;
    let mut counted = Counted::new(&work)?;
    for batch in cases.chunks(BATCH) {
        let documents = store.case_documents(scope, run.watermark, batch)?;
        let payloads = work.evaluate_all(&documents)?;
        let evaluated = documents.iter().zip(&payloads);
        let evaluated = evaluated.filter_map(|(document, payload)| {
            Some((document.as_ref()?.header.holders.now(), payload.as_deref()?))
        });
        counted.push_all(&evaluated.collect::<Vec<_>>())?;
    }
    if store.last_transfer(scope)? != still {
        return Err(RunError::Transferred);
    }
    work.results(&counted)
}
