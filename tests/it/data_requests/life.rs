//! From filing to the last day: who sees a request when, what cannot be asked, and who held a case that leaves.

use registry_core::access::Scope;
use registry_core::storage::AuditFilter;
use serde_json::json;

use super::{Frozen, THROUGH};

#[test]
fn a_request_is_its_filers_and_open_between_approval_and_last_day() {
    let here = Frozen::new();
    let id = here.file(json!({}));
    let address = format!("/api/v1/data-requests/{id}");
    let bundle = format!("{address}/bundle.zip");
    assert_eq!(
        here.researcher.get(&bundle).expect(403).code(),
        "request_not_open"
    );
    // Another researcher's is no such request; other roles have none.
    let stranger = here.service.client("researcher", None);
    for path in [&address, &bundle] {
        stranger.get(path).expect(404);
    }
    assert_eq!(
        stranger.get("/api/v1/data-requests").expect(200).json()["requests"],
        json!([])
    );
    here.service.client("committee", None).get(&address).expect(403);
    here.office
        .post("/api/v1/data-requests", &[], &json!({}))
        .expect(403);
    // No wider than asked, not for a day that is past.
    let wide = json!({ "expires_on": THROUGH, "access": { "files": ["patient.csv"], "elements": ["hereditary.syndrome"] } });
    here.office
        .post(&format!("{address}:approve"), &[], &wide)
        .expect(422);
    here.office
        .post(
            &format!("{address}:approve"),
            &[],
            &json!({ "expires_on": "2026-11-22" }),
        )
        .expect(422);
    here.researcher
        .post(
            &format!("{address}:approve"),
            &[],
            &json!({ "expires_on": THROUGH }),
        )
        .expect(403);
    here.approve(&id, &json!({ "expires_on": "2026-11-24" }));
    let downloads = || {
        let filter = AuditFilter {
            action: Some("data_request.download".to_owned()),
            ..AuditFilter::default()
        };
        let store = &here.service.state().store;
        let page = store.list_audit(&Scope::system("test"), &filter, None, 100);
        page.expect("events").items.len()
    };
    let before = downloads();
    let head = here.researcher.send("HEAD", &bundle, &[], None).expect(200);
    assert!(head.body.is_empty() && head.header("etag").is_some());
    assert_eq!(downloads(), before, "a head is no download");
    let whole = here.researcher.get(&bundle).expect(200);
    assert_eq!(downloads(), before + 1);
    for name in ["etag", "content-type", "content-disposition", "content-length"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    here.office
        .post(&format!("{address}:decline"), &[], &json!({ "reason": "late" }))
        .expect(409);
    here.service.advance_days(1);
    here.researcher.get(&bundle).expect(200);
    here.service.advance_days(1);
    assert_eq!(
        here.researcher.get(&bundle).expect(403).code(),
        "request_not_open"
    );

    let (revoked, declined) = (here.file(json!({})), here.file(json!({})));
    here.approve(&revoked, &json!({ "expires_on": THROUGH }));
    here.researcher
        .get(&format!("/api/v1/data-requests/{revoked}/bundle.zip"))
        .expect(200);
    let because = json!({ "reason": "the contract ended" });
    here.office
        .post(
            &format!("/api/v1/data-requests/{revoked}:revoke"),
            &[],
            &json!({ "reason": " " }),
        )
        .expect(422);
    let told = here
        .office
        .post(&format!("/api/v1/data-requests/{revoked}:revoke"), &[], &because)
        .expect(200)
        .json();
    assert_eq!(
        (&told["status"], &told["revoked_for"]),
        (&json!("revoked"), &because["reason"])
    );
    here.researcher
        .get(&format!("/api/v1/data-requests/{revoked}/manifest.json"))
        .expect(403);
    here.office
        .post(
            &format!("/api/v1/data-requests/{declined}:decline"),
            &[],
            &json!({ "reason": "no plan" }),
        )
        .expect(200);
    let seen = here
        .researcher
        .get(&format!("/api/v1/data-requests/{declined}"))
        .expect(200)
        .json();
    assert_eq!(
        (&seen["status"], &seen["reason"]),
        (&json!("declined"), &json!("no plan"))
    );
    here.service.verify_audit();
}

#[test]
fn what_no_bundle_holds_cannot_be_asked() {
    let here = Frozen::new();
    let asked = json!({ "release": "R", "title": "t", "purpose": "p", "files": ["patient.csv", "secret.csv"],
        "elements": ["consent.date", "patient.pseudonym_id", "patient.canary", "record.record_id", "systemic.line", "mdt.centre_id"] });
    let refused = here
        .researcher
        .post("/api/v1/data-requests", &[], &asked)
        .expect(422);
    let detail = refused.json()["detail"].as_str().expect("a detail").to_owned();
    for place in [
        "files[1]: no such file",
        "elements[0]: never leaves",
        "elements[1]: identifies",
        "elements[2]: no such element",
        "elements[3]: ",
        // It would name the centre that the bundle masks.
        "elements[5]: never leaves",
    ] {
        assert!(detail.contains(place), "{place} in {detail}");
    }
    assert!(!detail.contains("files[0]") && !detail.contains("canary"));
}

#[test]
fn a_withdrawal_names_the_releases_and_requests_that_held_the_case() {
    let here = Frozen::new();
    let (delivered, unread) = (here.file(json!({})), here.file(json!({})));
    for id in [&delivered, &unread] {
        here.approve(id, &json!({ "expires_on": THROUGH }));
    }
    let bundle = format!("/api/v1/data-requests/{delivered}/bundle.zip");
    here.researcher.get(&bundle).expect(200);
    let withdrawn = here
        .service
        .submitter("C01")
        .post(
            "/api/v1/cases/FIG-0001:withdraw",
            &[],
            &json!({"mode": "erase", "date": "2026-11-20", "reason": "asked for"}),
        )
        .expect(200)
        .json();
    assert_eq!(withdrawn["releases_that_held_the_case"], json!(["R"]));
    assert_eq!(withdrawn["data_requests_that_held_the_case"], json!([delivered]));
    let record = withdrawn["record_id"].as_str().expect("an id");
    let address = format!("/api/v1/withdrawals/{record}/recipients");
    let told = here.office.get(&address).expect(200).json();
    assert_eq!(told["releases"], json!(["R"]));
    let recipients = told["recipients"].as_array().expect("a list");
    assert_eq!(recipients.len(), 1);
    assert_eq!(
        (&recipients[0]["request_id"], &recipients[0]["downloads"]),
        (&json!(delivered), &json!(1))
    );
    assert!(
        recipients[0]["filed_by"]
            .as_str()
            .is_some_and(|who| who.starts_with("key:"))
    );
    here.service.submitter("C01").get(&address).expect(403);
    let events = here
        .office
        .get("/api/v1/audit?action=case.withdraw")
        .expect(200)
        .json();
    assert!(
        events.to_string().contains(&delivered),
        "the event names the request"
    );
    // What was delivered is not handed out again, though its file is there; what is built from now on holds the case no more.
    let refused = here.researcher.get(&bundle).expect(410).json();
    let why = refused["detail"].as_str().expect("a reason");
    assert!(why.contains("withdrawn since"), "{why}");
    let (_, rows) = here.rows(&unread, "survival_s1.csv");
    assert_eq!(rows.len(), 7);
    here.service.verify_audit();
}

/// The centre sends that research reuse is over and says nothing else: the case stays, and what held it is not handed out any more.
#[test]
fn research_reuse_taken_back_ends_what_was_built_before() {
    let here = Frozen::new();
    let (delivered, unread) = (here.file(json!({})), here.file(json!({})));
    for id in [&delivered, &unread] {
        here.approve(id, &json!({ "expires_on": THROUGH }));
    }
    let bundle = format!("/api/v1/data-requests/{delivered}/bundle.zip");
    let first = here.researcher.get(&bundle).expect(200).body;
    let folder = &here.service.state().settings.releases.folder;
    let kept = [
        folder.join("R.zip"),
        folder.join(format!("request-{delivered}.zip")),
    ];
    assert!(kept.iter().all(|file| file.exists()));
    let centre = here.service.submitter("C01");
    let send = |reuse: bool| {
        let address = "/api/v1/cases/FIG-0001";
        let mut body = support::records::figure_1("FIG-0001");
        body["consent"]["research_reuse"] = json!(reuse);
        let etag = centre
            .get(address)
            .expect(200)
            .header("etag")
            .expect("an ETag")
            .to_owned();
        centre
            .put(address, &[("if-match", &etag)], &body)
            .expect(200)
            .json()
    };
    let record = send(false)["record_id"].as_str().expect("an id").to_owned();
    assert!(kept.iter().all(|file| !file.exists()), "neither is kept");
    for address in [bundle.as_str(), "/api/v1/releases/R/bundle.zip"] {
        let who = if address == bundle {
            &here.researcher
        } else {
            &here.office
        };
        let refused = who.get(address).expect(410).json();
        let why = refused["detail"].as_str().expect("a reason");
        assert!(why.contains("withdrawn since"), "{why}");
    }
    // What is built from now on is without the case.
    let (_, rows) = here.rows(&unread, "survival_s1.csv");
    assert_eq!(rows.len(), 7);
    let told = here
        .office
        .get(&format!("/api/v1/withdrawals/{record}/recipients"))
        .expect(200)
        .json();
    assert_eq!(told["recipients"][0]["request_id"], json!(delivered));
    let html = [("accept", "text/html")];
    let tasks = here.office.get_with("/tasks", &html).expect(200).text();
    let row = tasks.split(&record).nth(1).expect("listed");
    let row = row.split("</tr>").next().unwrap_or_default();
    for words in ["no research reuse", "href=\"/releases/R\"", &delivered] {
        assert!(row.contains(words), "{words}: {row}");
    }
    let requests = here.office.get_with("/requests", &html).expect(200).text();
    assert_eq!(requests.matches("held a case withdrawn since").count(), 1);
    // Given again, it is as it was before, byte for byte.
    send(true);
    assert_eq!(here.researcher.get(&bundle).expect(200).body, first);
    assert!(
        !here
            .office
            .get_with("/tasks", &html)
            .expect(200)
            .text()
            .contains(&record)
    );
    here.service.verify_audit();
}
