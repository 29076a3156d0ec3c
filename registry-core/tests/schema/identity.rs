//! What makes a finding the same one: rows may change places, be mended and be joined by others.

use std::collections::BTreeMap;

use registry_core::validation::Verdict;
use serde_json::{Value, json};

use crate::body::{case, judge, put, with};

fn metastasectomy(label: &str, date: &str) -> Value {
    json!({
        "tx_id": label, "date": date, "presentation_seq": 1, "modality": "metastasectomy", "site": "lung",
    })
}

/// Identity of a check's finding by what stands at `element` of the row it points into.
fn by_row(body: &Value, verdict: &Verdict, code: &str, element: &str) -> BTreeMap<String, String> {
    let of_check = verdict.findings.iter().filter(|f| f.code == code);
    of_check
        .map(|f| {
            let row = f.pointer.split('/').take(3).collect::<Vec<_>>().join("/");
            let name = body
                .pointer(&format!("{row}/{element}"))
                .expect("the row says so");
            (name.to_string(), f.identity.clone())
        })
        .collect()
}

fn treated(rows: Value) -> Value {
    with("/local_treatment", rows)
}

#[test]
fn rows_with_a_key_keep_their_findings_when_they_move_or_another_is_mended() {
    let (one, two) = (
        metastasectomy("T1", "2025-08-01"),
        metastasectomy("T2", "2025-09-01"),
    );
    let found = |rows: Value| {
        let body = treated(rows);
        let verdict = judge(&body);
        by_row(&body, &verdict, "R-026", "tx_id")
    };
    let both = found(json!([one, two]));
    assert_eq!(both.len(), 2, "{both:?}");
    assert_ne!(both["\"T1\""], both["\"T2\""]);
    assert_eq!(found(json!([two, one])), both, "the order says nothing");
    let mut mended = one.clone();
    mended["counselled_morbidity"] = json!(true);
    let rest = found(json!([mended, two]));
    assert_eq!(
        rest.into_iter().collect::<Vec<_>>(),
        [("\"T2\"".to_owned(), both["\"T2\""].clone())]
    );
    // What the check does not read changes nothing, not even the day: the key names the row.
    let mut other_day = one;
    other_day["date"] = json!("2025-08-02");
    other_day["intent"] = json!("curative");
    assert_eq!(found(json!([other_day, two])), both);
}

#[test]
fn rows_that_only_their_content_tells_apart_keep_theirs_too() {
    let scan = |modality: &str, date: &str| json!({"date": date, "modality": modality, "region": ["chest"]});
    let found = |rows: Value| {
        let body = with("/imaging", rows);
        let verdict = judge(&body);
        (by_row(&body, &verdict, "E-039", "modality"), verdict)
    };
    let (both, _) = found(json!([scan("ct", "2025-06"), scan("mri", "2025-06")]));
    assert_eq!(both.len(), 2);
    assert_ne!(both["\"ct\""], both["\"mri\""]);
    let (moved, _) = found(json!([scan("mri", "2025-06"), scan("ct", "2025-06")]));
    assert_eq!(moved, both);
    // The other row is mended: the finding that is left says that it is the one it was.
    let (left, verdict) = found(json!([scan("ct", "2025-06-11"), scan("mri", "2025-06")]));
    let left = &left["\"mri\""];
    let carried = verdict
        .formerly
        .iter()
        .find(|moved| moved.before == both["\"mri\""]);
    assert_eq!(carried.map(|moved| &moved.identity), Some(left));
    assert!(
        verdict
            .formerly
            .iter()
            .all(|moved| moved.before != both["\"ct\""])
    );
}

#[test]
fn rows_that_say_the_same_in_everything_are_numbered() {
    let scan = json!({"date": "2025-06", "modality": "ct", "region": ["chest"]});
    let verdict = judge(&with("/imaging", json!([scan, scan, scan])));
    let mut all: Vec<&str> = verdict
        .findings
        .iter()
        .filter(|f| f.code == "E-039")
        .map(|f| f.identity.as_str())
        .collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3);
}

#[test]
fn what_an_earlier_program_called_a_finding_is_told_where_it_can_be_told() {
    let alone = judge(&treated(json!([metastasectomy("T1", "2025-08-01")])));
    let of = |verdict: &Verdict| -> Vec<(bool, bool)> {
        let identities: Vec<&str> = verdict
            .findings
            .iter()
            .filter(|f| f.code == "R-026")
            .map(|f| f.identity.as_str())
            .collect();
        let moved = verdict
            .formerly
            .iter()
            .filter(|m| identities.contains(&m.identity.as_str()));
        moved.map(|m| (m.only_unchanged, m.unless.is_some())).collect()
    };
    // By what was read, unless there were two of them; and by its content, had there been another with the same key.
    assert_eq!(of(&alone), [(false, true), (false, false)]);
    let both = judge(&treated(json!([
        metastasectomy("T1", "2025-08-01"),
        metastasectomy("T2", "2025-09-01")
    ])));
    assert_eq!(of(&both).iter().filter(|(unchanged, _)| *unchanged).count(), 2);
    // A check of the whole record is called what it was called.
    let mut body = case();
    put(&mut body, "/consent/date", json!("2026-03-02"));
    let verdict = judge(&body);
    let whole = verdict
        .findings
        .iter()
        .find(|f| f.code == "E-005")
        .expect("E-005");
    assert!(
        verdict
            .formerly
            .iter()
            .all(|moved| moved.identity != whole.identity)
    );
}
