//! Cases a release does not hold, by reason, and what changed since the release before it: counts that name no case.
//!
//! Counted once, when a release is frozen, and kept with it: later withdrawals change neither. A count of fewer patients than
//! `schema/releases/deidentification.toml` wants in a group is not told, nor another from which it would follow.

use std::collections::HashMap;

use registry_core::access::Scope;
use registry_core::storage::{Release, Run, Store};
use serde::{Deserialize, Serialize};

use super::ReleaseError;
use super::deidentify::Rules;
use super::eligible::{Fate, fates};

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

impl Accounting {
    /// The same, of releases frozen when the cases without consent were told whatever their number: by the rule of today.
    pub fn told_again(&self) -> Self {
        let known: Option<Vec<(&str, u64)>> = self
            .left_out
            .iter()
            .map(|one| Some((one.reason.as_str(), one.cases?)))
            .collect();
        let left_out = match known {
            Some(counts) => left_out(&counts, self.told_from),
            None => {
                let few = |one: &LeftOutCases| one.cases.filter(|n| *n == 0 || *n >= self.told_from);
                let again = |one: &LeftOutCases| LeftOutCases {
                    cases: few(one),
                    ..one.clone()
                };
                self.left_out.iter().map(again).collect()
            }
        };
        Self {
            left_out,
            ..self.clone()
        }
    }
}

/// Counts for a release of `run`; `before` is the newest release there is.
pub(super) fn count(
    store: &Store,
    scope: &Scope,
    run: &Run,
    before: Option<&Release>,
) -> Result<Accounting, ReleaseError> {
    let least = Rules::of_this_program()?.k as u64;
    let now = reusable(store, scope, run)?;
    let outside = store.cases_left_out(scope, run.watermark)?;
    let changes = match before {
        Some(before) => {
            let then = store.run(scope, before.run)?;
            let then = reusable(store, scope, &then)?.held;
            let held = before.manifest["cases"].as_u64().unwrap_or_default();
            Some(changes(&before.release_id, held, &then, &now.held, least))
        }
        None => None,
    };
    Ok(Accounting {
        told_from: least,
        left_out: left_out(
            &[
                ("no consent to research reuse", now.without_reuse),
                ("registered after the cut-off", now.registered_later),
                ("draft, not submitted", outside.drafts),
                ("withdrawn", outside.withdrawn),
            ],
            least,
        ),
        changes,
    })
}

/// The cases of a run, as a release takes them.
#[derive(Default)]
struct Reusable {
    /// Version of each case that may be released, by record id.
    held: HashMap<String, i64>,
    without_reuse: u64,
    registered_later: u64,
}

fn reusable(store: &Store, scope: &Scope, run: &Run) -> Result<Reusable, ReleaseError> {
    let mut found = Reusable::default();
    for (case, fate) in fates(store, scope, run)? {
        match fate {
            Fate::Held => {
                found.held.insert(case.case_id, case.version);
            }
            Fate::NoReuse => found.without_reuse += 1,
            Fate::RegisteredLater => found.registered_later += 1,
        }
    }
    Ok(found)
}

/// Reasons with their counts. Of one count that is too small the others and a total would tell: the smallest other goes with it.
fn left_out(counts: &[(&str, u64)], least: u64) -> Vec<LeftOutCases> {
    let small = |(_, n): &(&str, u64)| *n > 0 && *n < least;
    let mut hidden: Vec<bool> = counts.iter().map(small).collect();
    if hidden.iter().filter(|hidden| **hidden).count() == 1 {
        let may = |at: &usize| !hidden[*at] && counts[*at].1 > 0;
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
    }

    /// Cases without consent are counted as the others are, and those of an earlier release told by the same rule.
    #[test]
    fn an_earlier_count_is_told_by_the_rule_of_today() {
        let kept = |counts: &[(&str, Option<u64>)]| Accounting {
            told_from: 5,
            left_out: counts
                .iter()
                .map(|(reason, cases)| LeftOutCases {
                    reason: (*reason).to_owned(),
                    cases: *cases,
                })
                .collect(),
            changes: None,
        };
        let told = |counts: &[(&str, Option<u64>)]| -> Vec<Option<u64>> {
            let again = kept(counts).told_again();
            again.left_out.into_iter().map(|one| one.cases).collect()
        };
        let consent = "no consent to research reuse";
        assert_eq!(
            told(&[(consent, Some(1)), ("b", Some(9)), ("c", Some(7))]),
            [None, Some(9), None]
        );
        assert_eq!(
            told(&[(consent, Some(1)), ("b", None), ("c", Some(7))]),
            [None, None, Some(7)]
        );
        assert_eq!(
            told(&[(consent, Some(6)), ("b", Some(9)), ("c", Some(0))]),
            [Some(6), Some(9), Some(0)]
        );
    }
}
