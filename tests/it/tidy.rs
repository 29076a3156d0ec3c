//! House rules that no compiler checks.

use support::repository::{files, root, shown};

/// What may stand at the top level (fixed by the registry's owners), besides dotfiles and what running it leaves.
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "registry-api",
    "registry-core",
    "registry-etl",
    "schema",
    "migrations",
    "deploy",
    "tests",
    "README.md",
    "target",
    "demo-data",
];

/// Longest source file: what an engineer can hold in their head.
const LONGEST_SOURCE: usize = 700;

#[test]
fn the_top_level_is_the_agreed_one() {
    for entry in std::fs::read_dir(root()).expect("the root is a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || TOP_LEVEL.contains(&name.as_str()),
            "`{name}` does not belong at the top level"
        );
    }
}

#[test]
fn sources_hold_nothing_unfinished() {
    // Put together here so that this file does not find itself.
    let banned = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["db", "g!("].concat(),
        ["#[ig", "nore"].concat(),
        ["FIX", "ME"].concat(),
        ["(under con", "struction)"].concat(),
        ["for n", "ow,"].concat(),
    ];
    let mut wrong = Vec::new();
    for folder in ["registry-core", "registry-etl", "registry-api", "tests"] {
        for file in files(folder)
            .into_iter()
            .filter(|f| f.extension().is_some_and(|e| e == "rs"))
        {
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            for (number, line) in text.lines().enumerate() {
                for word in banned.iter().filter(|w| line.contains(w.as_str())) {
                    wrong.push(format!("{}:{}: `{word}`", shown(&file), number + 1));
                }
            }
            let lines = text.lines().count();
            if lines > LONGEST_SOURCE {
                wrong.push(format!(
                    "{}: {lines} lines, more than {LONGEST_SOURCE}: split it by what it does",
                    shown(&file)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_dialects_have_the_same_migrations() {
    let names = |dialect: &str| -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(root().join("migrations").join(dialect))
            .expect("a folder of migrations")
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty(), "no migration found");
    assert_eq!(sqlite, names("postgres"));
}

#[test]
fn links_between_pages_of_the_repository_lead_somewhere() {
    let mut dead = Vec::new();
    for file in files(".")
        .into_iter()
        .filter(|f| f.extension().is_some_and(|e| e == "md"))
    {
        let text = std::fs::read_to_string(&file).expect("a page is text");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty()
                || target.contains("://")
                || target.starts_with("mailto:")
                || target.starts_with("crate::")
            {
                continue;
            }
            let folder = file.parent().expect("a file has a folder");
            if !folder.join(target).exists() {
                dead.push(format!("{}: {link}", shown(&file)));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn golden_files_are_the_ones_that_were_copied() {
    use sha2::{Digest, Sha256};
    let golden = root().join("tests/golden");
    let digests: toml::Table = std::fs::read_to_string(golden.join("DIGESTS.toml"))
        .expect("golden files have digests")
        .parse()
        .expect("digests are TOML");
    let entries = digests
        .get("file")
        .and_then(toml::Value::as_array)
        .expect("[[file]] entries");
    assert!(!entries.is_empty());
    let mut listed = std::collections::BTreeSet::new();
    for entry in entries {
        let path = entry.get("path").and_then(toml::Value::as_str).expect("path");
        assert!(listed.insert(path.to_owned()), "{path} is listed twice");
        let expected = entry.get("sha256").and_then(toml::Value::as_str).expect("sha256");
        let bytes = std::fs::read(golden.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(
            hex::encode(Sha256::digest(&bytes)),
            expected,
            "{path} was changed"
        );
    }
    // A file without a digest could be anything, an output of this program among it.
    for file in files("tests/golden") {
        let name = shown(&file);
        let name = name.strip_prefix("tests/golden/").expect("a golden file");
        let is_input = name != "DIGESTS.toml" && !name.ends_with(".md");
        assert!(!is_input || listed.contains(name), "{name} has no digest");
    }
}

/// Every requirement, so that none drops out of the table.
const REQUIREMENTS: [&str; 41] = [
    "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15", "S16",
    "S17", "S19", "S20", "S21", "S23", "S24", "S27", "S30", "D1", "D2", "D3", "R1", "R3", "R4", "R7", "R8",
    "R9", "R10", "R12", "R13", "R14", "R15", "R17", "R18", "R19",
];

#[test]
fn every_requirement_names_tests_that_exist() {
    let table = std::fs::read_to_string(root().join("deploy/requirements.md")).expect("the table");
    let folders = [
        ("it/", "tests/it/"),
        ("browser/", "tests/browser/"),
        ("process/", "registry-api/tests/process/"),
        ("storage/", "registry-core/tests/storage/"),
        ("schema/", "registry-core/tests/schema/"),
        ("rules/", "registry-core/tests/rules/"),
        ("etl/", "registry-etl/"),
    ];
    let mut wrong = Vec::new();
    let mut found = Vec::new();
    for line in table
        .lines()
        .filter(|line| line.starts_with("| S") || line.starts_with("| R") || line.starts_with("| D"))
    {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (id, shown) = (cells[1], cells[3]);
        found.push(id.to_owned());
        let mut text = None;
        for name in shown.split('`').skip(1).step_by(2) {
            if name.contains('/') {
                let place = folders
                    .iter()
                    .find_map(|(short, long)| Some(format!("{long}{}", name.strip_prefix(short)?)));
                let place = root().join(place.unwrap_or_else(|| name.to_owned()));
                text = std::fs::read_to_string(&place).ok();
                if text.is_none() {
                    wrong.push(format!("{id}: no file {name}"));
                }
            } else if name.contains('_')
                && !text
                    .as_ref()
                    .is_some_and(|text| text.contains(&format!("fn {name}(")))
            {
                wrong.push(format!("{id}: no test {name} in the file named before it"));
            }
        }
        if text.is_none() && !shown.contains("open") && !shown.contains("tests/") {
            wrong.push(format!("{id}: neither a test nor `open`"));
        }
        // A browser test is named by its title.
        for title in shown.split('"').skip(1).step_by(2) {
            if !text.as_ref().is_some_and(|text| text.contains(title)) {
                wrong.push(format!("{id}: no test \"{title}\" in the file named before it"));
            }
        }
    }
    for id in REQUIREMENTS {
        if found.iter().filter(|known| *known == id).count() != 1 {
            wrong.push(format!("{id} has not one line"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A table wider than its page scrolls by itself, never the page.
#[test]
fn every_table_of_a_page_stands_in_a_scroll_container() {
    for file in files("registry-api/templates") {
        let text = std::fs::read_to_string(&file).expect("a template is text");
        for (at, _) in text.match_indices("<table") {
            let before = &text[..at];
            assert!(
                before.ends_with("<div class=\"scroll\">")
                    || before.ends_with("<div class=\"scroll matrix\">"),
                "{}: a table outside of a scroll container",
                shown(&file)
            );
        }
    }
}
