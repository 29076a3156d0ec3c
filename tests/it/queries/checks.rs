//! Queries of edit checks.

use serde_json::{Value, json};
use support::{client::Client, service::Service};

use super::{CASE, PATH, id, ids, listed, stored};

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
    // The page takes the words it shows for the code they stand for.
    let page = |element: &str| {
        let path = format!("/queries?element={element}");
        centre
            .get_with(&path, &[("accept", "text/html")])
            .expect(200)
            .text()
    };
    let rows = |text: &str| text.matches("<th scope=\"row\"><a href=\"/queries/").count();
    let all = page("");
    let (_, choices) = all.split_once("<datalist id=\"subjects\">").expect("subjects");
    let (choice, _) = choices
        .strip_prefix("<option>")
        .and_then(|rest| rest.split_once("</option>"))
        .expect("a subject");
    let told = page(&choice.to_uppercase().replace(' ', "%20").replace(':', "%3A"));
    assert!((1..rows(&all)).contains(&rows(&told)), "{choice}: {told}");
    assert!(page("no%20such").contains("No query fits."));
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
        let mut elements = query["elements"].as_array().expect("elements").iter();
        let about_imaging = |element: &Value| element.as_str().is_some_and(|e| e.starts_with("imaging."));
        assert!(elements.any(about_imaging), "{query}");
    }
    assert_eq!(listed(&centre, "?state=unsettled").len(), fires.len());
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
