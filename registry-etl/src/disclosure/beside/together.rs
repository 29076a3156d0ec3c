//! What stands behind many parts of a result at once: how many were left out in all, and what one centre knows of itself.

use super::parts::Beside;
use super::survival::{
    FLOW, change_name, curve_name, incidence_name, landmark_name, model_name, proportion_name,
};
use crate::disclosure::few;
use crate::results::{CentrePart, SurvivalResult};

/// What a centre subtracts: rows of the flow, rows analysed, patients, events.
type Known = [i64; 4];

fn known(part: &CentrePart) -> Known {
    [part.cases, part.analysed, part.patients, part.events].map(i64::from)
}

fn of_all(result: &SurvivalResult) -> Known {
    let parts = result.by_centre.iter().map(known);
    parts.fold(Known::default(), |sum, part| {
        std::array::from_fn(|at| sum[at] + part[at])
    })
}

/// All centres but one.
fn without(result: &SurvivalResult, centre: &str) -> Known {
    let part = result.by_centre.iter().find(|one| one.centre == centre);
    let part = part.map(known).unwrap_or_default();
    let all = of_all(result);
    std::array::from_fn(|at| all[at] - part[at])
}

/// Rows of the flow that were analysed, and that were left out.
fn of_flow(result: &SurvivalResult) -> Option<[i64; 2]> {
    let (cases, analysed) = (result.flow.cases?, result.flow.analysed?);
    Some([i64::from(analysed), i64::from(cases) - i64::from(analysed)])
}

/// Whether a result tells itself how many were analysed, besides what it says of centres: the flow does, the estimate of all patients, and all
/// that counts the same patients again.
pub(super) fn tells_analysed(shown: &SurvivalResult) -> bool {
    let own = |told: bool, part: &str| told && shown.part_as_of(part).is_none();
    own(shown.flow.analysed.is_some(), FLOW)
        || shown
            .curves
            .iter()
            .any(|one| one.by == "all" && own(one.patients.is_some(), &curve_name(one)))
        || shown
            .incidence
            .iter()
            .any(|one| one.by == "all" && own(one.patients.is_some(), &incidence_name(one)))
        || shown
            .proportions
            .iter()
            .any(|one| one.by == "all" && own(one.denominator.is_some(), &proportion_name(one)))
        || shown
            .changes
            .iter()
            .any(|one| own(one.baseline.is_some(), &change_name(one)))
        || shown
            .landmark_comparisons
            .iter()
            .any(|one| own(one.patients.is_some(), &landmark_name(one)))
        || shown
            .models
            .iter()
            .any(|one| own(one.patients.is_some(), &model_name(one)))
}

/// Whether it tells that anywhere.
fn tells(shown: &SurvivalResult) -> bool {
    tells_analysed(shown) || shown.centres.as_ref().is_some_and(|one| one.patients.is_some())
}

impl Beside<'_> {
    /// Whether the number analysed may not be told anew, nor what adds up to it: that few more or fewer were analysed; beside the cases of the two
    /// runs, that few more or fewer were left out; or a centre, that few besides its own patients came or left.
    pub(super) fn analysed_tells(&self) -> bool {
        let now = &self.new.exact;
        let mut earlier = self.earlier.iter().filter(|run| tells(&run.shown));
        earlier.any(|run| {
            let both = of_flow(now).zip(of_flow(&run.exact));
            let moved = |(now, then): ([i64; 2], [i64; 2])| {
                now.iter().zip(then).any(|(now, then)| self.are_few(now - then))
            };
            both.is_some_and(moved) || self.one_centre_alone(&run.exact)
        })
    }

    /// Whether few came or left besides the patients of one centre. Results from before centres were kept do not tell.
    fn one_centre_alone(&self, then: &SurvivalResult) -> bool {
        let now = &self.new.exact;
        if now.by_centre.is_empty() || then.by_centre.is_empty() {
            return false;
        }
        let mut centres = now.by_centre.iter().chain(&then.by_centre);
        centres.any(|one| {
            let (now, then) = (without(now, &one.centre), without(then, &one.centre));
            now.iter().zip(then).any(|(now, then)| self.are_few(now - then))
        })
    }

    /// Whether a centre could subtract itself from what a run told of all.
    pub(super) fn alone_in(&self, run: &SurvivalResult) -> bool {
        let mut centres = run.by_centre.iter();
        centres.any(|one| {
            let [cases, analysed, patients, _] = without(run, &one.centre);
            [cases, analysed, patients]
                .into_iter()
                .any(|rest| self.are_few(rest))
        })
    }

    fn are_few(&self, by: i64) -> bool {
        u32::try_from(by.unsigned_abs()).is_ok_and(|by| few(by, self.threshold))
    }
}
