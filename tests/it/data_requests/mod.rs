//! A researcher asks, the office opens less or nothing, exactly that is delivered until the last day, and a withdrawal names who held the case.

mod deidentified;
mod delivered;
mod life;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

/// Six patients as in Figure 1 at one centre, two as in Figure 2 at another, frozen as release `R`.
struct Frozen {
    service: Service,
    office: Client,
    researcher: Client,
}

impl Frozen {
    fn new() -> Self {
        let service = Service::start();
        for (n, (source, centre)) in std::iter::repeat_n(("figure-1", "C01"), 6)
            .chain(std::iter::repeat_n(("figure-2", "C02"), 2))
            .enumerate()
        {
            let name = format!("FIG-{n:04}");
            let body = records::example(source, &name);
            let address = format!("/api/v1/cases/{name}");
            service.submitter(centre).put(&address, &[], &body).expect(201);
        }
        let run = service.published_run("2026-11-01");
        let office = service.client("coordinator", None);
        office
            .post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
            .expect(201);
        let researcher = service.client("researcher", None);
        Self {
            service,
            office,
            researcher,
        }
    }

    fn file(&self, change: Value) -> String {
        let mut body = json!({
            "release": "R", "title": "Sites and survival", "purpose": "A doctoral thesis", "files": ["patient.csv", "survival_s1.csv"],
            "elements": ["patient.sex", "patient.birth_year", "presentation.timing"],
        });
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let filed = self
            .researcher
            .post("/api/v1/data-requests", &[], &body)
            .expect(201)
            .json();
        assert_eq!(
            (&filed["status"], &filed["open"]),
            (&json!("submitted"), &json!(false))
        );
        filed["request_id"].as_str().expect("an id").to_owned()
    }

    fn approve(&self, id: &str, body: &Value) {
        let address = format!("/api/v1/data-requests/{id}:approve");
        let approved = self.office.post(&address, &[], body).expect(200).json();
        assert_eq!(
            (&approved["status"], &approved["open"]),
            (&json!("approved"), &json!(true))
        );
    }

    /// A file of a request by the researcher: header and rows.
    fn rows(&self, id: &str, file: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let answer = self
            .researcher
            .get(&format!("/api/v1/data-requests/{id}/files/{file}"))
            .expect(200);
        let mut reader = csv::Reader::from_reader(answer.body.as_slice());
        let header = reader
            .headers()
            .expect("a header")
            .iter()
            .map(str::to_owned)
            .collect();
        let rows = reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        (header, rows.collect())
    }

    fn manifest(&self, id: &str) -> Value {
        self.researcher
            .get(&format!("/api/v1/data-requests/{id}/manifest.json"))
            .expect(200)
            .json()
    }

    /// The data package of a request's bundle is that of the tables which are in it, as they are in it.
    fn is_described(&self, id: &str, manifest: &Value) {
        let address = format!("/api/v1/data-requests/{id}/files/datapackage.json");
        let package = self.researcher.get(&address).expect(200).json();
        let told = |files: &Value, name: &str, digest: &str| -> BTreeSet<(String, String)> {
            let files = files.as_array().expect("a list").iter();
            files
                .map(|file| [name, digest].map(|key| file[key].as_str().expect("text").to_owned()))
                .map(|[name, digest]| (name, digest.trim_start_matches("sha256:").to_owned()))
                .filter(|(name, _)| name.ends_with(".csv"))
                .collect()
        };
        assert_eq!(
            told(&package["resources"], "path", "hash"),
            told(&manifest["files"], "name", "sha256")
        );
        let patients = package["resources"].as_array().expect("a list").iter();
        let patients = patients.filter(|one| one["path"] == "patient.csv");
        let fields: Vec<&Value> = patients
            .flat_map(|one| one["schema"]["fields"].as_array().expect("fields"))
            .collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|field| field["name"] == name)
                .expect("a field")
        };
        assert_eq!(field("age_at_diagnosis")["type"], "string");
        let reasons = field("sex__absent")["constraints"]["enum"]
            .as_array()
            .expect("reasons");
        assert!(reasons.contains(&json!("withheld")), "{reasons:?}");
    }
}

const THROUGH: &str = "2026-12-31";
