//! One row of an entity as cells, and back.

use serde_json::{Map, Number, Value};

use super::columns::{Column, Part, Section, Style, absence_of, missing_code};
use crate::dictionary::{Element, ElementKind, Entity};
use crate::intake::{self, Limits};
use crate::record::{Absence, PartialDate};

/// A document holds something no column can: an unknown key, or a value of another type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer} cannot be written to a flat file")]
pub struct Unrepresentable {
    /// JSON pointer into the document.
    pub pointer: String,
}

/// Separates the members of a list of short texts; no key holds one.
const BETWEEN: char = ';';
const EMPTY: &str = "empty";
const VALUE: &str = "value";

/// The cells of a row, in the order of the section's columns.
///
/// # Errors
/// The pointer (within the row) of what does not fit.
pub(super) fn write(
    style: Style,
    section: &Section,
    entity: &Entity,
    row: &Value,
) -> Result<Vec<String>, Unrepresentable> {
    let nowhere = |key: &str| Unrepresentable {
        pointer: format!("/{key}"),
    };
    let object = row.as_object().ok_or_else(|| nowhere(""))?;
    let mut cells = vec![String::new(); section.columns.len()];
    let mut written = 0;
    for (first, group) in section.groups() {
        let Some(name) = group.first().map(|c| &c.element) else {
            continue;
        };
        let Some(value) = object.get(name) else { continue };
        written += 1;
        if value.is_null() {
            continue;
        }
        let element = entity.element(name).ok_or_else(|| nowhere(name))?;
        let room = cells.get_mut(first..first + group.len()).unwrap_or_default();
        write_element(style, element, value, group, room).ok_or_else(|| nowhere(name))?;
    }
    if written < object.len() {
        let stray = object
            .keys()
            .find(|key| !section.columns.iter().any(|c| c.element == **key));
        return Err(nowhere(stray.map_or("", String::as_str)));
    }
    Ok(cells)
}

fn write_element(
    style: Style,
    element: &Element,
    value: &Value,
    group: &[Column],
    cells: &mut [String],
) -> Option<()> {
    let mut put = |part: &Part, text: String| -> Option<()> {
        let at = group.iter().position(|c| c.part == *part)?;
        *cells.get_mut(at)? = text;
        Some(())
    };
    if let Value::Object(reason) = value {
        let absence = Absence::from_code(reason.get("absent")?.as_str()?)?;
        if reason.len() > 1 || !element.absence.contains(absence) {
            return None;
        }
        return match (style, element.kind) {
            (Style::Bundle, _) => put(&Part::Absent, absence.as_str().to_owned()),
            (Style::Redcap, ElementKind::CodeSet) => {
                put(&Part::AbsentFor(absence), truth(style, true).to_owned())
            }
            (Style::Redcap, _) => put(&Part::Value, missing_code(absence)),
        };
    }
    match (element.kind, value) {
        (ElementKind::CodeSet, Value::Array(members)) => {
            let codes = texts(members)?;
            let mut in_order = Vec::new();
            for column in group {
                if let Part::Holds(code) = &column.part
                    && element.codes.as_ref().is_some_and(|l| l.contains(code))
                {
                    let held = codes.contains(&code.as_str());
                    put(&column.part, truth(style, held).to_owned())?;
                    in_order.extend(held.then_some(code.as_str()));
                }
            }
            if codes.is_empty() && style == Style::Redcap {
                put(&Part::State, EMPTY.to_owned())?;
            }
            if codes != in_order {
                if codes.iter().any(|c| c.is_empty() || c.contains(' ')) {
                    return None;
                }
                put(&Part::Order, codes.join(" "))?;
            }
            Some(())
        }
        (ElementKind::StringSet, Value::Array(members)) => {
            let members = texts(members)?;
            if members.is_empty() {
                return put(&Part::State, EMPTY.to_owned());
            }
            if members.iter().any(|m| m.is_empty() || m.contains(BETWEEN)) {
                return None;
            }
            let joined = members.join(";");
            if absence_of(&joined).is_some() {
                put(&Part::State, VALUE.to_owned())?;
            }
            put(&Part::Value, guarded(&joined))
        }
        (ElementKind::Boolean, Value::Bool(value)) => put(&Part::Value, truth(style, *value).to_owned()),
        (kind, Value::Number(number)) if is_number(element) || kind == ElementKind::Code => {
            put(&Part::Value, number.to_string())
        }
        (ElementKind::Boolean | ElementKind::CodeSet | ElementKind::StringSet, _) => None,
        (kind, Value::String(text)) if !is_number(element) && !text.is_empty() => {
            if kind == ElementKind::Date && style == Style::Bundle && !element.exact_date {
                let precision = match text.len() {
                    4 => "year",
                    7 => "month",
                    _ => "day",
                };
                put(&Part::Precision, precision.to_owned())?;
            }
            if kind != ElementKind::String {
                return put(&Part::Value, text.clone());
            }
            if style == Style::Redcap && absence_of(text).is_some() {
                put(&Part::State, VALUE.to_owned())?;
            }
            put(&Part::Value, guarded(text))
        }
        _ => None,
    }
}

fn texts(members: &[Value]) -> Option<Vec<&str>> {
    members.iter().map(Value::as_str).collect()
}

fn is_number(element: &Element) -> bool {
    match element.kind {
        ElementKind::Integer | ElementKind::Number | ElementKind::Percent | ElementKind::Year => true,
        ElementKind::Code => element.codes.as_ref().is_some_and(|l| l.integer),
        _ => false,
    }
}

fn truth(style: Style, value: bool) -> &'static str {
    match (style, value) {
        (Style::Bundle, true) => "TRUE",
        (Style::Bundle, false) => "FALSE",
        (Style::Redcap, true) => "1",
        (Style::Redcap, false) => "0",
    }
}

fn truth_of(text: &str) -> Option<bool> {
    match text {
        "TRUE" | "true" | "True" | "1" => Some(true),
        "FALSE" | "false" | "False" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a spreadsheet would read the text, apostrophes in front left out, as a formula.
fn formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@'])
}

/// The text as a spreadsheet shows it and does not compute it: with an apostrophe in front.
fn guarded(text: &str) -> String {
    if formula(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// What is wrong with a cell: its column (within the section), a code, and what to write instead.
pub(super) type Fault = (usize, &'static str, &'static str);

/// The row these cells stand for. `cell` answers the text of the section's column, empty where the file has none.
pub(super) fn read<'a>(
    section: &Section,
    entity: Option<&Entity>,
    cell: impl Fn(usize) -> &'a str,
    faults: &mut Vec<Fault>,
) -> Map<String, Value> {
    let mut row = Map::new();
    for (first, group) in section.groups() {
        if (first..first + group.len()).all(|at| cell(at).is_empty()) {
            continue;
        }
        let Some(name) = group.first().map(|c| &c.element) else {
            continue;
        };
        let Some(element) = entity.and_then(|e| e.element(name)) else {
            let at = (first..).find(|at| !cell(*at).is_empty()).unwrap_or(first);
            faults.push((
                at,
                "not_in_version",
                "The case's schema version has no such element.",
            ));
            continue;
        };
        match read_element(element, group, |at| cell(first + at)) {
            Ok(Some(value)) => {
                row.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err((at, code, message)) => faults.push((first + at, code, message)),
        }
    }
    row
}

fn read_element<'a>(
    element: &Element,
    group: &[Column],
    cell: impl Fn(usize) -> &'a str,
) -> Result<Option<Value>, Fault> {
    let mut absent: Option<Absence> = None;
    let (mut ticked, mut answered) = (Vec::new(), false);
    let (mut value, mut order, mut state) = ((0, ""), "", "");
    for (at, column) in group.iter().enumerate() {
        let text = cell(at);
        if text.is_empty() {
            continue;
        }
        let yes = || truth_of(text).ok_or((at, "not_true_or_false", "Write TRUE or FALSE, or 1 or 0."));
        match &column.part {
            Part::Value => value = (at, text),
            Part::Order => order = text,
            Part::State => {
                state = match text {
                    EMPTY | VALUE => text,
                    _ => return Err((at, "unknown_state", "Write `empty`, `value` or nothing.")),
                }
            }
            Part::Precision => {}
            Part::Holds(code) => {
                answered = true;
                if yes()? {
                    ticked.push((at, code.as_str()));
                }
            }
            Part::AbsentFor(absence) => {
                if yes()? {
                    absent = Some(allowed(element, *absence, at)?);
                }
            }
            Part::Absent => {
                let absence = Absence::from_code(text).ok_or(no_absence(at))?;
                absent = Some(allowed(element, absence, at)?);
            }
        }
    }
    if state != VALUE
        && let Some(absence) = absence_of(value.1)
        && !group.iter().any(|c| c.part == Part::Absent)
    {
        absent = Some(allowed(element, absence, value.0)?);
        value.1 = "";
    }
    let many = matches!(element.kind, ElementKind::CodeSet | ElementKind::StringSet);
    let empty = many && state == EMPTY;
    if let Some(absence) = absent {
        if !value.1.is_empty() || !ticked.is_empty() || empty {
            return Err((
                value.0,
                "value_and_absence",
                "A value and an absence code exclude each other.",
            ));
        }
        return Ok(Some(serde_json::json!({ "absent": absence.as_str() })));
    }
    if element.kind == ElementKind::CodeSet {
        return codes(element, group, &ticked, order, (empty, answered));
    }
    if empty {
        return match value.1 {
            "" => Ok(Some(Value::Array(Vec::new()))),
            _ => Err((value.0, "value_and_empty", "A list marked as empty has members.")),
        };
    }
    if value.1.is_empty() {
        return Ok(None);
    }
    read_value(element, value.1)
        .map(Some)
        .map_err(|(code, message)| (value.0, code, message))
}

fn no_absence(at: usize) -> Fault {
    (
        at,
        "absence_not_accepted",
        "The element does not accept this absence code; see the dictionary.",
    )
}

fn allowed(element: &Element, absence: Absence, at: usize) -> Result<Absence, Fault> {
    if element.absence.contains(absence) {
        Ok(absence)
    } else {
        Err(no_absence(at))
    }
}

/// The ticked codes; those the order names come first, in its order, and codes outside the list stand only there.
fn codes(
    element: &Element,
    group: &[Column],
    ticked: &[(usize, &str)],
    order: &str,
    (empty, answered): (bool, bool),
) -> Result<Option<Value>, Fault> {
    let listed = |code: &str| element.codes.as_ref().is_some_and(|l| l.contains(code));
    if let Some((at, _)) = ticked.iter().find(|(_, code)| !listed(code)) {
        return Err((
            *at,
            "not_in_version",
            "The case's schema version has no such code.",
        ));
    }
    if empty && !ticked.is_empty() {
        return Err((0, "value_and_empty", "A list marked as empty has members."));
    }
    let mut members: Vec<&str> = Vec::new();
    for code in order.split(' ').filter(|code| !code.is_empty()) {
        if ticked.iter().any(|(_, t)| *t == code) || !listed(code) {
            members.push(code);
        }
    }
    for (_, code) in ticked {
        if !members.contains(code) {
            members.push(code);
        }
    }
    // In REDCap nothing ticked is nothing said, unless the state says so; in a bundle a FALSE is an answer.
    let redcap = group.iter().any(|c| c.part == Part::State);
    if members.is_empty() && !empty && (redcap || !answered) {
        return Ok(None);
    }
    Ok(Some(members.into_iter().map(Value::from).collect()))
}

fn read_value(element: &Element, text: &str) -> Result<Value, (&'static str, &'static str)> {
    if is_number(element) {
        let number = intake::parse(text.as_bytes(), &Limits::default());
        let Ok(Value::Number(number)) = number else {
            return Err((
                "not_a_number",
                "Write a plain number with a decimal point, without unit or leading zero.",
            ));
        };
        let listed = |n: &Number| element.codes.as_ref().is_none_or(|l| l.contains(&n.to_string()));
        if element.codes_enforced && !listed(&number) {
            return Err(OUTSIDE);
        }
        return Ok(Value::Number(number));
    }
    // The door's own rules for text, so that a broken cell is named here and not refused later without its place.
    let quoted = Value::from(text).to_string();
    if intake::parse(quoted.as_bytes(), &Limits::default()).is_err() {
        return Err((
            "control_character",
            "Write plain text on one line, without tabs and invisible characters.",
        ));
    }
    match element.kind {
        ElementKind::Boolean => truth_of(text)
            .map(Value::Bool)
            .ok_or(("not_true_or_false", "Write TRUE or FALSE, or 1 or 0.")),
        ElementKind::Date if PartialDate::parse(text).is_none() => Err((
            "not_a_date",
            "Write a date as YYYY-MM-DD, or YYYY-MM or YYYY where only that is known.",
        )),
        ElementKind::Code if element.codes_enforced => match &element.codes {
            Some(list) if !list.contains(text) => Err(OUTSIDE),
            _ => Ok(Value::from(text)),
        },
        ElementKind::String => plain_text(text).map(Value::from),
        ElementKind::StringSet => Ok(plain_text(text)?.split(BETWEEN).map(Value::from).collect()),
        _ => Ok(Value::from(text)),
    }
}

const OUTSIDE: (&str, &str) = (
    "code_not_in_list",
    "The code is not in the element's list; see the dictionary.",
);

/// The text behind the apostrophe that guards it.
fn plain_text(text: &str) -> Result<&str, (&'static str, &'static str)> {
    if !formula(text) {
        return Ok(text);
    }
    text.strip_prefix('\'').ok_or((
        "formula",
        "The text starts like a spreadsheet formula; if it is meant, write an apostrophe in front of it.",
    ))
}
