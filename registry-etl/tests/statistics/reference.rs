//! Reads the reference files and compares numbers at their stated tolerance.

use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// A file of `tests/golden/statistics`; a name ending in `.gz` is unpacked.
pub(crate) fn load(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/golden/statistics")
        .join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut plain = Vec::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .expect("a gzip file");
    } else {
        plain = bytes;
    }
    serde_json::from_slice(&plain).expect("JSON")
}

/// The cases of one method in the reference of proportions.
pub(crate) fn cases(method: &str) -> Vec<Value> {
    let file = load("proportion_reference_cases.json");
    let cases = file["cases"].as_array().expect("cases");
    cases.iter().filter(|c| c["method"] == method).cloned().collect()
}

/// Numbers of a JSON array.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let array = value.as_array().expect("an array");
    array.iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// Whole numbers of a JSON array.
pub(crate) fn counts(value: &Value) -> Vec<u32> {
    let array = value.as_array().expect("an array");
    let whole = |v: &Value| u32::try_from(v.as_u64().expect("a count")).expect("small");
    array.iter().map(whole).collect()
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

    /// Every number of an array.
    pub(crate) fn check_all(self, what: &str, got: &[f64], expected: &Value) {
        let expected = expected.as_array().expect("an array");
        assert_eq!(got.len(), expected.len(), "{what}");
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            self.check(&format!("{what}[{i}]"), Some(*got), expected);
        }
    }
}
