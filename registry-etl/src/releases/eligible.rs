//! Which cases of a run a release may hold.

use std::collections::{HashMap, HashSet};

use registry_core::access::Scope;
use registry_core::record::day_number;
use registry_core::storage::{CaseRef, Run, Store};

use super::ReleaseError;
use crate::measures::CaseEvaluation;

/// Cases read together.
const BATCH: usize = 200;

/// What a release does with a case of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Held,
    /// `consent.research_reuse` is not true in the run, or is not any more today; or the registry was told that it ended.
    NoReuse,
    /// After the run's cut-off: in no result of the run either.
    RegisteredLater,
}

/// The cases of a run that are neither draft nor withdrawn today, in the version of the run, each with its fate.
///
/// # Errors
/// The store's; an evaluation of another format.
pub(super) fn fates(store: &Store, scope: &Scope, run: &Run) -> Result<Vec<(CaseRef, Fate)>, ReleaseError> {
    let mut today: HashMap<String, CaseRef> = HashMap::new();
    store.for_each_case_at::<ReleaseError>(scope, i64::MAX, BATCH, |batch| {
        today.extend(batch.into_iter().map(|h| (h.case.case_id.clone(), h.case)));
        Ok(())
    })?;
    // A restored copy was told of it again, though its newest version may still give it.
    let ended: HashSet<String> = store.without_reuse(scope)?.into_iter().collect();
    let cut_off = day_number(run.cutoff_date);
    let mut fates = Vec::new();
    store.for_each_run_evaluation::<ReleaseError>(scope, run.number, BATCH, |batch| {
        for evaluation in batch {
            if !today.contains_key(&evaluation.case.case_id) {
                continue;
            }
            let facts = CaseEvaluation::from_payload(&evaluation.payload)?.facts;
            let fate = match facts.research_reuse {
                _ if facts.registered_after(cut_off) => Fate::RegisteredLater,
                true if !ended.contains(&evaluation.case.case_id) => Fate::Held,
                _ => Fate::NoReuse,
            };
            fates.push((evaluation.case, fate));
        }
        Ok(())
    })?;
    without_consent_today(store, scope, &today, &mut fates)?;
    Ok(fates)
}

/// Consent may have been taken back in a version after the run.
fn without_consent_today(
    store: &Store,
    scope: &Scope,
    today: &HashMap<String, CaseRef>,
    fates: &mut [(CaseRef, Fate)],
) -> Result<(), ReleaseError> {
    let mut changed: Vec<(&CaseRef, &mut Fate)> = fates
        .iter_mut()
        .filter(|(_, fate)| *fate == Fate::Held)
        .filter_map(|(case, fate)| {
            let now = today.get(&case.case_id)?;
            (now.version != case.version).then_some((now, fate))
        })
        .collect();
    for batch in changed.chunks_mut(BATCH) {
        let wanted: Vec<CaseRef> = batch.iter().map(|(now, _)| (*now).clone()).collect();
        let documents = store.case_documents(scope, i64::MAX, &wanted)?;
        for ((_, fate), found) in batch.iter_mut().zip(documents) {
            let consent = found.and_then(|found| found.document["consent"]["research_reuse"].as_bool());
            if consent != Some(true) {
                **fate = Fate::NoReuse;
            }
        }
    }
    Ok(())
}
