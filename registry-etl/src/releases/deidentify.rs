//! What makes the bundle of a data request safe, from `schema/releases/deidentification.toml`: bands of ages and calendar years, which
//! columns could identify together, and how they are made coarser.

use std::collections::BTreeSet;

use registry_core::dictionary::{Dictionary, Element, ElementKind, Visibility};
use serde::Deserialize;

use super::ReleaseError;
use super::projection::{CENTRE, PATIENTS};

const FILE: &str = include_str!("../../../schema/releases/deidentification.toml");

/// The file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// Smallest number of patients that share their quasi-identifiers.
    pub(super) k: usize,
    pub(super) age: Age,
    pub(super) calendar: Calendar,
    pub(super) quasi_identifiers: Columns,
    #[serde(default, rename = "step")]
    pub(super) steps: Vec<Step>,
}

/// Bands of ages, in years.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Age {
    pub(super) band: i32,
    /// From this age on one band.
    pub(super) top: i32,
}

/// Bands of calendar years.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calendar {
    pub(super) band: i32,
}

/// Columns of `patient.csv`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) columns: Vec<String>,
}

/// One step of generalisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) column: String,
    /// Bands of so many years.
    pub(super) band: Option<i32>,
    /// Empties the column.
    #[serde(default)]
    pub(super) withhold: bool,
}

/// Whether `schema/releases/deidentification.toml` fits a dictionary; asked when the service starts, and again before a bundle is built.
///
/// # Errors
/// [`ReleaseError::Deidentification`] names what does not.
pub fn check(dictionary: &Dictionary) -> Result<(), ReleaseError> {
    Rules::of_this_program()?.agree_with(dictionary)
}

impl Rules {
    /// The rules of this program.
    ///
    /// # Errors
    /// [`ReleaseError::Deidentification`] names what is wrong with the file.
    pub(super) fn of_this_program() -> Result<Self, ReleaseError> {
        Self::read(FILE)
    }

    /// Every element that may identify together with others is one of the columns made coarser, and of those columns every one stands for such an
    /// element, or for the centre or the years that no element of the patient holds.
    ///
    /// # Errors
    /// [`ReleaseError::Deidentification`] names the element or the column.
    pub(super) fn agree_with(&self, dictionary: &Dictionary) -> Result<(), ReleaseError> {
        let wrong = |what: String| Err(ReleaseError::Deidentification(what));
        let mut free: BTreeSet<&str> = self
            .quasi_identifiers
            .columns
            .iter()
            .map(String::as_str)
            .collect();
        for entity in &dictionary.entities {
            let marked = |one: &&Element| one.visibility == Visibility::QuasiIdentifier;
            for element in entity.elements.iter().filter(marked) {
                let path = format!("{}.{}", entity.name, element.name);
                let column = match element.kind {
                    _ if format!("{}.csv", entity.name) != PATIENTS => {
                        return wrong(format!("{path} is a quasi-identifier outside the patients' file"));
                    }
                    ElementKind::Year => AGE,
                    _ => element.name.as_str(),
                };
                if !free.remove(column) {
                    return wrong(format!(
                        "{path} is a quasi-identifier, and no column {column} is one"
                    ));
                }
            }
        }
        for column in [CENTRE, YEARS] {
            if !free.remove(column) {
                return wrong(format!("{column} is not among the quasi-identifiers"));
            }
        }
        match free.first() {
            Some(column) => wrong(format!(
                "no element behind {column} is marked as a quasi-identifier"
            )),
            None => Ok(()),
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, ReleaseError> {
        let wrong = |what: String| ReleaseError::Deidentification(what);
        let rules: Self = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
        if rules.k < 2 {
            return Err(wrong("k: at least 2".to_owned()));
        }
        if rules.age.band < 1 || rules.calendar.band < 1 || rules.age.top < rules.age.band {
            return Err(wrong(
                "age, calendar: bands of at least one year, below the top".to_owned(),
            ));
        }
        for step in &rules.steps {
            if !rules.quasi_identifiers.columns.contains(&step.column) {
                return Err(wrong(format!("step: {} is no quasi-identifier", step.column)));
            }
            if step.withhold == step.band.is_some() || step.band.is_some_and(|band| band < 1) {
                return Err(wrong(format!(
                    "step of {}: band = years, or withhold = true",
                    step.column
                )));
            }
        }
        Ok(rules)
    }
}

/// The band of an age: `65-69`; `85+` from the top on. A band that the top falls into ends below the top.
pub(super) fn age_band(age: i32, band: i32, top: i32) -> String {
    if age >= top {
        return format!("{top}+");
    }
    let first = age.div_euclid(band) * band;
    format!("{first}-{}", (first + band - 1).min(top - 1))
}

/// The band of a calendar year: `2020-2024`.
pub(super) fn year_band(year: i32, band: i32) -> String {
    let first = year.div_euclid(band) * band;
    format!("{first}-{}", first + band - 1)
}

/// A cell made coarser; a text that is no band of ours (empty, withheld) stays.
pub(super) fn coarser(cell: &str, column: &str, band: i32, age: Age) -> String {
    let Some(first) = cell
        .split_once('-')
        .and_then(|(first, _)| first.parse::<i32>().ok())
    else {
        return cell.to_owned();
    };
    if column == AGE {
        age_band(first, band, age.top)
    } else {
        year_band(first, band)
    }
}

/// The column of ages.
pub(super) const AGE: &str = "age_at_diagnosis";
/// The column of calendar years.
pub(super) const YEARS: &str = "diagnosis_years";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_and_a_wrong_one_says_what_is_wrong() {
        let rules = Rules::of_this_program().unwrap();
        assert_eq!((rules.k, rules.age.band, rules.age.top), (5, 5, 85));
        let wrong = |from: &str, to: &str| Rules::read(&FILE.replace(from, to)).unwrap_err().to_string();
        assert!(wrong("k = 5", "k = 1").contains("k: at least 2"));
        assert!(wrong("column = \"centre\"", "column = \"town\"").contains("town is no quasi-identifier"));
        assert!(wrong("withhold = true", "withhold = false").contains("step of centre"));
    }

    #[test]
    fn quasi_identifiers_are_those_the_elements_are_marked_as_both_ways() {
        let schemas = registry_core::versions::SchemaStore::embedded().unwrap();
        let plain = &schemas.current().dictionary;
        let rules = Rules::of_this_program().unwrap();
        rules.agree_with(plain).unwrap();
        let said =
            |rules: &Rules, dictionary: &Dictionary| rules.agree_with(dictionary).unwrap_err().to_string();
        let marked = |path: &str, visibility: Visibility| {
            let (entity, element) = path.split_once('.').unwrap();
            let mut dictionary = Dictionary::clone(plain);
            let entity = dictionary
                .entities
                .iter_mut()
                .find(|one| one.name == entity)
                .unwrap();
            let element = entity
                .elements
                .iter_mut()
                .find(|one| one.name == element)
                .unwrap();
            element.visibility = visibility;
            dictionary
        };
        let quasi = Visibility::QuasiIdentifier;
        assert!(
            said(&rules, &marked("patient.ascertainment", quasi)).contains("no column ascertainment is one")
        );
        assert!(said(&rules, &marked("primary.side", quasi)).contains("outside the patients' file"));
        assert!(said(&rules, &marked("patient.sex", Visibility::Open)).contains("no element behind sex"));
        let without = |column: &str| {
            let mut rules = rules.clone();
            rules.quasi_identifiers.columns.retain(|one| one != column);
            rules
        };
        assert!(said(&without("age_at_diagnosis"), plain).contains("patient.birth_year"));
        assert!(said(&without("centre"), plain).contains("centre is not among"));
    }

    #[test]
    fn bands() {
        for (age, expected) in [
            (0, "0-4"),
            (4, "0-4"),
            (64, "60-64"),
            (84, "80-84"),
            (85, "85+"),
            (101, "85+"),
        ] {
            assert_eq!(age_band(age, 5, 85), expected);
        }
        assert_eq!(age_band(84, 10, 85), "80-84");
        assert_eq!(age_band(80, 20, 85), "80-84");
        assert_eq!(year_band(2024, 5), "2020-2024");
        assert_eq!(year_band(2025, 5), "2025-2029");
        let age = Age { band: 5, top: 85 };
        assert_eq!(coarser("65-69", AGE, 10, age), "60-69");
        assert_eq!(coarser("85+", AGE, 10, age), "85+");
        assert_eq!(coarser("", AGE, 10, age), "");
        assert_eq!(coarser("2025-2029", YEARS, 10, age), "2020-2029");
    }
}
