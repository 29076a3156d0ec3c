//! The files of survival endpoints: their rows, the estimates of these rows, and those of the run.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::storage::CaseStatus;
use registry_core::synthetic;
use registry_etl::disclosure::Audience;
use registry_etl::results::Analysis;
use registry_etl::runs::Reader;

use crate::registry::{Registry, judge, system};
use crate::releases::{built, rows, unpacked};

#[test]
fn every_endpoint_has_its_rows_and_its_estimates() {
    let registry = Registry::with(220, 5);
    let run = registry.run();
    let (built, bytes) = built(&registry, &run, 1);
    let files = unpacked(&bytes);
    let endpoints = registry_etl::cohorts::definitions(judge().store()).expect("endpoints");
    assert_eq!(endpoints.len(), 32);
    for endpoint in &endpoints {
        let name = format!("survival_{}.csv", endpoint.id.to_lowercase().replace('-', "_"));
        let all = rows(&files, &name);
        let patients: BTreeSet<&str> = all.iter().map(|row| row["patient_id"].as_str()).collect();
        assert_eq!(
            patients.len() as u64,
            built.manifest.cases,
            "{name}: every patient has a row"
        );
        for row in &all {
            let (analysed, why) = (row["analysed"] == "TRUE", row["left_out"].as_str());
            assert!(analysed == why.is_empty(), "{name}: analysed, or a reason");
            for stratum in &endpoint.strata {
                let held = row.contains_key(stratum.as_str());
                let withheld = ["age", "period", "volume"].contains(&stratum.as_str());
                assert!(held != withheld, "{name} {}", stratum.as_str());
                assert!(withheld || analysed != row[stratum.as_str()].is_empty(), "{name}");
            }
        }
        let repeated = endpoint.id.ends_with("repeat");
        assert_eq!(all.iter().all(|row| row.contains_key("row")), repeated, "{name}");
        assert!(
            repeated || all.len() == patients.len(),
            "{name}: one row a patient"
        );
    }
    let withheld = |element: &str| {
        let mut all = built.manifest.withheld.iter();
        all.any(|one| one.entity == "survival" && one.element == element && !one.reason.is_empty())
    };
    assert!(withheld("age") && withheld("period") && withheld("volume"));

    // The old columns of S1 stand first, in their order.
    let s1 = built
        .manifest
        .files
        .iter()
        .find(|file| file.name == "survival_s1.csv")
        .expect("S1");
    let first: Vec<&str> = s1.columns.iter().take(9).map(String::as_str).collect();
    let kept = [
        "patient_id",
        "histology_code",
        "analysed",
        "left_out",
        "entry_days",
        "exit_days",
        "os_months",
        "os_event",
        "lost",
    ];
    assert_eq!(first, kept);

    // What the estimates say of all patients of S1 follows from its rows: here by counting.
    let estimates = rows(&files, "survival_estimates.csv");
    let told = |quantity: &str| {
        let of_all = |row: &&BTreeMap<String, String>| {
            row["endpoint"] == "S1" && row["by"] == "all" && row["method"] == "kaplan_meier"
        };
        let mut found = estimates.iter().filter(of_all);
        let row = found.find(|row| row["quantity"] == quantity).expect("told");
        row["value"].parse::<f64>().expect("a number")
    };
    let analysed = rows(&files, "survival_s1.csv");
    let analysed: Vec<_> = analysed.iter().filter(|row| row["analysed"] == "TRUE").collect();
    let died = analysed.iter().filter(|row| row["event"] == "1").count();
    assert!(
        died > 20
            && analysed
                .iter()
                .all(|row| (row["event"] == "1") == (row["os_event"] == "TRUE"))
    );
    assert_eq!(
        (told("patients"), told("events")),
        (analysed.len() as f64, died as f64)
    );
    // One hazard ratio for each covariate that varies, each with its interval, age not among them.
    let cox: BTreeSet<&str> = estimates
        .iter()
        .filter(|row| row["method"] == "cox" && !row["term"].is_empty())
        .map(|row| row["term"].as_str())
        .collect();
    assert!(!cox.contains("x_age"), "{cox:?}");
    assert!(
        cox.iter()
            .all(|term| s1.columns.iter().any(|column| column == term))
    );
    assert!(String::from_utf8_lossy(&files["reproduce.R"]).contains("survfit"));
}

/// The release's own rows give the results of the run where every case may be released: the same cohort, not a second one.
#[test]
fn the_estimates_of_a_release_with_every_case_are_those_of_the_run() {
    let registry = Registry::empty();
    let plan = synthetic::CohortPlan {
        cases: 160,
        ..registry.plan
    };
    for index in 0..plan.cases {
        let mut case = synthetic::case(&plan, index);
        case.body["consent"]["research_reuse"] = serde_json::json!(true);
        registry
            .put(&case.centre_id, &case.pseudonym, case.body, CaseStatus::Submitted)
            .expect("stored");
    }
    let run = registry.run();
    let (built, bytes) = built(&registry, &run, 1);
    let files = unpacked(&bytes);
    let scope = system();
    let reader = Reader::new(&registry.store, &scope, &run);
    let estimates = rows(&files, "survival_estimates.csv");
    let mut compared = 0;
    for endpoint in ["S1", "S3-line-1", "S5"] {
        let result = reader.survival(endpoint, &Audience::Exact).expect("a result");
        assert_eq!(
            result.flow.cases.map(u64::from),
            Some(built.manifest.cases),
            "{endpoint}"
        );
        for curve in result
            .curves
            .iter()
            .filter(|one| one.analysis == Analysis::Primary)
        {
            for at in curve
                .landmarks
                .iter()
                .filter(|at| at.months > 0.0 && at.survival.is_some())
            {
                let row = estimates.iter().find(|row| {
                    row["endpoint"] == endpoint
                        && row["by"] == curve.by
                        && row["level"] == curve.level
                        && row["quantity"] == "survival"
                        && row["months"] == at.months.to_string()
                });
                if ["age", "period", "volume"].contains(&curve.by.as_str()) {
                    assert!(row.is_none());
                    continue;
                }
                let value: f64 = row.expect("told")["value"].parse().expect("a number");
                assert_eq!(
                    Some(value),
                    at.survival,
                    "{endpoint} {} {}",
                    curve.by,
                    curve.level
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "{compared}");
}
