//! Who is let in, what is refused, and in which form.

use serde_json::Value;
use support::{records, service::Service};

use super::{every, fhir, refused};

#[test]
fn measures_and_the_capability_statement_are_for_anyone() {
    let service = Service::start();
    let anyone = service.anonymous();
    let statement = fhir(anyone.get("/fhir/metadata").expect(200));
    assert_eq!(
        (&statement["resourceType"], &statement["fhirVersion"]),
        (&Value::from("CapabilityStatement"), &Value::from("4.0.1"))
    );
    let measures = every(&anyone, "/fhir/Measure?_count=30");
    assert_eq!(measures.len(), 106);
    // What the statement names is what is served: every parameter is taken, and no other.
    for resource in statement["rest"][0]["resource"].as_array().expect("resources") {
        let name = resource["type"].as_str().expect("a type");
        let client = service.client("committee", None);
        for param in resource["searchParam"].as_array().expect("parameters") {
            let param = param["name"].as_str().expect("a name");
            let value = match param {
                "run" => "1",
                "by" => "network",
                "period" => "all",
                _ => "x",
            };
            let status = client.get(&format!("/fhir/{name}?{param}={value}")).status;
            assert_ne!(status, 400, "{name} {param}");
        }
        refused(client.get(&format!("/fhir/{name}?nonsense=x")), 400, "bad_query");
    }
    let found = every(&anyone, "/fhir/Measure?identifier=10b2&status=active");
    let [measure] = found.as_slice() else {
        panic!("one measure: {found:?}");
    };
    let path = format!("/fhir/Measure/{}", measure["id"].as_str().expect("an id"));
    assert_eq!(&fhir(anyone.get(&path).expect(200)), measure);
    assert!(every(&anyone, "/fhir/Measure?status=draft").is_empty());
}

#[test]
fn errors_are_operation_outcomes() {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    let committee = service.client("committee", None);
    refused(committee.get("/fhir/MeasureReport"), 404, "not_found");
    service.published_run("2026-11-01");
    committee.get("/fhir/MeasureReport").expect(200);
    for unknown in [
        "/fhir/Measure/99z",
        "/fhir/MeasureReport?measure=99z",
        "/fhir/MeasureReport?measure=Measure/99z",
        "/fhir/MeasureReport?run=99",
        "/fhir/MeasureReport/run-99-1a-all",
        "/fhir/MeasureReport/run-1-99z-all",
        "/fhir/MeasureReport/nonsense",
        "/fhir/Patient/1",
    ] {
        refused(committee.get(unknown), 404, "not_found");
    }
    for wrong in ["_count=101", "cursor=x", "by=histology", "period=2025", "run=x"] {
        refused(
            committee.get(&format!("/fhir/MeasureReport?{wrong}")),
            400,
            "bad_query",
        );
    }
    refused(
        service.anonymous().get("/fhir/MeasureReport"),
        401,
        "unauthenticated",
    );
    refused(
        service.client("admin", None).get("/fhir/MeasureReport"),
        403,
        "forbidden",
    );
    refused(committee.get("/fhir/Measure?_format=xml"), 406, "not_acceptable");
    let xml = [("accept", "application/fhir+xml")];
    refused(
        committee.get_with("/fhir/MeasureReport", &xml),
        406,
        "not_acceptable",
    );
    let page = [("accept", "text/html")];
    refused(
        committee.get_with("/fhir/Measure/99z", &page),
        406,
        "not_acceptable",
    );
    refused(
        committee.post("/fhir/Measure", &[], &Value::Null),
        405,
        "method_not_allowed",
    );
}

#[test]
fn a_run_that_is_not_published_is_the_offices_only() {
    let service = Service::start();
    let office = service.client("coordinator", None);
    let headers = [("idempotency-key", "r-1")];
    let wanted = serde_json::json!({"cut_off": "2026-11-01", "wait": true});
    let started = office.post("/api/v1/runs", &headers, &wanted).expect(201).json();
    let run = started["run"].as_i64().expect("a number");
    let (search, read) = (
        format!("/fhir/MeasureReport?measure=1a&run={run}"),
        format!("/fhir/MeasureReport/run-{run}-1a-all"),
    );
    for path in [&search, &read] {
        office.get(path).expect(200);
        for client in [service.client("committee", None), service.submitter("C01")] {
            refused(client.get(path), 404, "not_found");
        }
    }
}
