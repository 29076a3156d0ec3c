//! A folder of deliberately bad measures: every fault is found at once, each at its line and column with its code.
//!
//! The first lines of a file say what is expected (`# expected: LINE:COLUMN code`), worked out from the language.

use std::collections::BTreeMap;

use registry_core::guideline::Guideline;

use crate::support::{LAYOUT, repository};

/// Files beside the folder of measures.
const SHARED: [&str; 2] = ["guideline.toml", "parameters.toml"];

fn expected(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# expected: "));
    lines
        .filter(|line| *line != "nothing")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_bad_measure_is_told_with_its_place_and_code_all_at_once() {
    let folder = repository("registry-core/tests/rules/bad");
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("a file");
    for name in SHARED {
        files.insert(name.to_owned(), read(&folder.join(name)));
    }
    for entry in std::fs::read_dir(folder.join("measures"))
        .expect("a folder")
        .flatten()
    {
        let name = format!("measures/{}", entry.file_name().to_string_lossy());
        files.insert(name, read(&entry.path()));
    }
    assert!(files.len() > 100, "{}", files.len());
    let given: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let errors = match Guideline::compile(&given, &LAYOUT, &BTreeMap::new()) {
        Ok(_) => panic!("the folder compiles"),
        Err(errors) => errors.0,
    };
    let mut wrong = Vec::new();
    let mut codes: Vec<&str> = Vec::new();
    for (path, text) in &files {
        let mut told: Vec<String> = errors
            .iter()
            .filter(|error| error.file == *path)
            .map(|error| format!("{}:{} {}", error.line, error.column, error.code))
            .collect();
        let mut wanted = expected(text);
        told.sort();
        wanted.sort();
        if told != wanted {
            wrong.push(format!("{path}: expected {wanted:?}, told {told:?}"));
        }
        codes.extend(
            errors
                .iter()
                .filter(|error| error.file == *path)
                .map(|error| error.code),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() > 20, "kinds of faults: {codes:?}");
}
