//! Rows of a case in the entity files.

use super::columns::{Column, Field};
use super::deidentify::{Rules, YEARS};
use super::projection::Approved;
use super::pseudonyms::ReleaseKey;
use super::spool::Spool;
use super::table::{FinishedTable, Table};
use super::{ReleaseError, columns, projection};
use crate::cohorts::RecordedDate;
use registry_core::dictionary::{Dictionary, Element, Entity};
use registry_core::record::{Absence, PartialDate};
use serde_json::Value;

/// Keys that mean the same in every record and are no text of a centre.
const LITERAL_KEYS: [&str; 1] = ["primary"];
/// Longest code of an outside system (ICD-O, ICD-10) without a list of ours.
const LONGEST_CODE: usize = 12;

/// One entity's file.
pub(super) struct EntityTable<'a> {
    pub(super) entity: &'a Entity,
    pub(super) columns: Vec<Column>,
    table: Table,
    rules: &'a Rules,
    calendar: bool,
}

/// A case as a release sees it.
pub(super) struct ReleasedCase<'a> {
    /// The years of metastatic diagnosis, where a request was given them.
    pub(super) years: Option<String>,
    pub(super) patient: &'a str,
    pub(super) centre: &'a str,
    pub(super) case_id: &'a str,
    /// The document with its derived elements.
    pub(super) document: &'a Value,
    /// Metastatic diagnosis: day 0.
    pub(super) origin: RecordedDate,
}

/// The files of a release that stand for entities, in dictionary order; those without a column are left out.
pub(super) fn tables<'a>(
    spool: &Spool,
    dictionary: &'a Dictionary,
    approved: Option<&Approved>,
    rules: &'a Rules,
) -> Result<Vec<EntityTable<'a>>, ReleaseError> {
    let mut tables = Vec::new();
    for entity in &dictionary.entities {
        let (columns, _) = columns::plan(entity, approved);
        let calendar = Approved::calendar(approved, entity);
        if !columns.is_empty() || (approved.is_some() && entity.name == "patient") {
            let mut header = vec!["patient_id".to_owned()];
            header.extend((entity.name == "patient").then(|| "centre".to_owned()));
            header.extend(calendar.then(|| YEARS.to_owned()));
            header.extend(entity.repeated().then(|| "row".to_owned()));
            header.extend(columns.iter().map(|c| c.name.clone()));
            let table = Table::begin(spool, &format!("{}.csv", entity.name), header)?;
            tables.push(EntityTable {
                entity,
                columns,
                table,
                rules,
                calendar,
            });
        }
    }
    Ok(tables)
}

impl EntityTable<'_> {
    /// The file.
    pub(super) fn file(&self) -> String {
        format!("{}.csv", self.entity.name)
    }

    /// Adds the rows of a case.
    pub(super) fn add(&mut self, case: &ReleasedCase<'_>, key: &ReleaseKey) -> Result<(), ReleaseError> {
        match case.document.get(&self.entity.name) {
            Some(Value::Array(rows)) if self.entity.repeated() => {
                for (at, row) in rows.iter().enumerate() {
                    self.add_row(case, key, row, Some(at + 1))?;
                }
                Ok(())
            }
            Some(row @ Value::Object(_)) if !self.entity.repeated() => self.add_row(case, key, row, None),
            _ => Ok(()),
        }
    }

    fn add_row(
        &mut self,
        case: &ReleasedCase<'_>,
        key: &ReleaseKey,
        row: &Value,
        number: Option<usize>,
    ) -> Result<(), ReleaseError> {
        let mut fields = vec![case.patient.to_owned()];
        fields.extend((self.entity.name == "patient").then(|| case.centre.to_owned()));
        fields.extend(self.calendar.then(|| case.years.clone().unwrap_or_default()));
        fields.extend(number.map(|n| n.to_string()));
        for column in &self.columns {
            let Some(element) = self.entity.elements.get(column.element) else {
                continue;
            };
            let value = row.get(&element.name).unwrap_or(&Value::Null);
            fields.push(match column.field {
                Field::Age => projection::age(value.as_i64(), case.origin, self.rules).unwrap_or_default(),
                ref field => text(field, element, value, case, key).unwrap_or_default(),
            });
        }
        self.table.add(fields)
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        self.table.finish()
    }
}

/// The text of a column; `None` where there is nothing to say.
pub(super) fn text(
    field: &Field,
    element: &Element,
    value: &Value,
    case: &ReleasedCase<'_>,
    key: &ReleaseKey,
) -> Option<String> {
    if *field == Field::Absent {
        let code = value.get("absent")?.as_str()?;
        return Absence::from_code(code).map(|absence| absence.as_str().to_owned());
    }
    match field {
        Field::Value => plain(element, value),
        Field::Label => {
            let code = plain(element, value)?;
            Some(words(element, &code).to_owned())
        }
        Field::Holds(code) => {
            let members = value.as_array()?;
            Some(truth(members.iter().any(|m| m.as_str() == Some(code))))
        }
        Field::Key => match value {
            Value::String(one) => Some(masked(element, one, case, key)),
            Value::Array(many) => {
                let keys: Vec<String> = many
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|k| masked(element, k, case, key))
                    .collect();
                Some(keys.join(";"))
            }
            _ => None,
        },
        Field::DayMin => days(value, case.origin).map(|d| d.0.to_string()),
        Field::DayMax => days(value, case.origin).map(|d| d.1.to_string()),
        Field::Precision => {
            let text = value.as_str().filter(|t| PartialDate::parse(t).is_some())?;
            Some(
                match text.len() {
                    4 => "year",
                    7 => "month",
                    _ => "day",
                }
                .to_owned(),
            )
        }
        Field::Absent | Field::Age => None,
    }
}

/// The words of a code; the code where its list has none.
pub(super) fn words<'a>(element: &'a Element, code: &'a str) -> &'a str {
    let listed = element.codes.as_ref().map_or(&[][..], |list| &list.codes);
    let found = listed.iter().find(|one| one.code == code);
    found.and_then(|one| one.label.as_deref()).unwrap_or(code)
}

pub(super) fn truth(value: bool) -> String {
    if value { "TRUE" } else { "FALSE" }.to_owned()
}

/// A value that cannot be free text: a number, TRUE or FALSE, a code of its list, or a short code of an outside system.
fn plain(element: &Element, value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(truth(*value)),
        Value::Number(number) => Some(number.to_string()),
        Value::String(code) => {
            let known = match &element.codes {
                Some(list) => list.codes.iter().any(|c| c.code == *code),
                None => {
                    code.len() <= LONGEST_CODE
                        && code
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b"./_-".contains(&b))
                }
            };
            known.then(|| code.clone())
        }
        _ => None,
    }
}

fn masked(element: &Element, value: &str, case: &ReleasedCase<'_>, key: &ReleaseKey) -> String {
    if LITERAL_KEYS.contains(&value) {
        return value.to_owned();
    }
    key.within(case.case_id, &element.name, value)
}

/// Days from the origin: earliest and latest possible.
fn days(value: &Value, origin: RecordedDate) -> Option<(i32, i32)> {
    let RecordedDate::Between(first, last) = origin else {
        return None;
    };
    let date = PartialDate::parse(value.as_str()?)?;
    Some((date.first() - last, date.last() - first))
}
