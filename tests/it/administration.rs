//! `/admin`, `/audit`: keys, centres and the trail, from the pages of those who administer.

use registry_core::access::{Role, Scope};
use registry_core::storage::AuditFilter;
use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::{records, service::Service};

use crate::session::{FORM, signed_in_as, token};

const HTML: (&str, &str) = ("accept", "text/html");

/// A browser with a session of its own.
struct Browser<'a> {
    service: &'a Service,
    client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn of(service: &'a Service, role: Role) -> Self {
        Self {
            cookie: signed_in_as(service, role, None),
            client: service.anonymous(),
            service,
        }
    }

    fn page(&self, path: &str) -> Answer {
        self.client.get_with(path, &[HTML, ("cookie", &self.cookie)])
    }

    fn text(&self, path: &str) -> String {
        self.page(path).expect(200).text()
    }

    fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = token(self.service, &self.cookie, "/admin");
        self.send_with(path, fields, &csrf)
    }

    fn send_with(&self, path: &str, fields: &[(&str, &str)], csrf: &str) -> Answer {
        let mut all = fields.to_vec();
        all.push(("csrf", csrf));
        let body = serde_urlencoded::to_string(&all).expect("a form");
        let headers = [FORM, HTML, ("cookie", self.cookie.as_str())];
        self.client.send("POST", path, &headers, Some(body.as_bytes()))
    }

    /// A form that is refused: the page says what is wrong, and never what was typed.
    fn refused(&self, path: &str, fields: &[(&str, &str)], status: u16, says: &str) {
        let text = self.send(path, fields).expect(status).text();
        assert!(text.contains(says), "{path}: {text}");
        assert!(!text.contains("canary"), "{path}: {text}");
    }
}

fn actions(service: &Service, action: &str) -> usize {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    let store = &service.state().store;
    let page = store.list_audit(&Scope::system("test"), &filter, None, 1000);
    page.expect("events").items.len()
}

#[test]
fn a_centre_is_added_has_its_years_and_ends() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Admin);
    let added = [("centre_id", "C36"), ("name", "Example <Hospital>"), ("country", "it")];
    let answer = office.send("/admin/centres", &added).expect(303);
    assert_eq!(answer.header("location"), Some("/admin/centres/C36"));
    let text = office.text("/admin/centres/C36");
    assert!(text.contains("C36: Example &#60;Hospital&#62;"), "{text}");
    assert!(text.contains("No year has been entered yet") && text.contains("value=\"IT\""), "{text}");
    office.send("/admin/centres", &added).expect(409);
    for (fields, says) in [
        ([("centre_id", "canary!"), ("name", "N"), ("country", "")], "a centre id has 1 to 32"),
        ([("centre_id", "C37"), ("name", ""), ("country", "")], "name has 1 to 200"),
        ([("centre_id", "C37"), ("name", "N"), ("country", "canary")], "a country is two capital letters"),
    ] {
        office.refused("/admin/centres", &fields, 422, says);
    }

    let years = "/admin/centres/C36/years";
    let year = [
        ("year", "2025"),
        ("value-annual_rps_volume", "40"),
        ("value-is_specialised_sarcoma_centre", "true"),
        ("value-mis_metastasectomy_programme", "false"),
        ("absent-eligible_seen", "unknown"),
    ];
    let answer = office.send(years, &year).expect(303);
    assert_eq!(answer.header("location"), Some("/admin/centres/C36?year=2025"));
    let api = service.client("coordinator", None);
    let stored = api.get("/api/v1/centres/C36/years").expect(200).json();
    assert_eq!(
        stored["years"][0]["values"],
        json!({"centre_id": "C36", "effective_year": 2025, "annual_rps_volume": 40, "is_specialised_sarcoma_centre": true,
            "mis_metastasectomy_programme": false, "eligible_seen": {"absent": "unknown"}})
    );
    let text = office.text("/admin/centres/C36?year=2025");
    assert!(text.contains("Change 2025") && text.contains("name=\"value-annual_rps_volume\" value=\"40\""), "{text}");
    assert!(text.contains("<option value=\"unknown\" selected>"), "{text}");
    assert!(office.text("/admin/centres/C36").contains("Enter 2026"));
    for (field, value, says) in [
        ("value-annual_rps_volume", "canary", "annual_rps_volume: a whole number"),
        ("value-annual_rps_volume", "-4", "annual_rps_volume: a whole number"),
        ("value-academic_trial_centre", "canary", "academic_trial_centre: yes or no"),
        ("absent-annual_rps_volume", "canary", "annual_rps_volume: choose one of the list"),
        ("absent-annual_rps_volume", "not_done", "annual_rps_volume takes"),
    ] {
        office.refused(years, &[("year", "2025"), (field, value)], 422, says);
    }
    let both = [("year", "2025"), ("value-eligible_seen", "3"), ("absent-eligible_seen", "unknown")];
    office.refused(years, &both, 422, "eligible_seen: a value, or why there is none, not both");
    office.refused(years, &[("year", "canary")], 422, "Year: four digits");
    office.refused(years, &[("year", "1066")], 422, "a year lies between");
    office.send("/admin/centres/C99/years", &[("year", "2025")]).expect(404);
    office.page("/admin/centres/C99").expect(404);

    let key = service.key("submitter", Some("C36"));
    let centre = Client::new(service.base(), Some(&key));
    let put = |name: &str| centre.put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(name));
    put("FIG-0001").expect(201);
    let ended = [("name", "Example"), ("country", "IT"), ("takes_part", "no")];
    office.send("/admin/centres/C36", &ended).expect(303);
    assert_eq!(put("FIG-0002").expect(409).code(), "invalid_state");
    assert!(office.text("/admin").contains("no, ended"));
    assert!(office.text("/admin/centres/C36").contains("takes part no more"));
    office.refused("/admin/centres/C36", &[("name", "N"), ("takes_part", "canary")], 422, "Takes part: yes or no");
    office.send("/admin/centres/C99", &ended).expect(404);
    // The same by API.
    let again = json!({"name": "Example", "active": true});
    assert_eq!(api.put("/api/v1/centres/C36", &[], &again).expect(200).json()["active"], true);
    put("FIG-0002").expect(201);
    api.put("/api/v1/centres/C37", &[], &again).expect(201);
    api.put("/api/v1/centres/C37", &[], &json!({"name": "canary"})).expect(422);
    centre.put("/api/v1/centres/C36", &[], &again).expect(403);

    assert_eq!(actions(&service, "centre.change"), 2);
    assert_eq!(actions(&service, "centre.year"), 6 * 9 + 1);
    service.verify_audit();
}

/// The key in the notice of a page.
fn secret(text: &str) -> String {
    let rest = text.split("<code>rps_").nth(1).expect("a key on the page");
    format!("rps_{}", rest.split('<').next().unwrap_or_default())
}

#[test]
fn a_key_is_shown_once_rotated_and_revoked() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Coordinator);
    let status = |key: &str| Client::new(service.base(), Some(key)).get("/api/v1/cases").status;
    let wanted = [("label", "nightly push"), ("role", "submitter"), ("centre", "C01"), ("days", "30")];
    let answer = office.send("/admin/keys", &wanted).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let first = secret(&answer.text());
    assert_eq!(status(&first), 200);
    assert!(!office.text("/admin").contains(&first), "shown once");
    let listed = || service.state().store.list_keys(&Scope::system("test")).expect("keys");
    let of = |label: &str| listed().into_iter().rev().find(|key| key.label == label).expect("the key");
    let made = of("nightly push");
    let days = made.expires_at.map(|end| (end - made.created_at).num_days());
    assert!(matches!(days, Some(29 | 30)), "{days:?}");
    assert!(made.created_by.starts_with("user:"), "{}", made.created_by);

    let rotate = format!("/admin/keys/{}/rotate", made.key_id);
    office.refused(&rotate, &[("overlap_hours", "canary")], 422, "Hours both are good: a whole number from 0 to 720");
    let answer = office.send(&rotate, &[("overlap_hours", "2")]).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let second = secret(&answer.text());
    assert!(answer.text().contains("The key it replaces works until 2026-11-23 14:00 UTC"), "{}", answer.text());
    assert_eq!((status(&first), status(&second)), (200, 200));
    office.send(&rotate, &[("overlap_hours", "2")]).expect(409);
    service.advance_minutes(121);
    assert_eq!((status(&first), status(&second)), (401, 200));

    // The session has ended by idling.
    let office = Browser::of(&service, Role::Coordinator);
    let revoke = format!("/admin/keys/{}/revoke", of("nightly push").key_id);
    office.send(&revoke, &[]).expect(303);
    assert_eq!(status(&second), 401);
    assert!(office.text("/admin").contains("revoked"));
    for (fields, says) in [
        ([("label", ""), ("role", "researcher"), ("days", "30")], "label has 1 to 200"),
        ([("label", "x"), ("role", "canary"), ("days", "30")], "Role: choose one"),
        ([("label", "x"), ("role", "submitter"), ("days", "30")], "needs a centre"),
        ([("label", "x"), ("role", "researcher"), ("days", "canary")], "Days until it ends"),
        ([("label", "x"), ("role", "researcher"), ("days", "0")], "Days until it ends"),
    ] {
        office.refused("/admin/keys", &fields, 422, says);
    }
    for path in ["/admin/keys", "/admin/centres", "/admin/centres/C01", "/admin/centres/C01/years", "/audit/verify"] {
        office.send_with(path, &wanted, "guess").expect(403);
    }
    office.send("/admin/keys/none/revoke", &[]).expect(404);
    service.verify_audit();
}

/// Numbers of the events on a page of the trail, in its order.
fn numbers(text: &str) -> Vec<i64> {
    let rows = text.split("<th scope=\"row\" class=\"n\">").skip(1);
    rows.filter_map(|rest| rest.split('<').next()?.parse().ok()).collect()
}

/// Where a link of a page leads.
fn link(text: &str, words: &str) -> Option<String> {
    let before = text.split(&format!("\">{words}</a>")).next().filter(|before| before.len() < text.len())?;
    let address = before.rsplit("href=\"").next()?;
    Some(address.replace("&#38;", "&"))
}

#[test]
fn the_trail_is_filtered_and_turned_page_by_page() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..3 {
        let name = format!("FIG-{n:04}");
        let why = [("change-reason", "seen <at> the ward")];
        centre
            .put(&format!("/api/v1/cases/{name}"), &why, &records::figure_1(&name))
            .expect(201);
    }
    let office = Browser::of(&service, Role::Coordinator);
    let mut text = office.text("/audit");
    let mut seen = numbers(&text);
    assert_eq!(seen.len(), 100);
    while let Some(older) = link(&text, "Older events") {
        text = office.text(&older);
        seen.extend(numbers(&text));
    }
    let whole: Vec<i64> = (1..=seen[0]).rev().collect();
    assert_eq!(seen, whole, "every event once, newest first");

    let text = office.text("/audit?action=case.put");
    assert_eq!(numbers(&text).len(), 3);
    assert!(text.contains("seen &#60;at&#62; the ward") && text.contains("Data manager"), "{text}");
    assert!(text.contains("test submitter"), "a key by what it is called: {text}");
    let case_id = service.state().store.case_row(&Scope::system("test"), "FIG-0001").expect("the case").case_id;
    for named in ["FIG-0001", &case_id] {
        let text = office.text(&format!("/audit?case={named}&action=case.put"));
        assert_eq!(numbers(&text).len(), 1, "{named}");
    }
    assert!(office.text("/audit?case=FIG-9999").contains("No event has all of these"));
    let of_centre = numbers(&office.text("/audit?centre=C02&action=centre.year"));
    assert_eq!(of_centre.len(), 9);
    assert_eq!(numbers(&office.text("/audit?from=2026-11-23&to=2026-11-23&action=case.put")).len(), 3);
    for none in ["/audit?to=2026-11-22", "/audit?from=2026-11-24", "/audit?actor=nobody"] {
        assert!(office.text(none).contains("No event has all of these"), "{none}");
    }
    // An empty field of the form is no filter.
    assert_eq!(numbers(&office.text("/audit?actor=&action=case.put&from=")).len(), 3);
    let answer = office.page("/audit?from=canary").expect(400).text();
    assert!(answer.contains("from:") && !answer.contains("canary"));
    office.page("/audit?cursor=canary").expect(422);

    // Who sees no case reads no reason given with one, and names none by its pseudonym.
    let admin = Browser::of(&service, Role::Admin);
    let text = admin.text("/audit?action=case.put");
    assert_eq!(numbers(&text).len(), 3);
    assert!(text.contains("not readable") && !text.contains("the ward"), "{text}");
    assert!(admin.text("/audit?case=FIG-0001").contains("No event has all of these"));
    for (role, centre) in [("committee", None), ("researcher", None), ("submitter", Some("C01"))] {
        service.client(role, centre).get_with("/audit", &[HTML]).expect(403);
        service.client(role, centre).get("/audit.csv").expect(403);
    }
}

#[test]
fn the_trail_as_a_table_is_what_the_api_says() {
    let service = Service::start();
    // More than one piece.
    let store = &service.state().store;
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(move || {
                for n in 0..130 {
                    let details = json!({ "n": n });
                    let system = Scope::system("test");
                    store.record_access(&system, "test.look", Some("it, \"all\""), details).expect("recorded");
                }
            });
        }
    });
    let office = service.client("coordinator", None);
    let answer = office.get("/audit.csv?action=test.look").expect(200);
    assert!(answer.header("content-disposition").is_some_and(|value| value.contains("audit.csv")));
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|one| one == name).expect("the column");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 8 * 130);
    let mut events: Vec<Value> = Vec::new();
    let mut path = "/api/v1/audit?action=test.look&limit=1000".to_owned();
    loop {
        let page = office.get(&path).expect(200).json();
        events.extend(page["events"].as_array().expect("events").clone());
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/audit?action=test.look&limit=1000&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(events.len(), rows.len());
    for (row, event) in rows.iter().zip(&events) {
        assert_eq!(row[at("seq")], event["seq"].to_string());
        for name in ["actor", "action", "subject", "hash"] {
            assert_eq!(Some(&row[at(name)]), event[name].as_str(), "{name}");
        }
        let details: Value = serde_json::from_str(&row[at("details")]).expect("JSON");
        assert_eq!(details, event["details"]);
    }
}

#[test]
fn the_chain_is_verified_on_the_page() {
    let service = Service::start();
    let office = Browser::of(&service, Role::Coordinator);
    let checked = |anchor: &str| office.send("/audit/verify", &[("anchor", anchor)]);
    let head = service.state().store.audit_head().expect("a head");
    let text = checked("").expect(200).text();
    assert!(text.contains(&format!("{} events, the chain is whole", head.seq)), "{text}");
    assert!(text.contains(&head.to_string()), "{text}");
    // A head noted earlier is still there; one that this chain never had is not.
    service.key("researcher", None);
    assert!(checked(&head.to_string()).expect(200).text().contains("the chain is whole"));
    let text = checked(&format!("{}:{}", head.seq, "0".repeat(64))).expect(200).text();
    assert!(text.contains("The chain is broken") && text.contains("the chain was rewritten"), "{text}");
    let longer = format!("{}:{}", head.seq + 1000, "0".repeat(64));
    assert!(checked(&longer).expect(200).text().contains("cut short"));
    for wrong in ["canary", "12:canary", "canary:0"] {
        office.refused("/audit/verify", &[("anchor", wrong)], 422, "Head noted earlier");
    }
}
