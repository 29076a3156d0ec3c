//! Reads the reference files and compares numbers at their stated tolerance.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Finds a golden file by name, wherever below `tests/golden` it is kept.
pub(crate) fn load(name: &str) -> Value {
    fn find(folder: &Path, name: &str) -> Option<PathBuf> {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|e| e.path())
            .collect();
        entries.sort();
        entries.into_iter().find_map(|path| {
            if path.is_dir() {
                find(&path, name)
            } else {
                (path.file_name()? == name).then_some(path)
            }
        })
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let path = find(&golden, name).unwrap_or_else(|| panic!("{name} is not below {}", golden.display()));
    serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON")
}

/// Tolerance of a comparison: relative or absolute, whichever is kinder.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) relative: f64,
    pub(crate) absolute: f64,
}

impl Tolerance {
    pub(crate) fn check(self, what: &str, got: Option<f64>, expected: &Value) {
        match (got, expected.as_f64()) {
            (None, None) => {}
            (Some(got), Some(expected)) => {
                let off = (got - expected).abs();
                assert!(
                    off <= self.relative * expected.abs() || off <= self.absolute,
                    "{what}: {got}, the reference says {expected}"
                );
            }
            (got, expected) => panic!("{what}: {got:?}, the reference says {expected:?}"),
        }
    }
}
