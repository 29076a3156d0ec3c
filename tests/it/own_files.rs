//! A centre's own cases out and in again: drafts stay drafts, an old file undoes nothing newer, a dry run says what would become of each.

use registry_core::access::Scope;
use registry_core::storage::{CaseStatus, JobState};
use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

/// A centre with a draft, two submitted cases and a verified one.
fn filled(service: &Service) -> Client {
    let centre = service.submitter("C01");
    let put = |name: &str, query: &str| {
        let path = format!("/api/v1/cases/{name}{query}");
        centre.put(&path, &[], &records::figure_1(name)).expect(201);
    };
    put("DRAFT-1", "?draft=true");
    put("SENT-1", "");
    put("SENT-2", "");
    put("DONE-1", "");
    let lead = service.client("centre_lead", Some("C01"));
    lead.post("/api/v1/cases/DONE-1:verify", &[], &json!(null))
        .expect(200);
    centre
}

fn statuses(service: &Service) -> Vec<(String, CaseStatus, i64)> {
    let scope = Scope::system("test");
    let all = service
        .state()
        .store
        .list_cases(&scope, &Default::default(), None, 100);
    let mut all: Vec<_> = all
        .expect("cases")
        .items
        .into_iter()
        .map(|row| (row.pseudonym.expect("a name"), row.status, row.version))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Imports a file and answers its job and report.
fn import(client: &Client, query: &str, file: &[u8]) -> (Value, Vec<Value>) {
    let path = format!("/api/v1/imports?wait=true&{query}");
    let headers = [("content-type", "application/octet-stream")];
    let job = client
        .send("POST", &path, &headers, Some(file))
        .expect(200)
        .json();
    let id = job["job_id"].as_str().expect("a job");
    let report = client
        .get(&format!("/api/v1/jobs/{id}/report"))
        .expect(200)
        .text();
    let lines = report
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (job, lines.collect())
}

/// Of a job: created, changed, unchanged, refused.
fn counts(job: &Value) -> [u64; 4] {
    ["created", "changed", "unchanged", "refused"].map(|name| job["counts"][name].as_u64().expect("a count"))
}

const AS_FILES: [(&str, &str); 2] = [("csv", "bundle"), ("redcap", "redcap-csv")];

#[test]
fn a_draft_comes_back_as_a_draft_in_every_form() {
    let service = Service::start();
    let centre = filled(&service);
    let before = statuses(&service);
    for (form, format) in AS_FILES {
        let file = centre
            .get(&format!("/api/v1/cases/export?format={form}"))
            .expect(200);
        let (job, report) = import(&centre, &format!("format={format}"), &file.body);
        assert_eq!(counts(&job), [0, 0, 4, 0], "{form}: {report:?}");
        assert_eq!(statuses(&service), before, "{form}");
        // Into a registry that has none of them. What was verified here has not been verified there.
        let other = Service::start();
        let (job, report) = import(&other.submitter("C01"), &format!("format={format}"), &file.body);
        assert_eq!(counts(&job), [4, 0, 0, 0], "{form}: {report:?}");
        let there: Vec<_> = statuses(&other).into_iter().map(|one| one.1).collect();
        let submitted = CaseStatus::Submitted;
        assert_eq!(
            there,
            [submitted, CaseStatus::Draft, submitted, submitted],
            "{form}"
        );
    }
    let ndjson = [("content-type", "application/x-ndjson")];
    for (query, in_another) in [("", CaseStatus::Submitted), ("?envelope=true", CaseStatus::Draft)] {
        let lines = centre.get(&format!("/api/v1/cases/export{query}")).expect(200);
        let answer = centre.send("POST", "/api/v1/cases:batch", &ndjson, Some(&lines.body));
        let results = answer.expect(200).json();
        let unchanged = results["results"].as_array().expect("results").iter();
        assert!(
            unchanged.clone().all(|one| one["unchanged"] == true),
            "{query}: {results}"
        );
        assert_eq!(statuses(&service), before, "{query}");
        let other = Service::start();
        let there = other.submitter("C01");
        there
            .send("POST", "/api/v1/cases:batch", &ndjson, Some(&lines.body))
            .expect(200);
        let draft = statuses(&other).into_iter().find(|one| one.0 == "DRAFT-1");
        // A record alone does not say that it is a draft; a draft that is there stays one.
        assert_eq!(draft.map(|one| one.1), Some(in_another), "{query}");
    }
}

#[test]
fn a_batch_keeps_a_draft_and_a_file_can_submit_it() {
    let service = Service::start();
    let centre = filled(&service);
    let mut body = records::figure_1("DRAFT-1");
    body["patient"]["birth_year"] = json!(1950);
    let send = |item: &Value| {
        centre
            .post("/api/v1/cases:batch", &[], &json!([item]))
            .expect(200)
            .json()
    };
    let status = |answer: &Value| answer["results"][0]["status"].clone();
    assert_eq!(status(&send(&body)), 200);
    let of = |name: &str| {
        statuses(&service)
            .into_iter()
            .find(|one| one.0 == name)
            .expect("a case")
    };
    assert_eq!((of("DRAFT-1").1, of("DRAFT-1").2), (CaseStatus::Draft, 2));
    let submitted = json!({"case": body, "envelope": {"version": 2, "status": "submitted"}});
    assert_eq!(status(&send(&submitted)), 200);
    assert_eq!(of("DRAFT-1").1, CaseStatus::Submitted);
    // Once more: there is nothing left to do. Back to a draft there is no way.
    assert_eq!(send(&submitted)["results"][0]["unchanged"], true);
    body["patient"]["birth_year"] = json!(1951);
    assert_eq!(
        status(&send(&json!({"case": body, "envelope": {"status": "draft"}}))),
        409
    );
    for envelope in [
        json!({"version": 0}),
        json!({"version": "2"}),
        json!({"status": "done"}),
    ] {
        assert_eq!(
            status(&send(&json!({"case": body, "envelope": envelope}))),
            422,
            "{envelope}"
        );
    }
}

#[test]
fn an_old_file_undoes_no_newer_correction() {
    let service = Service::start();
    let centre = filled(&service);
    let table = centre
        .get("/api/v1/cases/export?format=redcap")
        .expect(200)
        .text();
    let lines = centre
        .get("/api/v1/cases/export?envelope=true")
        .expect(200)
        .text();
    // Somebody corrects one of the cases; the file is edited for two of them.
    let mut corrected = records::figure_1("SENT-1");
    corrected["primary"]["size_mm"] = json!(77);
    centre
        .put("/api/v1/cases/SENT-1", &[("if-match", "*")], &corrected)
        .expect(200);
    let year = records::figure_1("SENT-1")["patient"]["birth_year"].to_string();
    let edited: String = table
        .lines()
        .map(|line| {
            let touched = line.starts_with("SENT-1,,") || line.starts_with("SENT-2,,");
            let line = if touched {
                line.replacen(&format!(",{year},"), ",1949,", 1)
            } else {
                line.to_owned()
            };
            line + "\n"
        })
        .collect();
    assert_eq!(edited.matches(",1949,").count(), 2, "both rows say the year once");
    let (job, report) = import(&centre, "format=redcap-csv&dry_run=true", edited.as_bytes());
    assert_eq!(counts(&job), [0, 1, 2, 1], "{report:?}");
    assert_eq!(
        statuses(&service).iter().map(|one| one.2).sum::<i64>(),
        5,
        "a dry run changes nothing"
    );
    let (job, report) = import(&centre, "format=redcap-csv", edited.as_bytes());
    assert_eq!(counts(&job), [0, 1, 2, 1], "{report:?}");
    let refused: Vec<&Value> = report
        .iter()
        .filter(|line| line["severity"] == "reject")
        .collect();
    assert_eq!(refused.len(), 1, "{report:?}");
    assert_eq!(
        (&refused[0]["case"], &refused[0]["code"]),
        (&json!("SENT-1"), &json!("precondition_failed"))
    );
    let said = refused[0]["message"].as_str().expect("words");
    assert!(
        said.contains("The file holds version 1") && said.contains("has version 2"),
        "{said}"
    );
    let now = |name: &str| centre.get(&format!("/api/v1/cases/{name}")).expect(200).json();
    assert_eq!(now("SENT-1")["case"], corrected);
    assert_eq!(now("SENT-2")["case"]["patient"]["birth_year"], 1949);
    // The same file again: what went in is there, and stays.
    let (job, _) = import(&centre, "format=redcap-csv", edited.as_bytes());
    assert_eq!(counts(&job), [0, 0, 3, 1]);
    // The bundle holds to it as well, and so do lines with their envelope; without a version the file replaces what is there.
    let stale = lines
        .lines()
        .find(|line| line.contains("SENT-1"))
        .expect("the case");
    let mut item: Value = serde_json::from_str(stale).expect("JSON");
    item["case"]["patient"]["sex"] = json!("male");
    let send = |item: &Value| {
        let answer = centre
            .post("/api/v1/cases:batch", &[], &json!([item]))
            .expect(200)
            .json();
        answer["results"][0].clone()
    };
    assert_eq!(send(&item)["status"], 412);
    item["envelope"]["version"] = Value::Null;
    assert_eq!(send(&item)["status"], 200);
}

#[test]
fn a_dry_run_says_what_would_become_of_every_case() {
    let service = Service::start();
    let centre = filled(&service);
    service
        .submitter("C02")
        .put("/api/v1/cases/OTHER-1", &[], &records::figure_1("OTHER-1"))
        .expect(201);
    centre
        .post(
            "/api/v1/cases/SENT-2:withdraw",
            &[],
            &json!({"mode": "no_further_use", "date": "2026-11-01"}),
        )
        .expect(200);
    let changed = |name: &str| {
        let mut body = records::figure_1(name);
        body["patient"]["birth_year"] = json!(1950);
        body
    };
    let items = json!([
        records::figure_1("SENT-1"), changed("SENT-1"), records::figure_1("NEW-1"), changed("OTHER-1"), changed("SENT-2"),
        changed("DONE-1"), {"schema_version": "1.0.0"},
    ]);
    let results = centre
        .post("/api/v1/cases:validate", &[], &items)
        .expect(200)
        .json();
    let brief: Vec<String> = results["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| {
            let said = one["would_be"].as_str().or(one["refusal"]["code"].as_str());
            said.map_or_else(|| format!("accepted: {}", one["accepted"]), str::to_owned)
        })
        .collect();
    let expected = [
        "unchanged",
        "changed",
        "new",
        // Another centre's: told to whoever submits it, of which the office hears, and not to whoever only asks.
        "new",
        "case_withdrawn",
        "change_reason_required",
        "accepted: false",
    ];
    assert_eq!(brief, expected);
    let reasoned = centre.post(
        "/api/v1/cases:validate",
        &[("change-reason", "typing error")],
        &json!([changed("DONE-1")]),
    );
    assert_eq!(reasoned.expect(200).json()["results"][0]["would_be"], "changed");
    // Nobody was told of the pseudonym.
    let office = service.client("coordinator", None);
    assert_eq!(office.get("/api/v1/tasks").expect(200).json()["tasks"], json!([]));
    service.verify_audit();
}

#[test]
fn an_answered_warning_is_not_told_again() {
    let service = Service::start();
    let centre = filled(&service);
    let findings = centre.get("/api/v1/cases/SENT-1/findings").expect(200).json();
    let warning = findings["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|f| f["severity"] == "warning");
    let identity = warning.expect("a warning")["identity"]
        .as_str()
        .expect("an identity")
        .to_owned();
    let path = format!("/api/v1/cases/SENT-1/findings/{identity}:answer");
    let body = records::figure_1("SENT-1");
    let told = || {
        let results = centre
            .post("/api/v1/cases:validate", &[], &json!([body]))
            .expect(200)
            .json();
        let all = results["results"][0]["findings"]
            .as_array()
            .expect("findings")
            .clone();
        all.iter()
            .find(|f| f["identity"] == identity.as_str())
            .expect("the warning")["state"]
            .clone()
    };
    let reported = || {
        let file = centre.get("/api/v1/cases/export?format=csv").expect(200).body;
        let (_, report) = import(&centre, "format=bundle", &file);
        report.iter().filter(|line| line["case"] == "SENT-1").count()
    };
    assert_eq!(told(), "open");
    let before = reported();
    centre
        .post(&path, &[], &json!({"reason": "seen in the report"}))
        .expect(200);
    assert_eq!(told(), "answered");
    assert_eq!(reported(), before - 1);
    assert!(
        service
            .state()
            .store
            .list_jobs(&Scope::system("test"), None, 10)
            .expect("jobs")
            .items
            .iter()
            .all(|job| job.state == JobState::Done)
    );
}
