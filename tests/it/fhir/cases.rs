//! Individual reports: what the assessment of the case says, for those who may read the case.

use std::collections::BTreeMap;

use registry_core::guideline::Outcome;
use registry_core::synthetic::{self, CohortPlan};
use serde_json::{Value, json};
use support::client::Client;
use support::records;
use support::service::{CENTRES, Service};

use super::{count, every, fhir, own_id, refused};

/// All-or-none summaries, which the assessment does not list.
const COMPOSITES: [&str; 8] = ["15", "16", "17", "18", "24", "25", "27", "29"];

fn service() -> Service {
    let service = Service::start();
    service
        .submitter("C01")
        .put("/api/v1/cases/FIG_0-1", &[], &records::figure_1("FIG_0-1"))
        .expect(201);
    service
}

#[test]
fn a_case_has_a_report_on_every_measure_that_counts_its_units() {
    let service = service();
    let mut outcomes = BTreeMap::new();
    compare(&service.submitter("C01"), "FIG_0-1", &mut outcomes);
    let plan = CohortPlan {
        centres: CENTRES.len() as u32,
        ..CohortPlan::demo("2026-11-01".parse().expect("a date"))
    };
    for index in 0..12 {
        let case = synthetic::case(&plan, index);
        let centre = service.submitter(&case.centre_id);
        let path = format!("/api/v1/cases/{}", case.pseudonym);
        centre.put(&path, &[], &case.body).expect(201);
        compare(&centre, &case.pseudonym, &mut outcomes);
    }
    for outcome in Outcome::ALL {
        assert!(
            outcomes.contains_key(outcome.as_str()),
            "no {outcome:?}: {outcomes:?}"
        );
    }
}

/// The reports on a case against its assessment; counts the outcomes that were compared.
fn compare(centre: &Client, pseudonym: &str, outcomes: &mut BTreeMap<String, usize>) {
    let assessment = centre
        .get(&format!("/api/v1/cases/{pseudonym}/assessment"))
        .expect(200)
        .json();
    let mut lines: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for line in assessment["assessment"].as_array().expect("lines") {
        let measure = line["measure"].as_str().expect("a measure");
        lines.entry(measure).or_default().push(line);
    }
    let subject = format!("subject:identifier=urn:rps-registry:pseudonym|{pseudonym}");
    let reports = every(centre, &format!("/fhir/MeasureReport?{subject}&_count=40"));
    assert_eq!(reports.len(), 106);
    let mut composites = 0;
    for report in &reports {
        assert_eq!(
            (&report["type"], &report["status"]),
            (&json!("individual"), &json!("complete"))
        );
        assert_eq!(report["subject"]["identifier"]["value"], pseudonym);
        assert_eq!(report["period"]["end"], assessment["assessed_as_of"]);
        let group = &report["group"][0];
        assert!(group.get("measureScore").is_none(), "{report}");
        let measure = own_id(&report["measure"]);
        composites += usize::from(COMPOSITES.contains(&measure));
        let lines = lines.remove(measure).unwrap_or_default();
        counts(group, &lines);
        units(group, &lines);
        for line in lines {
            let outcome = line["outcome"].as_str().expect("an outcome");
            *outcomes.entry(outcome.to_owned()).or_default() += 1;
        }
    }
    assert!(lines.is_empty(), "no report on {lines:?}");
    assert_eq!(composites, COMPOSITES.len());
}

/// Every population holds the units of its outcomes.
fn counts(group: &Value, lines: &[&Value]) {
    let of = |codes: &[&str]| {
        let is = |line: &&&Value| codes.contains(&line["outcome"].as_str().expect("an outcome"));
        Some(lines.iter().filter(is).count() as i64)
    };
    let in_denominator = ["MET", "USED", "NOT_MET", "NOT_USED", "EXCLUDED", "EXCEPTED"];
    for (code, expected) in [
        ("initial-population", Some(lines.len() as i64)),
        ("denominator", of(&in_denominator)),
        ("denominator-exclusion", of(&["EXCLUDED"])),
        ("denominator-exception", of(&["EXCEPTED"])),
        ("numerator", of(&["MET", "USED"])),
        ("not-assessable", of(&["NOT_ASSESSABLE"])),
        ("assessable", of(&in_denominator[..4])),
    ] {
        assert_eq!(count(group, code), expected, "{code} {group}");
    }
}

/// Every unit says its outcome, and what was missing.
fn units(group: &Value, lines: &[&Value]) {
    let none = Vec::new();
    let units = group["extension"].as_array().unwrap_or(&none);
    assert_eq!(units.len(), lines.len());
    for (unit, line) in units.iter().zip(lines) {
        let parts = unit["extension"].as_array().expect("parts");
        let part = |name: &str| {
            let found = parts.iter().find(|p| p["url"] == name);
            found.and_then(|p| p["valueCode"].as_str().or(p["valueString"].as_str()))
        };
        for name in ["outcome", "reason", "element"] {
            assert_eq!(part(name), line[name].as_str(), "{name} {group}");
        }
    }
}

#[test]
fn a_report_has_an_address_of_its_own() {
    let service = service();
    let centre = service.submitter("C01");
    let one = every(&centre, "/fhir/MeasureReport?subject=FIG_0-1&measure=1a");
    let [one] = one.as_slice() else {
        panic!("one report: {one:?}");
    };
    let id = one["id"].as_str().expect("an id");
    assert_eq!(id, "case-1a-FIG.0-1");
    let read = fhir(centre.get(&format!("/fhir/MeasureReport/{id}")).expect(200));
    assert_eq!(
        (&read["group"], &read["subject"]),
        (&one["group"], &one["subject"])
    );
}

#[test]
fn another_centres_case_is_no_such_case() {
    let service = service();
    let stranger = service.submitter("C02");
    let masked = |mut outcome: Value| {
        outcome["id"] = json!("");
        outcome
    };
    for of in [
        "?subject=",
        "?measure=1a&subject:identifier=urn:rps-registry:pseudonym|",
        "/case-1a-",
    ] {
        let path = |pseudonym: &str| format!("/fhir/MeasureReport{of}{pseudonym}");
        let (other, absent) = match of.starts_with('/') {
            true => (path("FIG.0-1"), path("FIG.0-2")),
            false => (path("FIG_0-1"), path("FIG_0-2")),
        };
        service.submitter("C01").get(&other).expect(200);
        service.client("coordinator", None).get(&other).expect(200);
        let other = refused(stranger.get(&other), 404, "not_found");
        let absent = refused(stranger.get(&absent), 404, "not_found");
        assert_eq!(masked(other), masked(absent), "{of}");
    }
    // The case's own address gives the same status and code.
    assert_eq!(
        stranger
            .get("/api/v1/cases/FIG_0-1/assessment")
            .expect(404)
            .code(),
        "not_found"
    );
}

#[test]
fn roles_without_case_data_are_refused() {
    let service = service();
    for role in ["committee", "researcher"] {
        let client = service.client(role, None);
        assert_eq!(client.get("/api/v1/cases/FIG_0-1/assessment").status, 403);
        for path in [
            "/fhir/MeasureReport?subject=FIG_0-1",
            "/fhir/MeasureReport/case-1a-FIG.0-1",
        ] {
            refused(client.get(path), 403, "forbidden");
        }
    }
    let centre = service.submitter("C01");
    refused(
        centre.get("/fhir/MeasureReport?subject=FIG_0-1&run=1"),
        400,
        "bad_query",
    );
    refused(
        centre.get("/fhir/MeasureReport?subject=FIG_0-1&measure=99z"),
        404,
        "not_found",
    );
    refused(
        centre.get("/fhir/MeasureReport?subject=urn:other|FIG_0-1"),
        404,
        "not_found",
    );
    refused(
        centre.get("/fhir/MeasureReport/case-99z-FIG.0-1"),
        404,
        "not_found",
    );
}
