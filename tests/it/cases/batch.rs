//! `POST /api/v1/cases:batch`: many records, each with its own answer.

use serde_json::{Value, json};
use support::{records, service::Service};

fn lines(count: usize, bad: Option<usize>) -> Vec<u8> {
    let mut body = Vec::new();
    let template = records::example("figure-2", "TEMPLATE");
    for n in 0..count {
        let mut case = template.clone();
        case["patient"]["pseudonym_id"] = json!(format!("BATCH-{n:05}"));
        if bad == Some(n) {
            case["patient"]["sex"] = json!("nonsense");
        }
        body.extend_from_slice(case.to_string().as_bytes());
        body.push(b'\n');
    }
    body
}

#[test]
fn items_are_answered_in_order_and_one_bad_item_spoils_only_itself() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", "b-1"),
    ];
    let answer = centre
        .send("POST", "/api/v1/cases:batch", &headers, Some(&lines(20, Some(7))))
        .expect(200)
        .json();
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 20);
    for (n, result) in results.iter().enumerate() {
        let expected = if n == 7 { 422 } else { 201 };
        assert_eq!(result["status"], expected, "item {n}: {result}");
    }
    centre.get("/api/v1/cases/BATCH-00006").expect(200);
    centre.get("/api/v1/cases/BATCH-00007").expect(404);
    let replay = centre
        .send("POST", "/api/v1/cases:batch", &headers, Some(&lines(20, Some(7))))
        .expect(200);
    assert_eq!(replay.header("idempotent-replayed"), Some("true"));
    assert_eq!(replay.json(), answer);
}

#[test]
fn an_atomic_batch_is_stored_whole_or_not_at_all() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", "b-2"),
    ];
    let refused = centre.send(
        "POST",
        "/api/v1/cases:batch?atomic=true",
        &headers,
        Some(&lines(300, Some(211))),
    );
    assert_eq!(refused.status, 422, "{}", refused.text());
    let named = refused.json()["errors"]
        .as_array()
        .is_some_and(|all| all.iter().any(|e| e["pointer"] == json!("/211/patient/sex")));
    assert!(named, "the bad item is named: {}", refused.text());
    let count = |v: Value| v["cases"].as_array().map(Vec::len);
    assert_eq!(count(centre.get("/api/v1/cases").expect(200).json()), Some(0));
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", "b-3"),
    ];
    centre
        .send(
            "POST",
            "/api/v1/cases:batch?atomic=true",
            &headers,
            Some(&lines(30, None)),
        )
        .expect(200);
    assert_eq!(
        count(centre.get("/api/v1/cases?limit=100").expect(200).json()),
        Some(30)
    );
}
