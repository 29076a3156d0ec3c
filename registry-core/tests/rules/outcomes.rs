//! Sections 10 and 11: the order in which the parts of a measure decide, and what an edit check blocks.

use registry_core::guideline::{Guideline, Step};
use registry_core::record::CentreTable;
use registry_core::rules::{CheckSet, RuleErrors};
use serde_json::{Value, json};

use crate::support::{LAYOUT, example, guideline, one_check, one_measure, read, toml_text, truth};

/// T, F and three unknowns that can be told apart.
fn text(letter: char) -> &'static str {
    match letter {
        'T' => "true",
        'F' => "false",
        'a' => "primary.side = 'left'",
        'b' => "primary.multifocal = true",
        'c' => "primary.size_mm = 1",
        other => panic!("{other}"),
    }
}

/// The result of a measure with these parts: population, denominator, exclusion, numerator, exception.
fn outcome(kind: &str, parts: &str) -> String {
    let mut letters = parts.chars();
    let mut next = || text(letters.next().unwrap());
    let mut files = one_measure("true", None, &json!({}));
    let mut head: Value = toml::from_str(&files[0].1).unwrap();
    head["populations"]["everyone"] = json!(next());
    let mut measure: Value = toml::from_str(&files[2].1).unwrap();
    for field in ["denominator", "exclusion", "numerator", "exception"] {
        measure[field] = json!(next());
    }
    measure["kind"] = json!(kind);
    files[0].1 = toml_text(&head);
    files[2].1 = toml_text(&measure);
    let record = read(&example(), &CentreTable::default());
    let results = guideline(&files)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .evaluate(&record);
    let element = results[0]
        .element
        .as_deref()
        .map(|element| format!(" {element}"))
        .unwrap_or_default();
    format!(
        "{}{element} by {}",
        results[0].outcome.as_str(),
        results[0].step.as_str()
    )
}

#[test]
fn the_first_part_that_decides_wins() {
    let left = "NOT_ASSESSABLE primary.side";
    let multifocal = "NOT_ASSESSABLE primary.multifocal";
    for (parts, adherence, utilisation) in [
        ("FTTTT", "NOT_IN_DENOM by population".to_owned(), None),
        ("aFTTT", format!("{left} by population"), None),
        ("TFTTT", "NOT_IN_DENOM by denominator".into(), None),
        ("TaTTT", format!("{left} by denominator"), None),
        ("TTTTT", "EXCLUDED by exclusion".into(), None),
        ("TTaTT", format!("{left} by exclusion"), None),
        (
            "TTFTT",
            "MET by numerator".into(),
            Some("USED by numerator".to_owned()),
        ),
        (
            "TTFTa",
            "MET by numerator".into(),
            Some("USED by numerator".into()),
        ),
        (
            "TTFFT",
            "EXCEPTED by exception".into(),
            Some("NOT_USED by numerator".into()),
        ),
        ("TTFaT", "EXCEPTED by exception".into(), None),
        ("TTFab", format!("{left} by numerator"), None),
        ("TTFaF", format!("{left} by numerator"), None),
        (
            "TTFFb",
            format!("{multifocal} by exception"),
            Some("NOT_USED by numerator".into()),
        ),
        (
            "TTFFF",
            "NOT_MET by numerator".into(),
            Some("NOT_USED by numerator".into()),
        ),
    ] {
        for kind in ["adherence", "avoidance", "documentation"] {
            assert_eq!(outcome(kind, parts), adherence, "{parts}");
        }
        assert_eq!(
            outcome("utilisation", parts),
            utilisation.unwrap_or(adherence),
            "{parts}"
        );
    }
}

#[test]
fn unknown_conditions() {
    for (condition, expected) in [
        ("IF primary.side = 'left' THEN true ELSE true END", "T"),
        ("IF primary.side = 'left' THEN false ELSE false END", "F"),
        (
            "IF primary.side = 'left' THEN true ELSE false END",
            "U missing primary.side",
        ),
        (
            "IF primary.side = 'left' THEN primary.multifocal = true ELSE primary.multifocal = true END",
            "U missing primary.side",
        ),
        ("IF T0 < A0 THEN T0 ELSE A0 END = T0", "T"),
        (
            "IF primary.side = 'left' THEN T0 ELSE A0 END = T0",
            "U missing primary.side",
        ),
        ("IF true THEN {'left'} ELSE {} END = {'left'}", "T"),
        (
            "primary.side = 'left' AND primary.multifocal = true",
            "U missing primary.side",
        ),
        (
            "primary.multifocal = true OR primary.side = 'left'",
            "U missing primary.multifocal",
        ),
        ("primary.side = 'left' AND false", "F"),
        ("primary.side = 'left' OR true", "T"),
        ("NOT primary.side = 'left'", "U missing primary.side"),
        ("NOT NOT NOT false", "T"),
        ("true AND NOT false OR false", "T"),
        ("(primary.side = 'left') = false", "U missing primary.side"),
        ("(T0 < A0) <> true", "F"),
        ("(T0 < A0) <> false", "T"),
        ("false = (T0 < A0)", "F"),
    ] {
        assert_eq!(truth(condition, &example()), expected, "{condition}");
    }
}

fn family(first: &Value, second: &Value) -> Result<Guideline, RuleErrors> {
    let mut files = one_measure("true", None, &json!({}));
    let mut head: Value = toml::from_str(&files[0].1).unwrap();
    head["populations"]["nobody"] = json!("false");
    files[0].1 = toml_text(&head);
    let base: Value = toml::from_str(&files[2].1).unwrap();
    files.truncate(2);
    for (id, change) in [("a", first), ("b", second)] {
        let mut measure = base.clone();
        measure["id"] = json!(id);
        for (key, value) in change.as_object().unwrap() {
            measure[key] = value.clone();
        }
        files.push((format!("measures/{id}.toml"), toml_text(&measure)));
    }
    guideline(&files)
}

#[test]
fn a_measure_can_read_another() {
    let record = read(&example(), &CentreTable::default());
    let second = |first: Value, numerator: &str| {
        let guideline =
            family(&first, &json!({"numerator": numerator})).unwrap_or_else(|errors| panic!("{errors}"));
        let result = guideline.evaluate(&record).remove(1);
        let element = result
            .element
            .map(|element| format!(" {element}"))
            .unwrap_or_default();
        format!("{}{element}", result.outcome.as_str())
    };
    assert_eq!(second(json!({}), "MEASURE('a') = 'USED'"), "USED");
    assert_eq!(
        second(json!({"numerator": "false"}), "MEASURE('a') = 'USED'"),
        "NOT_USED"
    );
    assert_eq!(
        second(json!({"numerator": "false"}), "MEASURE('a') <> 'USED'"),
        "USED"
    );
    assert_eq!(
        second(
            json!({"numerator": "primary.side = 'left'"}),
            "MEASURE('a') = 'USED'"
        ),
        "NOT_ASSESSABLE primary.side"
    );
    assert_eq!(
        second(
            json!({"exclusion": "true"}),
            "MEASURE('a') IN {'EXCLUDED', 'EXCEPTED'}"
        ),
        "USED"
    );
    // DENOM is the denominator alone.
    assert_eq!(second(json!({"population": "nobody"}), "DENOM('a')"), "USED");
    assert_eq!(second(json!({"exclusion": "true"}), "DENOM('a')"), "USED");
    assert_eq!(
        second(json!({"denominator": "primary.side = 'left'"}), "DENOM('a')"),
        "NOT_ASSESSABLE primary.side"
    );
    // Inside a quantifier the rows bound stay bound.
    let inside = "EXISTS(systemic WHERE DENOM('a') AND systemic.setting = 'metastatic')";
    assert_eq!(
        second(
            json!({"denominator": "EXISTS(imaging WHERE imaging.modality = 'ct')"}),
            inside
        ),
        "USED"
    );
}

fn blocked(text: &str, scope: &str, blocks: &[&str], measure: &str, unit: Option<&str>) -> Vec<String> {
    let set = one_check(text, scope, blocks).unwrap_or_else(|errors| panic!("{errors}"));
    let guideline =
        guideline(&one_measure(measure, unit, &json!({}))).unwrap_or_else(|errors| panic!("{errors}"));
    let mut record = read(&example(), &CentreTable::default());
    let fired = set.run(&record);
    set.block(&mut record, &fired);
    let results = guideline.evaluate(&record);
    results
        .iter()
        .map(|result| match result.reason {
            None => result.outcome.as_str().to_owned(),
            Some(reason) => format!("{} {}", reason.as_str(), result.element.as_deref().unwrap_or("-")),
        })
        .collect()
}

#[test]
fn an_error_keeps_its_elements_out() {
    let modality = "imaging.modality = 'ct'";
    let used = "USED".to_owned();
    let error = "edit_error imaging.modality".to_owned();
    // Only the row the check fired on, when it has one.
    assert_eq!(
        blocked(
            "imaging.date > $ON_2024_06_01",
            "imaging",
            &["imaging.modality"],
            modality,
            Some("imaging")
        ),
        [used.clone(), used.clone(), error.clone()]
    );
    // All rows, when the record was judged as a whole or the elements are another entity's.
    assert_eq!(
        blocked("true", "record", &["imaging.modality"], modality, Some("imaging")),
        [&*error; 3]
    );
    assert_eq!(
        blocked(
            "true",
            "systemic",
            &["imaging.modality"],
            modality,
            Some("imaging")
        ),
        [&*error; 3]
    );
    assert_eq!(
        blocked("true", "record", &["*.modality"], modality, Some("imaging")),
        [&*error; 3]
    );
    // A check that does not fire blocks nothing; unknown does not fire.
    assert_eq!(
        blocked(
            "imaging.purpose = 'staging'",
            "imaging",
            &["imaging.modality"],
            modality,
            Some("imaging")
        ),
        [&*used; 3]
    );
    // The blocked link of a unit blocks its presentation.
    assert_eq!(
        blocked(
            "true",
            "lesion",
            &["lesion.presentation_seq"],
            "presentation.seq = 1",
            Some("lesion")
        ),
        ["edit_error presentation.seq"; 2]
    );
    assert_eq!(
        blocked("true", "record", &["*"], modality, Some("imaging")),
        [&*used; 3]
    );
}

#[test]
fn warnings_and_rejections_block_nothing() {
    for severity in ["warning", "reject"] {
        let check = json!({"id": "E-900", "severity": severity, "scope": "record", "evaluated_by": "rule",
            "rule_in_words": "r", "message": "m", "expression": "true", "blocks": ["primary.fnclcc_grade"], "parameters": []});
        let text = toml_text(&check);
        let set = CheckSet::compile(&[("checks/E-900.toml", &text)], None, &LAYOUT)
            .unwrap_or_else(|errors| panic!("{errors}"));
        let mut record = read(&example(), &CentreTable::default());
        let fired = set.run(&record);
        assert_eq!(fired.len(), 1);
        set.block(&mut record, &fired);
        assert_eq!(record.single("primary.fnclcc_grade").as_number(), Some(3.0));
    }
}

#[test]
fn a_fired_check_tells_where_and_what_it_read() {
    let place = |text: &str, scope: &str, blocks: &[&str]| {
        let set = one_check(text, scope, blocks).unwrap_or_else(|errors| panic!("{errors}"));
        let record = read(&example(), &CentreTable::default());
        let fired = set.run(&record);
        (fired[0].pointer(&set, &record), fired[0].elements(&LAYOUT))
    };
    let elements = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        place(
            "imaging.modality = 'ct' AND imaging.date > $ON_2024_06_01",
            "imaging",
            &[]
        ),
        (
            "/imaging/2".to_owned(),
            elements(&["imaging.date", "imaging.modality"])
        )
    );
    assert_eq!(
        place("imaging.date > $ON_2024_06_01", "imaging", &["imaging.date"]).0,
        "/imaging/2/date"
    );
    assert_eq!(
        place("primary.fnclcc_grade = $N3", "record", &["primary.fnclcc_grade"]).0,
        "/primary/fnclcc_grade"
    );
    assert_eq!(
        place("primary.fnclcc_grade = $N3", "record", &[]),
        (String::new(), elements(&["primary.fnclcc_grade"]))
    );
    assert_eq!(
        place(
            "EXISTS(ROWS systemic WHERE systemic.line_number = 1)",
            "record",
            &["systemic.line_number"]
        )
        .0,
        ""
    );
}

#[test]
fn an_explanation_names_the_cells_each_step_read() {
    let guideline = guideline(&one_measure(
        "EXISTS(lesion WHERE lesion.count > 2)",
        None,
        &json!({}),
    ))
    .unwrap_or_else(|errors| panic!("{errors}"));
    let record = read(&example(), &CentreTable::default());
    let explained = guideline.explain(&record, 0, 0).unwrap();
    assert_eq!(explained.result, guideline.evaluate(&record)[0]);
    let steps: Vec<Step> = explained.steps.iter().map(|step| step.step).collect();
    assert_eq!(
        steps,
        [
            Step::Population,
            Step::Denominator,
            Step::Exclusion,
            Step::Numerator
        ]
    );
    let pointers: Vec<String> = explained.steps[3]
        .read
        .iter()
        .map(|at| record.pointer(*at))
        .collect();
    for wanted in [
        "/lesion/0/count",
        "/lesion/1/count",
        "/section_attestation/1/complete_through",
    ] {
        assert!(pointers.contains(&wanted.to_owned()), "{pointers:?}");
    }
    assert!(!pointers.iter().any(|pointer| pointer.starts_with("/imaging")));
    assert!(guideline.explain(&record, 1, 0).is_none());
    assert!(guideline.explain(&record, 0, 1).is_none());
}

#[test]
fn a_sensitivity_run_replaces_one_value_and_has_its_own_digest() {
    let files = one_measure("presentation.total_lesion_count > $N3", None, &json!({}));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let with = |replaced: Value| {
        let replaced = replaced
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Guideline::compile(&files, &LAYOUT, &replaced)
    };
    let record = read(&example(), &CentreTable::default());
    let (plain, lower) = (
        with(json!({})).ok().unwrap(),
        with(json!({"N3": 1})).ok().unwrap(),
    );
    assert_eq!(plain.evaluate(&record)[0].outcome.as_str(), "NOT_USED");
    assert_eq!(lower.evaluate(&record)[0].outcome.as_str(), "USED");
    assert_ne!(plain.digest, lower.digest);
    assert_eq!(
        with(json!({"N4": 1})).err().unwrap().0[0].code,
        "unknown_parameter"
    );
    assert_eq!(with(json!({"N3": "x"})).err().unwrap().0[0].code, "bad_parameter");
}
