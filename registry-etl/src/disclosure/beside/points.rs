//! Centres by observed over expected deaths. A point is held back on its own; points, those left out and the totals are looked at together, so
//! that none follows from the others. Everything that rests on several points is worked out anew from those shown.

use std::collections::BTreeSet;

use super::Published;
use super::parts::{Beside, Kind, Whole};
use super::successive::{Counts, New, counts};
use super::together::tells_analysed;
use crate::cohorts::centres::place;
use crate::disclosure::FEW;
use crate::disclosure::suppression::Sum;
use crate::disclosure::survival::is_total;
use crate::results::{CentrePoint, SurvivalResult};

/// Patients and deaths of the model, of those left out for a missing covariate, and of both: the primary estimate.
fn wholes(result: &SurvivalResult) -> Option<[Counts; 3]> {
    let all = result.centres.as_ref()?;
    let (patients, events, left_out) = (all.patients?, all.events?, all.left_out?);
    let primary = result.curves.iter().find(|one| is_total(one));
    let died = primary.and_then(|one| one.events).unwrap_or(events).max(events);
    Some([
        counts([Some(patients), Some(events)]),
        counts([Some(left_out), Some(died - events)]),
        counts([Some(patients + left_out), Some(died)]),
    ])
}

fn tells_totals(shown: &SurvivalResult) -> bool {
    shown.centres.as_ref().is_some_and(|one| one.patients.is_some())
}

impl Beside<'_> {
    /// Holds points and totals of `shown` back, whose other parts are as they will be told; `analysed_tells` as
    /// [`Beside::analysed_tells`] says.
    pub(super) fn centres(&self, shown: &mut SurvivalResult, analysed_tells: bool) {
        let Some(exact) = &self.new.exact.centres else {
            return;
        };
        let points = exact.centres.len();
        let gone = self.gone();
        let mut wholes = self.wholes(shown);
        wholes.extend(gone.iter().map(|name| self.of_gone(name)));
        let counts_of = |one: &CentrePoint| counts([one.patients, one.observed]);
        let mut kind = Kind {
            parts: |one| one.centres.as_ref().map_or(&[][..], |all| &all.centres),
            name: |one: &CentrePoint| format!("centres/{}", one.centre),
            counts: &counts_of,
            shown: |one| one.patients.is_some(),
            hide: |one| *one = CentrePoint::hidden(&one.centre, Some(FEW)),
            by: |_| None,
            sums: sums(points, gone.len()),
            wholes,
            anyway: vec![false; points + 2],
            of_all: false,
            all_listed: true,
        };
        let with_totals = |held: &[bool]| held.iter().skip(points).take(2).any(|held| *held);
        let mut held = self.held(&kind);
        let untold = analysed_tells || with_totals(&held);
        if untold {
            // One follows from the other: both go, and what that gives away with them.
            kind.anyway.iter_mut().skip(points).for_each(|held| *held = true);
            held = self.held(&kind);
        }
        let same_order = shown
            .centres
            .as_ref()
            .is_some_and(|one| one.centres.len() == points);
        let told = if same_order {
            self.staying(&kind, &held, &mut shown.as_of)
        } else {
            Vec::new()
        };
        let Some(comparison) = &mut shown.centres else {
            return;
        };
        if untold || !same_order {
            (comparison.patients, comparison.events, comparison.left_out) = (None, None, None);
        }
        comparison.centres = told.into_iter().map(anew).collect();
        if place(comparison).is_err() {
            comparison.centres.clear();
        }
    }

    /// Points that only earlier runs have: a centre that has become small stands with the others, or the other way round.
    fn gone(&self) -> BTreeSet<String> {
        let listed = |run: &SurvivalResult| -> BTreeSet<String> {
            let points = run.centres.iter().flat_map(|one| &one.centres);
            points.map(|one| one.centre.clone()).collect()
        };
        let earlier = self.earlier.iter().flat_map(|run| listed(&run.exact));
        let now = listed(&self.new.exact);
        earlier.filter(|name| !now.contains(name)).collect()
    }

    /// Nobody now, and so many as every earlier run told.
    fn of_gone(&self, name: &str) -> Whole {
        let earlier = |run: &&Published<SurvivalResult>| {
            let (exact, shown) = (run.exact.centres.as_ref()?, run.shown.centres.as_ref()?);
            let Some(point) = exact.centres.iter().find(|one| one.centre == name) else {
                return (!exact.centres.is_empty()).then(Counts::default);
            };
            let told = shown.centres.iter().find(|one| one.centre == name)?;
            let own = run.shown.part_as_of(&format!("centres/{name}")).is_none();
            (own && told.patients.is_some()).then(|| counts([point.patients, point.observed]))
        };
        Whole {
            new: New {
                shown: true,
                unchanged: true,
                ..New::UNTOLD
            },
            earlier: self.earlier.iter().map(earlier).collect(),
        }
    }

    /// The model's patients, those left out, and the primary estimate.
    fn wholes(&self, shown: &SurvivalResult) -> Vec<Whole> {
        let now = wholes(&self.new.exact).unwrap_or_default();
        let told = [tells_totals(shown), tells_totals(shown), tells_analysed(shown)];
        let earlier = |at: usize| {
            let told = |run: &SurvivalResult| tells_totals(run) || at == 2 && tells_analysed(run);
            let runs = self.earlier.iter();
            runs.map(|run| told(&run.shown).then(|| Some(wholes(&run.exact)?[at])).flatten())
                .collect()
        };
        let whole = |at: usize| Whole {
            new: New {
                counts: now[at],
                shown: told[at],
                fixed: at == 2 || now[at] == Counts::default(),
                unchanged: true,
            },
            earlier: earlier(at),
        };
        (0..3).map(whole).collect()
    }
}

/// The points, with those `gone` since, are the model's patients; with those left out they are the primary estimate.
fn sums(points: usize, gone: usize) -> Vec<Sum> {
    let (model, left_out, primary) = (points, points + 1, points + 2);
    let mut sums = vec![Sum {
        total: primary,
        parts: vec![model, left_out],
    }];
    if points > 0 {
        let all = (0..points).chain(primary + 1..primary + 1 + gone);
        sums.push(Sum {
            total: model,
            parts: all.clone().collect(),
        });
        sums.push(Sum {
            total: primary,
            parts: all.chain([left_out]).collect(),
        });
    }
    sums
}

/// The point with nothing but its counts.
fn anew(point: CentrePoint) -> CentrePoint {
    let known = point.patients.zip(point.observed).zip(point.expected);
    match known {
        Some(((n, o), e)) => CentrePoint {
            pooled: point.pooled,
            own_among: point.own_among,
            ..CentrePoint::counted(&point.centre, n, o, e)
        },
        None => point,
    }
}
