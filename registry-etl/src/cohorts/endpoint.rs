//! From settled cases to one curve: reliability rules, values at fixed times, completeness of follow-up.

use super::settle::Settled;
use crate::results::{
    Analysis, CurveState, CurveStep, LandmarkValue, MedianState, SmallestRiskSet, SurvivalCurve, TimeEstimate,
};
use crate::statistics::{
    Band, Curve, StatisticsError, Subject, kaplan_meier,
    kaplan_meier::{AtTime, Quantile},
    reverse_kaplan_meier,
};

/// Days of a month.
pub const DAYS_PER_MONTH: f64 = 30.4375;
/// Times of the at-risk table: those of the specification, and 48 months, which a published series is compared at.
pub const LANDMARK_MONTHS: [f64; 6] = [0.0, 12.0, 24.0, 36.0, 48.0, 60.0];
/// No curve for fewer patients.
pub const FEWEST_PATIENTS: usize = 10;
/// No median for fewer events.
pub const FEWEST_EVENTS: u32 = 5;
/// Loss to follow-up above this share is said beside the curve.
pub const MUCH_LOSS: f64 = 0.10;
/// Confidence level of bands and intervals.
pub const LEVEL: f64 = 0.95;

/// What a curve is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    pub analysis: Analysis,
    pub by: &'a str,
    pub level: &'a str,
}

/// Estimates the curve of a group; with `ignore_entry` everybody is taken to be at risk from the origin.
///
/// # Errors
/// [`StatisticsError`] when times are not fit for an estimate (settled cases always are).
pub fn curve(
    group: &Group<'_>,
    cases: &[Settled],
    ignore_entry: bool,
) -> Result<SurvivalCurve, StatisticsError> {
    let patients = cases.len();
    let events = count(cases.iter().filter(|c| c.event).count());
    let lost = count(cases.iter().filter(|c| c.lost).count());
    let lost_share = (patients > 0).then(|| f64::from(lost) / patients as f64);
    let mut result = SurvivalCurve {
        analysis: group.analysis,
        by: group.by.to_owned(),
        level: group.level.to_owned(),
        state: CurveState::Empty,
        suppressed: None,
        patients: Some(count(patients)),
        events: Some(events),
        steps: Vec::new(),
        landmarks: Vec::new(),
        median: None,
        median_state: MedianState::NoCurve,
        follow_up: None,
        smallest_risk_set: None,
        follow_up_completeness: completeness(cases),
        lost: Some(lost),
        lost_share,
        lost_over_10_percent: lost_share.is_some_and(|share| share > MUCH_LOSS),
        repeated: None,
    };
    if cases.is_empty() {
        return Ok(result);
    }
    let subjects = subjects(cases, ignore_entry);
    let estimate = kaplan_meier(&subjects, LEVEL, Band::LogLog)?;
    result.smallest_risk_set = estimate
        .smallest_risk_set_while_entering()
        .map(|(time, at_risk)| SmallestRiskSet {
            at_risk: whole(at_risk),
            months: months(time),
        });
    if patients < FEWEST_PATIENTS {
        result.state = CurveState::FewPatients;
        return Ok(result);
    }
    if estimate.zero_before_last_entry() {
        result.state = CurveState::ZeroBeforeLastEntry;
        return Ok(result);
    }
    result.state = CurveState::Shown;
    result.steps = steps(&estimate);
    result.landmarks = LANDMARK_MONTHS.iter().map(|&m| landmark(&estimate, m)).collect();
    (result.median_state, result.median) = median(&estimate, events)?;
    let reverse = reverse_kaplan_meier(&subjects, LEVEL, Band::LogLog)?;
    result.follow_up = reverse.time_at_survival(0.5)?.map(time_estimate);
    Ok(result)
}

/// Settled cases as the estimators take them; with `ignore_entry` everybody is at risk from the origin.
pub(super) fn subjects(cases: &[Settled], ignore_entry: bool) -> Vec<Subject> {
    let one = |case: &Settled| {
        let subject = Subject::new(f64::from(case.exit), case.event);
        match case.entry {
            Some(entry) if !ignore_entry => subject.entering_at(f64::from(entry)),
            _ => subject,
        }
    };
    cases.iter().map(one).collect()
}

fn median(estimate: &Curve, events: u32) -> Result<(MedianState, Option<TimeEstimate>), StatisticsError> {
    if events < FEWEST_EVENTS {
        return Ok((MedianState::FewEvents, None));
    }
    Ok(match estimate.time_at_survival(0.5)? {
        Some(median) => (MedianState::Shown, Some(time_estimate(median))),
        None => (MedianState::NotReached, None),
    })
}

fn steps(estimate: &Curve) -> Vec<CurveStep> {
    let start = CurveStep {
        days: 0.0,
        months: 0.0,
        at_risk: whole(estimate.at(0.0).at_risk),
        events: 0,
        censored: 0,
        survival: 1.0,
        lower: Some(1.0),
        upper: Some(1.0),
    };
    let rest = estimate.steps.iter().map(|s| CurveStep {
        days: s.time,
        months: months(s.time),
        at_risk: whole(s.at_risk),
        events: whole(s.events),
        censored: whole(s.censored),
        survival: s.survival,
        lower: s.lower,
        upper: s.upper,
    });
    // A step at 0 (a death on the day of diagnosis) is the start itself.
    let begins_at_zero = estimate.steps.first().is_some_and(|s| s.time == 0.0);
    (!begins_at_zero)
        .then_some(start)
        .into_iter()
        .chain(rest)
        .collect()
}

fn landmark(estimate: &Curve, at_months: f64) -> LandmarkValue {
    let days = at_months * DAYS_PER_MONTH;
    let AtTime {
        at_risk,
        survival,
        lower,
        upper,
        beyond,
        ..
    } = estimate.at(days);
    // At the origin itself: everybody who is not entering late.
    let known = !beyond;
    LandmarkValue {
        months: at_months,
        days,
        at_risk: Some(whole(at_risk)),
        survival: known.then_some(survival),
        lower: lower.filter(|_| known),
        upper: upper.filter(|_| known),
    }
}

fn time_estimate(q: Quantile) -> TimeEstimate {
    TimeEstimate {
        days: q.time,
        months: months(q.time),
        lower_months: q.lower.map(months),
        upper_months: q.upper.map(months),
    }
}

/// Observed over potential follow-up (Clark's C): a death counts as complete.
pub fn completeness(cases: &[Settled]) -> Option<f64> {
    let observed: i64 = cases.iter().map(|c| i64::from(c.exit)).sum();
    let potential: i64 = cases
        .iter()
        .map(|c| i64::from(if c.event { c.exit } else { c.potential.max(c.exit) }))
        .sum();
    (potential > 0).then(|| observed as f64 / potential as f64)
}

fn months(days: f64) -> f64 {
    days / DAYS_PER_MONTH
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Unit weights: every count is whole.
pub(super) fn whole(n: f64) -> u32 {
    n.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(entry: Option<i32>, exit: i32, event: bool) -> Settled {
        Settled {
            entry,
            exit,
            event,
            cause: u8::from(event),
            lost: false,
            potential: 2000,
        }
    }

    const ALL: Group<'static> = Group {
        analysis: Analysis::Primary,
        by: "all",
        level: "all",
    };

    #[test]
    fn by_hand() {
        // Ten patients, deaths on day 100, 200, ..., 500, the others followed to day 1000: S steps by a tenth.
        let cases: Vec<Settled> = (1..=10)
            .map(|i| settled(None, if i <= 5 { i * 100 } else { 1000 }, i <= 5))
            .collect();
        let got = curve(&ALL, &cases, false).unwrap();
        assert_eq!(got.state, CurveState::Shown);
        let survival: Vec<f64> = got
            .steps
            .iter()
            .map(|s| (s.survival * 1e12).round() / 1e12)
            .collect();
        assert_eq!(survival, [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5]);
        // S is exactly one half from day 500 to the end at day 1000: the midpoint.
        assert_eq!(got.median.unwrap().days, 750.0);
        let at_risk: Vec<u32> = got.landmarks.iter().map(|l| l.at_risk.unwrap()).collect();
        assert_eq!(at_risk, [10, 7, 5, 0, 0, 0]);
        assert_eq!(got.landmarks[1].survival.map(|s| (s * 10.0).round()), Some(7.0));
        assert_eq!(
            got.landmarks[3].survival, None,
            "nobody was followed to 36 months"
        );
        // Observed 1500 + 5000; potential 1500 + 5 x 2000.
        assert!((got.follow_up_completeness.unwrap() - 6500.0 / 11500.0).abs() < 1e-12);
        assert_eq!(got.follow_up.unwrap().days, 1000.0);
    }

    #[test]
    fn too_few_patients_or_events() {
        let nine: Vec<Settled> = (1..=9).map(|i| settled(None, i, true)).collect();
        let got = curve(&ALL, &nine, false).unwrap();
        assert_eq!(
            (got.state, got.steps.len(), got.median_state),
            (CurveState::FewPatients, 0, MedianState::NoCurve)
        );
        let four: Vec<Settled> = (1..=10).map(|i| settled(None, i * 10, i > 6)).collect();
        assert_eq!(
            curve(&ALL, &four, false).unwrap().median_state,
            MedianState::FewEvents
        );
        assert_eq!(curve(&ALL, &[], false).unwrap().state, CurveState::Empty);
    }

    #[test]
    fn a_curve_that_dies_out_before_the_last_entry_is_refused() {
        let mut cases = vec![settled(None, 5, true)];
        cases.extend((1..=12).map(|i| settled(Some(10), 20 + i, i % 2 == 0)));
        let got = curve(&ALL, &cases, false).unwrap();
        assert_eq!(got.state, CurveState::ZeroBeforeLastEntry);
        assert!(got.steps.is_empty() && got.median.is_none());
        assert_eq!(got.smallest_risk_set.unwrap().at_risk, 1);
        assert_eq!(
            curve(&ALL, &cases, true).unwrap().state,
            CurveState::Shown,
            "ignoring entry there is no such trap"
        );
    }
}
