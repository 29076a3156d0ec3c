//! Section 3: what each test says of each kind of leaf.

use registry_core::record::{CellRef, CentreTable};
use serde_json::{Value, json};

use crate::support::{LAYOUT, guideline, one_measure, read};

/// The rows of the table: a name and what the document holds.
fn leaves(value: Value) -> Vec<(&'static str, Value)> {
    vec![
        ("value", value),
        ("not_applicable", json!({"absent": "not_applicable"})),
        ("not_done", json!({"absent": "not_done"})),
        ("unknown", json!({"absent": "unknown"})),
        ("pending", json!({"absent": "pending"})),
        ("withheld", json!({"absent": "withheld"})),
        ("null", Value::Null),
        ("blocked", json!(1)),
    ]
}

/// One letter per row: T, F, r (U unknown_recorded), m (U missing), e (U edit_error).
fn column(path: &str, value: Value, test: &str) -> String {
    let (entity, element) = path.split_once('.').unwrap();
    let guideline =
        guideline(&one_measure(test, Some(entity), &json!({}))).unwrap_or_else(|errors| panic!("{errors}"));
    leaves(value)
        .into_iter()
        .map(|(name, leaf)| {
            let document = json!({
                "record": {"data_cutoff_date": "2025-06-30", "submitted_at": "2025-06-30T12:00:00Z"},
                entity: [{element: leaf, "presentation_seq": 1}]});
            let mut record = read(&document, &CentreTable::default());
            if name == "blocked" {
                let (entity, element) = LAYOUT.path(path).unwrap();
                record.block(CellRef {
                    entity,
                    row: 0,
                    element,
                });
            }
            let results = guideline.evaluate(&record);
            match results[0].reason.map(|reason| reason.as_str()) {
                None => {
                    if results[0].outcome.as_str() == "USED" {
                        'T'
                    } else {
                        'F'
                    }
                }
                Some(reason) => {
                    assert_eq!(results[0].element.as_deref(), Some(path), "{test} on {name}");
                    match reason {
                        "unknown_recorded" => 'r',
                        "missing" => 'm',
                        "edit_error" => 'e',
                        other => panic!("{other}"),
                    }
                }
            }
        })
        .collect()
}

/// value, not_applicable, not_done, unknown, pending, withheld, null, blocked.
const EQUAL: &str = "TFrrrrme";
const NOT_EQUAL: &str = "Trrrrrme";

/// The inner comparison has its own answer to what is not applicable: no; and that is then turned.
#[test]
fn a_comparison_is_turned_and_an_element_is_compared() {
    let flag = |test: &str| column("systemic.in_trial", json!(true), test);
    assert_eq!(flag("systemic.in_trial = false"), "FFrrrrme");
    assert_eq!(flag("(systemic.in_trial = true) = false"), "FTrrrrme");
    assert_eq!(flag("NOT (systemic.in_trial = true)"), "FTrrrrme");
    assert_eq!(flag("(systemic.in_trial = true) = true"), EQUAL);
}

#[test]
fn comparisons_of_every_type() {
    for (path, value, equal, not_equal) in [
        (
            "imaging.modality",
            json!("ct"),
            "imaging.modality = 'ct'",
            "imaging.modality <> 'mri'",
        ),
        (
            "imaging.modality",
            json!("ct"),
            "imaging.modality IN {'ct', 'mri'}",
            "imaging.modality NOT IN {'mri'}",
        ),
        (
            "systemic.in_trial",
            json!(true),
            "systemic.in_trial = true",
            "systemic.in_trial <> false",
        ),
        (
            "systemic.in_trial",
            json!(true),
            "systemic.in_trial",
            "systemic.in_trial <> false",
        ),
        (
            "assessment.ecog",
            json!(1),
            "assessment.ecog = 1",
            "assessment.ecog <> 2",
        ),
        (
            "assessment.ecog",
            json!(1),
            "assessment.ecog <= 1",
            "assessment.ecog <> 2",
        ),
        (
            "assessment.ecog",
            json!(1),
            "assessment.ecog IN [0, 2]",
            "assessment.ecog <> 0",
        ),
        (
            "mdt.disciplines",
            json!(["radiology"]),
            "mdt.disciplines = {'radiology'}",
            "mdt.disciplines <> {'pathology'}",
        ),
        (
            "mdt.disciplines",
            json!([]),
            "mdt.disciplines = {}",
            "mdt.disciplines <> {'pathology'}",
        ),
        (
            "mdt.date",
            json!("2024-01-10"),
            "mdt.date = $ON_2024_01_10",
            "mdt.date <> $ON_2024_01_11",
        ),
        (
            "mdt.date",
            json!("2024-01-10"),
            "mdt.date < $ON_2024_01_11",
            "mdt.date <> $ON_2024_01_11",
        ),
    ] {
        assert_eq!(column(path, value.clone(), equal), EQUAL, "{equal}");
        assert_eq!(column(path, value, not_equal), NOT_EQUAL, "{not_equal}");
    }
}

#[test]
fn set_functions() {
    let set = json!(["radiology", "pathology"]);
    for test in [
        "HAS(mdt.disciplines, 'radiology')",
        "HAS_ANY(mdt.disciplines, {'radiology', 'palliative_care'})",
        "HAS_ALL(mdt.disciplines, {'radiology', 'pathology'})",
        "SUBSET(mdt.disciplines, {'radiology', 'pathology', 'palliative_care'})",
    ] {
        assert_eq!(column("mdt.disciplines", set.clone(), test), EQUAL, "{test}");
    }
    // An empty set is recorded.
    assert_eq!(
        column("mdt.disciplines", json!([]), "HAS(mdt.disciplines, 'radiology')"),
        "FFrrrrme"
    );
    assert_eq!(
        column(
            "mdt.disciplines",
            json!([]),
            "SUBSET(mdt.disciplines, {'radiology'})"
        ),
        "TFrrrrme"
    );
}

#[test]
fn the_questions_about_absence() {
    for (path, value) in [
        ("imaging.modality", json!("ct")),
        ("systemic.in_trial", json!(false)),
        ("assessment.ecog", json!(0)),
        ("mdt.disciplines", json!([])),
        ("mdt.date", json!("2024")),
    ] {
        for (test, expected) in [
            ("REC", "TTFrrrme"),
            ("ASCERT", "TTFFrrme"),
            ("NA", "FTFFrrme"),
            ("KNOWN", "TFFFFFFT"),
            ("MISSING", "FFFFFFTF"),
        ] {
            assert_eq!(
                column(path, value.clone(), &format!("{test}({path})")),
                expected,
                "{test}({path})"
            );
        }
    }
    for (code, expected) in [
        ("not_applicable", "FTFFFFFF"),
        ("not_done", "FFTFFFFF"),
        ("unknown", "FFFTFFFF"),
        ("pending", "FFFFTFFF"),
        ("withheld", "FFFFFTFF"),
    ] {
        assert_eq!(
            column(
                "assessment.ecog",
                json!(1),
                &format!("ABSENT(assessment.ecog, '{code}')")
            ),
            expected
        );
    }
}

#[test]
fn arithmetic_hands_absence_on() {
    assert_eq!(
        column("assessment.ecog", json!(1), "assessment.ecog + 1 = 2"),
        EQUAL
    );
    assert_eq!(
        column("assessment.ecog", json!(1), "ABS(0 - assessment.ecog) <> 2"),
        NOT_EQUAL
    );
    assert_eq!(
        column("mdt.date", json!("2024-01-10"), "YEAR(mdt.date) = $N2024"),
        EQUAL
    );
    assert_eq!(
        column("mdt.date", json!("2024-01-10"), "mdt.date + 1d = $ON_2024_01_11"),
        EQUAL
    );
    assert_eq!(
        column(
            "mdt.date",
            json!("2024-01-10"),
            "DAYS(mdt.date, $ON_2024_01_11) = 1d"
        ),
        EQUAL
    );
    // MIN and MAX leave out what is not applicable.
    assert_eq!(
        column(
            "mdt.date",
            json!("2024-01-10"),
            "MIN(mdt.date, $ON_2024_01_11) <= $ON_2024_01_11"
        ),
        "TTrrrrme"
    );
}

#[test]
fn implausible_values_are_edit_errors() {
    assert_eq!(
        column("biopsy.gauge", json!(1), "UNKNOWN(biopsy.gauge)"),
        "eeeeeeee"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_missing() {
    assert_eq!(
        column("assessment.ecog", json!("1"), "MISSING(assessment.ecog)"),
        "TFFFFFTF"
    );
    assert_eq!(
        column("mdt.date", json!("2024-02-30"), "MISSING(mdt.date)"),
        "TFFFFFTF"
    );
    assert_eq!(
        column(
            "mdt.disciplines",
            json!(["radiology", 1]),
            "MISSING(mdt.disciplines)"
        ),
        "TFFFFFTF"
    );
}
