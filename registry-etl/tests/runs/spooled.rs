//! A release is made in a temporary file without a name, and what cannot be finished leaves nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use registry_etl::releases::{self, ReleaseError, ReleaseOptions};

use crate::registry::{Registry, engine, system};
use crate::releases::{built, options};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect()
}

/// Takes a bundle while it looks into the folder it is made in, and fails after so many bytes.
struct Watching<'a> {
    folder: &'a Path,
    taken: Vec<u8>,
    until: usize,
}

impl Write for Watching<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        assert_eq!(names(self.folder), Vec::<String>::new());
        if self.taken.len() >= self.until {
            return Err(io::Error::other("the line is cut"));
        }
        self.taken.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_of_a_release_has_a_name_while_it_is_made_and_a_failure_leaves_nothing() {
    let registry = Registry::with(12, 2);
    let run = registry.run();
    let folder = tempfile::tempdir().expect("a folder");
    let here = ReleaseOptions {
        spool: folder.path().to_owned(),
        ..options(1)
    };
    let made = |until: usize| {
        let mut out = Watching {
            folder: folder.path(),
            taken: Vec::new(),
            until,
        };
        let built = releases::build(&registry.store, &system(), &engine(), &run, &here, &mut out);
        (built, out.taken)
    };
    let (whole, bytes) = made(usize::MAX);
    assert_eq!(whole.expect("built").bytes, bytes.len() as u64);
    assert!(
        bytes == built(&registry, &run, 1).1,
        "the same wherever it is made"
    );
    assert_eq!(names(folder.path()), Vec::<String>::new());

    let (cut, part) = made(20_000);
    assert!(matches!(cut, Err(ReleaseError::Write(_))), "{cut:?}");
    assert!(part.len() < bytes.len());
    assert_eq!(names(folder.path()), Vec::<String>::new());

    let nowhere = ReleaseOptions {
        spool: folder.path().join("none"),
        ..options(1)
    };
    let mut out = Vec::new();
    let refused = releases::build(&registry.store, &system(), &engine(), &run, &nowhere, &mut out);
    assert!(matches!(refused, Err(ReleaseError::Write(_))), "{refused:?}");
    assert!(out.is_empty());
}

/// `/dev/full` takes nothing, as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_no_release_is_recorded() {
    let registry = Registry::with(4, 2);
    let run = registry.run();
    let full = || {
        File::options()
            .write(true)
            .open("/dev/full")
            .expect("a full device")
    };
    let frozen = releases::freeze(
        &registry.store,
        &system(),
        &engine(),
        &run,
        &options(1),
        io::BufWriter::new(full()),
        |_, _| (),
    );
    let Err(error) = frozen else {
        panic!("it was full");
    };
    assert!(matches!(error, ReleaseError::Full), "{error:?}");
    assert_eq!(
        error.to_string(),
        "no space is left for the bundle, or for the temporary file it is made in; nothing of it is kept"
    );
    assert!(
        registry
            .store
            .list_releases(&system())
            .expect("a list")
            .is_empty()
    );
}
