//! A case locked through a date: rows up to it are frozen, later follow-up is accepted, and every way in keeps to it.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const PATH: &str = "/api/v1/cases/FIG-0001";
const WHY: (&str, &str) = ("change-reason", "second follow-up");

/// A case locked through the end of 2025, and its document.
fn locked(service: &Service) -> (Client, Value) {
    let centre = service.submitter("C01");
    let body = records::figure_1("FIG-0001");
    centre.put(PATH, &[], &body).expect(201);
    let lead = service.client("centre_lead", Some("C01"));
    let row = lead
        .post(&format!("{PATH}:lock"), &[WHY], &json!({"through": "2025-12-31"}))
        .expect(200)
        .json();
    assert_eq!(row["locked_through"], "2025-12-31");
    (centre, body)
}

fn corrected(body: &Value) -> Value {
    let mut changed = body.clone();
    changed["primary"]["side"] = json!({"absent": "unknown"});
    changed
}

fn followed(body: &Value) -> Value {
    let mut changed = body.clone();
    let scan =
        json!({"date": "2026-02-10", "modality": "ct", "region": ["chest"], "contrast": "iv_single_phase"});
    changed["imaging"].as_array_mut().expect("rows").push(scan);
    changed
}

#[test]
fn a_frozen_row_is_refused_where_it_stands_and_nothing_is_stored() {
    let service = Service::start();
    let (centre, body) = locked(&service);
    let refused = centre
        .put(PATH, &[("if-match", "*"), WHY], &corrected(&body))
        .expect(409);
    assert_eq!(refused.code(), "row_frozen");
    let problem = refused.json();
    assert_eq!(problem["errors"][0]["pointer"], "/primary/side");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1));
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|d| d.contains("2025-12-31"))
    );
    let patched = centre
        .patch(PATH, &[("if-match", "*"), WHY], &json!({"imaging": null}))
        .expect(409);
    assert_eq!(patched.code(), "row_frozen");
    assert_eq!(centre.get(PATH).expect(200).json()["envelope"]["version"], 1);
}

#[test]
fn follow_up_is_accepted_with_a_reason_and_the_case_stays_locked() {
    let service = Service::start();
    let (centre, body) = locked(&service);
    let unreasoned = centre
        .put(PATH, &[("if-match", "*")], &followed(&body))
        .expect(422);
    assert_eq!(unreasoned.code(), "change_reason_required");
    let stored = centre
        .put(PATH, &[("if-match", "*"), WHY], &followed(&body))
        .expect(200)
        .json();
    assert_eq!(stored["status"], "locked");
    assert_eq!(stored["version"], 2);
}

#[test]
fn a_batch_carries_a_reason_and_keeps_to_the_lock() {
    let service = Service::start();
    let (centre, body) = locked(&service);
    let send = |item: &Value| {
        let answer = centre
            .post("/api/v1/cases:batch", &[WHY], &json!([item]))
            .expect(200)
            .json();
        answer["results"][0].clone()
    };
    let refused = send(&corrected(&body));
    assert_eq!(refused["status"], 409);
    assert_eq!(refused["code"], "row_frozen");
    assert_eq!(refused["errors"][0]["pointer"], "/primary/side");
    assert_eq!(send(&followed(&body))["status"], 200);
}

#[test]
fn an_unlocked_case_can_be_corrected() {
    let service = Service::start();
    let (centre, body) = locked(&service);
    let lead = service.client("centre_lead", Some("C01"));
    lead.post(
        &format!("{PATH}:unlock"),
        &[("change-reason", "side was typed wrongly")],
        &json!(null),
    )
    .expect(200);
    centre
        .put(
            PATH,
            &[("if-match", "*"), ("change-reason", "side")],
            &corrected(&body),
        )
        .expect(200);
}

#[test]
fn a_case_is_not_locked_without_a_reason() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre.put(PATH, &[], &records::figure_1("FIG-0001")).expect(201);
    let lead = service.client("centre_lead", Some("C01"));
    let through = json!({"through": "2025-12-31"});
    let refused = lead.post(&format!("{PATH}:lock"), &[], &through).expect(422);
    assert_eq!(refused.code(), "change_reason_required");
    assert_eq!(
        centre.get(PATH).expect(200).json()["envelope"]["status"],
        "submitted"
    );
    lead.post(&format!("{PATH}:lock"), &[WHY], &through).expect(200);
}

#[test]
fn a_day_to_come_cannot_be_frozen() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre.put(PATH, &[], &records::figure_1("FIG-0001")).expect(201);
    let lead = service.client("centre_lead", Some("C01"));
    let refused = lead
        .post(&format!("{PATH}:lock"), &[WHY], &json!({"through": "2999-01-01"}))
        .expect(422);
    assert_eq!(refused.code(), "invalid_value");
    assert_eq!(
        centre.get(PATH).expect(200).json()["envelope"]["status"],
        "submitted"
    );
}
