//! The seeded synthetic cohort: plausible, entirely invented courses for the demo, benches and tests.
//!
//! Deterministic byte for byte: a case depends on the plan and its index alone, so any number of cases can be made in
//! any order. It shares no code with the rule evaluator. No real patient or centre is behind any row.
//!
//! | file | decides |
//! |---|---|
//! | `centres` | the centres, their size, their quality, their yearly table |
//! | `course` | the dates that carry a case: diagnosis, presentation, registration, treatment, death, last contact |
//! | `primary`, `work_up`, `treatment`, `follow_up` | the rows |
//! | `gaps` | what a centre leaves blank, unknown, imprecise or unattested |
//! | `dice` | the random draws |

mod centres;
mod course;
mod dice;
mod follow_up;
mod gaps;
mod primary;
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
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn plan() -> CohortPlan {
        CohortPlan {
            seed: 7,
            cases: 1_500,
            centres: 35,
            as_of: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date"),
        }
    }

    #[test]
    fn the_same_plan_gives_the_same_case_and_another_seed_another() {
        let plan = plan();
        assert_eq!(case(&plan, 41), case(&plan, 41));
        assert_ne!(
            case(&plan, 41).body,
            case(&CohortPlan { seed: 8, ..plan }, 41).body
        );
        assert_eq!(centres(&plan), centres(&plan));
    }

    #[test]
    fn the_mix_and_the_spread_are_as_intended() {
        let plan = plan();
        let mut morphologies: HashMap<String, u32> = HashMap::new();
        let mut by_centre: HashMap<String, u32> = HashMap::new();
        for index in 0..plan.cases {
            let case = case(&plan, index);
            *by_centre.entry(case.centre_id).or_default() += 1;
            *morphologies
                .entry(case.body["primary"]["icdo_morphology"].to_string())
                .or_default() += 1;
        }
        assert_eq!(by_centre.len(), 35, "every centre has cases");
        let share = |m: &str| f64::from(morphologies[&format!("\"{m}\"")]) / f64::from(plan.cases);
        assert!(
            (0.35..0.45).contains(&share("8858/3")),
            "dedifferentiated liposarcoma {}",
            share("8858/3")
        );
        assert!(
            (0.26..0.36).contains(&share("8890/3")),
            "leiomyosarcoma {}",
            share("8890/3")
        );
    }

    /// The hazard is counted from registration, where the patient was known to live: deaths over patient-months.
    #[test]
    fn deaths_per_patient_month_give_a_median_near_sixteen_months() {
        let plan = plan();
        let (mut deaths, mut months) = (0.0, 0.0);
        for index in 0..plan.cases {
            let body = case(&plan, index).body;
            let day = |v: &Value| {
                v.as_str()
                    .and_then(|t| t.parse::<NaiveDate>().ok())
                    .expect("an exact date")
            };
            if body["patient"]["ascertainment"] == "retrospective" {
                continue;
            }
            let last = body["followup"]
                .as_array()
                .and_then(|rows| rows.last())
                .expect("a last contact");
            months +=
                (day(&last["date"]) - day(&body["patient"]["registration_date"])).num_days() as f64 / 30.4375;
            deaths += f64::from(u8::from(last["vital_status"] == "dead"));
        }
        let median = std::f64::consts::LN_2 / (deaths / months);
        assert!((13.5..18.5).contains(&median), "{median}");
    }

    #[test]
    fn nothing_happens_after_death_or_after_today() {
        let plan = plan();
        for index in 0..400 {
            let body = case(&plan, index).body;
            let last = body["followup"]
                .as_array()
                .and_then(|rows| rows.last())
                .expect("a last contact")["date"]
                .clone();
            for entity in [
                "imaging",
                "mdt",
                "systemic",
                "local_treatment",
                "progression",
                "pro",
                "palliative_care",
                "assessment",
            ] {
                for row in body[entity].as_array().into_iter().flatten() {
                    for date in ["date", "start_date", "stop_date", "referral_date"]
                        .iter()
                        .filter_map(|k| row[*k].as_str())
                    {
                        assert!(
                            date <= last.as_str().expect("a date"),
                            "case {index} {entity} {date} after {last}"
                        );
                        assert!(date <= "2026-11-23");
                    }
                }
            }
        }
    }
}
