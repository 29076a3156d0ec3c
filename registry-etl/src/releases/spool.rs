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
    packed: Vec<u8>,
}

impl Table {
    /// Begins a table with its header.
    pub(super) fn begin(name: &str, columns: Vec<String>) -> Result<Self, ReleaseError> {
        let spool = Spool::new();
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(spool);
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
            packed: spool.packed.finish()?,
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
            packed: spool.packed.finish()?,
        })
    }

    /// The plain bytes, in order.
    pub(super) fn reader(&self) -> impl Read + '_ {
        GzDecoder::new(self.packed.as_slice())
    }
}
