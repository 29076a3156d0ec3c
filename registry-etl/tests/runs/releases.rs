//! A frozen release: complete, masked, explained, the same byte for byte.

use crate::registry::{Registry, as_of, engine, judge, system};
use registry_core::dictionary::EntityKind;
use registry_core::storage::{CaseStatus, Precondition, Withdraw, WithdrawalMode};
use registry_core::synthetic;
use registry_etl::disclosure::Audience;
use registry_etl::releases::{self, Built, ReleaseKey, ReleaseOptions};
use registry_etl::results::Analysis;
use registry_etl::runs::Reader;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

pub(crate) type Rows = Vec<BTreeMap<String, String>>;

pub(crate) fn options(key: u8) -> ReleaseOptions {
    ReleaseOptions {
        release_id: "2026-1".into(),
        title: "First".into(),
        key: ReleaseKey::new([key; 32]),
        approved: None,
        accounting: None,
        fictitious: false,
    }
}

pub(crate) fn built(registry: &Registry, run: &registry_core::storage::Run, key: u8) -> (Built, Vec<u8>) {
    let mut bytes = Vec::new();
    let built = releases::build(
        &registry.store,
        &system(),
        &engine(),
        run,
        &options(key),
        &mut bytes,
    )
    .expect("built");
    (built, bytes)
}

pub(crate) fn unpacked(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    (0..archive.len())
        .map(|i| {
            let mut file = archive.by_index(i).expect("a file");
            let mut plain = Vec::new();
            file.read_to_end(&mut plain).expect("readable");
            (file.name().to_owned(), plain)
        })
        .collect()
}

pub(crate) fn rows(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Rows {
    let mut reader = csv::Reader::from_reader(files[name].as_slice());
    let header: Vec<String> = reader
        .headers()
        .expect("a header")
        .iter()
        .map(str::to_owned)
        .collect();
    reader
        .records()
        .map(|r| {
            header
                .iter()
                .cloned()
                .zip(r.expect("RFC 4180").iter().map(str::to_owned))
                .collect()
        })
        .collect()
}

#[test]
fn a_release_is_complete_masked_and_the_same_again() {
    let registry = Registry::with(60, 4);
    let run = registry.run();
    let (first, bytes) = built(&registry, &run, 1);
    assert_eq!(bytes, built(&registry, &run, 1).1, "byte-identical");
    assert_eq!(hex::encode(Sha256::digest(&bytes)), first.sha256);
    assert_eq!(bytes.len() as u64, first.bytes);

    let files = unpacked(&bytes);
    let cases: Vec<_> = (0..60).map(|i| synthetic::case(&registry.plan, i)).collect();
    let reusable = cases
        .iter()
        .filter(|c| c.body["consent"]["research_reuse"] == true)
        .count();
    assert!(reusable > 10 && reusable <= 60);
    assert_eq!(first.manifest.cases as usize, reusable);
    let (mut tables, mut parquets) = (0, 0);
    for file in &first.manifest.files {
        let plain = &files[&file.name];
        assert_eq!(hex::encode(Sha256::digest(plain)), file.sha256, "{}", file.name);
        assert_eq!(plain.len() as u64, file.bytes);
        if let Some(table) = file.name.strip_prefix("parquet/") {
            // The rows and columns of the CSV file of its name.
            let mut all = first.manifest.files.iter();
            let plain =
                all.find(|one| one.name.trim_end_matches(".csv") == table.trim_end_matches(".parquet"));
            let plain = plain.expect("the same table");
            assert_eq!((&file.columns, file.rows), (&plain.columns, plain.rows));
            parquets += 1;
            continue;
        }
        if !file.name.ends_with(".csv") {
            assert_eq!((file.rows, file.columns.len()), (0, 0));
            continue;
        }
        tables += 1;
        assert_eq!(rows(&files, &file.name).len() as u64, file.rows, "{}", file.name);
        assert!(plain.ends_with(b"\r\n") && !plain.starts_with(b"\xef\xbb\xbf"));
    }
    assert!(tables > 60 && tables == parquets, "{tables} {parquets}");
    assert_eq!(files.len(), first.manifest.files.len() + 1, "and the manifest");
    assert_eq!(rows(&files, "survival_s1.csv").len(), reusable);

    // Nothing that names a patient, a centre or a day.
    for (name, plain) in files.iter().filter(|(name, _)| name.ends_with(".csv")) {
        let text = std::str::from_utf8(plain).expect("UTF-8");
        assert!(!text.contains("SYN-"), "{name} holds a pseudonym");
        for field in text.lines().flat_map(|l| l.split(',')) {
            assert!(
                !["C01", "C02", "C03", "C04"].contains(&field),
                "{name} holds a centre"
            );
            let dated = field.len() == 10 && field.as_bytes()[4] == b'-' && field.as_bytes()[7] == b'-';
            assert!(!dated, "{name} holds a date");
        }
    }
}

#[test]
fn a_release_is_in_the_newest_form_whichever_version_a_centre_sends() {
    let registry = Registry::with(24, 3);
    let judge = judge();
    let store = judge.store();
    let tables = |registry: &Registry| {
        let files = unpacked(&built(registry, &registry.run(), 1).1);
        ["pathology_review.csv", "assessment.csv", "pro.csv"].map(|name| rows(&files, name))
    };
    let sent_as_1_0_0 = tables(&registry);
    for index in 0..24 {
        let case = synthetic::case(&registry.plan, index);
        assert_eq!(case.body["schema_version"], "1.0.0");
        let newest = store.newest(&case.body, "1.0.0").into_owned();
        assert_eq!(newest["schema_version"], "1.1.0");
        registry
            .put(&case.centre_id, &case.pseudonym, newest, CaseStatus::Submitted)
            .expect("stored");
    }
    let sent_as_1_1_0 = tables(&registry);
    assert_eq!(sent_as_1_0_0, sent_as_1_1_0);
    let [reviews, assessments, _] = &sent_as_1_1_0;
    assert!(!reviews.is_empty() && !assessments.is_empty());
    assert!(reviews.iter().all(|row| !row.contains_key("specimen")));
    let sites: BTreeSet<&str> = reviews.iter().map(|row| row["specimen_site"].as_str()).collect();
    assert!(sites.contains("primary"), "{sites:?}");
    assert!(
        assessments
            .iter()
            .any(|row| row["egfr_ml_min_1_73m2"].parse::<f64>().is_ok())
    );
}

#[test]
fn days_count_from_metastatic_diagnosis_and_rows_are_sorted() {
    let registry = Registry::with(30, 3);
    let run = registry.run();
    let files = unpacked(&built(&registry, &run, 1).1);
    let presentations = rows(&files, "presentation.csv");
    let exact = presentations
        .iter()
        .filter(|r| r["seq"] == "1" && r["date_detected__precision"] == "day");
    assert!(exact.clone().count() > 0);
    assert!(
        exact
            .clone()
            .all(|r| r["date_detected_day_min"] == "0" && r["date_detected_day_max"] == "0")
    );
    let keys: Vec<(String, usize)> = rows(&files, "imaging.csv")
        .iter()
        .map(|r| (r["patient_id"].clone(), r["row"].parse().expect("a number")))
        .collect();
    assert!(keys.is_sorted());

    // One case against its document: every imaging date is the difference of the two days.
    let patients: BTreeSet<String> = rows(&files, "patient.csv")
        .iter()
        .map(|r| r["patient_id"].clone())
        .collect();
    let expected: BTreeSet<i64> = (0..30)
        .map(|i| synthetic::case(&registry.plan, i).body)
        .filter(|b| b["consent"]["research_reuse"] == true)
        .flat_map(|b| {
            let day = |v: &serde_json::Value| chrono::NaiveDate::parse_from_str(v.as_str()?, "%Y-%m-%d").ok();
            let origin = b["presentation"]
                .as_array()
                .and_then(|p| day(&p[0]["date_detected"]));
            let scans = b["imaging"].as_array().cloned().unwrap_or_default();
            let days: Vec<i64> = scans
                .iter()
                .filter_map(|s| Some((day(&s["date"])? - origin?).num_days()))
                .collect();
            days
        })
        .collect();
    let got: BTreeSet<i64> = rows(&files, "imaging.csv")
        .iter()
        .filter(|r| r["date__precision"] == "day" && r["date_day_min"] == r["date_day_max"])
        .map(|r| r["date_day_min"].parse().expect("a day"))
        .collect();
    assert!(
        !got.is_empty() && got.is_subset(&expected),
        "{:?}",
        got.difference(&expected).collect::<Vec<_>>()
    );
    assert!(patients.iter().all(|p| p.len() == 17 && p.starts_with('P')));
}

#[test]
fn every_element_is_a_column_or_withheld_with_a_reason() {
    let registry = Registry::with(3, 2);
    let run = registry.run();
    let (built, bytes) = built(&registry, &run, 1);
    let files = unpacked(&bytes);
    let explained: BTreeSet<(String, String)> = rows(&files, "dictionary.csv")
        .iter()
        .map(|r| (r["file"].clone(), r["column"].clone()))
        .collect();
    let tables = built.manifest.files.iter().filter(|f| f.name.ends_with(".csv"));
    for file in tables {
        for column in &file.columns {
            assert!(
                explained.contains(&(file.name.clone(), column.clone())),
                "{} {column}",
                file.name
            );
        }
    }
    let withheld: BTreeSet<(String, String)> = built
        .manifest
        .withheld
        .iter()
        .map(|w| (w.entity.clone(), w.element.clone()))
        .collect();
    let lines = rows(&files, "dictionary.csv");
    for entity in &judge().store().current().dictionary.entities {
        for element in &entity.elements {
            let key = (entity.name.clone(), element.name.clone());
            let released = lines
                .iter()
                .any(|r| r["entity"] == key.0 && r["element"] == key.1);
            assert!(
                released != withheld.contains(&key),
                "{key:?} is either released or withheld"
            );
            assert!(!released || entity.kind == EntityKind::Case);
        }
    }
    let hidden = |entity: &str, element: &str| withheld.contains(&(entity.into(), element.into()));
    assert!(
        hidden("patient", "birth_year") && hidden("patient", "pseudonym_id") && hidden("systemic", "regimen")
    );
}

/// Every table of the bundle, with what its file says of it; types and codes are those of the elements.
#[test]
fn a_release_is_a_data_package_and_can_be_cited() {
    use serde_json::{Value, json};
    let registry = Registry::with(12, 2);
    let run = registry.run();
    let (built, bytes) = built(&registry, &run, 1);
    let files = unpacked(&bytes);
    let package: Value = serde_json::from_slice(&files["datapackage.json"]).expect("JSON");
    assert_eq!(package["profile"], "tabular-data-package");
    assert_eq!(package["name"], "rps-registry-2026-1");
    assert_eq!(
        (&package["title"], &package["version"]),
        (&json!("First"), &json!("2026-1"))
    );
    let resources = package["resources"].as_array().expect("resources");
    let described: Vec<&str> = resources.iter().filter_map(|one| one["path"].as_str()).collect();
    let tables = built
        .manifest
        .files
        .iter()
        .filter(|file| file.name.ends_with(".csv"));
    let tables: Vec<_> = tables.collect();
    let named: Vec<&str> = tables.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(described, named);
    for (resource, file) in resources.iter().zip(&tables) {
        assert_eq!(resource["bytes"], file.bytes, "{}", file.name);
        assert_eq!(
            resource["hash"],
            format!("sha256:{}", file.sha256),
            "{}",
            file.name
        );
        let schema = &resource["schema"];
        let fields: Vec<&str> = schema["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .filter_map(|field| field["name"].as_str())
            .collect();
        assert_eq!(fields, file.columns, "{}", file.name);
        assert_eq!(schema["missingValues"], json!([""]));
        // The key tells rows apart; no row refers to a patient who is not there.
        let key: Vec<&str> = schema["primaryKey"]
            .as_array()
            .expect("a key")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let all = rows(&files, &file.name);
        let keys: BTreeSet<Vec<&str>> = all
            .iter()
            .map(|row| key.iter().map(|column| row[*column].as_str()).collect())
            .collect();
        assert_eq!(keys.len(), all.len(), "{}: {key:?}", file.name);
        let refers = fields.contains(&"patient_id") && file.name != "patient.csv";
        let patients = json!([{ "fields": "patient_id", "reference": { "resource": "patient", "fields": "patient_id" } }]);
        let wanted = if refers { &patients } else { &Value::Null };
        assert_eq!(
            schema.get("foreignKeys").unwrap_or(&Value::Null),
            wanted,
            "{}",
            file.name
        );
    }
    let field = |file: &str, column: &str| {
        let resource = resources.iter().find(|one| one["path"] == file).expect(file);
        let fields = resource["schema"]["fields"].as_array().expect("fields");
        let mut found = fields
            .iter()
            .find(|one| one["name"] == column)
            .expect(column)
            .clone();
        found.as_object_mut().expect("a field").remove("description");
        found
    };
    let truth = |name: &str| json!({ "name": name, "type": "boolean", "trueValues": ["TRUE"], "falseValues": ["FALSE"] });
    assert_eq!(field("survival_s1.csv", "analysed"), truth("analysed"));
    assert_eq!(field("survival_s1.csv", "os_event"), truth("os_event"));
    assert_eq!(
        field("survival_s1.csv", "exit_days"),
        json!({ "name": "exit_days", "type": "integer" })
    );
    assert_eq!(
        field("survival_s1.csv", "os_months"),
        json!({ "name": "os_months", "type": "number" })
    );
    assert_eq!(
        field("adherence_units.csv", "outcome"),
        json!({ "name": "outcome", "type": "string" })
    );
    assert_eq!(
        field("imaging.csv", "date_day_min"),
        json!({ "name": "date_day_min", "type": "integer" })
    );
    assert_eq!(
        field("imaging.csv", "date__precision")["constraints"],
        json!({ "enum": ["day", "month", "year"] })
    );
    let timing = judge().store().current().dictionary.clone();
    let presentation = timing
        .entities
        .iter()
        .find(|one| one.name == "presentation")
        .expect("there");
    let element = presentation
        .elements
        .iter()
        .find(|one| one.name == "timing")
        .expect("there");
    let codes: Vec<&str> = element
        .codes
        .as_ref()
        .expect("a list")
        .codes
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    assert_eq!(
        field("presentation.csv", "timing"),
        json!({ "name": "timing", "type": "string", "constraints": { "enum": codes } })
    );

    let citation = String::from_utf8(files["CITATION.cff"].clone()).expect("UTF-8");
    for line in [
        "cff-version: 1.2.0",
        "type: dataset",
        "title: \"First (release 2026-1 of the RPS registry)\"",
        "version: \"2026-1\"",
    ] {
        assert!(citation.lines().any(|one| one == line), "{line}: {citation}");
    }
    for digest in ["schema_digest", "guideline_digest", "centre_table_digest"] {
        let digest = run.parameters[digest].as_str().expect("a digest");
        assert!(
            digest.len() == 64 && citation.contains(&format!("value: \"sha256:{digest}\"")),
            "{citation}"
        );
    }
    assert!(!citation.contains("date-released"));
}

#[test]
fn another_key_unlinks_and_a_withdrawn_case_leaves() {
    let registry = Registry::with(20, 2);
    let run = registry.run();
    let ids = |bytes: &[u8]| -> BTreeSet<String> {
        rows(&unpacked(bytes), "patient.csv")
            .iter()
            .map(|r| r["patient_id"].clone())
            .collect()
    };
    let (one, other) = (built(&registry, &run, 1).1, built(&registry, &run, 2).1);
    assert!(ids(&one).is_disjoint(&ids(&other)) && ids(&one).len() == ids(&other).len());

    let gone = (0..20).map(|i| synthetic::case(&registry.plan, i));
    let gone = gone
        .into_iter()
        .find(|c| c.body["consent"]["research_reuse"] == true)
        .expect("one");
    let withdraw = Withdraw {
        pseudonym: gone.pseudonym,
        centre: Some(gone.centre_id),
        mode: WithdrawalMode::Erase,
        date: as_of(),
        reason: None,
        document: None,
        precondition: Precondition::Whatever,
        idempotency: None,
    };
    registry.store.withdraw(&system(), withdraw).expect("withdrawn");
    let after = ids(&built(&registry, &run, 1).1);
    assert!(after.len() + 1 == ids(&one).len() && after.is_subset(&ids(&one)));
}

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

#[test]
fn a_frozen_release_is_recorded_with_its_checksum() {
    let registry = Registry::with(5, 2);
    let run = registry.run();
    let mut bytes = Vec::new();
    let mut told = Vec::new();
    let release = releases::freeze(
        &registry.store,
        &system(),
        &engine(),
        &run,
        &options(1),
        &mut bytes,
        |done, total| told.push((done, total)),
    )
    .expect("frozen");
    // From none of the cases to all of them, never back.
    let cases = release.manifest["cases"].as_u64().expect("cases") as usize;
    assert!(
        cases > 0 && told.first() == Some(&(0, cases)) && told.last() == Some(&(cases, cases)),
        "{told:?}"
    );
    assert!(told.is_sorted());
    assert_eq!(release.sha256, hex::encode(Sha256::digest(&bytes)));
    assert_eq!(
        registry
            .store
            .release(&system(), "2026-1")
            .expect("there")
            .manifest["run"],
        run.number
    );
    let unfinished = registry_core::storage::Run {
        status: registry_core::storage::RunStatus::Running,
        ..run
    };
    let refused = releases::build(
        &registry.store,
        &system(),
        &engine(),
        &unfinished,
        &options(1),
        std::io::sink(),
    );
    assert!(matches!(refused, Err(releases::ReleaseError::NotFinished(_))));
}

/// Outcomes are kept by the place of their measure: another guideline would name them wrongly.
#[test]
fn a_run_by_a_guideline_that_is_not_here_any_more_is_neither_released_nor_listed_nor_analysed() {
    use registry_etl::measures::{Engine, EngineError};
    use registry_etl::runs::{self, Reader, RunError};
    let registry = Registry::with(2, 1);
    let mut run = registry.run();
    Engine::of_run(judge(), &run).expect("it is here");
    for (name, other) in [("guideline_digest", "0"), ("guideline", "another")] {
        let was = run.parameters[name].take();
        run.parameters[name] = other.into();
        let engine = engine();
        let refused = |error: &EngineError| matches!(error, EngineError::OtherGuideline { run: 1, version } if version == "1.1.0");
        let of_run = Engine::of_run(judge(), &run).err().expect("another guideline");
        assert!(refused(&of_run), "{of_run}");
        let built = releases::build(&registry.store, &system(), &engine, &run, &options(1), Vec::new());
        assert!(
            matches!(&built, Err(releases::ReleaseError::Engine(error)) if refused(error)),
            "{built:?}"
        );
        let scope = system();
        let list = Reader::new(&registry.store, &scope, &run).worklist(&engine, "C01");
        assert!(matches!(&list, Err(RunError::Engine(error)) if refused(error)));
        let (centres, value) = (registry.centres(), 1.into());
        let wanted = ("ECOG_OK", &value);
        let analysed = runs::sensitivity(
            &registry.store,
            &scope,
            &engine,
            &run,
            &centres,
            wanted,
            |_, _| {},
        );
        assert!(matches!(&analysed, Err(RunError::Engine(error)) if refused(error)));
        run.parameters[name] = was;
    }
}
