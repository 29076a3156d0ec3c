//! The schema store: what is published is frozen, and what the files say agrees.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use registry_core::versions::{EligibilityClass, HistologyEntry, SchemaError, SchemaStore, Status};
use serde_json::json;
use tempfile::TempDir;

use crate::body::STORE;

pub(crate) fn schema_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema")
}

/// A copy of `schema/` that a test may change.
pub(crate) fn copy() -> TempDir {
    fn copy_into(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder").flatten() {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy_into(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).expect("a copy");
            }
        }
    }
    let folder = TempDir::new().expect("a folder");
    copy_into(&schema_dir(), folder.path());
    folder
}

pub(crate) fn change(folder: &TempDir, path: &str, from: &str, to: &str) {
    let path = folder.path().join(path);
    let text = fs::read_to_string(&path).expect("a file");
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fs::write(&path, text.replacen(from, to, 1)).expect("written");
}

#[test]
fn published_files_have_the_digest_of_the_catalogue() {
    let store = SchemaStore::from_dir(&schema_dir()).expect("the schema of the repository");
    assert!(store.catalogue().files.len() > 100);
    for file in &store.catalogue().files {
        assert_eq!(
            store.files().sha256(&file.path).as_deref(),
            Some(file.sha256.as_str()),
            "{} is published and has changed",
            file.path
        );
    }
    assert_eq!(
        store.digest(),
        STORE.digest(),
        "the embedded files are those of the folder"
    );
    assert_eq!(store.current().version, "1.1.0");
    assert_eq!(store.current().status, Status::Active);
}

#[test]
fn a_changed_published_file_is_refused() {
    let folder = copy();
    let path = folder.path().join("case/1.0.0/imaging.schema.json");
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, text + "\n").expect("written");
    match SchemaStore::from_dir(folder.path()) {
        Err(SchemaError::Changed { path, .. }) => assert_eq!(path, "case/1.0.0/imaging.schema.json"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_a_published_version_must_be_listed() {
    let folder = copy();
    let entry = fs::read_to_string(folder.path().join("catalog.toml")).expect("the catalogue");
    let start = entry
        .find("[[file]]\npath = \"case/1.0.0/imaging.schema.json\"")
        .expect("listed");
    let end = start + entry[start + 1..].find("[[file]]").expect("a next one") + 1;
    fs::write(
        folder.path().join("catalog.toml"),
        format!("{}{}", &entry[..start], &entry[end..]),
    )
    .expect("written");
    match SchemaStore::from_dir(folder.path()) {
        Err(SchemaError::Unlisted { path, .. }) => assert_eq!(path, "case/1.0.0/imaging.schema.json"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_broken_is_said_with_its_file() {
    for (path, from, to, said) in [
        (
            "codelists/ecog.json",
            "\"enum\"",
            "\"menu\"",
            "schema/codelists/ecog.json: a code list needs `enum`",
        ),
        (
            "codelists/ecog.json",
            "urn:rps-registry:codelist:ecog",
            "urn:x",
            "`$id` must be `urn:rps-registry:codelist:ecog`",
        ),
        (
            "case/1.0.0/imaging.schema.json",
            "\"x-codes\": \"imaging_modality\"",
            "\"x-codes\": \"nothing\"",
            "`imaging.modality`: there is no code list `nothing`",
        ),
        (
            "case/1.0.0/imaging.schema.json",
            "\"x-type\": \"date\"",
            "\"x-type\": \"day\"",
            "element `imaging.date`: `x-type`",
        ),
        (
            "case/1.0.0/imaging.schema.json",
            "{",
            "",
            "schema/case/1.0.0/imaging.schema.json is not JSON",
        ),
        (
            "case/1.0.0/case.schema.json",
            "\"imaging\",",
            "\"imaging\", \"imaging\",",
            "listed in `x-entities` twice",
        ),
        (
            "visibility.toml",
            "birth_year",
            "birth_years",
            "patient.birth_year",
        ),
        (
            "visibility.toml",
            "birth_year = \"quasi_identifier\"",
            "birth_year = \"shifted_date\"",
            "patient.birth_year",
        ),
        (
            "catalog.toml",
            "status = \"active\"",
            "status = \"retired\"",
            "version 1.0.0: a retired version, and no other, has a day of retirement",
        ),
        (
            "catalog.toml",
            "status = \"active\"",
            "status = \"deprecated\"",
            "version 1.0.0: a deprecated version says through which day it is accepted",
        ),
        (
            "catalog.toml",
            "status = \"active\"",
            "status = \"active\"\naccepted_through = \"2027-02-30\"",
            "version 1.0.0: `2027-02-30` is no day",
        ),
        (
            "catalog.toml",
            "[[guideline_version]]",
            "[[guideline_version]]\nsuperseded = \"2026-11-25\"",
            "1.1.0: a superseded version, and no other, has the day it was superseded",
        ),
        (
            "catalog.toml",
            "version = \"1.0.0\"",
            "version = \"1.0\"",
            "`1.0` is not a version",
        ),
    ] {
        let folder = copy();
        change(&folder, path, from, to);
        let error = SchemaStore::from_dir(folder.path()).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// Value set H, whole: class, code, certainty, morphologies (legacy ones and those taken with a warning among them).
const VALUE_SET_H: &[(&str, &str, &str, &str)] = &[
    ("core", "wdlps", "A", "8851/3 8850/1"),
    ("core", "ddlps", "A", "8858/3"),
    ("core", "lms", "A", "8890/3 8891/3 8896/3"),
    ("core", "sft", "A", "8815/1 8815/3 8815/0"),
    ("core", "sft", "B", "9150/3"),
    ("core", "mpnst", "A", "9540/3 9542/3 9561/3"),
    ("core", "ss", "A", "9040/3 9041/3 9042/3 9043/3"),
    ("core", "ups", "A", "8802/3 8830/3"),
    ("extended", "pecoma", "A", "8714/3"),
    ("extended", "imt", "A", "8825/1"),
    ("extended", "imt", "B", "8825/3"),
    (
        "excluded",
        "other_listed_excluded",
        "A",
        "9364/3 9260/3 8920/3 8910/3 8980/3 9044/3 8806/3 8936/3 8936/0 8936/1 8821/1 8822/1 8860/0",
    ),
    ("excluded", "other_listed_excluded", "B", "8803/3 8033/3"),
    ("excluded", "other_listed_excluded", "C", "9366/3 9367/3 9368/3"),
    (
        "not_listed",
        "not_listed",
        "A",
        "8850/3 8852/3 8854/3 8811/3 9120/3 8901/3 8912/3 8805/3 8860/1 8800/9",
    ),
    ("not_listed", "not_listed", "C", "9084/3 9571/3"),
];

#[test]
fn histology_is_the_value_set_and_nothing_else() {
    let table = STORE.histology();
    let mut listed = BTreeSet::new();
    for (class, code, certainty, morphologies) in VALUE_SET_H {
        for morphology in morphologies.split(' ') {
            let derived = table.derive(Some(&json!({"icdo_morphology": morphology})));
            assert_eq!(derived.histology_code.as_deref(), Some(*code), "{morphology}");
            assert_eq!(derived.eligibility_class.as_deref(), Some(*class), "{morphology}");
            let entry = table.entry(morphology).expect(morphology);
            assert_eq!(format!("{:?}", entry.certainty), *certainty, "{morphology}");
            assert!(listed.insert(morphology), "{morphology} is listed twice");
        }
    }
    let known: BTreeSet<&str> = table.entries.iter().flat_map(HistologyEntry::codes).collect();
    assert_eq!(known, listed);
    for unknown in ["nonsense", "8851/2", ""] {
        let derived = table.derive(Some(&json!({"icdo_morphology": unknown})));
        assert_eq!(derived.histology_code.as_deref(), Some("not_listed"), "{unknown}");
        assert_eq!(
            derived.eligibility_class.as_deref(),
            Some("not_listed"),
            "{unknown}"
        );
    }
}

#[test]
fn an_excluded_origin_decides_before_the_morphology() {
    for (element, value) in [
        ("arises_from_teratoma", json!(true)),
        ("organ_of_origin", json!("visceral")),
        ("organ_of_origin", json!("testis_cord")),
        ("icdo_topography", json!("C16.2")),
        ("icdo_topography", json!("C61")),
        ("icdo_topography", json!("C63.1")),
    ] {
        let mut primary = json!({"icdo_morphology": "8858/3", "icdo_topography": "C48.0"});
        primary[element] = value;
        let derived = STORE.histology().derive(Some(&primary));
        assert_eq!(
            derived.eligibility_class.as_deref(),
            Some("excluded"),
            "{primary}"
        );
        assert_eq!(derived.histology_code.as_deref(), Some("other_listed_excluded"));
    }
    for (element, value) in [
        ("arises_from_teratoma", json!(false)),
        ("arises_from_teratoma", json!({"absent": "unknown"})),
        ("organ_of_origin", json!("retroperitoneal_soft_tissue")),
        ("icdo_topography", json!("C48.1")),
        ("icdo_topography", json!("C49.4")),
    ] {
        let mut primary = json!({"icdo_morphology": "8858/3", "icdo_topography": "C48.0"});
        primary[element] = value;
        let derived = STORE.histology().derive(Some(&primary));
        assert_eq!(derived.eligibility_class.as_deref(), Some("core"), "{primary}");
    }
    let none = STORE.histology().derive(Some(&json!({})));
    assert_eq!((none.histology_code, none.eligibility_class), (None, None));
}

#[test]
fn every_local_code_is_in_the_code_list_of_its_element() {
    let codes = STORE.codelist("histology_code").expect("the list");
    let classes = STORE.codelist("eligibility_class").expect("the list");
    for entry in &STORE.histology().entries {
        assert!(codes.contains(&entry.local_code), "{}", entry.local_code);
        assert!(classes.contains(entry.eligibility_class.as_str()));
        assert!(entry.codes().count() > 0, "{}", entry.term);
    }
    assert!(classes.contains(EligibilityClass::NotListed.as_str()));
}

#[test]
fn a_measure_that_is_not_utf_8_is_told_and_not_left_out() {
    use registry_core::guideline::Guideline;
    use registry_core::record::Layout;
    let folder = copy();
    let head = "guideline/tarpswg-metastatic-rps/1.1.0/guideline.toml";
    let draft = "guideline/tarpswg-metastatic-rps/1.9.0/measures/zz.toml";
    fs::create_dir_all(folder.path().join(draft).parent().expect("a folder")).expect("made");
    let of_draft = head.replace("1.1.0", "1.9.0");
    fs::copy(folder.path().join(head), folder.path().join(&of_draft)).expect("a copy");
    change(&folder, &of_draft, "version = \"1.1.0\"", "version = \"1.9.0\"");
    change(&folder, &of_draft, "status = \"active\"", "status = \"draft\"");
    fs::write(folder.path().join(draft), [0x69, 0x64, 0xff, 0xfe]).expect("written");
    let store = SchemaStore::from_dir(folder.path()).expect("a store");
    let layout = Layout::of(&store.current().dictionary).expect("a layout").into();
    let errors = Guideline::all(&store, &layout)
        .err()
        .expect("it does not compile")
        .to_string();
    assert!(
        errors.contains("measures/zz.toml") && errors.contains("UTF-8"),
        "{errors}"
    );
}

#[test]
fn a_draft_guideline_changes_nothing_that_is_in_force() {
    use std::sync::Arc;

    use chrono::{NaiveDate, TimeZone, Utc};
    use registry_core::record::CentreTable;
    use registry_core::validation::{Envelope, Judge, Verdict};
    use serde_json::Value;
    use uuid::Uuid;

    // A check that fires when PRE ends more than two days after T0: with the 90 days in force, not with the draft's one day.
    let check = r#"
id = "E-900"
version = "1.0"
severity = "warning"
scope = "record"
evaluated_by = "rule"
rule_in_words = "PRE is longer than two days"
message = "PRE is longer than two days"
expression = "WINDOW_END(PRE) > T0 + 2d"
blocks = []
parameters = []
"#;
    let folder = copy();
    fs::write(folder.path().join("checks/E-900.toml"), check).expect("written");
    let home = "guideline/tarpswg-metastatic-rps";
    let text =
        fs::read_to_string(schema_dir().join("examples/1.0.0/valid/minimal.json")).expect("an example");
    let mut body: Value = serde_json::from_str(&text).expect("JSON");
    body["section_attestation"] =
        json!([{"section": "all", "status": "complete_through", "complete_through": "2026-03-01"}]);
    let verdict = || -> Verdict {
        let store = SchemaStore::from_dir(folder.path()).expect("a store");
        let judge = Judge::new(Arc::new(store)).expect("the rules");
        let envelope = Envelope {
            record_id: Uuid::from_u128(1),
            centre_id: "C01".to_owned(),
            submitted_at: Utc
                .with_ymd_and_hms(2026, 3, 1, 12, 0, 0)
                .single()
                .expect("an instant"),
            data_cutoff_date: NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date"),
        };
        judge.judge(&body, &envelope, &CentreTable::default())
    };
    let before = verdict();
    assert!(
        before.findings.iter().any(|finding| finding.code == "E-900"),
        "{:?}",
        before.findings
    );
    let draft = |name: &str| format!("{home}/1.10.0/{name}");
    let copied = |name: &str| {
        let to = folder.path().join(draft(name));
        fs::copy(folder.path().join(format!("{home}/1.1.0/{name}")), to).expect("a copy");
    };
    fs::create_dir_all(folder.path().join(draft("measures"))).expect("a folder");
    copied("guideline.toml");
    copied("parameters.toml");
    for entry in fs::read_dir(schema_dir().join(home).join("1.1.0/measures"))
        .expect("a folder")
        .flatten()
    {
        copied(&format!("measures/{}", entry.file_name().to_string_lossy()));
    }
    let head = draft("guideline.toml");
    change(&folder, &head, "version = \"1.1.0\"", "version = \"1.10.0\"");
    change(&folder, &head, "status = \"active\"", "status = \"draft\"");
    let cap = "[PRE_CAP_DAYS]\nvalue = ";
    change(
        &folder,
        &draft("parameters.toml"),
        &format!("{cap}90"),
        &format!("{cap}1"),
    );
    assert_eq!(
        verdict(),
        before,
        "findings and assessment are those of the version in force"
    );
}

fn decided(entries: &str) -> Result<SchemaStore, SchemaError> {
    let folder = copy();
    fs::write(folder.path().join("adjudication/decisions.toml"), entries).expect("written");
    SchemaStore::from_dir(folder.path())
}

fn decision(morphology: &str, class: &str, more: &str) -> String {
    format!(
        "[[decision]]\nmorphology = \"{morphology}\"\neligibility_class = \"{class}\"\ndecided = 2026-11-20\nby = \"Committee\"\nreason = \"r\"\n{more}\n"
    )
}

/// The committee decides on what Table 1 does not place; the table and an excluded origin stand before it.
#[test]
fn a_decision_places_a_histology_that_is_not_listed() {
    let classes = |store: &SchemaStore, primary: serde_json::Value| {
        let derived = store.histology().derive(Some(&primary));
        (
            derived.histology_code.unwrap_or_default(),
            derived.eligibility_class.unwrap_or_default(),
        )
    };
    let pair = |code: &str, class: &str| (code.to_owned(), class.to_owned());
    // Pleomorphic liposarcoma, in neither column; 9999/3 in no row at all.
    let undecided = json!({"icdo_morphology": "8854/3"});
    assert_eq!(
        classes(&STORE, undecided.clone()),
        pair("not_listed", "not_listed")
    );
    let store = decided(&format!(
        "{}{}",
        decision("8854/3", "core", "histology_code = \"ups\""),
        decision("9999/3", "excluded", "")
    ))
    .expect("a store");
    assert_eq!(classes(&store, undecided.clone()), pair("ups", "core"));
    assert_eq!(
        classes(&store, json!({"icdo_morphology": "9999/3"})),
        pair("not_listed", "excluded")
    );
    assert_eq!(
        classes(&store, json!({"icdo_morphology": "8858/3"})),
        pair("ddlps", "core")
    );
    let teratoma = json!({"icdo_morphology": "8854/3", "arises_from_teratoma": true});
    assert_eq!(
        classes(&store, teratoma),
        pair("other_listed_excluded", "excluded")
    );
    assert_ne!(store.digest(), STORE.digest());
    // The last decision stands, and one can be taken back.
    let store = decided(&format!(
        "{}{}",
        decision("8854/3", "core", "histology_code = \"ups\""),
        decision("8854/3", "not_listed", "")
    ))
    .expect("a store");
    assert_eq!(classes(&store, undecided), pair("not_listed", "not_listed"));
    assert_eq!(store.histology().decisions.len(), 2);
}

#[test]
fn a_decision_that_decides_nothing_is_refused() {
    for (entries, said) in [
        (
            decision("8858/3", "excluded", ""),
            "8858/3 is placed by the table",
        ),
        (
            decision("8854/3", "core", "histology_code = \"no_such\""),
            "no histology code `no_such`",
        ),
        (decision("8854/3", "perhaps", ""), "adjudication/decisions.toml"),
    ] {
        let error = decided(&entries).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}
