//! A database that becomes read-only while it is served: no change is half made, reading goes on, and it goes on by itself afterwards.

use serde_json::json;
use support::database::Database;
use support::{records, service::Service};

fn refuses_changes_and_reading_goes_on(database: Database) {
    let service = Service::start_with(database, |_| {});
    let (centre, lead) = (
        service.submitter("C01"),
        service.client("centre_lead", Some("C01")),
    );
    let ready = || service.anonymous().get("/health/ready").expect(200).json();
    let [first, second] = ["FIG-0001", "FIG-0002"].map(records::figure_1);
    centre.put("/api/v1/cases/FIG-0001", &[], &first).expect(201);
    assert_eq!(ready()["status"], "ready");
    let head = || service.state().store.audit_head().expect("a head").seq;
    let before = head();

    service.database().set_read_only(true);
    let reason = [("change-reason", "checked")];
    let many = json!([second]);
    for refused in [
        centre.put("/api/v1/cases/FIG-0002", &[], &second),
        centre.put(
            "/api/v1/cases/FIG-0001",
            &[("if-match", "*")],
            &records::withdrawal("FIG-0001"),
        ),
        centre.post("/api/v1/cases:batch", &[("idempotency-key", "once")], &many),
        lead.post("/api/v1/cases/FIG-0001:verify", &reason, &json!({})),
    ] {
        let refused = refused.expect(503);
        assert_eq!(refused.code(), "read_only");
        assert!(refused.header("retry-after").is_some());
    }
    let read = centre.get("/api/v1/cases/FIG-0001").expect(200).json();
    assert_eq!(read["case"]["patient"]["pseudonym_id"], "FIG-0001");
    assert_eq!(read["envelope"]["version"], 1);
    assert_eq!(read["envelope"]["status"], "submitted");
    centre.get("/api/v1/cases/FIG-0002").expect(404);
    // More at once than there are connections so far.
    std::thread::scope(|threads| {
        for _ in 0..12 {
            threads.spawn(|| centre.get("/api/v1/cases").expect(200));
        }
    });
    assert_eq!(ready()["status"], "read_only");
    assert_eq!(head(), before, "nothing was written");

    service.database().set_read_only(false);
    let stored = centre.post("/api/v1/cases:batch", &[("idempotency-key", "once")], &many);
    assert_eq!(stored.expect(200).json()["results"][0]["status"], 201);
    assert_eq!(ready()["status"], "ready");
    assert!(head() > before + 1, "what was read meanwhile is recorded too");
    service.verify_audit();
}

#[test]
fn a_file_that_became_read_only_refuses_changes_and_reading_goes_on() {
    refuses_changes_and_reading_goes_on(Database::sqlite());
}

#[test]
fn a_server_that_became_read_only_refuses_changes_and_reading_goes_on() {
    if let Some(postgres) = Database::postgres() {
        refuses_changes_and_reading_goes_on(postgres);
    }
}
