//! The worked examples that define the functions and quantifiers, as they stand in the language's definition.

use serde_json::json;

use crate::support::{assert_truths, example, truths, truths_with};

#[test]
fn functions_on_sets_and_leaves() {
    let sets = |text: &str, expected: &str| {
        assert_eq!(
            truths(text, Some("systemic"), &example(), &json!([])),
            [expected],
            "{text}"
        );
    };
    sets("HAS(systemic.agents, 'doxorubicin')", "T");
    sets("HAS_ALL(systemic.agents, {'gemcitabine', 'docetaxel'})", "F");
    sets("SUBSET(systemic.agents, $ANTHRACYCLINES)", "T");
    assert_truths(
        &example(),
        &[("HAS_ANY(presentation.staging_exception, {'pregnancy'})", "F")],
    );
    let leaf = |text: &str, expected: &str| {
        assert_eq!(
            truths(text, Some("assessment"), &example(), &json!([])),
            [expected],
            "{text}"
        );
    };
    leaf("REC(assessment.pain_nrs)", "F");
    leaf(
        "REC(assessment.comorbidity_instrument)",
        "U unknown_recorded assessment.comorbidity_instrument",
    );
    leaf("ASCERT(assessment.comorbidity_instrument)", "F");
    leaf("NA(assessment.geriatric_instrument)", "T");
    leaf("KNOWN(assessment.pain_nrs)", "F");
    leaf("MISSING(assessment.comorbidity_score)", "T");
    leaf("ABSENT(assessment.pain_nrs, 'not_done')", "T");
}

#[test]
fn functions_on_dates_and_numbers() {
    assert_truths(
        &example(),
        &[
            ("DAYS(T0, A0) = $D10", "T"),
            ("MONTHS(T0, LAST) = $M13", "T"),
            ("YEAR(A0) = $N2024", "T"),
            ("AGE_AT(T0) = $N64", "T"),
            ("ABS(DAYS(A0, T0)) = $D10", "T"),
            ("MIN(FT, DEATH) = $ON_2024_02_10", "T"),
            ("WINDOW_END(PRE) = $ON_2024_02_10", "T"),
            ("DEATH IS NONE", "T"),
            ("DEATH IS NOT NONE", "F"),
            ("DIED_BY(T0 + $D30)", "F"),
            ("DIED_BY(LAST + 1d)", "U missing followup.date"),
            ("DIED_BY(CUT + 1d)", "U window_open followup"),
            ("ATTESTED(systemic, CUT)", "T"),
            ("ATTESTED(imaging, CUT)", "F"),
            ("MATCHES(primary.icdo_morphology, $MORPHOLOGY_PATTERN)", "T"),
        ],
    );
}

#[test]
fn first_treatment() {
    // The three sections are not all attested, so nothing says that no treatment follows the last contact.
    assert_truths(
        &example(),
        &[
            ("FIRST_TREATMENT(A0, A0 + $D90) = $ON_2024_02_10", "T"),
            ("FT = $ON_2024_02_10 AND FT0 = $ON_2024_02_10", "T"),
            (
                "FIRST_TREATMENT(LAST, CUT) IS NONE",
                "U section_not_attested local_treatment",
            ),
            ("FIRST_TREATMENT(LAST, CUT) < $ON_2025_02_13", "F"),
            (
                "FIRST_TREATMENT(LAST, CUT) >= $ON_2025_02_13",
                "U section_not_attested local_treatment",
            ),
            (
                "FIRST_TREATMENT(LAST, CUT + 1d) IS NONE",
                "U window_open local_treatment",
            ),
        ],
    );
    let mut closed = example();
    for section in ["local_treatment", "radiotherapy"] {
        closed["section_attestation"]
            .as_array_mut()
            .unwrap()
            .push(json!({"section": section, "status": "none_ever"}));
    }
    assert_truths(
        &closed,
        &[
            ("FIRST_TREATMENT(LAST, CUT) IS NONE", "T"),
            ("FIRST_TREATMENT(T0, CUT) = $ON_2024_02_10", "T"),
        ],
    );
}

#[test]
fn an_open_end_runs_from_its_last_certain_day() {
    let open = "OPEN_END(systemic.stop_date, systemic.stop_reason = 'ongoing', CUT)";
    let line = |text: String| truths(&text, Some("systemic"), &example(), &json!([]))[0].clone();
    assert_eq!(line(format!("{open} >= $ON_2025_06_30")), "T");
    assert_eq!(
        line(format!("{open} > $ON_2025_06_30")),
        "U window_open systemic.stop_date"
    );
    let mut stopped = example();
    stopped["systemic"][0]["stop_date"] = json!("2024-05-01");
    let text = format!("{open} = $ON_2024_05_01");
    assert_eq!(truths(&text, Some("systemic"), &stopped, &json!([])), ["T"]);
    let mut unknown = example();
    unknown["systemic"][0]["stop_reason"] = json!("completed");
    assert_eq!(
        truths(&text, Some("systemic"), &unknown, &json!([])),
        ["U missing systemic.stop_date"]
    );
    unknown["systemic"][0]["stop_date"] = json!({"absent": "pending"});
    assert_eq!(truths(&text, Some("systemic"), &unknown, &json!([])), ["F"]);
}

#[test]
fn count_true_counts_between_certain_and_possible() {
    let extra = json!({"definitions": {
        "HIGH_VOLUME": "presentation.total_lesion_count > $N3 OR presentation.largest_size_mm > $N50"}});
    let count = "COUNT_TRUE(primary.fnclcc_grade = $N3, HIGH_VOLUME)";
    for (test, expected) in [
        (">= 1", "T"),
        ("<= 2", "T"),
        ("< 2", "U unknown_recorded presentation.largest_size_mm"),
        ("= 0", "F"),
    ] {
        let text = format!("{count} {test}");
        assert_eq!(
            truths_with(&text, None, &example(), &json!([]), &extra),
            [expected],
            "{text}"
        );
    }
}

#[test]
fn lookup_gives_the_row_or_the_empty_set() {
    let extra = json!({"tables": {"expected_target": {"ss": ["ss18"], "sft": ["nab2_stat6"]}}});
    let mut document = example();
    document["molecular_test"] = json!([{"target": "ss18"}, {"target": "alk"}]);
    let text = "molecular_test.target IN LOOKUP('expected_target', primary.histology_code)";
    let all = |document: &serde_json::Value| {
        truths_with(text, Some("molecular_test"), document, &json!([]), &extra)
    };
    assert_eq!(all(&document), ["T", "F"]);
    document["primary"]["histology_code"] = json!("ups");
    assert_eq!(all(&document), ["F", "F"]);
    document["primary"]
        .as_object_mut()
        .unwrap()
        .remove("histology_code");
    assert_eq!(all(&document), ["U missing primary.histology_code"; 2]);
}

#[test]
fn index_is_the_position_in_the_array() {
    assert_eq!(
        truths("INDEX(imaging) = 0", Some("imaging"), &example(), &json!([])),
        ["T", "F", "F"]
    );
}

#[test]
fn quantifiers() {
    assert_truths(
        &example(),
        &[
            ("EXISTS(mdt WITHIN PRE)", "F"),
            (
                "EXISTS(imaging WHERE imaging.modality = 'mri' WITHIN PRE)",
                "U section_not_attested imaging",
            ),
            (
                "ALL(systemic WHERE systemic.setting = 'metastatic' SATISFY HAS(systemic.agents, 'doxorubicin'))",
                "T",
            ),
            ("COUNT(imaging WITHIN PRE) >= 2", "T"),
            ("COUNT(imaging WITHIN PRE) <= 2", "U section_not_attested imaging"),
            ("SUM(lesion : lesion.count) = $N3", "T"),
            (
                "FIRST_DATE(systemic WHERE systemic.setting = 'metastatic') = $ON_2024_02_10",
                "T",
            ),
            (
                "LAST_DATE(systemic WHERE systemic.setting = 'metastatic') = $ON_2024_02_10",
                "T",
            ),
            (
                "COVERED({'abdomen', 'pelvis'} USING imaging.region FROM imaging WITHIN PRE POOL $D14)",
                "T",
            ),
            (
                "COVERED({'abdomen', 'pelvis'} USING imaging.region FROM imaging WITHIN PRE POOL $D9)",
                "U section_not_attested imaging",
            ),
        ],
    );
}

#[test]
fn surveillance_gaps() {
    let mut document = example();
    document["imaging"] = ["2024-06-01", "2024-10-01", "2025-02-01"]
        .map(|date| json!({"date": date, "modality": "ct", "region": ["chest"]}))
        .into();
    // A missing scan could only shorten the gaps.
    assert_truths(
        &document,
        &[
            ("MAX_GAP(imaging FROM FT TO LAST) <= $D213", "T"),
            (
                "MAX_GAP(imaging FROM FT TO LAST) > $D100",
                "U section_not_attested imaging",
            ),
        ],
    );
    document["section_attestation"]
        .as_array_mut()
        .unwrap()
        .push(json!({"section": "imaging", "status": "complete_through", "complete_through": "2025-02-13"}));
    // 1 October 2024 to 1 February 2025 are 123 days, the longest stretch.
    assert_truths(&document, &[("MAX_GAP(imaging FROM FT TO LAST) = $D123", "T")]);
}

#[test]
fn an_edit_check_can_compare_extremes() {
    assert_eq!(
        crate::support::fires("MAX_OF(ROWS presentation AS p : p.seq) = 1", "record", &example()),
        [0]
    );
}

#[test]
fn a_unit_row_and_a_scanned_row_of_one_entity() {
    let mut document = example();
    document["biopsy"] = json!([
        {"biopsy_id": "B1", "lesion_id": "L1", "date": "2024-01-15", "technique": "fna"},
        {"biopsy_id": "B2", "lesion_id": "L1", "date": "2024-01-15", "technique": "core_needle"},
        {"biopsy_id": "B3", "lesion_id": "L2", "date": "2024-01-15", "technique": "fna"}]);
    document["section_attestation"]
        .as_array_mut()
        .unwrap()
        .push(json!({"section": "biopsy", "status": "complete_through", "complete_through": "2025-06-30"}));
    let text = "EXISTS(biopsy AS b2 WHERE b2.lesion_id = biopsy.lesion_id AND b2.technique = 'core_needle' WITHIN [biopsy.date, biopsy.date])";
    assert_eq!(
        truths(text, Some("biopsy"), &document, &json!([])),
        ["T", "T", "F"]
    );
}
