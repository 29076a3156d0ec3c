//! The way of a decision into force: decide, test, preview, publish, start, run under it; and what is refused on the way.

use std::path::Path;

use registry_core::access::Role;
use serde_json::Value;

use crate::rules::{own_schema, succeeded};
use crate::support::{Ended, JSON, Registry, Served, case, send};

const HOME: &str = "guideline/tarpswg-metastatic-rps";

const QUESTIONS: &str = r#"
[[question]]
id = "Q91"
title = "Nobody is in measure 6"
measures = ["6"]
raised = 2026-11-23
severity = "low"
problem = "For this test."
proposal = "Nobody is asked for a chest CT."

[[question.change]]
measure = "6"
field = "denominator"
expression = "false"

[[question]]
id = "Q95"
title = "A proposal with a slip"
measures = ["7"]
raised = 2026-11-23
severity = "low"
problem = "For this test."
proposal = "None."

[[question.change]]
measure = "7"
field = "denominator"
expression = "presentation.no_such_element = true"

[[question]]
id = "Q96"
title = "A question that stays open"
measures = ["7"]
raised = 2026-11-23
severity = "low"
problem = "For this test."
proposal = "None."
"#;

fn decide(registry: &Registry, arguments: &[&str]) -> Ended {
    let mut all = vec!["rules", "decide"];
    all.extend_from_slice(arguments);
    for (name, value) in [
        ("--by", "Committee"),
        ("--reason", "For this test"),
        ("--date", "2026-11-20"),
    ] {
        if !arguments.contains(&name) {
            all.extend_from_slice(&[name, value]);
        }
    }
    registry.run(&all)
}

#[track_caller]
fn refused(ended: &Ended, because: &str) {
    assert!(
        !ended.success && ended.err.contains(because),
        "{}{}",
        ended.out,
        ended.err
    );
}

/// A command, or the service, with the registry's own schema folder.
fn with_folder(registry: &Registry, arguments: &[&str]) -> std::process::Command {
    let mut command = registry.command(arguments);
    command.env("REGISTRY_SCHEMA__FOLDER", registry.folder().join("schema"));
    command
}

fn parameters(base: &str, key: &str, run: i64) -> Value {
    let answer = send(base, Some(key), "GET", &format!("/api/v1/runs/{run}"), &[], None).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["parameters"].clone()
}

#[test]
fn an_adopted_version_comes_into_force_and_runs_of_the_one_before_stay_readable() {
    let registry = Registry::new();
    let submitter = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    for pseudonym in ["PB-1", "PB-2"] {
        let path = format!("/api/v1/cases/{pseudonym}");
        let body = case(pseudonym).to_string();
        let answer =
            send(&served.base, Some(&submitter), "PUT", &path, &[JSON], Some(&body)).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    drop(served);
    succeeded(registry.run(&["run", "--publish"]));
    let folder = own_schema(&registry);
    let home = folder.join(HOME);
    std::fs::write(home.join("questions.toml"), QUESTIONS).expect("written");

    // Fixed in part by the source, assumed in part: open to a decision.
    succeeded(decide(
        &registry,
        &["$SURV_MAX_GAP_DAYS", "adopt", "--version", "1.2.0"],
    ));
    succeeded(decide(&registry, &["Q91", "adopt", "--version", "1.2.0"]));

    // The page tells the office what would change, and the committee that something would.
    succeeded(registry.run(&["rules", "preview", "schema"]));
    let office = registry.key(Role::Coordinator, None);
    let committee = registry.key(Role::Committee, None);
    let served = Served::spawn(with_folder(&registry, &["serve"]));
    let rules = |key: &str| {
        let accept = [("accept", "text/html")];
        let answer = send(&served.base, Some(key), "GET", "/rules", &accept, None).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    };
    let (to_office, to_committee) = (rules(&office), rules(&committee));
    for page in [&to_office, &to_committee] {
        assert!(
            page.contains("Version 1.2.0 against 1.1.0") && page.contains("A question that stays open"),
            "{page}"
        );
        assert!(page.contains("href=\"/measures/6\""), "measure 6 changes: {page}");
    }
    assert!(
        to_office.contains("C01 2") && to_office.contains("No finding would change"),
        "{to_office}"
    );
    assert!(
        to_committee.contains("some, number not shown") && !to_committee.contains("C01"),
        "{to_committee}"
    );
    drop(served);

    // Its test patients do not hold: it cannot come into force, and rejecting alone does not take the text out.
    refused(
        &registry.run(&["rules", "publish", "1.2.0", "--schema", "schema"]),
        "test patients of version 1.2.0",
    );
    refused(&decide(&registry, &["Q91", "reject"]), "measures/6.toml");
    std::fs::copy(
        home.join("1.1.0/measures/6.toml"),
        home.join("1.2.0/measures/6.toml"),
    )
    .expect("put back");
    succeeded(decide(&registry, &["Q91", "reject"]));
    let tested = succeeded(registry.run(&["rules", "test", "--schema", "schema", "--quiet"]));
    assert!(
        tested.contains(" 1.2.0: every outcome") && tested.contains(", 0 differ"),
        "{tested}"
    );

    refused(
        &registry.run(&["rules", "publish", "1.2.1", "--schema", "schema"]),
        "no version 1.2.1",
    );
    let day = ["--day", "2999-01-01"];
    refused(
        &registry.run(&["rules", "publish", "1.2.0", "--schema", "schema", day[0], day[1]]),
        "future",
    );
    let published = [
        "rules",
        "publish",
        "1.2.0",
        "--schema",
        "schema",
        "--day",
        "2026-11-25",
    ];
    let said = succeeded(registry.run(&published));
    assert!(
        said.contains("1.2.0 is in force") && said.contains("1.1.0 is superseded"),
        "{said}"
    );
    refused(&registry.run(&published), "published and frozen");
    let catalogue = std::fs::read_to_string(folder.join("catalog.toml")).expect("the catalogue");
    assert!(catalogue.contains("version = \"1.1.0\"\nstatus = \"superseded\"\npublished = \"2026-11-23\"\nsuperseded = \"2026-11-25\""));
    assert!(catalogue.contains("version = \"1.2.0\"\nstatus = \"active\"\npublished = \"2026-11-25\""));

    let mut run = with_folder(&registry, &["run", "--publish"]);
    assert!(run.output().expect("the binary starts").status.success());
    let served = Served::spawn(with_folder(&registry, &["serve"]));
    let before = parameters(&served.base, &office, 1);
    let after = parameters(&served.base, &office, 2);
    assert_eq!(
        (&before["guideline_version"], &after["guideline_version"]),
        (&Value::from("1.1.0"), &Value::from("1.2.0"))
    );
    let unratified = |run: i64| -> Value {
        let path = format!("/api/v1/adherence?run={run}&measure=34");
        let table = send(&served.base, Some(&office), "GET", &path, &[], None)
            .expect("an answer")
            .json();
        table["measures"][0]["unratified"].clone()
    };
    assert_eq!(
        unratified(1),
        serde_json::json!(["SURV_HORIZON_DAYS", "SURV_MAX_GAP_DAYS"])
    );
    assert_eq!(unratified(2), serde_json::json!(["SURV_HORIZON_DAYS"]));
    drop(served);

    // Nothing of a published version can be edited, nothing added to it, and none comes into force by itself.
    let start = |wanted: &str| {
        let out = with_folder(&registry, &["serve"])
            .output()
            .expect("the binary starts");
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && err.contains(wanted), "{err}");
    };
    let parameters = home.join("1.2.0/parameters.toml");
    let text = std::fs::read_to_string(&parameters).expect("parameters");
    std::fs::write(&parameters, format!("{text}# edited\n")).expect("written");
    start("1.2.0/parameters.toml");
    std::fs::write(&parameters, text).expect("written");
    let stray = home.join("1.2.0/measures/zz.toml");
    std::fs::copy(home.join("1.2.0/measures/6.toml"), &stray).expect("a copy");
    start("zz.toml");
    std::fs::remove_file(stray).expect("removed");
    copied_as_active(&home);
    start("is active and is not listed");
}

/// Version 1.3.0, which calls itself active.
fn copied_as_active(home: &Path) {
    crate::rules::copy(&home.join("1.2.0"), &home.join("1.3.0"));
    let head = home.join("1.3.0/guideline.toml");
    let text = std::fs::read_to_string(&head).expect("a guideline");
    std::fs::write(head, text.replacen("1.2.0", "1.3.0", 1)).expect("written");
}

#[test]
fn a_decision_that_is_not_whole_leaves_nothing_behind() {
    let registry = Registry::new();
    let home = own_schema(&registry).join(HOME);
    std::fs::write(home.join("questions.toml"), QUESTIONS).expect("written");
    refused(
        &decide(&registry, &["Q95", "adopt", "--version", "1.2.0"]),
        "no_such_element",
    );
    assert!(!home.join("1.2.0").exists(), "the draft made for it is removed");
    for version in ["1.0.5", "1.1.0", "0.9.0"] {
        refused(
            &decide(&registry, &["$ECOG_OK", "adopt", "--version", version]),
            "does not come after 1.1.0",
        );
        assert!(version == "1.1.0" || !home.join(version).exists());
    }
    refused(
        &decide(&registry, &["$ECOG_OK", "adopt", "--version", "1.02.0"]),
        "is no version",
    );
    refused(
        &decide(&registry, &["Q96", "reject", "--date", "2999-01-01"]),
        "future",
    );
    refused(
        &decide(&registry, &["Q96", "reject", "--by", " "]),
        "--by is empty",
    );
    refused(
        &decide(&registry, &["Q96", "reject", "--reason", ""]),
        "--reason is empty",
    );
    refused(&decide(&registry, &["$SMOKE_DAYS", "reject"]), "no open question");
    assert!(!home.join("decisions.toml").exists(), "nothing is decided");
    // A draft that was there before stays, with what it held.
    succeeded(decide(&registry, &["$ECOG_OK", "adopt", "--version", "1.2.0"]));
    refused(
        &decide(&registry, &["Q95", "adopt", "--version", "1.2.0"]),
        "no_such_element",
    );
    assert!(home.join("1.2.0/measures/7.toml").exists());
    refused(&decide(&registry, &["$ECOG_OK", "reject"]), "parameters.toml");
}

/// Nobody reads any more: the program ends without a word.
#[test]
fn a_closed_pipe_is_no_failure() {
    use std::io::Read;
    let registry = Registry::new();
    for arguments in [&["openapi"][..], &["rules", "test"][..]] {
        let mut command = registry.command(arguments);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        drop(child.stdout.take());
        let mut err = String::new();
        child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut err)
            .expect("read");
        let ended = child.wait().expect("it ends");
        assert!(
            ended.success() && !err.contains("panicked"),
            "{arguments:?}: {err}"
        );
    }
}
