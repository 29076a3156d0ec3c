//! The seeded synthetic cohort: plausible, entirely invented courses for the demo, benches and tests.
//!
//! Deterministic byte for byte: a case depends on the plan and its index alone, so any number of cases can be made in
//! any order. It shares no code with the rule evaluator. No real patient or centre is behind any row.
//!
//! | file | decides |
//! |---|---|
//! | `centres` | the centres, their size, their quality, their habits, their yearly table |
//! | `course` | who the patient is, and the dates that carry a case: diagnosis, presentation, registration, death |
//! | `disease` | the sites, the amount and the tempo of metastatic disease |
//! | `plan` | what is done first and when: waiting, resection, systemic therapy, trial |
//! | `draft` | the case being written, which all below add rows to |
//! | `primary`, `pathology`, `imaging`, `biopsies`, `assessment`, `boards`, `trials` | the work-up |
//! | `treatment` | the order of treatments |
//! | `local`, `surgery`, `systemic`, `recurrence`, `palliation`, `follow_up` | the rows of what was done and of what came after |
//! | `gaps` | what a centre leaves blank, unknown, imprecise or unattested |
//! | `mistakes` | the few records that contradict themselves, so that the edit checks have something to say |
//! | `dice` | the random draws |

mod assessment;
mod biopsies;
mod boards;
mod centres;
mod course;
mod dice;
mod disease;
mod draft;
mod follow_up;
mod gaps;
mod imaging;
mod local;
mod mistakes;
mod palliation;
mod pathology;
mod plan;
mod primary;
mod recurrence;
mod surgery;
mod systemic;
mod treatment;
mod trials;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

pub use centres::{Quality, SyntheticCentre, centres};

use course::Course;
use dice::Dice;
use disease::Disease;
use draft::Draft;
use plan::Plan;

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
    let course = Course::draw(plan, &mut dice);
    let disease = Disease::draw(&course, &mut dice);
    let care = Plan::draw(&course, &disease, &centre, &mut dice);
    let pseudonym = format!("SYN-{:06}", index + 1);
    let mut draft = Draft {
        body: envelope(&pseudonym, &course, &mut dice),
        course: &course,
        disease: &disease,
        plan: &care,
        centre: &centre,
        dice,
    };
    primary::add(&mut draft);
    disease::add(&mut draft);
    imaging::staging(&mut draft);
    boards::first(&mut draft);
    follow_up::imaging_history(&mut draft);
    pathology::add(&mut draft);
    biopsies::add(&mut draft);
    assessment::index(&mut draft);
    trials::add(&mut draft);
    treatment::add(&mut draft);
    surgery::abdominal(&mut draft);
    palliation::add(&mut draft);
    palliation::care(&mut draft);
    assessment::towards_the_end(&mut draft);
    imaging::surveillance(&mut draft);
    follow_up::add(&mut draft);
    let Draft {
        mut body, mut dice, ..
    } = draft;
    mistakes::make(&mut body, &course, &mut dice);
    gaps::apply(&mut body, plan, &course, &centre, &mut dice);
    SyntheticCase {
        centre_id: centre.id,
        pseudonym,
        body,
        submitted_at: course.submitted_at,
    }
}

/// Who the patient is, and by what right the record is held.
fn envelope(pseudonym: &str, course: &Course, dice: &mut Dice) -> Value {
    // Nobody can ask the patient who died before the registry began.
    let late = course.death.is_some_and(|death| death < course.registration);
    let mut consent = json!({
        "status": if late { "waiver" } else { "consented" },
        "research_reuse": dice.chance(0.93),
    });
    if !late {
        consent["date"] = json!(course.registration.to_string());
    }
    json!({
        "schema_version": "1.0.0",
        "patient": {
            "pseudonym_id": pseudonym,
            "birth_year": course.birth_year,
            "sex": dice.pick(&[("female", 50), ("male", 50)]),
            "registration_date": course.registration.to_string(),
            "ascertainment": if course.retrospective { "retrospective" } else { "prospective" },
        },
        "consent": consent,
    })
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
