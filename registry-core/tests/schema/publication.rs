//! What a version changes, and how it is published.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use registry_core::validation::Judge;
use registry_core::versions::{
    ChangeClass, PublicationError, SchemaFiles, SchemaStore, Status, edited, publish, ready,
};
use tempfile::TempDir;

use crate::body::STORE;
use crate::dictionary::{draft, draft_with_an_element};
use crate::store::{change, copy};

#[test]
fn what_1_1_0_changes() {
    let diff = STORE.diff("1.0.0", "1.1.0").expect("both versions");
    let told: Vec<(&str, &str, &str, bool)> = diff
        .changes
        .iter()
        .map(|c| (c.class.as_str(), c.what, c.place.as_str(), c.upgraded))
        .collect();
    assert_eq!(
        told,
        [
            ("breaking", "element_split", "pathology_review.specimen", true),
            ("addition", "codes_added", "molecular_test.method", false),
            ("breaking", "element_renamed", "assessment.egfr_ml_min", true),
            ("addition", "codes_added", "pro.timepoint", false),
            ("cosmetic", "words_changed", "pro.timepoint", false),
        ]
    );
    let words = |at: usize| diff.changes[at].words.as_str();
    assert!(
        words(0)
            .starts_with("Is `pathology_review.specimen_site` and `pathology_review.specimen_procedure`.")
    );
    assert_eq!(words(1), "New codes: methylation.");
    assert!(words(2).starts_with("Is `assessment.egfr_ml_min_1_73m2`."));
    assert_eq!(
        words(3),
        "New codes: end_of_treatment, month_12, month_3, month_6, progression."
    );
    assert_eq!(STORE.changes("1.1.0"), Some(diff));
    assert_eq!(STORE.changes("1.0.0"), None);
    assert_eq!(STORE.diff("1.0.0", "1.1.9"), None);
    let same = STORE.diff("1.1.0", "1.1.0").expect("a version");
    assert_eq!((same.changes.len(), same.worst()), (0, None));
    // Backwards nothing leads: what was renamed is gone.
    let back = STORE.diff("1.1.0", "1.0.0").expect("both versions");
    assert!(
        back.changes
            .iter()
            .any(|c| c.what == "element_removed" && !c.upgraded)
    );
}

/// The one change an edit of the draft 1.2.0 makes: class and code.
fn made_by(path: &str, from: &str, to: &str) -> Vec<(ChangeClass, &'static str)> {
    let folder = draft();
    change(&folder, &format!("case/1.2.0/{path}.schema.json"), from, to);
    let store = SchemaStore::from_dir(folder.path()).unwrap_or_else(|e| panic!("{path} {from}: {e}"));
    let diff = store.diff("1.1.0", "1.2.0").expect("both versions");
    diff.changes.iter().map(|c| (c.class, c.what)).collect()
}

#[test]
fn every_kind_of_change_has_its_class() {
    use ChangeClass::{Addition, Breaking, Cosmetic};
    for (path, from, to, expected) in [
        (
            "imaging",
            "Day of the study.",
            "The day of the study.",
            (Cosmetic, "words_changed"),
        ),
        (
            "imaging",
            "\"x-attestable\":true",
            "\"x-attestable\":false",
            (Breaking, "attestation_changed"),
        ),
        (
            "followup",
            "\"x-cardinality\":\"1..*\"",
            "\"x-cardinality\":\"0..*\"",
            (Addition, "cardinality_changed"),
        ),
        (
            "imaging",
            "\"x-cardinality\":\"0..*\"",
            "\"x-cardinality\":\"1..*\"",
            (Breaking, "cardinality_changed"),
        ),
        (
            "primary",
            "\"x-unit\":\"mm\"",
            "\"x-unit\":\"cm\"",
            (Breaking, "unit_changed"),
        ),
        (
            "systemic",
            "\"maxLength\":200",
            "\"maxLength\":300",
            (Addition, "limit_changed"),
        ),
        (
            "systemic",
            "\"maxLength\":200",
            "\"maxLength\":100",
            (Breaking, "limit_changed"),
        ),
        ("systemic", "\"maxLength\":200,", "", (Addition, "limit_changed")),
        (
            "primary",
            "\"x-codes\":\"primary_side\"",
            "\"x-codes\":\"sex\"",
            (Breaking, "codes_removed"),
        ),
        (
            "lesion",
            "\"required\":[\"lesion_id\"",
            "\"required\":[\"site\",\"lesion_id\"",
            (Breaking, "demanded"),
        ),
        (
            "case",
            "\"maxItems\":1000",
            "\"maxItems\":2000",
            (Addition, "limit_changed"),
        ),
    ] {
        let made = made_by(path, from, to);
        assert!(made.contains(&expected), "{path}: {from} -> {to}: {made:?}");
        let worst = made.iter().map(|(class, _)| *class).max();
        if expected.1 != "codes_removed" {
            assert_eq!(made.len(), 1, "{path}: {made:?}");
        }
        assert_eq!(worst, Some(expected.0), "{path}: {made:?}");
    }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 1, 15).expect("a day")
}

fn files(folder: &Path) -> SchemaFiles {
    SchemaFiles::from_dir(folder).expect("a folder")
}

#[test]
fn a_draft_is_published_with_its_day_and_its_digests() {
    let folder = draft_with_an_element();
    let before = SchemaStore::from_dir(folder.path()).expect("a store");
    let draft = before.case_schema("1.2.0").expect("the draft");
    let diff = ready(&before, draft).expect("it is ready").expect("changes");
    let told: Vec<_> = diff
        .changes
        .iter()
        .map(|c| (c.class, c.what, c.place.as_str()))
        .collect();
    assert_eq!(
        told,
        [(ChangeClass::Addition, "element_added", "imaging.slice_mm")]
    );

    let publication = publish(&files(folder.path()), "1.2.0", day()).expect("published");
    assert_eq!(publication.diff, Some(diff));
    fs::write(folder.path().join("catalog.toml"), publication.catalogue).expect("written");
    let store = SchemaStore::from_dir(folder.path()).expect("the catalogue that was written");
    assert_eq!(store.current().version, "1.2.0");
    assert_eq!(store.current().status, Status::Active);
    assert_eq!(store.current().published.as_deref(), Some("2027-01-15"));
    let listed = |path: &str| store.catalogue().files.iter().any(|f| f.path == path);
    assert!(listed("case/1.2.0/imaging.schema.json") && listed("case/1.1.0/upgrade.toml"));
    // What was frozen keeps its digest.
    for file in &before.catalogue().files {
        assert!(store.catalogue().files.contains(file), "{}", file.path);
    }
    // A version without a step of its own only adds: documents of both earlier versions are read in it.
    let judge = Judge::new(Arc::new(store)).expect("the rules");
    assert_eq!(judge.store().form_of("1.0.0"), Some("1.2.0"));
    let body = serde_json::json!({"schema_version": "1.0.0", "assessment": [{"egfr_ml_min": 50}]});
    assert_eq!(
        *judge.store().newest(&body, "1.0.0"),
        serde_json::json!({"schema_version": "1.2.0", "assessment": [{"egfr_ml_min_1_73m2": 50}]})
    );
    // Published is published.
    match publish(&files(folder.path()), "1.2.0", day()) {
        Err(PublicationError::Published(version)) => assert_eq!(version, "1.2.0"),
        other => panic!("{other:?}"),
    }
    change(
        &folder,
        "case/1.2.0/imaging.schema.json",
        "Slice thickness.",
        "Thickness.",
    );
    let refused = SchemaStore::from_dir(folder.path())
        .expect_err("frozen")
        .to_string();
    assert!(refused.contains("published and has changed"), "{refused}");
}

#[test]
fn what_cannot_be_published_says_why() {
    let refused = |folder: &TempDir, version: &str| {
        publish(&files(folder.path()), version, day())
            .expect_err("refused")
            .to_string()
    };
    assert!(refused(&copy(), "1.2.0").contains("lists no version 1.2.0"));
    assert!(refused(&copy(), "1.1.0").contains("is published and frozen"));

    // An element is gone and no step provides for it.
    let folder = draft_with_an_element();
    let path = folder.path().join("case/1.2.0/imaging.schema.json");
    let text = fs::read_to_string(&path).expect("a file");
    let mut schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    schema["properties"]
        .as_object_mut()
        .expect("properties")
        .remove("purpose");
    fs::write(&path, schema.to_string()).expect("written");
    let why = refused(&folder, "1.2.0");
    assert!(
        why.contains("`imaging.purpose` leads to no element of 1.2.0"),
        "{why}"
    );

    // More than words under a number that promises words.
    let folder = draft_with_an_element();
    let to = folder.path().join("case/1.1.1");
    fs::rename(folder.path().join("case/1.2.0"), &to).expect("moved");
    for entry in fs::read_dir(&to).expect("a folder").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a file");
        fs::write(entry.path(), text.replace("1.2.0", "1.1.1")).expect("written");
    }
    change(
        &folder,
        "catalog.toml",
        "version = \"1.2.0\"",
        "version = \"1.1.1\"",
    );
    let why = refused(&folder, "1.1.1");
    assert!(why.contains("1 additions, 0 breaking"), "{why}");

    // Behind what is published.
    let folder = draft_with_an_element();
    let to = folder.path().join("case/1.0.5");
    fs::rename(folder.path().join("case/1.2.0"), &to).expect("moved");
    for entry in fs::read_dir(&to).expect("a folder").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a file");
        fs::write(entry.path(), text.replace("1.2.0", "1.0.5")).expect("written");
    }
    change(
        &folder,
        "catalog.toml",
        "version = \"1.2.0\"",
        "version = \"1.0.5\"",
    );
    let why = refused(&folder, "1.0.5");
    assert!(why.contains("comes before 1.1.0"), "{why}");
}

#[test]
fn a_published_file_edited_together_with_its_digest_is_seen() {
    let folder = copy();
    let path = "codelists/pro_timepoint_v2.json";
    let old = STORE.files().sha256(path).expect("a digest");
    change(&folder, path, "At progression", "Progression");
    let new = files(folder.path()).sha256(path).expect("a digest");
    change(&folder, "catalog.toml", &old, &new);
    let store = SchemaStore::from_dir(folder.path()).expect("its own digests agree");
    assert_eq!(edited(&store, &STORE), [path]);
    assert_eq!(edited(&STORE, &STORE), [""; 0]);
}
