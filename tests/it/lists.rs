//! Lists: what they filter by, and what they refuse to be asked.

use serde_json::{Value, json};
use support::client::Client;
use support::{records, service::Service};

use crate::downloads::rows;

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
const LISTS: [(&str, &str, bool); 13] = [
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
    ("/api/v1/audit", "events", true),
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

/// Page by page by the `Link` header, until there is no next; what is listed on each.
fn pages(client: &Client, path: &str, name: &str) -> Vec<Value> {
    let (mut at, mut all) = (format!("{path}?limit=1"), Vec::new());
    loop {
        let answer = client.get(&at).expect(200);
        let rows = answer.json()[name].as_array().expect("a list").clone();
        assert!(rows.len() <= 1, "{at}");
        all.extend(rows);
        let Some(link) = answer.header("link") else {
            return all;
        };
        let next = link
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        next.expect("a link to the next page").clone_into(&mut at);
        assert!(all.len() < 200, "{path} never ends");
    }
}

#[test]
fn every_list_has_pages_whose_cursors_say_nothing() {
    let service = stocked();
    let (office, centre) = (service.client("coordinator", None), service.submitter("C01"));
    // So that there is more than one of what there is one of.
    service.published_run("2026-11-02");
    centre
        .put("/api/v1/cases/FIG-2", &[], &records::figure_1("FIG-2"))
        .expect(201);
    let versions = ("/api/v1/cases/FIG-1/versions", "versions", false);
    for (path, name, of_office) in LISTS.into_iter().chain([versions]) {
        let client = if of_office { &office } else { &centre };
        // Jobs have pages of fifty; reading the trail's neighbours adds to the trail.
        if matches!(name, "jobs" | "events") {
            continue;
        }
        let whole = client.get(path).expect(200).json()[name].clone();
        assert_eq!(json!(pages(client, path, name)), whole, "{path}");
        for wrong in ["limit=0", "limit=501", "limit=x"] {
            let refused = client.get(&format!("{path}?{wrong}")).expect(400);
            assert_eq!(refused.code(), "bad_query", "{path}?{wrong}");
        }
    }
    for (path, _, of_office) in LISTS.into_iter().chain([versions]) {
        let client = if of_office { &office } else { &centre };
        // What no list has made.
        for wrong in ["C01/FIG-1", "1", "canary", "bm8gc3VjaCB0aGluZw"] {
            let refused = client.get(&format!("{path}?cursor={wrong}")).expect(400);
            assert_eq!(refused.code(), "bad_query", "{path}?cursor={wrong}");
            assert!(!refused.text().contains("canary"), "{}", refused.text());
        }
    }
    let first = office.get("/api/v1/cases?limit=1").expect(200).json();
    let next = first["next"].as_str().expect("there is more");
    assert!(
        next.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
        "{next}"
    );
    assert!(!next.contains("C01"), "{next}");
}

#[test]
fn names_of_the_contract_are_taken_too() {
    let service = stocked();
    let office = service.client("coordinator", None);
    let committee = service.client("committee", None);
    let ours = committee.get("/api/v1/survival/S1?stratum=histology").expect(200);
    let theirs = committee.get("/api/v1/survival/S1?by=histology").expect(200);
    assert_eq!(ours.json(), theirs.json());
    committee
        .get("/api/v1/survival/S1?by=histology&stratum=histology")
        .expect(400);
    let requests = office.get("/api/v1/data-requests").expect(200).json();
    let id = requests["requests"][0]["request_id"].as_str().expect("an id");
    let reject = format!("/api/v1/data-requests/{id}:reject");
    let rejected = office
        .post(&reject, &[], &json!({"reason": "no plan"}))
        .expect(200);
    assert_eq!(rejected.json()["status"], "declined");
    for (role, place) in [("coordinator", "/releases"), ("researcher", "/requests")] {
        let led = service.client(role, None).get("/extracts").expect(303);
        assert_eq!(led.header("location"), Some(place));
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

/// Rows of a table behind a page's link by the names of its columns.
fn table(client: &Client, path: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    rows(&client.get_with(path, &[("accept", "text/html")]).expect(200))
}

/// The page, the table its link gives, the API's list and its name, the column and the field that name a row, the fields compared.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

#[test]
fn the_tables_of_the_office_s_pages_are_the_lists_of_the_api() {
    let service = stocked();
    let (office, centre) = (service.client("coordinator", None), service.submitter("C01"));
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let tables: [Line; 7] = [
        (
            "/users",
            "/users.csv",
            "/api/v1/users",
            "users",
            "login",
            &["name", "role", "state", "created_at"],
        ),
        (
            "/admin",
            "/admin/keys.csv",
            "/api/v1/keys",
            "keys",
            "prefix",
            &["label", "role", "centre", "revoked_at"],
        ),
        (
            "/admin",
            "/admin/centres.csv",
            "/api/v1/centres",
            "centres",
            "centre_id",
            &["name", "country", "active"],
        ),
        (
            "/releases",
            "/releases.csv",
            "/api/v1/releases",
            "releases",
            "release",
            &["run", "cases", "bytes", "sha256"],
        ),
        (
            "/verification",
            "/verification.csv",
            "/api/v1/verifications",
            "verifications",
            "verification_id",
            &["seed", "cases", "through"],
        ),
        (
            "/tasks",
            "/tasks.csv",
            "/api/v1/tasks",
            "tasks",
            "pseudonym",
            &["centre_id", "held_by", "opened_at"],
        ),
        (
            "/imports",
            "/imports.csv",
            "/api/v1/jobs",
            "jobs",
            "job_id",
            &["centre_id", "kind", "dry_run"],
        ),
    ];
    for (page, path, list, name, key, fields) in tables {
        let client = if name == "jobs" { &centre } else { &office };
        let text = client
            .get_with(page, &[("accept", "text/html")])
            .expect(200)
            .text();
        assert!(
            text.contains(&format!("href=\"{path}\" download")),
            "{page}: {text}"
        );
        let rows = table(client, path);
        let told = client.get(list).expect(200).json()[name]
            .as_array()
            .expect("a list")
            .clone();
        assert!(!told.is_empty() && rows.len() == told.len(), "{path}: {rows:?}");
        for one in &told {
            let row = rows.iter().find(|row| row[key] == cell(&one[key]));
            let row = row.unwrap_or_else(|| panic!("{path}: {one}"));
            for field in fields {
                assert_eq!(row[*field], cell(&one[*field]), "{path}: {field} of {one}");
            }
        }
        assert!(
            client.get(&format!("{path}?colour=blue")).expect(400).code() == "bad_query",
            "{path}"
        );
    }
    // A secret stands in none of them.
    for path in ["/users.csv", "/admin/keys.csv"] {
        let all = table(&office, path);
        let columns = all.iter().flat_map(|row| row.keys());
        let told: Vec<&String> = columns
            .filter(|name| name.contains("secret") || name.contains("sha256"))
            .collect();
        assert!(told.is_empty(), "{told:?}");
    }
    // Another centre sees no job of this one; of releases a researcher reads what the page tells.
    assert!(table(&service.submitter("C02"), "/imports.csv").is_empty());
    let release = &table(&service.client("researcher", None), "/releases.csv")[0];
    for office_s in ["cases", "bytes", "sha256"] {
        assert_eq!(release[office_s], "", "{release:?}");
    }
    assert_eq!(release["cases_about"], "", "too few to be told");
    assert!(table(&office, "/adjudication/decided.csv").is_empty());
}

#[test]
fn the_years_of_a_centre_are_a_table_that_tells_why_there_is_no_value() {
    let service = Service::start();
    let office = service.client("coordinator", None);
    let year = json!({
        "annual_rps_volume": 40, "is_specialised_sarcoma_centre": true,
        "annual_metastasectomy_volume": { "absent": "unknown" },
    });
    office
        .put("/api/v1/centres/C01/years/2025", &[], &year)
        .expect(200);
    let rows = table(&office, "/admin/centres/C01/years.csv");
    let row = rows.iter().find(|row| row["year"] == "2025").expect("the year");
    assert_eq!(
        (
            &*row["centre_id"],
            &*row["annual_rps_volume"],
            &*row["is_specialised_sarcoma_centre"]
        ),
        ("C01", "40", "true")
    );
    assert_eq!(
        (
            &*row["annual_metastasectomy_volume"],
            &*row["annual_metastasectomy_volume_absent"]
        ),
        ("", "unknown")
    );
    office.get("/admin/centres/C99/years.csv").expect(404);
    service
        .client("committee", None)
        .get("/admin/centres/C01/years.csv")
        .expect(403);
}
