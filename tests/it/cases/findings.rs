//! `/api/v1/cases/{pseudonym}/findings` and the answers to warnings.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const PATH: &str = "/api/v1/cases/FIG-0001";

fn listed(client: &Client, state: &str) -> Vec<Value> {
    let answer = client.get(&format!("{PATH}/findings{state}")).expect(200).json();
    answer["findings"].as_array().expect("findings").clone()
}

/// A small case whose referral lies before the detection: one warning.
fn put(client: &Client, headers: &[(&str, &str)], body: &Value) -> Value {
    let answer = client.put(PATH, headers, body);
    answer.json()
}

#[test]
fn a_warning_is_answered_and_stays_so_until_its_elements_change() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::figure_1("FIG-0001");
    let stored = put(&centre, &[], &body);
    let warning = stored["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|f| {
            f["severity"] == "warning" && f["pointer"].as_str().is_some_and(|p| p.starts_with("/imaging/"))
        })
        .cloned()
        .expect("a warning about a scan");
    assert_eq!(warning["state"], "open");
    let identity = warning["identity"].as_str().expect("an identity").to_owned();
    let path = format!("{PATH}/findings/{identity}:answer");

    assert_eq!(
        centre.post(&path, &[], &json!({"why": "x"})).expect(422).code(),
        "invalid_value"
    );
    assert_eq!(
        centre.post(&path, &[], &json!({"reason": ""})).expect(422).code(),
        "invalid_value"
    );
    assert_eq!(
        service
            .submitter("C02")
            .post(&path, &[], &json!({"reason": "x"}))
            .expect(404)
            .code(),
        "not_found"
    );
    assert_eq!(
        service
            .client("coordinator", None)
            .post(&path, &[], &json!({"reason": "x"}))
            .expect(403)
            .code(),
        "forbidden"
    );
    let answered = centre
        .post(&path, &[], &json!({"reason": "seen in the report"}))
        .expect(200)
        .json();
    assert_eq!(
        (&answered["state"], &answered["answer"]["reason"]),
        (&json!("answered"), &json!("seen in the report"))
    );

    // The same rows in another order: the same finding, still answered.
    body["imaging"].as_array_mut().expect("rows").reverse();
    let again = put(&centre, &[("if-match", "*")], &body);
    let found = again["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|f| f["identity"] == identity.as_str());
    assert_eq!(found.map(|f| &f["state"]), Some(&json!("answered")));
    assert_eq!(listed(&centre, "?state=answered").len(), 1);
    assert!(
        listed(&centre, "?state=open")
            .iter()
            .all(|f| f["identity"] != identity.as_str())
    );

    // Without the row the finding is resolved, and only asked for by name.
    let at = found
        .and_then(|f| f["pointer"].as_str()?.split('/').nth(2)?.parse::<usize>().ok())
        .expect("a row");
    body["imaging"].as_array_mut().expect("rows").remove(at);
    put(&centre, &[("if-match", "*")], &body);
    assert!(listed(&centre, "").iter().all(|f| f["state"] != "resolved"));
    let resolved = listed(&centre, "?state=resolved");
    let one = resolved
        .iter()
        .find(|f| f["identity"] == identity.as_str())
        .expect("it was there");
    assert_eq!(
        (&one["first_version"], &one["last_version"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        centre
            .get(&format!("{PATH}/findings?state=none"))
            .expect(400)
            .code(),
        "bad_query"
    );
    service.verify_audit();
}
