//! One CSV file: held as bytes, checked once, its rows read again where they are wanted.

use std::io::Cursor;
use std::sync::Arc;

use csv::{Position, Reader, ReaderBuilder, StringRecord};

use super::columns::Section;
use super::complaint::{Complaint, Place};

/// Where a row begins, and its line.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowAt {
    byte: u64,
    pub(super) line: u64,
}

/// A file whose header and row lengths are sound.
pub(super) struct Sheet {
    pub(super) file: Arc<str>,
    pub(super) header: Vec<String>,
    reader: Reader<Cursor<Vec<u8>>>,
    /// Lines in front that the file itself does not have.
    shift: u64,
}

/// The columns of a section in a file.
#[derive(Debug)]
pub(super) struct Found {
    /// For every column of the section its field in the file.
    pub(super) fields: Vec<Option<usize>>,
    /// Element, field and name of every column that is there.
    pub(super) named: Vec<(String, usize, String)>,
}

impl Found {
    pub(super) fn of(section: &Section, header: &[String]) -> Self {
        let fields: Vec<Option<usize>> = section
            .columns
            .iter()
            .map(|c| header.iter().position(|h| *h == c.name))
            .collect();
        let named = section
            .columns
            .iter()
            .zip(&fields)
            .filter_map(|(c, field)| Some((c.element.clone(), (*field)?, c.name.clone())))
            .collect();
        Found { fields, named }
    }
}

impl Sheet {
    /// Opens a file.
    ///
    /// # Errors
    /// Bytes that are not UTF-8, no header, semicolons instead of commas, a column twice.
    pub(super) fn open(file: &str, mut bytes: Vec<u8>, shift: u64) -> Result<Self, Vec<Complaint>> {
        let file: Arc<str> = file.into();
        let place = |line: u64, column: Option<usize>, name: Option<&str>| Place {
            file: Arc::clone(&file),
            line,
            column,
            name: name.map(str::to_owned),
        };
        if let Err(error) = std::str::from_utf8(&bytes) {
            let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + sound.iter().filter(|b| **b == b'\n').count() as u64;
            let start = sound.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let column = 1 + sound.iter().skip(start).filter(|b| **b == b',').count();
            return Err(vec![Complaint::new(
                "not_utf8",
                place(line, Some(column), None),
                "The file is not UTF-8 (Latin-1 or Windows-1252, perhaps): save it as `CSV UTF-8`.",
            )]);
        }
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(Cursor::new(bytes));
        let mut first = StringRecord::new();
        let any = reader.read_record(&mut first).unwrap_or(false);
        let header: Vec<String> = first.iter().map(|h| h.trim().to_owned()).collect();
        if !any || header.iter().all(String::is_empty) {
            return Err(vec![Complaint::new(
                "no_header",
                place(1, None, None),
                "The file needs a first line with the names of its columns.",
            )]);
        }
        if let [only] = header.as_slice()
            && only.contains(';')
        {
            return Err(vec![Complaint::new(
                "semicolons",
                place(1, Some(1), None),
                "The columns are separated by semicolons: save the file with commas.",
            )]);
        }
        let twice: Vec<Complaint> = header
            .iter()
            .enumerate()
            .filter(|(n, name)| header.iter().take(*n).any(|h| h == *name))
            .map(|(n, name)| {
                let place = place(1, Some(n + 1), Some(name));
                Complaint::new("column_twice", place, "Two columns have this name.")
            })
            .collect();
        if twice.is_empty() {
            Ok(Sheet {
                file,
                header,
                reader,
                shift,
            })
        } else {
            Err(twice)
        }
    }

    /// A place in this file.
    pub(super) fn place(&self, line: u64, field: Option<usize>) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
            column: field.map(|f| f + 1),
            name: field.and_then(|f| self.header.get(f)).cloned(),
        }
    }

    /// The field of the column of this name.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    /// A complaint for a column that has to be there and is not.
    pub(super) fn missing(&self, name: &str) -> Complaint {
        let mut place = self.place(1, None);
        place.name = Some(name.to_owned());
        Complaint::new(
            "missing_column",
            place,
            format!("The header has no column `{name}`."),
        )
    }

    /// A complaint for every column `known` does not know.
    pub(super) fn unknown_columns(&self, known: impl Fn(&str) -> bool) -> Vec<Complaint> {
        let unknown = self.header.iter().enumerate().filter(|(_, name)| !known(name));
        unknown
            .map(|(n, _)| {
                let message = "No such column; the dictionary lists the elements of every entity.";
                Complaint::new("unknown_column", self.place(1, Some(n)), message)
            })
            .collect()
    }

    /// Goes through all rows once. A row with too few or too many cells becomes a complaint.
    pub(super) fn each(
        &mut self,
        complaints: &mut Vec<Complaint>,
        mut visit: impl FnMut(&Self, RowAt, &StringRecord, &mut Vec<Complaint>),
    ) {
        let mut start = Position::new();
        start.set_line(1);
        let mut record = StringRecord::new();
        if self.reader.seek(start).is_err() || !self.reader.read_record(&mut record).unwrap_or(false) {
            return;
        }
        let (mut counted, mut line) = (0_usize, 1_u64);
        loop {
            let byte = self.reader.position().byte();
            match self.reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            }
            let bytes = self.reader.get_ref().get_ref();
            // The line ends between two records belong to neither.
            let from = usize::try_from(byte).unwrap_or(usize::MAX);
            let blank = bytes.iter().skip(from).take_while(|b| matches!(b, b'\r' | b'\n'));
            let begins = from + blank.count();
            let passed = bytes.get(counted..begins).unwrap_or_default();
            line += passed.iter().filter(|b| **b == b'\n').count() as u64;
            counted = begins;
            let at = RowAt {
                byte,
                line: line - self.shift.min(line - 1),
            };
            let (have, want) = (record.len(), self.header.len());
            if have == want {
                visit(self, at, &record, complaints);
            } else {
                let message = format!(
                    "The line has {have} cells, the header {want}: half a row, or a quote that is not closed."
                );
                complaints.push(Complaint::new(
                    "row_length",
                    self.place(at.line, Some(have.min(want))),
                    message,
                ));
            }
        }
    }

    /// The row that begins there.
    pub(super) fn row(&mut self, at: RowAt) -> StringRecord {
        let mut position = Position::new();
        position.set_byte(at.byte).set_line(at.line);
        let mut record = StringRecord::new();
        // The rows were read once already, from the same bytes.
        if self.reader.seek(position).is_ok() {
            let read = self.reader.read_record(&mut record);
            debug_assert!(read.is_ok_and(|any| any), "a row read before is read again");
        }
        record
    }
}
