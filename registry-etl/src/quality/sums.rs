//! What is added up for one level: answers and days, all of them and by half-year of the metastatic diagnosis.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Counts;
use super::quantiles::quartiles;
use crate::results::completeness::{Answers, Timeliness};
use crate::results::over_time::Times;

#[derive(Default)]
pub(super) struct Sum {
    counts: Counts,
    patients: u32,
    /// Patients of whom another centre answered the same too.
    shared: u32,
}

impl Sum {
    pub(super) fn add(&mut self, counts: &Counts, shared: bool) {
        self.counts.add_all(counts);
        self.patients += 1;
        self.shared += u32::from(shared);
    }

    pub(super) fn answers(&self) -> Answers {
        Answers::of(self.patients, self.shared, self.counts)
    }
}

#[derive(Default)]
pub(super) struct Delays {
    days: Vec<i32>,
    patients: u32,
}

impl Delays {
    pub(super) fn add(&mut self, days: &[i32]) {
        self.days.extend_from_slice(days);
        self.patients += 1;
    }

    pub(super) fn timeliness(&self, section: &str) -> Timeliness {
        let quartiles = quartiles(&self.days);
        Timeliness {
            section: section.to_owned(),
            patients: Some(self.patients),
            rows: Some(self.days.len() as u32),
            lower_quartile: quartiles.map(|q| q[0]),
            median: quartiles.map(|q| q[1]),
            upper_quartile: quartiles.map(|q| q[2]),
            suppressed: None,
        }
    }
}

/// Answers to one element.
pub(super) struct OfElement {
    pub(super) requirement: &'static str,
    pub(super) whole: Sum,
    halves: BTreeMap<Arc<str>, Sum>,
}

impl OfElement {
    /// No answer yet.
    pub(super) fn new(requirement: &'static str) -> Self {
        Self {
            requirement,
            whole: Sum::default(),
            halves: BTreeMap::new(),
        }
    }

    /// Adds the answers of one patient, diagnosed in `half_year`.
    pub(super) fn add(&mut self, counts: &Counts, shared: bool, half_year: Option<&Arc<str>>) {
        self.whole.add(counts, shared);
        if let Some(half_year) = half_year {
            self.halves
                .entry(half_year.clone())
                .or_default()
                .add(counts, shared);
        }
    }

    /// A row for each half-year that has a place; see [`crate::results::over_time::ElementRows`].
    pub(super) fn rows(&self, place: &BTreeMap<&str, u32>) -> Vec<Vec<u32>> {
        let halves = self.halves.iter();
        let kept = halves.filter_map(|(period, sum)| Some((*place.get(period.as_ref())?, sum)));
        kept.map(|(place, sum)| {
            let mut row = vec![place, sum.patients, sum.shared];
            row.extend(sum.counts.packed());
            row
        })
        .collect()
    }
}

/// Days from event to first submission of the rows of one section.
#[derive(Default)]
pub(super) struct OfSection {
    pub(super) whole: Delays,
    pub(super) halves: BTreeMap<Arc<str>, Delays>,
}

impl OfSection {
    /// Adds the rows of one patient, diagnosed in `half_year`.
    pub(super) fn add(&mut self, days: &[i32], half_year: Option<&Arc<str>>) {
        self.whole.add(days);
        if let Some(half_year) = half_year {
            self.halves.entry(half_year.clone()).or_default().add(days);
        }
    }

    /// A row for each half-year that has a place.
    pub(super) fn rows(&self, place: &BTreeMap<&str, u32>) -> Vec<Times> {
        let halves = self.halves.iter();
        let kept = halves.filter_map(|(period, delays)| {
            let place = *place.get(period.as_ref())?;
            let quartiles = quartiles(&delays.days)?;
            Some(Times(place, delays.patients, delays.days.len() as u32, quartiles))
        });
        kept.collect()
    }
}
