//! The zip of a bundle, the same byte for byte from the same files.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::table::FinishedTable;
use super::{Manifest, ReleaseError};

/// From this size on an entry needs the format's 64-bit fields.
const LARGE: u64 = 1 << 31;

/// Counts and hashes what passes through.
struct Hashed<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Manifest first, then the files; every entry carries the same fixed time.
pub(super) fn write_zip(
    out: impl Write,
    files: &[FinishedTable],
    manifest: &Manifest,
) -> Result<(String, u64), ReleaseError> {
    let mut hashed = Hashed {
        out,
        hash: Sha256::new(),
        bytes: 0,
    };
    let mut zip = ZipWriter::new_stream(&mut hashed);
    let entry = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    zip.start_file("manifest.json", entry)?;
    zip.write_all(&serde_json::to_vec_pretty(manifest)?)?;
    zip.write_all(b"\n")?;
    for file in files {
        let method = match file.is_packed() {
            true => CompressionMethod::Stored,
            false => CompressionMethod::Deflated,
        };
        let entry = entry.compression_method(method);
        zip.start_file(&file.name, entry.large_file(file.bytes > LARGE))?;
        io::copy(&mut file.reader(), &mut zip)?;
    }
    zip.finish()?;
    hashed.flush()?;
    Ok((hex::encode(hashed.hash.finalize()), hashed.bytes))
}
