//! The CSV bundle: one tidy file per entity, rows keyed by case and numbered within it.

use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::cells::{self, Unrepresentable};
use super::columns::{Layout, Section};
use super::complaint::Complaint;
use super::rebuilt::{Head, RawRow, Rebuilt, rebuild};
use super::sheet::{Found, RowAt, Sheet};
use super::{
    ABOUT_THE_CASE, CASE_STATUS, CASE_VERSION, EMPTY_SECTIONS, FlatCase, KEY, KEY_ELEMENT, KEY_ENTITY, ROW,
    VERSION,
};

/// Writes the files of a bundle, one sink per entity.
pub struct BundleWriter<W: Write> {
    layout: Arc<Layout>,
    files: Vec<csv::Writer<W>>,
}

/// Why a case could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The document holds something that no column can.
    #[error(transparent)]
    Unrepresentable(#[from] Unrepresentable),
    /// The sink refuses.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The sink refuses.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl<W: Write> BundleWriter<W> {
    /// Begins the files; `sink` makes one for a file's name (`imaging.csv`). Every file gets its header.
    ///
    /// # Errors
    /// Those of the sinks.
    pub fn begin(layout: Arc<Layout>, mut sink: impl FnMut(&str) -> W) -> Result<Self, WriteError> {
        let mut files = Vec::new();
        for section in &layout.sections {
            let mut file = csv::Writer::from_writer(sink(&format!("{}.csv", section.name)));
            let mut header = vec![KEY];
            header.extend(section.repeated.then_some(ROW));
            header.extend(section.columns.iter().map(|c| c.name.as_str()));
            if section.envelope {
                header.extend(ABOUT_THE_CASE);
            }
            file.write_record(header)?;
            files.push(file);
        }
        Ok(BundleWriter { layout, files })
    }

    /// Adds a case: to all files or, when it cannot be written, to none.
    ///
    /// # Errors
    /// [`WriteError::Unrepresentable`] with the pointer; those of the sinks.
    pub fn add(&mut self, case: FlatCase<'_>) -> Result<(), WriteError> {
        let key = key_of(case.document)?;
        let rows = rows_of(&self.layout, case)?;
        for (section, number, mut cells) in rows {
            let mut line = vec![key.clone()];
            line.extend(number.map(|n| n.to_string()));
            line.append(&mut cells);
            if let Some(file) = self.files.get_mut(section) {
                file.write_record(line)?;
            }
        }
        Ok(())
    }

    /// Ends the files and answers them with their names.
    ///
    /// # Errors
    /// Those of the sinks.
    pub fn finish(self) -> Result<Vec<(String, W)>, WriteError> {
        let names = self.layout.sections.iter().map(|s| format!("{}.csv", s.name));
        names
            .zip(self.files)
            .map(|(name, file)| match file.into_inner() {
                Ok(sink) => Ok((name, sink)),
                Err(error) => Err(WriteError::Io(error.into_error())),
            })
            .collect()
    }
}

pub(super) fn key_of(document: &Value) -> Result<String, Unrepresentable> {
    let key = document.get(KEY_ENTITY).and_then(|e| e.get(KEY_ELEMENT));
    key.and_then(Value::as_str)
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| Unrepresentable {
            pointer: format!("/{KEY_ENTITY}/{KEY_ELEMENT}"),
        })
}

/// Position of the section, number of the row within it, cells.
type FlatRow = (usize, Option<usize>, Vec<String>);

/// The rows of a case. The envelope's cells end with what is said about the case itself ([`ABOUT_THE_CASE`]).
pub(super) fn rows_of(layout: &Layout, case: FlatCase<'_>) -> Result<Vec<FlatRow>, Unrepresentable> {
    let fail = |pointer: String| Unrepresentable { pointer };
    let document = case.document.as_object().ok_or_else(|| fail(String::new()))?;
    let version = document.get(VERSION).and_then(Value::as_str).unwrap_or_default();
    let dictionary = layout
        .dictionary(version)
        .ok_or_else(|| fail(format!("/{VERSION}")))?;
    let known = |key: &str| key == VERSION || layout.section(key).is_some_and(|s| !s.envelope);
    if let Some(stray) = document.keys().find(|key| !known(key)) {
        return Err(fail(format!("/{stray}")));
    }
    let mut rows = Vec::new();
    for (at, section) in layout.sections.iter().enumerate() {
        let name = &section.name;
        if section.envelope {
            let mut cells = envelope_cells(layout, section, case, version)?;
            cells.push(empty_sections(layout, document));
            cells.extend(["version", "status"].map(|name| match case.envelope.get(name) {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            }));
            rows.push((at, None, cells));
            continue;
        }
        let Some(value) = document.get(name) else { continue };
        let entity = dictionary.entity(name).ok_or_else(|| fail(format!("/{name}")))?;
        let within = |place: String| move |e: Unrepresentable| fail(format!("{place}{}", e.pointer));
        match value {
            Value::Null => {}
            Value::Array(list) if section.repeated => {
                for (n, row) in list.iter().enumerate() {
                    let cells = cells::write(layout.style, section, entity, row)
                        .map_err(within(format!("/{name}/{n}")))?;
                    rows.push((at, Some(n + 1), cells));
                }
            }
            Value::Object(object) if !section.repeated => {
                let mut object = object.clone();
                if name == KEY_ENTITY {
                    object.remove(KEY_ELEMENT);
                }
                let cells = cells::write(layout.style, section, entity, &Value::Object(object))
                    .map_err(within(format!("/{name}")))?;
                rows.push((at, None, cells));
            }
            _ => return Err(fail(format!("/{name}"))),
        }
    }
    Ok(rows)
}

fn envelope_cells(
    layout: &Layout,
    section: &Section,
    case: FlatCase<'_>,
    version: &str,
) -> Result<Vec<String>, Unrepresentable> {
    let mut envelope: Map<String, Value> = case.envelope.as_object().cloned().unwrap_or_default();
    envelope.remove("version");
    envelope.remove("status");
    envelope.insert(VERSION.to_owned(), Value::from(version));
    let entity = layout.dictionary(version).and_then(|d| d.entity(&section.name));
    let entity = entity.ok_or_else(|| Unrepresentable {
        pointer: format!("/{VERSION}"),
    })?;
    cells::write(layout.style, section, entity, &Value::Object(envelope))
}

fn empty_sections(layout: &Layout, document: &Map<String, Value>) -> String {
    let empty = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
    };
    let names: Vec<&str> = layout
        .sections
        .iter()
        .map(|s| s.name.as_str())
        .filter(|name| empty(name))
        .collect();
    names.join(" ")
}

/// A file of the bundle with the rows of every case.
struct File {
    sheet: Sheet,
    found: Rc<Found>,
    section: usize,
    rows: HashMap<String, Vec<(u64, RowAt)>>,
}

/// Reads the cases of a bundle, one at a time, in the order of the envelope's file.
pub struct BundleReader {
    layout: Arc<Layout>,
    default_version: String,
    files: Vec<File>,
    envelope: usize,
    cases: Vec<(String, RowAt)>,
    next: usize,
}

impl BundleReader {
    /// Opens a bundle: names and contents of its files. A file without a row may be left out, the envelope's may not.
    /// A case that names no schema version is read by `default_version`.
    ///
    /// # Errors
    /// Everything that is wrong with the files as such: names, headers, lengths of rows, keys. Then nothing is read.
    pub fn open(
        layout: Arc<Layout>,
        default_version: &str,
        contents: Vec<(String, Vec<u8>)>,
    ) -> Result<Self, Vec<Complaint>> {
        let mut complaints = Vec::new();
        let mut files: Vec<File> = Vec::new();
        for (name, bytes) in contents {
            let entity = name.strip_suffix(".csv").unwrap_or(&name);
            let Some(at) = layout.sections.iter().position(|s| s.name == entity) else {
                let place = super::Place {
                    file: name.as_str().into(),
                    line: 1,
                    column: None,
                    name: None,
                };
                complaints.push(Complaint::new("unknown_file", place, "No entity has this name."));
                continue;
            };
            match Sheet::open(&name, bytes, 0) {
                Ok(sheet) => files.extend(index(&layout, at, sheet, &mut complaints)),
                Err(more) => complaints.extend(more),
            }
        }
        let is_envelope = |file: &File| layout.sections.get(file.section).is_some_and(|s| s.envelope);
        let envelope = files.iter().position(is_envelope);
        let Some(envelope) = envelope else {
            if complaints.is_empty() {
                let name = layout
                    .envelope()
                    .map_or_else(String::new, |s| format!("{}.csv", s.name));
                let place = super::Place {
                    file: name.as_str().into(),
                    line: 1,
                    column: None,
                    name: None,
                };
                let message = "The bundle needs this file: a line per case, with its schema version.";
                complaints.push(Complaint::new("missing_file", place, message));
            }
            complaints.sort_by(|a, b| a.place.cmp(&b.place));
            return Err(complaints);
        };
        let mut cases: Vec<(String, RowAt)> = files.get(envelope).map_or_else(Vec::new, |file| {
            let first = |rows: &Vec<(u64, RowAt)>| rows.first().map(|r| r.1);
            let rows = file.rows.iter();
            rows.filter_map(|(key, rows)| Some((key.clone(), first(rows)?)))
                .collect()
        });
        cases.sort_by_key(|(_, at)| at.line);
        complaints.extend(strays(&files, envelope));
        if complaints.is_empty() {
            Ok(BundleReader {
                layout,
                default_version: default_version.to_owned(),
                files,
                envelope,
                cases,
                next: 0,
            })
        } else {
            complaints.sort_by(|a, b| a.place.cmp(&b.place));
            Err(complaints)
        }
    }

    /// How many cases the bundle has.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    fn read(&mut self, patient: String, at: RowAt) -> Rebuilt {
        let layout = Arc::clone(&self.layout);
        let mut rows = Vec::new();
        let mut head = None;
        for (n, file) in self.files.iter_mut().enumerate() {
            let Some(section) = layout.sections.get(file.section) else {
                continue;
            };
            for (number, row) in file.rows.get(&patient).cloned().unwrap_or_default() {
                let record = Rc::new(file.sheet.row(row));
                if n == self.envelope {
                    let text = |name: &str| {
                        let field = file.sheet.field(name);
                        field.and_then(|f| record.get(f)).unwrap_or_default().to_owned()
                    };
                    let version = text(&layout.version_column());
                    head = Some(Head {
                        patient: patient.clone(),
                        version: if version.is_empty() {
                            self.default_version.clone()
                        } else {
                            version
                        },
                        empty: text(EMPTY_SECTIONS),
                        held: text(CASE_VERSION),
                        status: text(CASE_STATUS),
                        place: file.sheet.place(row.line, None),
                    });
                }
                rows.push(RawRow {
                    section,
                    number: section.repeated.then_some(number),
                    file: Arc::clone(&file.sheet.file),
                    line: row.line,
                    record,
                    found: Rc::clone(&file.found),
                });
            }
        }
        let head = head.unwrap_or_else(|| Head {
            patient,
            version: self.default_version.clone(),
            empty: String::new(),
            held: String::new(),
            status: String::new(),
            place: super::Place {
                file: "".into(),
                line: at.line,
                column: None,
                name: None,
            },
        });
        rebuild(&layout, head, rows)
    }
}

impl Iterator for BundleReader {
    type Item = Rebuilt;

    fn next(&mut self) -> Option<Rebuilt> {
        let (patient, at) = self.cases.get(self.next).cloned()?;
        self.next += 1;
        Some(self.read(patient, at))
    }
}

/// Finds the rows of every case in a file; none when the header is not sound.
fn index(layout: &Layout, at: usize, mut sheet: Sheet, complaints: &mut Vec<Complaint>) -> Option<File> {
    let section = layout.sections.get(at)?;
    let before = complaints.len();
    complaints.extend(sheet.unknown_columns(|name| {
        name == KEY
            || (section.repeated && name == ROW)
            || (section.envelope && ABOUT_THE_CASE.contains(&name))
            || section.position(name).is_some()
    }));
    let key = sheet.field(KEY);
    let number = sheet.field(ROW);
    if key.is_none() {
        complaints.push(sheet.missing(KEY));
    }
    if section.repeated && number.is_none() {
        complaints.push(sheet.missing(ROW));
    }
    if complaints.len() > before {
        return None;
    }
    let key = key?;
    let mut rows: HashMap<String, Vec<(u64, RowAt)>> = HashMap::new();
    sheet.each(complaints, |sheet, at, record, complaints| {
        let patient = record.get(key).unwrap_or_default();
        if patient.is_empty() {
            let place = sheet.place(at.line, Some(key));
            complaints.push(Complaint::new("no_key", place, "The row names no case."));
            return;
        }
        let n = match (section.repeated, number) {
            (true, Some(field)) => match record.get(field).and_then(|t| t.parse::<u64>().ok()) {
                Some(n) if n > 0 => n,
                _ => {
                    let place = sheet.place(at.line, Some(field));
                    let message = "Number the rows of a case from 1.";
                    complaints.push(Complaint::new("row_number", place, message));
                    return;
                }
            },
            _ => 1,
        };
        let known = rows.entry(patient.to_owned()).or_default();
        if known.iter().any(|(other, _)| *other == n) {
            let place = sheet.place(at.line, if section.repeated { number } else { Some(key) });
            let message =
                "Another row of the same case has this number, or a case has two rows where it may have one.";
            complaints.push(Complaint::new("row_twice", place, message));
        } else {
            known.push((n, at));
        }
    });
    Some(File {
        found: Rc::new(Found::of(section, &sheet.header)),
        sheet,
        section: at,
        rows,
    })
}

/// Rows of cases that the envelope's file does not have.
fn strays(files: &[File], envelope: usize) -> Vec<Complaint> {
    let Some(cases) = files.get(envelope) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for file in files {
        let unknown = file.rows.iter().filter(|(key, _)| !cases.rows.contains_key(*key));
        for (_, row) in unknown.flat_map(|(_, rows)| rows) {
            let place = file.sheet.place(row.line, file.sheet.field(KEY));
            let message = format!("The case of this row has no line in {}.", cases.sheet.file);
            found.push(Complaint::new("unknown_case", place, message));
        }
    }
    found
}
