//! The 98 measures and 103 edit checks in their golden form, loaded through the same door as those under `schema/`.

use std::sync::LazyLock;

use registry_core::guideline::Guideline;
use registry_core::rules::CheckSet;
use serde_json::{Value, json};

use crate::support::{checks, golden, guideline, pick, toml_text};

pub(crate) static MEASURES: LazyLock<Guideline> = LazyLock::new(|| match guideline(&guideline_files()) {
    Ok(guideline) => guideline,
    Err(errors) => panic!("{errors}"),
});

pub(crate) static CHECKS: LazyLock<CheckSet> = LazyLock::new(|| {
    let windows = toml_text(&golden("measures.json")["parameters"]);
    match checks(&check_files(), &windows) {
        Ok(set) => set,
        Err(errors) => panic!("{errors}"),
    }
});

pub(crate) fn guideline_files() -> Vec<(String, String)> {
    let all = golden("measures.json");
    let mut head = json!({"id": "golden", "version": "1", "status": "active", "title": "t", "source": "s"});
    for key in ["language_version", "definitions", "populations", "tables"] {
        head[key] = all[key].clone();
    }
    let mut files = vec![
        ("guideline.toml".to_owned(), toml_text(&head)),
        ("parameters.toml".to_owned(), toml_text(&all["parameters"])),
    ];
    for measure in all["measures"].as_array().unwrap() {
        let keys = [
            "id",
            "statement",
            "kind",
            "unit",
            "unit_entity",
            "population",
            "title",
            "denominator_in_words",
            "numerator_in_words",
            "denominator",
            "exclusion",
            "exception",
            "numerator",
            "parameters",
            "rationale",
            "review_note",
            "examples",
            "let",
        ];
        let mut file = pick(measure, &keys);
        file["grade"] = measure["level_and_grade"].clone();
        let id = measure["id"].as_str().unwrap();
        files.push((format!("measures/{id}.toml"), toml_text(&file)));
    }
    files
}

pub(crate) fn check_files() -> Vec<(String, String)> {
    let all = golden("edit-checks.json");
    let tables = pick(&golden("measures.json")["tables"], &["expected_target"]);
    let mut files = vec![
        ("checks/parameters.toml".to_owned(), toml_text(&all["parameters"])),
        ("checks/tables.toml".to_owned(), toml_text(&tables)),
    ];
    for check in all["checks"].as_array().unwrap() {
        let keys = [
            "id",
            "severity",
            "scope",
            "evaluated_by",
            "rule_in_words",
            "message",
            "expression",
            "blocks",
            "parameters",
            "note",
        ];
        let id = check["id"].as_str().unwrap();
        files.push((format!("checks/{id}.toml"), toml_text(&pick(check, &keys))));
    }
    files
}

#[test]
fn every_golden_measure_and_check_compiles() {
    assert_eq!(MEASURES.measures.len(), 98);
    assert_eq!(CHECKS.checks().len(), 103);
    let by_service: Vec<&str> = CHECKS
        .checks()
        .iter()
        .filter(|check| check.evaluated_by == registry_core::rules::EvaluatedBy::Service)
        .map(|check| check.id.as_str())
        .collect();
    assert_eq!(by_service, ["E-001", "E-003", "E-039"]);
}

#[test]
fn a_text_printed_and_parsed_again_is_the_same() {
    let mut count = 0;
    let mut texts: Vec<String> = Vec::new();
    let all = golden("measures.json");
    for measure in all["measures"].as_array().unwrap() {
        texts.extend(
            ["denominator", "exclusion", "exception", "numerator"]
                .map(|field| measure[field].as_str().unwrap().to_owned()),
        );
        texts.extend(
            measure["let"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, text)| text.as_str().unwrap().to_owned()),
        );
    }
    texts.extend(
        golden("edit-checks.json")["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|check| check["expression"].as_str().map(str::to_owned)),
    );
    texts.extend(
        all["definitions"]
            .as_object()
            .unwrap()
            .values()
            .map(|text: &Value| text.as_str().unwrap().to_owned()),
    );
    for text in texts {
        let tree = registry_core::rules::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        let printed = tree.to_string();
        let again =
            registry_core::rules::parse(&printed).unwrap_or_else(|fault| panic!("{printed}: {fault:?}"));
        assert_eq!(tree, again, "{text}");
        count += 1;
    }
    assert!(count > 490, "{count}");
}
