//! The two patients of the paper's Figures 1 and 2, by all 98 measures, against results worked out by hand.

use std::sync::Arc;

use chrono::{NaiveDate, TimeZone, Utc};
use registry_core::record::CentreTable;
use registry_core::validation::{Envelope, Judge};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::repository;

fn file(path: &str) -> Value {
    let text = std::fs::read_to_string(repository(path)).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// Measure, unit, outcome, reason, element, as one line.
fn line(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    let unit = entry["unit"].as_u64().unwrap_or(0);
    format!(
        "{} {unit} {} {} {}",
        text("measure"),
        text("outcome"),
        text("reason"),
        text("element")
    )
}

fn differences(name: &str) -> Vec<String> {
    let golden = file(&format!("tests/golden/figures/{name}.json"));
    let body = file(&format!("schema/examples/1.0.0/valid/{name}.json"));
    let judge = Judge::new(Arc::new(SchemaStore::embedded().expect("the schema"))).expect("the rules");
    let centres = (2000..=2030).map(|year| {
        json!({"centre_id": "C01", "effective_year": year, "is_specialised_sarcoma_centre": true, "annual_rps_volume": 40,
            "annual_metastasectomy_volume": 12, "mis_metastasectomy_programme": true, "academic_trial_centre": true})
    });
    let envelope = Envelope {
        record_id: Uuid::from_u128(1),
        centre_id: "C01".to_owned(),
        submitted_at: Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap(),
        data_cutoff_date: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
    };
    let verdict = judge.judge(&body, &envelope, &CentreTable::from_rows(centres).unwrap());
    assert!(!verdict.rejected(), "{:?}", verdict.findings);
    let guideline = &judge.guidelines("1.0.0")[0];
    assert_eq!(guideline.measures.len(), 98);
    let judged: Vec<String> = verdict.assessments[0]
        .outcomes
        .iter()
        .map(|result| {
            let measure = &guideline.measures[usize::from(result.measure)];
            line(&json!({
                "measure": measure.id, "unit": result.unit_index, "outcome": result.outcome.as_str(),
                "reason": result.reason.map(|reason| reason.as_str()), "element": result.element,
            }))
        })
        .collect();
    let expected: Vec<String> = golden["expected"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["units"] != 0)
        .map(line)
        .collect();
    let missing = expected
        .iter()
        .filter(|one| !judged.contains(one))
        .map(|one| format!("expected {one}"));
    let surplus = judged
        .iter()
        .filter(|one| !expected.contains(one))
        .map(|one| format!("judged   {one}"));
    let mut all: Vec<String> = missing.chain(surplus).collect();
    all.sort_by_key(|one| one[9..].to_owned());
    all
}

#[test]
fn the_patient_of_figure_1() {
    let differences = differences("figure-1");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_patient_of_figure_2() {
    let differences = differences("figure-2");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
