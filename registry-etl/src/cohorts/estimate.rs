//! One endpoint of a run: its cohort, the flow into it, its estimates.

use super::NOT_RECORDED;
use super::adjusted::models;
use super::by_centre::by_centre;
use super::centres::comparison;
use super::change::{changes, followed};
use super::definition::{Definition, Estimator, Event};
use super::endpoint::{Group, count, curve};
use super::incidence::{incidence, test};
use super::landmark::comparisons;
use super::log_rank;
use super::proportion::{admitted, outcome, share};
use super::repeats::repeated_curve;
use super::settle::{Course, DateReading, LeftOut, Settled, settle_course};
use super::strata::{level, repeated};
use super::units::{Cohort, Unit, units};
use crate::results::{Analysis, Flow, FlowStep, RunIdentity, SurvivalCurve, SurvivalResult};
use crate::statistics::StatisticsError;
use std::collections::BTreeMap;

/// A row with the day of its origin, or the first reason why it is not in the estimate.
pub(super) type Row = Result<(i32, Settled), LeftOut>;

/// Estimates an endpoint. `run_cut_off` is a day number. In order: the primary estimate of all patients, its sensitivities, then
/// the primary estimate by each stratum of the definition, then comparisons from a landmark.
///
/// # Errors
/// [`StatisticsError`] when settled times are not fit for an estimate.
pub fn estimate(
    definition: &Definition,
    run: &RunIdentity,
    run_cut_off: i32,
    cohort: &Cohort<'_>,
) -> Result<SurvivalResult, StatisticsError> {
    let units = units(definition, cohort.cases);
    let mut result = SurvivalResult {
        run: run.clone(),
        endpoint: definition.id.clone(),
        title: definition.title.clone(),
        origin: definition.origin_text.clone(),
        event: definition.event_text.clone(),
        flow: Flow {
            cases: None,
            left_out: Vec::new(),
            analysed: None,
            withheld: None,
        },
        entered_late: Some(0),
        curves: Vec::new(),
        incidence: Vec::new(),
        tests: Vec::new(),
        proportions: Vec::new(),
        changes: Vec::new(),
        landmark_comparisons: Vec::new(),
        models: Vec::new(),
        centres: None,
        as_of: Vec::new(),
        by_centre: Vec::new(),
    };
    match definition.event.estimator() {
        Estimator::Survival | Estimator::Incidence => {
            let times = Times {
                definition,
                cohort,
                units: &units,
                run_cut_off,
            };
            times.estimate(&mut result)?;
        }
        Estimator::Proportion => {
            let rows: Vec<Result<i32, LeftOut>> =
                units.iter().map(|unit| admitted(unit, run_cut_off)).collect();
            result.flow = flow(rows.iter().map(|row| row.as_ref().err().copied()));
            let with = |at: usize| {
                let unit = rows.get(at)?.is_ok().then(|| units.get(at)).flatten()?;
                Some(outcome(definition.event, unit) == Some(true))
            };
            result.by_centre = by_centre(&units, cohort, with);
            let of = |wanted: &[usize]| -> Vec<Option<bool>> {
                let chosen = wanted.iter().filter_map(|at| units.get(*at));
                chosen.map(|unit| outcome(definition.event, unit)).collect()
            };
            let all: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].is_ok()).collect();
            result.proportions.push(share("all", "all", &of(&all))?);
            for stratum in &definition.strata {
                let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
                for (at, (unit, row)) in units.iter().zip(&rows).enumerate() {
                    if let Ok(origin) = row {
                        let level = level(*stratum, definition, cohort, unit, *origin);
                        let level = level.unwrap_or_else(|| NOT_RECORDED.to_owned());
                        groups.entry(level).or_default().push(at);
                    }
                }
                for (level, chosen) in &groups {
                    result
                        .proportions
                        .push(share(stratum.as_str(), level, &of(chosen))?);
                }
            }
        }
        Estimator::Change => {
            let rows: Vec<_> = units.iter().map(|unit| followed(unit, run_cut_off)).collect();
            result.flow = flow(rows.iter().map(|row| row.as_ref().err().copied()));
            let kept = |at: usize| rows.get(at)?.is_ok().then_some(false);
            result.by_centre = by_centre(&units, cohort, kept);
            let followed: Vec<_> = rows.into_iter().flatten().collect();
            result.changes = changes(&followed);
        }
    }
    Ok(result)
}

/// Every row settled as the primary estimate takes it.
pub(super) fn primary(units: &[Unit<'_>], run_cut_off: i32) -> Vec<Row> {
    settled(units, run_cut_off, DateReading::Fifteenth, false, Clone::clone)
}

fn settled(
    units: &[Unit<'_>],
    run_cut_off: i32,
    reading: DateReading,
    retrospective: bool,
    change: impl Fn(&Course) -> Course,
) -> Vec<Row> {
    let one = |unit: &Unit<'_>| {
        let facts = &unit.case.survival;
        settle_course(facts, &change(&unit.course), run_cut_off, reading, retrospective)
    };
    units.iter().map(one).collect()
}

/// An endpoint of times.
struct Times<'a> {
    definition: &'a Definition,
    cohort: &'a Cohort<'a>,
    units: &'a [Unit<'a>],
    run_cut_off: i32,
}

impl Times<'_> {
    fn estimate(&self, result: &mut SurvivalResult) -> Result<(), StatisticsError> {
        let rows = primary(self.units, self.run_cut_off);
        result.flow = flow(rows.iter().map(|row| row.as_ref().err().copied()));
        let with = |at: usize| rows.get(at)?.as_ref().ok().map(|(_, settled)| settled.event);
        result.by_centre = by_centre(self.units, self.cohort, with);
        let late = rows
            .iter()
            .flatten()
            .filter(|(_, settled)| settled.entry.is_some());
        result.entered_late = Some(count(late.count()));
        self.of_all(&rows, result)?;
        for stratum in &self.definition.strata {
            let by = stratum.as_str();
            let mut groups: BTreeMap<String, Vec<(usize, Settled)>> = BTreeMap::new();
            for (unit, row) in self.units.iter().zip(&rows) {
                if let Ok((origin, settled)) = row {
                    let level = level(*stratum, self.definition, self.cohort, unit, *origin);
                    let level = level.unwrap_or_else(|| NOT_RECORDED.to_owned());
                    groups.entry(level).or_default().push((unit.at, *settled));
                }
            }
            for (level, cases) in &groups {
                let group = Group {
                    analysis: Analysis::Primary,
                    by,
                    level,
                };
                self.add(&group, cases, false, result)?;
            }
            let causes = self.definition.event.causes();
            if !causes.is_empty() {
                let named = |(level, cases): (&String, &Vec<(usize, Settled)>)| {
                    let of = cases.iter().map(|(_, settled)| (level.clone(), *settled));
                    of.collect::<Vec<_>>()
                };
                let labelled: Vec<(String, Settled)> = groups.iter().flat_map(named).collect();
                result.tests.push(test(by, causes, &labelled));
            } else {
                let repeats = repeated(self.definition);
                result
                    .tests
                    .push(log_rank::test(by, &groups, &result.curves, repeats));
            }
        }
        // The adjustment set is of survival from metastatic diagnosis, as the landmarks are.
        if !self.definition.landmarks.is_empty() {
            result.models = models(self.units, &rows);
        }
        if self.definition.centres {
            result.centres = comparison(self.units, &rows, self.cohort)?;
        }
        for exposure in &self.definition.landmarks {
            result
                .landmark_comparisons
                .extend(comparisons(*exposure, self.units, &rows)?);
        }
        Ok(())
    }

    /// The primary estimate of all patients and its sensitivities.
    fn of_all(&self, rows: &[Row], result: &mut SurvivalResult) -> Result<(), StatisticsError> {
        let primary = self.kept(rows);
        let mut add = |analysis, cases: &[(usize, Settled)], ignore_entry| {
            let (by, level) = ("all", "all");
            self.add(&Group { analysis, by, level }, cases, ignore_entry, result)
        };
        add(Analysis::Primary, &primary, false)?;
        let other = |reading, retrospective, change: &dyn Fn(&Course) -> Course| {
            self.kept(&settled(
                self.units,
                self.run_cut_off,
                reading,
                retrospective,
                change,
            ))
        };
        let same = &|course: &Course| course.clone();
        let fifteenth = DateReading::Fifteenth;
        add(Analysis::WithRetrospective, &other(fifteenth, true, same), false)?;
        add(Analysis::IgnoringLateEntry, &primary, true)?;
        let earliest = other(DateReading::Earliest, false, same);
        add(Analysis::PartialDatesEarliest, &earliest, false)?;
        let latest = other(DateReading::Latest, false, same);
        add(Analysis::PartialDatesLatest, &latest, false)?;
        match self.definition.event {
            Event::ProgressionOrDeath => {
                let counted = other(fifteenth, false, &|course| {
                    let mut course = course.clone();
                    let begun = std::mem::take(&mut course.censors);
                    course.events.extend(begun.into_iter().map(|date| (date, 1)));
                    course
                });
                add(Analysis::NewTreatmentAsEvent, &counted, false)?;
            }
            Event::RecurrenceOrDeath => {
                let seen = other(fifteenth, false, &|course| Course {
                    seen_only: true,
                    ..course.clone()
                });
                add(Analysis::CensoredAtLastImaging, &seen, false)?;
            }
            Event::SarcomaDeath => {
                for (analysis, counted) in [
                    (Analysis::UnknownCauseAsSarcoma, 1),
                    (Analysis::UnknownCauseAsOther, 2),
                ] {
                    let bound: Vec<(usize, Settled)> = primary
                        .iter()
                        .map(|(at, settled)| {
                            let cause = if settled.cause == 3 {
                                counted
                            } else {
                                settled.cause
                            };
                            (*at, Settled { cause, ..*settled })
                        })
                        .collect();
                    add(analysis, &bound, false)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The rows of an estimate, each with the position of its case.
    fn kept(&self, rows: &[Row]) -> Vec<(usize, Settled)> {
        let both = self.units.iter().zip(rows);
        both.filter_map(|(unit, row)| row.as_ref().ok().map(|(_, settled)| (unit.at, *settled)))
            .collect()
    }

    fn add(
        &self,
        group: &Group<'_>,
        cases: &[(usize, Settled)],
        ignore_entry: bool,
        result: &mut SurvivalResult,
    ) -> Result<(), StatisticsError> {
        let settled: Vec<Settled> = cases.iter().map(|(_, settled)| *settled).collect();
        let causes = self.definition.event.causes();
        if !causes.is_empty() {
            let found = incidence(group, causes, &settled, ignore_entry)?;
            result.incidence.push(found);
            return Ok(());
        }
        let found: SurvivalCurve = if repeated(self.definition) {
            let patients: Vec<usize> = cases.iter().map(|(at, _)| *at).collect();
            repeated_curve(group, &settled, &patients, ignore_entry)?
        } else {
            curve(group, &settled, ignore_entry)?
        };
        result.curves.push(found);
        Ok(())
    }
}

/// Every row once: analysed, or under the first reason it is not.
fn flow(rows: impl Iterator<Item = Option<LeftOut>>) -> Flow {
    let rows: Vec<Option<LeftOut>> = rows.collect();
    let step = |reason: LeftOut| FlowStep {
        reason: reason.as_str().to_owned(),
        label: reason.label().to_owned(),
        n: Some(count(rows.iter().filter(|why| **why == Some(reason)).count())),
    };
    Flow {
        cases: Some(count(rows.len())),
        left_out: LeftOut::ALL.into_iter().map(step).collect(),
        analysed: Some(count(rows.iter().filter(|why| why.is_none()).count())),
        withheld: None,
    }
}

#[cfg(test)]
mod tests;
