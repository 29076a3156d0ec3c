//! `/centre`: the score card of a centre beside the network, for its own people and the coordinating office.

use std::collections::HashMap;

use registry_core::access::Scope;
use registry_core::storage::{SignalRef, SignalStatus, SignalStep};
use serde_json::{Value, json};
use support::{client::Client, records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");

fn page(client: &Client, path: &str) -> String {
    client.get_with(path, &[HTML]).expect(200).text()
}

/// Twelve patients at each of four centres; those of C01 were never seen by a board.
fn one_far_below() -> Service {
    let service = Service::start();
    for (centre, seen) in [("C01", false), ("C02", true), ("C03", true), ("C04", true)] {
        let client = service.submitter(centre);
        for n in 0..12 {
            let name = format!("{centre}-{n:04}");
            let mut body = records::example("observation-only", &name);
            if !seen {
                body["mdt"] = json!([]);
            }
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    }
    service
}

fn rows(client: &Client, path: &str) -> Vec<HashMap<String, String>> {
    let answer = client.get(path).expect(200);
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let header = reader.headers().expect("a header").clone();
    let row = |row: csv::StringRecord| {
        let cells = header.iter().zip(row.iter());
        cells
            .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
            .collect()
    };
    reader.records().map(|one| row(one.expect("a row"))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn the_card_shows_what_the_adherence_table_shows_the_same_reader() {
    let service = one_far_below();
    service.published_run("2026-11-01");
    let own = service.submitter("C01");
    let office = service.client("coordinator", None);
    for (client, path) in [(&own, "/centre.csv"), (&office, "/centre.csv?centre=C01")] {
        let card = rows(client, path);
        let table = client
            .get("/api/v1/adherence?period=last24_months")
            .expect(200)
            .json();
        let table = table["rows"].as_array().expect("rows").clone();
        let of = |measure: &str, by: &str| {
            let level = |row: &Value| by == "network" || row["level"] == "C01";
            let mut found = table
                .iter()
                .filter(|row| row["measure"] == measure && row["by"] == by);
            found.find(|row| level(row)).cloned().unwrap_or_default()
        };
        let measures: Vec<_> = card
            .iter()
            .filter(|row| ["measure", "indicator"].contains(&row["of"].as_str()))
            .collect();
        assert!(measures.len() > 50, "every measure: {}", measures.len());
        for row in measures {
            let (own, network) = (of(&row["id"], "centre"), of(&row["id"], "network"));
            for name in [
                "state",
                "numerator",
                "denominator",
                "rate",
                "lower",
                "upper",
                "not_assessable",
            ] {
                assert_eq!(row[name], text(&own[name]), "{path} {} {name}", row["id"]);
            }
            for name in ["state", "numerator", "denominator", "rate"] {
                assert_eq!(
                    row[&format!("network_{name}")],
                    text(&network[name]),
                    "{path} {} {name}",
                    row["id"]
                );
            }
        }
        let below = card
            .iter()
            .find(|row| row["id"] == "1a" && row["of"] != "half_year")
            .expect("1a");
        assert_eq!(below["position"], "below998", "0 of 12 where 36 of 48 were seen");
        // Half-years: all twelve were diagnosed in the first half of 2025.
        let half = card
            .iter()
            .find(|row| row["id"] == "1a" && row["of"] == "half_year")
            .expect("1a");
        assert_eq!(
            (
                half["period"].as_str(),
                half["numerator"].as_str(),
                half["denominator"].as_str()
            ),
            ("2025-H1", "0", "12")
        );
    }
    let shown = page(&own, "/centre");
    assert!(shown.contains("Score card of C01"), "{shown}");
    assert!(shown.contains("<a href=\"/measures/1a\">") && shown.contains("below 99.8 %"));
    assert!(shown.contains("href=\"/worklist?kind=follow_up\""));
    for other in ["C02", "C03", "C04"] {
        assert!(!shown.contains(other), "{other} is named to C01");
    }
    assert!(page(&office, "/centre?centre=C02").contains("Score card of C02"));
    assert!(page(&office, "/centre").contains("href=\"/centre?centre=C04\""));
}

#[test]
fn a_card_is_its_centres_and_the_offices() {
    let service = one_far_below();
    service.published_run("2026-11-01");
    let own = service.submitter("C01");
    for path in [
        "/centre?centre=C02",
        "/centre.csv?centre=C02",
        "/centre?centre=C99",
    ] {
        own.get_with(path, &[HTML]).expect(404);
    }
    for role in ["committee", "researcher", "admin"] {
        for path in ["/centre", "/centre.csv"] {
            service.client(role, None).get_with(path, &[HTML]).expect(403);
        }
    }
    own.get_with("/centre?colour=canary", &[HTML]).expect(400);
    service.client("coordinator", None).get("/centre.csv").expect(422);
    // Hidden of the network is hidden on the card: two centres, of which each would be the other's complement.
    let small = Service::start();
    for (centre, n) in [("C01", 6), ("C02", 2)] {
        for n in 0..n {
            let name = format!("{centre}-{n:04}");
            small
                .submitter(centre)
                .put(
                    &format!("/api/v1/cases/{name}"),
                    &[],
                    &records::example("observation-only", &name),
                )
                .expect(201);
        }
    }
    small.published_run("2026-11-01");
    let card = rows(&small.submitter("C01"), "/centre.csv");
    let of = card
        .iter()
        .find(|row| row["id"] == "1a" && row["of"] != "half_year")
        .expect("1a");
    assert_eq!(
        (
            of["denominator"].as_str(),
            of["network_state"].as_str(),
            of["network_denominator"].as_str()
        ),
        ("6", "suppressed", "")
    );
    assert_eq!(of["position"], "", "no position around what is not shown");
}

#[test]
fn a_centre_reads_of_letters_to_itself_and_of_nothing_that_was_only_noted() {
    let service = one_far_below();
    let run = service.published_run("2026-11-01");
    let own = service.submitter("C01");
    let step = |status: SignalStatus| {
        let signal = SignalRef {
            measure: "1a".to_owned(),
            centre_id: "C01".to_owned(),
            run,
        };
        let office = Scope::system("test");
        service
            .state()
            .store
            .take_signal_step(&office, signal, SignalStep::Status(status))
            .expect("a step");
    };
    step(SignalStatus::Noted);
    assert!(!page(&own, "/centre").contains("Letters from the committee"));
    step(SignalStatus::LetterSent);
    let shown = page(&own, "/centre");
    assert!(
        shown.contains("Letters from the committee") && shown.contains("letter sent"),
        "{shown}"
    );
    assert!(!shown.contains("system:test"), "who wrote is not told");
    assert!(!page(&service.submitter("C02"), "/centre").contains("Letters from the committee"));
    let office = page(&service.client("coordinator", None), "/centre?centre=C01");
    assert!(office.contains("letter sent"));
    let another = service.client("submitter", Some("C02"));
    another.get_with("/centre?centre=C01", &[HTML]).expect(404);
}

/// Before anything is published a centre reads itself alone, when it asks.
#[test]
fn before_publication_a_card_tells_of_the_own_cases_only() {
    let service = one_far_below();
    let own = service.submitter("C01");
    assert!(page(&own, "/centre").contains("No run has been published yet."));
    let wanted = registry_api::runs::Wanted::up_to("2026-11-01".parse().expect("a day"));
    let run =
        registry_api::runs::execute(service.state(), &Scope::system("test"), &wanted, |_| {}).expect("a run");
    let waiting = page(&own, "/centre");
    assert!(waiting.contains("/centre?run=latest"), "{waiting}");
    let card = rows(&own, "/centre.csv?run=latest");
    let of = card
        .iter()
        .find(|row| row["id"] == "1a" && row["of"] != "half_year")
        .expect("1a");
    assert_eq!(
        (of["denominator"].as_str(), of["network_run"].as_str()),
        ("12", "")
    );
    assert!(
        card.iter()
            .all(|row| ["", "0"].contains(&row["network_denominator"].as_str())
                && row["network_rate"].is_empty()),
        "nothing of the network"
    );
    let shown = page(&own, "/centre?run=latest");
    assert!(
        shown.contains(&format!("Your own numbers are of run {}", run.number)),
        "{shown}"
    );
}

/// A centre reads itself beside the network, and is told so; links stand in the network's column, its own, and for the office above each centre's.
#[test]
fn a_centre_reads_of_no_other_and_the_matrix_leads_to_measures_and_cards() {
    let service = one_far_below();
    service.published_run("2026-11-01");
    let (own, committee) = (service.submitter("C01"), service.client("committee", None));
    let office = service.client("coordinator", None);
    let measure = page(&own, "/measures/1a");
    assert!(
        measure.contains("<h2>Your centre around the network, last 24 months</h2>"),
        "{measure}"
    );
    assert!(
        measure.contains("Other centres are not shown to a centre."),
        "{measure}"
    );
    assert!(!measure.contains("Allowing for overdispersion"), "{measure}");
    let all = page(&committee, "/measures/1a");
    assert!(all.contains("<h2>Centres around the network, last 24 months</h2>"));
    assert!(
        all.contains("Only centres outside the limits carry a name."),
        "{all}"
    );
    let links = |client: &Client| {
        page(client, "/adherence")
            .matches("href=\"/measures/1a\"")
            .count()
    };
    // The measure's name and the network's cell; a centre has its own besides.
    assert_eq!((links(&committee), links(&own), links(&office)), (2, 3, 2));
    let (mine, every) = (page(&own, "/adherence"), page(&office, "/adherence"));
    assert!(mine.contains("<a href=\"/centre\">C01</a>"));
    assert!(every.contains("<a href=\"/centre?centre=C04\">C04</a>"));
    assert!(!page(&committee, "/adherence").contains("href=\"/centre"));
}

/// Nobody at C01 was seen by a board, so that of its twelve units none is met; each rate and count has beside it what it rests on.
#[test]
fn what_cannot_be_assessed_stands_beside_the_counts_of_a_card() {
    let service = one_far_below();
    let client = service.submitter("C01");
    // Two more whose boards were not asked for: not assessable, whatever the twelve are.
    for n in 0..2 {
        let name = format!("C01-OPEN-{n:04}");
        let mut body = records::example("observation-only", &name);
        let fields = body.as_object_mut().expect("a record");
        fields.remove("mdt");
        let attested = fields
            .get_mut("section_attestation")
            .and_then(Value::as_array_mut);
        if let Some(attested) = attested {
            attested.retain(|one| one["section"] != "mdt");
        }
        client
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
    }
    service.published_run("2026-11-01");
    let card = rows(&client, "/centre.csv");
    let open = |of: &str, id: &str| {
        let row = card.iter().find(|row| row["of"] == of && row["id"] == id);
        row.unwrap_or_else(|| panic!("{of} {id}")).clone()
    };
    let half = open("half_year", "1a");
    assert_eq!(
        (
            half["numerator"].as_str(),
            half["denominator"].as_str(),
            half["not_assessable"].as_str()
        ),
        ("0", "12", "2")
    );
    // None of fourteen, or two of fourteen.
    let bound = |name: &str| half[name].parse::<f64>().expect("a bound");
    assert!(bound("bound_low").abs() < 1e-12 && (bound("bound_high") - 2.0 / 14.0).abs() < 1e-12);
    let shown = page(&client, "/centre");
    let (_, over_time) = shown
        .split_once("By half-year of the metastatic diagnosis")
        .expect("half-years");
    assert!(
        over_time.contains("<small>2 not assessable</small><br><small>0 to 14 %</small>"),
        "{over_time}"
    );
    let domains: Vec<_> = card.iter().filter(|row| row["of"] == "domain").collect();
    assert!(!domains.is_empty());
    for row in domains.iter().filter(|row| row["denominator"] != "0") {
        let number = |name: &str| {
            row[name]
                .parse::<f64>()
                .unwrap_or_else(|_| panic!("{name}: {row:?}"))
        };
        assert!(number("bound_low") <= number("rate") && number("rate") <= number("bound_high"));
    }
}

/// The chart of the card is a file, and its points stand in the table beside it and in the CSV.
#[test]
fn the_cards_chart_is_a_file_and_its_points_are_numbers() {
    let service = one_far_below();
    for centre in ["C01", "C02"] {
        let client = service.submitter(centre);
        for n in 0..12 {
            let name = format!("{centre}-OLD-{n:04}");
            // The same patient a year earlier.
            let text = records::example("observation-only", &name).to_string();
            let text = text.replace("2025-", "2024-").replace("2026-", "2025-");
            let body: Value = serde_json::from_str(&text).expect("a record");
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &body)
                .expect(201);
        }
    }
    service.published_run("2026-11-01");
    let (own, office) = (service.submitter("C01"), service.client("coordinator", None));
    for (client, query) in [(&own, ""), (&office, "?centre=C01")] {
        let shown = page(client, &format!("/centre{query}"));
        assert!(
            shown.contains(&format!("href=\"/centre/over-time.svg{query}\"")),
            "{shown}"
        );
        assert!(shown.contains("All indicators together"), "{shown}");
        let file = client.get(&format!("/centre/over-time.svg{query}")).expect(200);
        assert_eq!(file.header("content-type"), Some("image/svg+xml"));
        let card = rows(client, &format!("/centre.csv{query}"));
        let sum = |half: &str, column: &str| -> u32 {
            let of = card
                .iter()
                .filter(|row| row["of"] == "half_year" && row["period"] == half);
            of.map(|row| row[column].parse::<u32>().expect("a count")).sum()
        };
        let together: Vec<_> = card.iter().filter(|row| row["of"] == "together").collect();
        for half in ["2024-H1", "2025-H1"] {
            let point = together
                .iter()
                .find(|row| row["period"] == half)
                .unwrap_or_else(|| panic!("{half}: {together:?}"));
            for column in ["numerator", "denominator"] {
                assert_eq!(point[column], sum(half, column).to_string(), "{half} {column}");
            }
        }
    }
    own.get("/centre/over-time.svg?centre=C02").expect(404);
    service
        .client("committee", None)
        .get("/centre/over-time.svg")
        .expect(403);
}
