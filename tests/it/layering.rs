//! Dependencies point one way: `registry-api -> registry-etl -> registry-core`.

use std::collections::BTreeSet;
use support::repository::root;

/// A crate, what it must never depend on, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "registry-core",
        &[
            "registry-etl",
            "registry-api",
            "actix-web",
            "actix-rt",
            "polars",
            "polars-io",
            "clap",
            "askama",
            "figment",
            "ureq",
        ],
        "the domain knows neither the web nor columns",
    ),
    (
        "registry-etl",
        &[
            "registry-api",
            "actix-web",
            "actix-rt",
            "diesel",
            "clap",
            "askama",
            "figment",
            "ureq",
        ],
        "analytics knows neither the web nor SQL",
    ),
    (
        "registry-api",
        &["diesel", "polars", "polars-io", "jsonschema"],
        "no handler writes SQL, computes a table or validates on its own",
    ),
];

/// What each crate's sources may not contain, and why: a dependency can come in through a re-export too.
const FORBIDDEN_IN_SOURCE: &[(&str, &[&str], &str)] = &[
    (
        "registry-core/src",
        &[
            "actix_web",
            "polars::",
            "std::env::",
            "Utc::now",
            "SystemTime::now",
            "Instant::now",
        ],
        "the domain is told the time and its settings",
    ),
    (
        "registry-etl/src",
        &[
            "actix_web",
            "diesel::",
            "std::env::",
            "Utc::now",
            "SystemTime::now",
        ],
        "analytics is told the time and its settings",
    ),
    (
        "registry-api/src",
        &["diesel::", "sql_query"],
        "no handler writes SQL",
    ),
];

fn dependencies(manifest: &str) -> BTreeSet<String> {
    let table: toml::Table = manifest.parse().expect("a manifest is TOML");
    table
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|d| d.keys().cloned().collect())
        .unwrap_or_default()
}

fn wrong_edges(krate: &str, manifest: &str) -> Vec<String> {
    let found = dependencies(manifest);
    FORBIDDEN
        .iter()
        .filter(|(name, ..)| *name == krate)
        .flat_map(|(name, forbidden, why)| {
            forbidden
                .iter()
                .filter(|f| found.contains(**f))
                .map(move |f| format!("{name} -> {f}: {why}"))
        })
        .collect()
}

#[test]
fn manifests_have_no_wrong_edge() {
    for (krate, ..) in FORBIDDEN {
        let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml"))
            .expect("every crate has a manifest");
        let wrong = wrong_edges(krate, &manifest);
        assert!(wrong.is_empty(), "wrong edges: {wrong:#?}");
    }
}

#[test]
fn a_wrong_edge_is_found() {
    let manifest = "[dependencies]\nregistry-api = \"1\"\nserde = \"1\"\n";
    assert_eq!(
        wrong_edges("registry-core", manifest),
        ["registry-core -> registry-api: the domain knows neither the web nor columns"]
    );
}

#[test]
fn sources_reach_for_nothing_above_them() {
    let mut wrong = Vec::new();
    for (folder, forbidden, why) in FORBIDDEN_IN_SOURCE {
        for file in support::repository::files(folder) {
            if file.extension().is_none_or(|e| e != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in *forbidden {
                    if code.contains(word) {
                        wrong.push(format!(
                            "{}:{}: `{word}`: {why}",
                            support::repository::shown(&file),
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
