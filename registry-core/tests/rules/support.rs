//! Layouts, documents and one-line evaluation for the tests of the language.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use registry_core::guideline::Guideline;
use registry_core::record::{CentreTable, Layout, Record};
use registry_core::rules::{CheckSet, RuleErrors};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};

pub(crate) static STORE: LazyLock<SchemaStore> =
    LazyLock::new(|| SchemaStore::embedded().expect("the embedded schema"));

pub(crate) static LAYOUT: LazyLock<Arc<Layout>> =
    LazyLock::new(|| Arc::new(Layout::of(&STORE.current().dictionary).expect("a layout")));

/// A file below the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

pub(crate) fn golden(name: &str) -> Value {
    let path = repository("tests/golden/rule_language").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a golden file")).expect("JSON")
}

/// JSON as a TOML value, members that are null left out.
pub(crate) fn toml_value(value: &Value) -> toml::Value {
    match value {
        Value::Null => toml::Value::String(String::new()),
        Value::Bool(value) => toml::Value::Boolean(*value),
        Value::Number(number) => number
            .as_i64()
            .map(toml::Value::Integer)
            .unwrap_or_else(|| toml::Value::Float(number.as_f64().expect("a number"))),
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(list) => toml::Value::Array(list.iter().map(toml_value).collect()),
        Value::Object(object) => toml::Value::Table(
            object
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), toml_value(value)))
                .collect(),
        ),
    }
}

pub(crate) fn toml_text(value: &Value) -> String {
    toml::to_string(&toml_value(value)).expect("TOML")
}

/// Only these members of an object.
pub(crate) fn pick(value: &Value, keys: &[&str]) -> Value {
    keys.iter()
        .filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.clone())))
        .collect()
}

pub(crate) fn guideline(files: &[(String, String)]) -> Result<Guideline, RuleErrors> {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    Guideline::compile(&files, &LAYOUT, &BTreeMap::new())
}

pub(crate) fn checks(files: &[(String, String)], windows: &str) -> Result<CheckSet, RuleErrors> {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    CheckSet::compile(&files, Some(("parameters.toml", windows)), &LAYOUT)
}

pub(crate) fn read(document: &Value, centres: &CentreTable) -> Record {
    Record::read(document, &LAYOUT, centres)
}

pub(crate) fn centres(rows: &Value) -> CentreTable {
    CentreTable::from_rows(rows.as_array().expect("rows").iter().cloned()).expect("a centre table")
}

/// `guideline.toml` and `parameters.toml` for a few measures.
pub(crate) fn head(extra: &Value) -> Vec<(String, String)> {
    let mut head = json!({
        "id": "test", "version": "1", "status": "active", "title": "t", "source": "s",
        "populations": {"everyone": "true"},
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        head[key] = value.clone();
    }
    let parameters = json!({
        "LOOKBACK_DAYS": {"value": 42, "type": "days", "basis": "assumption"},
        "PRE_CAP_DAYS": {"value": 90, "type": "days", "basis": "assumption"},
    });
    vec![
        ("guideline.toml".into(), toml_text(&head)),
        ("parameters.toml".into(), toml_text(&parameters)),
    ]
}
