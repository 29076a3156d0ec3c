//! `/api/v1/queries`: raised by checks and people, answered, closed and reopened; lists, metrics, pages.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const CASE: &str = "FIG-0001";
const PATH: &str = "/api/v1/queries";

fn listed(client: &Client, filter: &str) -> Vec<Value> {
    let answer = client.get(&format!("{PATH}{filter}")).expect(200).json();
    answer["queries"].as_array().expect("queries").clone()
}

fn id(query: &Value) -> String {
    query["id"].as_str().expect("an id").to_owned()
}

fn ids(queries: &[Value]) -> Vec<String> {
    queries.iter().map(id).collect()
}

/// A case with warnings about its scans, and the findings that warn.
fn stored(client: &Client) -> (Value, Vec<Value>) {
    let body = records::figure_1(CASE);
    let answer = client
        .put(&format!("/api/v1/cases/{CASE}"), &[], &body)
        .expect(201)
        .json();
    let findings = answer["findings"].as_array().expect("findings").iter();
    let warns = |f: &&Value| f["severity"] == "warning" && !f["rule"].is_null();
    (body, findings.filter(warns).cloned().collect())
}

#[test]
fn every_warning_of_a_check_is_one_query_whatever_the_order_of_the_rows() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let (mut body, warnings) = stored(&centre);
    assert!(!warnings.is_empty());
    let first = listed(&centre, "");
    assert_eq!(first.len(), warnings.len());
    let rules = |queries: &[Value]| {
        let mut all: Vec<_> = queries.iter().map(|q| q["rule"].to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(rules(&first), rules(&warnings));
    for query in &first {
        assert_eq!(
            (&query["state"], &query["raised_by"], &query["waits_for"]),
            (&json!("open"), &json!("rule"), &json!("centre"))
        );
        assert_eq!((&query["case"], &query["centre"]), (&json!(CASE), &json!("C01")));
    }
    // A second push with the rows turned round: the same queries.
    body["imaging"].as_array_mut().expect("rows").reverse();
    centre
        .put(&format!("/api/v1/cases/{CASE}"), &[("if-match", "*")], &body)
        .expect(200);
    assert_eq!(ids(&listed(&centre, "")), ids(&first));
    // Without the scans what they were asked about is settled by the registry.
    let of_imaging = listed(&centre, "?element=imaging&raised_by=rule");
    assert!(!of_imaging.is_empty());
    body["imaging"] = json!([]);
    let answer = centre
        .put(&format!("/api/v1/cases/{CASE}"), &[("if-match", "*")], &body)
        .expect(200)
        .json();
    let fires: Vec<&Value> = answer["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|f| f["severity"] == "warning")
        .map(|f| &f["rule"])
        .collect();
    let closed = listed(&centre, "?state=closed");
    assert!(!closed.is_empty());
    for query in &closed {
        assert_eq!(
            (&query["closing"], &query["closed_by"]),
            (&json!("resolved"), &json!("registry"))
        );
        assert!(!fires.contains(&&query["rule"]), "{query}");
    }
    assert_eq!(listed(&centre, "?state=unsettled").len(), fires.len());
    service.verify_audit();
}

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
fn an_answered_query_of_a_check_answers_its_finding() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    let query = listed(&centre, "?raised_by=rule&element=imaging").remove(0);
    let place = format!("{PATH}/{}", id(&query));
    let open = |client: &Client| {
        let found = client
            .get(&format!("/api/v1/cases/{CASE}/findings?state=open"))
            .expect(200)
            .json();
        found["findings"].as_array().map_or(0, Vec::len)
    };
    let before = open(&centre);
    let early = office
        .post(&format!("{place}:close"), &[], &json!({"text": "fine"}))
        .expect(409)
        .json();
    assert!(
        early["detail"]
            .as_str()
            .is_some_and(|d| d.contains("still fires")),
        "{early}"
    );
    centre
        .post(
            &format!("{place}/messages"),
            &[],
            &json!({"text": "seen in the report"}),
        )
        .expect(200);
    assert_eq!(open(&centre), before - 1);
    office
        .post(&format!("{place}:reopen"), &[], &json!({"text": "whose?"}))
        .expect(200);
    assert_eq!(open(&centre), before);
    centre
        .post(&format!("{place}/messages"), &[], &json!({"text": "ours"}))
        .expect(200);
    let closed = office
        .post(&format!("{place}:close"), &[], &json!({}))
        .expect(200)
        .json();
    assert_eq!((&closed["state"], open(&centre)), (&json!("closed"), before - 1));
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

#[test]
fn lists_page_filter_and_come_as_a_table() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    for n in 0..3 {
        office
            .post(
                PATH,
                &[],
                &json!({"case": CASE, "text": format!("Question {n}, \"quoted\"?")}),
            )
            .expect(201);
    }
    let all = ids(&listed(&office, ""));
    let (mut seen, mut path) = (Vec::new(), format!("{PATH}?limit=2"));
    loop {
        let answer = office.get(&path).expect(200);
        seen.extend(ids(answer.json()["queries"].as_array().expect("queries")));
        let Some(link) = answer.header("link") else { break };
        path = link
            .trim_start_matches('<')
            .split('>')
            .next()
            .expect("an address")
            .to_owned();
    }
    assert_eq!(seen, all);
    assert_eq!(listed(&office, "?raised_by=person").len(), 3);
    assert_eq!(listed(&office, "?raised_by=person&waits_for=office").len(), 0);
    assert_eq!(
        listed(&office, &format!("?case={CASE}&centre=C01")).len(),
        all.len()
    );
    service.advance_days(2);
    let last = &listed(&office, "?raised_by=person")[2];
    let answered = centre
        .post(
            &format!("{PATH}/{}/messages", id(last)),
            &[],
            &json!({"text": "yes"}),
        )
        .expect(200)
        .json();
    let since = answered["updated_at"].as_str().expect("a time").to_owned();
    assert_eq!(
        ids(&listed(&office, &format!("?updated_since={since}"))),
        [id(last)]
    );
    for bad in [
        "?state=none",
        "?raised_by=me",
        "?waits_for=x",
        "?limit=0",
        "?limit=501",
        "?nothing=1",
        "?updated_since=x",
    ] {
        assert_eq!(
            office.get(&format!("{PATH}{bad}")).expect(400).code(),
            "bad_query",
            "{bad}"
        );
    }
    assert_eq!(
        office.get(&format!("{PATH}?cursor=x")).expect(422).code(),
        "invalid_value"
    );
    let table = office
        .get_with(&format!("{PATH}?raised_by=person"), &[("accept", "text/csv")])
        .expect(200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let mut reader = csv::Reader::from_reader(table.body.as_slice());
    let at = reader
        .headers()
        .expect("a header")
        .iter()
        .position(|name| name == "question")
        .expect("a column");
    let questions: Vec<String> = reader
        .records()
        .map(|row| row.expect("a row")[at].to_owned())
        .collect();
    assert_eq!(questions[0], "Question 0, \"quoted\"?");
    assert_eq!(questions.len(), 3);
}

#[test]
fn metrics_tell_how_many_and_how_soon() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    let (_, warnings) = stored(&centre);
    let ask = |text: &str| {
        id(&office
            .post(PATH, &[], &json!({"case": CASE, "text": text}))
            .expect(201)
            .json())
    };
    let (first, second) = (ask("first"), ask("second"));
    let answer = |id: &str| {
        centre
            .post(&format!("{PATH}/{id}/messages"), &[], &json!({"text": "so"}))
            .expect(200)
    };
    service.advance_days(2);
    answer(&first);
    service.advance_days(4);
    answer(&second);
    office
        .post(&format!("{PATH}/{first}:close"), &[], &json!({}))
        .expect(200);
    centre
        .post(PATH, &[], &json!({"case": CASE, "text": "And this?"}))
        .expect(201);

    let own = centre.get(&format!("{PATH}/metrics")).expect(200).json();
    let levels = own["levels"].as_array().expect("levels");
    assert_eq!(levels.len(), 1);
    let level = &levels[0];
    assert_eq!(
        (
            &level["centre"],
            &level["open"],
            &level["answered"],
            &level["closed"]
        ),
        (&json!("C01"), &json!(warnings.len()), &json!(1), &json!(1))
    );
    assert_eq!(
        level["days_to_answer"],
        json!({"n": 2, "median": 4.0, "p90": 5.6})
    );
    assert_eq!(level["days_to_close"], json!({"n": 1, "median": 6.0, "p90": 6.0}));
    assert_eq!(
        (&level["oldest_open_days"], &level["questions"]["open"]),
        (&json!(6), &json!(1))
    );
    let all = office.get(&format!("{PATH}/metrics")).expect(200).json();
    let names: Vec<&Value> = all["levels"]
        .as_array()
        .expect("levels")
        .iter()
        .map(|level| &level["centre"])
        .take(3)
        .collect();
    assert_eq!(names, [&Value::Null, &json!("C01"), &json!("C02")]);
    assert_eq!(all["levels"][2]["raised"], json!(0));
    let table = office
        .get_with(&format!("{PATH}/metrics"), &[("accept", "text/csv")])
        .expect(200)
        .text();
    assert!(
        table.starts_with("centre,of,rule,raised,")
            && table.contains("\nC01,people,,2,0,1,1,0,2,4,5.6,1,6,6,\n"),
        "{table}"
    );
}

#[test]
fn pages_show_queries_where_they_are_looked_for() {
    let service = Service::start();
    let (centre, office) = (service.submitter("C01"), service.client("coordinator", None));
    stored(&centre);
    let query = office
        .post(PATH, &[], &json!({"case": CASE, "text": "<b>Which</b> scan?"}))
        .expect(201)
        .json();
    for (client, path) in [
        (&centre, "/queries".to_owned()),
        (&office, "/queries?centre=C01&raised_by=office".to_owned()),
        (&centre, format!("/queries/{}", id(&query))),
        (&office, format!("/cases/{CASE}")),
    ] {
        let page = client.get(&path).expect(200).text();
        assert!(
            page.contains("&#60;b&#62;Which&#60;/b&#62; scan?") && !page.contains("<b>Which"),
            "{path}: {page}"
        );
    }
    assert!(
        !centre
            .get("/queries?raised_by=rule")
            .expect(200)
            .text()
            .contains("Which")
    );
    let overview = centre.get("/").expect(200).text();
    let waiting = listed(&centre, "?waits_for=centre").len();
    assert!(
        overview.contains(&format!("{waiting} wait for you")),
        "{overview}"
    );
    assert!(office.get("/").expect(200).text().contains("0 wait for you"));
    assert!(
        !service
            .client("committee", None)
            .get("/")
            .expect(200)
            .text()
            .contains("Queries:")
    );
    service.published_run("2026-11-01");
    let list = centre.get("/worklist").expect(200).text();
    assert!(list.contains(&format!("{waiting} wait for the centre")), "{list}");
    let work = centre.get("/api/v1/worklist").expect(200).json();
    assert_eq!(work["queries"]["for_centre"], json!(waiting));
    let loads = office.get("/api/v1/worklist").expect(200).json();
    assert_eq!(loads["centres"][0]["queries"]["unsettled"], json!(waiting));
    office.get("/worklist").expect(200);
    for (client, path) in [
        (&office, "/queries/metrics"),
        (&centre, "/queries/metrics"),
        (&office, "/queries.csv?state=all"),
        (&office, "/queries/metrics.csv"),
    ] {
        assert!(client.get(path).expect(200).text().contains("C01"), "{path}");
    }
}
