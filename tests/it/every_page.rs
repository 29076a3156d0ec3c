//! Every page by every role that has it, on the smallest registries there can be: nothing in it, one case, one centre, a measure that no
//! unit can be assessed of. A page added later is walked without being named here.

use std::collections::BTreeSet;

use registry_api::routes::{Access, Endpoint, endpoints};
use registry_core::access::Role;
use serde_json::{Value, json};
use support::client::Client;
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");

/// What stands for a name in an address.
fn filled(path: &str, pseudonym: &str) -> String {
    let mut text = path.replace("{pseudonym}", pseudonym);
    for (name, value) in [
        ("{measure}", "1a"),
        ("{table}", "reasons.csv"),
        ("{name}", "registrations.svg"),
    ] {
        text = text.replace(name, value);
    }
    // What has an id that the registry gives is there only once somebody made it.
    while let Some((before, rest)) = text.clone().split_once('{') {
        let (_, after) = rest.split_once('}').expect("a closed name");
        text = format!("{before}none{after}");
    }
    text
}

/// Pages and their files: everything a browser asks for that is not the API's.
fn pages() -> Vec<Endpoint> {
    let of_others = [
        "/api/",
        "/fhir/",
        "/health/",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/assets/",
        "/redcap/",
    ];
    let all = endpoints().into_iter().filter(|one| one.method.as_str() == "GET");
    all.filter(|one| !of_others.iter().any(|start| one.path.starts_with(start)))
        .collect()
}

fn clients(service: &Service) -> Vec<(Role, Client)> {
    let one = |role: Role| {
        let centre = role.needs_centre().then_some("C01");
        (role, service.client(role.as_str(), centre))
    };
    Role::GRANTABLE.into_iter().map(one).collect()
}

/// The addresses of the links of a page that are marked as files.
fn downloads(text: &str) -> Vec<String> {
    let links = text.split("<a ").skip(1).filter_map(|rest| rest.split_once('>'));
    let marked = links.filter(|(attributes, _)| attributes.ends_with(" download"));
    let href = |(attributes, _): (&str, &str)| {
        let (_, rest) = attributes.split_once("href=\"").expect("an address");
        let (href, _) = rest.split_once('"').expect("an end");
        href.replace("&#38;", "&").replace("&amp;", "&")
    };
    marked.map(href).collect()
}

/// Walks every page by every role, and every file a page leads to; answers how many pages were shown. A page without a name in its address is always there.
fn walk(service: &Service, pseudonym: &str, state: &str) -> usize {
    let clients = clients(service);
    let mut shown = 0;
    let mut fetched: BTreeSet<(Role, String)> = BTreeSet::new();
    for endpoint in pages() {
        let path = filled(endpoint.path, pseudonym);
        let roles: Vec<Role> = match endpoint.access {
            Access::Roles(roles) => roles.to_vec(),
            Access::Open(_) => continue,
        };
        let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
        for (role, client) in clients.iter().filter(|(role, _)| roles.contains(role)) {
            let name = format!("{state}: {path} by {role}");
            let answer = client.get_with(&path, &[HTML]);
            let whole = !endpoint.path.contains('{') && !is_file;
            match answer.status {
                200 => {}
                303 => assert!(
                    path == "/extracts" || path == "/" && [Role::Admin, Role::Researcher].contains(role),
                    "{name} leads elsewhere"
                ),
                // Some charts are of results by measure, which researchers do not read.
                403 => assert!(
                    endpoint.path == "/charts/{name}" && *role == Role::Researcher,
                    "{name}: 403"
                ),
                400 | 404 | 422 => assert!(!whole, "{name}: {} {}", answer.status, answer.text()),
                status => panic!("{name}: {status} {}", answer.text()),
            }
            if answer.status == 200 && !is_file {
                let text = answer.text();
                assert!(
                    text.contains("<h1") && text.trim_end().ends_with("</html>"),
                    "{name}: {text}"
                );
                for left in ["NaN", "inf %", "{{", "Some("] {
                    assert!(!text.contains(left), "{name} says {left}");
                }
                for link in downloads(&text) {
                    if fetched.insert((*role, link.clone())) {
                        let file = client.get_with(&link, &[HTML]);
                        assert_eq!(file.status, 200, "{name} leads to {link}: {}", file.text());
                    }
                }
                shown += 1;
            }
        }
    }
    shown
}

fn submitted(client: &Client, centre: &str, n: usize) {
    for n in 0..n {
        let name = format!("{centre}-{n:04}");
        client
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
}

fn page(client: &Client, path: &str) -> String {
    client.get_with(path, &[HTML]).expect(200).text()
}

#[test]
fn on_an_empty_registry() {
    let service = Service::start();
    assert!(walk(&service, "NONE-0001", "empty") > 60);
    let committee = service.client("committee", None);
    for path in [
        "/",
        "/adherence",
        "/survival",
        "/quality",
        "/signals",
        "/brief",
        "/report",
    ] {
        let text = page(&committee, path);
        assert!(text.contains("No run has been published yet"), "{path}: {text}");
    }
    assert!(page(&service.submitter("C01"), "/cases").contains("No case has been submitted yet"));
    // A run over nothing is a run, too.
    service.published_run("2026-11-01");
    walk(&service, "NONE-0001", "a run over nothing");
}

#[test]
fn with_one_case() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "C01", 1);
    walk(&service, "C01-0000", "one case, no run");
    service.published_run("2026-11-01");
    walk(&service, "C01-0000", "one case");
    // Nobody but its centre and the office reads a number of one patient.
    let committee = service.client("committee", None);
    assert!(page(&committee, "/").contains("<dt>Cases</dt><dd>not shown</dd>"));
    assert!(page(&service.submitter("C01"), "/cases/C01-0000").contains("Course"));
}

#[test]
fn with_one_centre() {
    let service = Service::start();
    submitted(&service.submitter("C01"), "C01", 12);
    service.published_run("2026-11-01");
    walk(&service, "C01-0000", "one centre");
    let committee = service.client("committee", None);
    assert!(page(&committee, "/").contains("<dt>Cases</dt><dd>12</dd>"));
    // Every page of numbers says how many of them are hidden, none or some.
    let told = |client: &Client, path: &str| {
        let text = page(client, path);
        let all = ["numbers behind this page are", "rows of this run are"];
        assert!(all.iter().any(|said| text.contains(said)), "{path}: {text}");
    };
    for path in [
        "/",
        "/adherence",
        "/measures/1a",
        "/survival",
        "/quality",
        "/quality?section=primary",
        "/signals",
        "/brief",
    ] {
        told(&committee, path);
    }
    for path in ["/", "/adherence", "/measures/1a", "/survival", "/quality"] {
        told(&service.submitter("C01"), path);
    }
    told(&service.client("researcher", None), "/survival");
    // From the office nothing is hidden.
    let office = page(&service.client("coordinator", None), "/");
    assert!(
        office.contains("numbers behind this page are shown to you.") && !office.contains("not shown to you"),
        "{office}"
    );
}

/// With numbers for everybody: charts, tables and files of every kind are there, and every one of them is given to whom it is offered.
#[test]
fn with_three_centres_every_file_is_given_to_whom_it_is_offered() {
    let service = Service::start();
    for (centre, n) in [("C01", 12), ("C02", 14), ("C03", 11)] {
        submitted(&service.submitter(centre), centre, n);
    }
    // The last 24 months hold their diagnosis, of December 2019.
    service.published_run("2020-06-30");
    walk(&service, "C01-0000", "three centres");
    let files = |client: &Client, path: &str| downloads(&page(client, path)).len();
    let (committee, researcher) = (
        service.client("committee", None),
        service.client("researcher", None),
    );
    let found = [
        files(&committee, "/measures/1a"),
        files(&committee, "/quality"),
        files(&researcher, "/survival"),
        files(&researcher, "/survival/published"),
    ];
    assert!(
        found[0] >= 5 && found[1] >= 4 && found[2] >= 5 && found[3] == 1,
        "{found:?}"
    );
}

#[test]
fn with_a_measure_that_no_unit_can_be_assessed_of() {
    let service = Service::start();
    let (centre, committee) = (service.submitter("C01"), service.client("committee", None));
    for n in 0..12 {
        let name = format!("C01-{n:04}");
        let mut body = records::example("observation-only", &name);
        // Nobody says whether a board met: neither rows nor an attestation that there are none.
        if let Some(record) = body.as_object_mut() {
            record.remove("mdt");
            record.remove("section_attestation");
        }
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
    }
    service.published_run("2026-11-01");
    let rows = committee
        .get("/api/v1/adherence?by=network&period=all")
        .expect(200)
        .json()["rows"]
        .clone();
    let rows = rows.as_array().expect("rows");
    let of = |wanted: fn(&Value) -> bool| -> String {
        let found = rows.iter().find(|row| wanted(row)).expect("such a measure");
        found["measure"].as_str().expect("an id").to_owned()
    };
    let missing = |row: &Value| {
        row["state"] == "not_assessable" && row["not_assessable"].as_u64().is_some_and(|n| n > 0)
    };
    let without = |row: &Value| {
        row["state"] == "not_assessable"
            && row["denominator"] == json!(0)
            && row["not_assessable"] == json!(0)
    };
    for (measure, said) in [(of(missing), "not assessable"), (of(without), "not assessable")] {
        for client in [&committee, &centre, &service.client("coordinator", None)] {
            let text = page(client, &format!("/measures/{measure}"));
            assert!(
                text.contains(said) && text.contains("No funnel"),
                "{measure}: {text}"
            );
            assert!(
                text.contains("no unit can be assessed") && !text.contains("0 %</dd>"),
                "{measure}: {text}"
            );
        }
        for table in ["case-mix.csv", "reasons.csv", "sensitivity.csv"] {
            committee.get(&format!("/measures/{measure}/{table}")).expect(200);
        }
        committee
            .get(&format!("/charts/funnel.svg?measure={measure}"))
            .expect(404);
    }
    // A measure the run does not have has no page of numbers and no table.
    committee.get("/measures/99z/reasons.csv").expect(404);
}
