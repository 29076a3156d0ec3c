//! The entry form's data: every name in it is in the dictionary, and what a version lacks is left out there.

use std::fs;

use registry_core::form::Forms;
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::body::STORE;
use crate::store::copy;

fn form_of(store: &SchemaStore, version: &str) -> Value {
    let forms = Forms::of(store).expect("the forms fit the dictionary");
    let schema = store.case_schema(version).expect("a version");
    serde_json::json!(forms.form(&schema.dictionary).expect("a form"))
}

fn strings<'a>(lists: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    let members = lists.into_iter().filter_map(Value::as_array).flatten();
    members.filter_map(Value::as_str).collect()
}

#[test]
fn every_entity_that_a_centre_sends_stands_in_one_section() {
    for schema in STORE.case_schemas() {
        let form = form_of(&STORE, &schema.version);
        let sections = form["form"]["sections"].as_array().expect("sections");
        let mut placed = strings(sections.iter().map(|section| &section["entities"]));
        placed.push("section_attestation");
        placed.sort_unstable();
        let mut sent: Vec<&str> = form["dictionary"]["entities"]
            .as_array()
            .expect("entities")
            .iter()
            .filter(|entity| entity["kind"] == "case")
            .filter_map(|entity| entity["name"].as_str())
            .collect();
        sent.sort_unstable();
        assert_eq!(placed, sent, "{}", schema.version);
    }
}

#[test]
fn parameters_stand_as_numbers() {
    let form = form_of(&STORE, "1.0.0");
    let text = form["form"].to_string();
    assert!(!text.contains("\"$"), "a parameter is served by name");
    let ages: Vec<&Value> = form["form"]["show"]
        .as_array()
        .expect("blocks")
        .iter()
        .flat_map(|show| show["when"].as_array().expect("conditions"))
        .filter_map(|condition| condition.get("at_least"))
        .collect();
    assert_eq!(ages, [&json!(70)], "GERIATRIC_AGE");
    let days = form["form"]["suggestions"].as_array().expect("suggestions");
    let days: Vec<&Value> = days.iter().filter_map(|one| one.get("days")).collect();
    assert_eq!(days, [&json!(90), &json!(90)], "SYNC_WINDOW_DAYS, DEATH_90_DAYS");
}

fn replaced(folder: &TempDir, path: &str, changes: &[(&str, &str)]) {
    let path = folder.path().join(path);
    let mut text = fs::read_to_string(&path).expect("a file");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&path, text).expect("written");
}

#[test]
fn every_fault_is_told_at_once_with_its_name() {
    let folder = copy();
    let changes = [
        (
            "\"lesion.organ_involvement_pct\"]",
            "\"lesion.organ_involvment_pct\"]",
        ),
        ("is = [\"fdg_pet_ct\"]", "is = [\"pet\"]"),
        ("at_least = \"$GERIATRIC_AGE\"", "at_least = \"$AGE\""),
        ("{ rows = \"observation\" }", "{ rows = \"observations\" }"),
        (
            "entities = [\"hereditary\", \"prior_malignancy\"]",
            "entities = [\"hereditary\", \"patient\"]",
        ),
        (
            "values = { modality = \"metastasectomy\", intent",
            "values = { modality = \"cure\", intent",
        ),
        ("withheld = \"Withheld\"", ""),
        ("gist = [\"date\", \"ecog\"]", "gist = [\"date\", \"egog\"]"),
        ("known = true }]", "known = true, is = [\"cci\"] }]"),
    ];
    replaced(&folder, "form/1.toml", &changes);
    let store = SchemaStore::from_dir(folder.path()).expect("the schema itself is sound");
    let error = Forms::of(&store).expect_err("nine faults").to_string();
    for fault in [
        "schema/form/1.toml",
        "there is no element `lesion.organ_involvment_pct`",
        "`imaging.modality` does not take \"pet\"",
        "\"$AGE\" is neither a whole number nor a parameter",
        "there is no entity `observations`",
        "entity `patient` stands in two sections",
        "`local_treatment.modality` does not take \"cure\"",
        "[absence] has no words for `withheld`",
        "there is no element `assessment.egog`",
        "a condition asks one question of one element",
    ] {
        assert!(error.contains(fault), "{fault}\n{error}");
    }
}

#[test]
fn a_key_the_form_does_not_know_is_refused() {
    let folder = copy();
    replaced(
        &folder,
        "form/1.toml",
        &[("title = \"Background\"", "titel = \"Background\"")],
    );
    let store = SchemaStore::from_dir(folder.path()).expect("the schema itself is sound");
    let error = Forms::of(&store).expect_err("a misspelt key").to_string();
    assert!(
        error.contains("titel") && error.contains("form/1.toml"),
        "{error}"
    );
}

/// A draft 1.9.0: as 1.0.0, without `imaging.region`.
fn draft_without_an_element() -> TempDir {
    let folder = copy();
    let (from, to) = (folder.path().join("case/1.0.0"), folder.path().join("case/1.9.0"));
    fs::create_dir(&to).expect("a folder");
    for entry in fs::read_dir(&from).expect("a folder").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a file");
        let mut schema: Value =
            serde_json::from_str(&text.replace("case:1.0.0", "case:1.9.0")).expect("a schema");
        match entry.file_name().to_str() {
            Some("case.schema.json") => schema["properties"]["schema_version"]["const"] = json!("1.9.0"),
            Some("imaging.schema.json") => {
                schema["properties"]
                    .as_object_mut()
                    .expect("properties")
                    .remove("region");
            }
            _ => {}
        }
        fs::write(to.join(entry.file_name()), schema.to_string()).expect("written");
    }
    let draft = "[[case_version]]\nversion = \"1.9.0\"\nstatus = \"draft\"\n\n[[case_version]]";
    replaced(&folder, "catalog.toml", &[("[[case_version]]", draft)]);
    folder
}

#[test]
fn what_a_version_lacks_is_left_out_of_its_form() {
    let folder = draft_without_an_element();
    let store = SchemaStore::from_dir(folder.path()).expect("a draft beside the published version");
    let preset = |version: &str| {
        let form = form_of(&store, version);
        let presets = form["form"]["presets"].as_array().expect("presets").clone();
        presets
            .into_iter()
            .find(|one| one["title"] == "Surveillance CT")
            .expect("a preset")
    };
    assert_eq!(
        preset("1.0.0")["values"]["region"],
        json!(["chest", "abdomen", "pelvis"])
    );
    assert_eq!(
        preset("1.9.0")["values"],
        json!({ "modality": "ct", "purpose": "surveillance", "indication": "routine_none" })
    );
    let gist = |version: &str| {
        let form = form_of(&store, version);
        let entities = form["form"]["entities"].as_array().expect("entities").clone();
        entities
            .into_iter()
            .find(|one| one["name"] == "imaging")
            .expect("imaging")["gist"]
            .clone()
    };
    assert_eq!(
        gist("1.0.0"),
        json!(["date", "modality", "region", "purpose", "result"])
    );
    assert_eq!(gist("1.9.0"), json!(["date", "modality", "purpose", "result"]));
    let labels = form_of(&store, "1.9.0")["form"]["labels"].clone();
    assert_eq!(
        (&labels["imaging.region"], &labels["primary.fnclcc_grade"]),
        (&Value::Null, &json!("FNCLCC grade"))
    );
}

#[test]
fn a_major_version_without_a_form_stops_the_start() {
    let folder = copy();
    fs::remove_file(folder.path().join("form/1.toml")).expect("removed");
    let store = SchemaStore::from_dir(folder.path()).expect("the schema itself is sound");
    let error = Forms::of(&store).expect_err("no form").to_string();
    assert!(error.contains("form/1.toml is missing"), "{error}");
}

/// Elements asked under a condition that stand on the form always, and why.
const ALWAYS: &[(&str, &str)] = &[
    (
        "systemic.stop_date",
        "the day is read before the reason that makes it needed",
    ),
    (
        "section_attestation.complete_through",
        "stands with the statement about its section",
    ),
];

#[test]
fn what_is_asked_under_a_condition_is_shown_under_one() {
    let form = form_of(&STORE, "1.0.0");
    let shown = form["form"]["show"].as_array().expect("blocks");
    let shown = strings(shown.iter().map(|show| &show["elements"]));
    let entities = &STORE.case_schema("1.0.0").expect("a version").dictionary.entities;
    let mut always: Vec<String> = Vec::new();
    for entity in entities {
        for element in entity.elements.iter().filter(|e| e.condition.is_some()) {
            let path = format!("{}.{}", entity.name, element.name);
            if !shown.contains(&path.as_str()) {
                always.push(path);
            }
        }
    }
    always.sort_unstable();
    let mut expected: Vec<&str> = ALWAYS.iter().map(|(path, _)| *path).collect();
    expected.sort_unstable();
    assert_eq!(always, expected);
}
