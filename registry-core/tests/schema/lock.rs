//! What a lock through a date freezes. Expectations were written from the promise: rows dated up to the day of the lock stay as they
//! are, later follow-up is accepted.

use serde_json::{Value, json};

use crate::body::{JUDGE, case, put};

/// The little case with a running line of treatment, locked through the end of 2025.
fn locked() -> Value {
    let mut body = case();
    body["systemic"] = json!([{
        "line_id": "S1", "line_number": 1, "agents": ["doxorubicin"], "start_date": "2025-10-01",
        "best_response": {"absent": "pending"}
    }]);
    body
}

fn pointers(after: &Value) -> Vec<String> {
    between(&locked(), after, "2025-12-31")
}

fn between(before: &Value, after: &Value, through: &str) -> Vec<String> {
    let found = JUDGE.frozen(before, after, through.parse().expect("a day"));
    assert!(
        found
            .iter()
            .all(|f| f.code == "row_frozen" && f.message.contains(through))
    );
    found.into_iter().map(|f| f.pointer).collect()
}

/// The locked case with values put at places.
fn sent(changes: &[(&str, Value)]) -> Value {
    let mut body = locked();
    for (pointer, value) in changes {
        put(&mut body, pointer, value.clone());
    }
    body
}

fn scan(date: impl Into<Value>) -> Value {
    json!({"date": date.into(), "modality": "mri", "region": ["pelvis"], "contrast": "none"})
}

#[test]
fn later_follow_up_is_accepted() {
    let accepted = [
        sent(&[]),
        sent(&[(
            "/followup/1",
            json!({"date": "2026-05-02", "vital_status": "alive"}),
        )]),
        sent(&[("/followup/0/disease_status", json!("progressing"))]),
        sent(&[("/imaging/1", scan("2026-01-01"))]),
        sent(&[("/imaging/1", scan("2026"))]),
        sent(&[
            (
                "/presentation/1",
                json!({"seq": 2, "date_detected": "2026-01-09"}),
            ),
            (
                "/lesion/1",
                json!({"lesion_id": "L2", "presentation_seq": 2, "site": "liver"}),
            ),
        ]),
        // Consent and how far a section was entered.
        sent(&[("/consent/research_reuse", json!(false))]),
        sent(&[("/section_attestation/0/complete_through", json!("2026-08-31"))]),
        // What was expected has come; what went on has ended.
        sent(&[("/systemic/0/best_response", json!("pr"))]),
        sent(&[
            ("/systemic/0/stop_date", json!("2026-02-03")),
            ("/systemic/0/stop_reason", json!("completed")),
        ]),
        // Nothing said in another way.
        sent(&[("/imaging/0/phase", Value::Null), ("/lesion/0/count", json!(2.0))]),
    ];
    for (n, after) in accepted.iter().enumerate() {
        assert_eq!(pointers(after), Vec::<String>::new(), "{n}");
    }
}

#[test]
fn what_is_dated_up_to_the_lock_stays_as_it_is() {
    let refused: Vec<(Value, &[&str])> = vec![
        (
            sent(&[("/imaging/0/contrast", json!("none"))]),
            &["/imaging/0/contrast"],
        ),
        (sent(&[("/imaging/1", scan("2025-12-31"))]), &["/imaging/1"]),
        (sent(&[("/imaging/1", scan("2025-12"))]), &["/imaging/1"]),
        (
            sent(&[("/imaging/1", scan(json!({"absent": "unknown"})))]),
            &["/imaging/1"],
        ),
        (sent(&[("/imaging", json!([]))]), &["/imaging"]),
        // Out of the locked period, and into it.
        (sent(&[("/imaging/0/date", json!("2026-02-01"))]), &["/imaging"]),
        (
            sent(&[("/followup/0/date", json!("2025-12-01"))]),
            &["/followup/0"],
        ),
        // Rows without a date, and rows dated by their presentation.
        (sent(&[("/primary/size_mm", json!(80))]), &["/primary/size_mm"]),
        (
            sent(&[("/hereditary/syndrome", json!("li_fraumeni"))]),
            &["/hereditary/syndrome"],
        ),
        (sent(&[("/lesion/0/count", json!(3))]), &["/lesion/0/count"]),
        (
            sent(&[(
                "/lesion/1",
                json!({"lesion_id": "L2", "presentation_seq": 1, "site": "liver"}),
            )]),
            &["/lesion/1"],
        ),
        // An answer that was not there, without anything later.
        (
            sent(&[("/systemic/0/stop_reason", json!("toxicity"))]),
            &["/systemic/0/stop_reason"],
        ),
        (
            sent(&[("/systemic/0/stop_date", json!("2025-12-15"))]),
            &["/systemic/0/stop_date"],
        ),
        // An answer taken back.
        (sent(&[("/lesion/0/status", Value::Null)]), &["/lesion/0/status"]),
        (
            sent(&[("/systemic/0/best_response", Value::Null)]),
            &["/systemic/0/best_response"],
        ),
    ];
    for (after, expected) in refused {
        assert_eq!(pointers(&after), expected);
    }
}

#[test]
fn the_order_of_rows_says_nothing() {
    let mut before = locked();
    before["imaging"] = json!([scan("2025-06-11"), scan("2025-07-11"), scan("2026-01-11")]);
    let mut after = before.clone();
    after["imaging"] = json!([scan("2026-02-11"), scan("2025-07-11"), scan("2025-06-11")]);
    assert_eq!(between(&before, &after, "2025-12-31"), Vec::<String>::new());
    // The same row twice is not the same as once.
    after["imaging"] = json!([scan("2025-06-11"), scan("2025-06-11"), scan("2025-07-11")]);
    assert_eq!(between(&before, &after, "2025-12-31"), ["/imaging/1"]);
}

#[test]
fn rows_are_paired_so_that_as_many_as_possible_are_kept() {
    let row = |response: Value, stop: Value| json!({"agents": ["doxorubicin"], "start_date": "2025-10-01", "best_response": response, "stop_date": stop});
    let pending = json!({"absent": "pending"});
    let mut before = locked();
    before["systemic"] = json!([row(pending.clone(), Value::Null), row(json!("sd"), Value::Null)]);
    let mut after = before.clone();
    // The first could have become either; the second only the first of these.
    after["systemic"] = json!([
        row(json!("sd"), json!("2026-03-01")),
        row(json!("pr"), Value::Null)
    ]);
    assert_eq!(between(&before, &after, "2025-12-31"), Vec::<String>::new());
}

#[test]
fn an_attestation_moves_on_and_is_not_taken_back() {
    let through = "2026-03-31";
    let attested = |row: Value| {
        let mut body = locked();
        body["section_attestation"] = json!([row]);
        body
    };
    let on = |day: &str| {
        attested(json!({"section": "imaging", "status": "complete_through", "complete_through": day}))
    };
    assert_eq!(
        between(&locked(), &on("2026-06-30"), through),
        Vec::<String>::new()
    );
    for day in ["2026-03-31", "2026-01-31"] {
        assert_eq!(
            between(&locked(), &on(day), through),
            ["/section_attestation/0/complete_through"],
            "{day}"
        );
    }
    let other = attested(
        json!({"section": "biopsy", "status": "complete_through", "complete_through": "2026-06-30"}),
    );
    assert_eq!(between(&locked(), &other, through), ["/section_attestation"]);
}

#[test]
fn a_client_of_another_version_says_the_same_and_reads_its_own_names() {
    let row = |element: &str, value: f64| json!({"date": "2025-06-20", element: value});
    let mut before = locked();
    before["assessment"] = json!([row("egfr_ml_min", 61.0)]);
    let mut newer = before.clone();
    newer["schema_version"] = json!("1.1.0");
    newer["assessment"] = json!([row("egfr_ml_min_1_73m2", 61.0)]);
    assert_eq!(between(&before, &newer, "2025-12-31"), Vec::<String>::new());
    assert_eq!(between(&newer, &before, "2025-12-31"), Vec::<String>::new());
    let mut older = before.clone();
    older["assessment"] = json!([row("egfr_ml_min", 62.0)]);
    assert_eq!(
        between(&newer, &older, "2025-12-31"),
        ["/assessment/0/egfr_ml_min"]
    );
    newer["assessment"] = json!([row("egfr_ml_min_1_73m2", 62.0)]);
    assert_eq!(
        between(&before, &newer, "2025-12-31"),
        ["/assessment/0/egfr_ml_min_1_73m2"]
    );
}
