//! Withdrawal of consent, by `PUT` and by `:withdraw`.

use serde_json::json;
use support::{records, service::Service};

#[test]
fn a_put_with_withdrawn_consent_withdraws() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    centre
        .put(
            "/api/v1/cases/FIG-0001",
            &[("if-match", "*")],
            &records::withdrawal("FIG-0001"),
        )
        .expect(200);
    let resent = centre
        .put(
            "/api/v1/cases/FIG-0001",
            &[("if-match", "*")],
            &records::figure_1("FIG-0001"),
        )
        .expect(409);
    assert_eq!(resent.code(), "case_withdrawn");
}

#[test]
fn a_withdrawal_with_clinical_rows_is_refused_and_says_how_to_resend() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::figure_1("FIG-0001");
    centre.put("/api/v1/cases/FIG-0001", &[], &body).expect(201);
    body["consent"] = json!({"status": "withdrawn", "withdrawal_date": "2026-11-01"});
    let answer = centre
        .put("/api/v1/cases/FIG-0001", &[("if-match", "*")], &body)
        .expect(422);
    assert!(
        answer.json()["errors"]
            .as_array()
            .is_some_and(|all| all.iter().any(|e| e["code"] == "E-004")),
        "{}",
        answer.text()
    );
}

#[test]
fn erasure_destroys_the_case_and_the_chain_still_verifies() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let erase = json!({"mode": "erase", "date": "2026-11-02", "reason": "patient_request"});
    centre
        .post(
            "/api/v1/cases/FIG-0001:withdraw",
            &[("idempotency-key", "w-1")],
            &erase,
        )
        .expect(200);
    for path in ["", "/versions/1", "/findings", "/assessment"] {
        let answer = centre.get(&format!("/api/v1/cases/FIG-0001{path}"));
        assert!(matches!(answer.status, 404 | 410), "{path}: {}", answer.status);
        assert!(
            !answer.text().contains("liposarcoma") && !answer.text().contains("8858"),
            "{path}"
        );
    }
    service.verify_audit();
}

#[test]
fn a_withdrawal_is_made_once_for_its_key() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let withdraw = |body: serde_json::Value| {
        centre.post(
            "/api/v1/cases/FIG-0001:withdraw",
            &[("idempotency-key", "w-1")],
            &body,
        )
    };
    let body = json!({"mode": "no_further_use", "date": "2026-11-02", "reason": "patient_request"});
    let first = withdraw(body.clone()).expect(200);
    let again = withdraw(body).expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first.json());
    let other = withdraw(json!({"mode": "erase", "date": "2026-11-02"})).expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");
}

#[test]
fn what_the_office_was_answered_about_a_case_goes_with_it() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let office = service.client("coordinator", None);
    let verify = || {
        office.post(
            "/api/v1/cases/FIG-0001:verify",
            &[("idempotency-key", "v-1")],
            &json!({}),
        )
    };
    let first = verify().expect(200);
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = verify().expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first.json());
    centre
        .post(
            "/api/v1/cases/FIG-0001:withdraw",
            &[],
            &json!({"mode": "erase", "date": "2026-11-02"}),
        )
        .expect(200);
    assert!(!verify().expect(404).text().contains("FIG-0001"));
}
