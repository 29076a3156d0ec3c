//! Numbers that stand beside the parts of a survival result: at risk at a time, lost. They are not told where few came to them or left them, nor
//! where such a number would follow from those of a breakdown.

use super::parts::Beside;
use super::successive::{Earlier, New, Successive, counts};
use super::survival::{curve_name, incidence_name, landmark_name};
use crate::disclosure::suppression::Sum;
use crate::disclosure::survival::without_lost;
use crate::results::{AtRisk, LandmarkValue, SurvivalCurve, SurvivalResult};

/// The number of one group.
struct Number {
    group: String,
    /// The part it belongs to, as `as_of` names it.
    part: String,
    n: Option<u32>,
}

/// Numbers of a result, in one order in the exact and the shown one.
type Numbers<'a> = &'a dyn Fn(&SurvivalResult) -> Vec<Number>;

/// Most months two times lie apart that are the same.
const SAME: f64 = 0.01;

fn at(landmarks: &[LandmarkValue], months: f64) -> Option<&LandmarkValue> {
    landmarks.iter().find(|one| (one.months - months).abs() < SAME)
}

fn at_time(times: &[AtRisk], months: f64) -> Option<&AtRisk> {
    times.iter().find(|one| (one.months - months).abs() < SAME)
}

/// Every curve of a landmark comparison, with the part it belongs to and a name of its own.
fn grouped(result: &SurvivalResult) -> impl Iterator<Item = (String, String, &SurvivalCurve)> {
    result.landmark_comparisons.iter().flat_map(|one| {
        let part = landmark_name(one);
        let curves = one.curves.iter();
        curves.map(move |curve| (format!("{part}/{}", curve.level), part.clone(), curve))
    })
}

/// The times of several tables, each once.
fn times(all: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut times: Vec<f64> = all.collect();
    times.sort_by(f64::total_cmp);
    times.dedup_by(|a, b| (*a - *b).abs() < SAME);
    times
}

impl Beside<'_> {
    /// Takes out of `shown`, whose parts are as they will be told, the numbers that would tell of few. `curves` and `incidence` are the
    /// breakdowns of both.
    pub(super) fn numbers(&self, shown: &mut SurvivalResult, curves: &[Sum], incidence: &[Sum]) {
        let lost: Numbers<'_> = &|one| of_curves(one, &|curve| curve.lost);
        let held = self.moved(lost, curves, shown);
        for (curve, held) in shown.curves.iter_mut().zip(held) {
            if held {
                without_lost(curve);
            }
        }
        let exact = &self.new.exact;
        for months in times(
            exact
                .curves
                .iter()
                .flat_map(|one| &one.landmarks)
                .map(|one| one.months),
        ) {
            let at_risk: Numbers<'_> = &|one| {
                of_curves(one, &|curve| {
                    at(&curve.landmarks, months).and_then(|one| one.at_risk)
                })
            };
            let held = self.moved(at_risk, curves, shown);
            for (curve, held) in shown.curves.iter_mut().zip(held) {
                untold(&mut curve.landmarks, months, held);
            }
        }
        let lost: Numbers<'_> = &|one| of_incidence(one, &|_, lost| lost);
        let held = self.moved(lost, incidence, shown);
        for (one, held) in shown.incidence.iter_mut().zip(held) {
            one.lost = one.lost.filter(|_| !held);
        }
        for months in times(
            exact
                .incidence
                .iter()
                .flat_map(|one| &one.at_risk)
                .map(|one| one.months),
        ) {
            let at_risk: Numbers<'_> = &|one| {
                of_incidence(one, &|times, _| {
                    at_time(times, months).and_then(|one| one.at_risk)
                })
            };
            let held = self.moved(at_risk, incidence, shown);
            for (one, held) in shown.incidence.iter_mut().zip(held) {
                let time = one
                    .at_risk
                    .iter_mut()
                    .find(|time| (time.months - months).abs() < SAME);
                if let (Some(time), true) = (time, held) {
                    time.at_risk = None;
                }
            }
        }
        self.of_landmarks(shown);
    }

    fn of_landmarks(&self, shown: &mut SurvivalResult) {
        let numbers = |of: &dyn Fn(&SurvivalCurve) -> Option<u32>, one: &SurvivalResult| -> Vec<Number> {
            let all = grouped(one);
            all.map(|(group, part, curve)| Number {
                group,
                part,
                n: of(curve),
            })
            .collect()
        };
        let lost: Numbers<'_> = &|one| numbers(&|curve| curve.lost, one);
        let held = self.moved(lost, &[], shown);
        let curves = shown
            .landmark_comparisons
            .iter_mut()
            .flat_map(|one| &mut one.curves);
        for (curve, held) in curves.zip(held) {
            if held {
                without_lost(curve);
            }
        }
        let all = self.new.exact.landmark_comparisons.iter();
        let values = all.flat_map(|one| &one.curves).flat_map(|one| &one.landmarks);
        for months in times(values.map(|one| one.months)) {
            let at_risk = |curve: &SurvivalCurve| at(&curve.landmarks, months).and_then(|one| one.at_risk);
            let held = self.moved(&|one| numbers(&at_risk, one), &[], shown);
            let curves = shown
                .landmark_comparisons
                .iter_mut()
                .flat_map(|one| &mut one.curves);
            for (curve, held) in curves.zip(held) {
                untold(&mut curve.landmarks, months, held);
            }
        }
    }

    /// Which of the numbers that `shown` tells anew are held back.
    fn moved(&self, numbers: Numbers<'_>, sums: &[Sum], shown: &SurvivalResult) -> Vec<bool> {
        let exact = numbers(&self.new.exact);
        let told = numbers(shown);
        let cells = sums.iter().flat_map(Sum::members).max();
        let cells = exact.len().max(cells.map_or(0, |last| last + 1));
        let own = |of: &SurvivalResult, one: &Number| one.n.is_some() && of.part_as_of(&one.part).is_none();
        let mut new: Vec<New> = exact
            .iter()
            .zip(&told)
            .map(|(exact, told)| New {
                counts: counts([exact.n]),
                shown: own(shown, told),
                fixed: exact.n == Some(0),
                unchanged: true,
            })
            .collect();
        new.resize(cells, New::UNTOLD);
        let of_run = |run: &super::Published<SurvivalResult>| {
            let (then, told) = (numbers(&run.exact), numbers(&run.shown));
            let known = |one: &Number| {
                let at = then.iter().position(|other| other.group == one.group)?;
                let own = told.get(at).is_some_and(|told| own(&run.shown, told));
                own.then(|| counts([then.get(at).and_then(|one| one.n)]))
            };
            let told = exact.iter().map(known).collect();
            Earlier { told, sums }
        };
        let runs: Vec<Earlier<'_>> = self.earlier.iter().map(|run| of_run(run)).collect();
        let successive = Successive {
            new: &new,
            sums,
            runs: &runs,
            left: &[],
            threshold: self.threshold,
        };
        let mut held = successive.held(&[]);
        held.truncate(exact.len());
        held
    }
}

fn untold(landmarks: &mut [LandmarkValue], months: f64, held: bool) {
    let found = landmarks
        .iter_mut()
        .find(|one| (one.months - months).abs() < SAME);
    if let (Some(found), true) = (found, held) {
        found.at_risk = None;
    }
}

fn of_curves(result: &SurvivalResult, of: &dyn Fn(&SurvivalCurve) -> Option<u32>) -> Vec<Number> {
    let number = |curve: &SurvivalCurve| Number {
        group: curve_name(curve),
        part: curve_name(curve),
        n: of(curve),
    };
    result.curves.iter().map(number).collect()
}

/// A number of those at risk and those lost.
type OfIncidence<'a> = &'a dyn Fn(&[AtRisk], Option<u32>) -> Option<u32>;

fn of_incidence(result: &SurvivalResult, of: OfIncidence<'_>) -> Vec<Number> {
    let all = result.incidence.iter();
    all.map(|one| Number {
        group: incidence_name(one),
        part: incidence_name(one),
        n: of(&one.at_risk, one.lost),
    })
    .collect()
}
