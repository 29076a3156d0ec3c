//! The seeded synthetic cohort: plausible, entirely invented courses for the demo, benches and tests.
//!
//! Deterministic byte for byte: a case depends on the plan and its index alone, so any number of cases can be made in
//! any order. It shares no code with the rule evaluator. No real patient or centre is behind any row.
//!
//! | file | decides |
//! |---|---|
//! | `centres` | the centres, their size, their quality, their yearly table |
//! | `course` | the dates that carry a case: diagnosis, presentation, registration, treatment, death, last contact |
//! | `primary`, `work_up`, `tissue`, `treatment`, `local`, `follow_up` | the rows |
//! | `gaps` | what a centre leaves blank, unknown, imprecise or unattested |
//! | `mistakes` | the few records that contradict themselves, so that the edit checks have something to say |
//! | `dice` | the random draws |

mod centres;
mod course;
mod dice;
mod follow_up;
mod gaps;
mod local;
mod mistakes;
mod primary;
mod tissue;
mod treatment;
mod work_up;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

pub use centres::{Quality, SyntheticCentre, centres};

use course::Course;
use dice::Dice;

/// What cohort to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortPlan {
    /// Same seed, same cohort.
    pub seed: u64,
    /// Number of cases.
    pub cases: u32,
    /// Number of centres.
    pub centres: u32,
    /// The cohort's today: nothing happens later.
    pub as_of: NaiveDate,
}

impl CohortPlan {
    /// 35 centres and 1,260 cases up to `as_of`.
    pub fn demo(as_of: NaiveDate) -> Self {
        Self {
            seed: 20_261_123,
            cases: 1_260,
            centres: 35,
            as_of,
        }
    }
}

/// One synthetic submission.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticCase {
    /// The centre that submits it.
    pub centre_id: String,
    /// Pseudonym, `SYN-000001` onwards.
    pub pseudonym: String,
    /// The body of the submission.
    pub body: Value,
    /// When the centre sent it in this form: after everything it tells, not after the plan's `as_of`.
    pub submitted_at: DateTime<Utc>,
}

/// Case `index` (from 0) of the plan.
pub fn case(plan: &CohortPlan, index: u32) -> SyntheticCase {
    let mut dice = Dice::new(plan.seed, u64::from(index) + 1);
    let centre = centres::draw(plan, &mut dice);
    let pseudonym = format!("SYN-{:06}", index + 1);
    let course = Course::draw(plan, &centre, &mut dice);
    let mut body = json!({
        "schema_version": "1.0.0",
        "patient": {
            "pseudonym_id": pseudonym,
            "birth_year": course.birth_year,
            "sex": dice.pick(&[("female", 50), ("male", 50)]),
            "registration_date": course.registration.to_string(),
            "ascertainment": if course.retrospective { "retrospective" } else { "prospective" },
        },
        "consent": {
            "status": "consented",
            "date": course.registration.to_string(),
            "research_reuse": dice.chance(0.93),
        },
        "hereditary": { "syndrome": if dice.chance(0.03) { "nf1" } else { "none_known" } },
    });
    if body["hereditary"]["syndrome"] == "nf1" {
        body["hereditary"]["basis"] = json!("clinical_criteria");
    }
    primary::add(&mut body, &course, &mut dice);
    work_up::add(&mut body, &course, &centre, &mut dice);
    treatment::add(&mut body, &course, &centre, &mut dice);
    follow_up::add(&mut body, &course, &mut dice);
    mistakes::make(&mut body, &course, &mut dice);
    gaps::apply(&mut body, plan, &course, &centre, &mut dice);
    SyntheticCase {
        centre_id: centre.id,
        pseudonym,
        body,
        submitted_at: course.submitted_at,
    }
}

/// Appends a row to the array of `entity`.
fn push(body: &mut Value, entity: &str, row: Value) {
    if let Some(record) = body.as_object_mut()
        && let Value::Array(rows) = record.entry(entity).or_insert_with(|| json!([]))
    {
        rows.push(row);
    }
}

#[cfg(test)]
mod tests;
