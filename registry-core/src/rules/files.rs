//! Rules as they stand in TOML files: texts with their place, parameters, and what is wrong with either.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;

use super::compile::{Definition, WindowDays, parse_at};
use super::source::{Source, line_and_column};
use super::{Parameter, ParameterValue, RuleError, Table};

/// A file of rules: its path below `schema/` and its text.
#[derive(Debug, Clone)]
pub(crate) struct RuleFile {
    pub(crate) path: Arc<str>,
    pub(crate) text: Arc<str>,
}

impl RuleFile {
    pub(crate) fn new(path: &str, text: &str) -> RuleFile {
        RuleFile {
            path: path.into(),
            text: text.into(),
        }
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Reads the file as TOML.
    pub(crate) fn read<T: DeserializeOwned>(&self, errors: &mut Vec<RuleError>) -> Option<T> {
        match toml::from_str(&self.text) {
            Ok(read) => Some(read),
            Err(fault) => {
                let offset = fault.span().map_or(0, |span| span.start);
                errors.push(self.error(offset, "unreadable", fault.message().to_owned()));
                None
            }
        }
    }

    /// An error at a byte of the file.
    pub(crate) fn error(&self, offset: usize, code: &'static str, message: impl Into<String>) -> RuleError {
        let (line, column) = line_and_column(&self.text, offset);
        RuleError {
            file: self.path.to_string(),
            line,
            column,
            code,
            message: message.into(),
        }
    }

    /// The place of an expression written as a TOML string: behind its opening quotes.
    pub(crate) fn source(&self, text: &Spanned<String>) -> Source {
        let start = text.span().start;
        let raw = self.text.get(start..).unwrap_or_default();
        let mut skip = 0;
        for quotes in ["'''", "\"\"\"", "'", "\""] {
            if raw.starts_with(quotes) {
                skip = quotes.len();
                break;
            }
        }
        if skip == 3 {
            let inside = raw.get(skip..).unwrap_or_default();
            let line_end = if inside.starts_with("\r\n") {
                2
            } else {
                usize::from(inside.starts_with('\n'))
            };
            skip += line_end;
        }
        Source::inside(&self.path, &self.text, start + skip, text.get_ref())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterFile {
    value: Spanned<toml::Value>,
    r#type: Spanned<String>,
    basis: String,
    note: Option<String>,
    /// Other values to compute the measures with (sensitivity).
    #[serde(default)]
    alternatives: Vec<Spanned<toml::Value>>,
}

/// Reads a file of parameters; `replaced` values (sensitivity runs) take the place of those in the file.
pub(crate) fn parameters(
    file: &RuleFile,
    replaced: &BTreeMap<String, Value>,
    errors: &mut Vec<RuleError>,
) -> BTreeMap<String, Parameter> {
    let read: BTreeMap<Spanned<String>, ParameterFile> = file.read(errors).unwrap_or_default();
    let mut parameters = BTreeMap::new();
    for (name, parameter) in &read {
        let kind = &parameter.r#type;
        let at = if ParameterValue::TYPES.contains(&kind.get_ref().as_str()) {
            parameter.value.span().start
        } else {
            kind.span().start
        };
        let written = json(parameter.value.get_ref());
        let value = replaced.get(name.get_ref()).unwrap_or(&written);
        let mut alternatives = Vec::new();
        for other in &parameter.alternatives {
            match ParameterValue::read(kind.get_ref(), &json(other.get_ref())) {
                Ok(value) => alternatives.push(value),
                Err(message) => {
                    let message = format!("{}: alternative: {message}", name.get_ref());
                    errors.push(file.error(other.span().start, "bad_parameter", message));
                }
            }
        }
        match ParameterValue::read(kind.get_ref(), value) {
            Ok(value) => {
                let (basis, note) = (parameter.basis.clone(), parameter.note.clone());
                let name = name.get_ref().clone();
                parameters.insert(
                    name.clone(),
                    Parameter {
                        name,
                        value,
                        basis,
                        note,
                        alternatives,
                    },
                );
            }
            Err(message) => {
                errors.push(file.error(at, "bad_parameter", format!("{}: {message}", name.get_ref())))
            }
        }
    }
    for name in replaced
        .keys()
        .filter(|name| !read.keys().any(|known| known.get_ref() == *name))
    {
        errors.push(file.error(
            0,
            "unknown_parameter",
            format!("there is no parameter `{name}` to replace"),
        ));
    }
    parameters
}

/// Tables for LOOKUP, as read: name, code, set.
pub(crate) fn tables(read: BTreeMap<String, BTreeMap<String, Vec<String>>>) -> BTreeMap<String, Arc<Table>> {
    let table = |(name, rows): (String, BTreeMap<String, Vec<String>>)| {
        let rows = rows
            .into_iter()
            .map(|(key, codes)| (key, codes.into_iter().collect()))
            .collect();
        (name.clone(), Arc::new(Table { name, rows }))
    };
    read.into_iter().map(table).collect()
}

/// What PRE, PRE0, FT and FT0 read; `None` when one of the two is missing or no number of days.
pub(crate) fn window_days(parameters: &BTreeMap<String, Parameter>) -> Option<WindowDays> {
    let days = |name: &str| match parameters.get(name)?.value {
        ParameterValue::Days(days) => Some(f64::from(days)),
        _ => None,
    };
    Some(WindowDays {
        lookback: days("LOOKBACK_DAYS")?,
        cap: days("PRE_CAP_DAYS")?,
    })
}

/// Parses named expressions, refusing names the language has taken.
pub(crate) fn definitions(
    file: &RuleFile,
    written: &BTreeMap<Spanned<String>, Spanned<String>>,
    errors: &mut Vec<RuleError>,
) -> BTreeMap<String, Definition> {
    let mut definitions = BTreeMap::new();
    for (name, text) in written {
        let (at, name) = (name.span().start, name.get_ref());
        let shaped = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !shaped || super::compile::is_reserved(name) {
            let message =
                format!("`{name}` cannot name an expression: upper case, and not a word of the language");
            errors.push(file.error(at, "reserved_name", message));
            continue;
        }
        let source = file.source(text);
        if let Some(expr) = parse_at(&source, errors) {
            definitions.insert(name.clone(), Definition { expr, source });
        }
    }
    definitions
}

/// A TOML value as JSON; dates become texts.
pub(crate) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(value) => Value::from(*value),
        toml::Value::Datetime(date) => Value::from(date.to_string()),
        toml::Value::Array(list) => list.iter().map(json).collect(),
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
    }
}
