//! Completeness of elements and timeliness of sections by half-year of the metastatic diagnosis: as a run keeps it, in short rows because there
//! is one for every element, half-year and centre, and as it is told.

use serde::{Deserialize, Serialize};

use super::RunIdentity;
use super::completeness::{Answers, PeriodTimeliness, Timeliness};
use crate::quality::Counts;

/// One level as a run keeps it, exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverTimeRows {
    pub run: RunIdentity,
    /// `all`, or the centre.
    pub level: String,
    /// `2025-H1`, in order; rows name them by position.
    pub half_years: Vec<String>,
    pub elements: Vec<ElementRows>,
    pub timeliness: Vec<TimesRows>,
}

/// One element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElementRows {
    /// `entity.element`.
    pub element: String,
    pub requirement: String,
    /// Half-year, patients, patients of whom another centre answered the same too, then [`Counts::packed`].
    pub rows: Vec<Vec<u32>>,
}

/// Days from event to first submission of one section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimesRows {
    pub section: String,
    pub rows: Vec<Times>,
}

/// Half-year, patients, rows, and the quartiles of their days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Times(pub u32, pub u32, pub u32, pub [f64; 3]);

/// One level as it is told. Sections by half-year are among the periods of [`super::Completeness`].
#[derive(Debug, Clone, PartialEq)]
pub struct OverTime {
    /// `all`, or the centre.
    pub level: String,
    pub elements: Vec<ElementPeriod>,
    /// By section, each in the order of half-years.
    pub timeliness: Vec<PeriodTimeliness>,
}

/// One element in one half-year.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ElementPeriod {
    /// `2025-H1`.
    pub period: String,
    /// `entity.element`.
    pub element: String,
    pub section: String,
    /// `R`, or `C`: expected where a rule asks for it.
    pub requirement: String,
    #[serde(flatten)]
    pub answers: Answers,
}

/// Which part of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    pub section: Option<&'a str>,
    /// `entity.element`.
    pub element: Option<&'a str>,
}

impl Part<'_> {
    /// Whether a section belongs to it.
    pub fn has_section(&self, section: &str) -> bool {
        let of_element = self.element.map(section_of);
        let asked = [self.section, of_element];
        asked.into_iter().flatten().all(|asked| asked == section)
    }

    /// Whether an element belongs to it.
    pub fn has_element(&self, element: &str) -> bool {
        self.has_section(section_of(element)) && self.element.is_none_or(|asked| asked == element)
    }
}

/// The section of an element.
fn section_of(element: &str) -> &str {
    element.split('.').next().unwrap_or_default()
}

impl OverTimeRows {
    /// What the rows of a part say.
    pub fn read(&self, part: Part<'_>) -> OverTime {
        let period = |place: u32| self.half_years.get(place as usize).cloned();
        let elements = self.elements.iter().filter(|one| part.has_element(&one.element));
        let elements = elements.flat_map(|one| {
            one.rows.iter().filter_map(move |row| {
                let [place, patients, shared, packed @ ..] = row.as_slice() else {
                    return None;
                };
                Some(ElementPeriod {
                    period: period(*place)?,
                    section: section_of(&one.element).to_owned(),
                    element: one.element.clone(),
                    requirement: one.requirement.clone(),
                    answers: Answers::of(*patients, *shared, Counts::unpacked(packed)),
                })
            })
        });
        let sections = self
            .timeliness
            .iter()
            .filter(|one| part.has_section(&one.section));
        let timeliness = sections.flat_map(|one| {
            one.rows.iter().filter_map(move |row| {
                let Times(place, patients, rows, [lower, median, upper]) = *row;
                Some(PeriodTimeliness {
                    period: period(place)?,
                    times: Timeliness {
                        section: one.section.clone(),
                        patients: Some(patients),
                        rows: Some(rows),
                        lower_quartile: Some(lower),
                        median: Some(median),
                        upper_quartile: Some(upper),
                        suppressed: None,
                    },
                })
            })
        });
        OverTime {
            level: self.level.clone(),
            elements: elements.collect(),
            timeliness: timeliness.collect(),
        }
    }
}
