//! How those who are in it are kept apart from who they are: groups and pseudonyms.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Frozen, THROUGH};

#[test]
fn without_a_contract_small_groups_are_made_larger_or_withheld() {
    let here = Frozen::new();
    let id = here.file(json!({ "calendar_years": true }));
    here.approve(&id, &json!({ "expires_on": THROUGH }));
    // Two patients differ from six whatever is done: all eight are withheld, the two would be known by it otherwise.
    let (header, rows) = here.rows(&id, "patient.csv");
    assert_eq!(
        header[..4],
        ["patient_id", "centre", "diagnosis_years", "age_at_diagnosis"]
    );
    assert_eq!(rows.len(), 8);
    for row in &rows {
        assert_eq!(row[1..8], ["", "", "", "withheld", "", "", "withheld"], "{row:?}");
    }
    let k = here.manifest(&id)["request"]["k_anonymity"].clone();
    assert_eq!(
        [
            &k["enforced"],
            &k["k_achieved"],
            &k["rows_below_k_before"],
            &k["rows_below_k"],
            &k["rows_withheld"]
        ],
        [&json!(true), &json!(8), &json!(2), &json!(0), &json!(8)]
    );
    assert_eq!(k["generalised"].as_array().map(Vec::len), Some(4));
    let text = String::from_utf8(
        here.researcher
            .get(&format!("/api/v1/data-requests/{id}/files/patient.csv"))
            .expect(200)
            .body,
    );
    let text = text.expect("UTF-8");
    assert!(!text.contains("C01") && !text.contains("female"));
}

#[test]
fn a_line_of_requests_keeps_its_pseudonyms_and_no_other_shares_them() {
    let here = Frozen::new();
    let patients = |id: &str| -> BTreeSet<String> {
        here.approve(id, &json!({ "expires_on": THROUGH }));
        let (_, rows) = here.rows(id, "survival_s1.csv");
        rows.into_iter().map(|row| row[0].clone()).collect()
    };
    let (first, other) = (here.file(json!({})), here.file(json!({})));
    let (one, two) = (patients(&first), patients(&other));
    assert_eq!((one.len(), two.len()), (8, 8));
    assert!(one.is_disjoint(&two));
    let next = here.file(json!({ "continues": first }));
    assert_eq!(patients(&next), one);
    let release = here
        .office
        .get("/api/v1/releases/R/files/survival_s1.csv")
        .expect(200)
        .text();
    assert!(
        one.iter()
            .chain(&two)
            .all(|patient| !release.contains(patient.as_str()))
    );
}
