//! Text that people type is shown as text, wherever it is stored and on whatever page it comes up.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::access::{Role, Scope};
use registry_core::storage::{NewCentre, SignInLink};
use serde_json::{Value, json};
use support::client::Client;
use support::{records, service::Service};

use crate::session::token;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const HTML: (&str, &str) = ("accept", "text/html");

/// What a browser would run if it were not shown as text, with a mark that says which text it is.
fn hostile(mark: &str) -> String {
    format!("<script>alert(\"{mark}\")</script>'\"><img src=x onerror=alert(1)>")
}

/// A session of somebody with a hostile name.
fn session(service: &Service, role: Role, centre: Option<&str>) -> String {
    let state = service.state();
    let link = SignInLink {
        user: hostile("user"),
        role,
        centre: centre.map(str::to_owned),
        expires_at: state.ports.clock.now() + chrono::Duration::hours(1),
        reusable: false,
    };
    let link = state
        .store
        .create_sign_in_link(&Scope::system("test"), link)
        .expect("a link");
    let body = format!("token={}", link.reveal());
    let answer = service
        .anonymous()
        .send("POST", "/sign-in", &[FORM, HTML], Some(body.as_bytes()))
        .expect(303);
    let set = answer.header("set-cookie").expect("a cookie");
    set.split(';').next().unwrap_or_default().to_owned()
}

fn urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Hostile text in every field a person can fill, as far as one service can hold them at once.
fn filled(service: &Service) {
    let office = service.client("coordinator", None);
    let centre = NewCentre {
        centre_id: "C01".to_owned(),
        name: hostile("centre"),
        country: None,
        active: true,
    };
    let store = &service.state().store;
    store
        .upsert_centre(&Scope::system("test"), centre)
        .expect("renamed");
    let key = json!({"label": hostile("label"), "role": "researcher"});
    service
        .client("admin", None)
        .post("/api/v1/keys", &[], &key)
        .expect(201);
    let one = service.submitter("C01");
    for n in 0..8 {
        let name = format!("FIG-{n:04}");
        let reason = hostile("submission");
        one.put(
            &format!("/api/v1/cases/{name}"),
            &[("change-reason", reason.as_str())],
            &records::figure_1(&name),
        )
        .expect(201);
    }
    let asked = json!({"case": "FIG-0001", "text": hostile("question"), "element": "biopsy"});
    let query = office.post("/api/v1/queries", &[], &asked).expect(201).json();
    let messages = format!(
        "/api/v1/queries/{}/messages",
        query["id"].as_str().expect("an id")
    );
    one.post(&messages, &[], &json!({"text": hostile("message")}))
        .expect(200);
    let lead = service.client("centre_lead", Some("C01"));
    let because = hostile("lock");
    let locked = json!({"through": "2022-12-31"});
    lead.post(
        "/api/v1/cases/FIG-0002:lock",
        &[("change-reason", because.as_str())],
        &locked,
    )
    .expect(200);
    let because = hostile("unlock");
    lead.post(
        "/api/v1/cases/FIG-0002:unlock",
        &[("change-reason", because.as_str())],
        &json!(null),
    )
    .expect(200);
    let moved = json!({"from": "C01", "to": "C02", "on": "2021-06-01", "reason": hostile("transfer")});
    office
        .post("/api/v1/cases/FIG-0003:transfer", &[], &moved)
        .expect(200);
    // Another centre sends a pseudonym that is held: a task, closed by somebody with a hostile name.
    let refused = service
        .submitter("C02")
        .put("/api/v1/cases/FIG-0004", &[], &records::figure_1("FIG-0004"));
    assert_eq!(refused.status, 409, "{}", refused.text());
    let tasks = office.get("/api/v1/tasks").expect(200).json();
    let task = tasks["tasks"][0]["task_id"].as_str().expect("a task").to_owned();
    let cookie = session(service, Role::Coordinator, None);
    let csrf = token(service, &cookie, "/tasks");
    let body = format!("csrf={csrf}&resolution={}", urlencoded(&hostile("resolution")));
    let close = format!("/tasks/{task}/close");
    let browser = service.anonymous();
    browser
        .send(
            "POST",
            &close,
            &[FORM, HTML, ("cookie", &cookie)],
            Some(body.as_bytes()),
        )
        .expect(303);

    let run = service.published_run("2026-11-01");
    let release = json!({"run": run, "release": "R", "title": hostile("release")});
    office.post("/api/v1/releases", &[], &release).expect(201);
    let researcher = service.client("researcher", None);
    let request = json!({"release": "R", "title": hostile("request"), "purpose": hostile("purpose"), "files": ["patient.csv"]});
    let filed = researcher
        .post("/api/v1/data-requests", &[], &request)
        .expect(201)
        .json();
    let decline = format!(
        "/api/v1/data-requests/{}:decline",
        filed["request_id"].as_str().expect("an id")
    );
    office
        .post(&decline, &[], &json!({"reason": hostile("declined")}))
        .expect(200);
}

/// `/cases/{}?state`: what addresses of one kind of page have in common.
fn kind(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let lists = ["cases", "measures", "queries", "verification"];
    let parts: Vec<&str> = path.split('/').collect();
    let named = parts.iter().enumerate().map(|(at, part)| {
        let listed =
            at > 0 && lists.contains(&parts[at - 1]) && !["new", "metrics", "published"].contains(part);
        if listed && !["cases", "queries"].contains(&parts[at - 1]) {
            "{}"
        } else {
            part
        }
    });
    let names: BTreeSet<&str> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .collect();
    format!("{}?{names:?}", named.collect::<Vec<_>>().join("/"))
}

/// Addresses of pages that a page links to.
fn links(text: &str) -> Vec<String> {
    let found = text
        .split(" href=\"/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let pages = found.map(|path| format!("/{}", path.replace("&#38;", "&").replace("&amp;", "&")));
    pages
        .filter(|path| {
            let elsewhere = ["/api/", "/docs", "/assets/", "/fhir", "/charts/"];
            let file = path.split('?').next().is_some_and(|path| path.ends_with(".csv"));
            !file && !elsewhere.iter().any(|start| path.starts_with(start))
        })
        .collect()
}

/// Every kind of page that links lead to, by address.
fn crawled(browser: &Client, cookie: &str) -> BTreeMap<String, String> {
    let mut waiting = vec!["/".to_owned()];
    let mut seen = BTreeSet::new();
    let mut pages = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(kind(&path)) {
            continue;
        }
        let answer = browser.get_with(&path, &[HTML, ("cookie", cookie)]);
        if let Some(next) = answer.header("location") {
            waiting.push(next.to_owned());
            continue;
        }
        let text = answer.expect(200).text();
        waiting.extend(links(&text));
        pages.insert(path, text);
    }
    pages
}

#[test]
fn no_stored_text_is_anything_but_text_on_any_page() {
    let service = Service::start();
    filled(&service);
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    let marks = [
        "centre",
        "label",
        "submission",
        "question",
        "message",
        "lock",
        "unlock",
        "transfer",
        "resolution",
        "user",
        "release",
        "request",
        "purpose",
        "declined",
    ];
    for (role, centre) in [
        (Role::Coordinator, None),
        (Role::Submitter, Some("C01")),
        (Role::CentreLead, Some("C02")),
        (Role::Committee, None),
        (Role::Researcher, None),
        (Role::Admin, None),
    ] {
        let cookie = session(&service, role, centre);
        let pages = crawled(&service.anonymous(), &cookie);
        assert!(pages.len() > 1, "{role}: {:?}", pages.keys());
        for (path, text) in &pages {
            for raw in ["<script>alert", "<img", "onerror=alert(1)>", "'\">"] {
                assert!(!text.contains(raw), "{role} {path} holds {raw}");
            }
            shown.extend(
                marks
                    .iter()
                    .filter(|mark| text.contains(&format!("alert(&#34;{mark}&#34;)"))),
            );
        }
    }
    // Each of them was looked at somewhere: texts that stand on no page prove nothing.
    let missing: Vec<&&str> = marks.iter().filter(|mark| !shown.contains(**mark)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What is typed into addresses comes back as text, or not at all.
#[test]
fn what_stands_in_an_address_is_not_run() {
    let service = Service::start();
    let office = service.client("coordinator", None);
    let text = urlencoded(&hostile("address"));
    for path in [
        format!("/cases/{text}"),
        format!("/measures/{text}"),
        format!("/queries?rule={text}"),
        format!("/adherence?q={text}"),
        format!("/quality?section={text}"),
        format!("/sign-in?token={text}"),
        format!("/{text}"),
    ] {
        let answer = office.get_with(&path, &[HTML]);
        let body: String = answer.text();
        assert!(
            !body.contains("<script>alert") && !body.contains("<img"),
            "{path}: {body}"
        );
    }
    let problem: Value = office.get(&format!("/api/v1/cases/{text}")).json();
    assert!(!problem.to_string().contains("alert"), "{problem}");
}
