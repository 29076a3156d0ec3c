//! `POST /api/v1/imports`: a job with counts and a report that leads back to file, line and column.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use registry_api::ports::{SystemClock, SystemEntropy};
use registry_core::access::{Role, Scope};
use registry_core::clock::Clock;
use registry_core::crypto::MasterKey;
use registry_core::storage::{CaseFilter, JobState, Store, StoreOptions};
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

/// Cases of the import that is killed: several of the stretches it is stored in.
const MANY: usize = 600;

/// The bundle of a registry that holds them all.
fn bundle_of_many() -> Vec<u8> {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let lines: String = (0..MANY)
        .map(|n| format!("{}\n", case(&format!("JOB-{n:04}"))))
        .collect();
    let ndjson = [("content-type", "application/x-ndjson")];
    let batch = "/api/v1/cases:batch";
    let stored = send(&served.base, Some(&key), "POST", batch, &ndjson, Some(&lines)).unwrap();
    assert_eq!(stored.status, 200);
    let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
    let mut answer = agent
        .get(format!("{}/api/v1/cases/export?format=csv", served.base))
        .header("authorization", format!("Bearer {key}"))
        .call()
        .unwrap();
    answer.body_mut().read_to_vec().unwrap()
}

/// Every case there is: id, version and last change by pseudonym.
fn kept(store: &Store) -> BTreeMap<String, (String, i64, DateTime<Utc>)> {
    let (scope, mut cursor) = (Scope::system("test"), None);
    let mut all = BTreeMap::new();
    loop {
        let page = store
            .list_cases(&scope, &CaseFilter::default(), cursor.as_deref(), 200)
            .unwrap();
        for case in page.items {
            let facts = (case.case_id, case.version, case.updated_at);
            let twice = all.insert(case.pseudonym.unwrap(), facts);
            assert!(twice.is_none(), "a case is there once");
        }
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// When nothing has been heard of the job for longer than a lease.
struct Later;

impl Clock for Later {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + chrono::Duration::minutes(10)
    }
}

#[test]
fn an_import_killed_half_way_and_sent_again_stores_every_case_once() {
    let zip = bundle_of_many();
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let post = |base: &str, query: &str| {
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = agent.build().into();
        let mut answer = agent
            .post(format!("{base}/api/v1/imports?format=bundle{query}"))
            .header("authorization", format!("Bearer {key}"))
            .send(&zip[..])
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_str::<Value>(&text).unwrap(),
        )
    };

    let mut served = registry.serve();
    let (status, begun) = post(&served.base, "");
    assert_eq!((status, counts(&begun)[0]), (202, MANY as u64));
    let id = begun["job_id"].as_str().unwrap().to_owned();
    let asked = format!("/api/v1/jobs/{id}");
    let told = loop {
        let now = send(&served.base, Some(&key), "GET", &asked, &[], None)
            .unwrap()
            .json();
        assert_eq!(now["state"], "running", "killed while it is under way: {now}");
        // At a point of the work, never at a time.
        if counts(&now)[1] > 0 {
            break counts(&now)[1];
        }
        std::thread::yield_now();
    };
    served.kill();
    let store = registry.open(false);
    let before = kept(&store);
    store.verify_audit(None).expect("the chain is whole");
    assert!(before.len() as u64 >= told, "what was counted is stored");
    assert!(before.len() < MANY, "killed half way");
    let options = StoreOptions::new(format!("sqlite:{}", registry.database().display()));
    let master = MasterKey::parse(&std::fs::read_to_string(registry.key_file()).unwrap()).unwrap();
    let later = Store::open(options, master, Arc::new(Later), Arc::new(SystemEntropy)).unwrap();
    let dead = later.job(&Scope::system("test"), &id).unwrap();
    assert_eq!(dead.state, JobState::Interrupted);

    // Another process might be at it: the centre waits until nothing has been heard of the job for a lease.
    let served = registry.serve();
    assert_eq!(post(&served.base, "&wait=true").0, 409);
    let mut conn = SqliteConnection::establish(registry.database().to_str().unwrap()).unwrap();
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; \
         UPDATE jobs SET told_at = strftime('%Y-%m-%d %H:%M:%f', told_at, '-10 minutes')",
    )
    .unwrap();
    drop(conn);
    let (status, job) = post(&served.base, "&wait=true");
    assert_eq!((status, job["state"].as_str()), (200, Some("done")), "{job}");
    let (there, rest) = (before.len() as u64, (MANY - before.len()) as u64);
    assert_eq!(
        counts(&job),
        [MANY as u64, rest, 0, there, 0],
        "the report says what was there"
    );
    let own = Sender {
        served: &served,
        key: key.clone(),
    };
    let report = own.report(&job);
    assert!(
        report.iter().all(|line| line["severity"] != "reject"),
        "{report:?}"
    );
    let after = kept(&store);
    let names: Vec<String> = (0..MANY).map(|n| format!("JOB-{n:04}")).collect();
    assert!(after.keys().eq(&names), "every case");
    assert!(
        after.values().all(|(_, version, _)| *version == 1),
        "unchanged ones make no version"
    );
    for (name, facts) in &before {
        assert_eq!(after.get(name), Some(facts), "{name} is as it was");
    }
    store.verify_audit(None).expect("the chain is whole");
}

#[test]
fn a_report_that_cannot_be_read_to_its_end_breaks_off() {
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
