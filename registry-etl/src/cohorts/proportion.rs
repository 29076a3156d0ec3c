//! Shares: response to a line, deaths and complications soon after a treatment.

use super::endpoint::{LEVEL, count};
use super::settle::{DateReading, LeftOut, day};
use super::units::Unit;
use crate::cohorts::definition::Event;
use crate::cohorts::facts::Ascertainment;
use crate::results::{ProportionRow, RateState};
use crate::statistics::{StatisticsError, wilson};

/// Complications of these classes are major.
const MAJOR: [&str; 5] = ["IIIa", "IIIb", "IVa", "IVb", "V"];
/// Share not assessable above which a rate is not reliable.
const INSUFFICIENT: f64 = 0.30;

/// Day of the origin of a row that belongs to the share, or the first reason why it does not. A patient treated before registration
/// is left out: who died, or was lost, before could not be registered.
pub(super) fn admitted(unit: &Unit<'_>, run_cut_off: i32) -> Result<i32, LeftOut> {
    let facts = &unit.case.survival;
    if !facts.in_core {
        return Err(LeftOut::NotCore);
    }
    if unit.course.origins.is_empty() {
        return Err(LeftOut::NotTreated);
    }
    let mut first: Option<i32> = None;
    for date in unit.course.origins.iter().chain([&facts.registration]) {
        if *date == super::RecordedDate::Blocked {
            return Err(LeftOut::EditError);
        }
    }
    for date in &unit.course.origins {
        let at = day(*date, DateReading::Fifteenth)?.ok_or(LeftOut::NoOrigin)?;
        first = Some(first.map_or(at, |f| f.min(at)));
    }
    let origin = first.ok_or(LeftOut::NoOrigin)?;
    if origin > facts.cut_off.min(run_cut_off) {
        return Err(LeftOut::OriginAfterCutOff);
    }
    let registration = day(facts.registration, DateReading::Fifteenth)?.ok_or(LeftOut::NoRegistration)?;
    match facts.ascertainment {
        Ascertainment::Prospective => {}
        Ascertainment::Retrospective => return Err(LeftOut::Retrospective),
        Ascertainment::NotRecorded => return Err(LeftOut::AscertainmentNotRecorded),
    }
    if origin < registration {
        return Err(LeftOut::BeforeRegistration);
    }
    Ok(origin)
}

/// Whether a row has the outcome; none when that is not known.
pub(super) fn outcome(event: Event, unit: &Unit<'_>) -> Option<bool> {
    match event {
        Event::Response => {
            let response = unit.line?.response.as_deref()?;
            Some(matches!(response, "CR" | "PR"))
        }
        Event::EarlyDeath => unit.treatment?.death_within_90d,
        Event::MajorMorbidity => {
            let class = unit.treatment?.clavien_dindo.as_deref()?;
            Some(MAJOR.contains(&class))
        }
        _ => None,
    }
}

/// The share of a group.
///
/// # Errors
/// None in practice: no more outcomes than rows.
pub(super) fn share(
    by: &str,
    level: &str,
    outcomes: &[Option<bool>],
) -> Result<ProportionRow, StatisticsError> {
    let with = outcomes.iter().filter(|one| **one == Some(true)).count();
    let assessable = outcomes.iter().flatten().count();
    let unknown = outcomes.len() - assessable;
    let interval = wilson(with as u64, assessable as u64, LEVEL)?;
    let all = outcomes.len() as f64;
    let bound = |n: usize| (!outcomes.is_empty()).then(|| n as f64 / all);
    let state = match interval {
        None => RateState::NotAssessable,
        Some(_) if unknown as f64 > INSUFFICIENT * all => RateState::Insufficient,
        Some(_) => RateState::Rate,
    };
    Ok(ProportionRow {
        by: by.to_owned(),
        level: level.to_owned(),
        state,
        suppressed: None,
        numerator: Some(count(with)),
        denominator: Some(count(assessable)),
        not_assessable: Some(count(unknown)),
        rate: interval.map(|_| with as f64 / assessable as f64),
        lower: interval.map(|i| i.lower),
        upper: interval.map(|i| i.upper),
        bound_low: bound(with),
        bound_high: bound(with + unknown),
    })
}
