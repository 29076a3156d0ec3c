//! `/audit`: the trail on a page and as a table, and the check of its chain.

use registry_core::access::{Role, Scope};
use serde_json::{Value, json};
use support::{records, service::Service};

use crate::browser::{Browser, HTML};

/// Numbers of the events on a page of the trail, in its order.
fn numbers(text: &str) -> Vec<i64> {
    let rows = text.split("<th scope=\"row\" class=\"n\">").skip(1);
    rows.filter_map(|rest| rest.split('<').next()?.parse().ok())
        .collect()
}

/// Where a link of a page leads.
fn link(text: &str, words: &str) -> Option<String> {
    let before = text
        .split(&format!("\">{words}</a>"))
        .next()
        .filter(|before| before.len() < text.len())?;
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
    // More than a page holds.
    for n in 0..60 {
        let store = &service.state().store;
        let looked = store.record_access(&Scope::system("test"), "test.look", None, json!({ "n": n }));
        looked.expect("recorded");
    }
    let office = Browser::of(&service, Role::Coordinator, None);
    let mut text = office.text("/audit");
    let mut seen = numbers(&text);
    assert_eq!(seen.len(), 100);
    while let Some(older) = link(&text, "Older events") {
        text = office.text(&older);
        seen.extend(numbers(&text));
    }
    let whole: Vec<i64> = (1..=seen[0]).rev().collect();
    assert_eq!(seen, whole, "every event once, newest first");

    let text = office.text("/audit?action=case.create");
    assert_eq!(numbers(&text).len(), 3);
    assert!(
        text.contains("seen &#60;at&#62; the ward") && text.contains("Data manager"),
        "{text}"
    );
    assert!(
        text.contains("test submitter"),
        "a key by what it is called: {text}"
    );
    let case_id = service
        .state()
        .store
        .case_row(&Scope::system("test"), "FIG-0001")
        .expect("the case")
        .case_id;
    for named in ["FIG-0001", &case_id] {
        let text = office.text(&format!("/audit?case={named}&action=case.create"));
        assert_eq!(numbers(&text).len(), 1, "{named}");
    }
    assert!(
        office
            .text("/audit?case=FIG-9999")
            .contains("No event has all of these")
    );
    let of_centre = numbers(&office.text("/audit?centre=C02&action=centre.year"));
    assert_eq!(of_centre.len(), 9);
    assert_eq!(
        numbers(&office.text("/audit?from=2026-11-23&to=2026-11-23&action=case.create")).len(),
        3
    );
    for none in [
        "/audit?to=2026-11-22",
        "/audit?from=2026-11-24",
        "/audit?actor=nobody",
    ] {
        assert!(office.text(none).contains("No event has all of these"), "{none}");
    }
    // An empty field of the form is no filter.
    assert_eq!(
        numbers(&office.text("/audit?actor=&action=case.create&from=")).len(),
        3
    );
    let answer = office.page("/audit?from=canary").expect(400).text();
    assert!(answer.contains("from:") && !answer.contains("canary"));
    office.page("/audit?cursor=canary").expect(400);

    // Who sees no case reads no reason given with one, and names none by its pseudonym.
    let admin = Browser::of(&service, Role::Admin, None);
    let text = admin.text("/audit?action=case.create");
    assert_eq!(numbers(&text).len(), 3);
    assert!(
        text.contains("not readable") && !text.contains("the ward"),
        "{text}"
    );
    assert!(
        admin
            .text("/audit?case=FIG-0001")
            .contains("No event has all of these")
    );
    for (role, centre) in [
        ("committee", None),
        ("researcher", None),
        ("submitter", Some("C01")),
    ] {
        service
            .client(role, centre)
            .get_with("/audit", &[HTML])
            .expect(403);
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
                    store
                        .record_access(&system, "test.look", Some("it, \"all\""), details)
                        .expect("recorded");
                }
            });
        }
    });
    let office = service.client("coordinator", None);
    let answer = office.get("/audit.csv?action=test.look").expect(200);
    assert!(
        answer
            .header("content-disposition")
            .is_some_and(|value| value.contains("audit.csv"))
    );
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
    let office = Browser::of(&service, Role::Coordinator, None);
    let checked = |anchor: &str| office.send("/audit/verify", &[("anchor", anchor)]);
    let head = service.state().store.audit_head().expect("a head");
    let text = checked("").expect(200).text();
    assert!(
        text.contains(&format!("{} events, the chain is whole", head.seq)),
        "{text}"
    );
    assert!(text.contains(&head.to_string()), "{text}");
    // A head noted earlier is still there; one that this chain never had is not.
    service.key("researcher", None);
    assert!(
        checked(&head.to_string())
            .expect(200)
            .text()
            .contains("the chain is whole")
    );
    let text = checked(&format!("{}:{}", head.seq, "0".repeat(64)))
        .expect(200)
        .text();
    assert!(
        text.contains("The chain is broken") && text.contains("the chain was rewritten"),
        "{text}"
    );
    let longer = format!("{}:{}", head.seq + 1000, "0".repeat(64));
    assert!(checked(&longer).expect(200).text().contains("cut short"));
    for wrong in ["canary", "12:canary", "canary:0"] {
        office.refused("/audit/verify", &[("anchor", wrong)], 422, "Head noted earlier");
    }
}
