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

/// The web, the settings, the time and what is random, of which only the service knows.
const OUTSIDE: &[&str] = &[
    "actix_web",
    "std::env::",
    "Utc::now",
    "SystemTime::now",
    "Instant::now",
    "rand::rng(",
    "rand::random",
    "OsRng",
    "getrandom",
    "now_v7",
    "new_v4",
];

/// What each crate's sources may not contain, and why: a dependency can come in through a re-export too.
const FORBIDDEN_IN_SOURCE: &[(&str, &[&str], &str)] = &[
    (
        "registry-core/src",
        OUTSIDE,
        "the domain is told the time, what is random and its settings",
    ),
    ("registry-core/src", &["polars::"], "the domain knows no columns"),
    (
        "registry-etl/src",
        OUTSIDE,
        "analytics is told the time, what is random and its settings",
    ),
    ("registry-etl/src", &["diesel::"], "analytics knows no SQL"),
    (
        "registry-core/src/synthetic",
        &[
            "crate::rules",
            "crate::guideline",
            "crate::validation",
            "crate::record",
        ],
        "a cohort that asked the rules could not show their faults",
    ),
    (
        "registry-api/src",
        &["diesel::", "sql_query"],
        "no handler writes SQL",
    ),
];

/// The crates of this repository that each may depend on, in whatever way; every crate is listed.
const ALLOWED: &[(&str, &[&str])] = &[
    ("registry-core", &[]),
    ("registry-etl", &["registry-core"]),
    ("registry-api", &["registry-core", "registry-etl"]),
    ("tests", &["registry-core", "registry-api"]),
];

/// What a program is built with: `[dependencies]` and `[build-dependencies]`, also those of a target, by the name of the package, whatever it
/// is called here. With `tests`, `[dev-dependencies]` too.
fn dependencies(manifest: &str, tests: bool) -> BTreeSet<String> {
    let table: toml::Table = manifest.parse().expect("a manifest is TOML");
    let targets = table.get("target").and_then(toml::Value::as_table);
    let of_targets = targets.into_iter().flat_map(|all| all.values());
    let places = std::iter::once(&table).chain(of_targets.filter_map(toml::Value::as_table));
    let kinds: &[&str] = if tests {
        &["dependencies", "build-dependencies", "dev-dependencies"]
    } else {
        &["dependencies", "build-dependencies"]
    };
    let mut found = BTreeSet::new();
    for place in places {
        for kind in kinds {
            let all = place.get(*kind).and_then(toml::Value::as_table);
            for (name, how) in all.into_iter().flatten() {
                let package = how.get("package").and_then(toml::Value::as_str);
                found.insert(package.unwrap_or(name).to_owned());
            }
        }
    }
    found
}

fn wrong_edges(krate: &str, manifest: &str) -> Vec<String> {
    let found = dependencies(manifest, false);
    let forbidden =
        FORBIDDEN
            .iter()
            .filter(|(name, ..)| *name == krate)
            .flat_map(|(name, forbidden, why)| {
                forbidden
                    .iter()
                    .filter(|f| found.contains(**f))
                    .map(move |f| format!("{name} -> {f}: {why}"))
            });
    let allowed = ALLOWED.iter().find(|(name, _)| *name == krate);
    let (_, allowed) = allowed.unwrap_or_else(|| panic!("{krate} is not in the list of crates"));
    let all = dependencies(manifest, true);
    let ours = all.iter().filter(|name| name.starts_with("registry-"));
    let unlisted = ours
        .filter(|name| !allowed.contains(&name.as_str()))
        .map(|name| format!("{krate} -> {name}: not among the edges there are"));
    forbidden.chain(unlisted).collect()
}

#[test]
fn manifests_have_no_wrong_edge() {
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let workspace: toml::Table = workspace.parse().expect("a manifest is TOML");
    let members = workspace["workspace"]["members"].as_array().expect("members");
    assert_eq!(members.len(), ALLOWED.len());
    for krate in members {
        let krate = krate.as_str().expect("a folder");
        let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml"))
            .expect("every crate has a manifest");
        let wrong = wrong_edges(krate, &manifest);
        assert!(wrong.is_empty(), "wrong edges: {wrong:#?}");
    }
    // A name that every crate may use stands for the package of that name.
    let shared = workspace["workspace"]["dependencies"]
        .as_table()
        .expect("a table");
    for (name, how) in shared {
        assert!(how.get("package").is_none(), "{name} is another package's name");
    }
}

#[test]
fn a_wrong_edge_is_found() {
    let web = "the domain knows neither the web nor columns";
    for (manifest, wrong) in [
        (
            "[dependencies]\nactix-web = \"4\"\nserde = \"1\"\n",
            format!("registry-core -> actix-web: {web}"),
        ),
        (
            "[build-dependencies]\nclap = \"4\"\n",
            format!("registry-core -> clap: {web}"),
        ),
        (
            "[target.'cfg(unix)'.dependencies]\nureq = \"3\"\n",
            format!("registry-core -> ureq: {web}"),
        ),
        (
            "[dependencies]\ncolumns = { package = \"polars\", version = \"0.55\" }\n",
            format!("registry-core -> polars: {web}"),
        ),
        (
            "[dev-dependencies]\nregistry-tests = { path = \"../tests\" }\n",
            "registry-core -> registry-tests: not among the edges there are".to_owned(),
        ),
    ] {
        assert_eq!(wrong_edges("registry-core", manifest), [wrong], "{manifest}");
    }
    let both = wrong_edges("registry-core", "[dependencies]\nregistry-api = \"1\"\n");
    assert_eq!(both.len(), 2, "{both:?}");
    // What only tests use is free, except for our own crates.
    assert!(wrong_edges("registry-core", "[dev-dependencies]\nclap = \"4\"\n").is_empty());
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
