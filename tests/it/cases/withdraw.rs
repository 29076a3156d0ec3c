//! Withdrawal of consent, by `PUT` and by `:withdraw`.

use registry_core::access::Role;
use serde_json::json;
use support::{records, service::Service};

use crate::browser::{Browser, HTML};

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

/// The sender's day may have begun before the service's: tomorrow (UTC) is taken, the day after is not.
#[test]
fn a_withdrawal_is_of_a_day_that_has_come() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let path = "/api/v1/cases/FIG-0001";
    centre.put(path, &[], &records::figure_1("FIG-0001")).expect(201);
    let in_days = |days: i64| (service.now().date_naive() + chrono::Duration::days(days)).to_string();
    let asked = |mode: &str, date: &str| json!({ "mode": mode, "date": date });
    for date in [in_days(2), "2030-01-01".to_owned()] {
        for mode in ["no_further_use", "erase"] {
            let refused = centre
                .post(&format!("{path}:withdraw"), &[], &asked(mode, &date))
                .expect(422);
            assert_eq!(refused.code(), "invalid_value");
        }
    }
    let mut body = records::withdrawal("FIG-0001");
    for date in [in_days(2).as_str(), "2030-01", "2030"] {
        body["consent"]["withdrawal_date"] = json!(date);
        let expected = ("out_of_range", "/consent/withdrawal_date");
        let of = |one: &serde_json::Value| {
            assert_eq!(
                (one["code"].as_str(), one["pointer"].as_str()),
                (Some(expected.0), Some(expected.1)),
                "{one}"
            );
        };
        of(&centre.put(path, &[("if-match", "*")], &body).expect(422).json()["errors"][0]);
        of(&centre
            .post("/api/v1/cases:validate", &[], &body)
            .expect(200)
            .json()["results"][0]["findings"][0]);
        of(&centre
            .post("/api/v1/cases:batch", &[], &json!([body]))
            .expect(200)
            .json()["results"][0]["errors"][0]);
    }
    assert_eq!(
        centre.get(path).expect(200).json()["envelope"]["withdrawal"],
        json!(null)
    );
    body["consent"]["withdrawal_date"] = json!(in_days(1));
    centre.put(path, &[("if-match", "*")], &body).expect(200);
    centre
        .post(&format!("{path}:withdraw"), &[], &asked("erase", &in_days(1)))
        .expect(200);
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

#[test]
fn a_withdrawal_without_a_full_date_says_which_day_was_taken() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for (name, date, warned) in [
        ("W-1", json!(null), true),
        ("W-2", json!("2026-09"), true),
        ("W-3", json!("2026-09-14"), false),
    ] {
        let mut body = records::withdrawal(name);
        body["consent"]["withdrawal_date"] = date;
        let answer = centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201)
            .json();
        let warnings = answer["warnings"].as_array().expect("warnings");
        assert_eq!(warnings.len(), usize::from(warned), "{answer}");
        if warned {
            assert_eq!(answer["withdrawal"]["date"], "2026-11-23");
            assert_eq!(warnings[0]["code"], "withdrawal_date_taken");
            let message = warnings[0]["message"].as_str().expect("words");
            assert!(message.contains("2026-11-23, the day this arrived"), "{message}");
        }
    }
    let item = json!([{"schema_version": "1.0.0", "patient": {"pseudonym_id": "W-4"}, "consent": {"status": "withdrawn"}}]);
    let results = centre.post("/api/v1/cases:batch", &[], &item).expect(200).json();
    assert_eq!(
        results["results"][0]["warnings"][0]["pointer"], "/consent/withdrawal_date",
        "{results}"
    );
}

#[test]
fn another_date_of_a_withdrawal_that_stands_is_not_passed_over_in_silence() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let send = |date: &str| {
        let mut body = records::withdrawal("W-1");
        body["consent"]["withdrawal_date"] = json!(date);
        centre.put("/api/v1/cases/W-1", &[("if-match", "*")], &body)
    };
    centre
        .put("/api/v1/cases/W-1", &[], &records::withdrawal("W-1"))
        .expect(201);
    let there = centre.get("/api/v1/cases/W-1").expect(200).json()["envelope"].clone();
    let first = records::withdrawal("W-1")["consent"]["withdrawal_date"]
        .as_str()
        .expect("a date")
        .to_owned();
    let again = send(&first).expect(200).json();
    assert_eq!(
        (&again["unchanged"], &again["warnings"]),
        (&json!(true), &json!([]))
    );
    let other = send("2026-02-03").expect(200).json();
    assert_eq!(other["warnings"][0]["code"], "withdrawal_date_kept", "{other}");
    assert_eq!(other["withdrawal"]["date"], json!(first));
    let asked = json!({ "mode": "no_further_use", "date": "2026-02-03" });
    let asked = centre
        .post("/api/v1/cases/W-1:withdraw", &[], &asked)
        .expect(200)
        .json();
    assert_eq!(asked["warnings"][0]["code"], "withdrawal_date_kept", "{asked}");
    assert_eq!(
        centre.get("/api/v1/cases/W-1").expect(200).json()["envelope"],
        there
    );
}

#[test]
fn a_withdrawal_carries_the_pseudonym_and_nothing_else_of_the_patient() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/W-1", &[], &records::figure_1("W-1"))
        .expect(201);
    let mut body = records::withdrawal("W-1");
    body["patient"]["birth_year"] = json!(1950);
    body["patient"]["sex"] = json!("female");
    let refused = centre
        .put("/api/v1/cases/W-1", &[("if-match", "*")], &body)
        .expect(422)
        .json();
    assert_eq!(refused["errors"][0]["code"], "E-004");
    let message = refused["errors"][0]["message"].as_str().expect("words");
    assert!(
        message.contains("patient.birth_year") && message.contains("patient.sex"),
        "{message}"
    );
    assert!(!message.contains("1950"));
    centre
        .put(
            "/api/v1/cases/W-1",
            &[("if-match", "*")],
            &records::withdrawal("W-1"),
        )
        .expect(200);
    // Nor does a change afterwards.
    let change = json!({ "patient": { "birth_year": 1950 } });
    centre
        .patch("/api/v1/cases/W-1", &[("if-match", "*")], &change)
        .expect(422);
    let kept = centre.get("/api/v1/cases/W-1").expect(200).json();
    assert_eq!(kept["case"]["patient"], json!({ "pseudonym_id": "W-1" }));
}

#[test]
fn consent_is_withdrawn_from_the_page_of_the_case_with_a_coded_reason() {
    let service = Service::start();
    for name in ["W-1", "W-2"] {
        let path = format!("/api/v1/cases/{name}");
        service
            .submitter("C01")
            .put(&path, &[], &records::figure_1(name))
            .expect(201);
    }
    let centre = Browser::of(&service, Role::Submitter, Some("C01"));
    let form = |reason: &'static str, again: &'static str| {
        [
            ("mode", "no_further_use"),
            ("date", "2026-11-20"),
            ("reason", reason),
            ("again", again),
        ]
    };
    assert!(centre.text("/cases/W-1").contains("Withdraw consent"));
    centre.refused(
        "/cases/W-1/withdraw",
        &form("canary", "W-1"),
        422,
        "choose one of the reasons",
    );
    centre.refused(
        "/cases/W-1/withdraw",
        &form("patient_asked", "W-2"),
        422,
        "typed for confirmation",
    );
    centre
        .send("/cases/W-1/withdraw", &form("patient_asked", "W-1"))
        .expect(303);
    let text = centre.text("/cases/W-1");
    assert!(text.contains("Consent was withdrawn on 2026-11-20"), "{text}");
    assert!(
        text.contains("consent withdrawn by") && text.contains("the patient asked for it"),
        "{text}"
    );
    assert!(
        !text.contains("Withdraw consent") && !text.contains("Correct or continue"),
        "{text}"
    );
    // The office may, another centre and the committee may not.
    let office = Browser::of(&service, Role::Coordinator, None);
    let other = Browser::of(&service, Role::Submitter, Some("C02"));
    other
        .send("/cases/W-2/withdraw", &form("patient_asked", "W-2"))
        .expect(404);
    let committee = Browser::of(&service, Role::Committee, None);
    committee
        .send("/cases/W-2/withdraw", &form("patient_asked", "W-2"))
        .expect(403);
    let erase = [
        ("mode", "erase"),
        ("date", "2026-11-20"),
        ("reason", "authority_decided"),
        ("again", "W-2"),
    ];
    let gone = office.send("/cases/W-2/withdraw", &erase).expect(303);
    assert_eq!(gone.header("location"), Some("/cases"));
    office.page("/cases/W-2").expect(404);
    service.verify_audit();
}

#[test]
fn the_page_of_a_case_tells_the_steps_of_its_life_with_who_and_why() {
    let service = Service::start();
    let path = "/api/v1/cases/FIG-0001";
    service
        .submitter("C01")
        .put(path, &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let lead = Browser::of(&service, Role::CentreLead, Some("C01"));
    let step = |fields: &[(&str, &str)]| lead.send("/cases/FIG-0001/life-cycle", fields);
    step(&[("step", "verify")]).expect(422);
    step(&[
        ("step", "verify"),
        ("reason", "entered again by another person and compared"),
    ])
    .expect(303);
    let without = step(&[("step", "lock"), ("through", "2025-12-31")]).expect(422);
    assert!(without.text().contains("say why"), "{}", without.text());
    step(&[
        ("step", "lock"),
        ("through", "2025-12-31"),
        ("reason", "closing the year"),
    ])
    .expect(303);
    step(&[("step", "unlock"), ("reason", "side was typed wrongly")]).expect(303);
    let text = service
        .client("coordinator", None)
        .get_with("/cases/FIG-0001", &[HTML])
        .expect(200)
        .text();
    for told in [
        "verified against its source by",
        "(centre lead): entered again by another person and compared",
        "locked through 2025-12-31 by",
        ": closing the year",
        "unlocked, and verified again by",
        ": side was typed wrongly",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}
