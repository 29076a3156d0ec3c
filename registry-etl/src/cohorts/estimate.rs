//! One endpoint of a run: its cohort, the flow into it, its curves.

use super::NOT_RECORDED;
use super::course::Operation;
use super::definition::{Definition, Event, Origin, Stratum};
use super::endpoint::{Group, curve};
use super::settle::{Course, DateReading, LeftOut, Settled, day, settle_course};
use crate::measures::CaseFacts;
use crate::results::{Analysis, Flow, FlowStep, RunIdentity, SurvivalCurve, SurvivalResult};
use crate::statistics::StatisticsError;
use chrono::Datelike;
use registry_core::record::day_of;
use std::collections::BTreeMap;

/// Age from which a patient is in the older group.
const OLDER: u16 = 70;
/// Years of a calendar period.
const PERIOD: i32 = 5;

/// Estimates an endpoint. `run_cut_off` is a day number. Curves: the primary estimate of all patients, its sensitivities,
/// then the primary estimate by each stratum of the definition.
///
/// # Errors
/// [`StatisticsError`] when settled times are not fit for an estimate.
pub fn estimate(
    definition: &Definition,
    run: &RunIdentity,
    run_cut_off: i32,
    cases: &[CaseFacts],
) -> Result<SurvivalResult, StatisticsError> {
    let courses: Vec<Course> = cases.iter().map(|case| course(definition, case)).collect();
    let settle_all = |reading, retrospective| -> Vec<Result<(i32, Settled), LeftOut>> {
        let both = cases.iter().zip(&courses);
        both.map(|(case, course)| settle_course(&case.survival, course, run_cut_off, reading, retrospective))
            .collect()
    };
    let rows = settle_all(DateReading::Fifteenth, false);
    let of = |rows: &[Result<(i32, Settled), LeftOut>]| -> Vec<Settled> {
        rows.iter().flatten().map(|(_, settled)| *settled).collect()
    };
    let primary = of(&rows);
    let all = |analysis, cases: &[Settled], ignore_entry| {
        let (by, level) = ("all", "all");
        curve(&Group { analysis, by, level }, cases, ignore_entry)
    };
    let with_retrospective = of(&settle_all(DateReading::Fifteenth, true));
    let earliest = of(&settle_all(DateReading::Earliest, false));
    let latest = of(&settle_all(DateReading::Latest, false));
    let mut curves = vec![
        all(Analysis::Primary, &primary, false)?,
        all(Analysis::WithRetrospective, &with_retrospective, false)?,
        all(Analysis::IgnoringLateEntry, &primary, true)?,
        all(Analysis::PartialDatesEarliest, &earliest, false)?,
        all(Analysis::PartialDatesLatest, &latest, false)?,
    ];
    for stratum in &definition.strata {
        curves.extend(by_stratum(*stratum, definition, cases, &rows)?);
    }
    Ok(SurvivalResult {
        run: run.clone(),
        endpoint: definition.id.clone(),
        title: definition.title.clone(),
        origin: definition.origin_text.clone(),
        event: definition.event_text.clone(),
        flow: flow(&rows),
        entered_late: Some(size(primary.iter().filter(|c| c.entry.is_some()).count())),
        curves,
    })
}

/// What the endpoint reads of a case.
pub(super) fn course(definition: &Definition, case: &CaseFacts) -> Course {
    let origins = match definition.origin {
        Origin::MetastaticDiagnosis => vec![case.survival.origin],
        Origin::SystemicLine => {
            let lines = case.course.lines.iter();
            lines
                .filter(|line| line.number == definition.line)
                .map(|line| line.start)
                .collect()
        }
        Origin::Metastasectomy | Origin::ClearingMetastasectomy => operations(definition, case)
            .map(|operation| operation.date)
            .collect(),
    };
    let (events, seen) = match definition.event {
        Event::Death => (Vec::new(), Vec::new()),
        Event::RecurrenceOrDeath => (case.course.recurrences.clone(), case.course.imaging.clone()),
    };
    Course {
        origins,
        events,
        seen,
    }
}

/// The operations an endpoint may count from.
fn operations<'a>(definition: &'a Definition, case: &'a CaseFacts) -> impl Iterator<Item = &'a Operation> {
    let cleared = definition.origin == Origin::ClearingMetastasectomy;
    let at_site = |operation: &Operation| {
        definition.sites.is_empty()
            || operation
                .site
                .as_ref()
                .is_some_and(|site| definition.sites.contains(site))
    };
    case.course
        .operations
        .iter()
        .filter(move |operation| at_site(operation) && (operation.cleared || !cleared))
}

fn by_stratum(
    stratum: Stratum,
    definition: &Definition,
    cases: &[CaseFacts],
    rows: &[Result<(i32, Settled), LeftOut>],
) -> Result<Vec<SurvivalCurve>, StatisticsError> {
    let mut groups: BTreeMap<String, Vec<Settled>> = BTreeMap::new();
    for (case, row) in cases.iter().zip(rows) {
        if let Ok((origin, settled)) = row {
            let level = level(stratum, definition, case, *origin);
            groups
                .entry(level.unwrap_or_else(|| NOT_RECORDED.to_owned()))
                .or_default()
                .push(*settled);
        }
    }
    let one = |(level, cases): (&String, &Vec<Settled>)| {
        let (analysis, by) = (Analysis::Primary, stratum.as_str());
        curve(&Group { analysis, by, level }, cases, false)
    };
    groups.iter().map(one).collect()
}

/// The level of a case; `None` when it is not recorded.
fn level(stratum: Stratum, definition: &Definition, case: &CaseFacts, origin: i32) -> Option<String> {
    match stratum {
        Stratum::Histology => case.histology.clone(),
        Stratum::Timing => case.timing.clone(),
        Stratum::Organ => case.organ.clone(),
        Stratum::Age => case.age.map(|age| {
            let group = if age < OLDER { "below_70" } else { "70_and_over" };
            group.to_owned()
        }),
        Stratum::Period => day_of(origin).map(|date| {
            let first = date.year() - date.year().rem_euclid(PERIOD);
            format!("{first}-{}", first + PERIOD - 1)
        }),
        Stratum::Completeness => completeness(definition, case, origin),
    }
}

/// Residual tumour of the operation counted from; of several on one day none is known to be it when they differ.
fn completeness(definition: &Definition, case: &CaseFacts, origin: i32) -> Option<String> {
    let mut that_day = operations(definition, case)
        .filter(|operation| day(operation.date, DateReading::Fifteenth) == Ok(Some(origin)))
        .map(|operation| operation.completeness.as_deref());
    let first = that_day.next()??;
    that_day
        .all(|other| other == Some(first))
        .then(|| first.to_owned())
}

/// Every case once: analysed, or under the first reason it is not.
fn flow(rows: &[Result<(i32, Settled), LeftOut>]) -> Flow {
    let step = |reason: LeftOut| FlowStep {
        reason: reason.as_str().to_owned(),
        label: reason.label().to_owned(),
        n: Some(size(
            rows.iter()
                .filter(|row| matches!(row, Err(why) if *why == reason))
                .count(),
        )),
    };
    Flow {
        cases: Some(size(rows.len())),
        left_out: LeftOut::ALL.into_iter().map(step).collect(),
        analysed: Some(size(rows.iter().flatten().count())),
    }
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
