//! Every error an expression can have is found when it is compiled, with file, line and column.

use serde_json::json;

use crate::support::{guideline, head, one_measure};

/// The kind and the place (from 1, within the expression) of the only error of a measure's numerator.
fn fault(text: &str, unit: Option<&str>) -> (String, usize) {
    let files = one_measure(text, unit, &json!({"tables": {"known": {"ss": ["ss18"]}}}));
    let errors = match guideline(&files) {
        Ok(_) => panic!("`{text}` compiles"),
        Err(errors) => errors,
    };
    // An expression that is wrong also leaves its parameters unread.
    let own: Vec<_> = errors
        .iter()
        .filter(|error| error.code != "parameter_never_read")
        .collect();
    let [error] = own[..] else {
        panic!("`{text}`: {errors}")
    };
    assert_eq!(error.file, "measures/m.toml", "{error}");
    let line = files[2].1.lines().nth(error.line - 1).unwrap();
    let prefix = line
        .find(text)
        .unwrap_or_else(|| panic!("{error}: not on the line of the expression: {line}"));
    (error.code.to_owned(), error.column - prefix)
}

fn assert_faults(unit: Option<&str>, cases: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (text, code, at) in cases {
        // An empty place is the end of the text.
        let place = if at.is_empty() {
            Some(text.len())
        } else {
            text.find(at)
        };
        let column = place.unwrap_or_else(|| panic!("`{at}` is not in `{text}`")) + 1;
        let found = fault(text, unit);
        if found != ((*code).to_owned(), column) {
            wrong.push(format!(
                "{text}: expected {code} at {column}, found {} at {}",
                found.0, found.1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn text_outside_the_grammar() {
    assert_faults(
        None,
        &[
            ("presentation.seq =", "unparsable", ""),
            ("presentation.seq = 1 T0", "unparsable", "T0"),
            ("(presentation.seq = 1", "unparsable", ""),
            ("0 < presentation.seq < 2", "chained_comparison", "< 2"),
            ("presentation.seq = 1 = true", "chained_comparison", "= true"),
            ("presentation.seq == 1", "unparsable", "= 1"),
            ("presentation . seq = 1", "unparsable", ". seq"),
            ("presentation.timing = \"synchronous\"", "unparsable", "\""),
            ("presentation.timing = 'synchronous", "unparsable", "'"),
            ("presentation.seq = -1", "unparsable", "-1"),
            ("and", "unparsable", "and"),
            ("presentation.seq & 1", "unparsable", "&"),
            ("EXISTS(imaging WHERE)", "unparsable", ")"),
            ("EXISTS(imaging ON imaging.date)", "unparsable", "ON"),
            ("ALL(imaging)", "unparsable", ")"),
            ("COUNT(imaging", "unparsable", ""),
            ("TABLE = 1", "unparsable", "TABLE"),
            ("IF true THEN true END", "unparsable", "END"),
            ("UNKNOWN('x')", "unparsable", "'x'"),
            ("T0 IS 1", "unparsable", "1"),
            ("T0 NOT = 1", "unparsable", "= 1"),
            ("presentation.seq IN [1]", "unparsable", "]"),
            ("NOT", "unparsable", ""),
            ("$n = 1", "unparsable", "$n"),
            ("presentation.seq = 1x", "unparsable", "1x"),
            ("presentation.seq = 1.", "unparsable", "1."),
        ],
    );
}

#[test]
fn magic_numbers() {
    for text in [
        "presentation.seq = 3",
        "presentation.seq = 0.5",
        "T0 + 3d > T0",
        "T0 + 1mo > T0",
        "presentation.seq = 1.5",
    ] {
        assert_eq!(fault(text, None).0, "magic_number", "{text}");
    }
    for text in [
        "presentation.seq = 0",
        "presentation.seq < 2",
        "T0 + 0d < T0 + 2d",
        "T0 - 1d < T0",
    ] {
        assert!(guideline(&one_measure(text, None, &json!({}))).is_ok(), "{text}");
    }
}

#[test]
fn names_that_are_not_there() {
    assert_faults(
        None,
        &[
            ("EXISTS(scan)", "unknown_entity", "scan"),
            (
                "EXISTS(imaging WHERE scan.date = T0)",
                "unknown_entity",
                "scan.date",
            ),
            (
                "EXISTS(imaging WHERE imaging.colour = 'ct')",
                "unknown_element",
                "imaging.colour",
            ),
            ("T9 = T0", "unknown_name", "T9"),
            ("FOO(T0) = T0", "unknown_function", "FOO(T0)"),
            (
                "LOOKUP('unknown', primary.histology_code) = {}",
                "unknown_table",
                "'unknown'",
            ),
            ("MEASURE('none') = 'MET'", "unknown_measure", "'none'"),
            ("ATTESTED(scan, CUT)", "unknown_entity", "scan"),
            (
                "EXISTS(imaging WHERE imaging.modality = 'petct')",
                "code_not_in_list",
                "'petct'",
            ),
            (
                "EXISTS(imaging WHERE imaging.modality IN {'ct', 'petct'})",
                "code_not_in_list",
                "'petct'",
            ),
            (
                "EXISTS(imaging WHERE HAS(imaging.region, 'knee'))",
                "code_not_in_list",
                "'knee'",
            ),
            (
                "HAS_ANY({'knee'}, presentation.staging_exception)",
                "code_not_in_list",
                "'knee'",
            ),
            (
                "primary.histology_code IN LOOKUP('known', primary.histology_code)",
                "code_not_in_list",
                "'known'",
            ),
            (
                "EXISTS(imaging WHERE (IF imaging.modality = 'ct' THEN imaging.modality ELSE 'petct' END) = 'ct')",
                "code_not_in_list",
                "'petct'",
            ),
            (
                "EXISTS(imaging WHERE imaging.modality IN {imaging.modality, 'petct'})",
                "code_not_in_list",
                "'petct'",
            ),
            (
                "HAS({primary.side, primary.histology_code}, 'knee')",
                "code_not_in_list",
                "'knee'",
            ),
            (
                "LOOKUP('known', primary.side) = {}",
                "code_not_in_list",
                "'known'",
            ),
        ],
    );
    let mut files = one_measure("presentation.seq = $N7", None, &json!({}));
    files[1] = head(&json!({})).remove(1);
    assert_eq!(guideline(&files).err().unwrap().0[0].code, "unknown_parameter");
    files = one_measure("T0 = FT", None, &json!({}));
    files[1].1 = files[1].1.replace("PRE_CAP_DAYS", "OTHER_DAYS");
    let codes: Vec<&str> = guideline(&files)
        .err()
        .unwrap()
        .iter()
        .map(|error| error.code)
        .collect();
    assert_eq!(codes, ["unknown_parameter", "parameter_never_read"]);
}

#[test]
fn types_and_units() {
    assert_faults(
        None,
        &[
            (
                "presentation.seq = T0",
                "different_types",
                "presentation.seq = T0",
            ),
            ("presentation.seq = 'one'", "different_types", "'one'"),
            ("presentation.timing = true", "different_types", "true"),
            (
                "DAYS(T0, A0) = MONTHS(T0, A0)",
                "different_types",
                "DAYS(T0, A0) = MONTHS(T0, A0)",
            ),
            (
                "DAYS(T0, A0) + MONTHS(T0, A0) = 1",
                "different_types",
                "DAYS(T0, A0) + MONTHS(T0, A0)",
            ),
            (
                "DAYS(T0, A0) * DAYS(T0, A0) = 1",
                "different_types",
                "DAYS(T0, A0) * DAYS(T0, A0)",
            ),
            ("1 / DAYS(T0, A0) = 1", "different_types", "1 / DAYS(T0, A0)"),
            ("A0 - T0 = 1", "different_types", "A0 - T0"),
            ("1d - T0 = T0", "different_types", "1d - T0"),
            ("T0 * 2 = T0", "different_types", "T0 * 2"),
            ("T0 + 1 = T0", "unitless_duration", "T0 + 1"),
            (
                "T0 + presentation.seq = T0",
                "unitless_duration",
                "T0 + presentation.seq",
            ),
            ("primary.side > 'left'", "no_order", "primary.side > 'left'"),
            (
                "primary.multifocal < true",
                "no_order",
                "primary.multifocal < true",
            ),
            (
                "presentation.staging_exception >= {}",
                "no_order",
                "presentation.staging_exception >= {}",
            ),
            (
                "primary.multifocal = primary.tumour_rupture",
                "different_types",
                "primary.multifocal = primary.tumour_rupture",
            ),
            (
                "primary.side = primary.timing",
                "unknown_element",
                "primary.timing",
            ),
            (
                "primary.side = primary.completeness",
                "different_types",
                "primary.side = primary.completeness",
            ),
            ("primary.side = {'left'}", "set_or_code", "{'left'}"),
            (
                "presentation.staging_exception = 'pregnancy'",
                "set_or_code",
                "'pregnancy'",
            ),
            ("primary.side IN 'left'", "set_or_code", "'left'"),
            (
                "presentation.staging_exception IN {'pregnancy'}",
                "set_or_code",
                "presentation.staging_exception",
            ),
            ("HAS(primary.side, 'left')", "set_or_code", "primary.side"),
            (
                "HAS(presentation.staging_exception, {'pregnancy'})",
                "set_or_code",
                "{'pregnancy'}",
            ),
            ("presentation.seq IN {1}", "different_types", "1}"),
            ("presentation.seq", "different_types", "presentation.seq"),
            ("NOT T0", "different_types", "T0"),
            ("T0", "different_types", "T0"),
            ("'left'", "different_types", "'left'"),
            (
                "presentation.seq NOT IN [1, 2]",
                "not_in_range",
                "presentation.seq NOT IN [1, 2]",
            ),
            ("T0 NOT IN PRE", "not_in_range", "T0 NOT IN PRE"),
            ("T0 IN [1, 2]", "different_types", "T0"),
            ("T0 IN [1, T0]", "different_types", "1, T0"),
            ("T0 = PRE", "window_misplaced", "PRE"),
            ("PRE", "window_misplaced", "PRE"),
            ("DAYS(PRE, T0) = 1", "window_misplaced", "PRE"),
            ("WINDOW_END(T0) = T0", "window_misplaced", "T0)"),
            ("EXISTS(imaging WITHIN [0, 1])", "window_misplaced", "0, 1"),
            ("presentation.seq IS NONE", "different_types", "presentation.seq"),
            ("SUM(lesion : T0) = 1", "different_types", "T0"),
            (
                "YEAR(presentation.seq) = 1",
                "different_types",
                "presentation.seq",
            ),
            ("ABS(T0) = 1", "different_types", "T0"),
            ("MIN(T0, 1) = T0", "different_types", "MIN(T0, 1)"),
            ("IF true THEN T0 ELSE 1 END = T0", "different_types", "1 END"),
            ("COUNT_TRUE(T0) = 1", "different_types", "T0"),
            ("MATCHES(primary.icdo_morphology, $N1)", "different_types", "$N1"),
            ("MATCHES(primary.icdo_morphology, 'a+')", "unparsable", "'a+'"),
            (
                "primary.icdo_morphology = $MORPHOLOGY_PATTERN",
                "different_types",
                "$MORPHOLOGY_PATTERN",
            ),
            (
                "COVERED({'chest'} USING imaging.modality FROM imaging POOL 1d)",
                "set_or_code",
                "imaging.modality",
            ),
            (
                "COVERED({'chest'} USING imaging.region FROM imaging POOL 1)",
                "different_types",
                "1)",
            ),
        ],
    );
}

#[test]
fn rows_and_scope() {
    assert_faults(
        None,
        &[
            ("imaging.modality = 'ct'", "unbound_row", "imaging.modality"),
            ("EXISTS(primary)", "single_entity", "primary"),
            ("EXISTS(record)", "single_entity", "record"),
            (
                "EXISTS(presentation WHERE presentation.seq = 1)",
                "already_bound",
                "presentation WHERE",
            ),
            (
                "EXISTS(imaging WHERE EXISTS(imaging))",
                "already_bound",
                "imaging))",
            ),
            (
                "EXISTS(imaging AS i WHERE EXISTS(biopsy AS i))",
                "already_bound",
                "biopsy AS i",
            ),
            ("EXISTS(imaging AS biopsy)", "alias_is_entity", "imaging AS"),
            (
                "EXISTS(imaging AS i WHERE imaging.modality = 'ct')",
                "unbound_row",
                "imaging.modality",
            ),
            ("EXISTS(centre WITHIN PRE)", "window_on_reference", "centre"),
            (
                "EXISTS(imaging WITHIN [imaging.date, T0])",
                "unbound_row",
                "imaging.date",
            ),
            ("EXISTS(imaging WITHIN PRE ON T0)", "unparsable", "T0"),
            (
                "EXISTS(trial WITHIN PRE ON patient.registration_date)",
                "on_other_row",
                "patient.registration_date",
            ),
            (
                "EXISTS(trial AS t WITHIN PRE ON trial.enrolment_date)",
                "on_other_row",
                "trial.enrolment_date",
            ),
            (
                "EXISTS(trial WITHIN PRE ON trial.outcome)",
                "different_types",
                "trial.outcome",
            ),
            (
                "EXISTS(section_attestation WITHIN PRE)",
                "no_date",
                "section_attestation",
            ),
            (
                "FIRST_DATE(section_attestation) = T0",
                "no_date",
                "section_attestation",
            ),
            ("EXISTS(ROWS imaging)", "rows_in_measure", "imaging"),
            (
                "MIN_OF(lesion : lesion.count) = 1",
                "only_in_edit_checks",
                "MIN_OF",
            ),
            ("INDEX(imaging) = 0", "unbound_row", "imaging"),
            ("INDEX(primary) = 0", "unbound_row", "primary"),
            ("INDEX(presentation.seq) = 0", "arguments", "INDEX"),
            ("ATTESTED(T0, CUT)", "arguments", "ATTESTED"),
            ("ATTESTED(primary, CUT)", "single_entity", "primary"),
            ("DAYS(imaging, T0) = 1", "arguments", "imaging"),
            ("DAYS(T0) = 1", "arguments", "DAYS(T0)"),
            (
                "LOOKUP(primary.side, primary.side) = {}",
                "arguments",
                "primary.side",
            ),
        ],
    );
    assert_faults(
        Some("imaging"),
        &[("EXISTS(imaging)", "already_bound", "imaging)")],
    );
}

#[test]
fn paths_and_absence_codes() {
    for name in ["REC", "ASCERT", "NA", "KNOWN", "MISSING"] {
        assert_eq!(
            fault(&format!("{name}(T0)"), None),
            ("not_a_path".to_owned(), name.len() + 2)
        );
    }
    assert_faults(
        None,
        &[
            ("ABSENT(T0, 'unknown')", "not_a_path", "T0"),
            ("ABSENT(primary.side, 'missing')", "absence_code", "'missing'"),
            (
                "ABSENT(primary.side, primary.side)",
                "absence_code",
                "primary.side)",
            ),
            ("OPEN_END(T0, true, CUT) = T0", "not_a_path", "T0, true"),
            (
                "OPEN_END(primary.side, true, CUT) = T0",
                "different_types",
                "primary.side",
            ),
        ],
    );
}
