//! From settled rows to cumulative incidence of competing events.

use super::endpoint::{
    DAYS_PER_MONTH, FEWEST_PATIENTS, Group, LANDMARK_MONTHS, LEVEL, count, subjects, whole,
};
use super::settle::Settled;
use crate::results::{
    AtRisk, CauseIncidence, CurveState, GroupTest, IncidenceCurve, IncidenceStep, IncidenceValue, TestKind,
};
use crate::statistics::survival::{Columns, Groups, Incidence, Rows, aalen_johansen, gray_test};
use crate::statistics::{Band, StatisticsError, kaplan_meier};

/// Times at which the incidence is told.
const MONTHS: [f64; 3] = [12.0, 24.0, 60.0];

/// Codes and names of competing events, cause 1 first.
pub(super) type Causes = [(&'static str, &'static str)];

/// Estimates the incidence of every cause in a group; with `ignore_entry` everybody is at risk from the origin.
///
/// # Errors
/// [`StatisticsError`] when times are not fit for an estimate (settled cases always are).
pub(super) fn incidence(
    group: &Group<'_>,
    causes: &Causes,
    cases: &[Settled],
    ignore_entry: bool,
) -> Result<IncidenceCurve, StatisticsError> {
    let of = |cause: usize| cases.iter().filter(|c| usize::from(c.cause) == cause).count();
    let mut result = IncidenceCurve {
        analysis: group.analysis,
        by: group.by.to_owned(),
        level: group.level.to_owned(),
        state: CurveState::Empty,
        suppressed: None,
        patients: Some(count(cases.len())),
        causes: causes
            .iter()
            .enumerate()
            .map(|(at, (cause, label))| CauseIncidence {
                cause: (*cause).to_owned(),
                label: (*label).to_owned(),
                events: Some(count(of(at + 1))),
                values: Vec::new(),
                steps: Vec::new(),
            })
            .collect(),
        at_risk: Vec::new(),
        lost: Some(count(cases.iter().filter(|c| c.lost).count())),
    };
    if cases.is_empty() {
        return Ok(result);
    }
    if cases.len() < FEWEST_PATIENTS {
        result.state = CurveState::FewPatients;
        return Ok(result);
    }
    let free = kaplan_meier(&subjects(cases, ignore_entry), LEVEL, Band::LogLog)?;
    if free.zero_before_last_entry() {
        result.state = CurveState::ZeroBeforeLastEntry;
        return Ok(result);
    }
    result.state = CurveState::Shown;
    result.at_risk = LANDMARK_MONTHS
        .iter()
        .map(|&months| AtRisk {
            months,
            at_risk: Some(whole(free.at(months * DAYS_PER_MONTH).at_risk)),
        })
        .collect();
    let estimate = aalen_johansen(&rows(cases, causes.len(), ignore_entry)?, LEVEL, Band::LogLog)?;
    for (at, cause) in result.causes.iter_mut().enumerate() {
        cause.values = MONTHS
            .iter()
            .map(|&months| value(&estimate, at + 1, months))
            .collect::<Result<_, _>>()?;
        cause.steps = steps(&estimate, at);
    }
    Ok(result)
}

/// Checked rows of settled cases.
pub(super) fn rows(cases: &[Settled], causes: usize, ignore_entry: bool) -> Result<Rows, StatisticsError> {
    let exit: Vec<f64> = cases.iter().map(|c| f64::from(c.exit)).collect();
    let event: Vec<i64> = cases.iter().map(|c| i64::from(c.cause)).collect();
    let late = !ignore_entry && cases.iter().any(|c| c.entry.is_some());
    if !late {
        return Rows::new(
            Columns {
                exit: &exit,
                event: &event,
                ..Columns::default()
            },
            causes,
        );
    }
    Rows::entering(
        &exit,
        &event,
        &cases.iter().map(|c| c.entry.map(f64::from)).collect::<Vec<_>>(),
        causes,
    )
}

fn value(estimate: &Incidence, cause: usize, months: f64) -> Result<IncidenceValue, StatisticsError> {
    let days = months * DAYS_PER_MONTH;
    let beyond = estimate
        .steps
        .last()
        .is_none_or(|last| last.time < days && last.survival > 0.0);
    let at = estimate.incidence_at(cause, days)?;
    Ok(IncidenceValue {
        months,
        incidence: (!beyond).then_some(at.incidence),
        lower: at.lower.filter(|_| !beyond),
        upper: at.upper.filter(|_| !beyond),
    })
}

fn steps(estimate: &Incidence, cause: usize) -> Vec<IncidenceStep> {
    let step = |s: &crate::statistics::survival::aalen_johansen::IncidenceStep| {
        let of_cause = s.events.get(cause).copied().unwrap_or(0.0);
        let at = s.causes.get(cause);
        IncidenceStep {
            days: s.time,
            months: s.time / DAYS_PER_MONTH,
            at_risk: whole(s.at_risk),
            events: whole(of_cause),
            others: whole(s.events.iter().sum::<f64>() - of_cause + s.censored),
            incidence: at.map_or(0.0, |one| one.incidence),
            lower: at.and_then(|one| one.lower),
            upper: at.and_then(|one| one.upper),
        }
    };
    estimate.steps.iter().map(step).collect()
}

/// Gray's test of the first cause between the groups of a stratum.
pub(super) fn test(by: &str, causes: &Causes, rows_of: &[(String, Settled)]) -> GroupTest {
    let settled: Vec<Settled> = rows_of.iter().map(|(_, settled)| *settled).collect();
    let labels: Vec<&str> = rows_of.iter().map(|(level, _)| level.as_str()).collect();
    let found =
        rows(&settled, causes.len(), false).and_then(|rows| gray_test(&rows, &Groups::of(&labels), 1, 0.0));
    let mut test = GroupTest {
        kind: TestKind::Gray,
        by: by.to_owned(),
        cause: causes.first().map_or("", |(code, _)| *code).to_owned(),
        groups: Vec::new(),
        chi_square: None,
        df: None,
        p: None,
        refused: None,
    };
    match found {
        Ok(gray) => {
            test.chi_square = Some(gray.chi_square);
            test.df = Some(count(gray.df));
            test.p = Some(gray.p);
        }
        Err(why) => test.refused = Some(why.to_string()),
    }
    test
}
