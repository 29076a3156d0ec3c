//! What counts for one centre by half-year.

use serde::{Deserialize, Serialize};

use super::RunIdentity;

/// Units of one measure in one half-year, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "[u32; 3]", from = "[u32; 3]")]
pub struct HalfYearCounts {
    pub numerator: u32,
    /// Assessable units.
    pub denominator: u32,
    pub not_assessable: u32,
}

impl From<[u32; 3]> for HalfYearCounts {
    fn from([numerator, denominator, not_assessable]: [u32; 3]) -> Self {
        Self {
            numerator,
            denominator,
            not_assessable,
        }
    }
}

impl From<HalfYearCounts> for [u32; 3] {
    fn from(counts: HalfYearCounts) -> Self {
        [counts.numerator, counts.denominator, counts.not_assessable]
    }
}

/// What counts for one centre, by half-year of the metastatic diagnosis: exact, for its own people and the coordinating office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CentreHalfYears {
    pub run: RunIdentity,
    /// `2025-H1`, in order: those in which the centre has a patient. A patient whose diagnosis has no date is in none.
    pub half_years: Vec<String>,
    /// Ids of the measures, in the order of the run's guideline.
    pub measures: Vec<String>,
    /// By measure, then by half-year.
    pub counts: Vec<Vec<HalfYearCounts>>,
}

impl CentreHalfYears {
    /// What counts of a measure (its id) in a half-year.
    pub fn of(&self, measure: &str, half_year: &str) -> HalfYearCounts {
        let place = |all: &[String], one: &str| all.iter().position(|known| known == one);
        let at = place(&self.measures, measure).zip(place(&self.half_years, half_year));
        let counts = at.and_then(|(measure, half)| self.counts.get(measure)?.get(half));
        counts.copied().unwrap_or_default()
    }
}
