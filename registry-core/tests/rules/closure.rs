//! Sections 5 and 6: windows, anchor dates, attestation, aggregates over rows that may or may not count.

use serde_json::{Value, json};

use crate::support::{assert_truths, fires, truth, truths};

/// A case first detected on 10 January 2024 and judged to 30 June 2025, with nothing attested.
fn case(more: Value) -> Value {
    let mut document = json!({
        "record": {"data_cutoff_date": "2025-06-30", "submitted_at": "2025-06-30T12:00:00Z", "centre_id": "C1"},
        "patient": {"birth_year": 1960},
        "presentation": [{"seq": 1, "date_detected": "2024-01-10"}],
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn attested(section: &str, through: &str) -> Value {
    json!({"section": section, "status": "complete_through", "complete_through": through})
}

fn never(section: &str) -> Value {
    json!({"section": section, "status": "none_ever"})
}

const MDT: &str = "EXISTS(mdt WITHIN [T0, T0 + $D30])";

#[test]
fn entities_without_attestation_are_closed() {
    assert_truths(
        &case(json!({})),
        &[
            ("EXISTS(presentation AS p WHERE p.seq = 2)", "F"),
            ("EXISTS(followup WHERE followup.vital_status = 'dead')", "F"),
            ("EXISTS(section_attestation)", "F"),
            ("EXISTS(mdt)", "U section_not_attested mdt"),
            ("EXISTS(centre WHERE centre.centre_id = 'C1')", "F"),
        ],
    );
}

#[test]
fn attestation_reaches_to_the_end_of_the_window() {
    // T0 + 30 days is 9 February 2024.
    for (attestations, expected) in [
        (json!([attested("mdt", "2024-02-09")]), "F"),
        (
            json!([attested("mdt", "2024-02-08")]),
            "U section_not_attested mdt",
        ),
        // A month is complete only through its first day for certain.
        (json!([attested("mdt", "2024-02")]), "U section_not_attested mdt"),
        (json!([attested("mdt", "2024-03")]), "F"),
        (json!([never("mdt")]), "F"),
        (json!([attested("all", "2024-02-09")]), "F"),
        (
            json!([attested("all", "2024-02-08")]),
            "U section_not_attested mdt",
        ),
        // Its own attestation counts, not that of `all`.
        (
            json!([attested("all", "2025-06-30"), {"section": "mdt", "status": "incomplete"}]),
            "U section_not_attested mdt",
        ),
        (
            json!([attested("all", "2024-01-01"), attested("mdt", "2024-02-09")]),
            "F",
        ),
        (json!([never("all")]), "U section_not_attested mdt"),
        (
            json!([attested("imaging", "2025-06-30")]),
            "U section_not_attested mdt",
        ),
        (
            json!([{"section": "mdt", "status": "complete_through"}]),
            "U section_not_attested mdt",
        ),
    ] {
        assert_eq!(
            truth(MDT, &case(json!({"section_attestation": attestations}))),
            expected,
            "{attestations}"
        );
    }
    // Without a window the section must be complete through the cut-off.
    for (through, expected) in [("2025-06-30", "F"), ("2025-06-29", "U section_not_attested mdt")] {
        let document = case(json!({"section_attestation": [attested("mdt", through)]}));
        assert_eq!(truth("EXISTS(mdt)", &document), expected);
    }
}

#[test]
fn what_lies_after_the_cut_off_is_open() {
    let document = case(json!({"section_attestation": [never("mdt")]}));
    assert_truths(
        &document,
        &[
            ("EXISTS(mdt WITHIN [T0, CUT])", "F"),
            ("EXISTS(mdt WITHIN [T0, CUT + 1d])", "U window_open mdt"),
            ("ATTESTED(mdt, CUT)", "T"),
            ("ATTESTED(mdt, CUT + 1d)", "F"),
        ],
    );
}

#[test]
fn a_window_that_ends_with_an_undecided_treatment() {
    let open = case(json!({"section_attestation": [attested("imaging", "2025-06-30")]}));
    assert_eq!(
        truth("EXISTS(imaging WITHIN [T0, FT])", &open),
        "U section_not_attested local_treatment"
    );
    let untreated = ["local_treatment", "systemic", "radiotherapy"].map(never);
    let mut closed = case(json!({"section_attestation": untreated}));
    closed["section_attestation"]
        .as_array_mut()
        .unwrap()
        .push(attested("imaging", "2025-06-30"));
    // No treatment ever: the window has no end, so it is never over.
    assert_truths(
        &closed,
        &[
            ("FT IS NONE", "T"),
            ("EXISTS(imaging WITHIN [T0, FT])", "U window_open imaging"),
        ],
    );
    closed["imaging"] = json!([{"date": "2025-06-01", "modality": "ct"}]);
    assert_eq!(truth("EXISTS(imaging WITHIN [T0, FT])", &closed), "T");
}

#[test]
fn a_row_that_says_no_closes_its_section() {
    let seen = "EXISTS(palliative_care WHERE palliative_care.outcome = 'seen' WITHIN [T0, T0 + $D30])";
    let row = |row: Value| case(json!({"palliative_care": [row]}));
    assert_eq!(truth(seen, &row(json!({"outcome": "not_referred"}))), "F");
    assert_eq!(
        truth(
            seen,
            &row(json!({"outcome": "not_referred", "referral_date": "2024-02-09"}))
        ),
        "F"
    );
    let early = row(json!({"outcome": "not_referred", "referral_date": "2024-02-08"}));
    assert_eq!(truth(seen, &early), "U section_not_attested palliative_care");
    assert_eq!(
        truth(seen, &row(json!({"outcome": "declined_by_patient"}))),
        "U section_not_attested palliative_care"
    );
    let trial = "EXISTS(trial WHERE trial.outcome = 'enrolled' WITHIN [T0, T0 + $D30])";
    assert_eq!(
        truth(
            trial,
            &case(json!({"trial": [{"outcome": "not_screened", "screening_date": "2024-03-01"}]}))
        ),
        "F"
    );
    // Submitted before the window was over: an undated row cannot close it.
    let mut submitted = row(json!({"outcome": "not_referred"}));
    submitted["record"] = json!({"data_cutoff_date": "2024-03-01", "submitted_at": "2024-02-08T00:00:00Z"});
    assert_eq!(truth(seen, &submitted), "U section_not_attested palliative_care");
}

#[test]
fn a_biopsy_not_considered_closes_its_own_lesion_only() {
    let document = case(json!({
        "lesion": [{"lesion_id": "L1", "presentation_seq": 1}, {"lesion_id": "L2", "presentation_seq": 1}],
        "biopsy_decision": [{"lesion_id": "L1", "decision": "not_considered", "date": "2024-03-01"}],
    }));
    let text = "EXISTS(biopsy_decision WHERE biopsy_decision.lesion_id = lesion.lesion_id AND biopsy_decision.decision = 'performed' WITHIN [T0, T0 + $D30])";
    let open = "U section_not_attested biopsy_decision";
    assert_eq!(truths(text, Some("lesion"), &document, &json!([])), ["F", open]);
    let patient =
        "EXISTS(biopsy_decision WHERE biopsy_decision.decision = 'performed' WITHIN [T0, T0 + $D30])";
    assert_eq!(truth(patient, &document), open);
}

#[test]
fn the_date_of_a_row() {
    let document = case(json!({
        "presentation": [{"seq": 1, "date_detected": "2024-01-10"}, {"seq": 2, "date_detected": "2024-12-01"}],
        "lesion": [{"lesion_id": "L1", "presentation_seq": 2, "site": "bone"},
            {"lesion_id": "L2", "presentation_seq": 3, "site": "liver"},
            {"lesion_id": "L3", "site": "brain"}],
        "prior_malignancy": [{"relevant": true, "diagnosis_date": {"absent": "unknown"}}],
        "trial": [{"outcome": "enrolled", "screening_date": "2023-01-01", "enrolment_date": "2024-01-15"},
            {"outcome": "ineligible", "screening_date": "2024-01-15", "enrolment_date": {"absent": "not_applicable"}}],
        "section_attestation": (["lesion", "prior_malignancy", "trial", "imaging", "symptom"].map(|section| attested(section, "2025-06-30"))),
        "imaging": [{"date": "2024-02", "modality": "ct"}, {"modality": "mri"}],
        "symptom": [{"onset_date": "2024-01-12", "type": "pain"}],
    }));
    assert_truths(
        &document,
        &[
            // A lesion is dated by its presentation.
            (
                "EXISTS(lesion WHERE lesion.site = 'bone' WITHIN [T0, T0 + $D30])",
                "F",
            ),
            (
                "EXISTS(lesion WHERE lesion.site = 'bone' WITHIN [$ON_2024_12_01, $ON_2024_12_01])",
                "T",
            ),
            (
                "EXISTS(lesion WHERE lesion.site = 'liver' WITHIN [T0, CUT])",
                "U missing presentation.date_detected",
            ),
            (
                "EXISTS(lesion WHERE lesion.site = 'brain' WITHIN [T0, CUT])",
                "U missing lesion.presentation_seq",
            ),
            // A prior malignancy without a date lies before everything.
            (
                "EXISTS(prior_malignancy WHERE prior_malignancy.relevant = true WITHIN [BIRTH, T0])",
                "T",
            ),
            ("EXISTS(prior_malignancy WITHIN [T0 - $D42, T0])", "F"),
            // ON replaces the date; a date that does not apply is in no window.
            (
                "EXISTS(trial WHERE trial.outcome = 'enrolled' WITHIN [T0, T0 + $D30])",
                "F",
            ),
            (
                "EXISTS(trial WHERE trial.outcome = 'enrolled' WITHIN [T0, T0 + $D30] ON trial.enrolment_date)",
                "T",
            ),
            (
                "EXISTS(trial WHERE trial.outcome = 'ineligible' WITHIN [T0, CUT] ON trial.enrolment_date)",
                "F",
            ),
            // Partial and missing dates.
            (
                "EXISTS(imaging WHERE imaging.modality = 'ct' WITHIN [T0, $ON_2024_02_29])",
                "T",
            ),
            (
                "EXISTS(imaging WHERE imaging.modality = 'ct' WITHIN [T0, $ON_2024_02_28])",
                "U imprecise_date imaging.date",
            ),
            (
                "EXISTS(imaging WHERE imaging.modality = 'ct' WITHIN [T0, $ON_2024_01_31])",
                "F",
            ),
            (
                "EXISTS(imaging WHERE imaging.modality = 'mri' WITHIN [T0, CUT])",
                "U missing imaging.date",
            ),
            ("EXISTS(imaging WHERE imaging.modality = 'mri')", "T"),
            ("EXISTS(symptom WITHIN [T0, T0 + 2d])", "T"),
        ],
    );
}

#[test]
fn the_first_unknown_row_gives_the_reason_and_one_true_row_is_enough() {
    let document = case(json!({"mdt": [
        {"date": "2024-01-20", "trigger": {"absent": "unknown"}},
        {"date": "2024-01-21"},
        {"date": "2024-01-22", "trigger": "relapse"}]}));
    assert_truths(
        &document,
        &[
            ("EXISTS(mdt WHERE mdt.trigger = 'relapse' WITHIN [T0, CUT])", "T"),
            (
                "EXISTS(mdt WHERE mdt.trigger = 'progression' WITHIN [T0, CUT])",
                "U unknown_recorded mdt.trigger",
            ),
            (
                "ALL(mdt SATISFY mdt.trigger = 'relapse')",
                "U unknown_recorded mdt.trigger",
            ),
            ("ALL(mdt SATISFY mdt.date > T0)", "U section_not_attested mdt"),
            ("ALL(mdt SATISFY mdt.date < $ON_2024_01_22)", "F"),
            ("COUNT(mdt WHERE mdt.trigger = 'relapse') >= 1", "T"),
            ("COUNT(mdt WHERE mdt.trigger = 'relapse') = 0", "F"),
            (
                "COUNT(mdt WHERE mdt.trigger = 'relapse') = 1",
                "U unknown_recorded mdt.trigger",
            ),
        ],
    );
    let mut closed = document;
    closed["section_attestation"] = json!([attested("mdt", "2025-06-30")]);
    assert_truths(
        &closed,
        &[
            ("ALL(mdt SATISFY mdt.date > T0)", "T"),
            ("COUNT(mdt WHERE mdt.trigger = 'relapse') > $N3", "F"),
            ("COUNT(mdt) = $N3", "T"),
        ],
    );
}

#[test]
fn sums() {
    let mut document = case(json!({
        "section_attestation": [attested("lesion", "2025-06-30")],
        "lesion": [{"presentation_seq": 1, "site": "lung", "count": 2}, {"presentation_seq": 1, "site": "liver", "count": 1}],
    }));
    assert_eq!(truth("SUM(lesion : lesion.count) = $N3", &document), "T");
    document["lesion"][1] = json!({"presentation_seq": 1, "count": 5});
    let lung = "SUM(lesion WHERE lesion.site = 'lung' : lesion.count)";
    assert_eq!(truth(&format!("{lung} >= 2"), &document), "T");
    assert_eq!(truth(&format!("{lung} <= $N7"), &document), "T");
    assert_eq!(
        truth(&format!("{lung} <= $N6"), &document),
        "U missing lesion.site"
    );
    document["lesion"][1] = json!({"presentation_seq": 1, "site": "lung", "count": {"absent": "unknown"}});
    assert_eq!(
        truth(&format!("{lung} > $N100"), &document),
        "U unknown_recorded lesion.count"
    );
    document["section_attestation"] = json!([]);
    document["lesion"].as_array_mut().unwrap().pop();
    assert_eq!(truth(&format!("{lung} >= 2"), &document), "T");
    assert_eq!(
        truth(&format!("{lung} < $N100"), &document),
        "U section_not_attested lesion"
    );
}

#[test]
fn first_and_last_dates() {
    let cleared = "local_treatment WHERE local_treatment.all_disease_cleared = true";
    let first = |test: &str| format!("FIRST_DATE({cleared} WITHIN [T0, CUT]) {test}");
    let last = |test: &str| format!("LAST_DATE({cleared} WITHIN [T0, CUT]) {test}");
    let mut document = case(json!({"local_treatment": [
        {"date": "2024-05-01", "all_disease_cleared": true}, {"date": "2024-09-01", "all_disease_cleared": true},
        {"date": "2023-05-01", "all_disease_cleared": true}]}));
    let open = "U section_not_attested local_treatment";
    assert_truths(
        &document,
        &[
            // A known row stands although the section is open; a later one may still come.
            (&first("= $ON_2024_05_01"), "T"),
            (&last(">= $ON_2024_09_01"), "T"),
            (&last("= $ON_2024_09_01"), open),
            (&last("<= CUT"), "T"),
        ],
    );
    document["section_attestation"] = json!([attested("local_treatment", "2025-06-30")]);
    assert_eq!(truth(&last("= $ON_2024_09_01"), &document), "T");
    // A row that may count is not left out on the side where it could decide.
    document["local_treatment"][0]["all_disease_cleared"] = Value::Null;
    let missing = "U missing local_treatment.all_disease_cleared";
    assert_truths(
        &document,
        &[
            (&first("= $ON_2024_09_01"), missing),
            (&first("<= $ON_2024_09_01"), "T"),
            (&last("= $ON_2024_09_01"), "T"),
        ],
    );
    document["local_treatment"].as_array_mut().unwrap().remove(1);
    assert_truths(
        &document,
        &[
            (&first("IS NONE"), missing),
            (&first("< $ON_2024_05_01"), "F"),
            (&last("IS NONE"), missing),
            (&last("> $ON_2024_05_01"), "F"),
        ],
    );
    document["local_treatment"] = json!([]);
    assert_truths(
        &document,
        &[
            (&first("IS NONE"), "T"),
            (&last("IS NONE"), "T"),
            (&first("= T0"), "F"),
        ],
    );
    document["section_attestation"] = json!([]);
    assert_truths(
        &document,
        &[
            (&first("IS NONE"), open),
            (&first("< T0"), "F"),
            (&last("IS NONE"), open),
            (&last("> CUT"), "F"),
        ],
    );
}

#[test]
fn least_and_greatest_in_edit_checks() {
    let document = case(json!({"systemic": [
        {"setting": "metastatic", "line_number": 2}, {"setting": "metastatic", "line_number": 3}, {"line_number": 1}]}));
    let least = |test: &str| {
        format!("MIN_OF(ROWS systemic WHERE systemic.setting = 'metastatic' : systemic.line_number) {test}")
    };
    // The line of unknown setting may be the first: nothing is certainly violated.
    assert!(fires(&least("<> 1"), "record", &document).is_empty());
    assert_eq!(fires(&least("<= 2"), "record", &document), [0]);
    let mut known = document.clone();
    known["systemic"][2]["setting"] = json!("adjuvant_primary");
    assert_eq!(fires(&least("<> 1"), "record", &known), [0]);
    assert!(
        fires(
            "MAX_OF(ROWS radiotherapy : radiotherapy.fractions) > 0",
            "record",
            &document
        )
        .is_empty()
    );
    assert!(
        fires(
            "MAX_OF(ROWS radiotherapy : radiotherapy.fractions) <> 0",
            "record",
            &document
        )
        .is_empty()
    );
}

#[test]
fn coverage_by_close_studies() {
    let text = "COVERED({'abdomen', 'pelvis'} USING imaging.region FROM imaging WHERE imaging.modality = 'ct' WITHIN [T0, CUT] POOL $D14)";
    let document = |rows: Value| {
        case(json!({"imaging": rows, "section_attestation": [attested("imaging", "2025-06-30")]}))
    };
    let ct = |date: &str, region: &str| json!({"date": date, "modality": "ct", "region": [region]});
    assert_eq!(
        truth(
            text,
            &document(json!([ct("2024-01-11", "abdomen"), ct("2024-01-25", "pelvis")]))
        ),
        "T"
    );
    assert_eq!(
        truth(
            text,
            &document(json!([ct("2024-01-11", "abdomen"), ct("2024-01-26", "pelvis")]))
        ),
        "F"
    );
    assert_eq!(truth(text, &document(json!([ct("2024-01-11", "abdomen")]))), "F");
    // A month can be close enough; so can a study of unknown region or modality.
    let imprecise = "U imprecise_date imaging.date";
    assert_eq!(
        truth(
            text,
            &document(json!([ct("2024-01-26", "abdomen"), ct("2024-02", "pelvis")]))
        ),
        imprecise
    );
    assert_eq!(
        truth(
            text,
            &document(json!([ct("2024-01-11", "abdomen"), ct("2024-02", "pelvis")]))
        ),
        "F"
    );
    let unknown = json!({"date": "2024-01-12", "modality": "ct"});
    assert_eq!(
        truth(text, &document(json!([ct("2024-01-11", "abdomen"), unknown]))),
        "U missing imaging.region"
    );
    let modality = json!({"date": "2024-01-12", "region": ["pelvis"]});
    assert_eq!(
        truth(text, &document(json!([ct("2024-01-11", "abdomen"), modality]))),
        "U missing imaging.modality"
    );
    let both = json!({"date": "2024-01-12", "modality": "mri", "region": ["abdomen", "pelvis"]});
    assert_eq!(truth(text, &document(json!([both]))), "F");
}

#[test]
fn centres_and_years() {
    let table = json!([
        {"centre_id": "C1", "effective_year": 2020, "academic_trial_centre": false},
        {"centre_id": "C1", "effective_year": 2023, "academic_trial_centre": true},
        {"centre_id": "C2", "effective_year": 2024, "academic_trial_centre": true}]);
    let in_force = "EXISTS(centre WHERE centre.centre_id = record.centre_id AND centre.effective_year = YEAR(T0) AND centre.academic_trial_centre = true)";
    let on = |date: &str, centre: &str| {
        let mut document = case(json!({}));
        document["presentation"][0]["date_detected"] = json!(date);
        document["record"]["centre_id"] = json!(centre);
        truths(in_force, None, &document, &table)[0].clone()
    };
    assert_eq!(on("2024-01-10", "C1"), "T");
    assert_eq!(on("2022-01-10", "C1"), "F");
    assert_eq!(on("2019-01-10", "C1"), "F");
    assert_eq!(on("2023-12", "C2"), "F");
    assert_eq!(on("2024-01-10", "C3"), "F");
    let mut unknown = case(json!({}));
    unknown["presentation"][0]["date_detected"] = Value::Null;
    assert_eq!(
        truths(in_force, None, &unknown, &table),
        ["U missing presentation.date_detected"]
    );
    // Without keys in the condition every carried year is visited: 2020 to 2025 and 2024 to 2025.
    let all = case(json!({}));
    for (text, expected) in [
        ("COUNT(centre) = $N8", "T"),
        (
            "COUNT(centre WHERE centre.academic_trial_centre = true) = $N5",
            "T",
        ),
        ("COUNT(centre WHERE centre.centre_id <> 'C1') = 2", "T"),
        ("COUNT(centre WHERE centre.effective_year = $N2025) = 2", "T"),
        (
            "COUNT(centre WHERE centre.centre_id = 'C1' AND centre.effective_year > $N2022) = $N3",
            "T",
        ),
    ] {
        assert_eq!(truths(text, None, &all, &table), [expected], "{text}");
    }
}
