//! Survival. Every curve, incidence, share, change, landmark comparison, model and point of a centre is held back on its own, and the flow of
//! exclusions as one; [`SurvivalResult::as_of`] names what stays. Whatever tells how many were analysed is held back together where few were
//! left out besides, or where one centre would tell who came besides its own patients. Numbers at risk and lost that changed by few are not
//! told. Tests of a breakdown stay with any of its groups.

use std::collections::BTreeMap;

use super::Published;
use super::parts::{Beside, Kind};
use super::successive::counts;
use crate::disclosure::suppression::Sum;
use crate::disclosure::survival::{emptied, is_total};
use crate::disclosure::{Audience, FEW, Thresholds, endpoints, nothing};
use crate::results::{
    AdjustedModel, Analysis, AsOf, ChangeRow, CurveState, GroupTest, IncidenceCurve, LandmarkComparison,
    ProportionRow, SurvivalCurve, SurvivalResult,
};

type Results = Published<SurvivalResult>;

/// The flow as `as_of` names it.
pub(super) const FLOW: &str = "flow";

/// The result of `new` as `audience` may see it beside `earlier`, which are all other published runs.
pub fn survival_beside(
    new: &Results,
    earlier: &[Results],
    audience: &Audience,
    thresholds: &Thresholds,
) -> SurvivalResult {
    let mut earlier: Vec<&Results> = earlier.iter().collect();
    earlier.sort_by_key(|run| std::cmp::Reverse(run.exact.run.run));
    let beside = Beside {
        new,
        earlier: &earlier,
        threshold: thresholds.of(audience),
    };
    let analysed_tells = beside.analysed_tells();
    let of_curves = breakdowns(&new.exact.curves, |one| one.analysis, |one| &one.by);
    let of_incidence = breakdowns(&new.exact.incidence, |one| one.analysis, |one| &one.by);
    let mut shown = new.shown.clone();
    beside.estimates(&mut shown, &of_curves, &of_incidence, analysed_tells);
    beside.besides(&mut shown, *audience == Audience::Public, analysed_tells);
    beside.flow(&mut shown, analysed_tells);
    beside.centres(&mut shown, analysed_tells);
    beside.numbers(&mut shown, &of_curves, &of_incidence);
    beside.tests(&mut shown);
    shown
}

impl Beside<'_> {
    /// Curves and incidences.
    fn estimates(&self, shown: &mut SurvivalResult, curves: &[Sum], incidence: &[Sum], analysed_tells: bool) {
        let exact = &self.new.exact;
        // Sensitivities are of the same patients, or of more.
        let of_all = |by: &str| analysed_tells && by == "all";
        let curves = Kind {
            parts: |one| &one.curves,
            name: curve_name,
            counts: &|one: &SurvivalCurve| counts([one.patients, one.events]),
            shown: |one| one.patients.is_some(),
            hide: |one| emptied(one, FEW),
            by: |one| (one.analysis == Analysis::Primary && one.by != "all").then_some(one.by.as_str()),
            sums: with_sensitivities(curves, &exact.curves),
            wholes: Vec::new(),
            anyway: exact.curves.iter().map(|one| of_all(&one.by)).collect(),
            of_all: true,
            all_listed: false,
        };
        shown.curves = self.parts(&curves, &mut shown.as_of);
        let incidence = Kind {
            parts: |one| &one.incidence,
            name: incidence_name,
            counts: &|one: &IncidenceCurve| {
                let events = |at: usize| one.causes.get(at).and_then(|cause| cause.events);
                counts([
                    one.patients,
                    events(0),
                    events(1),
                    events(2),
                    events(3),
                    events(4),
                ])
            },
            shown: |one| one.patients.is_some(),
            hide: |one| endpoints::empty(one, FEW),
            by: |one| (one.analysis == Analysis::Primary && one.by != "all").then_some(one.by.as_str()),
            sums: incidence.to_vec(),
            wholes: Vec::new(),
            anyway: exact.incidence.iter().map(|one| of_all(&one.by)).collect(),
            of_all: true,
            all_listed: false,
        };
        shown.incidence = self.parts(&incidence, &mut shown.as_of);
    }

    /// Shares, changes, landmarks and models. `public` reads both parts of a share.
    fn besides(&self, shown: &mut SurvivalResult, public: bool, analysed_tells: bool) {
        let exact = &self.new.exact;
        let proportions = Kind {
            parts: |one| &one.proportions,
            name: proportion_name,
            counts: &|one| {
                let with = one.numerator.filter(|_| public);
                counts([one.denominator, with, one.not_assessable])
            },
            shown: |one| one.denominator.is_some(),
            hide: nothing::share,
            by: |one| (one.by != "all").then_some(one.by.as_str()),
            sums: breakdowns(&exact.proportions, |_| Analysis::Primary, |one| &one.by),
            wholes: Vec::new(),
            anyway: exact
                .proportions
                .iter()
                .map(|one| analysed_tells && one.by == "all")
                .collect(),
            of_all: true,
            all_listed: false,
        };
        shown.proportions = self.parts(&proportions, &mut shown.as_of);
        let changes = Kind {
            parts: |one| &one.changes,
            name: change_name,
            counts: &|one| counts([one.baseline, one.died, one.not_due, one.measured, one.missing]),
            shown: |one| {
                let told = [one.baseline, one.died, one.not_due, one.measured, one.missing];
                told.iter().any(Option::is_some)
            },
            hide: nothing::change,
            by: |_| None,
            sums: Vec::new(),
            wholes: Vec::new(),
            anyway: vec![analysed_tells; exact.changes.len()],
            of_all: true,
            all_listed: false,
        };
        shown.changes = self.parts(&changes, &mut shown.as_of);
        let landmarks = Kind {
            parts: |one| &one.landmark_comparisons,
            name: landmark_name,
            counts: &|one| counts([one.patients, one.died_before, one.left_before, one.at_landmark]),
            shown: |one| {
                let told = [one.patients, one.died_before, one.left_before, one.at_landmark];
                told.iter().any(Option::is_some) || one.curves.iter().any(|curve| curve.patients.is_some())
            },
            hide: nothing::landmark,
            by: |_| None,
            sums: Vec::new(),
            wholes: Vec::new(),
            anyway: self
                .groups_of_landmarks()
                .into_iter()
                .map(|moved| moved || analysed_tells)
                .collect(),
            of_all: true,
            all_listed: false,
        };
        shown.landmark_comparisons = self.parts(&landmarks, &mut shown.as_of);
        let models = Kind {
            parts: |one| &one.models,
            name: model_name,
            counts: &|one| counts([one.patients, one.events, one.left_out]),
            shown: |one| !one.ratios.is_empty() || one.patients.is_some(),
            hide: nothing::model,
            by: |_| None,
            sums: Vec::new(),
            wholes: Vec::new(),
            anyway: vec![analysed_tells; exact.models.len()],
            of_all: true,
            all_listed: false,
        };
        shown.models = self.parts(&models, &mut shown.as_of);
    }

    /// Tests of a breakdown: as they stood where a group stays as it was, none where a group is hidden.
    fn tests(&self, shown: &mut SurvivalResult) {
        let tests: Vec<_> = shown.tests.iter().map(|test| self.test(test, shown)).collect();
        shown.tests.clear();
        for (test, as_of) in tests {
            shown.as_of.extend(as_of.map(|run| AsOf {
                part: test_name(&test),
                run,
            }));
            shown.tests.push(test);
        }
    }

    /// A test, and the earlier run it is of.
    fn test(&self, test: &GroupTest, shown: &SurvivalResult) -> (GroupTest, Option<i64>) {
        let curves = shown.curves.iter();
        let curves = curves.map(|one| (one.analysis, &one.by, one.state, curve_name(one)));
        let incidence = shown.incidence.iter();
        let incidence = incidence.map(|one| (one.analysis, &one.by, one.state, incidence_name(one)));
        let groups: Vec<_> = curves
            .chain(incidence)
            .filter(|(analysis, by, ..)| *analysis == Analysis::Primary && **by == test.by)
            .collect();
        let alone = &self.new.shown;
        let was_told = |name: &str| {
            let told = |state: CurveState| state != CurveState::Suppressed;
            alone
                .curves
                .iter()
                .any(|one| curve_name(one) == name && told(one.state))
                || alone
                    .incidence
                    .iter()
                    .any(|one| incidence_name(one) == name && told(one.state))
        };
        // Listed for somebody an earlier run hid.
        let gone = |name: &str| {
            let curves = alone.curves.iter().map(curve_name);
            let mut listed = curves.chain(alone.incidence.iter().map(incidence_name));
            !listed.any(|one| one == name)
        };
        let hidden = |(_, _, state, name): &(_, _, CurveState, String)| {
            *state == CurveState::Suppressed && (was_told(name) || gone(name))
        };
        if groups.iter().any(hidden) {
            return (endpoints::untold(test), None);
        }
        if !groups.iter().any(|(.., name)| shown.part_as_of(name).is_some()) {
            return (test.clone(), None);
        }
        let same =
            |other: &&GroupTest| (other.kind, &other.by, &other.cause) == (test.kind, &test.by, &test.cause);
        let then = self.before().find_map(|run| {
            let told = run.shown.tests.iter().find(same)?;
            let of = run.shown.part_as_of(&test_name(told));
            Some((told.clone(), of.unwrap_or(run.exact.run.run)))
        });
        match then {
            Some((told, run)) => (told, Some(run)),
            None => (endpoints::untold(test), None),
        }
    }
}

fn analysis(of: Analysis) -> String {
    let code = serde_json::to_value(of).ok();
    code.and_then(|code| code.as_str().map(str::to_owned))
        .unwrap_or_default()
}

pub(super) fn curve_name(one: &SurvivalCurve) -> String {
    format!("curves/{}/{}/{}", analysis(one.analysis), one.by, one.level)
}

pub(super) fn incidence_name(one: &IncidenceCurve) -> String {
    format!("incidence/{}/{}/{}", analysis(one.analysis), one.by, one.level)
}

pub(super) fn landmark_name(one: &LandmarkComparison) -> String {
    format!("landmarks/{}/{}", one.by, one.landmark_months)
}

fn test_name(one: &GroupTest) -> String {
    format!("tests/{}", one.by)
}

pub(super) fn proportion_name(one: &ProportionRow) -> String {
    format!("proportions/{}/{}", one.by, one.level)
}

pub(super) fn change_name(one: &ChangeRow) -> String {
    format!("changes/{}", one.months)
}

pub(super) fn model_name(one: &AdjustedModel) -> String {
    format!("models/{}", one.model)
}

/// Every breakdown of the primary estimate of all adds up to it.
fn breakdowns<T>(all: &[T], analysis: fn(&T) -> Analysis, by: fn(&T) -> &str) -> Vec<Sum> {
    let primary = |one: &T| analysis(one) == Analysis::Primary;
    let total = all.iter().position(|one| primary(one) && by(one) == "all");
    let mut parts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        if primary(one) && by(one) != "all" {
            parts.entry(by(one)).or_default().push(at);
        }
    }
    let sums = total.map(|total| parts.into_values().map(move |parts| Sum { total, parts }));
    sums.into_iter().flatten().collect()
}

/// A sensitivity of other patients is those of the primary estimate and the rest, which nobody publishes.
fn with_sensitivities(breakdowns: &[Sum], all: &[SurvivalCurve]) -> Vec<Sum> {
    let mut sums = breakdowns.to_vec();
    let Some(primary) = all.iter().position(is_total) else {
        return sums;
    };
    for (at, one) in all
        .iter()
        .enumerate()
        .filter(|(at, one)| *at != primary && one.by == "all")
    {
        let patients = |at: usize| all.get(at).and_then(|one| one.patients);
        let (total, part) = if one.patients >= patients(primary) {
            (at, primary)
        } else {
            (primary, at)
        };
        sums.push(Sum {
            total,
            parts: vec![part, all.len() + at],
        });
    }
    sums
}

impl Beside<'_> {
    /// Landmark comparisons with a group that changed by few.
    fn groups_of_landmarks(&self) -> Vec<bool> {
        let moved = |one: &LandmarkComparison| {
            let then = self.earlier.iter().filter_map(|run| {
                let mut all = run.shown.landmark_comparisons.iter();
                all.find(|other| landmark_name(other) == landmark_name(one))
            });
            then.into_iter().any(|then| {
                one.curves.iter().zip(&then.curves).any(|(now, then)| {
                    self.is_small(now.patients, then.patients) || self.is_small(now.events, then.events)
                })
            })
        };
        self.new.exact.landmark_comparisons.iter().map(moved).collect()
    }

    /// The flow stays as a whole, and with it how many entered late.
    fn flow(&self, shown: &mut SurvivalResult, analysed_tells: bool) {
        let now = &self.new.exact.flow;
        let n = |flow: &crate::results::Flow, reason: &str| {
            let mut steps = flow.left_out.iter();
            steps.find(|step| step.reason == reason).and_then(|step| step.n)
        };
        let told = |run: &&&Results| run.shown.part_as_of(FLOW).is_none();
        let moved_by_few = self.earlier.iter().filter(told).any(|run| {
            let then = &run.shown.flow;
            let mut steps = now.left_out.iter();
            self.is_small(now.cases, then.cases)
                || self.is_small(now.analysed, then.analysed)
                || self.is_small(self.new.exact.entered_late, run.shown.entered_late)
                || steps.any(|step| self.is_small(step.n, n(then, &step.reason)))
        });
        if !moved_by_few && !analysed_tells {
            return;
        }
        let mut before = self.before();
        let last = before.find(|run| run.shown.part_as_of(FLOW).is_none());
        match last.filter(|run| !self.alone_in(&run.exact)) {
            Some(run) => {
                shown.flow = run.shown.flow.clone();
                shown.entered_late = run.shown.entered_late;
                shown.as_of.push(AsOf {
                    part: FLOW.to_owned(),
                    run: run.exact.run.run,
                });
            }
            None => {
                nothing::flow(&mut shown.flow);
                shown.entered_late = None;
            }
        }
    }
}
