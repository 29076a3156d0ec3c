//! One verdict: the same records by validation, submission, batch and import, and judged once more by a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use registry_core::access::Scope;
use registry_core::exchange::{FlatCase, Layout, RedcapFormat, RedcapWriter, Style};
use registry_core::storage::{CaseHeader, StoreError};
use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

/// Whether it is stored, and its findings.
type Verdict = (bool, Vec<Value>);

/// What a finding says, wherever it is told; the places of findings of one record tell them apart.
fn findings(told: &Value) -> Vec<Value> {
    let names = [
        "severity",
        "code",
        "rule",
        "rule_version",
        "pointer",
        "message",
        "identity",
        "elements",
    ];
    let all = told.as_array().into_iter().flatten();
    let mut all: Vec<Value> = all
        .map(|one| {
            names
                .iter()
                .map(|name| ((*name).to_owned(), one[*name].clone()))
                .collect()
        })
        .collect();
    all.sort_by_key(Value::to_string);
    all
}

/// Name, record, the severity it is known for.
fn sent() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let minimal = |change: fn(&mut Value)| {
        let mut body = records::example("minimal", "P");
        change(&mut body);
        body
    };
    vec![
        // Whatever is asked of it: by its README no example breaks a check that refuses or keeps out.
        ("sound", minimal(|_| ()), None),
        ("warned", records::figure_1("P"), Some("warning")),
        // The slash before the behaviour is lacking (E-010).
        (
            "kept-out",
            minimal(|body| body["primary"]["icdo_morphology"] = json!("88903")),
            Some("error"),
        ),
        // It comes from an organ of the abdomen (E-012), and the morphology is malformed besides.
        (
            "refused",
            minimal(|body| {
                body["primary"]["organ_of_origin"] = json!("visceral");
                body["primary"]["icdo_morphology"] = json!("88903");
            }),
            Some("reject"),
        ),
        // Consent is refused, and the record still describes the tumour (E-004).
        (
            "refused-consent",
            minimal(|body| body["consent"]["status"] = json!("refused")),
            Some("reject"),
        ),
    ]
}

fn named(body: &Value, name: &str) -> Value {
    let mut body = body.clone();
    body["patient"]["pseudonym_id"] = json!(name);
    body
}

/// A verdict per item of an answer that has one.
fn items(results: &Value) -> Vec<Verdict> {
    let results = results.as_array().expect("results");
    let of = |one: &Value| {
        let stored = one["accepted"] == true || one["status"] == 201;
        let told = if one["findings"].is_array() {
            "findings"
        } else {
            "errors"
        };
        (stored, findings(&one[told]))
    };
    results.iter().map(of).collect()
}

fn ndjson(client: &Client, path: &str, bodies: &[Value]) -> Value {
    let lines: String = bodies.iter().map(|body| format!("{body}\n")).collect();
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", "verdicts"),
    ];
    client
        .send("POST", path, &headers, Some(lines.as_bytes()))
        .expect(200)
        .json()
}

fn listed(client: &Client, name: &str) -> Vec<Value> {
    let path = format!("/api/v1/cases/{name}/findings");
    findings(&client.get(&path).expect(200).json()["findings"])
}

/// What the report of an import says of its cases: severity and code of every line.
fn imported(service: &Service, client: &Client, bodies: &[Value]) -> BTreeMap<String, Vec<(String, String)>> {
    let versions: Vec<_> = service
        .state()
        .schemas
        .case_schemas()
        .iter()
        .map(|schema| Arc::clone(&schema.dictionary))
        .collect();
    let layout = Arc::new(Layout::new(Style::Redcap, &versions));
    let mut writer = RedcapWriter::begin(layout, RedcapFormat::Json, Vec::new()).expect("a writer");
    for document in bodies {
        let case = FlatCase {
            document,
            envelope: &json!({}),
            centre: "C01",
        };
        writer.add(case).expect("written");
    }
    let file = writer.finish().expect("a file");
    let path = "/api/v1/imports?format=redcap-json&wait=true";
    let headers = [("content-type", "application/octet-stream")];
    let job = client
        .send("POST", path, &headers, Some(&file))
        .expect(200)
        .json();
    let id = job["job_id"].as_str().expect("a job").to_owned();
    let report = client
        .get(&format!("/api/v1/jobs/{id}/report"))
        .expect(200)
        .text();
    let mut told: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for line in report.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| line[name].as_str().expect("text").to_owned();
        if line["severity"] == "info" {
            // What became of the case.
            continue;
        }
        told.entry(text("case"))
            .or_default()
            .push((text("severity"), text("code")));
    }
    told
}

#[test]
fn a_record_gets_the_same_verdict_whichever_way_it_comes() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let sent = sent();
    let named_all = |way: &str| -> Vec<Value> {
        let of = |(name, body, _): &(&str, Value, _)| named(body, &format!("{way}-{name}"));
        sent.iter().map(of).collect()
    };

    // One by one: what the others are compared with.
    let submitted: Vec<Verdict> = sent
        .iter()
        .map(|(name, body, _)| {
            let name = format!("PUT1-{name}");
            let answer = centre.put(&format!("/api/v1/cases/{name}"), &[], &named(body, &name));
            let stored = answer.status == 201;
            assert!(stored || answer.status == 422, "{}", answer.text());
            (
                stored,
                findings(&answer.json()[if stored { "findings" } else { "errors" }]),
            )
        })
        .collect();
    for ((name, _, severity), (stored, findings)) in sent.iter().zip(&submitted) {
        let told = |severity: &str| findings.iter().any(|one| one["severity"] == severity);
        assert!(severity.is_none_or(told), "{name}: {findings:?}");
        assert_eq!(*stored, !name.starts_with("refused"), "{name}");
        assert!(*stored || told("reject"), "{name}");
    }

    let validated = ndjson(&centre, "/api/v1/cases:validate", &named_all("VALIDATE1"));
    assert_eq!(items(&validated["results"]), submitted);
    centre.get("/api/v1/cases/VALIDATE1-sound").expect(404);

    let batch = ndjson(&centre, "/api/v1/cases:batch", &named_all("BATCH1"));
    assert_eq!(items(&batch["results"]), submitted);

    let report = imported(&service, &centre, &named_all("IMPORT1"));
    for ((name, ..), (stored, expected)) in sent.iter().zip(&submitted) {
        let text = |one: &Value, name: &str| one[name].as_str().expect("text").to_owned();
        let mut lines: Vec<(String, String)> = expected
            .iter()
            .map(|one| (text(one, "severity"), text(one, "code")))
            .collect();
        let mut told = report
            .get(&format!("IMPORT1-{name}"))
            .cloned()
            .unwrap_or_default();
        lines.sort();
        told.sort();
        assert_eq!(told, lines, "{name}");
        for way in ["PUT1", "BATCH1", "IMPORT1"] {
            if *stored {
                assert_eq!(
                    &listed(&centre, &format!("{way}-{name}")),
                    expected,
                    "{way} {name}"
                );
            } else {
                centre.get(&format!("/api/v1/cases/{way}-{name}")).expect(404);
            }
        }
    }

    // A run judges what is stored anew, and changes nothing of it.
    service.published_run("2026-11-23");
    let mut judged = judged_again(&service);
    let stored = submitted.iter().filter(|(stored, _)| *stored);
    let once: Vec<_> = stored.map(|(_, findings)| by_checks(findings)).collect();
    // By submission, batch and import.
    let mut expected = [once.clone(), once.clone(), once].concat();
    judged.sort();
    expected.sort();
    assert_eq!(judged, expected);
    for ((name, ..), (_, expected)) in sent.iter().zip(&submitted).filter(|(_, (stored, _))| *stored) {
        assert_eq!(
            &listed(&centre, &format!("PUT1-{name}")),
            expected,
            "{name} after the run"
        );
    }
}

/// Rule and severity of the findings that checks of the rule language make; E-039 is the service's own, which a run has no use for.
fn by_checks(findings: &[Value]) -> Vec<(String, String)> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let all = findings
        .iter()
        .map(|one| (text(one, "rule"), text(one, "severity")));
    let mut all: Vec<_> = all
        .filter(|(rule, _)| !rule.is_empty() && rule != "E-039")
        .collect();
    all.sort();
    all
}

/// The checks that fire on every stored case when a run reads it.
fn judged_again(service: &Service) -> Vec<Vec<(String, String)>> {
    let (state, scope) = (service.state(), Scope::system("test"));
    let mut headers: Vec<CaseHeader> = Vec::new();
    state
        .store
        .for_each_case_at::<StoreError>(&scope, i64::MAX, 100, |batch| {
            headers.extend(batch);
            Ok(())
        })
        .expect("cases");
    let wanted: Vec<_> = headers.into_iter().map(|header| header.case).collect();
    let documents = state
        .store
        .case_documents(&scope, i64::MAX, &wanted)
        .expect("documents");
    let centres = state.centre_table().expect("centres");
    let cut_off = "2026-11-23".parse().expect("a date");
    let of = |case| {
        let read = state.engine.read(&case, cut_off, &centres).expect("read");
        let fired = read.fired.iter();
        let mut fired: Vec<_> = fired
            .map(|(rule, severity)| (rule.clone(), severity.as_str().to_owned()))
            .collect();
        fired.sort();
        fired
    };
    documents.into_iter().flatten().map(of).collect()
}
