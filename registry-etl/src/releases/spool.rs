//! A CSV table being written: compressed in memory (a tenth of its size), hashed and counted on the way, so that all tables of a
//! release can grow together and the zip be written in one go.

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

use super::ReleaseError;

/// Compressed bytes, with hash and length of the plain ones.
struct Spool {
    packed: GzEncoder<Vec<u8>>,
    hash: Sha256,
    bytes: u64,
}

impl Spool {
    fn new() -> Self {
        Self {
            packed: GzEncoder::new(Vec::new(), Compression::fast()),
            hash: Sha256::new(),
            bytes: 0,
        }
    }
}

impl Write for Spool {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.packed.write_all(buffer)?;
        self.hash.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.packed.flush()
    }
}

/// Comma, CRLF, quoted where it has to be.
fn rfc4180<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out)
}

/// Tables written as a release writes them, for the bench.
#[cfg(feature = "benches")]
pub mod written {
    use super::{ReleaseError, Table, Write, rfc4180};

    /// The plain file.
    ///
    /// # Errors
    /// Those of `out`; a row with another number of fields than the header.
    pub fn plain(
        out: impl Write,
        header: &[String],
        rows: impl Iterator<Item = Vec<String>>,
    ) -> Result<(), ReleaseError> {
        let mut writer = rfc4180(out);
        writer.write_record(header)?;
        for row in rows {
            writer.write_record(row)?;
        }
        Ok(writer.flush()?)
    }

    /// As it is kept until the zip is written; answers its plain length in bytes.
    ///
    /// # Errors
    /// As [`plain`].
    pub fn kept(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> Result<u64, ReleaseError> {
        let mut table = Table::begin("bench.csv", header.to_vec())?;
        for row in rows {
            table.add(row)?;
        }
        Ok(table.finish()?.bytes)
    }
}

/// A table of a release.
pub(super) struct Table {
    name: String,
    columns: Vec<String>,
    rows: u64,
    writer: csv::Writer<Spool>,
}

/// A finished table.
#[derive(Clone)]
pub(super) struct FinishedTable {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    packed: Packed,
}

/// The bytes of a finished file.
#[derive(Clone)]
enum Packed {
    Gzip(Vec<u8>),
    /// Compressed by their own format.
    Plain(Vec<u8>),
}

impl Table {
    /// Begins a table with its header.
    pub(super) fn begin(name: &str, columns: Vec<String>) -> Result<Self, ReleaseError> {
        let mut writer = rfc4180(Spool::new());
        writer.write_record(&columns)?;
        Ok(Self {
            name: name.to_owned(),
            columns,
            rows: 0,
            writer,
        })
    }

    /// Adds a row; it has as many fields as the header (the writer refuses another number).
    pub(super) fn add<T: AsRef<[u8]>>(
        &mut self,
        row: impl IntoIterator<Item = T>,
    ) -> Result<(), ReleaseError> {
        self.writer.write_record(row)?;
        self.rows += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        let spool = self
            .writer
            .into_inner()
            .map_err(|e| io::Error::other(e.to_string()))?;
        Ok(FinishedTable {
            name: self.name,
            columns: self.columns,
            rows: self.rows,
            bytes: spool.bytes,
            sha256: hex::encode(spool.hash.finalize()),
            packed: Packed::Gzip(spool.packed.finish()?),
        })
    }
}

impl FinishedTable {
    /// A file that is no table.
    pub(super) fn of_text(name: &str, text: &str) -> Result<Self, ReleaseError> {
        let mut spool = Spool::new();
        spool.write_all(text.as_bytes())?;
        Ok(Self {
            name: name.to_owned(),
            columns: Vec::new(),
            rows: 0,
            bytes: spool.bytes,
            sha256: hex::encode(spool.hash.finalize()),
            packed: Packed::Gzip(spool.packed.finish()?),
        })
    }

    /// A table in a form that is compressed by itself, with the rows and columns of `table`.
    pub(super) fn of_bytes(name: &str, table: &Self, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            columns: table.columns.clone(),
            rows: table.rows,
            bytes: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&bytes)),
            packed: Packed::Plain(bytes),
        }
    }

    /// Whether the file is compressed by its own format.
    pub(super) fn is_packed(&self) -> bool {
        matches!(self.packed, Packed::Plain(_))
    }

    /// The plain bytes, in order.
    pub(super) fn reader(&self) -> Box<dyn Read + '_> {
        match &self.packed {
            Packed::Gzip(bytes) => Box::new(GzDecoder::new(bytes.as_slice())),
            Packed::Plain(bytes) => Box::new(bytes.as_slice()),
        }
    }
}
