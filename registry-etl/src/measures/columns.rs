//! The cases of a run, column by column: what polars counts over.

use super::evaluation::{CaseEvaluation, CaseFacts, UnitResult};
use crate::cohorts::NOT_RECORDED;
use crate::results::{By, MeasureHead};
use chrono::{Days, Months, NaiveDate};
use registry_core::guideline::Outcome;
use registry_core::record::day_number;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The cut-off of a run and the 24 months before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub cut_off: NaiveDate,
    /// First day of the last 24 months: the day after the same day two years ago.
    pub recent_from: NaiveDate,
}

impl Window {
    /// The window that ends with `cut_off`.
    pub fn ending(cut_off: NaiveDate) -> Self {
        let back = cut_off
            .checked_sub_months(Months::new(24))
            .and_then(|d| d.checked_add_days(Days::new(1)));
        Self {
            cut_off,
            recent_from: back.unwrap_or(cut_off),
        }
    }

    /// Whether a day number lies within the last 24 months.
    pub fn is_recent(&self, day: i32) -> bool {
        (day_number(self.recent_from)..=day_number(self.cut_off)).contains(&day)
    }
}

/// Names that stand in columns as numbers, in order of first appearance.
#[derive(Debug, Default, Clone)]
pub struct Names {
    names: Vec<String>,
    index: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.index.get(name) {
            return known;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), number);
        number
    }

    /// The name behind a number.
    pub fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    /// All names, by number.
    pub fn all(&self) -> &[String] {
        &self.names
    }
}

/// One case, without its units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// Of the metastatic diagnosis: what has no date of its own counts there.
    pub centre: u32,
    /// Of the registration.
    pub registered: u32,
    /// Numbers of its levels, in the order of [`CaseColumns::levels`].
    pub levels: Vec<u32>,
    pub recent: bool,
}

/// A way of breaking down cases (all but by centre), with the names of its levels.
#[derive(Debug, Clone)]
pub struct Levels {
    pub by: By,
    /// The element, of [`By::Stratum`].
    pub element: Option<String>,
    /// Positions of the measures it breaks down; all of them when none.
    pub measures: Option<Vec<u32>>,
    pub names: Names,
}

/// All cases of a run.
#[derive(Debug, Default)]
pub struct CaseColumns {
    pub centres: Names,
    pub levels: Vec<Levels>,
    pub elements: Names,
    /// Third of the centres a centre is in.
    tertiles: BTreeMap<String, &'static str>,
    /// Number of the level of the third a centre is in, by its number.
    thirds: HashMap<u32, u32>,
    pub cases: Vec<CaseRow>,
    /// Facts with the centre, for survival and the summaries.
    pub facts: Vec<CaseFacts>,
    // One entry per unit and measure.
    pub(super) unit_case: Vec<u32>,
    pub(super) unit_measure: Vec<u32>,
    pub(super) unit_outcome: Vec<u32>,
    pub(super) unit_reason: Vec<u32>,
    pub(super) unit_element: Vec<u32>,
    /// The centre a unit counts for: the case's, unless it was transferred.
    pub(super) unit_centre: Vec<u32>,
    /// One entry per case and measure: the units of it, summed.
    pub(super) sums: Sums,
    /// The same of cases that were transferred, by centre: case, measure, centre.
    pub(super) split: BTreeMap<(u32, u32, u32), [u32; CLASSES]>,
    /// Centres of a case that was transferred, each with the first day it had the case.
    stretches: BTreeMap<usize, Vec<(i32, String)>>,
}

/// Outcomes of one measure on the units of one case: how many of each class.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) case: Vec<u32>,
    pub(super) measure: Vec<u32>,
    /// By [`class`].
    pub(super) counts: [Vec<u32>; CLASSES],
}

/// Classes an outcome is counted in: numerator, denominator but not numerator, excluded, excepted, not in denominator,
/// not assessable.
pub(super) const CLASSES: usize = 6;

fn class(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Met | Outcome::Used => 0,
        Outcome::NotMet | Outcome::NotUsed => 1,
        Outcome::Excluded => 2,
        Outcome::Excepted => 3,
        Outcome::NotInDenom => 4,
        Outcome::NotAssessable => 5,
    }
}

impl Sums {
    pub(super) fn push(&mut self, case: u32, measure: u32, counts: [u32; CLASSES]) {
        self.case.push(case);
        self.measure.push(measure);
        for (column, count) in self.counts.iter_mut().zip(counts) {
            column.push(count);
        }
    }

    fn add(&mut self, case: u32, measure: u32, outcome: Outcome) {
        if (self.case.last(), self.measure.last()) != (Some(&case), Some(&measure)) {
            self.push(case, measure, [0; CLASSES]);
        }
        if let Some(count) = self.counts[class(outcome)].last_mut() {
            *count += 1;
        }
    }
}

/// Stands for "no reason" and "no element" in the unit columns.
pub(super) const NONE: u32 = u32::MAX;

impl CaseColumns {
    /// No case yet; breakdowns by the common ways and by every element that is a stratifier of one of `measures`.
    pub fn new(measures: &[MeasureHead], tertiles: BTreeMap<String, &'static str>) -> Self {
        let common = [
            By::HalfYear,
            By::Year,
            By::Histology,
            By::Timing,
            By::Organ,
            By::VolumeTertile,
        ];
        let common = common.into_iter().map(|by| (by, None));
        let elements: BTreeSet<&String> = measures.iter().flat_map(|measure| &measure.stratifiers).collect();
        let strata = elements
            .into_iter()
            .map(|element| (By::Stratum, Some(element.clone())));
        let with = |element: &String| {
            let concerned = measures
                .iter()
                .zip(0..)
                .filter(|(m, _)| m.stratifiers.contains(element));
            concerned.map(|(_, position)| position).collect()
        };
        let levels = common.chain(strata).map(|(by, element)| Levels {
            by,
            measures: element.as_ref().map(with),
            element,
            names: Names::default(),
        });
        Self {
            levels: levels.collect(),
            tertiles,
            ..Self::default()
        }
    }

    /// Adds one evaluated case of `centre`; of one that was transferred the evaluation says what counts for which.
    pub fn push(&mut self, centre: &str, window: &Window, evaluation: &CaseEvaluation) {
        let CaseEvaluation {
            outcomes,
            facts,
            shares,
            ..
        } = evaluation;
        let case = self.cases.len() as u32;
        let shares = shares.as_ref();
        let patient = shares.map_or(centre, |shares| shares.centre(shares.patient));
        let registered = shares.map_or(centre, |shares| shares.centre(shares.registered));
        let tertile = self.tertiles.get(patient).copied();
        let levels = self.levels.iter_mut().map(|levels| {
            let level = match (levels.by, &levels.element) {
                (By::HalfYear, _) => facts.half_year(),
                (By::Year, _) => facts.year(),
                (By::Histology, _) => facts.histology.clone(),
                (By::Timing, _) => facts.timing.clone(),
                (By::Organ, _) => facts.organ.clone(),
                (By::VolumeTertile, _) => tertile.map(str::to_owned),
                (_, element) => element
                    .as_ref()
                    .and_then(|element| facts.strata.get(element).cloned()),
            };
            levels.names.number(level.as_deref().unwrap_or(NOT_RECORDED))
        });
        let levels = levels.collect();
        let row = CaseRow {
            levels,
            centre: self.centre(patient),
            registered: self.centre(registered),
            recent: facts.diagnosis_day().is_some_and(|day| window.is_recent(day)),
        };
        let mut units: Vec<(usize, &UnitResult)> = outcomes.iter().enumerate().collect();
        units.sort_by_key(|(_, unit)| unit.measure);
        for (at, unit) in units {
            let measure = u32::from(unit.measure);
            let held = match shares.and_then(|shares| Some((shares, *shares.units.get(at)?))) {
                Some((shares, held)) => {
                    let held = self.centre(shares.centre(held));
                    let counts = self.split.entry((case, measure, held)).or_default();
                    counts[class(unit.outcome)] += 1;
                    held
                }
                None => row.centre,
            };
            self.sums.add(case, measure, unit.outcome);
            self.unit_case.push(case);
            self.unit_measure.push(measure);
            self.unit_outcome.push(unit.outcome as u32);
            self.unit_reason.push(unit.reason.map_or(NONE, |r| r as u32));
            self.unit_element
                .push(unit.element.as_ref().map_or(NONE, |e| self.elements.number(e)));
            self.unit_centre.push(held);
        }
        if let Some(shares) = shares {
            let stretches = shares.stretches().map(|(day, centre)| (day, centre.to_owned()));
            self.stretches.insert(self.cases.len(), stretches.collect());
        }
        self.cases.push(row);
        self.facts.push(facts.clone());
    }

    /// The number of a centre; its third gets one, too.
    fn centre(&mut self, name: &str) -> u32 {
        let number = self.centres.number(name);
        let third = self.tertiles.get(name).copied().unwrap_or(NOT_RECORDED);
        let thirds = self
            .levels
            .iter_mut()
            .find(|levels| levels.by == By::VolumeTertile);
        if let Some(thirds) = thirds {
            self.thirds.insert(number, thirds.names.number(third));
        }
        number
    }

    /// Number of the level of the third that a centre is in.
    pub(super) fn third(&self, centre: u32) -> u32 {
        self.thirds.get(&centre).copied().unwrap_or_default()
    }

    /// Which third a centre is in.
    pub fn tertiles(&self) -> BTreeMap<String, String> {
        let owned = |(centre, third): (&String, &&str)| (centre.clone(), (*third).to_owned());
        self.tertiles.iter().map(owned).collect()
    }

    /// Centre of each case, by its number.
    pub fn centre_of_cases(&self) -> Vec<u32> {
        self.cases.iter().map(|case| case.centre).collect()
    }

    /// Third of the centres each case's centre is in; none where no volume is known.
    pub fn thirds_of_cases(&self, thirds: &BTreeMap<String, &'static str>) -> Vec<Option<&'static str>> {
        let third = |case: &CaseRow| thirds.get(self.centres.name(case.centre)).copied();
        self.cases.iter().map(third).collect()
    }

    /// Thirds of the centres that had a case before and after transfers, each with the first day, by position of the case.
    pub fn thirds_over_time(
        &self,
        thirds: &BTreeMap<String, &'static str>,
    ) -> BTreeMap<usize, Vec<(i32, Option<&'static str>)>> {
        let of = |(case, stretches): (&usize, &Vec<(i32, String)>)| {
            let third = |(day, centre): &(i32, String)| (*day, thirds.get(centre).copied());
            (*case, stretches.iter().map(third).collect())
        };
        self.stretches.iter().map(of).collect()
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Units in the not-assessable state, and those assessable or not assessable, by the centre they count for.
    pub(super) fn assessability(&self) -> BTreeMap<u32, (u64, u64)> {
        let mut counts: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for (centre, outcome) in self.unit_centre.iter().zip(&self.unit_outcome) {
            let Some(outcome) = Outcome::ALL.get(*outcome as usize) else {
                continue;
            };
            let count = counts.entry(*centre).or_default();
            let lacking = *outcome == Outcome::NotAssessable;
            count.0 += u64::from(lacking);
            count.1 += u64::from(lacking || outcome.in_denominator());
        }
        counts
    }
}
