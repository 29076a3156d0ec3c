//! Rows of a case in the entity files.

use super::columns::{Column, Field};
use super::deidentify::{Rules, YEARS};
use super::projection::Approved;
use super::pseudonyms::ReleaseKey;
use super::rows::Rows;
use super::spool::Spool;
use super::table::{FinishedTable, Table};
use super::{ReleaseError, columns, projection};
use crate::cohorts::{RecordedDate, days_between};
use crate::measures::CaseEvaluation;
use registry_core::dictionary::{Dictionary, Element, Entity};
use registry_core::record::{Absence, PartialDate};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Keys that mean the same in every record and are no text of a centre.
const LITERAL_KEYS: [&str; 1] = ["primary"];

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
    /// As it is told: masked, or by its id.
    pub(super) centre: String,
    pub(super) case_id: &'a str,
    /// The document with its derived elements.
    pub(super) document: Value,
    /// Metastatic diagnosis: day 0.
    pub(super) origin: RecordedDate,
    /// What the run made of it.
    pub(super) evaluation: CaseEvaluation,
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

    /// Adds the rows of some cases.
    pub(super) fn add(&mut self, cases: &[ReleasedCase<'_>], key: &ReleaseKey) -> Result<(), ReleaseError> {
        let Self { entity, table, .. } = self;
        let written = Columns {
            entity,
            columns: &self.columns,
            rules: self.rules,
            calendar: self.calendar,
            key,
        };
        table.each(cases, |case, rows| written.case(case, rows))
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        self.table.finish()
    }
}

/// How the rows of an entity are written.
struct Columns<'a> {
    entity: &'a Entity,
    columns: &'a [Column],
    rules: &'a Rules,
    calendar: bool,
    key: &'a ReleaseKey,
}

impl Columns<'_> {
    fn case(&self, case: &ReleasedCase<'_>, into: &mut Rows) -> Result<(), ReleaseError> {
        match case.document.get(&self.entity.name) {
            Some(Value::Array(rows)) if self.entity.repeated() => {
                for (at, row) in rows.iter().enumerate() {
                    self.row(case, row, Some(at + 1), into)?;
                }
                Ok(())
            }
            Some(row @ Value::Object(_)) if !self.entity.repeated() => self.row(case, row, None, into),
            _ => Ok(()),
        }
    }

    fn row(
        &self,
        case: &ReleasedCase<'_>,
        row: &Value,
        number: Option<usize>,
        into: &mut Rows,
    ) -> Result<(), ReleaseError> {
        into.field(case.patient);
        if self.entity.name == "patient" {
            into.field(&case.centre);
        }
        if self.calendar {
            into.field(case.years.as_deref().unwrap_or_default());
        }
        if let Some(number) = number {
            into.integer(number);
        }
        for column in self.columns {
            let Some(element) = self.entity.elements.get(column.element) else {
                continue;
            };
            let value = row.get(&element.name).unwrap_or(&Value::Null);
            let field = match column.field {
                Field::Value if let Value::Number(value) = value => {
                    sent_number(value, into);
                    continue;
                }
                Field::Age => projection::age(value.as_i64(), case.origin, self.rules).map(Cow::Owned),
                ref field => text(field, element, value, case, self.key),
            };
            into.field(field.as_deref().unwrap_or_default());
        }
        into.end()
    }
}

/// As it was sent.
fn sent_number(value: &Number, into: &mut Rows) {
    match (value.as_i64(), value.as_f64()) {
        (Some(whole), _) => into.integer(whole),
        (None, Some(value)) => into.number(value),
        (None, None) => into.field(value.to_string()),
    }
}

/// The text of a column; `None` where there is nothing to say.
pub(super) fn text<'v>(
    field: &Field,
    element: &'v Element,
    value: &'v Value,
    case: &ReleasedCase<'_>,
    key: &ReleaseKey,
) -> Option<Cow<'v, str>> {
    if *field == Field::Absent {
        let code = value.get("absent")?.as_str()?;
        return Absence::from_code(code).map(|absence| absence.as_str().into());
    }
    match field {
        Field::Value => plain(element, value),
        Field::Label => Some(match plain(element, value)? {
            Cow::Borrowed(code) => words(element, code).into(),
            Cow::Owned(code) => words(element, &code).to_owned().into(),
        }),
        Field::Holds(code) => {
            let members = value.as_array()?;
            Some(truth(members.iter().any(|m| m.as_str() == Some(code))).into())
        }
        Field::Key => match value {
            Value::String(one) => Some(masked(element, one, case, key).into()),
            Value::Array(many) => {
                let keys: Vec<String> = many
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|k| masked(element, k, case, key))
                    .collect();
                Some(keys.join(";").into())
            }
            _ => None,
        },
        Field::DayMin => days(value, case.origin).map(|d| d.0.to_string().into()),
        Field::DayMax => days(value, case.origin).map(|d| d.1.to_string().into()),
        Field::Precision => {
            let text = value.as_str().filter(|t| PartialDate::parse(t).is_some())?;
            Some(Cow::Borrowed(match text.len() {
                4 => "year",
                7 => "month",
                _ => "day",
            }))
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

pub(super) fn truth(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

/// A value that cannot be free text: a number, TRUE or FALSE, a code of its list, or one spelled as those of ICD-O and ICD-10 are.
fn plain<'v>(element: &Element, value: &'v Value) -> Option<Cow<'v, str>> {
    match value {
        Value::Bool(value) => Some(truth(*value).into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::String(code) => {
            let known = match &element.codes {
                Some(list) => list.codes.iter().any(|c| c.code == *code),
                None => is_classified(code),
            };
            known.then(|| code.as_str().into())
        }
        _ => None,
    }
}

/// Whether a text is spelled as a code of ICD-O or ICD-10: `8858/3`, `C48.0`, `C50`. A centre may have sent anything else in its place.
fn is_classified(code: &str) -> bool {
    let digits = |text: &str, lengths: RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    // Four digits alone would be a year.
    if let Some((morphology, behaviour)) = code.split_once('/') {
        return digits(morphology, 4..=4) && digits(behaviour, 1..=1);
    }
    let Some(site) = code.strip_prefix(|letter: char| letter.is_ascii_uppercase()) else {
        return false;
    };
    let (group, detail) = site.split_once('.').unwrap_or((site, "0"));
    digits(group, 2..=2) && digits(detail, 1..=2)
}

fn masked(element: &Element, value: &str, case: &ReleasedCase<'_>, key: &ReleaseKey) -> String {
    if LITERAL_KEYS.contains(&value) {
        return value.to_owned();
    }
    key.within(case.case_id, &element.name, value)
}

/// Days from the origin: earliest and latest possible, nothing of the calendar.
fn days(value: &Value, origin: RecordedDate) -> Option<(i32, i32)> {
    let RecordedDate::Between(first, last) = origin else {
        return None;
    };
    let date = PartialDate::parse(value.as_str()?)?;
    days_between((first, last), (date.first(), date.last()))
}

#[cfg(test)]
mod tests {
    use super::is_classified;

    #[test]
    fn codes_of_classifications_are_told_from_words() {
        for code in ["8858/3", "8890/0", "C48.0", "C50", "C50.11"] {
            assert!(is_classified(code), "{code}");
        }
        let others = [
            "CANARYzq7",
            "Smith",
            "1960-03-02",
            "88903",
            "8858/",
            "1961",
            "1961/03",
            "1961.03",
            "C48/0",
            "C48.",
            "C4",
            "c48.0",
            "C48.012",
            "C48.0.1",
            "",
        ];
        for text in others {
            assert!(!is_classified(text), "{text}");
        }
    }
}
