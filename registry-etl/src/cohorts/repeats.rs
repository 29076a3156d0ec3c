//! Curves of episodes, several of which may be of one patient: Kaplan-Meier with a variance that groups them.

use super::endpoint::{FEWEST_PATIENTS, Group, LEVEL, count, curve, subjects};
use super::settle::Settled;
use crate::results::{CurveState, MedianState, Repeated, SurvivalCurve};
use crate::statistics::survival::Groups;
use crate::statistics::{StatisticsError, clustered};
use std::collections::{BTreeMap, BTreeSet};

/// The curve of a group of episodes, `patients` telling whose each is. Patients and events of the result are patients; below ten
/// patients there is no curve. The band is that of the clustered variance; the median has no interval.
///
/// # Errors
/// [`StatisticsError`] when times are not fit for an estimate.
pub(super) fn repeated_curve(
    group: &Group<'_>,
    cases: &[Settled],
    patients: &[usize],
    ignore_entry: bool,
) -> Result<SurvivalCurve, StatisticsError> {
    let mut result = curve(group, cases, ignore_entry)?;
    let mut episodes: BTreeMap<usize, u32> = BTreeMap::new();
    for patient in patients {
        *episodes.entry(*patient).or_default() += 1;
    }
    let with_event = cases.iter().zip(patients).filter(|(case, _)| case.event);
    let events: BTreeSet<usize> = with_event.map(|(_, patient)| *patient).collect();
    let lost = cases.iter().zip(patients).filter(|(case, _)| case.lost);
    let lost: BTreeSet<usize> = lost.map(|(_, patient)| *patient).collect();
    result.repeated = Some(Repeated {
        episodes: Some(count(cases.len())),
        most_of_one_patient: episodes.values().copied().max().unwrap_or(0),
    });
    result.patients = Some(count(episodes.len()));
    result.events = Some(count(events.len()));
    result.lost = Some(count(lost.len()));
    result.lost_share = (!episodes.is_empty()).then(|| lost.len() as f64 / episodes.len() as f64);
    if episodes.len() < FEWEST_PATIENTS && result.state == CurveState::Shown {
        result.state = CurveState::FewPatients;
        result.median_state = MedianState::NoCurve;
        (result.median, result.follow_up) = (None, None);
        result.steps.clear();
        result.landmarks.clear();
    }
    if result.state == CurveState::Shown {
        let labels: Vec<String> = patients.iter().map(|patient| format!("{patient:09}")).collect();
        let band = clustered(&subjects(cases, ignore_entry), &Groups::of(&labels), LEVEL)?;
        for step in &mut result.steps {
            let at = band.partition_point(|one| one.time <= step.days);
            if let Some(one) = at.checked_sub(1).and_then(|at| band.get(at)) {
                (step.lower, step.upper) = (one.lower, one.upper);
            }
        }
        for landmark in result.landmarks.iter_mut().filter(|one| one.survival.is_some()) {
            let at = band.partition_point(|one| one.time <= landmark.days);
            if let Some(one) = at.checked_sub(1).and_then(|at| band.get(at)) {
                (landmark.lower, landmark.upper) = (one.lower, one.upper);
            }
        }
        // The interval of the estimate ignores that episodes belong together.
        for one in result.median.iter_mut().chain(&mut result.follow_up) {
            (one.lower_months, one.upper_months) = (None, None);
        }
    }
    Ok(result)
}
