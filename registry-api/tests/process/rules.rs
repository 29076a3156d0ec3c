//! The commands of those who write measures: check, test, decide, preview, assess.

use std::path::{Path, PathBuf};

use crate::support::{Ended, JSON, Registry, case, send};
use registry_core::access::Role;
use serde_json::Value;

fn schema() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// A copy of the schema inside the registry's folder, which is where its commands run.
pub(crate) fn own_schema(registry: &Registry) -> PathBuf {
    let folder = registry.folder().join("schema");
    copy(&schema(), &folder);
    folder
}

const HOME: &str = "guideline/tarpswg-metastatic-rps";

#[track_caller]
pub(crate) fn succeeded(ended: Ended) -> String {
    assert!(ended.success, "{}{}", ended.out, ended.err);
    ended.out
}

#[test]
fn every_test_patient_is_judged_as_expected_and_a_wrong_expectation_is_seen() {
    let registry = Registry::new();
    let table = succeeded(registry.run(&["rules", "test"]));
    assert!(
        table.contains("every outcome of every measure that can occur has test patients"),
        "{table}"
    );
    assert!(table.contains(", 0 differ"), "{table}");
    let folder = own_schema(&registry);
    let path = folder.join(HOME).join("1.1.0/patients/24c-1.json");
    let text = std::fs::read_to_string(&path).expect("a patient");
    let mut patient: Value = serde_json::from_str(&text).expect("JSON");
    patient["expected"] = serde_json::json!({"outcome": "EXCLUDED"});
    std::fs::write(&path, patient.to_string()).expect("written");
    let ended = registry.run(&[
        "rules",
        "test",
        "--schema",
        "schema",
        "--measure",
        "24c",
        "--quiet",
    ]);
    assert!(!ended.success);
    assert!(ended.out.contains("NOT  24c-1"), "{}", ended.out);
    assert!(ended.out.contains("1 differ"), "{}", ended.out);
}

#[test]
fn adoption_makes_a_draft_and_its_preview_tells_what_would_change() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    for pseudonym in ["PV-1", "PV-2"] {
        let path = format!("/api/v1/cases/{pseudonym}");
        let body = case(pseudonym).to_string();
        let answer = send(&served.base, Some(&key), "PUT", &path, &[JSON], Some(&body)).expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    drop(served);
    succeeded(registry.run(&["run"]));
    let folder = own_schema(&registry);
    let questions = r#"
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
id = "Q94"
title = "A second proposal for the same field"
measures = ["6"]
raised = 2026-11-23
severity = "low"
problem = "For this test."
proposal = "Everybody is asked."

[[question.change]]
measure = "6"
field = "denominator"
expression = "true"

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
id = "Q92"
title = "To be rejected"
measures = ["7"]
raised = 2026-11-23
severity = "low"
problem = "For this test."
proposal = "None."
"#;
    std::fs::write(folder.join(HOME).join("questions.toml"), questions).expect("written");
    let decide = |arguments: &[&str]| {
        let mut all = vec!["rules", "decide"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&[
            "--by",
            "Committee",
            "--reason",
            "For this test",
            "--date",
            "2026-11-20",
        ]);
        registry.run(&all)
    };
    succeeded(decide(&["Q92", "reject"]));
    assert!(!decide(&["Q93", "reject"]).success, "nobody raised it");
    assert!(!decide(&["Q91", "adopt"]).success, "adoption names a version");
    assert!(
        !decide(&["Q91", "adopt", "--version", "1.1.0"]).success,
        "1.1.0 is published"
    );
    succeeded(decide(&["Q91", "adopt", "--version", "1.2.0"]));
    succeeded(decide(&["$ECOG_OK", "adopt", "--version", "1.2.0"]));
    let second = decide(&["Q94", "adopt", "--version", "1.2.0"]);
    assert!(
        !second.success && second.err.contains("already"),
        "{}",
        second.err
    );
    let slip = decide(&["Q95", "adopt", "--version", "1.2.0"]);
    assert!(
        !slip.success && slip.err.contains("no_such_element"),
        "{}",
        slip.err
    );

    let decisions = std::fs::read_to_string(folder.join(HOME).join("decisions.toml")).expect("decisions");
    assert!(
        decisions.contains("2026-11-20") && decisions.contains("rejected") && decisions.contains("1.2.0")
    );
    assert!(
        !decisions.contains("Q94") && !decisions.contains("Q95"),
        "what fails is not decided"
    );
    let checked = succeeded(registry.run(&["rules", "check", "schema"]));
    assert!(
        checked.contains("1.1.0: 98 measures") && checked.contains("1.2.0: 98 measures"),
        "{checked}"
    );
    let parameters =
        std::fs::read_to_string(folder.join(HOME).join("1.2.0/parameters.toml")).expect("parameters");
    let ecog = parameters.split("[ECOG_OK]").nth(1).expect("the parameter");
    assert!(ecog[..80].contains("committee"), "{}", &ecog[..80]);
    let published =
        std::fs::read_to_string(folder.join(HOME).join("1.1.0/parameters.toml")).expect("parameters");
    let frozen =
        std::fs::read_to_string(schema().join(HOME).join("1.1.0/parameters.toml")).expect("parameters");
    assert_eq!(published, frozen, "the published version stays");

    let preview = succeeded(registry.run(&["rules", "preview", "schema", "--format", "json"]));
    let preview: Value = serde_json::from_str(&preview).expect("JSON");
    assert_eq!(preview["cases"], 2);
    assert_eq!(
        (&preview["base"]["version"], &preview["other"]["version"]),
        (&Value::from("1.1.0"), &Value::from("1.2.0"))
    );
    let changed: Vec<&Value> = preview["measures"]
        .as_array()
        .expect("measures")
        .iter()
        .filter(|change| change["units_changed"] != 0)
        .collect();
    assert_eq!(changed.len(), 1, "measure 6 and no other");
    assert_eq!(changed[0]["measure"], "6");
    assert_eq!(changed[0]["units_changed"], 2);
    assert_eq!(changed[0]["moves"][0]["to"], "NOT_IN_DENOM");
    assert_eq!(changed[0]["centres"][0]["centre"], "C01");
    let table = succeeded(registry.run(&["rules", "preview", "schema"]));
    assert!(table.contains("no finding would change"), "{table}");
}

#[test]
fn documents_are_assessed_without_a_server_or_a_database() {
    let registry = Registry::new();
    let patients = schema().join(HOME).join("1.1.0/patients");
    let folder = registry.folder().join("cases");
    std::fs::create_dir(&folder).expect("a folder");
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(patients.join("24c-1.json")).expect("a patient"))
            .expect("JSON");
    let mut document = expected["document"].clone();
    document["patient"]["pseudonym_id"] = Value::from("AS-1");
    std::fs::write(folder.join("a.json"), document.to_string()).expect("written");
    std::fs::write(folder.join("b.json"), "{\"a\": 1, \"a\": 2}").expect("written");
    let mut lines = document.to_string();
    lines.push('\n');
    std::fs::write(folder.join("c.ndjson"), lines.repeat(2)).expect("written");
    let centres = patients.join("centres.json");
    let ended = registry.run(&[
        "assess",
        "cases",
        "--as-given",
        "--measure",
        "24c",
        "--format",
        "json",
        "--centres",
        centres.to_str().expect("a path"),
    ]);
    assert!(!ended.success, "one document does not read");
    assert!(
        ended.err.contains("b.json") && ended.err.contains("same key twice"),
        "{}",
        ended.err
    );
    let rows: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(rows.len() % 3, 0);
    let unit = expected["unit_index"].as_u64().unwrap_or(0);
    let of_unit: Vec<&Value> = rows.iter().filter(|row| row["unit_index"] == unit).collect();
    assert_eq!(of_unit.len(), 3, "one document of a.json, two of c.ndjson");
    for row in of_unit {
        assert_eq!(row["outcome"], expected["expected"]["outcome"]);
        assert_eq!(
            (&row["case"], &row["measure"]),
            (&Value::from("AS-1"), &Value::from("24c"))
        );
    }
    let table = succeeded(registry.run(&["assess", "cases/a.json", "--as-given"]));
    for measure in [" 1a ", " 10b2 ", " 24c ", " 39b ", " 24 ", " 18 "] {
        assert!(table.contains(measure), "{measure} is in {table}");
    }
    assert!(
        !registry
            .run(&["assess", "cases/a.json", "--measure", "99z"])
            .success
    );
    let figure = schema().join("examples/1.0.0/valid/figure-1.json");
    let judged = succeeded(registry.run(&[
        "assess",
        figure.to_str().expect("a path"),
        "--cut-off",
        "2026-11-23",
        "--measure",
        "24a",
        "--centre",
        "C01",
    ]));
    // Four metastasectomies of a patient whose primary was resected completely (see the golden file of Figure 1).
    assert_eq!(
        judged.lines().filter(|line| line.contains(" MET")).count(),
        4,
        "{judged}"
    );
}

/// A decision on a histology is kept only when the schema reads with it.
#[test]
fn a_decision_on_a_histology_is_recorded_or_taken_back() {
    let registry = Registry::new();
    let folder = own_schema(&registry);
    let file = folder.join("adjudication/decisions.toml");
    let decide = |arguments: &[&str]| {
        let mut all = vec!["rules", "histology"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&[
            "--by",
            "Committee",
            "--reason",
            "For this test",
            "--date",
            "2026-11-20",
        ]);
        registry.run(&all)
    };
    assert!(!decide(&["pleomorphic", "core"]).success, "no morphology");
    let placed = decide(&["8858/3", "excluded"]);
    assert!(
        !placed.success && placed.err.contains("placed by the table"),
        "{}",
        placed.err
    );
    assert!(!file.exists(), "what fails is not decided");
    succeeded(decide(&["8854/3", "core", "--counts-as", "ups"]));
    let first = std::fs::read_to_string(&file).expect("decisions");
    assert!(!decide(&["8800/9", "core", "--counts-as", "no_such"]).success);
    assert_eq!(std::fs::read_to_string(&file).expect("decisions"), first);
    succeeded(decide(&["8854/3", "not_listed"]));
    let both = std::fs::read_to_string(&file).expect("decisions");
    assert!(
        both.starts_with(&first) && both.contains("\"not_listed\"") && both.contains("2026-11-20"),
        "{both}"
    );
    let checked = succeeded(registry.run(&["rules", "check", "schema"]));
    assert!(checked.contains("worklist: 4 phases"), "{checked}");
}

#[test]
fn what_is_stored_is_judged_again_after_a_decision_of_the_committee() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let path = "/api/v1/cases/ANGIO-1";
    let mut body = case("ANGIO-1");
    body["primary"]["icdo_morphology"] = serde_json::json!("9120/3");
    let ask = |base: &str, path: &str| {
        send(base, Some(&key), "GET", path, &[], None)
            .expect("an answer")
            .json()
    };
    let stored = send(
        &served.base,
        Some(&key),
        "PUT",
        path,
        &[JSON],
        Some(&body.to_string()),
    )
    .expect("an answer");
    assert_eq!(stored.status, 201, "{}", stored.text);
    let open = |base: &str| -> Vec<Value> {
        let queries = ask(base, "/api/v1/queries?state=open");
        let all = queries["queries"].as_array().expect("queries").iter();
        all.filter(|query| query["rule"] == "E-016").cloned().collect()
    };
    assert_eq!(open(&served.base).len(), 1);
    let etag = stored.header("etag").expect("a tag").to_owned();
    drop(served);

    own_schema(&registry);
    succeeded(registry.run(&[
        "rules",
        "histology",
        "9120/3",
        "extended",
        "--counts-as",
        "ups",
        "--by",
        "committee",
        "--reason",
        "as agreed",
    ]));
    let told = succeeded(registry.run(&["cases", "rejudge"]));
    assert!(
        told.starts_with("1 cases judged again: 0 with another verdict"),
        "the compiled-in schema knows no decision: {told}"
    );
    let told = succeeded(registry.run_with(&["cases", "rejudge"], &[("REGISTRY_SCHEMA__FOLDER", "schema")]));
    assert!(
        told.starts_with("1 cases judged again: 1 with another verdict"),
        "{told}"
    );
    let told = succeeded(registry.run_with(&["cases", "rejudge"], &[("REGISTRY_SCHEMA__FOLDER", "schema")]));
    assert!(
        told.starts_with("1 cases judged again: 0 with another verdict"),
        "{told}"
    );

    let served = registry.serve();
    assert_eq!(open(&served.base), Vec::<Value>::new());
    let row = ask(&served.base, "/api/v1/cases")["cases"][0].clone();
    assert_eq!(row["derived"]["histology_code"], "ups", "{row}");
    assert_eq!(
        (&row["version"], &row["etag"]),
        (&serde_json::json!(1), &serde_json::json!(etag))
    );
    let resolved = ask(&served.base, &format!("{path}/findings?state=resolved"));
    assert_eq!(resolved["findings"][0]["code"], "E-016");
    registry
        .open(false)
        .verify_audit(None)
        .expect("the chain is whole");
}
