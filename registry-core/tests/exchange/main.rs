//! Cases as flat files and back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod branching;
mod bundle;
mod complaints;
mod redcap;

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use registry_core::exchange::{Layout, Style};
use registry_core::synthetic::{CohortPlan, case};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};

fn layout(style: Style) -> Arc<Layout> {
    let store = SchemaStore::embedded().unwrap();
    let versions: Vec<_> = store
        .case_schemas()
        .iter()
        .map(|s| Arc::clone(&s.dictionary))
        .collect();
    Arc::new(Layout::new(style, &versions))
}

fn current() -> String {
    SchemaStore::embedded().unwrap().current().version.clone()
}

/// Every valid example of every version, and 300 synthetic cases.
fn cases() -> Vec<Value> {
    let mut cases = Vec::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/examples");
    for version in std::fs::read_dir(examples).unwrap() {
        let Ok(files) = std::fs::read_dir(version.unwrap().path().join("valid")) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let body = std::fs::read(path).unwrap();
                cases.push(registry_core::intake::parse(&body, &Default::default()).unwrap());
            }
        }
    }
    assert!(cases.len() >= 19, "the examples are there: {}", cases.len());
    let plan = CohortPlan {
        cases: 300,
        ..CohortPlan::demo(NaiveDate::from_ymd_opt(2026, 11, 23).unwrap())
    };
    for n in 0..plan.cases {
        // Through the door, as every submission: it reads 48.0 as 48.
        let sent = case(&plan, n).body.to_string();
        cases.push(registry_core::intake::parse(sent.as_bytes(), &Default::default()).unwrap());
    }
    // Keys may repeat over versions of the examples; a file has one case a key.
    for (n, case) in cases.iter_mut().enumerate() {
        case["patient"]["pseudonym_id"] = json!(format!("0{n:04}"));
    }
    cases
}

/// A document with everything that flat files could trip over.
fn awkward() -> Value {
    json!({
        "schema_version": current(),
        "patient": { "pseudonym_id": "007", "birth_year": 1961 },
        "consent": { "status": "consented", "research_reuse": true },
        "hereditary": {},
        "lesion": [],
        "pro": [{ "summary_score": 0.1 }, {}, { "summary_score": 83.33333333333333 }],
        "imaging": [{ "region": [] }, { "region": ["pelvis", "chest"] }, {}],
        "biopsy": [{ "biopsy_id": "0012", "purpose": { "absent": "unknown" } }],
        "local_treatment": [
            { "tx_id": "1e5", "lesion_id": [] },
            { "tx_id": "T2", "lesion_id": ["L2", "L1"] },
            { "tx_id": "T3", "lesion_id": { "absent": "unknown" } },
            { "tx_id": "T4" },
        ],
        "systemic": [
            { "line_id": "1", "regimen": "a, \"b\"; c" },
            { "line_id": "2", "regimen": "=1+1" },
            { "line_id": "3", "regimen": "'=1+1" },
            { "line_id": "4", "regimen": " unknown " },
            { "line_id": "5", "regimen": "absent_unknown" },
            { "line_id": "6", "regimen": { "absent": "unknown" } },
        ],
    })
}

/// The document as it comes back: a null is a missing leaf.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.clone(), without_nulls(v)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn envelope() -> Value {
    json!({
        "record_id": "0b6e2f0e-9f0c-4f0e-8f8e-5a0d8f0f0001",
        "centre_id": "C01",
        "submitted_at": "2026-11-23T10:00:00Z",
    })
}

/// Compares canonical spellings, which is what a stored version's hash is made of.
#[track_caller]
fn assert_same(read: &Value, sent: &Value) {
    let spelling = |v: &Value| String::from_utf8(registry_core::intake::canonical::to_bytes(v)).unwrap();
    assert_eq!(spelling(read), spelling(&without_nulls(sent)));
}
