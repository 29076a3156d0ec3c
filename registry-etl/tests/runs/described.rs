//! What a release says of its files: dictionary, data package, citation, and what is withheld.

use std::collections::BTreeSet;

use registry_core::dictionary::EntityKind;

use crate::registry::{Registry, judge};
use crate::releases::{built, rows, unpacked};

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
        json!({ "name": "outcome", "type": "string", "constraints": { "enum": [
            "MET", "NOT_MET", "USED", "NOT_USED", "NOT_ASSESSABLE", "EXCLUDED", "EXCEPTED", "NOT_IN_DENOM",
        ] } })
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
