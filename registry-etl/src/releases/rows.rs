//! Rows of a table as text: comma, CRLF, quoted where it has to be (RFC 4180). Many are encoded over all cores and joined in order.
//!
//! The same bytes as the `csv` crate's writer (a property test holds them side by side), which takes twice the time: it goes through every
//! field byte by byte, numbers too.

use rayon::prelude::*;

use super::ReleaseError;

/// Items whose rows are encoded together by one thread.
const SHARE: usize = 64;

/// Bytes of a field there is room for from the start: more than most take, so that rows are rarely moved while they grow.
const FIELD: usize = 8;

/// Rows on their way into a table, each with as many fields as it has columns.
pub struct Rows {
    bytes: Vec<u8>,
    columns: usize,
    /// Fields of the row that is not ended yet, and where it begins.
    fields: usize,
    begins: usize,
    rows: u64,
}

/// Rows as bytes, and how many they are.
pub(super) type Encoded = (Vec<u8>, u64);

impl Rows {
    pub(super) fn of(columns: usize) -> Self {
        Self {
            bytes: Vec::new(),
            columns,
            fields: 0,
            begins: 0,
            rows: 0,
        }
    }

    /// Adds a field to the row.
    pub fn field(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        self.delimit();
        if !text
            .iter()
            .any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n'))
        {
            return self.bytes.extend_from_slice(text);
        }
        self.bytes.push(b'"');
        for part in text.split_inclusive(|byte| *byte == b'"') {
            self.bytes.extend_from_slice(part);
            if part.ends_with(b"\"") {
                self.bytes.push(b'"');
            }
        }
        self.bytes.push(b'"');
    }

    /// Adds a whole number.
    pub fn integer(&mut self, value: impl itoa::Integer) {
        self.delimit();
        self.bytes
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Adds a number, with the digits that are needed to read it back (and `.0` for a whole one), as JSON has it.
    pub fn number(&mut self, value: f64) {
        self.delimit();
        self.bytes
            .extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }

    fn delimit(&mut self) {
        if self.fields > 0 {
            self.bytes.push(b',');
        }
        self.fields += 1;
    }

    /// Ends the row.
    ///
    /// # Errors
    /// [`ReleaseError::Fields`] for a row with another number of fields than the table has columns.
    pub fn end(&mut self) -> Result<(), ReleaseError> {
        if self.fields != self.columns {
            return Err(ReleaseError::Fields(self.fields, self.columns));
        }
        // A row of one empty field would read as no row.
        if self.bytes.len() == self.begins {
            self.bytes.extend_from_slice(b"\"\"");
        }
        self.bytes.extend_from_slice(b"\r\n");
        (self.fields, self.begins) = (0, self.bytes.len());
        self.rows += 1;
        Ok(())
    }

    /// A whole row.
    ///
    /// # Errors
    /// As [`Rows::end`].
    pub fn row<T: AsRef<[u8]>>(&mut self, fields: impl IntoIterator<Item = T>) -> Result<(), ReleaseError> {
        for field in fields {
            self.field(field);
        }
        self.end()
    }

    /// Bytes that are held.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// What has been encoded since it was taken last.
    pub(super) fn take(&mut self) -> Encoded {
        let full = std::mem::replace(self, Self::of(self.columns));
        (full.bytes, full.rows)
    }
}

/// The rows of many items over all cores, in the order of the items.
pub(super) fn encoded<T: Sync>(
    items: &[T],
    columns: usize,
    encode: impl Fn(&T, &mut Rows) -> Result<(), ReleaseError> + Sync,
) -> Result<Vec<Encoded>, ReleaseError> {
    let share = |some: &[T]| -> Result<Encoded, ReleaseError> {
        let mut rows = Rows::of(columns);
        rows.bytes.reserve(some.len() * columns * FIELD);
        for item in some {
            encode(item, &mut rows)?;
        }
        Ok(rows.take())
    };
    items.par_chunks(SHARE).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_the_library(rows: &[Vec<String>]) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        writer.into_inner().unwrap()
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_the_csv_crate(
            rows in (1usize..4).prop_flat_map(|columns| {
                prop::collection::vec(prop::collection::vec("[a,\"\r\n #\u{e9};]{0,5}", columns), 0..200)
            }),
        ) {
            let columns = rows.first().map_or(1, Vec::len);
            let parts = encoded(&rows, columns, |row, into| into.row(row)).unwrap();
            prop_assert_eq!(parts.iter().map(|(_, rows)| rows).sum::<u64>(), rows.len() as u64);
            let bytes: Vec<u8> = parts.into_iter().flat_map(|(bytes, _)| bytes).collect();
            prop_assert_eq!(bytes, by_the_library(&rows));
        }

        #[test]
        fn numbers_are_written_as_json_has_them(whole in any::<i64>(), number in any::<f64>()) {
            prop_assume!(number.is_finite());
            let mut rows = Rows::of(2);
            rows.integer(whole);
            rows.number(number);
            rows.end().unwrap();
            let json = serde_json::json!([whole, number]).to_string();
            let expected = format!("{}\r\n", &json[1..json.len() - 1]);
            prop_assert_eq!(String::from_utf8(rows.take().0).unwrap(), expected);
        }
    }

    #[test]
    fn a_row_of_another_length_is_refused() {
        let refused = Rows::of(2).row(["one"]);
        assert!(matches!(refused, Err(ReleaseError::Fields(1, 2))));
    }
}
