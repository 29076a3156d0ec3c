//! Survival results.
//!
//! A group's curve needs the threshold (for the public also as events and as survivors). Steps are merged until each rests on at
//! least the threshold of exits, the curve ends when fewer are at risk, and times are given to a tenth of a month: the
//! day on which somebody died is not shown.

use super::suppression::{Cell, Family, Sum};
use super::{Audience, Thresholds, few};
use super::{centres, endpoints, flows, nothing};
use crate::cohorts::endpoint::DAYS_PER_MONTH;
use crate::results::{
    Analysis, CentrePoint, CurveState, CurveStep, LandmarkValue, MedianState, Suppression, SurvivalCurve,
    SurvivalResult, TimeEstimate,
};
use std::collections::BTreeMap;

/// The result as an audience may see it. Takes the exact result of a run.
pub fn survival(exact: &SurvivalResult, audience: &Audience, thresholds: &Thresholds) -> SurvivalResult {
    let threshold = thresholds.of(audience);
    let mut result = SurvivalResult {
        by_centre: Vec::new(),
        ..exact.clone()
    };
    if threshold == 0 {
        result.flow.withheld = None;
        for point in result.centres.iter_mut().flat_map(|one| &mut one.centres) {
            point.members.clear();
        }
        return result;
    }
    flows::hide(&mut result.flow, audience, thresholds);
    let analysed = exact.flow.analysed.unwrap_or(0);
    result.entered_late = exact
        .entered_late
        .filter(|late| !few(*late, threshold) && !few(analysed - late, threshold));
    let groups = groups(&exact.curves, audience, threshold);
    for (curve, why) in result.curves.iter_mut().zip(groups) {
        match why {
            Some(why) => emptied(curve, why),
            None => coarsen(curve, threshold),
        }
    }
    at_risk(&mut result.curves, &exact.curves, threshold);
    lost(&mut result.curves, &exact.curves, threshold);
    endpoints::hide(exact, &mut result, audience, threshold);
    if let Some(comparison) = &exact.centres {
        result.centres = Some(centres::shown(comparison, analysed, audience, threshold));
    }
    if let Audience::Centre(own) = audience {
        without_small_others(exact, &mut result, own, threshold);
    }
    result
}

/// A centre knows its own patients: where few others were analysed nothing is told of all together, where few other cases are in the run not
/// how many those are.
fn without_small_others(exact: &SurvivalResult, shown: &mut SurvivalResult, own: &str, threshold: u32) {
    let Some(part) = exact.by_centre.iter().find(|one| one.centre == own) else {
        return;
    };
    let others = |all: Option<u32>, own: u32| few(all.unwrap_or(0).saturating_sub(own), threshold);
    if others(exact.flow.analysed, part.analysed) {
        nothing::all(shown);
    } else if others(exact.flow.cases, part.cases) {
        nothing::flow(&mut shown.flow);
        shown.entered_late = None;
    }
}

/// The result as a centre may see it, from the exact one and the committee's beside earlier runs: all as the committee's, where enough others
/// are behind it, but for the centre's own point, or the one it stands in where the committee sees that anew.
pub fn survival_for_centre(
    exact: &SurvivalResult,
    committee: &SurvivalResult,
    own: &str,
    thresholds: &Thresholds,
) -> SurvivalResult {
    let mut shown = committee.clone();
    let alone = survival(exact, &Audience::Centre(own.to_owned()), thresholds);
    shown.centres = alone.centres.map(|mut points| {
        let told = committee.centres.as_ref();
        let anew = |point: &CentrePoint| {
            let mut all = told.iter().flat_map(|one| &one.centres);
            all.any(|one| one.centre == point.centre && one.patients.is_some())
                && committee
                    .part_as_of(&format!("centres/{}", point.centre))
                    .is_none()
        };
        points
            .centres
            .retain(|one| one.centre == own || one.patients.is_none() || anew(one));
        if told.is_none_or(|told| told.patients.is_none()) {
            (points.patients, points.events, points.left_out) = (None, None, None);
        }
        points
    });
    shown.as_of.retain(|one| !one.part.starts_with("centres/"));
    without_small_others(exact, &mut shown, own, thresholds.committee);
    shown
}

fn smallest(curve: &SurvivalCurve, audience: &Audience) -> u32 {
    let (patients, events) = (curve.patients.unwrap_or(0), curve.events.unwrap_or(0));
    match audience {
        Audience::Public => patients.min(events).min(patients - events),
        _ => patients,
    }
}

/// As [`groups`], of curves that add up to a number nobody shows.
pub(super) fn parts(
    curves: &[SurvivalCurve],
    audience: &Audience,
    threshold: u32,
) -> Vec<Option<Suppression>> {
    let mut family = Family::default();
    let total = family.add(Cell::of(curves.iter().filter_map(|one| one.patients).sum()));
    let parts = curves.iter().map(|curve| {
        family.add(Cell {
            smallest: smallest(curve, audience),
            ..Cell::of(curve.patients.unwrap_or(0))
        })
    });
    let parts: Vec<usize> = parts.collect();
    family.sums.push(Sum { total, parts });
    family.protect(threshold).split_off(1)
}

/// Which groups are hidden: small ones, what would give them away, and sensitivities that differ from the primary
/// estimate by few patients.
fn groups(curves: &[SurvivalCurve], audience: &Audience, threshold: u32) -> Vec<Option<Suppression>> {
    let mut family = Family::default();
    for curve in curves {
        let patients = curve.patients.unwrap_or(0);
        family.add(Cell {
            smallest: smallest(curve, audience),
            ..Cell::of(patients)
        });
    }
    let all = curves.iter().position(is_total);
    if let Some(total) = all {
        let strata = strata(curves).into_values();
        family.sums.extend(strata.map(|parts| Sum { total, parts }));
    }
    let mut hidden = family.protect(threshold);
    let primary = all.map_or(0, |c| curves[c].patients.unwrap_or(0));
    let events = all.map_or(0, |c| curves[c].events.unwrap_or(0));
    for (curve, hidden) in curves.iter().zip(&mut hidden) {
        let patients = curve.patients.unwrap_or(0).abs_diff(primary);
        // The same patients with another reading of what is an event: few of them must not stand out.
        let redefined = matches!(
            curve.analysis,
            Analysis::NewTreatmentAsEvent | Analysis::CensoredAtLastImaging
        );
        let apart = redefined && few(curve.events.unwrap_or(0).abs_diff(events), threshold);
        if curve.by == "all" && (few(patients, threshold) || apart) {
            hidden.get_or_insert(Suppression::FewPatients);
        }
    }
    hidden
}

/// The curves of every breakdown: each adds up to all.
fn strata(curves: &[SurvivalCurve]) -> BTreeMap<&str, Vec<usize>> {
    let mut strata: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, curve) in curves.iter().enumerate().filter(|(_, c)| c.by != "all") {
        strata.entry(&curve.by).or_default().push(at);
    }
    strata
}

pub(super) fn is_total(curve: &SurvivalCurve) -> bool {
    curve.by == "all" && curve.analysis == Analysis::Primary
}

pub(super) fn emptied(curve: &mut SurvivalCurve, why: Suppression) {
    *curve = SurvivalCurve {
        analysis: curve.analysis,
        by: std::mem::take(&mut curve.by),
        level: std::mem::take(&mut curve.level),
        state: CurveState::Suppressed,
        suppressed: Some(why),
        patients: None,
        events: None,
        steps: Vec::new(),
        landmarks: Vec::new(),
        median: None,
        median_state: MedianState::NoCurve,
        follow_up: None,
        smallest_risk_set: None,
        follow_up_completeness: None,
        lost: None,
        lost_share: None,
        lost_over_10_percent: false,
        repeated: None,
    };
}

/// Not how many were lost, nor whether they are many.
pub(super) fn without_lost(curve: &mut SurvivalCurve) {
    (curve.lost, curve.lost_share, curve.lost_over_10_percent) = (None, None, false);
}

pub(super) fn coarsen(curve: &mut SurvivalCurve, threshold: u32) {
    // Steps count episodes: so many of them may be one patient's.
    let most = curve.repeated.map_or(1, |one| one.most_of_one_patient.max(1));
    curve.steps = merged(&curve.steps, threshold * most);
    if let Some(repeated) = &mut curve.repeated {
        let more = repeated
            .episodes
            .unwrap_or(0)
            .abs_diff(curve.patients.unwrap_or(0));
        repeated.episodes = repeated.episodes.filter(|_| !few(more, threshold));
    }
    let patients = curve.patients.unwrap_or(0);
    curve.events = curve
        .events
        .filter(|e| !few(*e, threshold) && !few(patients - e, threshold));
    if curve.lost.is_some_and(|lost| few(lost, threshold)) {
        without_lost(curve);
    }
    curve.smallest_risk_set = curve.smallest_risk_set.filter(|s| s.at_risk >= threshold);
    curve.median = curve.median.map(rounded);
    curve.follow_up = curve.follow_up.map(rounded);
}

/// Steps merged so that each carries at least the threshold of exits; ends when fewer are at risk.
fn merged(steps: &[CurveStep], threshold: u32) -> Vec<CurveStep> {
    let mut shown = Vec::new();
    let (mut events, mut censored) = (0, 0);
    for step in steps {
        if step.at_risk < threshold && step.days > 0.0 {
            break;
        }
        events += step.events;
        censored += step.censored;
        let start = step.days == 0.0 && step.events + step.censored == 0;
        if start || events + censored >= threshold {
            let months = tenth_up(step.months);
            shown.push(CurveStep {
                months,
                days: months * DAYS_PER_MONTH,
                events,
                censored,
                ..*step
            });
            (events, censored) = (0, 0);
        }
    }
    shown
}

pub(super) fn tenth_up(months: f64) -> f64 {
    (months * 10.0).ceil() / 10.0
}

fn tenth(months: f64) -> f64 {
    (months * 10.0).round() / 10.0
}

fn rounded(estimate: TimeEstimate) -> TimeEstimate {
    let months = tenth(estimate.months);
    TimeEstimate {
        months,
        days: months * DAYS_PER_MONTH,
        lower_months: estimate.lower_months.map(tenth),
        upper_months: estimate.upper_months.map(tenth),
    }
}

/// A number that stands beside a group; of a hidden one it may be nobody.
pub(super) fn beside_group(n: Option<u32>, group: CurveState) -> Cell {
    let n = n.unwrap_or(0);
    match group {
        CurveState::Suppressed => Cell::part_of_rate(n),
        _ => Cell::of(n),
    }
}

/// How many were lost: small numbers and what would give them away.
fn lost(curves: &mut [SurvivalCurve], exact: &[SurvivalCurve], threshold: u32) {
    let mut family = Family::default();
    for (curve, shown) in exact.iter().zip(&*curves) {
        family.add(beside_group(curve.lost, shown.state));
    }
    if let Some(total) = exact.iter().position(is_total) {
        let strata = strata(exact).into_values();
        family.sums.extend(strata.map(|parts| Sum { total, parts }));
    }
    let hidden = |curve: &SurvivalCurve| curve.lost.is_none();
    let anyway: Vec<usize> = (0..curves.len()).filter(|at| hidden(&curves[*at])).collect();
    for (curve, hidden) in curves.iter_mut().zip(family.protect_besides(threshold, &anyway)) {
        if hidden.is_some() {
            without_lost(curve);
        }
    }
}

/// Numbers at risk: small ones and what would give them away, at every time of the table.
fn at_risk(curves: &mut [SurvivalCurve], exact: &[SurvivalCurve], threshold: u32) {
    let times = exact.iter().map(|c| c.landmarks.len()).max().unwrap_or(0);
    for time in 0..times {
        let mut family = Family::default();
        for curve in exact {
            let n = curve.landmarks.get(time).and_then(|l| l.at_risk).unwrap_or(0);
            let most = curve.repeated.map_or(1, |one| one.most_of_one_patient.max(1));
            family.add(Cell {
                smallest: n / most,
                ..Cell::of(n)
            });
        }
        if let Some(total) = exact.iter().position(is_total) {
            let strata = strata(exact).into_values();
            family.sums.extend(strata.map(|parts| Sum { total, parts }));
        }
        let n = |curve: &SurvivalCurve| curve.landmarks.get(time).map(|one| one.at_risk.unwrap_or(0));
        let numbers: Vec<Option<u32>> = exact.iter().map(n).collect();
        endpoints::with_rest(&mut family, &numbers);
        let mut hidden = family.protect(threshold);
        // All of them by another reading are about as many: where the number is hidden, theirs would give it away.
        if let Some(total) = exact.iter().position(is_total)
            && hidden[total].is_some()
        {
            for (at, _) in exact.iter().enumerate().filter(|(_, curve)| curve.by == "all") {
                let apart = numbers[at].unwrap_or(0).abs_diff(numbers[total].unwrap_or(0));
                if apart < threshold {
                    hidden[at] = hidden[at].or(hidden[total]);
                }
            }
        }
        for (curve, hidden) in curves.iter_mut().zip(hidden) {
            if let (Some(landmark), Some(_)) = (curve.landmarks.get_mut(time), hidden) {
                hide(landmark);
            }
        }
    }
    // Past the shown end of the curve nothing is estimated.
    for curve in curves {
        let end = curve.steps.last().map_or(0.0, |s| s.days);
        for landmark in curve
            .landmarks
            .iter_mut()
            .filter(|l| l.at_risk.is_none() || l.days > 0.0)
        {
            if landmark.at_risk.is_none() || (landmark.at_risk == Some(0) && landmark.days > end) {
                hide(landmark);
            }
        }
    }
}

fn hide(landmark: &mut LandmarkValue) {
    landmark.at_risk = landmark.at_risk.filter(|n| *n == 0);
    landmark.survival = None;
    landmark.lower = None;
    landmark.upper = None;
}
