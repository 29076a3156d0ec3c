//! Every example of the schema: a valid one is stored without error, an invalid one is refused for its single reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use registry_core::intake::{Limits, parse};
use registry_core::validation::Severity;
use serde::Deserialize;
use serde_json::Value;

use crate::body::{found, judge_later};
use crate::store::schema_dir;

#[derive(Deserialize)]
struct Reason {
    code: String,
    pointer: String,
}

pub(crate) fn examples(version: &str, kind: &str) -> Vec<(String, Value)> {
    let folder: PathBuf = schema_dir().join("examples").join(version).join(kind);
    let mut examples: Vec<(String, Value)> = fs::read_dir(&folder)
        .expect("a folder of examples")
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "json"))
        .map(|entry| {
            let bytes = fs::read(entry.path()).expect("an example");
            let name = entry.file_name().to_string_lossy().into_owned();
            let body = parse(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, body)
        })
        .collect();
    examples.sort_by(|a, b| a.0.cmp(&b.0));
    examples
}

#[test]
fn every_valid_example_is_stored_without_error() {
    for (version, at_least) in [("1.0.0", 12), ("1.1.0", 4)] {
        every_valid_example_of(version, at_least);
    }
}

fn every_valid_example_of(version: &str, at_least: usize) {
    let valid = examples(version, "valid");
    assert!(valid.len() >= at_least, "{version}: {}", valid.len());
    for figure in ["figure-1.json", "figure-2.json"] {
        assert!(valid.iter().any(|(name, _)| name == figure), "{figure}");
    }
    for (name, body) in valid {
        assert_eq!(body["schema_version"], version, "{name}");
        let verdict = judge_later(&body);
        let serious: Vec<_> = verdict
            .findings
            .iter()
            .filter(|f| f.severity != Severity::Warning)
            .map(|f| (&f.code, &f.pointer, &f.message))
            .collect();
        assert!(serious.is_empty(), "{name}: {serious:?}");
    }
}

#[test]
fn every_invalid_example_is_refused_for_its_reason() {
    for (version, at_least) in [("1.0.0", 40), ("1.1.0", 4)] {
        every_invalid_example_of(version, at_least);
    }
}

fn every_invalid_example_of(version: &str, at_least: usize) {
    let invalid = examples(version, "invalid");
    assert!(invalid.len() >= at_least, "{version}: {}", invalid.len());
    let listed = schema_dir().join(format!("examples/{version}/invalid/expected.toml"));
    let listed = fs::read_to_string(listed).expect("the reasons");
    let mut expected: BTreeMap<String, Reason> = toml::from_str(&listed).expect("reasons by file");
    let mut wrong = Vec::new();
    for (name, body) in invalid {
        let reason = expected
            .remove(&name)
            .unwrap_or_else(|| panic!("{name} has no reason in expected.toml"));
        let verdict = judge_later(&body);
        let refusing: Vec<(&str, &str)> = found(&verdict)
            .into_iter()
            .zip(&verdict.findings)
            .filter(|(_, f)| f.severity == Severity::Reject)
            .map(|(found, _)| found)
            .collect();
        if refusing != [(reason.code.as_str(), reason.pointer.as_str())] {
            wrong.push(format!(
                "{name}: expected {} at {}, found {refusing:?}",
                reason.code, reason.pointer
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        expected.is_empty(),
        "reasons without example: {:?}",
        expected.keys()
    );
}
