//! `POST /api/v1/imports`: a job with counts and a report that leads back to file, line and column.

use registry_core::access::Role;
use serde_json::{Value, json};

use crate::support::{Registry, Served, case, send};

struct Sender<'a> {
    served: &'a Served,
    key: String,
}

impl Sender<'_> {
    fn ask(&self, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
        let headers = [("content-type", "application/octet-stream")];
        let sent = send(&self.served.base, Some(&self.key), method, path, &headers, body).unwrap();
        (sent.status, sent.text)
    }

    fn json(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        let (status, text) = self.ask(method, path, body);
        (status, serde_json::from_str(&text).unwrap())
    }

    fn report(&self, job: &Value) -> Vec<Value> {
        let path = format!("/api/v1/jobs/{}/report", job["job_id"].as_str().unwrap());
        let (status, text) = self.ask("GET", &path, None);
        assert_eq!(status, 200);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The counts of a job: total, created, changed, unchanged, refused.
fn counts(job: &Value) -> [u64; 5] {
    ["total", "created", "changed", "unchanged", "refused"].map(|name| job["counts"][name].as_u64().unwrap())
}

/// A project with fields of its own: two cases that are not whole, one of them with a code it does not know.
const PROJECT: &str = "record_id,sex\nMAP-1,1\nMAP-2,7\n";
const MAPPING: &str = r#"
schema_version = "1.1.0"

[[field]]
from = "sex"
to = "patient.sex"
codes = { "1" = "female", "2" = "male" }
"#;

#[test]
fn a_bundle_is_a_job_and_again_changes_nothing() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    registry.centre("C02", "Centre two");
    let other = registry.key(Role::Submitter, Some("C02"));
    let served = registry.serve();
    let own = Sender {
        served: &served,
        key: key.clone(),
    };
    let lines: String = (0..130)
        .map(|n| format!("{}\n", case(&format!("JOB-{n:04}"))))
        .collect();
    let ndjson = [("content-type", "application/x-ndjson")];
    let batch = "/api/v1/cases:batch";
    assert_eq!(
        send(&served.base, Some(&key), "POST", batch, &ndjson, Some(&lines))
            .unwrap()
            .status,
        200
    );
    let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
    let bearer = format!("Bearer {key}");
    let zip = agent
        .get(format!("{}/api/v1/cases/export?format=csv", served.base))
        .header("authorization", &bearer)
        .call()
        .unwrap()
        .body_mut()
        .read_to_vec()
        .unwrap();
    let mut answer = agent
        .post(format!("{}/api/v1/imports?format=bundle&wait=true", served.base))
        .header("authorization", &bearer)
        .send(&zip[..])
        .unwrap();
    assert_eq!(answer.status(), 200);
    let job: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(
        (job["state"].as_str(), counts(&job)),
        (Some("done"), [130, 0, 0, 130, 0])
    );
    let report = own.report(&job);
    assert!(
        report.iter().all(|line| line["severity"] != "reject"),
        "{report:?}"
    );

    let begun = agent
        .post(format!("{}/api/v1/imports?format=bundle", served.base))
        .header("authorization", &bearer)
        .send(&zip[..])
        .unwrap();
    assert_eq!(begun.status(), 202);
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(own.json("GET", &location, None).0, 200);
    let stranger = Sender {
        served: &served,
        key: other,
    };
    assert_eq!(stranger.ask("GET", &location, None).0, 404);
    assert_eq!(stranger.ask("GET", &format!("{location}/report"), None).0, 404);
    assert_eq!(stranger.json("GET", "/api/v1/jobs", None).1["jobs"], json!([]));
    let jobs = own.json("GET", "/api/v1/jobs", None).1;
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_project_of_ones_own_is_read_through_a_kept_mapping_and_its_faults_are_told_by_cell() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let own = Sender { served: &served, key };
    let import = "/api/v1/imports?format=redcap-csv&mapping=ours&wait=true";
    assert_eq!(
        own.ask("POST", import, Some(PROJECT)).0,
        404,
        "no such mapping yet"
    );
    let mapping = "/api/v1/imports/mappings/ours";
    let (status, problem) = own.json(
        "PUT",
        mapping,
        Some(&MAPPING.replace("patient.sex", "patient.shoe")),
    );
    assert_eq!((status, problem["code"].as_str()), (422, Some("invalid_value")));
    assert!(
        problem["detail"].as_str().unwrap().contains("patient.shoe"),
        "{problem}"
    );
    assert_eq!(own.ask("PUT", mapping, Some(MAPPING)).0, 200);
    assert_eq!(own.ask("GET", mapping, None), (200, MAPPING.to_owned()));

    let (status, job) = own.json("POST", &format!("{import}&dry_run=true"), Some(PROJECT));
    assert_eq!(status, 200, "{job}");
    assert_eq!((&job["dry_run"], counts(&job)), (&json!(true), [2, 0, 0, 0, 2]));
    let report = own.report(&job);
    let cell = report.iter().find(|line| line["case"] == "MAP-2").unwrap();
    assert_eq!(
        cell["place"],
        json!({"file": "export.csv", "line": 3, "column": 2, "name": "patient_sex"})
    );
    assert!(
        report
            .iter()
            .any(|line| line["case"] == "MAP-1" && line["severity"] == "reject")
    );
    assert!(!own.ask("GET", "/api/v1/cases/MAP-1", None).1.contains("female"));
}

#[test]
fn files_that_cannot_be_read_are_refused_at_once_and_make_no_job() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let own = Sender { served: &served, key };
    for (query, body) in [
        ("format=bundle", "no zip"),
        ("format=redcap-csv", "record_id,nonsense\nX-1,2\n"),
        ("format=redcap-json", "{]"),
    ] {
        let (status, problem) = own.json("POST", &format!("/api/v1/imports?{query}"), Some(body));
        assert_eq!(
            (status, problem["code"].as_str()),
            (422, Some("unreadable_files")),
            "{query}: {problem}"
        );
    }
    assert_eq!(own.ask("POST", "/api/v1/imports?format=xml", Some("")).0, 400);
    assert_eq!(
        own.ask("POST", "/api/v1/imports?format=bundle&mapping=ours", Some(""))
            .0,
        400
    );
    assert_eq!(own.json("GET", "/api/v1/jobs", None).1["jobs"], json!([]));
    let committee = registry.key(Role::Committee, None);
    let them = Sender {
        served: &served,
        key: committee,
    };
    assert_eq!(them.ask("POST", "/api/v1/imports?format=bundle", Some("")).0, 403);
}

#[test]
fn a_report_that_cannot_be_read_to_its_end_breaks_off() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let store = registry.open(false);
    let scope = store.authenticate(&key).unwrap();
    let job = store.start_job(&scope, "batch", false, 2).unwrap();
    for line in ["{\"item\":0}\n", "{\"item\":1}\n"] {
        store.tell_job(&scope, &job.job_id, job.counts, line).unwrap();
    }
    store.end_job(&scope, &job.job_id, job.counts, None).unwrap();
    let served = registry.serve();
    let path = format!("/api/v1/jobs/{}/report", job.job_id);
    let report = || send(&served.base, Some(&key), "GET", &path, &[], None);
    assert_eq!(report().unwrap().text, "{\"item\":0}\n{\"item\":1}\n");
    let damage = |part: u8| {
        let mut conn = SqliteConnection::establish(registry.database().to_str().unwrap()).unwrap();
        let sql = format!("UPDATE job_reports SET lines = x'00' WHERE part = {part}");
        conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        conn.batch_execute(&sql).unwrap();
    };
    damage(2);
    assert!(report().is_none(), "half a report looks like a whole one");
    damage(1);
    assert_eq!(report().unwrap().status, 500);
}
