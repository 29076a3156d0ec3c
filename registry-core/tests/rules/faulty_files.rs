//! Errors of whole files: measures that refer to each other, missing or contradictory fields, hostile size.

use registry_core::rules::{RuleErrors, parse};
use serde_json::{Value, json};

use crate::support::{guideline, one_check, one_measure, toml_text};

fn codes(files: &[(String, String)]) -> Vec<&'static str> {
    guideline(files)
        .err()
        .expect("an error")
        .iter()
        .map(|error| error.code)
        .collect()
}

fn with(files: &[(String, String)], change: impl Fn(&mut Value)) -> Vec<(String, String)> {
    let mut files = files.to_vec();
    let mut measure: Value = toml::from_str(&files[2].1).unwrap();
    change(&mut measure);
    files[2].1 = toml_text(&measure);
    files
}

#[test]
fn recursion() {
    let circle = json!({"definitions": {"A": "B = T0 OR T0 = T0", "B": "IF A THEN T0 ELSE CUT END"}});
    let errors: RuleErrors = guideline(&one_measure("A", None, &circle)).err().unwrap();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert_eq!(
        (errors.0[0].code, errors.0[0].file.as_str()),
        ("recursion", "guideline.toml")
    );
    let own = json!({"let": {"A": "NOT A"}});
    assert_eq!(codes(&one_measure("A", None, &own)), ["recursion"]);
    assert_eq!(
        codes(&one_measure("MEASURE('m') = 'MET'", None, &json!({}))),
        ["recursion"]
    );
    assert_eq!(codes(&one_measure("DENOM('m')", None, &json!({}))), ["recursion"]);
    let mut two = one_measure("MEASURE('n') = 'MET'", None, &json!({}));
    let second = with(&two, |measure| {
        measure["id"] = json!("n");
        measure["numerator"] = json!("DENOM('m')");
    });
    two.push(("measures/n.toml".into(), second[2].1.clone()));
    assert_eq!(codes(&two), ["recursion", "recursion"]);
}

#[test]
fn a_result_is_compared_with_an_outcome_that_is_known() {
    let mut two = one_measure("MEASURE('n') = 'NOT_ASSESSABLE'", None, &json!({}));
    let second = with(&two, |measure| {
        measure["id"] = json!("n");
        measure["numerator"] = json!("true");
    });
    two.push(("measures/n.toml".into(), second[2].1.clone()));
    assert_eq!(codes(&two), ["code_not_in_list"]);
}

#[test]
fn measures_of_another_unit_do_not_mix() {
    let mut two = one_measure("MEASURE('n') = 'MET'", None, &json!({}));
    let second = with(&two, |measure| {
        measure["id"] = json!("n");
        measure["unit_entity"] = json!("lesion");
        measure["numerator"] = json!("true");
    });
    two.push(("measures/n.toml".into(), second[2].1.clone()));
    assert_eq!(codes(&two), ["other_unit"]);
    assert_eq!(
        one_check("MEASURE('n') = 'MET'", "record", &[]).err().unwrap().0[0].code,
        "only_in_measures"
    );
}

#[test]
fn a_measure_file() {
    let fine = one_measure("true", None, &json!({}));
    assert!(guideline(&fine).is_ok());
    let one = |change: &dyn Fn(&mut Value)| codes(&with(&fine, change));
    assert_eq!(
        one(&|measure| measure["unit_entity"] = json!("patients")),
        ["unknown_unit"]
    );
    assert_eq!(
        one(&|measure| measure["unit_entity"] = json!("primary")),
        ["unknown_unit"]
    );
    assert_eq!(
        one(&|measure| measure["population"] = json!("core")),
        ["unknown_population"]
    );
    assert_eq!(
        one(&|measure| measure["kind"] = json!("quality")),
        ["unknown_kind"]
    );
    assert_eq!(
        one(&|measure| measure["parameters"] = json!(["N1"])),
        ["parameters_differ"]
    );
    assert_eq!(
        one(&|measure| measure["numeratr"] = json!("true")),
        ["unreadable"]
    );
    assert_eq!(
        one(&|measure| measure["let"] = json!({"FT": "true"})),
        ["reserved_name"]
    );
    assert_eq!(
        one(&|measure| measure["let"] = json!({"EXISTS": "true"})),
        ["reserved_name"]
    );
    assert_eq!(
        one(&|measure| measure["let"] = json!({"lower": "true"})),
        ["reserved_name"]
    );
    let mut unread = fine.clone();
    unread[1]
        .1
        .push_str("\n[UNREAD_DAYS]\nvalue = 3\ntype = \"days\"\nbasis = \"test\"\n");
    let errors = guideline(&unread).err().unwrap();
    assert_eq!(
        (errors.0[0].code, errors.0[0].file.as_str()),
        ("parameter_never_read", "parameters.toml")
    );
    assert_eq!(
        unread[1].1.lines().nth(errors.0[0].line - 1),
        Some("[UNREAD_DAYS]")
    );
    let mut bad = fine.clone();
    bad[1]
        .1
        .push_str("\n[UNREAD_DAYS]\nvalue = \"x\"\ntype = \"days\"\nbasis = \"test\"\n");
    let errors = guideline(&bad).err().unwrap();
    assert_eq!((errors.0[0].code, errors.0[0].column), ("bad_parameter", 9));
    let mut twice = fine.clone();
    twice.push(("measures/again.toml".into(), fine[2].1.clone()));
    assert_eq!(codes(&twice), ["twice"]);
    let mut language = fine.clone();
    language[0].1 = format!("language_version = \"2.0\"\n{}", language[0].1);
    assert_eq!(codes(&language), ["language_version"]);
}

#[test]
fn a_place_inside_a_multi_line_text_and_inside_a_definition() {
    let mut files = one_measure(
        "G AND primary.side = 'left'",
        None,
        &json!({"definitions": {"G": "true"}}),
    );
    files[2].1 = files[2].1.replace(
        "numerator = \"G AND primary.side = 'left'\"",
        "numerator = '''\nprimary.side = 'left'\n  AND primary.side = 'up'\n'''",
    );
    let errors = guideline(&files).err().unwrap();
    let line = files[2].1.lines().position(|line| line.contains("'up'")).unwrap() + 1;
    assert_eq!((errors.0[0].line, errors.0[0].column), (line, 22), "{errors}");
    files = one_measure("G", None, &json!({"definitions": {"G": "primary.side = 'up'"}}));
    let errors = guideline(&files).err().unwrap();
    assert_eq!(
        (errors.0[0].file.as_str(), errors.0[0].code),
        ("guideline.toml", "code_not_in_list")
    );
    assert!(errors.0[0].message.starts_with("in `G`: "), "{errors}");
}

#[test]
fn an_edit_check_file() {
    let code =
        |text: &str, scope: &str, blocks: &[&str]| one_check(text, scope, blocks).err().unwrap().0[0].code;
    assert_eq!(code("true", "scans", &[]), "unknown_entity");
    assert_eq!(code("true", "imaging", &["imaging.colour"]), "unknown_element");
    assert_eq!(code("true", "imaging", &["*.colour"]), "unknown_element");
    assert_eq!(code("EXISTS(imaging)", "imaging", &[]), "already_bound");
    assert_eq!(code("presentation.seq = 1", "imaging", &[]), "unbound_row");
    assert!(one_check("true", "imaging", &["*", "*.date", "imaging.date"]).is_ok());
    assert!(one_check("EXISTS(presentation) AND record.centre_id = 'x'", "record", &[]).is_ok());
}

#[test]
fn hostile_depth_is_refused() {
    for text in [
        "(".repeat(100_000),
        "NOT ".repeat(100_000),
        "{".repeat(100_000),
        format!("{}true{}", "(".repeat(60), ")".repeat(60)),
        "IF ".repeat(10_000),
        "EXISTS(imaging WHERE ".repeat(10_000),
        format!("T0{}", " + 1d".repeat(100_000)),
    ] {
        assert_eq!(parse(&text).unwrap_err().code, "unparsable");
    }
}

#[test]
fn definitions_cannot_explode() {
    let mut definitions = json!({"D0": "T0 = T0"});
    for at in 1..40 {
        definitions[format!("D{at}")] = json!(format!("D{} AND D{}", at - 1, at - 1));
    }
    assert!(codes(&one_measure("D39", None, &json!({"definitions": definitions}))).contains(&"too_large"));
}
