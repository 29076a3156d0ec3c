//! `PUT /api/v1/cases/{pseudonym}`: create, replace, resend, precondition.

use serde_json::json;
use support::{records, service::Service};

#[test]
fn a_case_is_created_read_back_and_resent_without_a_new_version() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let body = records::figure_1("FIG-0001");

    let created = centre.put("/api/v1/cases/FIG-0001", &[], &body).expect(201);
    let etag = created.header("etag").expect("an ETag").to_owned();
    assert!(
        etag.starts_with('"') && etag.ends_with('"'),
        "a strong ETag: {etag}"
    );
    let answer = created.json();
    assert_eq!(answer["version"], 1);
    assert!(answer["findings"].is_array());

    let read = centre.get("/api/v1/cases/FIG-0001").expect(200);
    assert_eq!(read.header("etag"), Some(etag.as_str()));
    assert_eq!(
        read.json()["case"],
        body,
        "what is read can be edited and put back"
    );
    assert_eq!(read.json()["derived"]["histology_code"], "ddlps");

    let resent = centre
        .put("/api/v1/cases/FIG-0001", &[("if-match", &etag)], &body)
        .expect(200);
    assert_eq!(
        resent.header("etag"),
        Some(etag.as_str()),
        "the same content makes no new version"
    );
    assert_eq!(
        centre.get("/api/v1/cases/FIG-0001/versions").expect(200).json()["versions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

/// Null is missing (case record, section 1): no way of sending one makes another version, and what is read back has none.
#[test]
fn a_null_and_no_key_are_the_same_content() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let (path, any) = ("/api/v1/cases/FIG-0001", ("if-match", "*"));
    let mut without = records::figure_1("FIG-0001");
    without["primary"]
        .as_object_mut()
        .expect("a section")
        .remove("size_mm");
    let mut with = without.clone();
    with["primary"]["size_mm"] = json!(null);
    with["imaging"][0]["contrast"] = json!(null);
    without["imaging"][0]
        .as_object_mut()
        .expect("a row")
        .remove("contrast");
    let created = centre.put(path, &[], &with).expect(201).json();
    assert_eq!(created["version"], 1);
    for body in [&without, &with] {
        let again = centre.put(path, &[any], body).expect(200).json();
        assert_eq!(
            (&again["version"], &again["unchanged"]),
            (&json!(1), &json!(true))
        );
        let judged = centre
            .post("/api/v1/cases:validate", &[], body)
            .expect(200)
            .json();
        assert_eq!(judged["results"][0]["would_be"], "unchanged");
        let batch = centre
            .post("/api/v1/cases:batch", &[], &json!([body]))
            .expect(200)
            .json();
        assert_eq!(batch["results"][0]["unchanged"], true);
        assert_eq!(centre.get(path).expect(200).json()["case"], without);
    }
    // A patch with null takes the key away; where there is none it changes nothing.
    let patch = |change: &serde_json::Value| centre.patch(path, &[any], change).expect(200).json();
    assert_eq!(
        patch(&json!({ "primary": { "size_mm": null } }))["unchanged"],
        true
    );
    assert_eq!(patch(&json!({ "primary": { "size_mm": 212 } }))["version"], 2);
    assert_eq!(patch(&json!({ "primary": { "size_mm": null } }))["version"], 3);
    assert_eq!(centre.get(path).expect(200).json()["case"], without);
}

#[test]
fn a_case_that_is_as_it_was_is_not_sent_again() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let path = "/api/v1/cases/FIG-0001";
    centre.put(path, &[], &records::figure_1("FIG-0001")).expect(201);
    let whole = centre.get(path).expect(200);
    let etag = whole.header("etag").expect("an ETag").to_owned();
    for tags in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
        let same = centre.get_with(path, &[("if-none-match", &tags)]).expect(304);
        assert!(same.body.is_empty(), "{tags}");
        assert_eq!(same.header("etag"), Some(etag.as_str()), "{tags}");
    }
    centre
        .get_with(path, &[("if-none-match", "\"other\"")])
        .expect(200);
    let newest = format!("{path}?form=newest");
    centre.get_with(&newest, &[("if-none-match", &etag)]).expect(200);

    for path in [path, "/api/v1/cases", "/api/v1/cases/FIG-0001/versions/1"] {
        let (head, body) = (centre.send("HEAD", path, &[], None).expect(200), centre.get(path));
        assert!(head.body.is_empty(), "{path}");
        for name in ["etag", "content-type"] {
            assert_eq!(head.header(name), body.header(name), "{path}: {name}");
        }
    }
    service.anonymous().send("HEAD", path, &[], None).expect(401);
    service
        .client("committee", None)
        .send("HEAD", path, &[], None)
        .expect(403);
    centre
        .send("HEAD", "/api/v1/cases/FIG-0002", &[], None)
        .expect(404);

    let refused = centre.send("DELETE", path, &[], None).expect(405);
    assert_eq!(refused.header("allow"), Some("PUT, PATCH, GET, HEAD"));
    let refused = centre.send("GET", "/api/v1/cases:batch", &[], None).expect(405);
    assert_eq!(
        (refused.header("allow"), refused.code().as_str()),
        (Some("POST"), "method_not_allowed")
    );
}

#[test]
fn an_update_needs_the_current_etag_and_keeps_the_history() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let first = records::figure_1("FIG-0001");
    let etag = centre
        .put("/api/v1/cases/FIG-0001", &[], &first)
        .expect(201)
        .header("etag")
        .expect("an ETag")
        .to_owned();

    let mut second = first.clone();
    second["patient"]["sex"] = json!({"absent": "withheld"});
    assert_eq!(
        centre
            .put("/api/v1/cases/FIG-0001", &[], &second)
            .expect(428)
            .code(),
        "precondition_required"
    );
    let updated = centre
        .put("/api/v1/cases/FIG-0001", &[("if-match", &etag)], &second)
        .expect(200);
    assert_eq!(updated.json()["version"], 2);
    assert_eq!(
        centre
            .put("/api/v1/cases/FIG-0001", &[("if-match", &etag)], &first)
            .expect(412)
            .code(),
        "precondition_failed"
    );
    assert_eq!(
        centre
            .put("/api/v1/cases/FIG-0001", &[("if-none-match", "*")], &first)
            .expect(412)
            .code(),
        "precondition_failed"
    );

    let old = centre.get("/api/v1/cases/FIG-0001/versions/1").expect(200);
    assert_eq!(old.json()["case"], first, "the first version as sent");
    let pushed = centre
        .put("/api/v1/cases/FIG-0001", &[("if-match", "*")], &first)
        .expect(200);
    assert_eq!(pushed.json()["version"], 3);
}

#[test]
fn the_path_and_the_body_name_the_same_patient() {
    let service = Service::start();
    let answer = service
        .submitter("C01")
        .put("/api/v1/cases/FIG-0002", &[], &records::figure_1("FIG-0001"))
        .expect(422);
    assert!(
        answer.text().contains("/patient/pseudonym_id"),
        "{}",
        answer.text()
    );
    service.submitter("C01").get("/api/v1/cases/FIG-0002").expect(404);
}

#[test]
fn the_answer_lists_the_sections_not_attested_and_what_each_would_unlock() {
    let service = Service::start();
    let centre = service.submitter("C01");
    let mut body = records::figure_1("FIG-0001");
    let record = body.as_object_mut().expect("a record");
    record.remove("mdt");
    record.remove("section_attestation");
    let answer = centre
        .put("/api/v1/cases/FIG-0001", &[], &body)
        .expect(201)
        .json();
    let open = answer["not_attested"].as_array().expect("sections").clone();
    let unlocked = |section: &str| {
        let found = open.iter().find(|one| one["section"] == section);
        found.and_then(|one| one["measures_unlocked"].as_u64())
    };
    // Whether a board met is asked by measure 1a at least; the most worthwhile section stands first.
    assert!(unlocked("mdt").is_some_and(|measures| measures >= 1), "{answer}");
    let counts: Vec<_> = open
        .iter()
        .filter_map(|one| one["measures_unlocked"].as_u64())
        .collect();
    assert_eq!(counts.len(), open.len(), "{answer}");
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");

    body["section_attestation"] = json!([
        {"section": "all", "status": "complete_through", "complete_through": "2026-11-23"}
    ]);
    let headers = [("if-match", "*")];
    let answer = centre
        .put("/api/v1/cases/FIG-0001", &headers, &body)
        .expect(200)
        .json();
    assert_eq!(answer["not_attested"], json!([]), "{answer}");
}
