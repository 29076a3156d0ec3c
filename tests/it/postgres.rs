//! The same service on PostgreSQL: one case's way, its isolation, and the same answers as on SQLite.

use serde_json::Value;
use support::client::Answer;
use support::database::Database;
use support::{records, service::Service};

/// A fixed sequence of requests; the answers without what differs by nature (ids, times, request ids).
fn journey(service: &Service) -> Vec<(u16, Value)> {
    let own = service.submitter("C01");
    let other = service.submitter("C02");
    let body = records::figure_1("FIG-0001");
    let mut changed = body.clone();
    changed["patient"]["sex"] = serde_json::json!({"absent": "withheld"});
    let path = "/api/v1/cases/FIG-0001";
    let mut answers = vec![
        own.put(path, &[], &body),
        own.put(path, &[], &changed),
        own.put(path, &[("if-match", "*")], &changed),
    ];
    answers.push(other.put(path, &[], &body));
    answers.push(other.get(path));
    answers.push(own.get(path));
    answers.push(own.get(&format!("{path}/versions/1")));
    answers.push(own.get(&format!("{path}/assessment")));
    answers.push(own.put(path, &[("if-match", "*")], &records::withdrawal("FIG-0001")));
    answers.push(own.put(path, &[("if-match", "*")], &body));
    answers.push(own.get("/api/v1/cases"));
    answers
        .into_iter()
        .map(|answer| (answer.status, comparable(&answer)))
        .collect()
}

fn comparable(answer: &Answer) -> Value {
    let mut value = answer.json();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for key in [
                "request_id",
                "record_id",
                "case_id",
                "etag",
                "submitted_at",
                "created_at",
                "updated_at",
                "actor",
                "content_hash",
                "identity",
            ] {
                fields.remove(key);
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn both_databases_give_the_same_answers() {
    let Some(postgres) = Database::postgres() else {
        return;
    };
    let on_postgres = journey(&Service::start_with(postgres, |_| {}));
    let on_sqlite = journey(&Service::start());
    assert_eq!(on_postgres.len(), on_sqlite.len());
    for (n, (left, right)) in on_postgres.iter().zip(&on_sqlite).enumerate() {
        assert_eq!(left, right, "request {n}");
    }
    let statuses: Vec<u16> = on_sqlite.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [201, 428, 200, 409, 404, 200, 200, 200, 200, 409, 200]);
}

#[test]
fn a_run_on_postgres_gives_the_numbers_of_sqlite() {
    let Some(postgres) = Database::postgres() else {
        return;
    };
    let numbers = |service: &Service| {
        let centre = service.submitter("C01");
        for n in 0..6 {
            let name = format!("FIG-{n:04}");
            let source = if n % 2 == 0 { "figure-1" } else { "figure-2" };
            centre
                .put(
                    &format!("/api/v1/cases/{name}"),
                    &[],
                    &records::example(source, &name),
                )
                .expect(201);
        }
        let run = service.published_run("2026-11-01");
        service.verify_audit();
        let office = service.client("coordinator", None);
        let adherence = office
            .get(&format!("/api/v1/adherence?run={run}"))
            .expect(200)
            .json();
        let survival = office
            .get(&format!("/api/v1/survival/S1?run={run}"))
            .expect(200)
            .json();
        (adherence["rows"].clone(), survival["curves"].clone())
    };
    let on_postgres = numbers(&Service::start_with(postgres, |_| {}));
    assert_eq!(on_postgres, numbers(&Service::start()));
}
