//! Every column of the database is declared in `migrations/columns.toml`, by what it holds.

use std::collections::BTreeMap;

use crate::support::{Dialect, TestStore, on_both};

/// Texts that hold what is encrypted or hashed all the same; other columns of these kinds are bytes.
const TEXTS: [&str; 5] = [
    "audit_events.reason",
    "case_versions.reason",
    "finding_answers.reason",
    "transfers.reason",
    "people.password",
];

/// What the file may say of a column.
const KINDS: [&str; 8] = [
    "reference",
    "operational",
    "person",
    "words",
    "pseudonymous",
    "sealed",
    "secret",
    "result",
];

/// Tables that are not behind row-level security, and why.
const OPEN: [(&str, &str); 2] = [
    (
        "master_keys",
        "read before anybody is known; a check value sealed with the key itself",
    ),
    (
        "secrets",
        "read before anybody is known; wrapped with the master key",
    ),
];

/// `table.column` and what it holds.
fn declared() -> BTreeMap<String, String> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/columns.toml");
    let tables: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let mut all = BTreeMap::new();
    for (table, columns) in &tables {
        for (column, kind) in columns.as_table().unwrap() {
            all.insert(format!("{table}.{column}"), kind.as_str().unwrap().to_owned());
        }
    }
    all
}

/// `table.column` and its type in the database.
fn there(test: &TestStore) -> BTreeMap<String, String> {
    let lines = match test.dialect {
        Dialect::Sqlite => test.raw_texts(
            "SELECT m.name || '.' || c.name || ' ' || c.type AS line FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '__diesel%'",
        ),
        Dialect::Postgres => test.raw_texts(
            "SELECT (table_name || '.' || column_name || ' ' || data_type)::text AS line FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT LIKE '__diesel%'",
        ),
    };
    let pair = |line: &String| {
        let (name, kind) = line.split_once(' ').unwrap();
        (name.to_owned(), kind.to_lowercase())
    };
    lines.iter().map(pair).collect()
}

on_both! {
    fn every_column_is_declared_by_what_it_holds_and_no_other_is(test) {
        let (declared, there) = (declared(), there(&test));
        assert!(there.len() > 300, "{}", there.len());
        let missing: Vec<&String> = there.keys().filter(|column| !declared.contains_key(*column)).collect();
        assert!(missing.is_empty(), "say in migrations/columns.toml what these hold: {missing:?}");
        let gone: Vec<&String> = declared.keys().filter(|column| !there.contains_key(*column)).collect();
        assert!(gone.is_empty(), "in migrations/columns.toml, and in no table: {gone:?}");
        for (column, kind) in &declared {
            assert!(KINDS.contains(&kind.as_str()), "{column}: {kind} is none of {KINDS:?}");
            let bytes = ["blob", "bytea"].contains(&there[column].as_str());
            if ["sealed", "secret"].contains(&kind.as_str()) {
                assert!(bytes || TEXTS.contains(&column.as_str()), "{column} is {kind} and a {}", there[column]);
            }
        }
    }
}

#[test]
fn what_is_of_a_patient_a_person_or_a_secret_is_behind_row_level_security() {
    let Some(test) = TestStore::new(Dialect::Postgres) else {
        return;
    };
    let walled = test.raw_texts(
        "SELECT relname::text AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relrowsecurity",
    );
    assert!(walled.len() > 20);
    let mut open: Vec<String> = Vec::new();
    for (column, kind) in declared() {
        let (table, _) = column.split_once('.').unwrap();
        let guarded = ["pseudonymous", "sealed", "person", "secret"].contains(&kind.as_str());
        if guarded && !walled.iter().any(|one| one == table) && open.last().is_none_or(|last| last != table) {
            open.push(table.to_owned());
        }
    }
    let excused: Vec<&str> = OPEN.iter().map(|(table, _)| *table).collect();
    assert_eq!(open, excused);
}
