//! Who fell out of the endpoints of a run, and why.
//!
//! The flows are one family: endpoints share reasons (whoever is outside the core population is so in all of them), so that
//! a count hidden in one flow must not stand in another. A reason with the same count in two flows is taken for the same
//! patients. The number analysed stands beside every estimate, so how many were left out in all is known, and the sensitivity with
//! retrospective cases tells how many those are unless they are few: where the other reasons cannot protect each other, none of
//! them is told, not even those that left nobody out.

use super::suppression::{Cell, Family, Sum};
use super::{Audience, Thresholds, few};
use crate::cohorts::LeftOut;
use crate::results::{Flow, SurvivalResult, Withheld};
use std::collections::{BTreeMap, BTreeSet};

const ANALYSED: &str = "analysed";

/// Notes in every exact result of a run what its flow may not tell whom.
pub fn withhold(results: &mut [SurvivalResult], thresholds: &Thresholds) {
    let flows: Vec<&Flow> = results.iter().map(|one| &one.flow).collect();
    let committee = withheld(&flows, thresholds.committee);
    let public = withheld(&flows, thresholds.public);
    for (result, (committee, public)) in results.iter_mut().zip(committee.into_iter().zip(public)) {
        result.flow.withheld = Some(Withheld { committee, public });
    }
}

/// Hides in a flow what the audience may not see. A result that was stored before flows were looked at together is looked at alone.
pub(super) fn hide(flow: &mut Flow, audience: &Audience, thresholds: &Thresholds) {
    let hidden = match (flow.withheld.take(), audience) {
        (Some(kept), Audience::Public) => kept.public,
        (Some(kept), _) => kept.committee,
        (None, _) => withheld(&[flow], thresholds.of(audience))
            .pop()
            .unwrap_or_default(),
    };
    flow.analysed = flow.analysed.filter(|_| !hidden.contains(ANALYSED));
    for step in &mut flow.left_out {
        step.n = step.n.filter(|_| !hidden.contains(&step.reason));
    }
}

/// Reasons (and [`ANALYSED`]) that are not told, flow by flow.
fn withheld(flows: &[&Flow], threshold: u32) -> Vec<BTreeSet<String>> {
    let mut family = Family::default();
    let mut shared: BTreeMap<(&str, u32), usize> = BTreeMap::new();
    let mut flows_of: Vec<Parts> = Vec::new();
    for flow in flows {
        let analysed = flow.analysed.unwrap_or(0);
        let told = !few(analysed, threshold);
        let cases = flow.cases.unwrap_or(0);
        let total = family.add(Cell::of(if told {
            cases.saturating_sub(analysed)
        } else {
            cases
        }));
        let mut parts = Vec::new();
        for step in &flow.left_out {
            if let Some(n) = step.n.filter(|n| *n > 0 && !is_told(&step.reason, *n, threshold)) {
                let cell = *shared
                    .entry((&step.reason, n))
                    .or_insert_with(|| family.add(Cell::of(n)));
                parts.push((step.reason.clone(), cell));
            }
        }
        if !told {
            parts.push((ANALYSED.to_owned(), family.add(Cell::of(analysed))));
        }
        family.sums.push(Sum {
            total,
            parts: parts.iter().map(|(_, cell)| *cell).collect(),
        });
        flows_of.push(Parts { total, parts });
    }
    let hidden = family.protect(threshold);
    let is_hidden = |cell: usize| hidden.get(cell).is_some_and(Option::is_some);
    let of = |(flow, Parts { total, parts }): (&&Flow, &Parts)| {
        if is_hidden(*total) {
            let steps = flow.left_out.iter();
            let untold = steps.filter(|step| !is_told(&step.reason, step.n.unwrap_or(0), threshold));
            let reasons = untold.map(|step| step.reason.clone());
            let told = parts.iter().all(|(name, _)| name != ANALYSED);
            return reasons.chain((!told).then(|| ANALYSED.to_owned())).collect();
        }
        let parts = parts.iter().filter(|(_, cell)| is_hidden(*cell));
        parts.map(|(name, _)| name.clone()).collect()
    };
    flows.iter().zip(&flows_of).map(of).collect()
}

/// Whether a count is told elsewhere: what the sensitivity with retrospective cases has more than the primary estimate.
fn is_told(reason: &str, n: u32, threshold: u32) -> bool {
    reason == LeftOut::Retrospective.as_str() && n >= threshold
}

/// A flow among the cells of the family.
struct Parts {
    total: usize,
    /// By name; a reason that left nobody out is none of them.
    parts: Vec<(String, usize)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::FlowStep;
    use proptest::prelude::*;

    const REASONS: [&str; 4] = [
        "not_core",
        "retrospective",
        "exit_not_after_entry",
        "no_baseline_score",
    ];

    fn flow(analysed: u32, left_out: [u32; 4]) -> Flow {
        let step = |(reason, n): (&&str, u32)| FlowStep {
            reason: (*reason).to_owned(),
            label: (*reason).to_owned(),
            n: Some(n),
        };
        Flow {
            cases: Some(analysed + left_out.iter().sum::<u32>()),
            left_out: REASONS.iter().zip(left_out).map(step).collect(),
            analysed: Some(analysed),
            withheld: None,
        }
    }

    fn told(flows: &[Flow], threshold: u32) -> Vec<Vec<bool>> {
        let all: Vec<&Flow> = flows.iter().collect();
        let hidden = withheld(&all, threshold);
        let names = || REASONS.into_iter().chain([ANALYSED]);
        let one = |hidden: &BTreeSet<String>| names().map(|name| !hidden.contains(name)).collect();
        hidden.iter().map(one).collect()
    }

    #[test]
    fn what_one_endpoint_hides_another_does_not_tell() {
        // Three are few; 46 outside the core are hidden with them, and so they are in the second endpoint, where 46 alone would
        // follow from the total: its 629 go too.
        let flows = [flow(1119, [46, 92, 3, 0]), flow(585, [46, 0, 0, 629])];
        assert_eq!(
            told(&flows, 5),
            [[false, true, false, true, true], [false, true, true, false, true]]
        );
        assert_eq!(told(&flows[1..], 5), [[true; 5]], "alone it has nothing to hide");
    }

    #[test]
    fn few_left_out_in_all_are_of_no_reason() {
        let hidden = [false, false, false, false, true];
        assert_eq!(told(&[flow(100, [3, 0, 0, 0])], 5), [hidden]);
        assert_eq!(told(&[flow(100, [0, 2, 1, 0])], 5), [hidden]);
        assert_eq!(told(&[flow(100, [0; 4])], 5), [[true; 5]]);
        // The sensitivity tells the 92, so they hide nobody.
        assert_eq!(
            told(&[flow(100, [3, 92, 0, 0])], 5),
            [[false, true, false, false, true]]
        );
    }

    #[test]
    fn few_analysed_are_hidden_with_the_smallest_reason() {
        let told = told(&[flow(3, [20, 40, 0, 0])], 5);
        assert_eq!(told, [[false, true, true, true, false]]);
    }

    proptest! {
        /// Whoever knows the cases of every endpoint, and its number analysed unless that is hidden.
        #[test]
        fn no_small_count_is_told_or_left_over(
            given in proptest::collection::vec((0u32..40, proptest::array::uniform4(0u32..20)), 1..5),
            threshold in 2u32..12,
        ) {
            let flows: Vec<Flow> = given.iter().map(|(analysed, left)| flow(*analysed, *left)).collect();
            let all = told(&flows, threshold);
            // A reason with one and the same count, told anywhere, is told.
            let mut known: BTreeSet<(usize, u32)> = BTreeSet::new();
            for ((_, left), told) in given.iter().zip(&all) {
                known.extend(left.iter().copied().enumerate().filter(|(at, _)| told[*at]));
            }
            for ((analysed, left), told) in given.iter().zip(&all) {
                prop_assert!(!told[4] || !few(*analysed, threshold));
                let elsewhere = |at: &usize| *at == 1 && left[1] >= threshold;
                prop_assert!(told[1] || !elsewhere(&1));
                let nothing = (0..4).filter(|at| !elsewhere(at)).all(|at| !told[at]);
                let open: Vec<u32> = (0..4)
                    .filter(|at| left[*at] > 0 && !told[*at])
                    .map(|at| left[at])
                    .chain((!told[4]).then_some(*analysed))
                    .collect();
                for at in 0..4 {
                    prop_assert!(!told[at] || !few(left[at], threshold));
                    prop_assert!(told[at] || nothing || !known.contains(&(at, left[at])));
                }
                if !nothing {
                    prop_assert!(open.len() != 1);
                    prop_assert!(open.is_empty() || open.iter().sum::<u32>() >= threshold);
                }
            }
        }
    }
}
