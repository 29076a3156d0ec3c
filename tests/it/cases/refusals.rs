//! Records that are refused, each with its reason, nothing stored and no value echoed.

use serde_json::{Value, json};
use support::{records, service::Service};

fn refused(service: &Service, change: impl FnOnce(&mut Value), code: &str, pointer: &str) -> String {
    let mut body = records::figure_1("FIG-0001");
    change(&mut body);
    let centre = service.submitter("C01");
    let answer = centre.put("/api/v1/cases/FIG-0001", &[], &body).expect(422);
    let errors = answer.json()["errors"].clone();
    let found = errors
        .as_array()
        .is_some_and(|all| all.iter().any(|e| e["code"] == code && e["pointer"] == pointer));
    assert!(found, "no {code} at {pointer} in {errors:#}");
    centre.get("/api/v1/cases/FIG-0001").expect(404);
    answer.text()
}

#[test]
fn each_reason_is_named_where_it_stands() {
    let service = Service::start();
    refused(
        &service,
        |b| b["schema_version"] = json!("9.9.9"),
        "unsupported_schema_version",
        "/schema_version",
    );
    refused(
        &service,
        |b| b["primary"]["weight_of_tumour"] = json!(3),
        "unknown_property",
        "/primary/weight_of_tumour",
    );
    refused(
        &service,
        |b| b["patient"]["sex"] = json!("blue-canary"),
        "not_in_code_list",
        "/patient/sex",
    );
    refused(
        &service,
        |b| b["patient"]["sex"] = json!({"absent": "not_done"}),
        "absence_not_allowed",
        "/patient/sex",
    );
    refused(
        &service,
        |b| b["presentation"][0]["date_detected"] = json!("2026-02-30"),
        "bad_format",
        "/presentation/0/date_detected",
    );
    refused(
        &service,
        |b| b["record"] = json!({"centre_id": "C02"}),
        "server_set",
        "/record",
    );
    refused(
        &service,
        |b| b["primary"]["histology_code"] = json!("ddlps"),
        "server_set",
        "/primary/histology_code",
    );
    let gist = refused(
        &service,
        |b| b["primary"]["icdo_morphology"] = json!("8936/3"),
        "E-011",
        "/primary/icdo_morphology",
    );
    assert!(
        gist.contains("GIST"),
        "the reason names the entity of Table 1: {gist}"
    );
    refused(
        &service,
        |b| b["primary"]["arises_from_teratoma"] = json!(true),
        "E-014",
        "/primary/arises_from_teratoma",
    );
}

/// Requirement S24: names, record numbers and dates of birth are no pseudonyms, whichever way they come.
#[test]
fn an_identifying_pseudonym_is_refused_and_not_repeated() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for name in [
        "1961-03-04",
        "19610304",
        "SMITH-JOHN",
        "MRN1234567",
        "1234567890",
        "04-MAR-1961",
    ] {
        let body = records::figure_1(name);
        let refused = centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(422);
        let found = |errors: &Value| -> Vec<(String, String)> {
            let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
            let errors = errors.as_array().expect("a list");
            errors
                .iter()
                .map(|one| (text(one, "code"), text(one, "pointer")))
                .collect()
        };
        let expected = [(
            "identifying_pseudonym".to_owned(),
            "/patient/pseudonym_id".to_owned(),
        )];
        assert_eq!(refused.code(), "invalid_record");
        assert_eq!(found(&refused.json()["errors"]), expected, "{name}");
        assert!(!refused.text().contains(name), "{}", refused.text());
        let judged = centre
            .post("/api/v1/cases:validate", &[], &body)
            .expect(200)
            .json();
        assert_eq!(found(&judged["results"][0]["findings"]), expected, "{name}");
        assert!(!judged.to_string().contains(name), "{judged}");
        let batch = centre
            .post("/api/v1/cases:batch", &[], &json!([body]))
            .expect(200)
            .json();
        assert_eq!(batch["results"][0]["status"], 422, "{name}");
        assert_eq!(found(&batch["results"][0]["errors"]), expected, "{name}");
        assert!(!batch.to_string().contains(name), "{batch}");
        let flat = format!("record_id,patient_sex\n{name},female\n");
        let path = "/api/v1/imports?format=redcap-csv&wait=true";
        let octets = [("content-type", "application/octet-stream")];
        let job = centre
            .send("POST", path, &octets, Some(flat.as_bytes()))
            .expect(200)
            .json();
        assert_eq!(job["counts"]["refused"], 1, "{job}");
        let report = format!("/api/v1/jobs/{}/report", job["job_id"].as_str().expect("a job"));
        let report = centre.get(&report).expect(200).text();
        assert!(report.contains("\"identifying_pseudonym\""), "{name}");
        assert!(!report.contains(name), "{report}");
        centre.get(&format!("/api/v1/cases/{name}")).expect(404);
    }
}

/// Edit checks read a record that keeps to its schema: until then their findings are not there, and that is said.
#[test]
fn findings_of_the_schema_come_alone_and_that_is_said() {
    let service = Service::start();
    let centre = service.submitter("C01");
    // Of an organ of the abdomen: E-012 refuses it.
    let mut of_an_organ = records::figure_1("FIG-1");
    of_an_organ["primary"]["organ_of_origin"] = json!("visceral");
    let mut both = of_an_organ.clone();
    both["patient"]["sex"] = json!("nonsense");
    for (body, checked, found) in [
        (&both, false, &["not_in_code_list"][..]),
        (&of_an_organ, true, &["E-012"]),
    ] {
        let refused = centre.put("/api/v1/cases/FIG-1", &[], body).expect(422).json();
        let judged = centre
            .post("/api/v1/cases:validate", &[], body)
            .expect(200)
            .json();
        let judged = &judged["results"][0];
        let rejects = |told: &Value| -> Vec<String> {
            let all = told.as_array().expect("findings");
            let rejects = all.iter().filter(|one| one["severity"] == "reject");
            let name = |one: &Value| one["rule"].as_str().or(one["code"].as_str()).map(str::to_owned);
            rejects.filter_map(name).collect()
        };
        assert_eq!(rejects(&refused["errors"]), found);
        assert_eq!(rejects(&judged["findings"]), found);
        assert_eq!(judged["checked"], checked);
        let said = refused["detail"]
            .as_str()
            .is_some_and(|told| told.contains("edit checks"));
        assert_eq!(said, !checked, "{refused}");
    }
}

#[test]
fn no_value_is_echoed() {
    let service = Service::start();
    let text = refused(
        &service,
        |b| b["patient"]["sex"] = json!("canary-7f3a"),
        "not_in_code_list",
        "/patient/sex",
    );
    assert!(!text.contains("canary-7f3a"), "{text}");
}

#[test]
fn a_pseudonym_of_another_centre_is_a_conflict_that_names_nobody() {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let other = service.submitter("C02");
    let answer = other
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(409);
    assert_eq!(answer.code(), "pseudonym_registered");
    assert!(!answer.text().contains("C01"), "{}", answer.text());
    other.get("/api/v1/cases/FIG-0001").expect(404);
}

#[test]
fn a_dry_run_gives_the_verdict_of_a_submission_and_stores_nothing() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut bad = records::figure_1("FIG-0001");
    bad["primary"]["icdo_morphology"] = json!("8936/3");
    let dry = centre.post("/api/v1/cases:validate", &[("idempotency-key", "dry-1")], &bad);
    let wet = centre.put("/api/v1/cases/FIG-0001", &[], &bad).expect(422);
    let findings = |v: &Value, key: &str| -> Vec<(String, String)> {
        v[key]
            .as_array()
            .expect("findings")
            .iter()
            .map(|f| (f["code"].to_string(), f["pointer"].to_string()))
            .collect()
    };
    assert_eq!(
        findings(&dry.json()["results"][0], "findings"),
        findings(&wet.json(), "errors")
    );
    centre.get("/api/v1/cases/FIG-0001").expect(404);
}
