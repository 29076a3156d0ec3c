//! A saved mapping: how the fields and codes of a project built otherwise are called here.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::columns::{Layout, Part, missing_code};
use super::complaint::Complaint;
use super::redcap::{RECORD, administrative, header};
use super::sheet::Sheet;
use crate::record::Absence;

/// In front of the names of columns that are left out.
pub(super) const IGNORED: &str = "ignored: ";

/// A mapping file (TOML).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The project's field with the pseudonym; `record_id` when left out.
    #[serde(default)]
    record: Option<String>,
    /// Version of the case schema the project follows.
    pub schema_version: String,
    /// How the project writes days: `ymd` (2025-06-11), `dmy` or `mdy`, with `-`, `/` or `.` between.
    #[serde(default)]
    dates: DateOrder,
    /// Instruments of the project and the entity each stands for.
    #[serde(default)]
    instruments: BTreeMap<String, String>,
    /// Missing-data codes of the project and the absence code each stands for.
    #[serde(default)]
    absent: BTreeMap<String, String>,
    /// Columns that are left out.
    #[serde(default)]
    ignore: Vec<String>,
    /// The fields.
    #[serde(default, rename = "field")]
    fields: Vec<MappedField>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DateOrder {
    #[default]
    Ymd,
    Dmy,
    Mdy,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MappedField {
    /// The project's field; of a checkbox without `___code`.
    from: String,
    /// `entity.element` of the dictionary.
    to: String,
    /// The project's codes and ours.
    #[serde(default)]
    codes: BTreeMap<String, String>,
    /// Values of this field that stand for an absence code.
    #[serde(default)]
    absent: BTreeMap<String, String>,
}

/// Everything that is wrong with a mapping file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingProblems(pub Vec<String>);

impl fmt::Display for MappingProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for MappingProblems {}

impl Mapping {
    /// Reads a mapping file and checks it against the dictionary of its version.
    ///
    /// # Errors
    /// All problems at once; TOML that cannot be read is one of its own.
    pub fn read(text: &str, layout: &Layout) -> Result<Self, MappingProblems> {
        let mapping: Mapping =
            toml::from_str(text).map_err(|e| MappingProblems(vec![e.to_string().trim().to_owned()]))?;
        let problems = mapping.problems(layout);
        if problems.is_empty() {
            Ok(mapping)
        } else {
            Err(MappingProblems(problems))
        }
    }

    fn problems(&self, layout: &Layout) -> Vec<String> {
        let Some(dictionary) = layout.dictionary(&self.schema_version) else {
            return vec![format!(
                "schema_version: `{}` is no version of this registry",
                self.schema_version
            )];
        };
        let mut problems = Vec::new();
        for (instrument, entity) in &self.instruments {
            if !dictionary.entity(entity).is_some_and(|e| e.repeated()) {
                problems.push(format!(
                    "instruments.{instrument}: `{entity}` is no repeated entity"
                ));
            }
        }
        for (code, absence) in &self.absent {
            if Absence::from_code(absence).is_none() {
                problems.push(format!("absent.{code}: `{absence}` is no absence code"));
            }
        }
        for (n, field) in self.fields.iter().enumerate() {
            let at = format!("field `{}`", field.from);
            let before = self.fields.get(..n).unwrap_or_default();
            if before.iter().any(|f| f.from == field.from) {
                problems.push(format!("{at}: mapped twice"));
            }
            if before.iter().any(|f| f.to == field.to) {
                problems.push(format!(
                    "{at}: `{}` is mapped from another field already",
                    field.to
                ));
            }
            let Some(element) = dictionary.element(&field.to) else {
                problems.push(format!("{at}: the dictionary has no element `{}`", field.to));
                continue;
            };
            for code in field.codes.values() {
                match &element.codes {
                    Some(list) if !list.contains(code) => {
                        problems.push(format!("{at}: `{code}` is not in the code list `{}`", list.name));
                    }
                    _ => {}
                }
            }
            for absence in field.absent.values() {
                match Absence::from_code(absence) {
                    None => problems.push(format!("{at}: `{absence}` is no absence code")),
                    Some(a) if !element.absence.contains(a) => {
                        problems.push(format!("{at}: `{}` does not accept `{absence}`", field.to));
                    }
                    Some(_) => {}
                }
            }
        }
        problems
    }

    /// The table with our names and codes. Lines and columns stay where they are, so that places stay true.
    pub(super) fn translate(
        &self,
        layout: &Layout,
        mut sheet: Sheet,
        shift: u64,
    ) -> Result<Sheet, Vec<Complaint>> {
        let mut names = Vec::new();
        let mut complaints = Vec::new();
        let known = header(layout);
        let record = self.record.as_deref().unwrap_or(RECORD);
        let columns: Vec<Translated<'_>> = sheet
            .header
            .iter()
            .enumerate()
            .map(|(n, name)| {
                let translated = self.column(layout, name, record, &known);
                match &translated {
                    Some(t) => names.push(t.name.clone()),
                    None => {
                        let message =
                            "The mapping does not name this column; map it or list it under `ignore`.";
                        complaints.push(Complaint::new(
                            "unmapped_column",
                            sheet.place(1, Some(n)),
                            message,
                        ));
                    }
                }
                translated.unwrap_or_default()
            })
            .collect();
        let mut bytes = written(names);
        let mut lines = 1;
        sheet.each(&mut complaints, |_, at, row, _| {
            let cells = row
                .iter()
                .zip(&columns)
                .map(|(text, column)| self.cell(column, text));
            // A cell of several lines, or a blank line, moves what is behind it: places have to stay true.
            while lines + 1 < at.line + shift {
                bytes.push(b'\n');
                lines += 1;
            }
            let line = written(cells.collect());
            lines += line.iter().filter(|b| **b == b'\n').count() as u64;
            bytes.extend(line);
        });
        if !complaints.is_empty() {
            return Err(complaints);
        }
        Sheet::open(&sheet.file, bytes, shift)
    }

    fn column<'a>(
        &'a self,
        layout: &Layout,
        name: &str,
        record: &str,
        known: &[String],
    ) -> Option<Translated<'a>> {
        let plain = |name: &str| {
            Some(Translated {
                name: name.to_owned(),
                ..Translated::default()
            })
        };
        if name == record {
            return plain(RECORD);
        }
        if self.ignore.iter().any(|i| i == name)
            || (name.ends_with("_complete") && !known.iter().any(|k| k == name))
        {
            return Some(Translated {
                name: format!("{IGNORED}{name}"),
                ignored: true,
                ..Translated::default()
            });
        }
        let (field, code) = name.split_once("___").map_or((name, None), |(f, c)| (f, Some(c)));
        let Some(mapped) = self.fields.iter().find(|f| f.from == field) else {
            return (administrative(name) || known.iter().any(|k| k == name))
                .then(|| plain(name))
                .flatten();
        };
        let (entity, element) = mapped.to.split_once('.')?;
        let section = layout.section(entity)?;
        let part = match code {
            None => Part::Value,
            Some(code) => {
                let absence = mapped.absent.get(code).or_else(|| self.absent.get(code));
                match absence.and_then(|a| Absence::from_code(a)) {
                    Some(absence) => Part::AbsentFor(absence),
                    None => Part::Holds(mapped.codes.get(code).cloned().unwrap_or_else(|| code.to_owned())),
                }
            }
        };
        let column = section
            .columns
            .iter()
            .find(|c| c.element == element && c.part == part)?;
        Some(Translated {
            name: column.name.clone(),
            field: code.is_none().then_some(mapped),
            date: layout.dictionary(&self.schema_version).is_some_and(|d| {
                d.element(&mapped.to)
                    .is_some_and(|e| e.kind == crate::dictionary::ElementKind::Date)
            }),
            ignored: false,
        })
    }

    fn cell(&self, column: &Translated<'_>, text: &str) -> String {
        if column.ignored || text.is_empty() {
            return String::new();
        }
        if column.name == "redcap_repeat_instrument" {
            return self
                .instruments
                .get(text)
                .cloned()
                .unwrap_or_else(|| text.to_owned());
        }
        let Some(field) = column.field else {
            return text.to_owned();
        };
        let absence = field.absent.get(text).or_else(|| self.absent.get(text));
        if let Some(absence) = absence.and_then(|a| Absence::from_code(a)) {
            return missing_code(absence);
        }
        if let Some(code) = field.codes.get(text) {
            return code.clone();
        }
        if column.date {
            self.date(text)
        } else {
            text.to_owned()
        }
    }

    /// A day or a month in our order; anything else stays as it is and is judged as it is.
    fn date(&self, text: &str) -> String {
        let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
        let year = |part: &str| part.len() == 4;
        match (self.dates, parts.as_slice()) {
            (DateOrder::Dmy, [d, m, y]) | (DateOrder::Mdy, [m, d, y]) if year(y) => {
                format!("{y}-{m:0>2}-{d:0>2}")
            }
            (DateOrder::Dmy | DateOrder::Mdy, [m, y]) if year(y) => format!("{y}-{m:0>2}"),
            _ => text.to_owned(),
        }
    }
}

#[derive(Default)]
struct Translated<'a> {
    name: String,
    field: Option<&'a MappedField>,
    date: bool,
    ignored: bool,
}

fn written(cells: Vec<String>) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let line = csv.write_record(cells).ok().and_then(|()| csv.into_inner().ok());
    // A vector takes everything.
    line.unwrap_or_default()
}
