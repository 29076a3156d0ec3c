//! A table as Excel opens it without being told how: byte order mark, semicolons, and no field that it would take for a formula.
//!
//! Not what a release holds: the file in the bundle, with its digest, stays plain CSV.

use std::io::{self, Read};

/// The byte order mark that makes Excel read UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// What begins a formula, or a field that hides one (OWASP, CSV injection).
const FORMULA: [u8; 6] = [b'=', b'+', b'-', b'@', b'\t', b'\r'];

/// Reads a plain CSV file as one for Excel, row by row.
pub struct Excel<R> {
    rows: csv::Reader<R>,
    row: csv::ByteRecord,
    ready: Vec<u8>,
    from: usize,
}

impl<R: Read> Excel<R> {
    /// From a file in UTF-8 with commas, header first.
    pub fn new(plain: R) -> Self {
        Self {
            rows: csv::ReaderBuilder::new().has_headers(false).from_reader(plain),
            row: csv::ByteRecord::new(),
            ready: MARK.to_vec(),
            from: 0,
        }
    }

    /// The next row; none at the end.
    fn next_row(&mut self) -> io::Result<bool> {
        if !self
            .rows
            .read_byte_record(&mut self.row)
            .map_err(io::Error::other)?
        {
            return Ok(false);
        }
        self.ready.clear();
        self.from = 0;
        let mut writer = csv::WriterBuilder::new()
            .delimiter(b';')
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut self.ready);
        for field in &self.row {
            if harmless(field) {
                writer.write_field(field).map_err(io::Error::other)?;
            } else {
                let guarded = [b"'", field].concat();
                writer.write_field(guarded).map_err(io::Error::other)?;
            }
        }
        writer.write_record(None::<&[u8]>).map_err(io::Error::other)?;
        writer.flush()?;
        Ok(true)
    }
}

/// A number is one, with a sign as well.
fn harmless(field: &[u8]) -> bool {
    let number =
        || std::str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
    field.first().is_none_or(|first| !FORMULA.contains(first)) || number()
}

impl<R: Read> Read for Excel<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.from == self.ready.len() {
            if buffer.is_empty() || !self.next_row()? {
                return Ok(0);
            }
        }
        let left = self.ready.get(self.from..).unwrap_or_default();
        let n = left.len().min(buffer.len());
        buffer[..n].copy_from_slice(&left[..n]);
        self.from += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_semicolons_and_no_formula() {
        let plain = "patient_id,day,words\r\nP1,-12,=HYPERLINK(\"x\")\r\nP2,+3.5,a; b\r\nP3,,\"-1, or @home\"\r\nP4,-,@home\r\n";
        let expected = "\u{feff}patient_id;day;words\r\nP1;-12;\"'=HYPERLINK(\"\"x\"\")\"\r\nP2;+3.5;\"a; b\"\r\nP3;;'-1, or @home\r\nP4;'-;'@home\r\n";
        let mut all = String::new();
        Excel::new(plain.as_bytes()).read_to_string(&mut all).unwrap();
        assert_eq!(all, expected);
        // Through a small buffer the same.
        let mut excel = Excel::new(plain.as_bytes());
        let (mut bytes, mut few) = (Vec::new(), [0; 3]);
        loop {
            match excel.read(&mut few).unwrap() {
                0 => break,
                n => bytes.extend_from_slice(&few[..n]),
            }
        }
        assert_eq!(bytes, expected.as_bytes());
    }
}
