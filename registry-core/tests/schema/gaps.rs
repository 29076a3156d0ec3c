//! Care gaps: what can still be done for a measure, and what cannot. The cut-off is 1 March 2026.

use registry_core::validation::GapState;
use serde_json::{Value, json};

use crate::body::{JUDGE, case, centres, envelope};

/// Measure and last day in time of every gap that is open.
fn open(body: &Value) -> Vec<(String, String)> {
    let guideline = JUDGE.in_force("1.0.0").expect("a guideline");
    let (record, _) = JUDGE.read(body, &envelope(), &centres()).expect("a case");
    let results = guideline.evaluate(&record);
    let gaps = JUDGE.care_gaps(body, &envelope(), &centres(), &results);
    let open = gaps.iter().filter_map(|gap| match gap.state {
        GapState::OpenThrough(day) => {
            let measure = &guideline.measures[usize::from(gap.result.measure)];
            Some((
                measure.id.clone(),
                day.map(|day| day.to_string()).unwrap_or_default(),
            ))
        }
        _ => None,
    });
    open.collect()
}

fn until<'a>(open: &'a [(String, String)], measure: &str) -> Option<&'a str> {
    let found = open.iter().find(|(id, _)| id == measure);
    found.map(|(_, day)| day.as_str())
}

/// Everything is attested through the cut-off; alive the day before.
fn attested() -> Value {
    let mut body = case();
    body["section_attestation"] =
        json!([{"section": "all", "status": "complete_through", "complete_through": "2026-03-01"}]);
    body["followup"] = json!([{"date": "2026-02-28", "vital_status": "alive"}]);
    body
}

#[test]
fn what_should_not_have_been_done_leaves_nothing_to_do() {
    let mut body = attested();
    body["presentation"][0]["date_detected"] = json!("2026-02-01");
    // A bone scan as routine: measure 10b2 is not met unless curative treatment of the lung follows within 180 days.
    body["imaging"] = json!([{"date": "2026-02-10", "modality": "bone_scan", "region": ["whole_body"], "indication": "routine_none"}]);
    let gaps = open(&body);
    assert_eq!(until(&gaps, "10b2"), None, "{gaps:?}");
    // Chest CT is asked for within 90 days, palliative care within 56.
    assert_eq!(until(&gaps, "6"), Some("2026-05-02"), "{gaps:?}");
    assert_eq!(until(&gaps, "21"), Some("2026-03-29"), "{gaps:?}");
    // Nor is it a gap once that time is over, or where the indication was not written down.
    for (detected, indication) in [("2025-06-11", json!("routine_none")), ("2026-02-01", Value::Null)] {
        body["presentation"][0]["date_detected"] = json!(detected);
        body["imaging"][0]["date"] = json!(detected);
        body["imaging"][0]["indication"] = indication;
        let (record, _) = JUDGE.read(&body, &envelope(), &centres()).expect("a case");
        let guideline = JUDGE.in_force("1.0.0").expect("a guideline");
        let results = guideline.evaluate(&record);
        let gaps = JUDGE.care_gaps(&body, &envelope(), &centres(), &results);
        let ids: Vec<&str> = gaps
            .iter()
            .map(|gap| guideline.measures[usize::from(gap.result.measure)].id.as_str())
            .collect();
        assert!(ids.contains(&"21") && !ids.contains(&"10b2"), "{ids:?}");
    }
}

/// A board is asked for within 42 days of a progression and before the next treatment; who dies within 30 days is excluded.
#[test]
fn an_open_exclusion_is_nothing_to_do() {
    let line = |number: u32, start: &str| json!({"setting": "metastatic", "line_number": number, "start_date": start, "agents": ["doxorubicin"]});
    let mut body = attested();
    body["progression"] = json!([{"date": "2026-02-20", "type": "progression"}]);
    body["systemic"] = json!([line(1, "2025-07-01")]);
    assert_eq!(until(&open(&body), "19b"), Some("2026-04-03"));
    // The next line began on the third day: no board can come before it any more.
    body["systemic"] = json!([line(1, "2025-07-01"), line(2, "2026-02-23")]);
    let gaps = open(&body);
    assert_eq!(until(&gaps, "19b"), None, "{gaps:?}");
}

/// Each unit has its own last day, whatever others of the same measure and of others have.
#[test]
fn every_progression_has_its_own_last_day() {
    let mut body = attested();
    body["systemic"] = json!([{"setting": "metastatic", "line_number": 1, "start_date": "2025-07-01", "agents": ["doxorubicin"]}]);
    body["progression"] = ["2026-01-25", "2026-02-10", "2026-02-20"]
        .map(|date| json!({"date": date, "type": "progression"}))
        .into();
    let gaps = open(&body);
    let boards: Vec<&str> = gaps
        .iter()
        .filter(|(id, _)| id == "19b")
        .map(|(_, day)| day.as_str())
        .collect();
    assert_eq!(boards, ["2026-03-08", "2026-03-24", "2026-04-03"], "{gaps:?}");
}
