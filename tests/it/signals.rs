//! `/signals` and `/api/v1/signals`: the committee's list of centres far below the network, what is done about them, the letter looked up.

use serde_json::{Value, json};
use support::client::Client;
use support::{records, service::Service};

use crate::session::{signed_in, token};

const HTML: (&str, &str) = ("accept", "text/html");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Twelve patients at each of four centres; those of C01 were never seen by a board.
fn one_far_below(service: &Service) {
    for (centre, seen) in [("C01", false), ("C02", true), ("C03", true), ("C04", true)] {
        let client = service.submitter(centre);
        for n in 0..12 {
            let name = format!("{centre}-{n:04}");
            let mut body = records::example("observation-only", &name);
            if !seen {
                body["mdt"] = json!([]);
            }
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    }
    service.published_run("2026-11-01");
}

/// Measure 1a among the signals listed, or those followed up.
fn of_1a(client: &Client, list: &str) -> Option<Value> {
    let answer = client.get("/api/v1/signals").expect(200).json();
    let all = answer[list].as_array().expect("a list").clone();
    all.into_iter().find(|one| one["measure"] == "1a")
}

fn steps(signal: &Value) -> Vec<(String, Value)> {
    let history = signal["history"].as_array().expect("a history");
    let step = |one: &Value| {
        (
            one["step"].as_str().expect("a step").to_owned(),
            one["reason"].clone(),
        )
    };
    history.iter().map(step).collect()
}

/// Measure 1a rests on a threshold that nobody has ratified, and says so wherever a letter may be decided on.
#[test]
fn a_signal_says_that_its_threshold_is_not_ratified() {
    let service = Service::start();
    one_far_below(&service);
    let committee = service.client("committee", None);
    let table = committee.get("/api/v1/adherence?measure=1a").expect(200).json();
    assert_ne!(table["measures"][0]["unratified"], json!([]), "{table}");
    for path in ["/signals", "/brief", "/report"] {
        let text = committee.get_with(path, &[HTML]).expect(200).text();
        let at = text
            .find("signals\"><thead>")
            .or(text.find("signals\">\n<thead>"));
        let signals = &text[at.expect("a table of signals")..];
        let mut rows = signals.split("<tr>");
        let row = rows
            .find(|row| row.contains("<span class=\"id\">1a</span>"))
            .expect("1a");
        assert!(
            row.contains("<span class=\"note\">threshold not ratified</span>"),
            "{path}: {row}"
        );
    }
    let card = service
        .submitter("C01")
        .get_with("/centre", &[HTML])
        .expect(200)
        .text();
    let (_, over_time) = card
        .split_once("By half-year of the metastatic diagnosis")
        .expect("half-years");
    let row = over_time
        .split("<tr>")
        .find(|row| row.contains("<span class=\"id\">1a</span>"));
    assert!(row.expect("1a").contains("threshold not ratified"), "{over_time}");
}

#[test]
fn the_committee_and_the_office_read_signals_and_nobody_else() {
    let service = Service::start();
    for role in ["committee", "coordinator"] {
        let page = service
            .client(role, None)
            .get_with("/signals", &[HTML])
            .expect(200);
        assert!(page.text().contains("No run has been published yet."), "{role}");
    }
    for role in ["researcher", "admin"] {
        service
            .client(role, None)
            .get_with("/signals", &[HTML])
            .expect(403);
    }
    let centre = service.submitter("C01");
    centre.get_with("/signals", &[HTML]).expect(403);
    service.anonymous().get_with("/signals", &[HTML]).expect(401);

    // One case: the network is the centre, and nobody lies outside.
    centre
        .put("/api/v1/cases/FIG-0001", &[], &records::figure_1("FIG-0001"))
        .expect(201);
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let page = committee.get_with("/signals", &[HTML]).expect(200).text();
    assert!(
        page.contains("No centre that can be shown lies below the limits"),
        "{page}"
    );
    assert!(!page.contains("C01"), "{page}");
    committee.get_with("/signals?colour=canary", &[HTML]).expect(400);
}

#[test]
fn a_signal_is_followed_up_by_letter_and_only_the_office_looks_the_letter_up() {
    let service = Service::start();
    let (committee, office) = (
        service.client("committee", None),
        service.client("coordinator", None),
    );
    committee.get("/api/v1/signals").expect(404);
    one_far_below(&service);
    let found = of_1a(&committee, "signals").expect("C01 lies far below in 1a");
    assert_eq!(
        (&found["rate"], &found["network_rate"]),
        (&json!(0.0), &json!(0.75))
    );
    assert_eq!(
        (&found["denominator"], &found["published_runs_in_a_row"]),
        (&json!(12), &json!(1))
    );
    assert_eq!((&found["status"], &found["history"]), (&json!(null), &json!([])));
    // The office holds the committee's list: no centre is named to either.
    let said = committee.get("/api/v1/signals").expect(200).text();
    assert_eq!(said, office.get("/api/v1/signals").expect(200).text());
    assert!(!said.contains("C01"), "{said}");
    committee.get("/api/v1/signals?colour=canary").expect(400);

    let letter = found["letter"].as_str().expect("a letter").to_owned();
    let (status, reveal) = (
        format!("/api/v1/signals/1a/{letter}:status"),
        format!("/api/v1/signals/1a/{letter}:reveal"),
    );
    let set = |client: &Client, body: Value| client.post(&status, &[], &body);
    for client in [
        service.submitter("C01"),
        service.client("centre_lead", Some("C01")),
        service.client("researcher", None),
        service.client("admin", None),
    ] {
        client.get("/api/v1/signals").expect(403);
        set(&client, json!({"status": "noted"})).expect(403);
        client
            .post(&reveal, &[], &json!({"reason": "data_check"}))
            .expect(403);
    }
    for wrong in [
        json!({}),
        json!({"status": "lost"}),
        json!({"status": "closed"}),
        json!({"status": "closed", "reason": "tired"}),
        json!({"status": "noted", "reason": "explained"}),
    ] {
        set(&committee, wrong.clone()).expect(422);
    }
    assert_eq!(
        set(&committee, json!({"status": "noted"})).expect(200).json()["status"],
        "noted"
    );
    set(&committee, json!({"status": "noted"})).expect(409);
    // A pair that is no signal is none to follow up, whoever asks.
    let other = if letter == "A" { "B" } else { "A" };
    for path in [
        format!("/api/v1/signals/1a/{other}:status"),
        "/api/v1/signals/1a/ZZ:status".to_owned(),
        format!("/api/v1/signals/no-such/{letter}:status"),
    ] {
        office.post(&path, &[], &json!({"status": "noted"})).expect(404);
    }
    office
        .post(
            &format!("/api/v1/signals/1a/{other}:reveal"),
            &[],
            &json!({"reason": "data_check"}),
        )
        .expect(404);

    // Which centre it is: the office alone, with a reason, on record.
    committee
        .post(&reveal, &[], &json!({"reason": "letter_to_centre"}))
        .expect(403);
    office
        .post(&reveal, &[], &json!({"reason": "curious"}))
        .expect(422);
    let audited = |action: &str| {
        office
            .get(&format!("/api/v1/audit?action={action}"))
            .expect(200)
            .json()["events"]
            .clone()
    };
    assert_eq!(audited("signal.reveal"), json!([]));
    let told = office
        .post(&reveal, &[], &json!({"reason": "letter_to_centre"}))
        .expect(200)
        .json();
    assert_eq!(
        (&told["centre_id"], &told["name"]),
        (&json!("C01"), &json!("Centre C01"))
    );
    let event = audited("signal.reveal")[0].clone();
    assert_eq!(
        (
            &event["centre_id"],
            &event["subject"],
            &event["details"]["reason"]
        ),
        (&json!("C01"), &json!("1a"), &json!("letter_to_centre"))
    );

    // It stays on the list of what is followed up when a later run does not show it, and leaves when it is closed.
    service.published_run("2025-05-01");
    assert_eq!(of_1a(&committee, "signals"), None);
    let still = of_1a(&committee, "followed_up").expect("noted and not closed");
    assert_eq!(
        steps(&still),
        [
            ("noted".to_owned(), json!(null)),
            ("revealed".to_owned(), json!("letter_to_centre"))
        ]
    );
    let closed = set(
        &office,
        json!({"status": "closed", "reason": "no_longer_outside"}),
    )
    .expect(200)
    .json();
    assert_eq!(closed["status"], "closed");
    assert_eq!(of_1a(&committee, "followed_up"), None);
    set(&office, json!({"status": "noted"})).expect(404);
    assert_eq!(audited("signal.status").as_array().map(Vec::len), Some(2));
    service.verify_audit();
}

#[test]
fn the_page_sets_a_status_and_says_which_centre_was_looked_up() {
    let service = Service::start();
    one_far_below(&service);
    let committee = service.client("committee", None);
    let letter = of_1a(&committee, "signals").expect("a signal")["letter"]
        .as_str()
        .expect("a letter")
        .to_owned();
    let browser = service.anonymous();
    let session = signed_in(&service);
    let csrf = token(&service, &session, "/signals");
    let send = |path: &str, body: String| {
        browser.send(
            "POST",
            path,
            &[FORM, HTML, ("cookie", &session)],
            Some(body.as_bytes()),
        )
    };
    let (status, reveal) = (
        format!("/signals/1a/{letter}/status"),
        format!("/signals/1a/{letter}/reveal"),
    );
    send(&status, "status=noted".to_owned()).expect(403);
    send(&reveal, "reason=data_check".to_owned()).expect(403);
    assert_eq!(
        of_1a(&committee, "signals").expect("a signal")["history"],
        json!([])
    );
    send(&status, format!("csrf={csrf}&status=letter_sent")).expect(303);
    let page = |client: &Client, cookie: &str| {
        client
            .get_with("/signals", &[HTML, ("cookie", cookie)])
            .expect(200)
            .text()
    };
    let shown = page(&browser, &session);
    assert!(
        shown.contains("<span class=\"badge\">letter sent</span>"),
        "{shown}"
    );
    assert!(!shown.contains("C01"), "{shown}");
    let told = send(&reveal, format!("csrf={csrf}&reason=data_check"))
        .expect(200)
        .text();
    assert!(told.contains("<strong>C01, Centre C01</strong>"), "{told}");
    assert!(
        !page(&browser, &session).contains("C01"),
        "the next look has the letter again"
    );
    let read = committee.get_with("/signals", &[HTML]).expect(200).text();
    assert!(
        read.contains("letter looked up, to look at the centre&#39;s records"),
        "{read}"
    );
    assert!(
        !read.contains("Look up the letter") && !read.contains("C01"),
        "{read}"
    );
}
