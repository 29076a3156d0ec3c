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

/// A lung metastasectomy of which nobody says whether morbidity was discussed.
fn metastasectomy(label: &str, date: &str) -> Value {
    json!({"tx_id": label, "date": date, "presentation_seq": 1, "modality": "metastasectomy", "site": "lung"})
}

#[test]
fn an_answer_stays_with_its_row_when_rows_move_and_another_is_mended() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::example("minimal", "FIG-0001");
    let (one, two) = (
        metastasectomy("T1", "2026-08-01"),
        metastasectomy("T2", "2026-09-01"),
    );
    // The row a finding of R-026 is about, and its state.
    let states = |answer: &Value, body: &Value| -> Vec<(String, String)> {
        let found = answer["findings"].as_array().expect("findings").iter();
        let mut states: Vec<_> = found
            .filter(|f| f["code"] == "R-026")
            .map(|f| {
                let pointer = f["pointer"].as_str().expect("a pointer");
                let row = pointer.rsplit_once('/').expect("an element").0;
                let label = body.pointer(&format!("{row}/tx_id")).and_then(Value::as_str);
                (
                    label.expect("a key").to_owned(),
                    f["state"].as_str().expect("a state").to_owned(),
                )
            })
            .collect();
        states.sort();
        states
    };
    let both = |one: &str, two: &str| {
        vec![
            ("T1".to_owned(), one.to_owned()),
            ("T2".to_owned(), two.to_owned()),
        ]
    };
    body["local_treatment"] = json!([one, two]);
    let stored = put(&centre, &[], &body);
    assert_eq!(states(&stored, &body), both("open", "open"), "{stored}");
    let of_one = stored["findings"].as_array().expect("findings").iter().find(|f| {
        f["code"] == "R-026"
            && f["pointer"]
                .as_str()
                .is_some_and(|p| p.starts_with("/local_treatment/0/"))
    });
    let identity = of_one.expect("of the first row")["identity"]
        .as_str()
        .expect("an identity");
    centre
        .post(
            &format!("{PATH}/findings/{identity}:answer"),
            &[],
            &json!({"reason": "in the letter"}),
        )
        .expect(200);
    body["local_treatment"] = json!([two, one]);
    let stored = put(&centre, &[("if-match", "*")], &body);
    assert_eq!(states(&stored, &body), both("answered", "open"));
    let mut mended = one.clone();
    mended["counselled_morbidity"] = json!(true);
    body["local_treatment"] = json!([mended, two]);
    let stored = put(&centre, &[("if-match", "*")], &body);
    assert_eq!(
        states(&stored, &body),
        [("T2".to_owned(), "open".to_owned())],
        "nobody answered for the second row"
    );
    body["local_treatment"] = json!([one, two]);
    let stored = put(&centre, &[("if-match", "*")], &body);
    assert_eq!(
        states(&stored, &body),
        both("answered", "open"),
        "as it was when it was answered"
    );
}
