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
