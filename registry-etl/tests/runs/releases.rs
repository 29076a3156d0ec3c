//! A frozen release: complete, masked, explained, the same byte for byte.

use crate::registry::{Registry, as_of, engine, judge, system};
use registry_core::storage::{CaseStatus, Precondition, Withdraw, WithdrawalMode};
use registry_core::synthetic;
use registry_etl::releases::{self, Built, ReleaseKey, ReleaseOptions};
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
        spool: std::env::temp_dir(),
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
