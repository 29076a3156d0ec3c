//! The cases of a run, column by column: what polars counts over.

use super::evaluation::{CaseEvaluation, CaseFacts};
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
    pub centre: u32,
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
    pub cases: Vec<CaseRow>,
    /// Facts with the centre, for survival and the summaries.
    pub facts: Vec<CaseFacts>,
    // One entry per unit and measure.
    pub(super) unit_case: Vec<u32>,
    pub(super) unit_measure: Vec<u32>,
    pub(super) unit_outcome: Vec<u32>,
    pub(super) unit_reason: Vec<u32>,
    pub(super) unit_element: Vec<u32>,
    /// One entry per case and measure: the units of it, summed.
    pub(super) sums: Sums,
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
    fn add(&mut self, case: u32, measure: u32, outcome: Outcome) {
        if (self.case.last(), self.measure.last()) != (Some(&case), Some(&measure)) {
            self.case.push(case);
            self.measure.push(measure);
            self.counts.iter_mut().for_each(|column| column.push(0));
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

    /// Adds one evaluated case of `centre`.
    pub fn push(&mut self, centre: &str, window: &Window, evaluation: CaseEvaluation) {
        let facts = evaluation.facts;
        let case = self.cases.len() as u32;
        let tertile = self.tertiles.get(centre).copied();
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
        self.cases.push(CaseRow {
            levels: levels.collect(),
            centre: self.centres.number(centre),
            recent: facts.diagnosis_day().is_some_and(|day| window.is_recent(day)),
        });
        let mut outcomes = evaluation.outcomes;
        outcomes.sort_by_key(|unit| unit.measure);
        for unit in outcomes {
            self.sums.add(case, u32::from(unit.measure), unit.outcome);
            self.unit_case.push(case);
            self.unit_measure.push(u32::from(unit.measure));
            self.unit_outcome.push(unit.outcome as u32);
            self.unit_reason.push(unit.reason.map_or(NONE, |r| r as u32));
            self.unit_element
                .push(unit.element.map_or(NONE, |e| self.elements.number(&e)));
        }
        self.facts.push(facts);
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

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Units of a case in the not-assessable state, and those assessable or not assessable, per case.
    pub(super) fn assessability(&self) -> Vec<(u32, u32)> {
        let mut counts = vec![(0, 0); self.cases.len()];
        for (case, outcome) in self.unit_case.iter().zip(&self.unit_outcome) {
            let Some(outcome) = Outcome::ALL.get(*outcome as usize) else {
                continue;
            };
            if let Some(count) = counts.get_mut(*case as usize) {
                let lacking = *outcome == Outcome::NotAssessable;
                count.0 += u32::from(lacking);
                count.1 += u32::from(lacking || outcome.in_denominator());
            }
        }
        counts
    }
}
