//! Every endpoint of synthetic cases with all its strata, landmarks and models, as a run computes them once cases are evaluated.
//! Baseline: settling and one Kaplan-Meier curve of all patients from metastatic diagnosis.
//!
//! `cargo bench -p registry-etl --features benches --bench endpoints -- 10000`   (default 10,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::sync::Arc;

use chrono::Datelike;
use measured::{Failure, cohort, in_turns, judge, line, newest_case};
use registry_core::record::day_number;
use registry_core::storage::{CaseDocument, CaseHeader, CaseRef, CaseStatus, Derived, Holders};
use registry_etl::cohorts::{Cohort, DateReading, definitions, estimate, settle};
use registry_etl::measures::{CaseColumns, Engine, Window, metastasectomy_tertiles, volume_tertiles};
use registry_etl::results::RunIdentity;
use registry_etl::statistics::{Band, Subject, kaplan_meier};

/// Seconds for all endpoints of 10,000 cases.
const GOAL: f64 = 2.0;

fn main() -> Result<(), Failure> {
    let asked = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let cases: u32 = asked.unwrap_or(10_000);
    let plan = cohort(cases)?;
    let (judge, centres) = judge(&plan)?;
    let judge = Arc::new(judge);
    let engine = Engine::new(Arc::clone(&judge))?;
    let window = Window::ending(plan.as_of);
    let mut columns = CaseColumns::new(&[], Default::default());
    for index in 0..cases {
        let case = newest_case(judge.store(), &plan, index);
        let version = case
            .body
            .get("schema_version")
            .and_then(serde_json::Value::as_str);
        let document = CaseDocument {
            header: CaseHeader {
                case: CaseRef {
                    centre_id: case.centre_id.clone(),
                    case_id: uuid::Uuid::from_u128(u128::from(index)).to_string(),
                    version: 1,
                },
                holders: Holders::alone(&case.centre_id),
                status: CaseStatus::Submitted,
                schema_version: version.unwrap_or_default().to_owned(),
                derived: Derived::default(),
                submitted_at: case.submitted_at,
                content_hash: String::new(),
                errors: 0,
                warnings: 0,
            },
            document: case.body,
        };
        let evaluation = engine.evaluate(&document, &[], plan.as_of, &centres)?;
        columns.push(&case.centre_id, &window, &evaluation);
    }
    let (year, cut_off) = (plan.as_of.year(), day_number(plan.as_of));
    let of_cases = columns.centre_of_cases();
    let all = Cohort {
        cases: &columns.facts,
        centres: &of_cases,
        centre_names: columns.centres.all(),
        volume: columns.thirds_of_cases(&volume_tertiles(&centres, year)),
        metastasectomies: columns.thirds_of_cases(&metastasectomy_tertiles(&centres, year)),
        low_volume: Some((3, 30)),
        ..Cohort::default()
    };
    let endpoints = definitions(judge.store())?;
    let run = RunIdentity {
        run: 1,
        cut_off: plan.as_of.to_string(),
        schema_version: String::new(),
        guideline: String::new(),
        guideline_version: String::new(),
        engine_version: String::new(),
    };
    let mut baseline = || -> Result<(), Failure> {
        let settled = all.cases.iter().filter_map(|case| {
            let read = settle(&case.survival, cut_off, DateReading::Fifteenth, false);
            read.ok()
        });
        let subjects: Vec<Subject> = settled
            .map(|one| {
                let subject = Subject::new(f64::from(one.exit), one.event);
                one.entry
                    .map_or(subject, |entry| subject.entering_at(f64::from(entry)))
            })
            .collect();
        std::hint::black_box(kaplan_meier(&subjects, 0.95, Band::LogLog)?);
        Ok(())
    };
    let mut everything = || -> Result<(), Failure> {
        for definition in &endpoints {
            std::hint::black_box(estimate(definition, &run, cut_off, &all)?);
        }
        Ok(())
    };
    let times = in_turns(3, &mut [&mut baseline, &mut everything])?;
    let [one, every] = times[..] else {
        return Err("two pieces were timed".into());
    };
    let cases = cases as usize;
    println!("\n{cases} cases, {} endpoints", endpoints.len());
    line("  baseline: one curve of all patients", one, cases, None);
    line("  every endpoint and stratum", every, cases, Some(one));
    println!(
        "  {:.2} s for all of it (goal {GOAL} s for 10,000 cases)",
        every.as_secs_f64()
    );
    Ok(())
}
