//! Which units are in which population, and how the score follows.
//!
//! The registry judges every unit (a patient, or a row such as a lesion) in order: population, denominator, exclusion, numerator,
//! exception. The first step that decides gives the outcome; a step that cannot be told gives *not assessable*. In FHIR's words:
//!
//! | population | units |
//! |---|---|
//! | `initial-population` | every unit of every case, whatever the outcome |
//! | `denominator` | assessable, and population and denominator hold: met, not met, excluded or excepted |
//! | `denominator-exclusion` | excluded |
//! | `denominator-exception` | excepted: not met, and there is a reason the source accepts |
//! | `numerator` | met (of a utilisation measure: used) |
//! | `not-assessable` (local) | some step could not be told; in no other population but the initial one |
//! | `assessable` (local) | met and not met: what the registry prints as the denominator of its rate |
//!
//! There is no numerator exclusion, so FHIR's score of a proportion is
//! `numerator / (denominator - denominator-exclusion - denominator-exception)` = met / (met + not met), the registry's rate. A unit that cannot be
//! told is never counted as not met. Units outside population or denominator are the initial population less denominator and not
//! assessable. The registry counts those outside the population and those outside the denominator as one, which is why the initial
//! population is every unit, and why the measure's population is part of the denominator's criteria.
//!
//! A count that disclosure control hides is absent with the reason `masked`, and so is every count that is a sum with it.

use registry_core::guideline::{Outcome, UnitOutcome};
use registry_etl::results::AdherenceRow;
use serde_json::{Value, json};

use super::{absent, concept};

/// HL7's populations of a measure.
const STANDARD: &str = "http://terminology.hl7.org/CodeSystem/measure-population";
/// The registry's own.
const LOCAL: &str = "urn:rps-registry:fhir:measure-population";

/// A population of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    Initial,
    Denominator,
    Exclusion,
    Exception,
    Numerator,
    NotAssessable,
    Assessable,
}

impl Population {
    pub const ALL: [Population; 7] = [
        Population::Initial,
        Population::Denominator,
        Population::Exclusion,
        Population::Exception,
        Population::Numerator,
        Population::NotAssessable,
        Population::Assessable,
    ];

    /// As reports and measures name it.
    pub fn code(self) -> &'static str {
        match self {
            Population::Initial => "initial-population",
            Population::Denominator => "denominator",
            Population::Exclusion => "denominator-exclusion",
            Population::Exception => "denominator-exception",
            Population::Numerator => "numerator",
            Population::NotAssessable => "not-assessable",
            Population::Assessable => "assessable",
        }
    }

    pub(super) fn concept(self) -> Value {
        let (system, display) = match self {
            Population::Initial => (STANDARD, "Initial Population"),
            Population::Denominator => (STANDARD, "Denominator"),
            Population::Exclusion => (STANDARD, "Denominator Exclusion"),
            Population::Exception => (STANDARD, "Denominator Exception"),
            Population::Numerator => (STANDARD, "Numerator"),
            Population::NotAssessable => (LOCAL, "Not assessable"),
            Population::Assessable => (LOCAL, "Assessable: met and not met"),
        };
        concept(system, self.code(), display)
    }
}

/// Units by outcome; `None` is hidden from the reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Met or used.
    pub numerator: Option<u32>,
    /// Those and their opposite.
    pub assessable: Option<u32>,
    pub excluded: Option<u32>,
    pub excepted: Option<u32>,
    /// Outside the population or the denominator.
    pub outside: Option<u32>,
    pub not_assessable: Option<u32>,
}

impl From<&AdherenceRow> for Counts {
    fn from(row: &AdherenceRow) -> Self {
        Self {
            numerator: row.numerator,
            assessable: row.denominator,
            excluded: row.excluded,
            excepted: row.excepted,
            outside: row.not_in_denominator,
            not_assessable: row.not_assessable,
        }
    }
}

impl Counts {
    /// Of the units of one case.
    pub fn of(outcomes: &[&UnitOutcome]) -> Self {
        let count = |is: fn(Outcome) -> bool| Some(outcomes.iter().filter(|o| is(o.outcome)).count() as u32);
        Self {
            numerator: count(Outcome::in_numerator),
            assessable: count(Outcome::in_denominator),
            excluded: count(|o| o == Outcome::Excluded),
            excepted: count(|o| o == Outcome::Excepted),
            outside: count(|o| o == Outcome::NotInDenom),
            not_assessable: count(|o| o == Outcome::NotAssessable),
        }
    }

    /// Units in a population; `None` when a count it rests on is hidden.
    pub fn in_population(&self, population: Population) -> Option<u32> {
        match population {
            Population::Initial => {
                Some(self.in_population(Population::Denominator)? + self.not_assessable? + self.outside?)
            }
            Population::Denominator => Some(self.assessable? + self.excluded? + self.excepted?),
            Population::Exclusion => self.excluded,
            Population::Exception => self.excepted,
            Population::Numerator => self.numerator,
            Population::NotAssessable => self.not_assessable,
            Population::Assessable => self.assessable,
        }
    }

    /// `population` of a report's group.
    pub(super) fn json(&self) -> Value {
        let one = |population: Population| match self.in_population(population) {
            Some(count) => json!({ "code": population.concept(), "count": count }),
            None => json!({ "code": population.concept(), "_count": absent("masked") }),
        };
        Population::ALL.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts {
        numerator: Some(6),
        assessable: Some(10),
        excluded: Some(3),
        excepted: Some(2),
        outside: Some(40),
        not_assessable: Some(5),
    };

    fn of(counts: &Counts) -> [Option<u32>; 7] {
        Population::ALL.map(|population| counts.in_population(population))
    }

    #[test]
    fn exclusions_and_exceptions_leave_the_denominator() {
        // 10 assessable, 3 excluded and 2 excepted are 15 in the denominator; with 5 not assessable and 40 outside they are 60.
        let expected = [60, 15, 3, 2, 6, 5, 10].map(Some);
        assert_eq!(of(&COUNTS), expected);
        // (N - NUMEX) / (D - DENEX - DENEXCEP) = 6 / (15 - 3 - 2) = 6 / 10.
        let [_, d, denex, denexcep, n, ..] = expected.map(Option::unwrap_or_default);
        assert_eq!((n, d - denex - denexcep), (6, 10));
    }

    #[test]
    fn not_assessable_is_in_no_denominator() {
        let more = Counts {
            not_assessable: Some(105),
            ..COUNTS
        };
        let (before, after) = (of(&COUNTS), of(&more));
        assert_eq!(before[1..5], after[1..5]);
        assert_eq!((after[0], after[5]), (Some(160), Some(105)));
    }

    #[test]
    fn a_sum_with_a_hidden_count_is_hidden() {
        let hidden = Counts {
            excluded: None,
            excepted: None,
            outside: None,
            ..COUNTS
        };
        assert_eq!(of(&hidden), [None, None, None, None, Some(6), Some(5), Some(10)]);
        let unknown = Counts {
            not_assessable: None,
            ..COUNTS
        };
        assert_eq!(
            of(&unknown),
            [None, Some(15), Some(3), Some(2), Some(6), None, Some(10)]
        );
        let json = hidden.json();
        assert_eq!(
            json[1]["_count"]["extension"][0],
            json!({"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"})
        );
        assert!(json[1].get("count").is_none() && json[4].get("_count").is_none());
    }
}
