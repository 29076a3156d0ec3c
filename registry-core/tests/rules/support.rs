//! Layouts, documents and one-line evaluation for the tests of the language.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use registry_core::guideline::{Guideline, Outcome};
use registry_core::record::{CentreTable, Layout, Record};
use registry_core::rules::{CheckSet, RuleErrors};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};

pub(crate) static STORE: LazyLock<SchemaStore> =
    LazyLock::new(|| SchemaStore::embedded().expect("the embedded schema"));

/// Of case schema 1.0.0, in whose words the golden rules and patients are written.
pub(crate) static LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| layout("1.0.0"));

/// Of the current case schema, in whose words the rules under `schema/` are written.
pub(crate) static NEWEST: LazyLock<Arc<Layout>> = LazyLock::new(|| layout(&STORE.current().version));

fn layout(version: &str) -> Arc<Layout> {
    let schema = STORE.case_schema(version).expect("a version");
    Arc::new(Layout::of(&schema.dictionary).expect("a layout"))
}

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

/// Parameters of the tests: `$N10` is the number 10, `$D10` ten days, `$M12` twelve months, `$ON_2024_02_10` a date.
fn parameter(name: &str) -> Value {
    let (kind, value) = if let Some(date) = name.strip_prefix("ON_") {
        ("date", json!(date.replace('_', "-")))
    } else if name == "ANTHRACYCLINES" {
        (
            "code_set",
            json!(["doxorubicin", "epirubicin", "liposomal_doxorubicin"]),
        )
    } else if name == "MORPHOLOGY_PATTERN" {
        ("pattern", json!("[0-9]{4}/[0136]"))
    } else {
        let number: i64 = name[1..].parse().expect("a number in the name");
        let kind = match &name[..1] {
            "N" => "number",
            "D" => "days",
            "M" => "months",
            _ => panic!("unknown parameter {name}"),
        };
        (kind, json!(number))
    };
    json!({"value": value, "type": kind, "basis": "test"})
}

fn parameters_of(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .split('$')
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                .collect()
        })
        .collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

/// Files of a guideline with one measure whose numerator is the text.
pub(crate) fn one_measure(text: &str, unit: Option<&str>, extra: &Value) -> Vec<(String, String)> {
    let mut files = head(extra);
    let definitions = extra["definitions"].as_object().into_iter().flatten();
    let read = parameters_of(&definitions.fold(text.to_owned(), |all, (_, more)| {
        all + " " + more.as_str().unwrap()
    }));
    let mut parameters: Value = toml::from_str(&files[1].1).unwrap();
    for name in &read {
        parameters[name] = parameter(name);
    }
    files[1].1 = toml_text(&parameters);
    let mut measure = json!({
        "id": "m", "statement": 1, "grade": "VA", "kind": "utilisation", "unit": "patient", "population": "everyone",
        "title": "t", "denominator_in_words": "d", "numerator_in_words": "n", "denominator": "true",
        "exclusion": "false", "exception": "false", "numerator": text, "parameters": read,
    });
    if let Some(unit) = unit {
        measure["unit_entity"] = json!(unit);
    }
    if let Some(lets) = extra.get("let") {
        measure["let"] = lets.clone();
    }
    files[0].1 = {
        let mut head: Value = toml::from_str(&files[0].1).unwrap();
        head.as_object_mut().unwrap().remove("let");
        toml_text(&head)
    };
    files.push(("measures/m.toml".into(), toml_text(&measure)));
    files
}

/// T, F, or U with reason and element, of a condition on every unit of a document.
pub(crate) fn truths(text: &str, unit: Option<&str>, document: &Value, table: &Value) -> Vec<String> {
    truths_with(text, unit, document, table, &json!({}))
}

pub(crate) fn truths_with(
    text: &str,
    unit: Option<&str>,
    document: &Value,
    table: &Value,
    extra: &Value,
) -> Vec<String> {
    let guideline =
        guideline(&one_measure(text, unit, extra)).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    let record = read(document, &centres(table));
    guideline
        .evaluate(&record)
        .iter()
        .map(|result| match result.outcome {
            Outcome::Used => "T".to_owned(),
            Outcome::NotUsed => "F".to_owned(),
            _ => {
                let reason = result.reason.map_or("-", |reason| reason.as_str());
                format!("U {reason} {}", result.element.as_deref().unwrap_or("-"))
            }
        })
        .collect()
}

/// T, F, or U with reason and element, of a condition about the patient.
pub(crate) fn truth(text: &str, document: &Value) -> String {
    let all = truths(text, None, document, &json!([]));
    assert_eq!(all.len(), 1);
    all[0].clone()
}

/// Asserts what several conditions are on one document.
pub(crate) fn assert_truths(document: &Value, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let found = truth(text, document);
            (found != *expected).then(|| format!("{text}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The check set of one edit check `E-900` with this expression.
pub(crate) fn one_check(text: &str, scope: &str, blocks: &[&str]) -> Result<CheckSet, RuleErrors> {
    let read = parameters_of(text);
    let parameters: Value = read.iter().map(|name| (name.clone(), parameter(name))).collect();
    let check = json!({
        "id": "E-900", "severity": "error", "scope": scope, "evaluated_by": "rule", "rule_in_words": "r",
        "message": "m", "expression": text, "blocks": blocks, "parameters": read,
    });
    let files = [
        ("checks/E-900.toml".to_owned(), toml_text(&check)),
        ("checks/parameters.toml".to_owned(), toml_text(&parameters)),
    ];
    checks(&files, &head(&json!({}))[1].1)
}

/// Rows on which an edit check fires; `[0]` for the record.
pub(crate) fn fires(text: &str, scope: &str, document: &Value) -> Vec<u32> {
    let set = one_check(text, scope, &[]).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    let record = read(document, &CentreTable::default());
    set.run(&record)
        .iter()
        .map(|fired| fired.row.map_or(0, |(_, row)| row))
        .collect()
}

/// The record the worked examples of the language's definition speak of.
pub(crate) fn example() -> Value {
    json!({
        "record": {"record_id": "0b6e2f0e-9f0c-4f0e-8f8e-5a0d8f0f0001", "schema_version": "1.0.0", "centre_id": "C1",
            "data_cutoff_date": "2025-06-30", "submitted_at": "2025-06-30T12:00:00Z"},
        "consent": {"status": "consented", "date": "2024-01-05"},
        "patient": {"pseudonym_id": "P1", "birth_year": 1960},
        "primary": {"histology_code": "ss", "eligibility_class": "core", "fnclcc_grade": 3, "icdo_morphology": "9040/3"},
        "presentation": [{"seq": 1, "date_detected": "2024-01-10", "referral_date": "2024-01-20",
            "total_lesion_count": 2, "largest_size_mm": {"absent": "unknown"}, "staging_exception": []}],
        "imaging": [
            {"date": "2024-01-11", "modality": "ct", "region": ["abdomen"], "contrast": "iv_single_phase"},
            {"date": "2024-01-21", "modality": "ct", "region": ["pelvis"], "contrast": "iv_single_phase"},
            {"date": "2024-06-15", "modality": "ct", "region": ["chest"], "contrast": "none"}],
        "systemic": [{"line_id": "S1", "setting": "metastatic", "line_number": 1, "agents": ["doxorubicin"],
            "start_date": "2024-02-10", "stop_reason": "ongoing"}],
        "lesion": [
            {"lesion_id": "L1", "presentation_seq": 1, "site": "lung", "count": 2},
            {"lesion_id": "L2", "presentation_seq": 1, "site": "liver", "count": 1}],
        "followup": [{"date": "2025-02-13", "vital_status": "alive"}],
        "assessment": [{"date": "2024-01-15", "ecog": 1, "pain_nrs": {"absent": "not_done"},
            "geriatric_instrument": {"absent": "not_applicable"}, "comorbidity_instrument": {"absent": "unknown"}}],
        "section_attestation": [
            {"section": "systemic", "status": "complete_through", "complete_through": "2025-06-30"},
            {"section": "lesion", "status": "complete_through", "complete_through": "2025-06-30"},
            {"section": "mdt", "status": "none_ever"}],
    })
}
