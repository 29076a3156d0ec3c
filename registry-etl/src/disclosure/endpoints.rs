//! Survival results besides curves: incidence, shares, changes, landmarks, models.
//!
//! The same rules: a group needs the threshold, what is hidden must not follow from what is shown, steps rest on the threshold of exits. A cause
//! with few events shows neither steps nor values; a bound or another reading that differs by few events is hidden.

use super::adherence::part;
use super::suppression::{Cell, Family, Sum};
use super::survival::{beside_group, coarsen, emptied, parts, tenth_up};
use super::{Audience, few, nothing};
use crate::cohorts::endpoint::DAYS_PER_MONTH;
use crate::results::{
    Analysis, CauseIncidence, ChangeRow, CurveState, GroupTest, IncidenceCurve, IncidenceStep,
    LandmarkComparison, ProportionRow, Suppression, SurvivalResult,
};
use std::collections::BTreeMap;

/// Hides in `result`, a copy of `exact`, what the audience may not see.
pub(super) fn hide(exact: &SurvivalResult, result: &mut SurvivalResult, audience: &Audience, threshold: u32) {
    incidence(&exact.incidence, &mut result.incidence, audience, threshold);
    for test in &mut result.tests {
        let incidence = result.incidence.iter().map(|one| (&one.by, one.state));
        let curves = result.curves.iter().map(|one| (&one.by, one.state));
        // Of a group that is hidden not even that it was large enough to be tested.
        let mut groups = incidence.chain(curves);
        if groups.any(|(by, state)| *by == test.by && state == CurveState::Suppressed) {
            *test = untold(test);
        }
    }
    proportions(&mut result.proportions, audience, threshold);
    for row in &mut result.changes {
        change(row, threshold);
    }
    landmarks(&mut result.landmark_comparisons, audience, threshold);
    // Models of nearly the same patients: who is in one and not in another must not be few, nor who is in none.
    let mut told: Vec<u32> = vec![0];
    told.extend(
        exact
            .centres
            .as_ref()
            .and_then(|one| one.left_out)
            .filter(|n| !few(*n, threshold)),
    );
    for model in &mut result.models {
        let patients = model.patients.unwrap_or(0);
        let events = model.events.unwrap_or(0);
        let left_out = model.left_out.unwrap_or(0);
        let apart = told.iter().any(|other| few(left_out.abs_diff(*other), threshold));
        if apart {
            (model.patients, model.events, model.left_out) = (None, None, None);
            model.events_per_covariate = None;
        } else {
            told.push(left_out);
        }
        if patients < threshold || few(events, threshold) || few(patients - events, threshold) {
            nothing::model(model);
        }
    }
}

pub(super) fn untold(test: &GroupTest) -> GroupTest {
    GroupTest {
        groups: Vec::new(),
        chi_square: None,
        df: None,
        p: None,
        refused: Some("not shown: few patients in a group".to_owned()),
        ..test.clone()
    }
}

fn incidence(exact: &[IncidenceCurve], shown: &mut [IncidenceCurve], audience: &Audience, threshold: u32) {
    let total = exact
        .iter()
        .position(|one| one.by == "all" && one.analysis == Analysis::Primary);
    let by = |one: &IncidenceCurve| one.by.clone();
    let mut family = Family::default();
    for one in exact {
        family.add(Cell {
            smallest: smallest(one, audience),
            ..Cell::of(one.patients.unwrap_or(0))
        });
    }
    sums(&mut family, total, exact, by);
    let mut hidden = family.protect(threshold);
    if let Some(primary) = total.and_then(|at| exact.get(at)) {
        for (one, hidden) in exact.iter().zip(&mut hidden) {
            if one.by == "all" && apart(one, primary, threshold) {
                hidden.get_or_insert(Suppression::FewPatients);
            }
        }
    }
    for (one, why) in shown.iter_mut().zip(hidden) {
        match why {
            Some(why) => empty(one, why),
            None => coarse(one, threshold),
        }
    }
    causes(exact, shown, total, threshold);
    let times = exact.iter().map(|one| one.at_risk.len()).max().unwrap_or(0);
    for time in 0..times {
        let mut family = Family::default();
        let n = |one: &IncidenceCurve| one.at_risk.get(time).map(|at| at.at_risk.unwrap_or(0));
        for one in exact {
            family.add(Cell::of(n(one).unwrap_or(0)));
        }
        sums(&mut family, total, exact, by);
        let numbers: Vec<Option<u32>> = exact.iter().map(n).collect();
        with_rest(&mut family, &numbers);
        for (one, hidden) in shown.iter_mut().zip(family.protect(threshold)) {
            if let (Some(at), Some(_)) = (one.at_risk.get_mut(time), hidden) {
                at.at_risk = at.at_risk.filter(|n| *n == 0);
            }
        }
    }
}

/// A group too small for an estimate has no number; it is what the others leave of the total, which nobody shows. Without a number of the
/// total nothing adds up.
pub(super) fn with_rest(family: &mut Family, numbers: &[Option<u32>]) {
    let n = |cell: &usize| numbers.get(*cell).copied().flatten();
    let mut sums = std::mem::take(&mut family.sums);
    sums.retain(|sum| n(&sum.total).is_some());
    for sum in &mut sums {
        let known: u32 = sum.parts.iter().filter_map(n).sum();
        let rest = n(&sum.total).unwrap_or(0).saturating_sub(known);
        sum.parts.retain(|part| n(part).is_some());
        sum.parts.push(family.add(Cell::implied(rest)));
    }
    family.sums = sums;
}

/// Events of a cause, and numbers lost, that would follow from those of the other groups are hidden with what is hidden already.
fn causes(exact: &[IncidenceCurve], shown: &mut [IncidenceCurve], total: Option<usize>, threshold: u32) {
    let by = |one: &IncidenceCurve| one.by.clone();
    // Of each group: its number, and whether it is hidden already.
    let protected = |of: &dyn Fn(&IncidenceCurve) -> Option<u32>, shown: &[IncidenceCurve]| -> Vec<bool> {
        let mut family = Family::default();
        let mut anyway = Vec::new();
        for (exact, shown) in exact.iter().zip(shown) {
            let cell = family.add(beside_group(of(exact), shown.state));
            anyway.extend(of(shown).is_none().then_some(cell));
        }
        sums(&mut family, total, exact, by);
        let hidden = family.protect_besides(threshold, &anyway);
        hidden.iter().map(Option::is_some).collect()
    };
    let lost = protected(&|one| one.lost, shown);
    for (one, hidden) in shown.iter_mut().zip(lost) {
        one.lost = one.lost.filter(|_| !hidden);
    }
    let all = exact.iter().map(|one| one.causes.len()).max().unwrap_or(0);
    for at in 0..all {
        let events = |one: &IncidenceCurve| one.causes.get(at).and_then(|cause| cause.events);
        let hidden = protected(&events, shown);
        for (one, hidden) in shown.iter_mut().zip(hidden) {
            if let (Some(cause), true) = (one.causes.get_mut(at), hidden) {
                untold_cause(cause);
            }
        }
    }
}

fn untold_cause(cause: &mut CauseIncidence) {
    cause.events = None;
    cause.values.clear();
    cause.steps.clear();
}

/// Every breakdown adds up to all.
fn sums<T>(family: &mut Family, total: Option<usize>, rows: &[T], by: impl Fn(&T) -> String) {
    let Some(total) = total else { return };
    let mut strata: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| by(row) != "all") {
        strata.entry(by(row)).or_default().push(at);
    }
    family
        .sums
        .extend(strata.into_values().map(|parts| Sum { total, parts }));
}

/// For the public every count with an event, of whatever cause, and without one.
fn smallest(one: &IncidenceCurve, audience: &Audience) -> u32 {
    let patients = one.patients.unwrap_or(0);
    let events: u32 = one.causes.iter().filter_map(|cause| cause.events).sum();
    match audience {
        Audience::Public => patients.min(events).min(patients - events),
        _ => patients,
    }
}

/// Whether a sensitivity differs from the primary estimate by few patients or by few events of a cause.
fn apart(one: &IncidenceCurve, primary: &IncidenceCurve, threshold: u32) -> bool {
    let differ = |a: Option<u32>, b: Option<u32>| few(a.unwrap_or(0).abs_diff(b.unwrap_or(0)), threshold);
    let same_patients = one.patients == primary.patients;
    let causes = one.causes.iter().zip(&primary.causes);
    differ(one.patients, primary.patients)
        || same_patients && causes.into_iter().any(|(a, b)| differ(a.events, b.events))
}

pub(super) fn empty(one: &mut IncidenceCurve, why: Suppression) {
    one.state = CurveState::Suppressed;
    one.suppressed = Some(why);
    (one.patients, one.lost) = (None, None);
    one.at_risk.clear();
    one.causes.iter_mut().for_each(untold_cause);
}

fn coarse(one: &mut IncidenceCurve, threshold: u32) {
    let patients = one.patients.unwrap_or(0);
    let mut family = Family::default();
    let total = family.add(Cell::of(patients));
    let causes = one.causes.iter().map(|cause| cause.events.unwrap_or(0));
    let events: Vec<u32> = causes.collect();
    let mut parts: Vec<usize> = events.iter().map(|n| family.add(Cell::of(*n))).collect();
    parts.push(family.add(Cell::implied(patients.saturating_sub(events.iter().sum()))));
    family.sums.push(Sum { total, parts });
    let hidden = family.protect(threshold);
    one.lost = one.lost.filter(|n| !few(*n, threshold));
    for (at, cause) in one.causes.iter_mut().enumerate() {
        if hidden.get(at + 1).is_some_and(Option::is_some) {
            untold_cause(cause);
        } else {
            cause.steps = merged(&cause.steps, threshold);
        }
    }
}

/// Steps merged so that each carries at least the threshold of exits; ends when fewer are at risk.
fn merged(steps: &[IncidenceStep], threshold: u32) -> Vec<IncidenceStep> {
    let mut shown = Vec::new();
    let (mut events, mut others) = (0, 0);
    for step in steps {
        if step.at_risk < threshold {
            break;
        }
        events += step.events;
        others += step.others;
        if events + others >= threshold {
            let months = tenth_up(step.months);
            shown.push(IncidenceStep {
                months,
                days: months * DAYS_PER_MONTH,
                events,
                others,
                ..*step
            });
            (events, others) = (0, 0);
        }
    }
    shown
}

/// Counts of a share that add up over its groups: assessable, not assessable, and for the public both parts of the share, which stand and fall
/// with the first.
const COUNTS: usize = 4;

fn share_cells(row: &ProportionRow, audience: &Audience) -> [Cell; COUNTS] {
    let (with, of) = (row.numerator.unwrap_or(0), row.denominator.unwrap_or(0));
    let parts = [with, of - with];
    let smallest = match audience {
        Audience::Public => of.min(with).min(of - with),
        _ => of,
    };
    let assessable = Cell {
        smallest,
        kinds: Some(parts),
        ..Cell::of(of)
    };
    let [with, without] = parts.map(|n| part(n, of, audience));
    [
        assessable,
        Cell::open(row.not_assessable.unwrap_or(0)),
        with,
        without,
    ]
}

/// The number not assessable says nothing of anybody but that data are missing: it stands beside every rate that is shown, and is hidden with a
/// hidden one, whose patients would otherwise be those analysed less the others.
fn proportions(rows: &mut [ProportionRow], audience: &Audience, threshold: u32) {
    let total = rows.iter().position(|row| row.by == "all");
    let by = |row: &ProportionRow| row.by.clone();
    let mut of_rows = Family::default();
    sums(&mut of_rows, total, rows, by);
    let mut family = Family::default();
    let cells: Vec<[usize; COUNTS]> = rows
        .iter()
        .map(|row| share_cells(row, audience).map(|cell| family.add(cell)))
        .collect();
    let public = *audience == Audience::Public;
    let counts = if public { COUNTS } else { 2 };
    let of_count = |count: usize| {
        let cell = |row: &usize| cells[*row][count];
        let of_count = |sum: &Sum| Sum {
            total: cell(&sum.total),
            parts: sum.parts.iter().map(cell).collect(),
        };
        of_rows.sums.iter().map(of_count).collect::<Vec<_>>()
    };
    family.sums.extend((0..counts).flat_map(of_count));
    for [assessable, not_assessable, with, without] in &cells {
        family.follows.push((*assessable, *not_assessable));
        if public {
            let both = [with, without].map(|part| [(*assessable, *part), (*part, *assessable)]);
            family.follows.extend(both.into_iter().flatten());
        }
    }
    let hidden = family.protect(threshold);
    for (row, [assessable, not_assessable, ..]) in rows.iter_mut().zip(&cells) {
        if let Some(why) = hidden[*assessable] {
            nothing::share(row);
            row.suppressed = Some(why);
        } else if hidden[*not_assessable].is_some() {
            row.not_assessable = None;
            (row.bound_low, row.bound_high) = (None, None);
        }
    }
}

fn change(row: &mut ChangeRow, threshold: u32) {
    let counts = [row.baseline, row.died, row.not_due, row.measured, row.missing];
    let mut family = Family::default();
    for n in counts {
        family.add(Cell::of(n.unwrap_or(0)));
    }
    family.sums.push(Sum {
        total: 0,
        parts: vec![1, 2, 3, 4],
    });
    let hidden = family.protect(threshold);
    let shown = |at: usize| hidden.get(at).is_none_or(Option::is_none);
    let measured = row.measured.unwrap_or(0);
    let (better, worse) = (row.better.unwrap_or(0), row.worse.unwrap_or(0));
    let told = |n: u32| !few(n, threshold) && !few(measured - n, threshold);
    if !(shown(3) && told(better) && told(worse) && !few(measured - better - worse, threshold)) {
        (row.better, row.worse) = (None, None);
    }
    if !shown(3) {
        row.suppressed = hidden.get(3).copied().flatten();
        (row.mean, row.lower, row.upper) = (None, None, None);
    }
    row.baseline = row.baseline.filter(|_| shown(0));
    row.died = row.died.filter(|_| shown(1));
    row.not_due = row.not_due.filter(|_| shown(2));
    row.measured = row.measured.filter(|_| shown(3));
    row.missing = row.missing.filter(|_| shown(4));
}

fn landmarks(all: &mut [LandmarkComparison], audience: &Audience, threshold: u32) {
    // Counts before a later landmark hold those before an earlier one: all landmarks of a treatment are one family.
    let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        of.entry(one.by.clone()).or_default().push(at);
    }
    for members in of.into_values() {
        let mut family = Family::default();
        let counts: Vec<[u32; 4]> = members
            .iter()
            .filter_map(|at| all.get(*at))
            .map(|one| {
                [one.patients, one.died_before, one.left_before, one.at_landmark]
                    .map(Option::unwrap_or_default)
            })
            .collect();
        for (n, row) in counts.iter().enumerate() {
            for value in row {
                family.add(Cell::of(*value));
            }
            family.sums.push(Sum {
                total: 4 * n,
                parts: vec![4 * n + 1, 4 * n + 2, 4 * n + 3],
            });
        }
        for (n, pair) in counts.windows(2).enumerate() {
            let [earlier, later] = pair else { continue };
            // Died and left between two landmarks.
            let columns = earlier.iter().zip(later).enumerate();
            for (column, (earlier, later)) in columns.skip(1).take(2) {
                let between = later.saturating_sub(*earlier);
                let parts = vec![4 * n + column, family.add(Cell::implied(between))];
                if between > 0 {
                    let total = 4 * (n + 1) + column;
                    family.sums.push(Sum { total, parts });
                }
            }
        }
        let hidden = family.protect(threshold);
        for (n, at) in members.iter().enumerate() {
            let Some(one) = all.get_mut(*at) else { continue };
            let shown = |column: usize| hidden.get(4 * n + column).is_none_or(Option::is_none);
            one.patients = one.patients.filter(|_| shown(0));
            one.died_before = one.died_before.filter(|_| shown(1));
            one.left_before = one.left_before.filter(|_| shown(2));
            one.at_landmark = one.at_landmark.filter(|_| shown(3));
            curves(one, audience, threshold);
        }
    }
}

fn curves(one: &mut LandmarkComparison, audience: &Audience, threshold: u32) {
    let hidden = parts(&one.curves, audience, threshold);
    for (curve, why) in one.curves.iter_mut().zip(&hidden) {
        match why {
            Some(why) => emptied(curve, *why),
            None => {
                coarsen(curve, threshold);
                for landmark in &mut curve.landmarks {
                    if landmark.at_risk.is_some_and(|n| few(n, threshold)) {
                        landmark.at_risk = None;
                        (landmark.survival, landmark.lower, landmark.upper) = (None, None, None);
                    }
                }
            }
        }
    }
    if hidden.iter().any(Option::is_some) && one.contrast.take().is_some() {
        one.no_contrast = Some("not shown: few patients in a group".to_owned());
    }
}
