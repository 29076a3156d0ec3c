//! Letters that stand for centres are a published run's own: a centre added afterwards changes none of them, nor what the office looks up.

use registry_core::access::Scope;
use registry_core::storage::NewCentre;
use serde_json::{Value, json};
use support::client::Client;
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const CSV: (&str, &str) = ("accept", "text/csv");

/// What shows centres by letter, of the published run; the number of the run is added where an address takes it.
const LETTERED: [(&str, (&str, &str)); 16] = [
    ("/", HTML),
    ("/adherence", HTML),
    ("/adherence.csv?by=centre_all", HTML),
    ("/measures/1a", HTML),
    ("/quality", HTML),
    ("/quality.csv", HTML),
    ("/survival?endpoint=S1", HTML),
    ("/signals", HTML),
    ("/brief", HTML),
    ("/report", HTML),
    ("/charts/funnel.svg?measure=1a", HTML),
    ("/api/v1/adherence?by=centre&run=1", CSV),
    ("/api/v1/adherence/1a/funnel?run=1", CSV),
    ("/api/v1/survival/S1/centres?run=1", CSV),
    ("/api/v1/signals", CSV),
    ("/api/v1/quality?run=1", CSV),
];

/// Twelve patients at each of six centres; those of C01 were never seen by a board.
fn one_far_below(service: &Service) {
    for centre in support::service::CENTRES {
        let client = service.submitter(centre);
        for n in 0..12 {
            let name = format!("{centre}-{n:04}");
            let mut body = records::example("observation-only", &name);
            if *centre == "C01" {
                body["mdt"] = json!([]);
            }
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    }
}

fn shown(client: &Client) -> Vec<String> {
    let one = |(path, accept): &(&str, (&str, &str))| {
        let text = client.get_with(path, &[*accept]).expect(200).text();
        assert!(!text.contains("C01"), "{path} names a centre");
        text
    };
    LETTERED.iter().map(one).collect()
}

fn levels(answer: &Value) -> Vec<String> {
    let rows = answer["rows"].as_array().expect("rows").iter();
    let mut all: Vec<String> = rows
        .map(|row| row["level"].as_str().expect("a level").to_owned())
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_centre_added_later_changes_no_letter_of_a_published_run() {
    let service = Service::start();
    one_far_below(&service);
    assert_eq!(service.published_run("2026-11-01"), 1);
    let (committee, office) = (
        service.client("committee", None),
        service.client("coordinator", None),
    );
    let before = shown(&committee);
    let by_centre = "/api/v1/adherence?by=centre&measure=1a&run=1";
    let six = [
        "Centre A", "Centre B", "Centre C", "Centre D", "Centre E", "Centre F",
    ];
    assert_eq!(levels(&committee.get(by_centre).expect(200).json()), six);
    let signals = committee.get("/api/v1/signals").expect(200).json();
    let of_1a = signals["signals"].as_array().expect("a list").iter();
    let mut of_1a = of_1a.filter(|one| one["measure"] == "1a");
    let letter = of_1a.next().expect("C01 lies far below")["letter"].clone();
    let letter = letter.as_str().expect("a letter").to_owned();

    // Twelve more: that all of them come after the six in an order by keyed hash is one chance in 18564.
    for n in 10..22 {
        let centre = NewCentre {
            centre_id: format!("C{n}"),
            name: format!("Centre C{n}"),
            country: None,
            active: true,
        };
        service
            .state()
            .store
            .upsert_centre(&Scope::system("test"), centre)
            .expect("a centre");
    }
    for ((before, after), (path, _)) in before.iter().zip(shown(&committee)).zip(LETTERED) {
        assert_eq!(*before, after, "{path}");
    }
    let told = office
        .post(
            &format!("/api/v1/signals/1a/{letter}:reveal"),
            &[],
            &json!({"reason": "data_check"}),
        )
        .expect(200)
        .json();
    assert_eq!(told["centre_id"], "C01");

    // A later run letters all that there are then; the earlier one stays as it is.
    let client = service.submitter("C10");
    for n in 0..12 {
        let name = format!("C10-{n:04}");
        client
            .put(
                &format!("/api/v1/cases/{name}"),
                &[],
                &records::example("observation-only", &name),
            )
            .expect(201);
    }
    assert_eq!(service.published_run("2026-11-01"), 2);
    let now = levels(
        &committee
            .get("/api/v1/adherence?by=centre&measure=1a&run=2")
            .expect(200)
            .json(),
    );
    assert_eq!(now.len(), 7);
    assert_eq!(levels(&committee.get(by_centre).expect(200).json()), six);
    let reports = committee
        .get("/fhir/MeasureReport?measure=1a&by=centre&run=1")
        .expect(200);
    assert!(
        six.iter().all(|name| reports.text().contains(name)),
        "{}",
        reports.text()
    );
}
