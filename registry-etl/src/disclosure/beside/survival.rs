//! Survival. Every curve, incidence, share, change, landmark comparison, model and point of a centre is held back on its own, and the flow of
//! exclusions as one; [`SurvivalResult::as_of`] names what stays. Numbers at risk that changed by few are not told. Tests of a
//! breakdown stay with any of its groups.

use super::Published;
use super::parts::{Beside, Kind};
use super::successive::counts;
use crate::cohorts::centres::place;
use crate::disclosure::suppression::Sum;
use crate::disclosure::survival::{emptied, is_total};
use crate::disclosure::{Audience, FEW, Thresholds, endpoints};
use crate::results::{
    Analysis, AsOf, CentrePoint, IncidenceCurve, LandmarkComparison, RateState, SurvivalCurve, SurvivalResult,
};

type Results = Published<SurvivalResult>;

/// The result of `new` as `audience` may see it beside `earlier`, which are all other published runs.
pub fn survival_beside(
    new: &Results,
    earlier: &[Results],
    audience: &Audience,
    thresholds: &Thresholds,
) -> SurvivalResult {
    let mut earlier: Vec<&Results> = earlier.iter().collect();
    earlier.sort_by_key(|run| std::cmp::Reverse(run.exact.run.run));
    let public = *audience == Audience::Public;
    let beside = Beside {
        new,
        earlier: &earlier,
        threshold: thresholds.of(audience),
    };
    let mut shown = new.shown.clone();
    let curves = Kind {
        parts: |one| &one.curves,
        name: curve_name,
        counts: &|one: &SurvivalCurve| counts([one.patients, one.events]),
        shown: |one| one.patients.is_some(),
        hide: |one| emptied(one, FEW),
        sums: curve_sums(&new.exact.curves),
        anyway: Vec::new(),
    };
    shown.curves = beside.parts(curves, &mut shown.as_of);
    let incidence = Kind {
        parts: |one| &one.incidence,
        name: incidence_name,
        counts: &|one: &IncidenceCurve| {
            let events = |at: usize| one.causes.get(at).and_then(|cause| cause.events);
            counts([one.patients, events(0), events(1), events(2)])
        },
        shown: |one| one.patients.is_some(),
        hide: |one| endpoints::empty(one, FEW),
        sums: sums_of(&new.exact.incidence, |one| {
            (one.analysis == Analysis::Primary).then_some(one.by.as_str())
        }),
        anyway: Vec::new(),
    };
    shown.incidence = beside.parts(incidence, &mut shown.as_of);
    let proportions = Kind {
        parts: |one| &one.proportions,
        name: |one| format!("proportions/{}/{}", one.by, one.level),
        counts: &|one| {
            let with = one.numerator.filter(|_| public);
            counts([one.denominator, with, one.not_assessable])
        },
        shown: |one| one.denominator.is_some(),
        hide: |one| {
            (one.state, one.suppressed) = (RateState::Suppressed, Some(FEW));
            (one.numerator, one.denominator, one.not_assessable) = (None, None, None);
            (one.rate, one.lower, one.upper) = (None, None, None);
            (one.bound_low, one.bound_high) = (None, None);
        },
        sums: sums_of(&new.exact.proportions, |one| Some(one.by.as_str())),
        anyway: Vec::new(),
    };
    shown.proportions = beside.parts(proportions, &mut shown.as_of);
    let changes = Kind {
        parts: |one| &one.changes,
        name: |one| format!("changes/{}", one.months),
        counts: &|one| counts([one.baseline, one.died, one.not_due, one.measured, one.missing]),
        shown: |one| one.baseline.is_some() || one.measured.is_some(),
        hide: |one| {
            one.suppressed = Some(FEW);
            (one.baseline, one.died, one.not_due) = (None, None, None);
            (one.measured, one.missing) = (None, None);
            (one.mean, one.lower, one.upper) = (None, None, None);
            (one.better, one.worse) = (None, None);
        },
        sums: Vec::new(),
        anyway: Vec::new(),
    };
    shown.changes = beside.parts(changes, &mut shown.as_of);
    let landmarks = Kind {
        parts: |one| &one.landmark_comparisons,
        name: landmark_name,
        counts: &|one| counts([one.patients, one.died_before, one.left_before, one.at_landmark]),
        shown: |one| one.patients.is_some() || one.curves.iter().any(|curve| curve.patients.is_some()),
        hide: |one| {
            (one.patients, one.died_before, one.left_before, one.at_landmark) = (None, None, None, None);
            one.curves.iter_mut().for_each(|curve| emptied(curve, FEW));
            one.contrast = None;
            one.no_contrast = Some("not shown: few patients in a group".to_owned());
        },
        sums: Vec::new(),
        anyway: beside.groups_of_landmarks(),
    };
    shown.landmark_comparisons = beside.parts(landmarks, &mut shown.as_of);
    let models = Kind {
        parts: |one| &one.models,
        name: |one| format!("models/{}", one.model),
        counts: &|one| counts([one.patients, one.events, one.left_out]),
        shown: |one| !one.ratios.is_empty(),
        hide: |one| {
            one.state = crate::results::ModelState::Suppressed;
            one.ratios.clear();
            (one.patients, one.events, one.left_out) = (None, None, None);
            (one.events_per_covariate, one.proportional_p, one.concordance) = (None, None, None);
        },
        sums: Vec::new(),
        anyway: Vec::new(),
    };
    shown.models = beside.parts(models, &mut shown.as_of);
    beside.centres(&mut shown);
    beside.flow(&mut shown);
    beside.at_risk(&mut shown.curves, &shown.as_of);
    let stays = |by: &str| {
        let groups = [
            format!("curves/primary/{by}/"),
            format!("incidence/primary/{by}/"),
        ];
        shown
            .as_of
            .iter()
            .any(|one| groups.iter().any(|group| one.part.starts_with(group)))
    };
    for test in &mut shown.tests {
        if stays(&test.by) {
            let mut before = earlier.iter().filter(|run| run.exact.run.run < new.exact.run.run);
            let then = before.find_map(|run| {
                let mut tests = run.shown.tests.iter();
                tests.find(|other| (&other.by, &other.cause) == (&test.by, &test.cause))
            });
            *test = then.cloned().unwrap_or_else(|| endpoints::untold(test));
        }
    }
    shown
}

fn analysis(of: Analysis) -> String {
    let code = serde_json::to_value(of).ok();
    code.and_then(|code| code.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn curve_name(one: &SurvivalCurve) -> String {
    format!("curves/{}/{}/{}", analysis(one.analysis), one.by, one.level)
}

fn incidence_name(one: &IncidenceCurve) -> String {
    format!("incidence/{}/{}/{}", analysis(one.analysis), one.by, one.level)
}

fn landmark_name(one: &LandmarkComparison) -> String {
    format!("landmarks/{}/{}", one.by, one.landmark_months)
}

/// Every breakdown of the first part of `all` adds up to it; `by` tells what a part breaks down, `None` for none.
fn sums_of<T>(all: &[T], by: impl Fn(&T) -> Option<&str>) -> Vec<Sum> {
    let total = all.iter().position(|one| by(one) == Some("all"));
    let mut parts: std::collections::BTreeMap<&str, Vec<usize>> = std::collections::BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        if let Some(by) = by(one).filter(|by| *by != "all") {
            parts.entry(by).or_default().push(at);
        }
    }
    let sums = total.map(|total| parts.into_values().map(move |parts| Sum { total, parts }));
    sums.into_iter().flatten().collect()
}

/// Breakdowns; and a sensitivity of other patients is those of the primary estimate and the rest, which nobody publishes.
fn curve_sums(all: &[SurvivalCurve]) -> Vec<Sum> {
    let mut sums = sums_of(all, |one| {
        (one.analysis == Analysis::Primary).then_some(one.by.as_str())
    });
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

    /// Points are worked out anew from the counts that are shown.
    fn centres(&self, shown: &mut SurvivalResult) {
        let Some(exact) = &self.new.exact.centres else {
            return;
        };
        let counts_of = |one: &CentrePoint| counts([one.patients, one.observed]);
        let kind = Kind {
            parts: |one| one.centres.as_ref().map_or(&[][..], |all| &all.centres),
            name: |one: &CentrePoint| format!("centres/{}", one.centre),
            counts: &counts_of,
            shown: |one| one.patients.is_some(),
            hide: |one| *one = CentrePoint::hidden(&one.centre, Some(FEW)),
            sums: Vec::new(),
            anyway: Vec::new(),
        };
        let same_order = shown
            .centres
            .as_ref()
            .is_some_and(|one| one.centres.len() == exact.centres.len());
        let points = if same_order {
            self.parts(kind, &mut shown.as_of)
        } else {
            Vec::new()
        };
        let then = |of: fn(&SurvivalResult) -> Option<u32>| {
            self.earlier
                .iter()
                .any(|run| self.is_small(of(&self.new.exact), of(&run.shown)))
        };
        let total_moved_by_few = then(|one| one.centres.as_ref()?.patients)
            || then(|one| one.centres.as_ref()?.events)
            || then(|one| one.centres.as_ref()?.left_out);
        let Some(comparison) = &mut shown.centres else {
            return;
        };
        if total_moved_by_few {
            (comparison.patients, comparison.events, comparison.left_out) = (None, None, None);
        }
        if !same_order {
            return;
        }
        comparison.centres = points
            .into_iter()
            .map(|point| {
                let known = point.patients.zip(point.observed).zip(point.expected);
                let anew = known.map(|((n, o), e)| CentrePoint::counted(&point.centre, n, o, e));
                match anew {
                    Some(anew) => CentrePoint {
                        pooled: point.pooled,
                        own_among: point.own_among,
                        ..anew
                    },
                    None => point,
                }
            })
            .collect();
        if place(comparison).is_err() {
            comparison.centres.clear();
        }
    }

    /// The flow stays as a whole, and with it how many entered late.
    fn flow(&self, shown: &mut SurvivalResult) {
        let now = &self.new.exact.flow;
        let n = |flow: &crate::results::Flow, reason: &str| {
            let mut steps = flow.left_out.iter();
            steps.find(|step| step.reason == reason).and_then(|step| step.n)
        };
        let moved_by_few = self
            .earlier
            .iter()
            .filter(|run| run.shown.part_as_of(FLOW).is_none())
            .any(|run| {
                let then = &run.shown.flow;
                let mut steps = now.left_out.iter();
                self.is_small(now.cases, then.cases)
                    || self.is_small(now.analysed, then.analysed)
                    || self.is_small(self.new.exact.entered_late, run.shown.entered_late)
                    || steps.any(|step| self.is_small(step.n, n(then, &step.reason)))
            });
        if !moved_by_few {
            return;
        }
        let mut before = self
            .earlier
            .iter()
            .filter(|run| run.exact.run.run < self.new.exact.run.run);
        match before.find(|run| run.shown.part_as_of(FLOW).is_none()) {
            Some(run) => {
                shown.flow = run.shown.flow.clone();
                shown.entered_late = run.shown.entered_late;
                shown.as_of.push(AsOf {
                    part: FLOW.to_owned(),
                    run: run.exact.run.run,
                });
            }
            None => {
                (shown.flow.cases, shown.flow.analysed, shown.entered_late) = (None, None, None);
                shown.flow.left_out.iter_mut().for_each(|step| step.n = None);
            }
        }
    }

    /// Numbers at risk of the curves shown anew.
    fn at_risk(&self, curves: &mut [SurvivalCurve], as_of: &[AsOf]) {
        for curve in curves {
            let name = curve_name(curve);
            if as_of.iter().any(|one| one.part == name) {
                continue;
            }
            for landmark in &mut curve.landmarks {
                let moved = self.earlier.iter().any(|run| {
                    let mut all = run.shown.curves.iter();
                    let then = all.find(|other| curve_name(other) == name);
                    let mut times = then.into_iter().flat_map(|one| &one.landmarks);
                    let then = times.find(|other| (other.months - landmark.months).abs() < 0.01);
                    self.is_small(landmark.at_risk, then.and_then(|one| one.at_risk))
                });
                if moved {
                    landmark.at_risk = None;
                }
            }
        }
    }
}

const FLOW: &str = "flow";
