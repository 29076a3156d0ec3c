//! A case changes hands: one centre loses sight of it, the other has all of it, and every unit counts where it happened.

use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const PATH: &str = "/api/v1/cases/FIG-0001";

fn asked(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to, "on": "2021-06-01", "reason": "the family moved to Lyon"})
}

/// A case of C01, and the coordinating office.
fn registered(service: &Service) -> (Client, Client) {
    let one = service.submitter("C01");
    one.put(PATH, &[], &records::figure_1("FIG-0001")).expect(201);
    (one, service.client("coordinator", None))
}

#[test]
fn the_new_centre_has_the_history_and_the_earlier_one_nothing() {
    let service = Service::start();
    let (one, office) = registered(&service);
    let etag = one
        .get(PATH)
        .expect(200)
        .header("etag")
        .expect("a tag")
        .to_owned();
    let done = office
        .post(
            &format!("{PATH}:transfer"),
            &[("if-match", &etag)],
            &asked("C01", "C02"),
        )
        .expect(200);
    let outcome = done.json();
    assert_eq!((&outcome["from"], &outcome["to"]), (&json!("C01"), &json!("C02")));
    assert_ne!(done.header("etag"), Some(etag.as_str()));
    // No such case, in the words used of one that never was.
    let absent = one.get("/api/v1/cases/FIG-9999").expect(404).json();
    for path in ["", "/versions", "/versions/1", "/findings", "/assessment"] {
        let mut gone = one.get(&format!("{PATH}{path}")).expect(404).json();
        gone["request_id"] = absent["request_id"].clone();
        assert_eq!(gone, absent, "{path}");
    }
    assert_eq!(one.get("/api/v1/cases").expect(200).json()["cases"], json!([]));
    let refused = one
        .put(PATH, &[("if-match", "*")], &records::figure_1("FIG-0001"))
        .expect(409);
    assert_eq!(refused.code(), "pseudonym_registered");
    assert!(!refused.text().contains("C02"));
    let two = service.submitter("C02");
    let read = two.get(PATH).expect(200);
    assert_eq!(read.json()["case"], records::figure_1("FIG-0001"));
    assert_eq!(
        read.json()["envelope"]["holders"],
        json!([
            {"centre": "another centre", "since": null, "until": "2021-06-01"},
            {"centre": "C02", "since": "2021-06-01", "until": null, "recorded_at": read.json()["envelope"]["holders"][1]["recorded_at"]},
        ])
    );
    assert!(!read.text().contains("C01") && !read.text().contains("Lyon"));
    let office_reads = office.get(PATH).expect(200).json();
    assert_eq!(office_reads["envelope"]["holders"][0]["centre"], "C01");
    assert_eq!(
        office_reads["envelope"]["holders"][1]["reason"],
        "the family moved to Lyon"
    );
    let history = two.get(&format!("{PATH}/versions")).expect(200).json();
    assert_eq!(history["versions"][0]["actor"], "another centre");
    let mut next = records::figure_1("FIG-0001");
    next["primary"]["side"] = json!({"absent": "unknown"});
    let tag = read.header("etag").expect("a tag").to_owned();
    let stored = two.put(PATH, &[("if-match", &tag)], &next).expect(200).json();
    assert_eq!(stored["version"], 2);
    service.verify_audit();
}

#[test]
fn a_repeated_request_transfers_once() {
    let service = Service::start();
    let (_, office) = registered(&service);
    let send = || {
        office.post(
            &format!("{PATH}:transfer"),
            &[("idempotency-key", "t-1")],
            &asked("C01", "C02"),
        )
    };
    let first = send().expect(200);
    let again = send().expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.json(), again.json());
    let holders = office.get(PATH).expect(200).json()["envelope"]["holders"].clone();
    assert_eq!(holders.as_array().map(Vec::len), Some(2));
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let service = Service::start();
    let (one, office) = registered(&service);
    let path = format!("{PATH}:transfer");
    let send = |body: &Value| office.post(&path, &[], body);
    let code = |body: Value, status: u16| send(&body).expect(status).code();
    assert_eq!(code(asked("C01", "C01"), 422), "invalid_value");
    assert_eq!(code(asked("C01", "C99"), 422), "invalid_value");
    assert_eq!(code(asked("C02", "C01"), 409), "invalid_state");
    let mut without = asked("C01", "C02");
    without["reason"] = json!(" ");
    assert_eq!(code(without, 422), "invalid_value");
    let mut late = asked("C01", "C02");
    late["on"] = json!("2099-01-01");
    assert_eq!(code(late, 422), "invalid_value");
    assert_eq!(code(json!({"to": "C02"}), 422), "invalid_value");
    let unknown = office.post("/api/v1/cases/FIG-9999:transfer", &[], &asked("C01", "C02"));
    assert_eq!(unknown.expect(404).code(), "not_found");
    let stale = office.post(&path, &[("if-match", "\"9.9-00000000\"")], &asked("C01", "C02"));
    assert_eq!(stale.expect(412).code(), "precondition_failed");
    one.put(PATH, &[("if-match", "*")], &records::withdrawal("FIG-0001"))
        .expect(200);
    assert_eq!(code(asked("C01", "C02"), 409), "case_withdrawn");
}

#[test]
fn a_run_counts_each_unit_where_it_happened() {
    let service = Service::start();
    let (_, office) = registered(&service);
    office
        .post(&format!("{PATH}:transfer"), &[], &asked("C01", "C02"))
        .expect(200);
    service.published_run("2026-11-01");
    // The units of 26b are the operations of Figure 1: one before the transfer, three after it.
    let rows = office
        .get("/api/v1/adherence?measure=26b&by=centre&period=all")
        .expect(200)
        .json();
    let units = |centre: &str| -> u64 {
        let rows = rows["rows"].as_array().expect("rows").iter();
        let of_centre = rows.filter(|row| row["level"] == centre && row["period"] == "all");
        of_centre
            .map(|row| {
                let fields = [
                    "denominator",
                    "excluded",
                    "excepted",
                    "not_in_denominator",
                    "not_assessable",
                ];
                fields
                    .iter()
                    .filter_map(|field| row[*field].as_u64())
                    .sum::<u64>()
            })
            .sum()
    };
    assert_eq!((units("C01"), units("C02")), (1, 3));
}
