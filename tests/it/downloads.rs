//! The tables behind the links of the pages: the same numbers as the API answers, line by line, and nothing hidden in the one that the other
//! shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::client::{Answer, Client};
use support::{records, service::Service};

const HTML: (&str, &str) = ("accept", "text/html");
const CSV: (&str, &str) = ("accept", "text/csv");

/// Two centres that may be shown, one that may not.
/// A cut-off by which the last 24 months hold the patients' diagnosis, of December 2019.
const THEN: &str = "2020-06-30";

fn three_centres() -> Service {
    three_centres_until("2026-11-01")
}

fn three_centres_until(cut_off: &str) -> Service {
    let service = Service::start();
    for (centre, n) in [("C01", 12), ("C02", 14), ("C03", 2)] {
        let client = service.submitter(centre);
        for n in 0..n {
            let name = format!("{centre}-{n:04}");
            client
                .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
                .expect(201);
        }
    }
    service.published_run(cut_off);
    service
}

/// Rows of a CSV answer by the names of its columns.
pub(crate) fn rows(answer: &Answer) -> Vec<BTreeMap<String, String>> {
    let kind = answer.header("content-type").expect("a type");
    assert!(kind.starts_with("text/csv"), "{kind}");
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let header = reader.headers().expect("a header").clone();
    let lines = reader.records().map(|line| line.expect("a line"));
    lines
        .map(|line| {
            let cells = header.iter().zip(line.iter());
            cells
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect()
        })
        .collect()
}

/// A value as a table writes it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn same(row: &BTreeMap<String, String>, value: &Value, names: &[&str]) {
    for name in names {
        assert!(equal(&row[*name], &value[*name]), "{name} of {row:?} and {value}");
    }
}

/// A table may write 1 where JSON writes 1.0.
fn equal(text: &str, value: &Value) -> bool {
    match value.as_f64() {
        Some(number) => text.parse() == Ok(number),
        None => text == cell(value),
    }
}

/// A measure with a rate of the network in the last 24 months.
fn with_a_rate(service: &Service) -> String {
    let office = service.client("coordinator", None);
    let all = json_of(&office, "/api/v1/adherence?by=network");
    let found = list(&all, "rows").iter().find(|row| row["state"] == "rate");
    cell(&found.expect("a measure with a rate")["measure"])
}

fn json_of(client: &Client, path: &str) -> Value {
    client.get(path).expect(200).json()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name} of {value}"))
}

fn readers(service: &Service) -> [Client; 3] {
    [
        service.client("committee", None),
        service.client("coordinator", None),
        service.submitter("C01"),
    ]
}

#[test]
fn adherence_is_the_same_as_a_table_and_as_json() {
    let service = three_centres();
    for client in readers(&service) {
        let mut told: BTreeMap<[String; 4], Value> = BTreeMap::new();
        for period in ["all", "last24_months"] {
            let answer = json_of(&client, &format!("/api/v1/adherence?period={period}"));
            for row in list(&answer, "rows") {
                let key = ["measure", "by", "level", "period"].map(|name| cell(&row[name]));
                assert!(told.insert(key, row.clone()).is_none());
            }
        }
        let table = rows(&client.get("/adherence.csv").expect(200));
        let lines: Vec<_> = table
            .iter()
            .filter(|row| row["measure"] != "registration")
            .collect();
        assert!(lines.len() > 100, "{}", lines.len());
        for row in lines {
            let key = ["measure", "by", "level", "period"].map(|name| row[name].clone());
            let value = told
                .get(&key)
                .unwrap_or_else(|| panic!("{key:?} is not in the JSON"));
            same(
                row,
                value,
                &[
                    "state",
                    "suppressed",
                    "numerator",
                    "denominator",
                    "not_assessable",
                    "rate",
                    "lower",
                    "upper",
                    "patients",
                ],
            );
        }
        // The same table by the API.
        let by_api = client
            .get_with("/api/v1/adherence?by=centre&period=last24_months", &[CSV])
            .expect(200);
        let page = client.get("/adherence.csv?by=").expect(200);
        let centres = |all: Vec<BTreeMap<String, String>>| -> Vec<_> {
            all.into_iter().filter(|row| row["by"] == "centre").collect()
        };
        assert_eq!(centres(rows(&by_api)), centres(rows(&page)));
    }
}

#[test]
fn survival_is_the_same_as_a_table_and_as_json() {
    let service = three_centres();
    for client in readers(&service) {
        let answer = json_of(&client, "/api/v1/survival/S1");
        let steps: Vec<(&Value, &Value)> = list(&answer, "curves")
            .iter()
            .flat_map(|curve| list(curve, "steps").iter().map(move |step| (curve, step)))
            .collect();
        let table = rows(&client.get("/survival.csv?endpoint=S1").expect(200));
        assert_eq!(table.len(), steps.len());
        for (row, (curve, step)) in table.iter().zip(steps) {
            same(row, curve, &["analysis", "by", "level"]);
            same(
                row,
                step,
                &[
                    "days", "at_risk", "events", "censored", "survival", "lower", "upper",
                ],
            );
            assert_eq!(row["as_of_run"], "", "the first run stays as nothing before it");
        }
        let at_risk = rows(&client.get("/survival.csv?endpoint=S1&table=at_risk").expect(200));
        let landmarks: Vec<&Value> = list(&answer, "curves")
            .iter()
            .flat_map(|curve| list(curve, "landmarks"))
            .collect();
        assert_eq!(at_risk.len(), landmarks.len());
        for (row, value) in at_risk.iter().zip(landmarks) {
            same(row, value, &["months", "at_risk"]);
        }
        let flow = rows(&client.get("/survival.csv?endpoint=S1&table=flow").expect(200));
        assert_eq!(flow[0]["n"], cell(&answer["flow"]["cases"]));
        let of = |table: &str| {
            rows(
                &client
                    .get(&format!("/survival.csv?endpoint=S1&{table}"))
                    .expect(200),
            )
        };
        let (summary, curves) = (of("table=summary"), list(&answer, "curves"));
        assert_eq!(summary.len(), curves.len());
        for (row, curve) in summary.iter().zip(curves) {
            same(
                row,
                curve,
                &["analysis", "by", "level", "state", "patients", "events", "lost"],
            );
            assert!(
                equal(&row["median_months"], &curve["median"]["months"]),
                "{row:?}"
            );
        }
        // A test for every breakdown, by the API and in the file.
        let (tests, said) = (of("table=tests"), list(&answer, "tests"));
        assert_eq!((tests.len(), tests.len() >= 10), (said.len(), true));
        for (row, test) in tests.iter().zip(said) {
            same(row, test, &["kind", "by", "chi_square", "df", "p", "refused"]);
            assert_eq!(row["kind"], "log_rank");
            assert!(row["p"].is_empty() != row["refused"].is_empty(), "{row:?}");
        }
        let contrasts = of("table=tests&landmark=6");
        let compared: Vec<&Value> = list(&answer, "landmark_comparisons")
            .iter()
            .filter(|one| one["landmark_months"] == 6)
            .collect();
        assert_eq!(contrasts.len(), compared.len());
        for (row, one) in contrasts.iter().zip(compared) {
            same(row, one, &["by", "landmark_months"]);
            assert!(equal(&row["p"], &one["contrast"]["p"]), "{row:?} {one}");
            assert_eq!(row["refused"], cell(&one["no_contrast"]));
        }
    }
}

#[test]
fn quality_is_the_same_as_a_table_and_as_json() {
    let service = three_centres();
    for client in readers(&service) {
        let answer = json_of(&client, "/api/v1/quality/completeness");
        let table = rows(&client.get("/quality.csv").expect(200));
        let of = |level: &Value, kind: &str, name: &str, period: &str| -> &BTreeMap<String, String> {
            let level = cell(&level["level"]);
            table
                .iter()
                .find(|row| {
                    row["level"] == level
                        && row["of"] == kind
                        && row["name"] == name
                        && row["period"] == period
                })
                .unwrap_or_else(|| panic!("{level} {kind} {name} {period}"))
        };
        let mut lines = 0;
        for level in list(&answer, "levels") {
            for section in list(level, "sections") {
                let row = of(level, "section", &cell(&section["section"]), "");
                same(
                    row,
                    section,
                    &[
                        "known_share",
                        "answered_share",
                        "closed_share",
                        "suppressed",
                        "patients",
                    ],
                );
                lines += 1;
            }
            for element in list(level, "elements") {
                let row = of(level, "element", &cell(&element["element"]), "");
                same(
                    row,
                    element,
                    &["known_share", "answered_share", "suppressed", "requirement"],
                );
                lines += 1;
            }
            for period in list(level, "periods") {
                let row = of(
                    level,
                    &cell(&period["by"]),
                    &cell(&period["section"]),
                    &cell(&period["period"]),
                );
                same(row, period, &["known_share", "suppressed"]);
                lines += 1;
            }
            for period in list(level, "registration_periods") {
                let row = of(level, "timeliness", "registration", &cell(&period["period"]));
                assert!(equal(&row["median_days"], &period["median"]), "{row:?} {period}");
                lines += 1;
            }
            lines += 1 + 1 + list(level, "timeliness").len();
        }
        assert_eq!(table.len(), lines, "every line was looked at");
    }
}

#[test]
fn every_other_table_of_a_page_has_its_csv() {
    let service = three_centres();
    let (committee, office, centre) = (
        service.client("committee", None),
        service.client("coordinator", None),
        service.submitter("C01"),
    );
    let table = |client: &Client, path: &str| rows(&client.get(path).expect(200));
    // The overview, as far as it is shown.
    let centres = table(&committee, "/overview.csv?table=centres");
    assert_eq!(centres.len(), 6, "those that only say whom they saw, too");
    let counts: Vec<&str> = centres.iter().map(|row| row["cases"].as_str()).collect();
    assert_eq!(
        counts.iter().filter(|n| n.is_empty()).count(),
        centres
            .iter()
            .filter(|row| row["suppressed"] == "few_patients")
            .count()
    );
    assert!(
        centres.iter().all(|row| row["level"].starts_with("Centre ")),
        "{centres:?}"
    );
    assert_eq!(
        table(&office, "/overview.csv?table=centres")
            .iter()
            .map(|row| row["cases"].clone())
            .collect::<Vec<_>>(),
        ["12", "14", "2", "0", "0", "0"]
    );
    let kinds = table(&office, "/overview.csv");
    for kind in ["registrations", "histology", "timing", "centres"] {
        assert!(kinds.iter().any(|row| row["table"] == kind), "{kind}");
        let sum: u32 = kinds
            .iter()
            .filter(|row| row["table"] == kind)
            .map(|row| row["cases"].parse::<u32>().expect("a count"))
            .sum();
        assert_eq!(sum, 28, "{kind} adds up");
    }
    office.get_with("/overview.csv?table=canary", &[HTML]).expect(400);

    table(&office, "/measures/1a/case-mix.csv");
    table(&office, "/measures/1a/sensitivity.csv");
    office.get("/measures/1a/canary.csv").expect(404);

    let published = table(&committee, "/survival/published.csv");
    assert_eq!(
        published.len(),
        list(&json_of(&committee, "/api/v1/benchmarks"), "published").len()
    );
    let signals = table(&committee, "/signals.csv");
    assert_eq!(
        signals,
        rows(&committee.get_with("/api/v1/signals", &[CSV]).expect(200))
    );

    let cases = table(&centre, "/cases.csv");
    assert_eq!((cases.len(), table(&office, "/cases.csv").len()), (12, 28));
    assert!(
        cases
            .iter()
            .all(|row| row["centre"] == "C01" && row["pseudonym"].starts_with("C01-"))
    );
    for (client, cases) in [(&office, "28"), (&committee, "")] {
        let runs = table(client, "/runs.csv");
        assert_eq!(
            (runs.len(), &*runs[0]["summary_cases"], &*runs[0]["status"]),
            (1, cases, "finished"),
            "how many cases a run has is for the office"
        );
    }
    assert!(table(&office, "/requests.csv").is_empty());
    let course = table(&centre, "/cases/C01-0000/course.csv");
    assert!(course.iter().any(|row| row["kind"] == "Imaging"), "{course:?}");
    service
        .submitter("C02")
        .get("/cases/C01-0000/course.csv")
        .expect(404);
    service
        .submitter("C02")
        .get("/cases/C01-0000/course.svg")
        .expect(404);
}

/// Patients diagnosed in 2019 of whom the last 24 months know nothing, and others of 2025, none of them with a word about boards.
#[test]
fn reasons_are_those_of_the_period_that_the_page_shows() {
    let service = Service::start();
    let centre = service.submitter("C01");
    for n in 0..24 {
        let name = format!("C01-{n:04}");
        let mut body = if n < 14 {
            records::figure_1(&name)
        } else {
            records::example("observation-only", &name)
        };
        if let Some(record) = body.as_object_mut() {
            record.remove("mdt");
            record.remove("section_attestation");
        }
        centre
            .put(&format!("/api/v1/cases/{name}"), &[], &body)
            .expect(201);
    }
    service.published_run("2026-11-01");
    let committee = service.client("committee", None);
    let named = ["reason", "element", "n"];
    let mut totals = Vec::new();
    for (period, asked) in [
        ("last24_months", ""),
        ("last24_months", "?period=last24_months"),
        ("all", "?period=all"),
    ] {
        let link = format!("/measures/1a/reasons.csv?period={period}");
        let page = committee
            .get_with(&format!("/measures/1a{asked}"), &[HTML])
            .expect(200)
            .text();
        assert!(page.contains(&format!("href=\"{link}\"")), "{asked}: {page}");
        let row = json_of(
            &committee,
            &format!("/api/v1/adherence?measure=1a&by=network&period={period}"),
        )["rows"][0]
            .clone();
        let told: Vec<[String; 3]> = list(&row, "not_assessable_by")
            .iter()
            .map(|one| named.map(|name| cell(&one[name])))
            .collect();
        let of = |path: &str| -> Vec<[String; 3]> {
            let all = rows(&committee.get(path).expect(200));
            all.iter()
                .map(|row| named.map(|name| row[name].clone()))
                .collect()
        };
        assert_eq!(of(&link), told, "{period}");
        assert_eq!(
            of(&format!("/measures/1a/reasons.csv{asked}")),
            told,
            "as the page asked {asked}"
        );
        totals.push(cell(&row["not_assessable"]));
    }
    assert_eq!(totals, ["10", "10", "24"]);
    for table in [
        "case-mix.csv?period=all",
        "funnel.csv?period=all",
        "reasons.csv?period=canary",
    ] {
        committee.get(&format!("/measures/1a/{table}")).expect(400);
    }
}

#[test]
fn every_chart_of_a_page_is_a_file() {
    let service = three_centres_until(THEN);
    let measure = with_a_rate(&service);
    let of_measure = format!("/measures/{measure}");
    let (committee, office, centre) = (
        service.client("committee", None),
        service.client("coordinator", None),
        service.submitter("C01"),
    );
    for (client, path) in [
        (&committee, "/"),
        (&committee, of_measure.as_str()),
        (&committee, "/survival"),
        (&committee, "/quality"),
        (&committee, "/brief"),
        (&committee, "/report"),
        (&office, "/brief"),
        (&office, "/report"),
        (&office, "/quality"),
        (&centre, "/quality"),
        (&centre, "/quality?section=imaging"),
        (&office, "/quality?element=imaging.modality&centre=C01"),
        (&centre, "/centre"),
        (&office, "/centre?centre=C01"),
        (&centre, "/cases/C01-0000"),
    ] {
        let text = client.get_with(path, &[HTML]).expect(200).text();
        let charts = text.matches("<svg xmlns").count();
        let links: Vec<String> = text
            .split("class=\"download picture\" href=\"")
            .skip(1)
            .map(|rest| {
                rest.split('"')
                    .next()
                    .unwrap_or_default()
                    .replace("&#38;", "&")
                    .replace("&amp;", "&")
            })
            .collect();
        assert_eq!(links.len(), charts, "{path}: a link beside every chart");
        for link in links {
            let file = client.get(&link).expect(200);
            assert_eq!(
                file.header("content-type"),
                Some("image/svg+xml"),
                "{path}: {link}"
            );
            assert!(!file.text().contains("class="), "{link}");
        }
    }
    // What the office prints for the committee names no centre, on slides neither.
    let funnel = office
        .get(&format!(
            "/charts/funnel.svg?measure={measure}&by_letter=true&run=1"
        ))
        .expect(200)
        .text();
    assert!(!funnel.contains("C01"), "{funnel}");
    service
        .client("researcher", None)
        .get("/charts/funnel.svg?measure=1a&by_letter=true")
        .expect(403);
    committee.get("/charts/findings.svg").expect(403);
}

/// What stays as an earlier run showed it says so in the tables and in the funnel too, and never by a centre's id.
#[test]
fn what_stays_as_of_an_earlier_run_says_so_everywhere() {
    let service = three_centres_until(THEN);
    let second = service.submitter("C02");
    for n in 0..2 {
        let name = format!("MORE-{n:04}");
        second
            .put(&format!("/api/v1/cases/{name}"), &[], &records::figure_1(&name))
            .expect(201);
    }
    assert_eq!(service.published_run(THEN), 2);
    let committee = service.client("committee", None);
    let answer = json_of(&committee, "/api/v1/survival/S1");
    assert!(!answer["as_of"].to_string().contains("C0"), "{}", answer["as_of"]);
    let flow = rows(&committee.get("/survival.csv?endpoint=S1&table=flow").expect(200));
    assert!(flow.iter().all(|row| row["as_of_run"] == "1"), "{flow:?}");
    let curves = rows(&committee.get("/survival.csv?endpoint=S1").expect(200));
    for row in &curves {
        let part = format!("curves/{}/{}/{}", row["analysis"], row["by"], row["level"]);
        let told = list(&answer, "as_of")
            .iter()
            .find(|one| one["part"] == part.as_str());
        assert_eq!(
            row["as_of_run"],
            told.map_or_else(String::new, |one| cell(&one["run"])),
            "{part}"
        );
    }
    let measure = with_a_rate(&service);
    let adherence = json_of(
        &committee,
        &format!("/api/v1/adherence?by=centre&measure={measure}"),
    );
    let of_funnel = format!("/api/v1/adherence/{measure}/funnel");
    let funnel = json_of(&committee, &of_funnel);
    let table = rows(&committee.get_with(&of_funnel, &[CSV]).expect(200));
    for row in list(&adherence, "rows") {
        let centre = &row["level"];
        let point = list(&funnel["funnel"], "points")
            .iter()
            .find(|one| one["centre"] == *centre)
            .expect("a point");
        assert_eq!(point["as_of"], row["as_of"], "{centre}");
        let line = table
            .iter()
            .find(|line| line["centre"] == cell(centre))
            .expect("a line");
        assert_eq!(line["as_of"], cell(&row["as_of"]), "{centre}");
    }
    assert!(
        list(&adherence, "rows")
            .iter()
            .any(|row| row["as_of"] == json!(1)),
        "{adherence}"
    );
}
