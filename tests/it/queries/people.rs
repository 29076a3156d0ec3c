//! Queries that people raise, and what is refused.

use serde_json::{Value, json};
use support::{records, service::Service};

use super::{CASE, PATH, id, listed, stored};

#[test]
fn the_office_asks_the_centre_answers_the_office_reopens_and_closes() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    let asked = json!({"case": CASE, "text": "Which scanner was it?", "pointer": "/imaging/0/date"});
    let query = office.post(PATH, &[], &asked).expect(201);
    let place = query.header("location").expect("an address").to_owned();
    let query = query.json();
    assert_eq!(
        (&query["state"], &query["raised_by"], &query["elements"]),
        (&json!("open"), &json!("office"), &json!(["imaging.date"]))
    );
    assert_eq!(query["may"], json!(["message", "close"]));
    let (messages, close, reopen) = (
        format!("{place}/messages"),
        format!("{place}:close"),
        format!("{place}:reopen"),
    );

    assert_eq!(
        centre.post(&close, &[], &json!({})).expect(409).code(),
        "invalid_state"
    );
    let early = office
        .post(&reopen, &[], &json!({"text": "x"}))
        .expect(409)
        .json();
    assert_eq!(early["detail"], "the query is open");
    assert_eq!(
        centre.post(&messages, &[], &json!({})).expect(422).code(),
        "invalid_value"
    );
    assert_eq!(
        centre
            .post(&messages, &[], &json!({"word": "x"}))
            .expect(422)
            .code(),
        "invalid_value"
    );
    let answered = centre
        .post(&messages, &[], &json!({"text": "The old one."}))
        .expect(200)
        .json();
    assert_eq!(
        (&answered["state"], &answered["waits_for"]),
        (&json!("answered"), &json!("office"))
    );
    let wrong = office
        .post(&messages, &[], &json!({"text": "Sure?"}))
        .expect(409)
        .json();
    assert!(
        wrong["detail"]
            .as_str()
            .is_some_and(|d| d.contains("reopen it with a message")),
        "{wrong}"
    );
    assert_eq!(
        office.post(&reopen, &[], &json!({})).expect(422).code(),
        "invalid_value"
    );
    office
        .post(&reopen, &[], &json!({"text": "Its name?"}))
        .expect(200);
    centre
        .post(&messages, &[], &json!({"text": "Unknown."}))
        .expect(200);
    let closed = office.post(&close, &[], &json!({})).expect(200).json();
    assert_eq!(
        (&closed["state"], &closed["closing"], &closed["reopened"]),
        (&json!("closed"), &json!("accepted"), &json!(1))
    );
    let said = centre.get(&messages).expect(200).json();
    let steps: Vec<&str> = said["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|m| m["step"].as_str())
        .collect();
    assert_eq!(steps, ["raised", "answered", "reopened", "answered", "accepted"]);
    let roles: Vec<&str> = said["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|m| m["role"].as_str())
        .collect();
    assert_eq!(
        roles,
        [
            "coordinator",
            "submitter",
            "coordinator",
            "submitter",
            "coordinator"
        ]
    );

    // The other way round: a centre asks the office about its own case.
    let question = centre
        .post(
            PATH,
            &[],
            &json!({"case": CASE, "text": "Does the biopsy count?", "element": "biopsy"}),
        )
        .expect(201)
        .json();
    assert_eq!(
        (&question["raised_by"], &question["waits_for"]),
        (&json!("centre"), &json!("office"))
    );
    let audit = office.get("/api/v1/audit?action=query.raise").expect(200).json();
    assert_eq!(audit["events"].as_array().map(Vec::len), Some(2), "{audit}");
    assert!(!audit.to_string().contains("biopsy count"));
    service.verify_audit();
}

#[test]
fn what_a_query_is_about_is_looked_up() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    let ask = |more: Value| {
        let mut body = json!({"case": CASE, "text": "?"});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().expect("an object"));
        office.post(PATH, &[], &body)
    };
    for refused in [
        json!({"text": ""}),
        json!({"element": "imaging.no_such"}),
        json!({"element": "centre.name"}),
        json!({"element": "no_such"}),
        json!({"pointer": "imaging"}),
        json!({"pointer": "/no_such/0"}),
        json!({"pointer": "/imaging/x/date"}),
        json!({"pointer": "/imaging/0/no_such"}),
        json!({"pointer": "/imaging/0/date/deep"}),
        json!({"pointer": "/imaging/99/date"}),
        json!({"pointer": "/imaging/0/date", "element": "imaging.region"}),
        json!({"rule": "E-999"}),
        json!({"unknown": true}),
    ] {
        let answer = ask(refused.clone()).expect(422);
        assert_eq!(answer.code(), "invalid_value", "{refused}");
        assert!(answer.json()["detail"].is_string(), "{refused}");
    }
    for taken in [
        json!({"element": "imaging"}),
        json!({"element": "primary.icdo_morphology", "rule": "E-011"}),
        json!({"pointer": "/primary"}),
        json!({"pointer": "/followup"}),
    ] {
        ask(taken).expect(201);
    }
    assert_eq!(ask(json!({"case": "NONE-1"})).expect(404).code(), "not_found");
    assert_eq!(
        ask(json!({"text": "x\u{202e}y"})).expect(400).code(),
        "control_character"
    );
    // A draft is the centre's own.
    let draft = records::figure_1("FIG-0002");
    centre
        .put("/api/v1/cases/FIG-0002?draft=true", &[], &draft)
        .expect(201);
    assert!(listed(&centre, "?case=FIG-0002").is_empty());
    assert_eq!(
        ask(json!({"case": "FIG-0002"})).expect(409).code(),
        "invalid_state"
    );
}

#[test]
fn another_centres_query_is_no_such_query_and_roles_without_cases_are_refused() {
    let service = Service::start();
    let (centre, stranger) = (service.submitter("C01"), service.submitter("C02"));
    stored(&centre);
    let query = id(&listed(&centre, "")[0]);
    assert!(listed(&stranger, "").is_empty() && listed(&stranger, "?centre=C01").is_empty());
    let masked = |answer: support::client::Answer| {
        let mut body = answer.json();
        body["request_id"] = json!("");
        body.to_string()
    };
    for (method, tail) in [
        ("GET", ""),
        ("GET", "/messages"),
        ("POST", "/messages"),
        ("POST", ":close"),
        ("POST", ":reopen"),
    ] {
        let send = |id: &str| {
            let path = format!("{PATH}/{id}{tail}");
            let answer = if method == "GET" {
                stranger.get(&path)
            } else {
                stranger.post(&path, &[], &json!({"text": "x"}))
            };
            masked(answer.expect(404))
        };
        assert_eq!(
            send(&query),
            send("0198a000-0000-7000-8000-000000000000"),
            "{method} {tail}"
        );
    }
    assert_eq!(
        stranger
            .post(PATH, &[], &json!({"case": CASE, "text": "?"}))
            .expect(404)
            .code(),
        "not_found"
    );
    stranger.get(&format!("/queries/{query}")).expect(404);
    for role in ["researcher", "committee", "admin"] {
        let client = service.client(role, None);
        for path in [
            PATH.to_owned(),
            format!("{PATH}/{query}"),
            format!("{PATH}/metrics"),
            "/queries".to_owned(),
        ] {
            client.get(&path).expect(403);
        }
    }
}

#[test]
fn a_repeated_request_raises_one_query() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    let key = [("idempotency-key", "q-1")];
    let body = json!({"case": CASE, "text": "Once?"});
    let first = office.post(PATH, &key, &body).expect(201);
    let again = office.post(PATH, &key, &body).expect(201);
    assert_eq!(
        (
            first.header("idempotent-replayed"),
            again.header("idempotent-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(
        (first.json(), first.header("location")),
        (again.json(), again.header("location"))
    );
    assert_eq!(listed(&office, "?raised_by=office").len(), 1);
    assert_eq!(
        office
            .post(PATH, &key, &json!({"case": CASE, "text": "Other?"}))
            .expect(422)
            .code(),
        "idempotency_key_reused"
    );
    let path = format!("{PATH}/{}/messages", id(&first.json()));
    for replayed in [None, Some("true")] {
        let said = centre.post(&path, &key, &json!({"text": "so"})).expect(200);
        assert_eq!(said.header("idempotent-replayed"), replayed);
    }
    assert_eq!(
        office.get(&path).expect(200).json()["messages"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}
