//! A small valid case, and ways to change it.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, NaiveDate};
use registry_core::record::CentreTable;
use registry_core::validation::{Envelope, Judge, Verdict};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) static STORE: LazyLock<Arc<SchemaStore>> =
    LazyLock::new(|| Arc::new(SchemaStore::embedded().expect("the published schema loads")));
pub(crate) static JUDGE: LazyLock<Judge> =
    LazyLock::new(|| Judge::new(Arc::clone(&STORE)).expect("the published schema compiles"));

/// A complete little case: one presentation, one lesion, one scan, alive.
pub(crate) fn case() -> Value {
    json!({
        "schema_version": "1.0.0",
        "patient": {
            "pseudonym_id": "P-0001",
            "birth_year": 1960,
            "sex": "female",
            "registration_date": "2025-06-20",
            "ascertainment": "prospective"
        },
        "consent": {"status": "consented", "date": "2025-06-20", "research_reuse": true},
        "hereditary": {"syndrome": "none_known"},
        "primary": {
            "icdo_morphology": "8858/3",
            "icdo_topography": "C48.0",
            "arises_from_teratoma": false,
            "organ_of_origin": "retroperitoneal_soft_tissue",
            "fnclcc_grade": 3,
            "size_mm": {"absent": "unknown"},
            "side": "left",
            "diagnosis_date": "2023-02-10",
            "diagnosis_basis": "histology",
            "resection_status": "not_resected",
            "withheld_reason": "confirmed_metastases"
        },
        "presentation": [{
            "seq": 1,
            "date_detected": "2025-06-11",
            "detection_basis": "imaging",
            "timing": "metachronous",
            "staging_exception": []
        }],
        "lesion": [{"lesion_id": "L1", "presentation_seq": 1, "site": "lung", "status": "suspected", "count": 2}],
        "imaging": [{"date": "2025-06-11", "modality": "ct", "region": ["chest", "abdomen"], "contrast": "iv_single_phase"}],
        "section_attestation": [{"section": "imaging", "status": "complete_through", "complete_through": "2026-02-28"}],
        "followup": [{"date": "2026-02-20", "vital_status": "alive", "disease_status": "stable"}]
    })
}

/// The case with `value` put at `pointer`: an object's key is set, an array's index replaced or appended.
pub(crate) fn with(pointer: &str, value: Value) -> Value {
    let mut body = case();
    put(&mut body, pointer, value);
    body
}

pub(crate) fn put(body: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match body.pointer_mut(parent).expect("the parent exists") {
        Value::Object(object) => {
            object.insert(key.to_owned(), value);
        }
        Value::Array(rows) => {
            let at: usize = key.parse().expect("an index");
            if at < rows.len() {
                rows[at] = value;
            } else {
                rows.push(value);
            }
        }
        _ => panic!("{parent} is a leaf"),
    }
}

/// The case without what `pointer` points at.
pub(crate) fn without(pointer: &str) -> Value {
    let mut body = case();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    body.pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object")
        .remove(key);
    body
}

pub(crate) fn envelope() -> Envelope {
    Envelope {
        record_id: Uuid::from_u128(1),
        centre_id: "C07".to_owned(),
        submitted_at: DateTime::parse_from_rfc3339("2026-03-01T10:00:00Z")
            .expect("an instant")
            .to_utc(),
        data_cutoff_date: NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day"),
    }
}

pub(crate) fn centres() -> CentreTable {
    CentreTable::from_rows([json!({
        "centre_id": "C07",
        "effective_year": 2015,
        "is_specialised_sarcoma_centre": true,
        "annual_rps_volume": 40,
        "mis_metastasectomy_programme": true,
        "academic_trial_centre": true
    })])
    .expect("a centre table")
}

pub(crate) fn judge(body: &Value) -> Verdict {
    JUDGE.judge(body, &envelope(), &centres())
}

/// Code and pointer of every finding.
pub(crate) fn found(verdict: &Verdict) -> Vec<(&str, &str)> {
    verdict
        .findings
        .iter()
        .map(|f| (f.code.as_str(), f.pointer.as_str()))
        .collect()
}

/// Judged on a day when every example has happened.
pub(crate) fn judge_later(body: &Value) -> Verdict {
    let later = Envelope {
        submitted_at: DateTime::parse_from_rfc3339("2027-01-04T09:30:00Z")
            .expect("an instant")
            .to_utc(),
        data_cutoff_date: NaiveDate::from_ymd_opt(2027, 1, 4).expect("a day"),
        ..envelope()
    };
    JUDGE.judge(body, &later, &centres())
}
