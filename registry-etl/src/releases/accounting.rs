//! Cases a release does not hold, by reason, and what changed since the release before it: counts that name no case.
//!
//! Counted once, when a release is frozen, and kept with it: later withdrawals change neither. In the bundle, which is the coordinating
//! office's, a count of fewer patients than `schema/releases/deidentification.toml` wants in a group does not stand, nor another from which it
//! would follow. Everybody else reads the [`Outline`].

use std::collections::HashMap;

use registry_core::access::Scope;
use registry_core::storage::{Release, Run, Store};
use serde::{Deserialize, Serialize};

use super::ReleaseError;
use super::deidentify::Rules;
use super::eligible::{Fate, fates};
use crate::disclosure::{STEPS, Thresholds, told_since};

/// Cases that are not in the release, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CasesLeftOut)]
pub struct LeftOutCases {
    pub reason: String,
    /// None: too few to be told, or one could tell from it how many those are.
    pub cases: Option<u64>,
}

/// What changed since an earlier release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReleaseChanges)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReleaseAccounting)]
pub struct Accounting {
    /// Smallest count told; 0 is.
    pub told_from: u64,
    pub left_out: Vec<LeftOutCases>,
    /// None for the first release.
    pub changes: Option<Changes>,
}

/// What is told of an [`Accounting`] to who is not of the coordinating office: every number through `disclosure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = OutlineOfAccounting)]
pub struct Outline {
    /// From how many cases on a count is told.
    pub told_from: u64,
    /// Counts are told in such steps, rounded down.
    pub steps_of: u64,
    pub left_out: Vec<OutlineOfReason>,
    pub changes: Option<OutlineOfChanges>,
}

/// Cases left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OutlineOfReason {
    pub reason: String,
    /// As the releases before it told it until many more or fewer are left out; none: not told.
    pub about: Option<u64>,
}

/// Changes since an earlier release; none: not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OutlineOfChanges {
    pub since: String,
    pub added: Option<u64>,
    pub changed: Option<u64>,
    pub left: Option<u64>,
}

impl Accounting {
    /// What is told of it beside those of the releases before it, oldest first.
    pub fn outline<'a>(
        &self,
        earlier: impl IntoIterator<Item = &'a Accounting>,
        thresholds: &Thresholds,
    ) -> Outline {
        let mut told: HashMap<&str, Option<u64>> = HashMap::new();
        for accounting in earlier {
            told.extend(accounting.levels(&told, thresholds));
        }
        told.extend(self.levels(&told, thresholds));
        let alone = |count: Option<u64>| told_since(count?, None, thresholds);
        Outline {
            told_from: u64::from(thresholds.public),
            steps_of: STEPS,
            left_out: self
                .left_out
                .iter()
                .map(|one| OutlineOfReason {
                    reason: one.reason.clone(),
                    about: told.get(one.reason.as_str()).copied().flatten(),
                })
                .collect(),
            changes: self.changes.as_ref().map(|changes| OutlineOfChanges {
                since: changes.since.clone(),
                added: alone(changes.added),
                changed: alone(changes.changed),
                left: alone(changes.left),
            }),
        }
    }

    /// Every reason and what is told of it, where `before` was told last. A count that the office itself is not told stays as it was told: it
    /// may be hidden for another's sake.
    fn levels(
        &self,
        before: &HashMap<&str, Option<u64>>,
        thresholds: &Thresholds,
    ) -> Vec<(&str, Option<u64>)> {
        let level = |one: &LeftOutCases| {
            let last = before.get(one.reason.as_str()).copied();
            match one.cases {
                Some(cases) => told_since(cases, last, thresholds),
                None => last.flatten(),
            }
        };
        self.left_out
            .iter()
            .map(|one| (one.reason.as_str(), level(one)))
            .collect()
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

    /// Counts of E, F and G for each reason, and what a researcher reads of G: by hand, threshold 11.
    #[test]
    fn others_than_the_office_read_steps_that_one_patient_does_not_move() {
        let kept = |consent: Option<u64>, drafts: Option<u64>, changes: Option<Changes>| Accounting {
            told_from: 5,
            left_out: [
                ("no consent to research reuse", consent),
                ("draft, not submitted", drafts),
            ]
            .map(|(reason, cases)| LeftOutCases {
                reason: reason.to_owned(),
                cases,
            })
            .to_vec(),
            changes,
        };
        let changes = Changes {
            since: "F".to_owned(),
            added: Some(19),
            changed: Some(10),
            left: None,
        };
        let earlier = [kept(Some(19), None, None), kept(Some(20), Some(6), None)];
        let outline = kept(Some(21), Some(25), Some(changes)).outline(&earlier, &Thresholds::default());
        let about: Vec<_> = outline.left_out.iter().map(|one| one.about).collect();
        assert_eq!(about, [Some(10), Some(20)]);
        let changes = outline.changes.unwrap();
        assert_eq!(
            (changes.added, changes.changed, changes.left),
            (Some(10), None, None)
        );
        assert_eq!((outline.told_from, outline.steps_of), (11, 10));
        // Hidden from the office because the other is small: as it was told.
        let hidden = kept(None, Some(3), None).outline(&earlier, &Thresholds::default());
        let about: Vec<_> = hidden.left_out.iter().map(|one| one.about).collect();
        assert_eq!(about, [Some(10), None]);
        let first = kept(Some(21), Some(5), None).outline([], &Thresholds::default());
        let about: Vec<_> = first.left_out.iter().map(|one| one.about).collect();
        assert_eq!(about, [Some(20), None]);
    }
}
