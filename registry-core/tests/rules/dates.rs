//! Section 7: named dates, what they refer to for each unit, and the cut-off.

use serde_json::{Value, json};

use crate::support::{assert_truths, fires, truth, truths};

fn case(more: Value) -> Value {
    let mut document = json!({
        "record": {"data_cutoff_date": "2025-06-30", "submitted_at": "2025-06-30T12:00:00Z"},
        "patient": {"birth_year": 1960},
        "presentation": [
            {"seq": 1, "date_detected": "2024-01-10", "referral_date": "2024-01-20", "timing": "synchronous"},
            {"seq": 2, "date_detected": "2025-01-10", "referral_date": "2025-01-20", "timing": "metachronous"}],
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

#[test]
fn the_anchor_of_a_case() {
    let mut document = case(json!({}));
    assert_truths(
        &document,
        &[(
            "T0 = $ON_2024_01_10 AND A0 = $ON_2024_01_20 AND presentation.seq = 1",
            "T",
        )],
    );
    document["presentation"][0]["referral_date"] = json!("2023-12-01");
    assert_eq!(truth("A0 = T0", &document), "T");
    for absent in [Value::Null, json!({"absent": "unknown"})] {
        document["presentation"][0]["referral_date"] = absent;
        assert_eq!(truth("A0 = T0", &document), "T");
    }
    document["presentation"][0]["date_detected"] = json!("2024-01");
    assert_truths(
        &document,
        &[
            ("T0 < $ON_2024_02_01", "T"),
            (
                "T0 < $ON_2024_01_31",
                "U imprecise_date presentation.date_detected",
            ),
            ("T0 = T0", "U imprecise_date presentation.date_detected"),
        ],
    );
    document["presentation"] = json!([]);
    assert_truths(
        &document,
        &[
            ("A0 = A0", "U missing presentation.date_detected"),
            ("presentation.seq = 1", "U missing presentation.seq"),
        ],
    );
}

#[test]
fn the_first_treatment_and_the_window_before_it() {
    let untreated = ["local_treatment", "systemic", "radiotherapy"]
        .map(|section| json!({"section": section, "status": "none_ever"}));
    let document = case(json!({"section_attestation": untreated}));
    assert_truths(
        &document,
        &[
            ("FT IS NONE", "T"),
            ("WINDOW_END(PRE) = A0 + $D90", "T"),
            ("WINDOW_END(PRE0) = T0 + $D90", "T"),
        ],
    );
    // Undecided: up to A0 inside, later unknown, after the cap outside.
    let open = "U section_not_attested local_treatment";
    assert_truths(
        &case(json!({})),
        &[
            ("FT IS NONE", open),
            ("T0 - $D42 IN PRE", "T"),
            ("T0 - $D43 IN PRE", "F"),
            ("A0 IN PRE", "T"),
            ("A0 + 1d IN PRE", open),
            ("A0 + $D91 IN PRE", "F"),
            ("WINDOW_END(PRE) <= A0 + $D90", "T"),
        ],
    );
    // The earliest known start of the three, on or after A0.
    let treated = case(json!({
        "systemic": [{"start_date": "2023-06-01"}, {"start_date": "2024-03-01"}],
        "radiotherapy": [{"start_date": "2024-02-20"}], "local_treatment": [{"date": "2024-01-15", "presentation_seq": 1}]}));
    assert_truths(
        &treated,
        &[("FT = $ON_2024_02_20", "T"), ("FT0 = $ON_2024_01_15", "T")],
    );
    // An uncertain start widens it.
    let mut unsure = treated.clone();
    unsure["systemic"][0]["start_date"] = json!("2024");
    assert_truths(
        &unsure,
        &[
            ("FT <= $ON_2024_02_20", "T"),
            ("FT = $ON_2024_02_20", "U imprecise_date systemic.start_date"),
            ("FT IS NONE", "F"),
        ],
    );
    unsure["systemic"][0]["start_date"] = Value::Null;
    assert_truths(
        &unsure,
        &[
            ("FT >= A0", "T"),
            ("FT = $ON_2024_02_20", "U missing systemic.start_date"),
        ],
    );
}

#[test]
fn units_have_their_own_presentation() {
    let document = case(json!({
        "local_treatment": [
            {"date": "2024-06-01", "presentation_seq": 1}, {"date": "2025-02-01", "presentation_seq": 2},
            {"date": "2025-02-01", "presentation_seq": 9}, {"date": "2025-02-01"}],
        "lesion": [{"lesion_id": "L1", "presentation_seq": 2}],
        "mdt": [{"date": "2025-02-01", "presentation_seq": 2}],
        "imaging": [{"date": "2023-12-01"}, {"date": "2024-06-01"}, {"date": "2025-01-10"}, {}],
    }));
    let all = |text: &str, unit: &str| truths(text, Some(unit), &document, &json!([]));
    let missing = "U missing presentation.seq";
    // Linked: the presentation named, none when there is no such presentation.
    assert_eq!(
        all("presentation.seq = 2", "local_treatment"),
        ["F", "T", missing, missing]
    );
    assert_eq!(all("presentation.seq = 2", "mdt"), ["T"]);
    // Not linked: the latest that is certainly not after the row.
    assert_eq!(
        all("presentation.seq = 2", "imaging"),
        [missing, "F", "T", missing]
    );
    assert_eq!(all("presentation.seq = 2", "presentation"), ["F", "T"]);
    // T0 moves with lesions, presentations and local treatments only.
    assert_eq!(all("T0 = $ON_2025_01_10", "local_treatment")[..2], ["F", "T"]);
    assert_eq!(all("T0 = $ON_2025_01_10", "lesion"), ["T"]);
    assert_eq!(all("T0 = $ON_2025_01_10", "presentation"), ["F", "T"]);
    assert_eq!(all("T0 = $ON_2025_01_10", "mdt"), ["F"]);
    assert_eq!(all("T0 = $ON_2025_01_10", "imaging"), ["F"; 4]);
    // A later presentation ignores the referral date.
    assert_eq!(all("A0 = T0", "presentation"), ["F", "T"]);
    assert_eq!(all("FT = $ON_2025_02_01", "lesion"), ["T"]);
}

#[test]
fn an_edit_check_knows_its_row_and_the_first_presentation() {
    let document = case(json!({}));
    assert_eq!(
        fires("presentation.date_detected > T0", "presentation", &document),
        [1]
    );
    assert_eq!(fires("T0 = $ON_2024_01_10", "record", &document), [0]);
}

#[test]
fn contact_and_death() {
    let follow = |rows: Value| case(json!({"followup": rows}));
    let alive = follow(
        json!([{"date": "2024-05-01", "vital_status": "alive"}, {"date": "2024-04-01", "vital_status": "alive"}]),
    );
    assert_truths(
        &alive,
        &[
            ("LAST = $ON_2024_05_01", "T"),
            ("DEATH IS NONE", "T"),
            ("DIED_BY($ON_2024_04_30)", "F"),
            ("DIED_BY($ON_2024_05_01)", "U missing followup.date"),
            ("DEATH > T0", "F"),
        ],
    );
    let dead = follow(json!([{"date": "2024-05-03", "vital_status": "dead", "death_date": "2024-05-02"}]));
    assert_truths(
        &dead,
        &[
            ("DEATH = $ON_2024_05_02", "T"),
            ("DIED_BY($ON_2024_05_01)", "F"),
            ("DIED_BY($ON_2024_05_02)", "T"),
        ],
    );
    let month = follow(json!([{"date": "2024-06-03", "vital_status": "dead", "death_date": "2024-05"}]));
    assert_truths(
        &month,
        &[
            ("DIED_BY($ON_2024_04_30)", "F"),
            ("DIED_BY($ON_2024_05_31)", "T"),
            ("DIED_BY($ON_2024_05_02)", "U imprecise_date followup.death_date"),
        ],
    );
    let undated = follow(json!([
        {"date": "2024-05-01", "vital_status": "alive"},
        {"date": "2024-06-03", "vital_status": "dead", "death_date": {"absent": "unknown"}}]));
    assert_truths(
        &undated,
        &[
            ("DEATH IS NONE", "U unknown_recorded followup.death_date"),
            ("DIED_BY($ON_2024_04_30)", "F"),
            (
                "DIED_BY($ON_2024_05_30)",
                "U unknown_recorded followup.death_date",
            ),
        ],
    );
    assert_truths(
        &follow(json!([])),
        &[
            ("LAST IS NONE", "T"),
            ("DIED_BY(T0)", "U missing followup.date"),
            ("DIED_BY(CUT + 1d)", "U window_open followup"),
        ],
    );
}

#[test]
fn nothing_after_the_cut_off_counts_in_a_measure() {
    let document = case(json!({
        "record": {"data_cutoff_date": "2024-12-31", "submitted_at": "2025-06-30T12:00:00Z"},
        "imaging": [{"date": "2024-12-31"}, {"date": "2025"}, {"date": "2024"}, {}],
        "lesion": [{"presentation_seq": 1}, {"presentation_seq": 2}],
        "followup": [{"date": "2024-12-01", "vital_status": "alive"}, {"date": "2025-03-01", "vital_status": "dead", "death_date": "2025-02-01"}],
        "section_attestation": [{"section": "all", "status": "complete_through", "complete_through": "2024-12-31"}],
    }));
    assert_truths(
        &document,
        &[
            ("COUNT(imaging) = $N3", "T"),
            ("COUNT(lesion) = 1", "T"),
            ("COUNT(presentation AS p) = 1", "T"),
            ("DEATH IS NONE", "T"),
            ("LAST = $ON_2024_12_01", "T"),
        ],
    );
    // The rows left keep their place in the submitted array, and rows left out are no units.
    assert_eq!(
        truths("INDEX(imaging) = 2", Some("imaging"), &document, &json!([])),
        ["F", "T", "F"]
    );
    // Edit checks see the document as submitted.
    assert_eq!(
        fires("imaging.date > record.data_cutoff_date", "imaging", &document),
        [1]
    );
    assert_eq!(fires("COUNT(ROWS presentation) = 2", "record", &document), [0]);
}

#[test]
fn birth_opens_windows() {
    let mut document = case(json!({"prior_operation": [{"date": "1961-05-01"}]}));
    assert_truths(
        &document,
        &[
            ("BIRTH = $ON_1960_01_01", "T"),
            ("EXISTS(prior_operation WITHIN [BIRTH, T0])", "T"),
            ("AGE_AT(T0) = $N64", "T"),
        ],
    );
    document["patient"]["birth_year"] = json!({"absent": "withheld"});
    assert_truths(
        &document,
        &[
            ("EXISTS(prior_operation WITHIN [BIRTH, T0])", "T"),
            ("BIRTH < $ON_1900_01_01", "T"),
            ("AGE_AT(T0) > $N70", "U unknown_recorded patient.birth_year"),
        ],
    );
}
