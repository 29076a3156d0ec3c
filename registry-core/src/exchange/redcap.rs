//! REDCap's flat export, CSV and JSON: one table, an instrument per entity, repeating ones for lists.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::bundle::{WriteError, key_of, rows_of};
use super::columns::{Layout, Section};
use super::complaint::{Complaint, Place};
use super::mapping::{IGNORED, Mapping};
use super::rebuilt::{Head, RawRow, Rebuilt, rebuild};
use super::redcap_table::{INSTANCE, RedcapFormat, RedcapTable};
use super::sheet::{Found, RowAt, Sheet};
use super::{ABOUT_THE_CASE, FlatCase};
use crate::intake;

/// First column: the record.
pub(super) const RECORD: &str = "record_id";
const EVENT: &str = "redcap_event_name";
const INSTRUMENT: &str = "redcap_repeat_instrument";
const GROUP: &str = "redcap_data_access_group";

/// Fields about the case itself, on the envelope's form: the sections it sends as empty lists, its version, its status.
pub(super) fn about_the_case(layout: &Layout) -> [String; 3] {
    let envelope = layout.envelope().map_or("", |s| s.name.as_str());
    // REDCap squeezes double underscores out of a field's name.
    ABOUT_THE_CASE.map(|name| format!("{envelope}_{}", name.replace("__", "_")))
}

fn complete(section: &Section) -> String {
    format!("{}_complete", section.name)
}

/// Every column of the table, in order.
pub(super) fn header(layout: &Layout) -> Vec<String> {
    let mut header: Vec<String> = [RECORD, INSTRUMENT, INSTANCE, GROUP].map(str::to_owned).into();
    for section in &layout.sections {
        header.extend(section.columns.iter().map(|c| c.name.clone()));
        if section.envelope {
            header.extend(about_the_case(layout));
        }
        header.push(complete(section));
    }
    header
}

/// Writes the table.
pub struct RedcapWriter<W: Write> {
    layout: Arc<Layout>,
    table: RedcapTable<W>,
}

impl<W: Write> RedcapWriter<W> {
    /// Begins the table. `layout` is one of [`Style::Redcap`](super::Style::Redcap).
    ///
    /// # Errors
    /// Those of the sink.
    pub fn begin(layout: Arc<Layout>, format: RedcapFormat, sink: W) -> Result<Self, WriteError> {
        let table = RedcapTable::begin(format, header(&layout), sink)?;
        Ok(RedcapWriter { layout, table })
    }

    /// Adds a case: one line for everything that does not repeat, one for every row of a list.
    ///
    /// # Errors
    /// [`WriteError::Unrepresentable`] with the pointer; those of the sink.
    pub fn add(&mut self, case: FlatCase<'_>) -> Result<(), WriteError> {
        let key = key_of(case.document)?;
        let mut once = Vec::new();
        let mut lines = Vec::new();
        for (at, number, cells) in rows_of(&self.layout, case)? {
            match number {
                None => once.push((at, cells)),
                Some(n) => lines.push((Some(n), vec![(at, cells)])),
            }
        }
        lines.insert(0, (None, once));
        for (number, parts) in lines {
            let line = self.line(&key, case.centre, number, &parts);
            self.table.row(&line)?;
        }
        Ok(())
    }

    fn line(
        &self,
        key: &str,
        group: &str,
        number: Option<usize>,
        parts: &[(usize, Vec<String>)],
    ) -> Vec<String> {
        let instrument = number
            .and(parts.first())
            .and_then(|(at, _)| self.layout.sections.get(*at));
        let mut line = vec![
            key.to_owned(),
            instrument.map_or_else(String::new, |s| s.name.clone()),
            number.map_or_else(String::new, |n| n.to_string()),
            group.to_ascii_lowercase(),
        ];
        for (at, section) in self.layout.sections.iter().enumerate() {
            let width = section.columns.len() + if section.envelope { ABOUT_THE_CASE.len() } else { 0 };
            match parts.iter().find(|(n, _)| *n == at) {
                Some((_, cells)) => {
                    line.extend(cells.iter().cloned());
                    line.push("2".to_owned());
                }
                None => line.extend(std::iter::repeat_n(String::new(), width + 1)),
            }
        }
        line
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.table.finish()?)
    }
}

/// The lines of a record.
#[derive(Default)]
struct Lines {
    once: Vec<RowAt>,
    repeated: Vec<(usize, u64, RowAt)>,
}

/// Reads the cases of a table, one at a time, in the order of their first lines.
pub struct RedcapReader {
    layout: Arc<Layout>,
    default_version: String,
    sheet: Sheet,
    found: Vec<Rc<Found>>,
    records: Vec<(String, Lines)>,
    next: usize,
}

impl RedcapReader {
    /// Opens a table, translated by `mapping` first when the project was built otherwise. A record that names no schema
    /// version is read by `default_version`.
    ///
    /// # Errors
    /// Everything that is wrong with the table as such; then nothing is read.
    pub fn open(
        layout: Arc<Layout>,
        default_version: &str,
        format: RedcapFormat,
        mapping: Option<&Mapping>,
        file: &str,
        bytes: Vec<u8>,
    ) -> Result<Self, Vec<Complaint>> {
        let (bytes, shift) = match format {
            RedcapFormat::Csv => (bytes, 0),
            RedcapFormat::Json => (table(file, &bytes)?, 1),
        };
        let sheet = Sheet::open(file, bytes, shift)?;
        let mut sheet = match mapping {
            Some(mapping) => mapping.translate(&layout, sheet, shift)?,
            None => sheet,
        };
        let known: BTreeSet<String> = header(&layout).into_iter().collect();
        let mut complaints =
            sheet.unknown_columns(|name| name == EVENT || name.starts_with(IGNORED) || known.contains(name));
        if sheet.field(RECORD).is_none() {
            complaints.push(sheet.missing(RECORD));
            return Err(complaints);
        }
        let records = records(&layout, &mut sheet, &mut complaints);
        if !complaints.is_empty() {
            complaints.sort_by(|a, b| a.place.cmp(&b.place));
            return Err(complaints);
        }
        let found = layout
            .sections
            .iter()
            .map(|s| Rc::new(Found::of(s, &sheet.header)))
            .collect();
        Ok(RedcapReader {
            layout,
            default_version: mapping.map_or(default_version, |m| &m.schema_version).to_owned(),
            sheet,
            found,
            records,
            next: 0,
        })
    }

    /// How many cases the table has.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn read(&mut self, n: usize) -> Option<Rebuilt> {
        let layout = Arc::clone(&self.layout);
        let (patient, lines) = self.records.get(n)?;
        let mut rows = Vec::new();
        let mut head = Head {
            patient: patient.clone(),
            version: self.default_version.clone(),
            empty: String::new(),
            held: String::new(),
            status: String::new(),
            place: self.sheet.place(1, None),
        };
        for at in &lines.once {
            let record = Rc::new(self.sheet.row(*at));
            let text = |name: &str| {
                let field = self.sheet.field(name);
                field.and_then(|f| record.get(f)).unwrap_or_default()
            };
            head.place = self.sheet.place(at.line, None);
            [head.empty, head.held, head.status] =
                about_the_case(&layout).map(|field| text(&field).to_owned());
            let version = text(&layout.version_column());
            if !version.is_empty() {
                head.version = version.to_owned();
            }
            for (section, found) in layout.sections.iter().zip(&self.found) {
                let filled = |f: &usize| record.get(*f).is_some_and(|t| !t.is_empty());
                // A box that is not ticked is exported as 0, on forms nobody opened too.
                let said = found
                    .named
                    .iter()
                    .any(|(_, f, name)| filled(f) && !(name.contains("___") && record.get(*f) == Some("0")));
                let saved = matches!(text(&complete(section)), "1" | "2");
                if section.envelope
                    || (!section.repeated && (said || saved || section.name == super::KEY_ENTITY))
                {
                    rows.push(RawRow {
                        section,
                        number: None,
                        file: Arc::clone(&self.sheet.file),
                        line: at.line,
                        record: Rc::clone(&record),
                        found: Rc::clone(found),
                    });
                }
            }
        }
        for (section, number, at) in &lines.repeated {
            let (Some(found), Some(section)) = (self.found.get(*section), layout.sections.get(*section))
            else {
                continue;
            };
            rows.push(RawRow {
                section,
                number: Some(*number),
                file: Arc::clone(&self.sheet.file),
                line: at.line,
                record: Rc::new(self.sheet.row(*at)),
                found: Rc::clone(found),
            });
        }
        Some(rebuild(&layout, head, rows))
    }
}

impl Iterator for RedcapReader {
    type Item = Rebuilt;

    fn next(&mut self) -> Option<Rebuilt> {
        let n = self.next;
        self.next += 1;
        self.read(n)
    }
}

/// Sorts the lines into records.
fn records(layout: &Layout, sheet: &mut Sheet, complaints: &mut Vec<Complaint>) -> Vec<(String, Lines)> {
    let (key, instrument) = (sheet.field(RECORD), sheet.field(INSTRUMENT));
    let (instance, group) = (sheet.field(INSTANCE), sheet.field(GROUP));
    let mut order: Vec<(String, Lines)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let event = sheet.field(EVENT);
    let (mut first_group, mut first_event): (Option<String>, Option<String>) = (None, None);
    let mut longitudinal = false;
    sheet.each(complaints, |sheet, at, record, complaints| {
        let text = |field: Option<usize>| field.and_then(|f| record.get(f)).unwrap_or_default();
        let mut complain = |code, field, message: &str| {
            complaints.push(Complaint::new(code, sheet.place(at.line, field), message));
        };
        let patient = text(key);
        if patient.is_empty() {
            return complain("no_key", key, "The line names no record.");
        }
        if !text(group).is_empty() && first_group.get_or_insert_with(|| text(group).to_owned()) != text(group)
        {
            complain(
                "two_groups",
                group,
                "A table of several data access groups: export one centre at a time.",
            );
        }
        if !text(event).is_empty() && first_event.get_or_insert_with(|| text(event).to_owned()) != text(event) {
            // Said once: every further line of the project would say it again.
            if !longitudinal {
                complain(
                    "several_events",
                    event,
                    "The project is longitudinal: its lines belong to several events, and a case here has none. Export one event at a \
                     time, or build the project from this registry's data dictionary, where visits are rows of repeating instruments.",
                );
            }
            longitudinal = true;
            return;
        }
        let n = *known.entry(patient.to_owned()).or_insert_with(|| {
            order.push((patient.to_owned(), Lines::default()));
            order.len() - 1
        });
        let Some((_, lines)) = order.get_mut(n) else {
            return;
        };
        if text(instrument).is_empty() {
            if lines.once.is_empty() {
                lines.once.push(at);
            } else {
                complain(
                    "row_twice",
                    key,
                    "The record has another line that does not repeat.",
                );
            }
            return;
        }
        let named = |s: &Section| s.repeated && s.name == text(instrument);
        let Some(section) = layout.sections.iter().position(named) else {
            return complain(
                "unknown_instrument",
                instrument,
                "No repeated entity has this name.",
            );
        };
        let Some(number) = text(instance).parse::<u64>().ok().filter(|n| *n > 0) else {
            return complain("row_number", instance, "Number the instances of a record from 1.");
        };
        if lines
            .repeated
            .iter()
            .any(|(s, n, _)| (*s, *n) == (section, number))
        {
            return complain(
                "row_twice",
                instance,
                "Another line of the same record has this instance.",
            );
        }
        lines.repeated.push((section, number, at));
    });
    for (_, lines) in &order {
        if let (true, Some((.., at))) = (lines.once.is_empty(), lines.repeated.first()) {
            let message = "The record of this line has no line without a repeating instrument.";
            complaints.push(Complaint::new("unknown_case", sheet.place(at.line, key), message));
        }
    }
    order
}

/// Bytes below which a JSON export may hold as many values as one of these.
const USUAL_BYTES: usize = 64 * 1024 * 1024;
/// Most items of a JSON export.
const MOST_ITEMS: usize = 1_000_000;
/// Most cells of a JSON export: items times all their columns. 10,000 flat records with 2,000 columns.
const MOST_CELLS: usize = 20_000_000;

/// The items of a JSON export as a CSV table whose line n + 1 is item n.
fn table(file: &str, bytes: &[u8]) -> Result<Vec<u8>, Vec<Complaint>> {
    let place = |line: u64, name: Option<&String>| Place {
        file: file.into(),
        line,
        column: None,
        name: name.cloned(),
    };
    let one = |code, line, message: &str| vec![Complaint::new(code, place(line, None), message)];
    let limits = intake::Limits {
        any_text: true,
        max_items: MOST_ITEMS,
        ..intake::Limits::bytes(bytes.len().max(USUAL_BYTES))
    };
    let read = intake::parse(bytes, &limits);
    let read = read.map_err(|error| one(error.code, error.line as u64, &error.message))?;
    let items: Vec<Map<String, Value>> = serde_json::from_value(read).map_err(|_| {
        let message = "The file is not a JSON array of flat objects.";
        one("not_json", 1, message)
    })?;
    let mut header: Vec<&String> = Vec::new();
    let mut seen = BTreeSet::new();
    for key in items.iter().flat_map(Map::keys) {
        if seen.insert(key) {
            header.push(key);
        }
    }
    if header.len().saturating_mul(items.len()) > MOST_CELLS {
        let message =
            "The file has more than 20,000,000 cells (items times columns): send it in parts, or as CSV.";
        return Err(one("too_many_cells", 1, message));
    }
    let mut complaints = Vec::new();
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut written = csv.write_record(&header);
    for (n, item) in items.iter().enumerate() {
        let line = header.iter().map(|name| match item.get(*name) {
            None | Some(Value::Null) => String::new(),
            // A line break would move every line behind it; the cell is refused for the break all the same.
            Some(Value::String(text)) => text.replace(['\n', '\r'], "\t"),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Array(_) | Value::Object(_)) => {
                let place = place(n as u64 + 1, Some(*name));
                let message = "A flat export holds texts and numbers only.";
                complaints.push(Complaint::new("not_flat", place, message));
                String::new()
            }
        });
        let line: Vec<String> = line.collect();
        written = written.and_then(|()| csv.write_record(line));
    }
    if !complaints.is_empty() {
        return Err(complaints);
    }
    written
        .map_err(|_| ())
        .and_then(|()| csv.into_inner().map_err(|_| ()))
        .map_err(|()| one("not_json", 1, "The file cannot be read as a table."))
}

/// Whether a column is one of REDCap's own and not a field.
pub(super) fn administrative(name: &str) -> bool {
    [RECORD, EVENT, INSTRUMENT, INSTANCE, GROUP].contains(&name)
}
