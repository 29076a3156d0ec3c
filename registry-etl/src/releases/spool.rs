//! The temporary file of a release being written: all its tables grow in it together, block by block, so that memory holds a block of each and
//! not the tables.
//!
//! The file has no name (it is unlinked as soon as it is there): nobody else opens it, and nothing is left behind by a failure or a kill.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes of a file that are held in memory until they are written together.
const BLOCK: usize = 64 * 1024;

/// The temporary file.
#[derive(Clone)]
pub(super) struct Spool(Arc<Mutex<Room>>);

struct Room {
    file: File,
    end: u64,
}

/// A stretch of the temporary file: where it begins and its length.
type Stretch = (u64, usize);

impl Spool {
    /// A new one in `folder`, readable by nobody else.
    ///
    /// # Errors
    /// Those of the folder: it is not there, it cannot be written to.
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        Ok(Self::over(tempfile::tempfile_in(folder)?))
    }

    fn over(file: File) -> Self {
        Self(Arc::new(Mutex::new(Room { file, end: 0 })))
    }

    fn room(&self) -> io::Result<MutexGuard<'_, Room>> {
        let gone = |_| io::Error::other("the temporary file was left by a thread that failed");
        self.0.lock().map_err(gone)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<Stretch> {
        let mut room = self.room()?;
        let from = room.end;
        room.file.seek(SeekFrom::Start(from))?;
        room.file.write_all(bytes)?;
        room.end = from + bytes.len() as u64;
        Ok((from, bytes.len()))
    }

    fn take(&self, (from, length): Stretch, into: &mut Vec<u8>) -> io::Result<()> {
        into.resize(length, 0);
        let mut room = self.room()?;
        room.file.seek(SeekFrom::Start(from))?;
        room.file.read_exact(into)
    }
}

/// Bytes on their way into the temporary file.
pub(super) struct Strand {
    spool: Spool,
    held: Vec<u8>,
    kept: Vec<Stretch>,
}

impl Strand {
    pub(super) fn begin(spool: &Spool) -> Self {
        Self {
            spool: spool.clone(),
            held: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn keep(&mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            self.kept.push(self.spool.append(&self.held)?);
            self.held.clear();
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Kept> {
        self.keep()?;
        Ok(Kept {
            spool: self.spool,
            stretches: self.kept.into(),
        })
    }
}

impl Write for Strand {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let taken = buffer.len().min(BLOCK - self.held.len());
        self.held.extend_from_slice(&buffer[..taken]);
        if self.held.len() == BLOCK {
            self.keep()?;
        }
        Ok(taken)
    }

    /// What is held stays held until a block is full: short blocks would scatter the file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that are in the temporary file, in order.
#[derive(Clone)]
pub(super) struct Kept {
    spool: Spool,
    stretches: Arc<[Stretch]>,
}

impl Kept {
    /// The temporary file they are in.
    pub(super) fn spool(&self) -> &Spool {
        &self.spool
    }

    pub(super) fn reader(&self) -> impl Read + '_ {
        Reader {
            kept: self,
            next: 0,
            held: Vec::new(),
            from: 0,
        }
    }
}

/// Reads a block at a time.
struct Reader<'a> {
    kept: &'a Kept,
    next: usize,
    held: Vec<u8>,
    from: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.from == self.held.len() {
            let Some(stretch) = self.kept.stretches.get(self.next) else {
                return Ok(0);
            };
            self.kept.spool.take(*stretch, &mut self.held)?;
            (self.next, self.from) = (self.next + 1, 0);
        }
        let left = self.held.get(self.from..).unwrap_or_default();
        let taken = left.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&left[..taken]);
        self.from += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that tell where they are from.
    fn told(of: u64, bytes: usize) -> Vec<u8> {
        (0..bytes as u64)
            .map(|at| (at.wrapping_mul(of * 2 + 1) >> 3) as u8)
            .collect()
    }

    fn read(kept: &Kept) -> Vec<u8> {
        let mut all = Vec::new();
        kept.reader().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn strands_that_grow_together_are_read_apart_and_hold_a_block_each() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::in_folder(folder.path()).unwrap();
        let wanted: Vec<Vec<u8>> = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 77]
            .into_iter()
            .zip(1..)
            .map(|(bytes, of)| told(of, bytes))
            .collect();
        let mut strands: Vec<Strand> = wanted.iter().map(|_| Strand::begin(&spool)).collect();
        let longest = wanted.iter().map(Vec::len).max().unwrap();
        for from in (0..longest).step_by(1_000) {
            for (strand, bytes) in strands.iter_mut().zip(&wanted) {
                let piece = bytes.get(from..).unwrap_or_default();
                strand.write_all(&piece[..piece.len().min(1_000)]).unwrap();
                assert!(strand.held.len() < BLOCK && strand.held.capacity() <= 2 * BLOCK);
            }
        }
        let kept: Vec<Kept> = strands
            .into_iter()
            .map(|strand| strand.finish().unwrap())
            .collect();
        for (kept, wanted) in kept.iter().zip(&wanted) {
            assert!(read(kept) == *wanted, "{} bytes", wanted.len());
            // Again, and by two at a time.
            let (mut one, mut other) = (kept.reader(), kept.reader());
            let (mut first, mut second) = (Vec::new(), Vec::new());
            one.by_ref().take(10).read_to_end(&mut first).unwrap();
            other.read_to_end(&mut second).unwrap();
            one.read_to_end(&mut first).unwrap();
            assert!(first == *wanted && second == *wanted);
        }
    }

    #[test]
    fn the_file_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::in_folder(folder.path()).unwrap();
        spool.append(b"bytes").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Spool::in_folder(&folder.path().join("none")).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut strand = Strand::begin(&Spool::over(full));
        let error = strand.write_all(&told(1, 2 * BLOCK)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
