//! The commands of those who change what is recorded: diff, check, publish.

use std::path::Path;

use serde_json::Value;

use crate::rules::{own_schema, succeeded};
use crate::support::Registry;

fn change(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("a file");
    assert!(text.contains(from), "{from} is not in {}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).expect("written");
}

/// Adds the draft 1.2.0, as 1.1.0 with other words about a scan's day.
fn draft(folder: &Path) {
    let (from, to) = (folder.join("case/1.1.0"), folder.join("case/1.2.0"));
    std::fs::create_dir(&to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "json") {
            let text = std::fs::read_to_string(entry.path()).expect("a file");
            let text = text.replace("case:1.1.0", "case:1.2.0");
            let text = text.replace("\"const\": \"1.1.0\"", "\"const\": \"1.2.0\"");
            std::fs::write(to.join(entry.file_name()), text).expect("written");
        }
    }
    change(
        &to.join("imaging.schema.json"),
        "Day of the study.",
        "The day of the study.",
    );
    change(
        &folder.join("catalog.toml"),
        "[[case_version]]",
        "[[case_version]]\nversion = \"1.2.0\"\nstatus = \"draft\"\n\n[[case_version]]",
    );
}

#[test]
fn a_diff_tells_each_change_and_its_class() {
    let registry = Registry::new();
    let told = succeeded(registry.run(&["schema", "diff", "1.0.0", "1.1.0"]));
    assert!(
        told.contains("breaking  element_renamed        assessment.egfr_ml_min"),
        "{told}"
    );
    assert!(
        told.contains("addition  codes_added            pro.timepoint"),
        "{told}"
    );
    assert!(
        told.ends_with("1.0.0 to 1.1.0: 1 cosmetic, 2 addition, 2 breaking\n"),
        "{told}"
    );
    let json = succeeded(registry.run(&["schema", "diff", "1.0.0", "1.1.0", "--format", "json"]));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(5));
    let ended = registry.run(&["schema", "diff", "1.0.0", "3.0.0"]);
    assert!(!ended.success);
    assert!(
        ended
            .err
            .contains("there is no version 3.0.0; there are 1.0.0, 1.1.0"),
        "{}",
        ended.err
    );
    for command in ["diff", "check", "publish"] {
        let help = succeeded(registry.run(&["schema", command, "--help"]));
        assert!(
            help.contains("Example:") && help.contains(&format!("registry schema {command}")),
            "{help}"
        );
    }
}

#[test]
fn a_draft_is_checked_and_published_and_a_published_file_is_not_edited() {
    let registry = Registry::new();
    let folder = own_schema(&registry);
    let checked = succeeded(registry.run(&["schema", "check", "schema"]));
    assert!(
        checked.contains("1.1.0      active      1.0.0 to 1.1.0: 1 cosmetic"),
        "{checked}"
    );

    let ended = registry.run(&["schema", "publish", "1.1.0", "--schema", "schema"]);
    assert!(!ended.success);
    assert!(
        ended.err.contains("version 1.1.0 is published and frozen"),
        "{}",
        ended.err
    );

    draft(&folder);
    let checked = succeeded(registry.run(&["schema", "check", "schema"]));
    assert!(
        checked.contains("1.2.0      draft       1.1.0 to 1.2.0: 1 cosmetic, 0 addition, 0 breaking"),
        "{checked}"
    );
    let told = succeeded(registry.run(&[
        "schema",
        "publish",
        "1.2.0",
        "--schema",
        "schema",
        "--day",
        "2027-01-15",
    ]));
    assert!(
        told.contains("version 1.2.0 is published as of 2027-01-15"),
        "{told}"
    );
    let catalogue = std::fs::read_to_string(folder.join("catalog.toml")).expect("a file");
    assert!(
        catalogue.contains("version = \"1.2.0\"\nstatus = \"active\"\npublished = \"2027-01-15\""),
        "{catalogue}"
    );
    assert!(catalogue.contains("path = \"case/1.2.0/imaging.schema.json\""));
    let checked = succeeded(registry.run(&["schema", "check", "schema"]));
    assert!(checked.contains("1.2.0      active"), "{checked}");

    change(
        &folder.join("case/1.2.0/imaging.schema.json"),
        "The day of the study.",
        "Day of a study.",
    );
    for arguments in [
        &["schema", "check", "schema"][..],
        &["schema", "publish", "1.2.0", "--schema", "schema"],
    ] {
        let ended = registry.run(arguments);
        assert!(!ended.success);
        assert!(
            ended
                .err
                .contains("case/1.2.0/imaging.schema.json is published and has changed"),
            "{}",
            ended.err
        );
    }
}

#[test]
fn a_draft_that_leaves_something_over_fails_the_check() {
    let registry = Registry::new();
    let folder = own_schema(&registry);
    draft(&folder);
    let path = folder.join("case/1.2.0/imaging.schema.json");
    let mut imaging: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("a file")).expect("JSON");
    let properties = imaging["properties"].as_object_mut().expect("properties");
    let indication = properties.remove("indication").expect("an element");
    properties.insert("question".to_owned(), indication);
    std::fs::write(&path, imaging.to_string()).expect("written");
    change(
        &folder.join("visibility.toml"),
        "[imaging]",
        "[imaging]\nquestion = \"open\"",
    );
    let ended = registry.run(&["schema", "check", "schema"]);
    assert!(!ended.success);
    assert!(
        ended.err.contains("version 1.2.0 cannot be published: ")
            && ended
                .err
                .contains("`imaging.indication` leads to no element of 1.2.0"),
        "{}",
        ended.err
    );
    // A measure reads it: that is told as well.
    assert!(
        ended.err.contains("imaging.indication") && ended.err.contains("measures/"),
        "{}",
        ended.err
    );
}
