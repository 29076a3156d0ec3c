//! The schema half of a verdict: each breach gets its code, its place and a sentence that repeats no value.

use registry_core::dictionary::EntityKind;
use registry_core::validation::{MAX_FINDINGS, Severity};
use serde_json::{Value, json};

use crate::body::{STORE, case, found, judge, put, with, without};

#[test]
fn a_sound_case_is_not_refused() {
    let verdict = judge(&case());
    assert!(!verdict.rejected(), "{:?}", verdict.findings);
    assert_eq!(verdict.schema_version.as_deref(), Some("1.0.0"));
    assert_eq!(verdict.t0.as_deref(), Some("2025-06-11"));
    assert_eq!(verdict.derived.histology_code.as_deref(), Some("ddlps"));
    assert_eq!(verdict.derived.eligibility_class.as_deref(), Some("core"));
    assert!(!verdict.withdrawal);
}

/// Whatever the entity: its rows have the properties of the dictionary and no other.
#[test]
fn no_entity_takes_a_property_it_does_not_have() {
    let mut closed = 0;
    for entity in &STORE.current().dictionary.entities {
        let row = json!({"not_an_element": 1});
        let (body, expected) = match (entity.kind, entity.repeated()) {
            (EntityKind::Case, true) => (
                json!([row]),
                ("unknown_property", format!("/{}/0/not_an_element", entity.name)),
            ),
            (EntityKind::Case, false) => (
                row,
                ("unknown_property", format!("/{}/not_an_element", entity.name)),
            ),
            _ => (row, ("server_set", format!("/{}", entity.name))),
        };
        let verdict = judge(&with(&format!("/{}", entity.name), body));
        assert!(
            found(&verdict).contains(&(expected.0, &expected.1)),
            "{expected:?}: {:?}",
            found(&verdict)
        );
        closed += 1;
    }
    assert_eq!(closed, 30);
}

/// Each wrong body has exactly one finding: its code at its place.
#[test]
fn every_breach_is_one_finding() {
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!([]), "wrong_type", ""),
        (json!("case"), "wrong_type", ""),
        (without("/schema_version"), "required", "/schema_version"),
        (with("/schema_version", json!(1)), "wrong_type", "/schema_version"),
        (
            with("/schema_version", json!("9.9.9")),
            "unsupported_schema_version",
            "/schema_version",
        ),
        (with("/record", json!({})), "server_set", "/record"),
        (with("/centre", json!([])), "server_set", "/centre"),
        (
            with("/primary/histology_code", json!("ddlps")),
            "server_set",
            "/primary/histology_code",
        ),
        (
            with("/primary/eligibility_class", json!(7)),
            "server_set",
            "/primary/eligibility_class",
        ),
        (with("/name", json!("x")), "unknown_property", "/name"),
        (
            with("/primary/colour", json!("red")),
            "unknown_property",
            "/primary/colour",
        ),
        (
            with("/imaging/0/a~b", json!(1)),
            "unknown_property",
            "/imaging/0/a~0b",
        ),
        (with("/primary", json!([])), "wrong_type", "/primary"),
        (with("/imaging", json!({})), "wrong_type", "/imaging"),
        (with("/imaging/0", json!("ct")), "wrong_type", "/imaging/0"),
        (
            with("/primary/side", json!("up")),
            "not_in_code_list",
            "/primary/side",
        ),
        (with("/primary/side", json!(1)), "wrong_type", "/primary/side"),
        (
            with("/primary/side", json!({"absent": "not_done"})),
            "absence_not_allowed",
            "/primary/side",
        ),
        (
            with("/primary/side", json!({"absent": "perhaps"})),
            "absence_not_allowed",
            "/primary/side",
        ),
        (
            with("/primary/side", json!({"absent": 1})),
            "wrong_type",
            "/primary/side",
        ),
        (
            with("/primary/side", json!({"why": "x"})),
            "wrong_type",
            "/primary/side",
        ),
        (
            with("/primary/side", json!({"absent": "unknown", "why": "x"})),
            "wrong_type",
            "/primary/side",
        ),
        (
            with("/imaging/0/modality", json!({"absent": "unknown"})),
            "absence_not_allowed",
            "/imaging/0/modality",
        ),
        (
            with("/primary/fnclcc_grade", json!(4)),
            "not_in_code_list",
            "/primary/fnclcc_grade",
        ),
        (
            with("/primary/fnclcc_grade", json!("3")),
            "wrong_type",
            "/primary/fnclcc_grade",
        ),
        (
            with("/primary/fnclcc_grade", json!(2.5)),
            "wrong_type",
            "/primary/fnclcc_grade",
        ),
        (
            with("/primary/size_mm", json!(12.5)),
            "wrong_type",
            "/primary/size_mm",
        ),
        (
            with("/primary/arises_from_teratoma", json!("no")),
            "wrong_type",
            "/primary/arises_from_teratoma",
        ),
        (
            with("/primary/diagnosis_date", json!("2026-02-30")),
            "bad_format",
            "/primary/diagnosis_date",
        ),
        (
            with("/primary/diagnosis_date", json!("10.02.2023")),
            "bad_format",
            "/primary/diagnosis_date",
        ),
        (
            with("/primary/diagnosis_date", json!(20230210)),
            "wrong_type",
            "/primary/diagnosis_date",
        ),
        (
            with("/patient/registration_date", json!("2025-06")),
            "bad_format",
            "/patient/registration_date",
        ),
        (
            with("/patient/pseudonym_id", json!("P 1")),
            "pattern",
            "/patient/pseudonym_id",
        ),
        (
            without("/patient/pseudonym_id"),
            "required",
            "/patient/pseudonym_id",
        ),
        (without("/consent/status"), "required", "/consent/status"),
        (without("/primary"), "required", "/primary"),
        (with("/followup", json!([])), "too_few_rows", "/followup"),
        (
            with("/imaging/0/region/1", json!("moon")),
            "not_in_code_list",
            "/imaging/0/region/1",
        ),
        (
            with("/imaging/0/region/1", json!("chest")),
            "duplicate_member",
            "/imaging/0/region",
        ),
        (
            with("/imaging/0/region", json!("chest")),
            "wrong_type",
            "/imaging/0/region",
        ),
        (
            with("/imaging/0/region/1", json!(3)),
            "wrong_type",
            "/imaging/0/region/1",
        ),
    ];
    for (body, code, pointer) in cases {
        let verdict = judge(&body);
        assert!(verdict.rejected(), "{code} {pointer}");
        assert_eq!(found(&verdict), [(code, pointer)], "{:?}", verdict.findings);
        let finding = &verdict.findings[0];
        assert_eq!(finding.severity, Severity::Reject);
        assert_eq!(finding.identity.len(), 64);
        assert!(finding.message.ends_with('.'), "{}", finding.message);
    }
}

#[test]
fn what_is_allowed_is_named_and_what_was_sent_is_not() {
    let canary = "Xq7-canary-93";
    for pointer in [
        "/primary/side",
        "/primary/diagnosis_date",
        "/primary/size_mm",
        "/primary/arises_from_teratoma",
        "/imaging/0/region/1",
        "/imaging/0/region",
        "/patient/birth_year",
        "/consent",
        "/imaging",
        "/schema_version",
    ] {
        let verdict = judge(&with(pointer, json!(canary)));
        assert!(verdict.rejected(), "{pointer}");
        let text = format!("{:?}", verdict.findings);
        assert!(!text.contains(canary), "{text}");
    }
    let verdict = judge(&with("/primary/side", json!(canary)));
    let message = &verdict.findings[0].message;
    for allowed in ["left", "right", "midline", "bilateral", "unknown"] {
        assert!(message.contains(allowed), "{message}");
    }
}

#[test]
fn a_null_is_missing_and_a_partial_date_is_a_date() {
    for (pointer, value) in [
        ("/primary/side", json!(null)),
        ("/primary/diagnosis_date", json!("2023")),
        ("/primary/diagnosis_date", json!("2023-02")),
        ("/imaging/0/region", json!([])),
        ("/primary/size_mm", json!(120)),
        ("/imaging", json!([])),
    ] {
        let verdict = judge(&with(pointer, value));
        assert!(!verdict.rejected(), "{pointer}: {:?}", verdict.findings);
    }
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_document() {
    let mut body = case();
    put(&mut body, "/primary/side", json!("up"));
    put(&mut body, "/primary/colour", json!("red"));
    let rows: Vec<Value> = (0..12)
        .map(|_| json!({"modality": "xyz", "region": ["chest"]}))
        .collect();
    put(&mut body, "/imaging", json!(rows));
    let verdict = judge(&body);
    let pointers: Vec<&str> = verdict.findings.iter().map(|f| f.pointer.as_str()).collect();
    let mut expected: Vec<String> = (0..12).map(|i| format!("/imaging/{i}/modality")).collect();
    expected.push("/primary/colour".to_owned());
    expected.push("/primary/side".to_owned());
    assert_eq!(pointers, expected);
}

#[test]
fn beyond_the_listed_findings_the_rest_is_counted() {
    let rows: Vec<Value> = (0..MAX_FINDINGS + 25)
        .map(|_| json!({"modality": "xyz", "region": ["chest"]}))
        .collect();
    let verdict = judge(&with("/imaging", json!(rows)));
    assert_eq!(verdict.findings.len(), MAX_FINDINGS);
    assert_eq!(verdict.further_findings, 25);
    assert_eq!(verdict.findings[199].pointer, "/imaging/199/modality");
    // Far more than anybody reads: they are counted, and not put in words first.
    let mut body = case();
    for n in 0..20_000 {
        put(&mut body, &format!("/patient/unknown_{n}"), json!(n));
    }
    let verdict = judge(&body);
    assert_eq!(verdict.findings.len(), MAX_FINDINGS);
    assert_eq!(verdict.further_findings, 20_000 - MAX_FINDINGS);
}

#[test]
fn the_identity_of_a_finding_does_not_depend_on_its_row() {
    let bad = json!({"modality": "xyz", "region": ["chest"]});
    let good = json!({"modality": "ct", "region": ["chest"]});
    let first = judge(&with("/imaging", json!([bad, good])));
    let second = judge(&with("/imaging", json!([good, good, bad])));
    assert_eq!(first.findings[0].identity, second.findings[0].identity);
    assert_ne!(first.findings[0].pointer, second.findings[0].pointer);
    let other = judge(&with(
        "/imaging",
        json!([{"modality": "abc", "region": ["chest"]}]),
    ));
    assert_ne!(first.findings[0].identity, other.findings[0].identity);
}
