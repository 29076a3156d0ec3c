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
        assert_eq!(result["case"], format!("BATCH-{n:05}"));
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

/// What a whole batch, or a validation, lists of its errors is bounded; what is beyond is counted, with the item it belongs to.
#[test]
fn a_batch_lists_ten_thousand_errors_and_counts_the_rest() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut case = records::example("minimal", "TEMPLATE");
    for n in 0..200 {
        case["patient"][format!("unknown_{n}")] = json!(n);
    }
    let items = vec![case; 60];
    let told = centre
        .post("/api/v1/cases:batch", &[], &json!(items))
        .expect(200)
        .json();
    let results = told["results"].as_array().expect("results");
    let listed = |result: &Value| result["errors"].as_array().map_or(0, Vec::len);
    assert_eq!(
        (listed(&results[0]), listed(&results[49]), listed(&results[50])),
        (200, 200, 0)
    );
    assert_eq!(results.iter().map(listed).sum::<usize>(), 10_000);
    assert!(results.iter().all(|result| result["status"] == 422));
    assert_eq!(
        (&results[0]["further_errors"], &results[50]["further_errors"]),
        (&Value::Null, &json!(200)),
        "none is not said"
    );
    let judged = centre
        .post("/api/v1/cases:validate", &[], &json!(items))
        .expect(200)
        .json();
    let judged = judged["results"].as_array().expect("results");
    let found = |result: &Value| result["findings"].as_array().map_or(0, Vec::len);
    assert_eq!(
        (
            found(&judged[49]),
            found(&judged[50]),
            &judged[50]["further_findings"]
        ),
        (200, 0, &json!(200))
    );
    assert_eq!(judged.iter().map(found).sum::<usize>(), 10_000);
    let refused = centre
        .post("/api/v1/cases:batch?atomic=true", &[], &json!(items))
        .expect(422)
        .json();
    // Of the last ten the item alone is named.
    assert_eq!(
        (
            refused["errors"].as_array().map(Vec::len),
            &refused["further_errors"]
        ),
        (Some(10_010), &json!(2000))
    );
}

/// What an atomic batch refuses says what to do, as it does alone.
#[test]
fn an_atomic_batch_says_why_of_an_item_without_findings() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let sent = json!([
        records::example("minimal", "STAYS-1"),
        records::withdrawal("GOES-1")
    ]);
    let refused = centre
        .post("/api/v1/cases:batch?atomic=true", &[], &sent)
        .expect(422)
        .json();
    let error = &refused["errors"][0];
    assert_eq!(error["pointer"], "/1");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("send it alone")),
        "{refused}"
    );
}

#[test]
fn item_4711_of_a_large_batch_is_named_and_the_others_are_stored() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let template = records::example("minimal", "TEMPLATE");
    let mut body = Vec::new();
    for n in 0..4_800 {
        let mut case = template.clone();
        case["patient"]["pseudonym_id"] = json!(format!("BATCH-{n:05}"));
        if n == 4_711 {
            case["patient"]["sex"] = json!("nonsense");
        }
        body.extend_from_slice(case.to_string().as_bytes());
        body.push(b'\n');
    }
    let send = |path: &str| {
        let headers = [("content-type", "application/x-ndjson")];
        centre.send("POST", path, &headers, Some(&body))
    };
    let refused = send("/api/v1/cases:batch?atomic=true").expect(422).json();
    let named = refused["errors"].as_array().expect("errors");
    assert!(
        named.iter().all(|error| error["pointer"] == "/4711/patient/sex") && !named.is_empty(),
        "one item is at fault: {named:?}"
    );
    centre.get("/api/v1/cases/BATCH-00000").expect(404);
    let stored = send("/api/v1/cases:batch").expect(200).json();
    let results = stored["results"].as_array().expect("results");
    let refused: Vec<usize> = (0..results.len())
        .filter(|n| results[*n]["status"] != 201)
        .collect();
    assert_eq!(refused, [4_711]);
    centre.get("/api/v1/cases/BATCH-04799").expect(200);
}

#[test]
fn an_idempotency_key_reused_with_another_body_is_refused() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let send = |count: usize| {
        let headers = [
            ("content-type", "application/x-ndjson"),
            ("idempotency-key", "same"),
        ];
        centre.send("POST", "/api/v1/cases:batch", &headers, Some(&lines(count, None)))
    };
    send(2).expect(200);
    let other = send(3).expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");
    centre.get("/api/v1/cases/BATCH-00002").expect(404);
}

#[test]
fn a_batch_of_too_many_items_is_refused_before_they_are_read() {
    let service = Service::start_with(support::database::Database::sqlite(), |settings| {
        settings.limits.batch_items = 3;
    });
    let centre = service.submitter("C01");
    let ndjson = [("content-type", "application/x-ndjson")];
    for path in ["/api/v1/cases:batch", "/api/v1/cases:validate"] {
        let send = |headers: &[(&str, &str)], body: &[u8]| centre.send("POST", path, headers, Some(body));
        send(&ndjson, &lines(3, None)).expect(200);
        let over = send(&ndjson, &lines(4, None)).expect(413);
        assert!(over.text().contains("at most 3 items"), "{}", over.text());
        // Nothing after the fourth element of an array is looked at, or it would be 400.
        let over = send(&[("content-type", "application/json")], b"[0,0,0,0,nonsense").expect(413);
        assert!(over.text().contains("at most 3 items"), "{}", over.text());
    }
}

#[test]
fn a_centre_has_one_job_at_a_time() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let scope = service
        .state()
        .store
        .authenticate(&service.key("submitter", Some("C01")))
        .expect("a key");
    let other = service
        .state()
        .store
        .start_job(&scope, "import", false, 1)
        .expect("a job");
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("prefer", "respond-async"),
    ];
    let begin = || centre.send("POST", "/api/v1/cases:batch", &headers, Some(&lines(2, None)));
    let refused = begin().expect(409);
    assert_eq!(refused.code(), "invalid_state");
    let import = centre.send(
        "POST",
        "/api/v1/imports?format=redcap-csv&wait=true",
        &[("content-type", "text/csv")],
        Some(b"record_id\nX-1\n"),
    );
    import.expect(409);
    service
        .state()
        .store
        .end_job(&scope, &other.job_id, other.counts, None)
        .expect("it ends");
    let job = begin().expect(202).json();
    assert_eq!(ended(&centre, &job)["state"], "done");
}

/// The counts of a job: total, created, changed, unchanged, refused.
fn counts(job: &Value) -> [u64; 5] {
    ["total", "created", "changed", "unchanged", "refused"]
        .map(|name| job["counts"][name].as_u64().expect("a count"))
}

/// Asks until the job has ended.
fn ended(client: &support::client::Client, job: &Value) -> Value {
    let path = format!("/api/v1/jobs/{}", job["job_id"].as_str().expect("an id"));
    let start = std::time::Instant::now();
    loop {
        let job = client.get(&path).expect(200).json();
        if job["state"] != "running" {
            return job;
        }
        assert!(start.elapsed().as_secs() < 120, "{job}");
    }
}

fn report(client: &support::client::Client, job: &Value) -> Vec<Value> {
    let path = format!("/api/v1/jobs/{}/report", job["job_id"].as_str().expect("an id"));
    let text = client.get(&path).expect(200).text();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_batch_is_a_job_when_the_caller_prefers_that() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("prefer", "wait=5, Respond-Async"),
        ("idempotency-key", "job-1"),
    ];
    let path = "/api/v1/cases:batch";
    let begun = centre
        .send("POST", path, &headers, Some(&lines(130, Some(117))))
        .expect(202);
    assert_eq!(begun.header("preference-applied"), Some("respond-async"));
    let job = begun.json();
    assert_eq!((&job["kind"], counts(&job)[0]), (&json!("batch"), 130));
    assert_eq!(
        begun.header("location"),
        Some(format!("/api/v1/jobs/{}", job["job_id"].as_str().expect("an id")).as_str())
    );
    let done = ended(&centre, &job);
    assert_eq!(
        (&done["state"], counts(&done)),
        (&json!("done"), [130, 129, 0, 0, 1])
    );
    let told = report(&centre, &job);
    assert_eq!(told.len(), 130);
    for (n, line) in told.iter().enumerate() {
        assert_eq!(
            (&line["item"], &line["case"]),
            (&json!(n), &json!(format!("BATCH-{n:05}")))
        );
        assert_eq!(
            line["result"]["status"],
            if n == 117 { 422 } else { 201 },
            "{line}"
        );
    }
    assert_eq!(told[117]["result"]["errors"][0]["pointer"], "/patient/sex");
    // The same request again is the same job; the same cases in another are as they were.
    let replay = centre
        .send("POST", path, &headers, Some(&lines(130, Some(117))))
        .expect(202);
    assert_eq!(replay.json()["job_id"], job["job_id"]);
    let again = centre
        .send("POST", path, &headers[..2], Some(&lines(130, Some(117))))
        .expect(202);
    assert_eq!(counts(&ended(&centre, &again.json())), [130, 0, 0, 129, 1]);
    service
        .submitter("C02")
        .get(begun.header("location").expect("a place"))
        .expect(404);
}

#[test]
fn an_atomic_job_stores_all_or_nothing_and_a_large_batch_is_a_job_unasked() {
    let service = Service::start_with(support::database::Database::sqlite(), |settings| {
        settings.limits.batch_job_items = 40;
    });
    let centre = service.submitter("C01");
    let headers = [("content-type", "application/x-ndjson")];
    let small = centre.send("POST", "/api/v1/cases:batch", &headers, Some(&lines(2, None)));
    assert_eq!(
        small.expect(200).json()["results"].as_array().map(Vec::len),
        Some(2)
    );
    let path = "/api/v1/cases:batch?atomic=true";
    let refused = centre
        .send("POST", path, &headers, Some(&lines(150, Some(149))))
        .expect(202);
    assert_eq!(refused.header("preference-applied"), None);
    let job = ended(&centre, &refused.json());
    assert_eq!(
        (&job["state"], counts(&job)),
        (&json!("failed"), [150, 0, 0, 0, 150])
    );
    assert!(
        job["problem"]
            .as_str()
            .is_some_and(|why| why.contains("nothing of it was stored"))
    );
    let told = report(&centre, &job);
    assert!(
        told.iter().any(|line| line["pointer"] == "/149/patient/sex"),
        "{told:?}"
    );
    let count = |v: Value| v["cases"].as_array().map(Vec::len);
    assert_eq!(count(centre.get("/api/v1/cases").expect(200).json()), Some(2));
    let stored = centre
        .send("POST", path, &headers, Some(&lines(150, None)))
        .expect(202);
    let job = ended(&centre, &stored.json());
    assert_eq!(
        (&job["state"], counts(&job)),
        (&json!("done"), [150, 148, 0, 2, 0])
    );
    service.verify_audit();
}
