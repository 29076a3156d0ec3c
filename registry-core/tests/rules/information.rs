//! More information never turns a result that was already certain: in every golden test patient, whatever leaf is taken
//! away, a result that is still definite must be the one the whole record gives.

use registry_core::guideline::Outcome;
use serde_json::{Value, json};

use crate::golden::MEASURES;
use crate::support::{centres, golden, read};

/// Leaves whose absence is an answer by definition, not a gap: keys and links that decide which rows there are, T0's
/// fallback without a referral date, a prior malignancy of unknown date, a birth year that only opens windows, and
/// `lung_function_compromised`, about which statement 30 asks KNOWN.
fn is_an_answer(pointer: &str) -> bool {
    pointer.starts_with("/record/")
        || pointer.ends_with("/seq")
        || pointer.ends_with("/presentation_seq")
        || pointer.ends_with("/referral_date") && pointer.starts_with("/presentation")
        || pointer.starts_with("/prior_malignancy") && pointer.ends_with("/diagnosis_date")
        || pointer == "/patient/birth_year"
        || pointer.ends_with("/lung_function_compromised")
}

fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) if !object.contains_key("absent") => {
            for (key, value) in object {
                leaves(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(list) if list.iter().all(Value::is_object) && !list.is_empty() => {
            for (row, value) in list.iter().enumerate() {
                leaves(value, &format!("{at}/{row}"), found);
            }
        }
        Value::Null => {}
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn a_leaf_less_never_makes_another_definite_result() {
    let all = golden("test-cases.json");
    let table = centres(&all["centre"]);
    let (mut tried, mut wrong) = (0, Vec::new());
    for case in all["cases"].as_array().unwrap() {
        let whole = &case["record_document"];
        let expected = MEASURES.evaluate(&read(whole, &table));
        let mut pointers = Vec::new();
        leaves(whole, "", &mut pointers);
        for pointer in pointers.iter().filter(|pointer| !is_an_answer(pointer)) {
            for less in [Value::Null, json!({"absent": "unknown"})] {
                let mut document = whole.clone();
                *document.pointer_mut(pointer).unwrap() = less.clone();
                let results = MEASURES.evaluate(&read(&document, &table));
                tried += 1;
                for (result, whole) in results.iter().zip(&expected) {
                    // ASCERT takes an explicit "unknown" for an answer: looked for and not found.
                    let id = MEASURES.measures[usize::from(result.measure)].id.as_str();
                    if less.is_object() && ["3", "4"].contains(&id) {
                        continue;
                    }
                    assert_eq!(
                        (result.measure, result.unit_index),
                        (whole.measure, whole.unit_index)
                    );
                    let same = result.outcome == whole.outcome || result.outcome == Outcome::NotAssessable;
                    // An exception that holds settles an unknown numerator; learning it was met is a better answer.
                    let settled = result.outcome == Outcome::Excepted && whole.outcome == Outcome::Met;
                    if !same && !settled {
                        wrong.push(format!(
                            "{} without {pointer}: measure {} is {} instead of {}",
                            case["id"],
                            id,
                            result.outcome.as_str(),
                            whole.outcome.as_str()
                        ));
                    }
                }
            }
        }
    }
    assert!(tried > 3_000, "{tried}");
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
}
