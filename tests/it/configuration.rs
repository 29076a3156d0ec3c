//! The settings as they are written down: the example, both tables, and what the service takes are the same keys.

use std::collections::{BTreeMap, BTreeSet};

use registry_api::settings::Settings;
use serde_json::Value;
use support::repository::root;

const EXAMPLE: &str = "deploy/registry.toml.example";

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every key that the service takes, with its default.
fn keys() -> BTreeMap<String, Value> {
    let all = serde_json::to_value(Settings::default()).expect("settings are data");
    let mut keys = BTreeMap::new();
    for (section, values) in all.as_object().expect("sections") {
        for (key, default) in values.as_object().expect("keys") {
            keys.insert(format!("{section}.{key}"), default.clone());
        }
    }
    keys
}

/// The lines of the example that set something, with their section; `commented` for those that would.
fn lines(commented: bool) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in read(EXAMPLE).lines() {
        let bare = line.trim_start_matches("# ");
        if let Some(name) = bare.strip_prefix('[') {
            section = name.split(']').next().expect("a section").to_owned();
            continue;
        }
        let key = bare.split_once(" = ").map(|(key, _)| key);
        let is_key = key.is_some_and(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        if is_key && (commented == line.starts_with('#')) {
            let key = key.expect("a key");
            found.push((format!("{section}.{key}"), bare.to_owned()));
        }
    }
    found
}

#[test]
fn the_example_is_taken_and_names_every_key_with_its_default() {
    let loaded = Settings::load(Some(&root().join(EXAMPLE))).expect("the example is taken as it stands");
    let loaded = serde_json::to_value(loaded).expect("settings are data");
    let keys = keys();
    let set = lines(false);
    for (key, line) in &set {
        let (section, name) = key.split_once('.').expect("a dotted name");
        let default = keys.get(key).unwrap_or_else(|| panic!("{key} is no setting"));
        assert_eq!(
            &loaded[section][name] != default,
            line.contains("default"),
            "{line}: another value than the default {default} says so, and only another"
        );
    }
    let named: BTreeSet<String> = set.into_iter().chain(lines(true)).map(|(key, _)| key).collect();
    assert_eq!(named, keys.into_keys().collect());
}

#[test]
fn both_tables_name_every_key_and_say_the_same() {
    let keys: BTreeSet<String> = keys().into_keys().collect();
    let rows = |page: &str| -> Vec<String> {
        let text = read(page);
        let lines = text.lines().map(str::to_owned);
        lines
            .filter(|line| {
                let first = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
                first.is_some_and(|name| keys.contains(name))
            })
            .collect()
    };
    let table = rows("README.md");
    assert_eq!(table, rows("registry-api/README.md"));
    let mut named = BTreeSet::new();
    for row in &table {
        let cell = row.split('|').nth(1).expect("a cell");
        for key in cell.split('`').skip(1).step_by(2) {
            assert!(named.insert(key.to_owned()), "{key} stands twice");
        }
    }
    assert_eq!(named, keys);
}
