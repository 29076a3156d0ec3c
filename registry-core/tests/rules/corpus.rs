//! The fuzz target's corpus, replayed: every text is parsed, compiled and judged, or refused. Nothing panics.

use std::collections::BTreeMap;

use registry_core::guideline::Guideline;
use registry_core::record::CentreTable;
use registry_core::rules::parse;
use serde_json::json;

use crate::support::{LAYOUT, example, one_measure, read, repository};

/// What the fuzz target does with a text, and more: a text that compiles is also judged.
pub(crate) fn compile_and_judge(text: &str) {
    if let Ok(tree) = parse(text) {
        let printed = tree.to_string();
        assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{printed}");
        for unit in [None, Some("imaging")] {
            let files = one_measure("true", unit, &json!({}));
            let mut measure: toml::Table = toml::from_str(&files[2].1).unwrap();
            measure.insert("numerator".into(), toml::Value::String(text.to_owned()));
            let measure = toml::to_string(&measure).unwrap();
            let files = [
                (files[0].0.as_str(), files[0].1.as_str()),
                (files[1].0.as_str(), files[1].1.as_str()),
                ("measures/m.toml", measure.as_str()),
            ];
            match Guideline::compile(&files, &LAYOUT, &BTreeMap::new()) {
                Ok(guideline) => {
                    guideline.evaluate(&read(&example(), &CentreTable::default()));
                }
                Err(errors) => assert!(errors.iter().all(|error| error.line > 0 && error.column > 0)),
            }
        }
    }
}

#[test]
fn the_corpus_of_the_fuzz_target() {
    let folder = repository("registry-core/fuzz/corpus/rule_text");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        compile_and_judge(&String::from_utf8_lossy(&bytes));
        count += 1;
    }
    assert!(count >= 40, "{count}");
}
