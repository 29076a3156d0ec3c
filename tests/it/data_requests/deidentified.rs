//! How those who are in it are kept apart from who they are: groups and pseudonyms.

use std::collections::BTreeSet;

use serde_json::json;
use sha2::{Digest, Sha256};

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

/// What was linked under one master key is under the next: the release's own bundle is built again as it was, too.
#[test]
fn pseudonyms_outlive_the_master_key() {
    let mut here = Frozen::new();
    let patients = |here: &Frozen, id: &str| -> Vec<String> {
        here.approve(id, &json!({ "expires_on": THROUGH }));
        let (_, rows) = here.rows(id, "survival_s1.csv");
        rows.into_iter().map(|row| row[0].clone()).collect()
    };
    let digest = |here: &Frozen| {
        let bundle = here.office.get("/api/v1/releases/R/bundle.zip").expect(200);
        hex::encode(Sha256::digest(&bundle.body))
    };
    let first = here.file(json!({}));
    let (before, frozen) = (patients(&here, &first), digest(&here));
    assert_eq!(before.len(), 8);
    here.service.rotate_master_key();
    here.office = here.office.at(here.service.base());
    here.researcher = here.researcher.at(here.service.base());
    let next = here.file(json!({ "continues": first }));
    assert_eq!(patients(&here, &next), before);
    let kept = here.service.state().settings.releases.folder.join("R.zip");
    std::fs::remove_file(kept).expect("the bundle was kept");
    assert_eq!(digest(&here), frozen);
}

/// Each of two requests of one line has its groups of k; the pseudonyms they share would join them.
#[test]
fn quasi_identifiers_are_not_joined_over_a_line_of_requests() {
    let here = Frozen::new();
    let first = here.file(json!({}));
    here.approve(&first, &json!({ "expires_on": THROUGH }));
    let years = json!({ "continues": first, "elements": [], "calendar_years": true, "title": "Years" });
    let next = here.file(years);
    let approve = |id: &str, access: serde_json::Value| {
        let body = json!({ "expires_on": THROUGH, "access": access });
        here.office
            .post(&format!("/api/v1/data-requests/{id}:approve"), &[], &body)
    };
    let files = json!(["patient.csv"]);
    let refused = approve(&next, json!({ "files": files, "calendar_years": true })).expect(409);
    let why = refused.json()["detail"].as_str().expect("why").to_owned();
    for words in [
        first.as_str(),
        "age_at_diagnosis, centre, sex",
        "centre, diagnosis_years",
        "new pseudonyms",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    // The page refuses as well, and shows beforehand what else is in the filer's hands.
    let browser = crate::session::Browser::of(&here.service, registry_core::access::Role::Coordinator);
    let page = browser.open("/requests").expect(200).text();
    let shown = page.split("What else is open to").nth(1).expect("shown");
    let shown = shown.split("</ul>").next().unwrap_or_default();
    for words in [
        "Sites and survival",
        "of release R",
        "under the same pseudonyms",
        "patient.birth_year",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let fields = [
        ("step", "approve"),
        ("files", "patient.csv"),
        ("calendar_years", "yes"),
        ("expires_on", THROUGH),
    ];
    browser
        .send("/requests", &format!("/requests/{next}/decide"), &fields)
        .expect(409);
    // Fewer columns are another set as well: what the first has finer would stand beside what this has finer.
    approve(&next, json!({ "files": files })).expect(409);
    assert_eq!(
        here.office
            .get(&format!("/api/v1/data-requests/{next}"))
            .expect(200)
            .json()["status"],
        "submitted"
    );
    // Under contract groups are reported only; with new pseudonyms there is nothing to join by.
    let contract = json!({ "continues": first, "elements": [], "calendar_years": true, "contracted": true });
    here.approve(&here.file(contract), &json!({ "expires_on": THROUGH }));
    here.approve(
        &here.file(json!({ "elements": [], "calendar_years": true })),
        &json!({ "expires_on": THROUGH }),
    );
    // After the contract's, none without one goes on under these pseudonyms.
    let last = here.file(json!({ "continues": first }));
    let why = approve(
        &last,
        json!({ "files": files, "elements": ["patient.sex", "patient.birth_year"] }),
    )
    .expect(409);
    assert!(why.text().contains("under contract"), "{}", why.text());
}
