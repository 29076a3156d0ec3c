use std::sync::Arc;

use super::super::program::{Pattern, Set, Term};
use super::super::range::Range;
use super::super::source::At;
use super::types::{Domain, TermType, Typed, Unit};
use super::{Compiled, Compiler};
use crate::record::PartialDate;

/// A threshold, window or list: the only way a number gets into a rule.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub value: ParameterValue,
    /// `source`, `committee`, `assumption`, several joined by `+`, or what the file says.
    pub basis: String,
    pub note: Option<String>,
    /// Other values the measures are computed with on demand.
    pub alternatives: Vec<ParameterValue>,
}

impl Parameter {
    /// Whether the value is fixed by the source or by the committee, and no part of it assumed.
    pub fn is_ratified(&self) -> bool {
        self.basis
            .split('+')
            .all(|part| matches!(part.trim(), "source" | "committee"))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue {
    Days(u32),
    Months(u32),
    /// `number` and `integer`.
    Number(f64),
    Date(PartialDate),
    Codes(Arc<[String]>),
    Pattern(String),
}

impl std::fmt::Display for ParameterValue {
    /// As a person reads it: `30 days`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ParameterValue::Days(n) => write!(f, "{n} days"),
            ParameterValue::Months(n) => write!(f, "{n} months"),
            ParameterValue::Number(n) => write!(f, "{n}"),
            ParameterValue::Date(date) => match date.first_day() {
                Some(day) => write!(f, "{day}"),
                None => Ok(()),
            },
            ParameterValue::Codes(codes) => f.write_str(&codes.join(", ")),
            ParameterValue::Pattern(pattern) => f.write_str(pattern),
        }
    }
}

impl ParameterValue {
    /// What a number counts.
    pub fn unit(&self) -> Option<&'static str> {
        match self {
            ParameterValue::Days(_) => Some("days"),
            ParameterValue::Months(_) => Some("months"),
            _ => None,
        }
    }

    /// The value as it is written in the file.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            ParameterValue::Days(n) | ParameterValue::Months(n) => json!(n),
            // A whole number without a point: `2`, not `2.0`.
            ParameterValue::Number(n) if n.fract() == 0.0 => json!(*n as i64),
            ParameterValue::Number(n) => json!(n),
            ParameterValue::Date(date) => json!(date.first_day()),
            ParameterValue::Codes(codes) => json!(codes.as_ref()),
            ParameterValue::Pattern(pattern) => json!(pattern),
        }
    }

    /// The types a parameter may have.
    pub const TYPES: [&str; 7] = [
        "days", "months", "number", "integer", "date", "code_set", "pattern",
    ];

    /// Reads a value as its declared type (`days`, `months`, `number`, `integer`, `date`, `code_set`, `pattern`).
    ///
    /// # Errors
    /// What is wrong with the type or the value, in words.
    pub fn read(kind: &str, value: &serde_json::Value) -> Result<ParameterValue, String> {
        let whole = || value.as_u64().and_then(|number| u32::try_from(number).ok());
        let text = || value.as_str();
        match kind {
            "days" => whole()
                .map(ParameterValue::Days)
                .ok_or_else(|| "`days` is a whole number, 0 or more".into()),
            "months" => whole()
                .map(ParameterValue::Months)
                .ok_or_else(|| "`months` is a whole number, 0 or more".into()),
            "number" => value
                .as_f64()
                .map(ParameterValue::Number)
                .ok_or_else(|| "`number` is a number".into()),
            "integer" => value
                .as_i64()
                .map(|number| ParameterValue::Number(number as f64))
                .ok_or_else(|| "`integer` is a whole number".into()),
            "date" => text()
                .and_then(PartialDate::parse)
                .filter(|date| date.is_exact())
                .map(ParameterValue::Date)
                .ok_or_else(|| "`date` is written as `2019-01-18`, known to the day".into()),
            "code_set" => {
                let codes: Option<Vec<String>> = value
                    .as_array()
                    .and_then(|list| list.iter().map(|code| code.as_str().map(str::to_owned)).collect());
                codes
                    .map(|codes| ParameterValue::Codes(codes.into()))
                    .ok_or_else(|| "`code_set` is a list of texts".into())
            }
            "pattern" => {
                let pattern = text().ok_or("`pattern` is a text")?;
                compile_pattern(pattern)?;
                Ok(ParameterValue::Pattern(pattern.to_owned()))
            }
            _ => Err("the type is one of days, months, number, integer, date, code_set, pattern".into()),
        }
    }
}

/// Compiles a pattern made of literals, `[...]`, `(..|..)`, `?`, `{n}` and `\.` alone; it matches whole texts.
pub(super) fn compile_pattern(text: &str) -> Result<Pattern, String> {
    let mut rest = text.chars().peekable();
    let mut in_class = false;
    while let Some(next) = rest.next() {
        let fine = match next {
            '\\' => rest.next() == Some('.'),
            '[' if !in_class => {
                in_class = true;
                true
            }
            ']' if in_class => {
                in_class = false;
                true
            }
            '-' => true,
            _ if in_class => next.is_ascii_alphanumeric() || "/._".contains(next),
            '{' => {
                let mut digits = 0;
                while rest.peek().is_some_and(char::is_ascii_digit) {
                    rest.next();
                    digits += 1;
                }
                (1..=2).contains(&digits) && rest.next() == Some('}')
            }
            // What follows a bracket is an alternative, never a flag or a look-around.
            '(' => rest.peek() != Some(&'?'),
            ')' | '|' | '?' => true,
            _ => next.is_ascii_alphanumeric() || "/_ ".contains(next),
        };
        if !fine {
            return Err("a pattern holds literals, `[...]`, `(..|..)`, `?`, `{n}` and `\\.` only".into());
        }
    }
    let regex =
        regex::Regex::new(&format!("^(?:{text})$")).map_err(|error| format!("not a pattern: {error}"))?;
    Ok(Pattern(Arc::new(regex)))
}

impl Compiler<'_> {
    pub(super) fn parameter(&mut self, at: At, name: &str) -> Compiled<Typed> {
        let Some(parameter) = self.shared.parameters.get(name) else {
            return self.fault(
                at,
                "unknown_parameter",
                format!("there is no parameter `${name}`"),
            );
        };
        self.read.insert(name.to_owned());
        let number =
            |value: f64, unit| Typed::Term(Term::Constant(Range::point(value)), TermType::Number(unit));
        Ok(match &parameter.value {
            ParameterValue::Days(days) => number(f64::from(*days), Unit::Days),
            ParameterValue::Months(months) => number(f64::from(*months), Unit::Months),
            ParameterValue::Number(value) => number(*value, Unit::None),
            ParameterValue::Date(date) => Typed::Term(
                Term::Constant(Range::point(f64::from(date.first()))),
                TermType::Date,
            ),
            ParameterValue::Codes(codes) => {
                let written = codes.iter().map(|code| (at, code.clone())).collect();
                Typed::Set(
                    Set::Fixed(codes.iter().cloned().collect()),
                    Domain::Written(written),
                )
            }
            ParameterValue::Pattern(_) => {
                return self.fault(
                    at,
                    "different_types",
                    "a pattern stands only as second argument of MATCHES",
                );
            }
        })
    }

    /// The pattern of MATCHES: a pattern parameter.
    pub(super) fn pattern(&mut self, at: At, name: &str) -> Compiled<Pattern> {
        let value = self
            .shared
            .parameters
            .get(name)
            .map(|parameter| parameter.value.clone());
        match value {
            None => self.fault(
                at,
                "unknown_parameter",
                format!("there is no parameter `${name}`"),
            ),
            Some(ParameterValue::Pattern(text)) => {
                self.read.insert(name.to_owned());
                match compile_pattern(&text) {
                    Ok(pattern) => Ok(pattern),
                    Err(message) => self.fault(at, "bad_parameter", message),
                }
            }
            Some(_) => self.fault(at, "different_types", format!("`${name}` is not of type pattern")),
        }
    }

    /// The pattern of MATCHES written in the rule.
    pub(super) fn written_pattern(&mut self, at: At, text: &str) -> Compiled<Pattern> {
        match compile_pattern(text) {
            Ok(pattern) => Ok(pattern),
            Err(message) => self.fault(at, "unparsable", message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_texts_and_holds_nothing_exotic() {
        let morphology = compile_pattern("[0-9]{4}/[0136]").unwrap();
        assert!(morphology.0.is_match("9040/3"));
        assert!(!morphology.0.is_match("9040/33"));
        assert!(!morphology.0.is_match("x9040/3"));
        let topography = compile_pattern("C(1[5-9]|2[0-6])(\\.[0-9])?|C63(\\.[02-9])?").unwrap();
        assert!(topography.0.is_match("C15"));
        assert!(topography.0.is_match("C63.2"));
        assert!(!topography.0.is_match("C63.1"));
        for exotic in [".*", "a+", "a*", "^a", "\\d", "(?i)a", "a{1,2}", "[^a]", "a{"] {
            assert!(compile_pattern(exotic).is_err(), "{exotic}");
        }
    }

    #[test]
    fn a_parameter_value_fits_its_type() {
        use serde_json::json;
        assert_eq!(
            ParameterValue::read("days", &json!(42)),
            Ok(ParameterValue::Days(42))
        );
        assert_eq!(
            ParameterValue::read("number", &json!(0.5)),
            Ok(ParameterValue::Number(0.5))
        );
        for (kind, value) in [
            ("days", json!(-1)),
            ("months", json!(1.5)),
            ("integer", json!(1.5)),
            ("date", json!("2019-01")),
            ("code_set", json!(["a", 1])),
            ("pattern", json!("a+")),
            ("duration", json!(1)),
        ] {
            assert!(ParameterValue::read(kind, &value).is_err(), "{kind}");
        }
    }
}
