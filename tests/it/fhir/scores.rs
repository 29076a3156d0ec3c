//! Every count and every score is the registry's own, for every measure and every reader; what is hidden stays hidden.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::synthetic::{CohortPlan, case};
use serde_json::Value;
use support::client::Client;
use support::service::{CENTRES, Service};

use super::{DATA_ABSENT_REASON, count, every, extension, own_id, population};

/// A synthetic cohort at the six centres, and a published run of it.
fn service() -> Service {
    let service = Service::start();
    let plan = CohortPlan {
        cases: 120,
        centres: CENTRES.len() as u32,
        ..CohortPlan::demo("2026-11-01".parse().expect("a date"))
    };
    let mut bodies: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for index in 0..plan.cases {
        let case = case(&plan, index);
        let body = bodies.entry(case.centre_id).or_default();
        body.extend_from_slice(case.body.to_string().as_bytes());
        body.push(b'\n');
    }
    for (centre, body) in bodies {
        let headers = [
            ("content-type", "application/x-ndjson"),
            ("idempotency-key", "cohort"),
        ];
        let answer = service
            .submitter(&centre)
            .send("POST", "/api/v1/cases:batch", &headers, Some(&body));
        let results = answer.expect(200).json()["results"].clone();
        for result in results.as_array().expect("results") {
            assert_eq!(result["status"], 201, "{result}");
        }
    }
    service.published_run("2026-11-01");
    service
}

/// What a score or its absence says, and whether it agrees with the registry's own row.
#[derive(Debug, Default)]
struct Seen {
    rates: usize,
    insufficient: usize,
    not_assessable: usize,
    masked: usize,
    set_aside_masked: usize,
    measures: BTreeSet<String>,
}

impl Seen {
    #[track_caller]
    fn compare(&mut self, scored: &Value, row: &Value) {
        let at = format!("{row} {scored}");
        self.measures
            .insert(row["measure"].as_str().expect("a measure").to_owned());
        for (code, name) in [
            ("numerator", "numerator"),
            ("assessable", "denominator"),
            ("denominator-exclusion", "excluded"),
            ("denominator-exception", "excepted"),
            ("not-assessable", "not_assessable"),
        ] {
            let own = row[name].as_i64();
            assert_eq!(count(scored, code), own, "{code} {at}");
            if own.is_none() {
                let absent = &population(scored, code)["_count"]["extension"][0];
                assert_eq!(absent["url"], DATA_ABSENT_REASON, "{at}");
                assert_eq!(absent["valueCode"], "masked", "{at}");
            }
        }
        // FHIR's own arithmetic.
        let of = |code: &str| count(scored, code);
        let fhir = match (
            of("numerator"),
            of("denominator"),
            of("denominator-exclusion"),
            of("denominator-exception"),
        ) {
            (Some(n), Some(d), Some(exclusion), Some(exception)) => Some((n, d - exclusion - exception)),
            _ => None,
        };
        if let Some((_, left)) = fhir {
            assert_eq!(Some(left), row["denominator"].as_i64(), "{at}");
        }
        let units = of("denominator")
            .zip(of("not-assessable"))
            .zip(row["not_in_denominator"].as_i64());
        let all = units.map(|((d, lacking), outside)| d + lacking + outside);
        assert_eq!(of("initial-population"), all, "{at}");
        let score = &scored["measureScore"];
        match row["state"].as_str().expect("a state") {
            "rate" => {
                let value = score["value"].as_f64().expect("a score");
                assert_eq!(Some(value), row["rate"].as_f64(), "{at}");
                match fhir {
                    Some((n, left)) => assert!((n as f64 / left as f64 - value).abs() < 1e-12, "{at}"),
                    None => self.set_aside_masked += 1,
                }
                self.rates += 1;
            }
            "suppressed" => {
                assert!(scored.get("measureScore").is_none(), "{at}");
                let populations = scored["population"].as_array().expect("populations");
                assert!(populations.iter().all(|p| p.get("count").is_none()), "{at}");
                self.masked += 1;
            }
            state => {
                assert!(score.get("value").is_none(), "{at}");
                let (reason, seen) = match state {
                    "insufficient" => ("unknown", &mut self.insufficient),
                    _ => ("not-applicable", &mut self.not_assessable),
                };
                assert_eq!(score["extension"][0]["valueCode"], reason, "{at}");
                *seen += 1;
            }
        }
        let state = extension(scored, "rate-state").expect("a state");
        assert_eq!(state["valueCode"], row["state"], "{at}");
    }
}

/// Who a report is about, as the adherence table names it.
fn level(report: &Value) -> &str {
    match report["reporter"]["display"].as_str().expect("a name") {
        "All centres of the registry" => "all",
        centre => centre,
    }
}

/// Compares every report a reader gets with the adherence table the same reader gets.
fn compare(client: &Client) -> Seen {
    let mut seen = Seen::default();
    for period in ["all", "last24_months"] {
        let table = client
            .get(&format!("/api/v1/adherence?period={period}"))
            .expect(200)
            .json();
        let rows = table["rows"].as_array().expect("rows");
        let key = |measure: &str, level: &str| format!("{measure} {level}");
        let mut own: BTreeMap<String, &Value> = BTreeMap::new();
        for row in rows
            .iter()
            .filter(|r| r["by"] == "network" || r["by"] == "centre")
        {
            let text = |name: &str| row[name].as_str().expect("text");
            own.insert(key(text("measure"), text("level")), row);
        }
        let reports = every(client, &format!("/fhir/MeasureReport?period={period}&_count=100"));
        assert_eq!(reports.len(), own.len(), "one report per row");
        for report in &reports {
            assert_eq!(report["period"]["end"], "2026-11-01");
            assert_eq!(report["period"].get("start").is_some(), period != "all");
            let measure = own_id(&report["measure"]);
            let row = own.remove(&key(measure, level(report))).expect("its row, once");
            seen.compare(&report["group"][0], row);
            strata(&mut seen, report, rows);
        }
    }
    seen
}

/// The breakdowns of a report against the rows of the table.
fn strata(seen: &mut Seen, report: &Value, rows: &[Value]) {
    let measure = own_id(&report["measure"]);
    let whole = level(report) == "all" && report["period"].get("start").is_none();
    let parts = |row: &&Value| row["measure"] == measure && row["by"] != "network" && row["by"] != "centre";
    let mut expected: BTreeMap<String, &Value> = BTreeMap::new();
    for row in rows.iter().filter(parts).filter(|_| whole) {
        let text = |name: &str| row[name].as_str().expect("text");
        let level = match text("by") {
            "stratum" => text("level").to_owned(),
            by => format!("{by}={}", text("level")),
        };
        expected.insert(level, row);
    }
    let none = Vec::new();
    for stratifier in report["group"][0]["stratifier"].as_array().unwrap_or(&none) {
        let code = stratifier["code"][0]["coding"][0]["code"]
            .as_str()
            .expect("a code");
        for stratum in stratifier["stratum"].as_array().expect("strata") {
            let level = format!("{code}={}", stratum["value"]["text"].as_str().expect("a level"));
            let row = expected.remove(&level).expect("its row, once");
            seen.compare(stratum, row);
        }
    }
    assert!(expected.is_empty(), "{expected:?}");
}

#[test]
fn every_score_is_the_registrys_rate() {
    let service = service();
    let exact = compare(&service.client("coordinator", None));
    let committee = compare(&service.client("committee", None));
    let centre = compare(&service.client("centre_lead", Some("C01")));

    // 98 measures and 8 all-or-none summaries of statements.
    for seen in [&exact, &committee, &centre] {
        assert_eq!(seen.measures.len(), 106, "{seen:?}");
        assert!(
            seen.rates > 0 && seen.insufficient > 0 && seen.not_assessable > 0,
            "{seen:?}"
        );
    }
    assert_eq!((exact.masked, exact.set_aside_masked), (0, 0));
    assert!(
        committee.masked > 0 && committee.set_aside_masked > 0,
        "{committee:?}"
    );
    assert!(centre.masked > 0, "{centre:?}");

    who_is_named(&service);
}

/// The office reads centre ids, the committee letters, a centre its own id and no other centre.
fn who_is_named(service: &Service) {
    let names = |client: &Client, path: &str| -> BTreeSet<String> {
        let reports = every(client, path);
        reports.iter().map(|r| level(r).to_owned()).collect()
    };
    let of_centres = "/fhir/MeasureReport?measure=1a&by=centre";
    let ids: BTreeSet<String> = CENTRES.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(names(&service.client("coordinator", None), of_centres), ids);
    let committee = service.client("committee", None);
    let letters = names(&committee, of_centres);
    assert_eq!(letters.len(), 6);
    assert!(letters.iter().all(|l| l.starts_with("Centre ")), "{letters:?}");
    let text = every(&committee, of_centres)
        .iter()
        .map(Value::to_string)
        .collect::<String>();
    assert!(
        !CENTRES.iter().any(|id| text.contains(&format!("\"{id}\""))),
        "an id behind a letter"
    );
    let centre = service.submitter("C02");
    assert_eq!(names(&centre, of_centres), BTreeSet::from(["C02".to_owned()]));
    let other = every(&centre, "/fhir/MeasureReport?measure=1a&centre=C03");
    assert!(other.is_empty());
    // A report has an address of its own; one that a reader does not see has none for it.
    let report = &every(&centre, of_centres)[0];
    let path = format!("/fhir/MeasureReport/{}", report["id"].as_str().expect("an id"));
    assert_eq!(&super::fhir(centre.get(&path).expect(200)), report);
    super::refused(service.submitter("C03").get(&path), 404, "not_found");
}
