//! Whatever is put anywhere into a case: a verdict, never a panic, and never the value in it.

use proptest::prelude::*;
use registry_core::intake::{Limits, parse};
use registry_core::validation::{MAX_FINDINGS, Severity};
use serde_json::{Value, json};

use crate::body::{case, found, judge};

/// A text that stands in no schema file.
const CANARY: &str = "Zyx-canary-41";

/// Pointers to every place of a document, the root included.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{i}"), all);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                places(item, &format!("{at}/{key}"), all);
            }
        }
        _ => {}
    }
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Insert(String, Value),
    Repeat(usize),
}

fn apply(document: &mut Value, pointer: &str, change: &Change) {
    match change {
        Change::Replace(value) => {
            if let Some(place) = document.pointer_mut(pointer) {
                *place = value.clone();
            }
        }
        Change::Remove => {
            let Some((parent, key)) = pointer.rsplit_once('/') else {
                return;
            };
            match document.pointer_mut(parent) {
                Some(Value::Object(object)) => {
                    object.remove(key);
                }
                Some(Value::Array(items)) => {
                    if let Ok(i) = key.parse::<usize>()
                        && i < items.len()
                    {
                        items.remove(i);
                    }
                }
                _ => {}
            }
        }
        Change::Insert(key, value) => {
            if let Some(Value::Object(object)) = document.pointer_mut(pointer) {
                object.insert(key.clone(), value.clone());
            }
        }
        Change::Repeat(times) => {
            if let Some(Value::Array(items)) = document.pointer_mut(pointer) {
                let copies: Vec<Value> = items.iter().cloned().cycle().take(items.len() * times).collect();
                items.extend(copies);
            }
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(CANARY)),
        Just(json!({"absent": CANARY})),
        Just(json!({"absent": "unknown"})),
        Just(json!({"absent": "not_applicable", CANARY: 1})),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[CANARY]]])),
        Just(json!("refused")),
        Just(json!("withdrawn")),
        Just(json!("2026-02-30")),
        Just(json!("2025")),
        Just(json!("2025-06")),
        Just(json!(true)),
        any::<i32>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any_value().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        2 => ("[a-z_~/]{0,80}", any_value()).prop_map(|(k, v)| Change::Insert(k, v)),
        1 => (1usize..400).prop_map(Change::Repeat),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_a_case_gets_a_verdict(changes in prop::collection::vec((any::<prop::sample::Index>(), any_change()), 1..6)) {
        let mut document = case();
        for (index, change) in &changes {
            let mut all = Vec::new();
            places(&document, "", &mut all);
            apply(&mut document, &all[index.index(all.len())], change);
        }
        let verdict = judge(&document);
        prop_assert!(verdict.findings.len() <= MAX_FINDINGS);
        prop_assert!(verdict.further_findings == 0 || verdict.findings.len() == MAX_FINDINGS);
        prop_assert_eq!(
            verdict.rejected(),
            verdict.findings.iter().any(|f| f.severity == Severity::Reject)
        );
        for finding in &verdict.findings {
            prop_assert!(!finding.message.contains(CANARY), "{}", finding.message);
            prop_assert!(
                finding.pointer.is_empty() || finding.pointer.starts_with('/'),
                "{}", finding.pointer
            );
        }
        // Read through the door, the same document gives the same findings.
        if let Ok(read) = parse(&serde_json::to_vec(&document).expect("JSON"), &Limits::default()) {
            let again = judge(&read);
            prop_assert_eq!(found(&again), found(&verdict));
            prop_assert_eq!(judge(&read), again);
        }
    }
}
