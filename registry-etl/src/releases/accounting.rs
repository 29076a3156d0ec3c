//! Cases a release does not hold, by reason, and what changed since the release before it: counts that name no case.
//!
//! Counted once, when a release is frozen, and kept with it: later withdrawals change neither. A count of fewer patients than
//! `schema/releases/deidentification.toml` wants in a group is not told, nor another from which it would follow; but for the cases without consent,
//! which are those of the run less those of the release.

use std::collections::{HashMap, HashSet};

use registry_core::access::Scope;
use registry_core::storage::{Release, Run, Store};
use serde::{Deserialize, Serialize};

use super::ReleaseError;
use super::deidentify::Rules;
use crate::measures::CaseEvaluation;

/// Cases read together.
const BATCH: usize = 200;

/// Cases that are not in the release, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutCases {
    pub reason: String,
    /// None: too few to be told, or one could tell from it how many those are.
    pub cases: Option<u64>,
}

/// What changed since an earlier release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The earlier release.
    pub since: String,
    /// Not in the earlier one; too few to be told, or telling of `left`: none.
    pub added: Option<u64>,
    /// In both, in another version.
    pub changed: Option<u64>,
    /// No longer in it.
    pub left: Option<u64>,
}

/// What is counted of the cases around a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    /// Smallest count told; 0 is.
    pub told_from: u64,
    pub left_out: Vec<LeftOutCases>,
    /// None for the first release.
    pub changes: Option<Changes>,
}

/// Counts for a release of `run`; `before` is the newest release there is.
pub(super) fn count(
    store: &Store,
    scope: &Scope,
    run: &Run,
    before: Option<&Release>,
) -> Result<Accounting, ReleaseError> {
    let least = Rules::of_this_program()?.k as u64;
    let mut present: HashSet<String> = HashSet::new();
    store.for_each_case_at::<ReleaseError>(scope, i64::MAX, BATCH, |batch| {
        present.extend(batch.into_iter().map(|header| header.case.case_id));
        Ok(())
    })?;
    let (now, without_reuse) = reusable(store, scope, run.number, &present)?;
    let outside = store.cases_left_out(scope, run.watermark)?;
    let changes = match before {
        Some(before) => {
            let (then, _) = reusable(store, scope, before.run, &present)?;
            let held = before.manifest["cases"].as_u64().unwrap_or_default();
            Some(changes(&before.release_id, held, &then, &now, least))
        }
        None => None,
    };
    Ok(Accounting {
        told_from: least,
        left_out: left_out(
            &[
                ("no consent to research reuse", without_reuse),
                ("draft, not submitted", outside.drafts),
                ("withdrawn", outside.withdrawn),
            ],
            least,
        ),
        changes,
    })
}

/// Version of each case of a run that may be released, by record id; and how many may not.
fn reusable(
    store: &Store,
    scope: &Scope,
    run: i64,
    present: &HashSet<String>,
) -> Result<(HashMap<String, i64>, u64), ReleaseError> {
    let (mut with, mut without) = (HashMap::new(), 0);
    store.for_each_run_evaluation::<ReleaseError>(scope, run, BATCH, |batch| {
        for evaluation in batch {
            if !present.contains(&evaluation.case.case_id) {
                continue;
            }
            if CaseEvaluation::from_payload(&evaluation.payload)?
                .facts
                .research_reuse
            {
                with.insert(evaluation.case.case_id, evaluation.case.version);
            } else {
                without += 1;
            }
        }
        Ok(())
    })?;
    Ok((with, without))
}

/// The cases of a run that are not in its release, which everybody reads off the two: told as it is, and protecting no other.
const FOLLOWS: &str = "no consent to research reuse";

/// Reasons with their counts. Of one count that is too small the others and a total would tell: the smallest other goes with it.
fn left_out(counts: &[(&str, u64)], least: u64) -> Vec<LeftOutCases> {
    let small = |(reason, n): &(&str, u64)| *reason != FOLLOWS && *n > 0 && *n < least;
    let mut hidden: Vec<bool> = counts.iter().map(small).collect();
    if hidden.iter().filter(|hidden| **hidden).count() == 1 {
        let may = |at: &usize| !hidden[*at] && counts[*at].0 != FOLLOWS && counts[*at].1 > 0;
        let others = (0..counts.len()).filter(may);
        if let Some(at) = others.min_by_key(|at| counts[*at].1) {
            hidden[at] = true;
        }
    }
    counts
        .iter()
        .zip(hidden)
        .map(|((reason, n), hidden)| LeftOutCases {
            reason: (*reason).to_owned(),
            cases: (!hidden).then_some(*n),
        })
        .collect()
}

/// `held` is what the earlier release says it held: a case erased since is not in `then` any more, and has left.
fn changes(
    since: &str,
    held: u64,
    then: &HashMap<String, i64>,
    now: &HashMap<String, i64>,
    least: u64,
) -> Changes {
    let (mut both, mut changed) = (0, 0);
    for (case, version) in now {
        if let Some(before) = then.get(case) {
            both += 1;
            changed += u64::from(before != version);
        }
    }
    let (added, left) = (now.len() as u64 - both, held.saturating_sub(both));
    let small = |n: u64| n > 0 && n < least;
    // Both releases tell how many cases they hold, so that one follows from the other.
    let hidden = small(added) || small(left);
    Changes {
        since: since.to_owned(),
        added: (!hidden).then_some(added),
        changed: (!small(changed) && !small(both - changed)).then_some(changed),
        left: (!hidden).then_some(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(of: std::ops::Range<u32>, version: i64) -> HashMap<String, i64> {
        of.map(|n| (n.to_string(), version)).collect()
    }

    #[test]
    fn changes_are_counted_and_too_few_are_not_told() {
        let told = |held: u64, then: &HashMap<String, i64>, now: &HashMap<String, i64>| {
            let changes = changes("R1", held, then, now, 5);
            (changes.added, changes.changed, changes.left)
        };
        // 20 before, of them 6 left; 14 stay, of them 7 in a new version; 10 are new.
        let mut now = cases(6..30, 1);
        now.extend(cases(13..20, 2));
        assert_eq!(told(20, &cases(0..20, 1), &now), (Some(10), Some(7), Some(6)));
        // Two of the 20 were erased since: they have left as well.
        assert_eq!(told(22, &cases(0..20, 1), &now), (Some(10), Some(7), Some(8)));
        // Four left: how many were added would tell it.
        assert_eq!(
            told(18, &cases(2..20, 1), &cases(6..30, 1)),
            (None, Some(0), None)
        );
        // One changed, and all but one.
        now = cases(0..20, 1);
        now.extend(cases(0..1, 2));
        assert_eq!(told(20, &cases(0..20, 1), &now), (Some(0), None, Some(0)));
        now.extend(cases(0..19, 2));
        assert_eq!(told(20, &cases(0..20, 1), &now), (Some(0), None, Some(0)));
    }

    #[test]
    fn one_small_reason_takes_another_with_it() {
        let told = |counts: [u64; 3]| -> Vec<Option<u64>> {
            let named = [("a", counts[0]), ("b", counts[1]), ("c", counts[2])];
            left_out(&named, 5).into_iter().map(|one| one.cases).collect()
        };
        assert_eq!(told([5, 9, 0]), [Some(5), Some(9), Some(0)]);
        assert_eq!(told([4, 9, 7]), [None, Some(9), None]);
        assert_eq!(told([4, 3, 7]), [None, None, Some(7)]);
        assert_eq!(told([4, 0, 0]), [None, Some(0), Some(0)]);
        // The overview's cases less those of the release are no secret.
        let open = left_out(&[(FOLLOWS, 3), ("b", 4), ("c", 7)], 5);
        let open: Vec<Option<u64>> = open.into_iter().map(|one| one.cases).collect();
        assert_eq!(open, [Some(3), None, None]);
    }
}
