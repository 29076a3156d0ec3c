//! Edit checks are versioned one by one: what was published under a version stays, and a changed check has another.

use std::fs;

use registry_core::versions::{SchemaError, SchemaStore, edited};
use tempfile::TempDir;

use crate::body::STORE;
use crate::store::{change, copy};

const PATH: &str = "checks/E-047.toml";

fn refused(folder: &TempDir) -> String {
    match SchemaStore::from_dir(folder.path()) {
        Ok(_) => panic!("it must be refused"),
        Err(why) => why.to_string(),
    }
}

fn digest(folder: &TempDir, path: &str) -> String {
    let files = registry_core::versions::SchemaFiles::from_dir(folder.path()).expect("files");
    files.sha256(path).expect("a digest")
}

/// Other text, and the digest of it where the one of the old text was listed.
fn change_and_list(folder: &TempDir, path: &str, from: &str, to: &str) {
    let old = digest(folder, path);
    change(folder, path, from, to);
    change(folder, "catalog.toml", &old, &digest(folder, path));
}

#[test]
fn every_check_is_listed_with_its_version() {
    let checks: Vec<_> = STORE
        .catalogue()
        .files
        .iter()
        .filter(|file| file.path.contains("checks/E-") || file.path.contains("checks/R-"))
        .collect();
    // 103 edit checks, 39 conditional requirements, 8 texts that were replaced.
    assert_eq!(checks.len(), 150);
    assert!(checks.iter().all(|file| file.version.is_some()));
}

/// Eight checks were mended on 29 November 2026.
#[test]
fn a_mended_check_keeps_the_text_it_was_published_with() {
    let mended = [
        "E-047", "E-055", "E-056", "E-057", "E-058", "E-069", "E-079", "E-101",
    ];
    for file in STORE.files().below("checks/").filter(|path| path.len() == 17) {
        let id = &file[7..12];
        let versions: Vec<String> = STORE
            .superseded_checks(id)
            .into_iter()
            .map(|check| check.version)
            .collect();
        let expected: &[&str] = if mended.contains(&id) { &["1.0"] } else { &[] };
        assert_eq!(versions, expected, "{id}");
    }
    let before = STORE.superseded_checks("E-047");
    assert!(before[0].text.contains("biopsy.technique <> 'fna'"));
    assert!(
        !STORE
            .file(PATH)
            .is_some_and(|text| text.contains("biopsy.technique <> 'fna'"))
    );
}

#[test]
fn a_changed_expression_under_the_same_version_is_refused() {
    let folder = copy();
    change(&folder, PATH, "biopsy.core_count >", "biopsy.core_count >=");
    let why = SchemaStore::from_dir(folder.path()).expect_err("refused");
    assert!(
        matches!(&why, SchemaError::Changed { path, .. } if path == PATH),
        "{why}"
    );
    assert!(why.to_string().contains("gets a higher `version`"), "{why}");
    // With its digest changed along, it agrees with itself, and not with what was published under that version.
    let folder = copy();
    change_and_list(&folder, PATH, "biopsy.core_count >", "biopsy.core_count >=");
    let store = SchemaStore::from_dir(folder.path()).expect("its own digests agree");
    assert_eq!(edited(&store, &STORE), [PATH]);
}

#[test]
fn a_new_version_is_taken_with_the_text_before() {
    let folder = copy();
    let published = STORE.file(PATH).expect("the check");
    change_and_list(&folder, PATH, "version = \"1.1\"", "version = \"1.2\"");
    assert!(refused(&folder).contains("the version it is listed with"));
    let entry = format!("path = \"{PATH}\"\nversion = ");
    change(
        &folder,
        "catalog.toml",
        &format!("{entry}\"1.1\""),
        &format!("{entry}\"1.2\""),
    );
    assert!(refused(&folder).contains("published before is not kept"));
    let kept = "superseded/checks/E-047-1.1.toml";
    fs::write(folder.path().join(kept), published).expect("written");
    assert!(refused(&folder).contains("it is not listed"));
    let catalogue = folder.path().join("catalog.toml");
    let mut text = fs::read_to_string(&catalogue).expect("the catalogue");
    let sha256 = digest(&folder, kept);
    text.push_str(&format!(
        "\n[[file]]\npath = \"{kept}\"\nversion = \"1.1\"\nsha256 = \"{sha256}\"\n"
    ));
    fs::write(&catalogue, text).expect("written");
    let store = SchemaStore::from_dir(folder.path()).expect("complete");
    assert_eq!(edited(&store, &STORE), [""; 0]);
    let versions: Vec<String> = store
        .superseded_checks("E-047")
        .into_iter()
        .map(|check| check.version)
        .collect();
    assert_eq!(versions, ["1.0", "1.1"]);
}

#[test]
fn a_check_does_not_go_back() {
    let folder = copy();
    change_and_list(&folder, PATH, "version = \"1.1\"", "version = \"0.9\"");
    let entry = format!("path = \"{PATH}\"\nversion = ");
    change(
        &folder,
        "catalog.toml",
        &format!("{entry}\"1.1\""),
        &format!("{entry}\"0.9\""),
    );
    let why = refused(&folder);
    assert!(
        why.contains("is not kept") || why.contains("not the highest"),
        "{why}"
    );
}
