//! The examples hold every threshold: with a parameter one higher or lower, or a limit taken in or left out, some example
//! of the check says something else.

use std::sync::Arc;

use registry_core::record::Record;
use registry_core::rules::{Check, CheckSet};

use crate::body::{JUDGE, STORE, centres};
use crate::check_examples::{File, files};

/// The records of a check's examples, and whether it fires on them.
fn records(file: &File) -> Vec<(Record, bool)> {
    let layout = JUDGE.layout("1.0.0").expect("a layout");
    file.example
        .iter()
        .map(|example| {
            let body = file.body(example);
            let document = JUDGE.document(&body, "1.0.0", &example.envelope());
            (Record::read(&document, layout, &centres()), example.fires)
        })
        .collect()
}

/// One check alone, with what it reads.
fn compiled(check: &toml::Table, parameters: &toml::Table) -> CheckSet {
    let guideline = &JUDGE.guidelines("1.0.0")[0].folder;
    let windows = format!("guideline/{guideline}/parameters.toml");
    let files = [
        ("checks/changed.toml", check.to_string()),
        ("checks/parameters.toml", parameters.to_string()),
        (
            "checks/tables.toml",
            STORE.file("checks/tables.toml").expect("tables").to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let windows = (windows.as_str(), STORE.file(&windows).expect("windows"));
    let layout = Arc::clone(JUDGE.layout("1.0.0").expect("a layout"));
    CheckSet::compile(&files, Some(windows), &layout).unwrap_or_else(|errors| panic!("{errors}"))
}

fn agrees(set: &CheckSet, records: &[(Record, bool)]) -> bool {
    records
        .iter()
        .all(|(record, fires)| set.run(record).is_empty() != *fires)
}

/// The numbers and durations a check reads, each one higher and one lower.
fn shifted(parameters: &toml::Table) -> Vec<(String, toml::Table)> {
    let mut all = Vec::new();
    for (name, parameter) in parameters {
        for by in [1_i64, -1] {
            let value = match &parameter["value"] {
                toml::Value::Integer(value) => toml::Value::Integer(value + by),
                toml::Value::Float(value) => toml::Value::Float(value + by as f64 / 10.0),
                _ => continue,
            };
            let mut changed = parameters.clone();
            changed[name.as_str()]["value"] = value;
            all.push((format!("{name} by {by}"), changed));
        }
    }
    all
}

/// The expression with each limit in turn taken in or left out.
fn limits(expression: &str) -> Vec<(String, String)> {
    let pairs = [(" > ", " >= "), (" >= ", " > "), (" < ", " <= "), (" <= ", " < ")];
    let mut all = Vec::new();
    for (from, to) in pairs {
        for (at, _) in expression.match_indices(from) {
            let (before, after) = (&expression[..at], &expression[at + from.len()..]);
            all.push((
                format!("`{}` for `{}` at {at}", to.trim(), from.trim()),
                format!("{before}{to}{after}"),
            ));
        }
    }
    all
}

fn parameters_of(check: &Check) -> toml::Table {
    let all: toml::Table = STORE
        .file("checks/parameters.toml")
        .expect("parameters")
        .parse()
        .expect("TOML");
    all.into_iter()
        .filter(|(name, _)| check.parameters.contains(name))
        .collect()
}

#[test]
fn every_threshold_is_held_by_an_example() {
    let files = files();
    let mut loose = Vec::new();
    let mut count = 0;
    for check in JUDGE.checks("1.0.0").expect("the checks").checks() {
        let Some(expression) = check
            .expression
            .as_deref()
            .filter(|_| !check.parameters.is_empty())
        else {
            continue;
        };
        let records = records(&files[&check.id]);
        let path = format!("checks/{}.toml", check.id);
        let written: toml::Table = STORE.file(&path).expect("a check").parse().expect("TOML");
        let parameters = parameters_of(check);
        assert!(agrees(&compiled(&written, &parameters), &records), "{}", check.id);
        let shifts = shifted(&parameters)
            .into_iter()
            .map(|(what, changed)| (what, written.clone(), changed));
        let flips = limits(expression).into_iter().map(|(what, changed)| {
            let mut file = written.clone();
            file.insert("expression".to_owned(), changed.into());
            (what, file, parameters.clone())
        });
        for (what, check_file, parameters) in shifts.chain(flips) {
            count += 1;
            if agrees(&compiled(&check_file, &parameters), &records) {
                loose.push(format!("{}: {what}", check.id));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(
        loose.is_empty(),
        "{} of {count}:\n{}",
        loose.len(),
        loose.join("\n")
    );
}
