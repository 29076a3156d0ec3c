//! Limits that a JSON Schema sets and the dictionary does not tell: lengths, ranges, patterns.

use serde_json::Value;

use super::compare::Comparison;
use super::diff::ChangeClass;

/// Upper limits: a higher one accepts more.
const UPPER: [&str; 4] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];
/// Lower limits: a lower one accepts more.
const LOWER: [&str; 4] = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
/// What cannot be said to accept more or less unless it comes or goes.
const OTHER: [&str; 4] = ["pattern", "format", "multipleOf", "uniqueItems"];

impl Comparison {
    /// Limits of a value that the dictionary does not tell.
    pub(super) fn limits(&mut self, place: &str, before: &Value, after: &Value) {
        for keyword in UPPER.iter().chain(&LOWER).chain(&OTHER) {
            let (was, is) = (found(before, keyword), found(after, keyword));
            if was == is {
                continue;
            }
            let number = |values: &[&Value]| match values {
                [value] => value.as_f64(),
                _ => None,
            };
            let wider = match (number(&was), number(&is)) {
                _ if is.is_empty() => true,
                (Some(was), Some(is)) if UPPER.contains(keyword) => is > was,
                (Some(was), Some(is)) if LOWER.contains(keyword) => is < was,
                _ => false,
            };
            let class = if wider {
                ChangeClass::Addition
            } else {
                ChangeClass::Breaking
            };
            let told = |values: &[&Value]| match values {
                [] => "nothing".to_owned(),
                values => values
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            let words = format!("`{keyword}` was {} and is {}.", told(&was), told(&is));
            self.add(class, "limit_changed", place, words);
        }
    }
}

/// Every value of a keyword anywhere in a schema, annotations left out.
fn found<'v>(schema: &'v Value, keyword: &str) -> Vec<&'v Value> {
    let mut all = Vec::new();
    match schema {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("x-")) {
                if name == keyword && !member.is_object() {
                    all.push(member);
                } else {
                    all.extend(found(member, keyword));
                }
            }
        }
        Value::Array(members) => all.extend(members.iter().flat_map(|member| found(member, keyword))),
        _ => {}
    }
    all
}
