//! Lists: what they filter by, and what they refuse to be asked.

use serde_json::{Value, json};
use support::{records, service::Service};

/// A service with one of everything that is listed.
fn stocked() -> Service {
    let service = Service::start();
    let centre = service.submitter("C01");
    centre
        .put("/api/v1/cases/FIG-1", &[], &records::figure_1("FIG-1"))
        .expect(201);
    let mapping = b"schema_version = \"1.1.0\"\n\n[[field]]\nfrom = \"sex\"\nto = \"patient.sex\"\ncodes = { \"1\" = \"female\" }\n";
    centre
        .send("PUT", "/api/v1/imports/mappings/ours", &[], Some(mapping))
        .expect(200);
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("prefer", "respond-async"),
    ];
    let line = records::example("minimal", "MIN-1").to_string();
    centre
        .send("POST", "/api/v1/cases:batch", &headers, Some(line.as_bytes()))
        .expect(202);
    // A pseudonym that another centre holds: a task.
    service
        .submitter("C02")
        .put("/api/v1/cases/FIG-1", &[], &records::figure_1("FIG-1"))
        .expect(409);
    let run = service.published_run("2026-11-01");
    let office = service.client("coordinator", None);
    office
        .post("/api/v1/releases", &[], &json!({ "run": run, "release": "R" }))
        .expect(201);
    let asked =
        json!({ "release": "R", "title": "Sites", "purpose": "A thesis", "files": ["presentation.csv"] });
    service
        .client("researcher", None)
        .post("/api/v1/data-requests", &[], &asked)
        .expect(201);
    office
        .post(
            "/api/v1/verifications",
            &[],
            &json!({ "through": "2026-11-23", "share": 1.0 }),
        )
        .expect(201);
    let person = json!({ "login": "ada", "name": "Ada", "role": "researcher" });
    office.post("/api/v1/users", &[], &person).expect(201);
    service
}

/// Lists with the name of what they list; of the coordinating office, or of a centre.
const LISTS: [(&str, &str, bool); 12] = [
    ("/api/v1/keys", "keys", true),
    ("/api/v1/users", "users", true),
    ("/api/v1/centres", "centres", true),
    ("/api/v1/runs", "runs", true),
    ("/api/v1/releases", "releases", true),
    ("/api/v1/data-requests", "requests", true),
    ("/api/v1/verifications", "verifications", true),
    ("/api/v1/tasks", "tasks", true),
    ("/api/v1/cases", "cases", true),
    ("/api/v1/queries", "queries", true),
    ("/api/v1/jobs", "jobs", false),
    ("/api/v1/imports/mappings", "mappings", false),
];

#[test]
fn every_list_takes_updated_since_and_no_filter_that_it_has_not() {
    let service = stocked();
    let (office, centre) = (service.client("coordinator", None), service.submitter("C01"));
    let length = |answer: &Value, name: &str| answer[name].as_array().map_or(0, Vec::len);
    for (path, name, of_office) in LISTS {
        let client = if of_office { &office } else { &centre };
        let all = client.get(path).expect(200).json();
        assert!(length(&all, name) > 0 || name == "queries", "{path}: {all}");
        let since = |instant: &str| {
            let answer = client.get(&format!("{path}?updated_since={instant}"));
            length(&answer.expect(200).json(), name)
        };
        assert_eq!(since("2020-01-01T00:00:00Z"), length(&all, name), "{path}");
        assert_eq!(since("2036-01-01T00:00:00Z"), 0, "{path}");
        for wrong in ["updated_since=yesterday", "colour=blue"] {
            let refused = client.get(&format!("{path}?{wrong}")).expect(400);
            assert_eq!(refused.code(), "bad_query", "{path}?{wrong}");
            assert!(!refused.text().contains("blue") && !refused.text().contains("yesterday"));
        }
    }
}

#[test]
fn what_takes_no_parameter_refuses_one() {
    let service = stocked();
    let (office, centre) = (service.client("coordinator", None), service.submitter("C01"));
    for path in [
        "/api/v1/queries/metrics",
        "/api/v1/adjudications",
        "/api/v1/runs/1",
        "/api/v1/releases/R",
        "/api/v1/centres/C01/years",
        "/api/v1/schemas",
        "/api/v1/survival",
        "/queries/metrics",
        "/tasks",
        "/verification",
    ] {
        office.get(path).expect(200);
        office.get(&format!("{path}?colour=blue")).expect(400);
    }
    for path in [
        "/api/v1/cases/FIG-1",
        "/api/v1/cases/FIG-1/versions",
        "/api/v1/imports/mappings/ours",
    ] {
        centre.get(path).expect(200);
        centre.get(&format!("{path}?colour=blue")).expect(400);
    }
}

#[test]
fn a_download_of_a_page_is_of_the_run_that_the_page_shows() {
    let service = stocked();
    let second = service.published_run("2026-11-02");
    let office = service.client("coordinator", None);
    let page = |path: &str| {
        office
            .get_with(path, &[("accept", "text/html")])
            .expect(200)
            .text()
    };
    let link = |page: &str| {
        let rest = page.split("href=\"/quality.csv").nth(1).expect("a link");
        rest.split('"')
            .next()
            .expect("its end")
            .replace("&#38;", "&")
            .replace("&amp;", "&")
    };
    assert_eq!(link(&page("/quality")), "");
    let first = second - 1;
    let asked = format!("?section=patient&run={first}");
    assert_eq!(link(&page(&format!("/quality{asked}"))), asked);
    office.get(&format!("/quality.csv{asked}")).expect(200);
}
