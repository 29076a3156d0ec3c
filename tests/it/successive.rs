//! Two published runs that differ by few patients, wherever their numbers are read.

use serde_json::Value;
use support::client::Client;
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const CSV: (&str, &str) = ("accept", "text/csv");

fn submitted(client: &Client, prefix: &str, n: usize) {
    for n in 0..n {
        let name = format!("{prefix}-{n:04}");
        client
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
}

/// The network's rows over all cases.
fn rows(client: &Client, query: &str) -> Vec<Value> {
    let table = client
        .get(&format!("/api/v1/adherence?by=network{query}"))
        .expect(200)
        .json();
    table["rows"].as_array().expect("rows").clone()
}

/// A measure that can be assessed of so many patients.
fn measure_of(client: &Client, patients: u32) -> String {
    let rows = rows(client, "");
    let found = rows.iter().find(|row| row["patients"] == patients);
    found.expect("a measure")["measure"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// The network's row of a measure over all cases.
fn network(client: &Client, measure: &str, query: &str) -> Value {
    rows(client, &format!("&measure={measure}{query}"))[0].clone()
}

/// Neither the list of runs nor one of them says how many cases they have.
fn runs_tell_no_numbers(reader: &Client) {
    let list = reader.get("/api/v1/runs").expect(200).json();
    let listed = list["runs"].as_array().expect("runs").clone();
    assert_eq!(listed.len(), 2);
    let one = reader.get("/api/v1/runs/2").expect(200).json();
    for run in listed.iter().chain([&one]) {
        assert!(run["number"].is_i64() && run["published_at"].is_string(), "{run}");
        for name in ["summary", "progress", "watermark"] {
            assert_eq!(run.get(name), None, "{name}");
        }
    }
    let page = reader.get_with("/runs", &[HTML]).expect(200).text();
    assert!(page.contains("2026-11-01"), "{page}");
    assert!(!page.contains("cases: ") && !page.contains("evaluated"), "{page}");
}

#[test]
fn a_run_with_two_more_patients_reads_as_the_one_before() {
    let service = Service::start();
    let (first, second) = (service.submitter("C01"), service.submitter("C02"));
    submitted(&first, "ONE", 12);
    submitted(&second, "TWO", 12);
    service.published_run("2026-11-01");
    let (committee, office) = (
        service.client("committee", None),
        service.client("coordinator", None),
    );
    let of = measure_of(&committee, 24);
    let before = network(&committee, &of, "");
    assert_eq!(before["patients"], 24, "{before}");
    assert_eq!(before["as_of"], Value::Null);
    submitted(&second, "NEW", 2);
    service.published_run("2026-11-01");

    let now = network(&committee, &of, "");
    assert_eq!(
        (&now["patients"], &now["as_of"]),
        (&before["patients"], &1.into()),
        "{now}"
    );
    assert_eq!(
        network(&committee, &of, "&run=1"),
        before,
        "the first run reads as it did"
    );
    assert_eq!(network(&office, &of, "")["patients"], 26);
    let centre = |client: &Client| {
        let table = client
            .get(&format!("/api/v1/adherence?measure={of}&by=centre&period=all"))
            .expect(200)
            .json();
        table["rows"][0]["patients"].clone()
    };
    assert_eq!(centre(&second), 14, "a centre reads its own");
    assert_eq!(network(&second, &of, "")["patients"], 24);

    let csv = committee
        .get_with(&format!("/api/v1/adherence?measure={of}&by=network"), &[CSV])
        .expect(200)
        .text();
    let line = csv.lines().nth(1).expect("a row");
    assert!(line.starts_with("1,"), "the run its numbers are of: {line}");
    let bundle = committee
        .get(&format!("/fhir/MeasureReport?measure={of}&by=network&period=all"))
        .expect(200)
        .json();
    let report = &bundle["entry"][0]["resource"]["group"][0];
    let extensions = report["extension"].as_array().expect("extensions");
    let as_of = extensions
        .iter()
        .find(|one| one["url"] == "urn:rps-registry:fhir:extension:as-of-run");
    assert_eq!(as_of.map(|one| &one["valueInteger"]), Some(&1.into()), "{report}");
    let brief = committee.get_with("/brief", &[HTML]).expect(200).text();
    assert!(
        brief.contains("<dt>Cases</dt><dd>24</dd><dd class=\"quiet\">as of run 1: changed by few since, or not at all</dd>"),
        "{brief}"
    );
    let measure = committee
        .get_with(&format!("/measures/{of}"), &[HTML])
        .expect(200)
        .text();
    assert!(measure.contains("as of run 1"), "{measure}");
    let survival = committee.get("/api/v1/survival/S1").expect(200).json();
    assert_eq!(survival["flow"]["cases"], 24, "{survival}");
    runs_tell_no_numbers(&committee);
    let told = office.get("/api/v1/runs/2").expect(200).json();
    assert_eq!(told["summary"]["cases"], 26, "{told}");
    let page = office.get_with("/runs", &[HTML]).expect(200).text();
    assert!(page.contains("26 cases: "), "{page}");

    // Three more: five since the first run.
    submitted(&second, "MORE", 3);
    service.published_run("2026-11-01");
    let later = network(&committee, &of, "");
    assert_eq!(
        (&later["patients"], &later["as_of"]),
        (&29.into(), &Value::Null),
        "{later}"
    );
    // The run before says 24 as of the first: five since then, and nobody is told how many since the run before.
    let brief = committee.get_with("/brief", &[HTML]).expect(200).text();
    assert!(
        brief.contains("<dt>Cases</dt><dd>29</dd>") && !brief.contains("+5 cases"),
        "{brief}"
    );
}

#[test]
fn a_run_with_enough_more_patients_is_shown() {
    let service = Service::start();
    let (first, second) = (service.submitter("C01"), service.submitter("C02"));
    submitted(&first, "ONE", 12);
    submitted(&second, "TWO", 12);
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let of = measure_of(&committee, 24);
    submitted(&first, "MORE", 6);
    submitted(&second, "NEW", 6);
    service.published_run("2026-11-01");
    let now = network(&committee, &of, "");
    assert_eq!(
        (&now["patients"], &now["as_of"]),
        (&36.into(), &Value::Null),
        "{now}"
    );
    let brief = committee.get_with("/brief", &[HTML]).expect(200).text();
    assert!(brief.contains("+12 cases"), "{brief}");
}
