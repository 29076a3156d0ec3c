//! A file of a release: compressed (a tenth of its size), hashed and counted on its way into the temporary file, so that all tables of a release
//! can grow together and the zip be written in one go.

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

use super::ReleaseError;
use super::rows::{Rows, encoded};
use super::spool::{Kept, Spool, Strand};

/// Bytes of rows added one by one that are held before they are packed together.
const HELD: usize = 64 * 1024;

/// Hash and length of the plain bytes that pass through.
struct Counted<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Counted<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            hash: Sha256::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.out.write_all(buffer)?;
        self.hash.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A file that is compressed on the way.
type Packing = Counted<GzEncoder<Strand>>;

fn packing(spool: &Spool) -> Packing {
    Counted::new(GzEncoder::new(Strand::begin(spool), Compression::fast()))
}

/// Tables written as a release writes them, for the bench.
#[cfg(feature = "benches")]
pub mod written {
    use std::path::Path;

    pub use super::super::rows::Rows;
    use super::super::rows::{Encoded, encoded};
    use super::{ReleaseError, Spool, Table, Write};

    /// Rows encoded before they are written.
    const BATCH: usize = 16_384;

    fn batches(rows: usize) -> impl Iterator<Item = Vec<usize>> {
        (0..rows)
            .step_by(BATCH)
            .map(move |from| (from..rows.min(from + BATCH)).collect())
    }

    /// The plain file of so many rows; `encode` makes a row by its position.
    ///
    /// # Errors
    /// Those of `out`; a row with another number of fields than the header.
    pub fn plain(
        mut out: impl Write + Send,
        header: &[String],
        rows: usize,
        encode: impl Fn(usize, &mut Rows) -> Result<(), ReleaseError> + Sync,
    ) -> Result<(), ReleaseError> {
        let mut first = Rows::of(header.len());
        first.row(header)?;
        let mut ready = vec![first.take()];
        let mut write = |ready: Vec<Encoded>| ready.iter().try_for_each(|(bytes, _)| out.write_all(bytes));
        for batch in batches(rows) {
            // One batch is written while the next is encoded.
            let next = || encoded(&batch, header.len(), |at, rows| encode(*at, rows));
            let (written, next) = rayon::join(|| write(std::mem::take(&mut ready)), next);
            written?;
            ready = next?;
        }
        write(ready)?;
        Ok(out.flush()?)
    }

    /// As it is kept, in a temporary file in `folder`, until the zip is written; answers its plain length in bytes.
    ///
    /// # Errors
    /// As [`plain`].
    pub fn kept(
        folder: &Path,
        header: &[String],
        rows: usize,
        encode: impl Fn(usize, &mut Rows) -> Result<(), ReleaseError> + Sync,
    ) -> Result<u64, ReleaseError> {
        let spool = Spool::in_folder(folder)?;
        let mut table = Table::begin(&spool, "bench.csv", header.to_vec())?;
        for batch in batches(rows) {
            table.each(&batch, |at, rows| encode(*at, rows))?;
        }
        Ok(table.finish()?.bytes)
    }
}

/// A table of a release.
pub(super) struct Table {
    name: String,
    columns: Vec<String>,
    rows: u64,
    /// Rows that are not packed yet.
    held: Rows,
    packing: Packing,
}

/// A finished file. A copy of it shares its bytes.
#[derive(Clone)]
pub(super) struct FinishedTable {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    kept: Kept,
    form: Form,
}

/// How the bytes of a finished file are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Gzip,
    /// Compressed by their own format.
    Plain,
}

impl Table {
    /// Begins a table with its header.
    pub(super) fn begin(spool: &Spool, name: &str, columns: Vec<String>) -> Result<Self, ReleaseError> {
        let mut table = Self {
            name: name.to_owned(),
            rows: 0,
            held: Rows::of(columns.len()),
            packing: packing(spool),
            columns,
        };
        table.held.row(&table.columns)?;
        table.pack()?;
        table.rows = 0;
        Ok(table)
    }

    /// Begins a finished table anew: the same name and header, other rows.
    pub(super) fn again(table: &FinishedTable) -> Result<Self, ReleaseError> {
        Self::begin(table.kept.spool(), &table.name, table.columns.clone())
    }

    /// Adds a row; it has as many fields as the header (another number is refused).
    pub(super) fn add<T: AsRef<[u8]>>(
        &mut self,
        row: impl IntoIterator<Item = T>,
    ) -> Result<(), ReleaseError> {
        self.held.row(row)?;
        if self.held.held() > HELD {
            self.pack()?;
        }
        Ok(())
    }

    /// Adds the rows of many items in their order, encoded over all cores.
    pub(super) fn each<T: Sync>(
        &mut self,
        items: &[T],
        encode: impl Fn(&T, &mut Rows) -> Result<(), ReleaseError> + Sync,
    ) -> Result<(), ReleaseError> {
        self.pack()?;
        for (bytes, rows) in encoded(items, self.columns.len(), encode)? {
            self.packing.write_all(&bytes)?;
            self.rows += rows;
        }
        Ok(())
    }

    fn pack(&mut self) -> Result<(), ReleaseError> {
        let (bytes, rows) = self.held.take();
        self.packing.write_all(&bytes)?;
        self.rows += rows;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<FinishedTable, ReleaseError> {
        self.pack()?;
        FinishedTable::packed(self.name, self.columns, self.rows, self.packing)
    }
}

impl FinishedTable {
    fn packed(name: String, columns: Vec<String>, rows: u64, packing: Packing) -> Result<Self, ReleaseError> {
        Ok(Self {
            name,
            columns,
            rows,
            bytes: packing.bytes,
            sha256: hex::encode(packing.hash.finalize()),
            kept: packing.out.finish()?.finish()?,
            form: Form::Gzip,
        })
    }

    /// A file that is no table.
    pub(super) fn of_text(spool: &Spool, name: &str, text: &str) -> Result<Self, ReleaseError> {
        let mut packing = packing(spool);
        packing.write_all(text.as_bytes())?;
        Self::packed(name.to_owned(), Vec::new(), 0, packing)
    }

    /// The file with another text.
    pub(super) fn with_text(&self, text: &str) -> Result<Self, ReleaseError> {
        Self::of_text(self.kept.spool(), &self.name, text)
    }

    /// Whether the file is compressed by its own format.
    pub(super) fn is_packed(&self) -> bool {
        self.form == Form::Plain
    }

    /// The plain bytes, in order.
    pub(super) fn reader(&self) -> Box<dyn Read + '_> {
        match self.form {
            Form::Gzip => Box::new(GzDecoder::new(self.kept.reader())),
            Form::Plain => Box::new(self.kept.reader()),
        }
    }
}

/// A table written once more in a form that is compressed by itself.
pub(super) struct Twin {
    out: Counted<Strand>,
}

impl Twin {
    pub(super) fn begin(of: &FinishedTable) -> Self {
        Self {
            out: Counted::new(Strand::begin(of.kept.spool())),
        }
    }

    /// The file, with the rows and columns of `table`.
    pub(super) fn finish(self, name: &str, table: &FinishedTable) -> Result<FinishedTable, ReleaseError> {
        Ok(FinishedTable {
            name: name.to_owned(),
            columns: table.columns.clone(),
            rows: table.rows,
            bytes: self.out.bytes,
            sha256: hex::encode(self.out.hash.finalize()),
            kept: self.out.out.finish()?,
            form: Form::Plain,
        })
    }
}

impl Write for Twin {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.out.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written_and_begun_anew_without_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::in_folder(folder.path()).unwrap();
        let header = || vec!["patient_id".to_owned(), "words".to_owned()];
        let mut table = Table::begin(&spool, "table.csv", header()).unwrap();
        let mut expected = String::from("patient_id,words\r\n");
        for n in 0..20_000 {
            let words = format!("\"{}\", {n}", Sha256::digest([n as u8])[0]);
            table.add([&format!("P{n}"), &words]).unwrap();
            expected.push_str(&format!("P{n},\"{}\"\r\n", words.replace('"', "\"\"")));
        }
        let table = table.finish().unwrap();
        let mut read = String::new();
        table.reader().read_to_string(&mut read).unwrap();
        assert!(read == expected);
        assert_eq!((table.rows, table.bytes), (20_000, expected.len() as u64));
        assert_eq!(table.sha256, hex::encode(Sha256::digest(&expected)));
        let again = Table::again(&table).unwrap().finish().unwrap();
        assert_eq!(
            (again.name.as_str(), again.columns.clone(), again.rows),
            ("table.csv", header(), 0)
        );
        let text = again.with_text("words").unwrap();
        let mut read = String::new();
        text.reader().read_to_string(&mut read).unwrap();
        assert_eq!((read.as_str(), text.bytes), ("words", 5));
        assert!(Table::again(&table).unwrap().add(["one field"]).is_err());
    }

    /// Highest resident memory of this process so far, in KiB.
    #[cfg(target_os = "linux")]
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// A large table is written and read. The test below starts it in a process of its own and hears how far that has grown.
    #[cfg(target_os = "linux")]
    #[test]
    fn growing_process() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::in_folder(folder.path()).unwrap();
        // Nothing that compresses well: half of it stays.
        let row = |n: u32| {
            [0u8, 1, 2, 3].map(|at| hex::encode(Sha256::digest([&n.to_be_bytes()[..], &[at]].concat())))
        };
        let written = |rows: u32| {
            let header = (0..4).map(|n| n.to_string()).collect();
            let mut table = Table::begin(&spool, "table.csv", header).unwrap();
            for n in 0..rows {
                table.add(row(n)).unwrap();
            }
            let table = table.finish().unwrap();
            let read = csv::Reader::from_reader(table.reader()).into_records();
            assert_eq!(read.map(Result::unwrap).count() as u32, rows);
            table.bytes
        };
        written(2_000);
        let before = peak();
        let bytes = written(100_000);
        println!("grown {} of {}", peak() - before, bytes / 1024);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_large_table_takes_no_more_memory_than_a_small_one() {
        let child = std::process::Command::new("/proc/self/exe")
            .args([
                "--exact",
                "releases::table::tests::growing_process",
                "--nocapture",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(child.status.success(), "{said}");
        let line = said.lines().find_map(|line| line.split_once("grown ")).unwrap().1;
        let (grown, bytes) = line.split_once(" of ").unwrap();
        let (grown, bytes): (u64, u64) = (grown.parse().unwrap(), bytes.trim().parse().unwrap());
        assert!(
            bytes > 20 * 1024 && grown < 4 * 1024,
            "{grown} KiB for {bytes} KiB"
        );
    }
}
