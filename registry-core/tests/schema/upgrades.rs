//! A document of an earlier version: upgraded step by step, judged in the newest form, answered in the form it was sent in.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use registry_core::validation::{Finding, Judge, Severity, Verdict};
use registry_core::versions::{SchemaError, SchemaStore, Status, Upgrade};
use serde_json::{Value, json};

use crate::body::{JUDGE, STORE, centres, envelope, found, judge_later, put, with};
use crate::store::{change, copy, schema_dir};

/// Before and after, by name: `examples/1.1.0/upgraded/<name>.{before,after}.json`.
fn pairs() -> BTreeMap<String, [Value; 2]> {
    let folder = schema_dir().join("examples/1.1.0/upgraded");
    let read = |name: &str, side: &str| -> Value {
        let text = fs::read_to_string(folder.join(format!("{name}.{side}.json"))).expect("a side of a pair");
        serde_json::from_str(&text).expect("JSON")
    };
    let mut files = 0;
    let mut pairs = BTreeMap::new();
    for entry in fs::read_dir(&folder).expect("the pairs").flatten() {
        files += 1;
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(".before.json") {
            pairs.insert(name.to_owned(), [read(name, "before"), read(name, "after")]);
        }
    }
    assert_eq!(files, 2 * pairs.len(), "every file is one side of a pair");
    pairs
}

#[test]
fn every_pair_is_a_step() {
    let pairs = pairs();
    assert!(pairs.len() >= 12, "{}", pairs.len());
    for figure in ["figure-1", "figure-2"] {
        assert!(pairs.contains_key(figure), "{figure}");
    }
    for (name, [before, after]) in &pairs {
        assert_eq!(before["schema_version"], "1.0.0", "{name}");
        assert_eq!(after["schema_version"], "1.1.0", "{name}");
        assert_eq!(*STORE.newest(before, "1.0.0"), *after, "{name}");
        assert_eq!(
            *STORE.newest(after, "1.1.0"),
            *after,
            "{name}: there is no step from the newest form"
        );
    }
}

/// Everything the verdict says but the places and the version.
fn sense(verdict: &Verdict) -> Vec<(String, Severity, String, Vec<String>)> {
    let of = |finding: &Finding| {
        (
            finding.code.clone(),
            finding.severity,
            finding.identity.clone(),
            finding.elements.clone(),
        )
    };
    let mut all: Vec<_> = verdict.findings.iter().map(of).collect();
    all.sort();
    all
}

#[test]
fn both_sides_of_a_pair_are_valid_and_get_the_same_verdict() {
    for (name, [before, after]) in pairs() {
        let (old, new) = (judge_later(&before), judge_later(&after));
        for verdict in [&old, &new] {
            let refused = verdict.findings.iter().find(|f| f.severity != Severity::Warning);
            assert!(refused.is_none(), "{name}: {refused:?}");
        }
        assert_eq!(sense(&old), sense(&new), "{name}");
        assert_eq!(old.assessments, new.assessments, "{name}");
        assert_eq!(old.unattested, new.unattested, "{name}");
        assert_eq!((&old.t0, &old.derived), (&new.t0, &new.derived), "{name}");
        for (verdict, body) in [(&old, &before), (&new, &after)] {
            for finding in &verdict.findings {
                let missing = finding.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                assert!(
                    body.pointer(&finding.pointer).or(body.pointer(missing)).is_some(),
                    "{name}: {} leads nowhere in the document as sent",
                    finding.pointer
                );
            }
        }
    }
}

#[test]
fn a_place_leads_back_into_the_document_as_sent() {
    for (upgraded, sent) in [
        ("/assessment/0/egfr_ml_min_1_73m2", "/assessment/0/egfr_ml_min"),
        (
            "/assessment/12/egfr_ml_min_1_73m2/absent",
            "/assessment/12/egfr_ml_min/absent",
        ),
        (
            "/pathology_review/3/specimen_site",
            "/pathology_review/3/specimen",
        ),
        (
            "/pathology_review/3/specimen_procedure",
            "/pathology_review/3/specimen",
        ),
        ("/pathology_review/3/date", "/pathology_review/3/date"),
        ("/pathology_review/3", "/pathology_review/3"),
        ("/pathology_review", "/pathology_review"),
        ("/primary/side", "/primary/side"),
        ("", ""),
    ] {
        assert_eq!(STORE.as_sent(upgraded, "1.0.0"), sent);
        assert_eq!(STORE.as_sent(upgraded, "1.1.0"), upgraded);
    }
}

/// A copy of the schema with a check that fires on an element by its newest name.
fn with_a_check_on_the_renamed_element() -> (tempfile::TempDir, Judge) {
    let check = "id = \"E-900\"\nversion = \"1.0\"\nseverity = \"warning\"\nscope = \"assessment\"\nevaluated_by = \"rule\"\n\
        rule_in_words = \"above two\"\nmessage = \"Above two\"\nexpression = \"assessment.egfr_ml_min_1_73m2 > 2\"\n\
        blocks = [\"assessment.egfr_ml_min_1_73m2\"]\nparameters = []\n";
    let folder = copy();
    fs::write(folder.path().join("checks/E-900.toml"), check).expect("written");
    let store = SchemaStore::from_dir(folder.path()).expect("a store");
    let judge = Judge::new(Arc::new(store)).expect("the rules");
    (folder, judge)
}

#[test]
fn a_finding_on_a_renamed_element_points_where_its_sender_put_it() {
    let (_folder, judge) = with_a_check_on_the_renamed_element();
    let row = |element: &str| {
        let mut body = with(
            "/assessment",
            json!([{"date": "2025-06-12"}, {"date": "2025-06-13"}]),
        );
        body["assessment"][1][element] = json!(170);
        body
    };
    let old = row("egfr_ml_min");
    let mut new = row("egfr_ml_min_1_73m2");
    put(&mut new, "/schema_version", json!("1.1.0"));
    let fired = |body: &Value| {
        let verdict = judge.judge(body, &envelope(), &centres());
        let finding = verdict.findings.into_iter().find(|f| f.code == "E-900");
        finding.expect("the check fires")
    };
    let (old, new) = (fired(&old), fired(&new));
    assert_eq!(old.pointer, "/assessment/1/egfr_ml_min");
    assert_eq!(new.pointer, "/assessment/1/egfr_ml_min_1_73m2");
    assert_eq!(
        old.identity, new.identity,
        "sending the same in the newer form answers no query"
    );
}

#[test]
fn a_code_of_the_newer_version_is_none_of_the_older() {
    let pro = json!([{"date": "2025-07-01", "instrument": "eortc_qlq_c30", "timepoint": "month_3"}]);
    let mut body = with("/pro", pro);
    assert_eq!(
        found(&JUDGE.judge(&body, &envelope(), &centres())),
        [("not_in_code_list", "/pro/0/timepoint")]
    );
    put(&mut body, "/schema_version", json!("1.1.0"));
    assert!(!JUDGE.judge(&body, &envelope(), &centres()).rejected());
}

/// The judge of a copy of the schema in which 1.0.0 has another status.
fn with_status(of_1_0_0: &str) -> Judge {
    let folder = copy();
    change(&folder, "catalog.toml", "status = \"active\"", of_1_0_0);
    let store = SchemaStore::from_dir(folder.path()).expect("a store");
    Judge::new(Arc::new(store)).expect("the rules")
}

#[test]
fn a_deprecated_version_is_accepted_with_a_warning_that_names_the_day() {
    let judge = with_status("status = \"deprecated\"\naccepted_through = \"2027-12-31\"");
    let (body, mut newer) = (with("/primary/side", json!("left")), json!(null));
    newer.clone_from(&body);
    put(&mut newer, "/schema_version", json!("1.1.0"));
    let verdict = judge.judge(&body, &envelope(), &centres());
    assert!(!verdict.rejected());
    let warning = verdict
        .findings
        .iter()
        .find(|f| f.code == "deprecated_schema_version")
        .expect("a warning");
    assert_eq!(
        (warning.severity, warning.pointer.as_str()),
        (Severity::Warning, "/schema_version")
    );
    assert!(
        warning.message.contains("2027-12-31") && warning.message.contains("/schemas/case/1.1.0/changes"),
        "{}",
        warning.message
    );
    // Nothing else is different, and the newer version is not warned about.
    let rest = |verdict: &Verdict| -> Vec<String> {
        let all = verdict.findings.iter().map(|f| f.identity.clone());
        all.filter(|identity| *identity != warning.identity).collect()
    };
    let after = judge.judge(&newer, &envelope(), &centres());
    assert_eq!(rest(&verdict), rest(&after));
    assert_eq!(verdict.findings.len(), after.findings.len() + 1);
    assert_eq!(verdict.assessments, after.assessments);
    // Active, it is not warned about either.
    assert!(
        !found(&JUDGE.judge(&body, &envelope(), &centres()))
            .contains(&("deprecated_schema_version", "/schema_version"))
    );
}

#[test]
fn a_retired_version_is_refused_with_the_way_out_and_still_read() {
    let judge = with_status("status = \"retired\"\nretired = \"2028-01-01\"");
    let body = with("/primary/side", json!("left"));
    let verdict = judge.judge(&body, &envelope(), &centres());
    assert!(verdict.rejected());
    assert_eq!(found(&verdict), [("retired_schema_version", "/schema_version")]);
    let finding = &verdict.findings[0];
    assert_eq!(finding.rule.as_deref(), Some("E-001"));
    for told in [
        "2028-01-01",
        "GET /api/v1/schemas/case/1.1.0;",
        "/api/v1/schemas/case/1.1.0/changes",
    ] {
        assert!(finding.message.contains(told), "{}", finding.message);
    }
    assert_eq!(judge.accepted_versions().collect::<Vec<_>>(), ["1.1.0"]);
    assert_eq!(
        judge.store().case_schema("1.0.0").map(|s| s.status),
        Some(Status::Retired)
    );
    // What is stored in it is read as before.
    let (record, document) = judge.read(&body, &envelope(), &centres()).expect("a record");
    let (same, _) = JUDGE.read(&body, &envelope(), &centres()).expect("a record");
    let guideline = judge.in_force("1.0.0").expect("a guideline");
    assert_eq!(
        guideline.evaluate(&record),
        JUDGE.in_force("1.0.0").expect("a guideline").evaluate(&same)
    );
    let document = document.to_value();
    assert_eq!(document["schema_version"], "1.1.0");
    assert_eq!(
        document["record"]["schema_version"], "1.0.0",
        "the envelope says what was sent"
    );
    // A version nobody knows is refused as before.
    let unknown = judge.judge(&with("/schema_version", json!("9.9.9")), &envelope(), &centres());
    assert_eq!(
        found(&unknown),
        [("unsupported_schema_version", "/schema_version")]
    );
}

#[test]
fn a_step_that_leaves_something_over_is_told() {
    let text = STORE.file("case/1.1.0/upgrade.toml").expect("the step");
    let (before, after) = (
        &STORE.case_schema("1.0.0").expect("a version").dictionary,
        &STORE.case_schema("1.1.0").expect("a version").dictionary,
    );
    let step: Upgrade = toml::from_str(text).expect("a step");
    assert_eq!(step.bridges(before, after), Ok(()));
    for (from, to, said) in [
        (
            "to = \"egfr_ml_min_1_73m2\"",
            "to = \"egfr\"",
            "`assessment.egfr_ml_min` leads to no element of 1.1.0",
        ),
        (
            "element = \"assessment.egfr_ml_min\"",
            "element = \"assessment.gfr\"",
            "`assessment.gfr` is not in 1.0.0",
        ),
        (
            "element = \"assessment.egfr_ml_min\"",
            "element = \"assessment.ecog\"",
            "`assessment.ecog` is of type integer and `assessment.egfr_ml_min_1_73m2` of type number",
        ),
        (
            "metastasis = { specimen_site = \"metastasis\" }",
            "",
            "`pathology_review.specimen`: code `metastasis` is not split",
        ),
        (
            "metastasis = { specimen_site = \"metastasis\" }",
            "metastasis = { specimen_site = \"elsewhere\" }",
            "`pathology_review.specimen_site` has no code `elsewhere`",
        ),
        (
            "metastasis = { specimen_site = \"metastasis\" }",
            "metastasis = { place = \"metastasis\" }",
            "`pathology_review.specimen` is not split into `place`",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let step: Upgrade = toml::from_str(&text.replacen(from, to, 1)).expect("a step");
        let fault = step.bridges(before, after).expect_err(said);
        assert!(fault.contains(said), "{fault}");
    }
    // A version that only adds needs no file; one that takes away does.
    let nothing: Upgrade = toml::from_str("from = \"1.0.0\"\nto = \"1.1.0\"\n").expect("a step");
    let fault = nothing.bridges(before, after).expect_err("something is gone");
    assert!(fault.contains("leads to no element"), "{fault}");
}

#[test]
fn a_published_step_is_frozen() {
    let folder = copy();
    change(
        &folder,
        "case/1.1.0/upgrade.toml",
        "specimen_procedure = \"biopsy\"",
        "specimen_procedure = \"resection\"",
    );
    match SchemaStore::from_dir(folder.path()) {
        Err(SchemaError::Changed { path, .. }) => assert_eq!(path, "case/1.1.0/upgrade.toml"),
        other => panic!("{other:?}"),
    }
}

/// The day a body arrives.
fn arriving(day: &str) -> registry_core::validation::Envelope {
    let mut at = envelope();
    at.submitted_at = format!("{day}T08:00:00Z").parse().expect("an instant");
    at
}

#[test]
fn past_its_last_day_a_deprecated_version_is_refused_with_the_way_out() {
    let judge = with_status("status = \"deprecated\"\naccepted_through = \"2026-06-30\"");
    let body = with("/primary/side", json!("left"));
    let on = |day: &str| judge.judge(&body, &arriving(day), &centres());
    assert!(!on("2026-06-30").rejected(), "the last day counts");
    let late = on("2026-07-01");
    assert_eq!(found(&late), [("retired_schema_version", "/schema_version")]);
    let message = &late.findings[0].message;
    assert!(
        message.contains("accepted through 2026-06-30")
            && message.contains("GET /api/v1/schemas/case/1.1.0;"),
        "{message}"
    );
    let unknown = judge.judge(
        &with("/schema_version", json!("9.9.9")),
        &arriving("2026-07-01"),
        &centres(),
    );
    assert!(
        unknown.findings[0].message.ends_with("Accepted: 1.1.0."),
        "{}",
        unknown.findings[0].message
    );
    // What is stored in it is judged again as of the day it came, whatever day it is.
    let again = judge
        .judge_again(&body, &arriving("2026-07-01"), &centres())
        .expect("a verdict");
    assert!(!again.rejected());
}

#[test]
fn a_withdrawal_is_taken_in_whatever_version_it_comes() {
    let withdrawal = json!({
        "schema_version": "1.0.0",
        "patient": {"pseudonym_id": "P-0001"},
        "consent": {"status": "withdrawn", "withdrawal_date": "2026-07-01"},
    });
    let mut whole = with("/primary/side", json!("left"));
    put(&mut whole, "/consent/status", json!("withdrawn"));
    for status in [
        "status = \"active\"",
        "status = \"deprecated\"\naccepted_through = \"2026-06-30\"",
        "status = \"retired\"\nretired = \"2026-06-30\"",
    ] {
        let judge = with_status(status);
        let verdict = judge.judge(&withdrawal, &arriving("2026-07-02"), &centres());
        assert!(
            verdict.withdrawal && !verdict.rejected(),
            "{status}: {:?}",
            found(&verdict)
        );
        assert_eq!(verdict.schema_version.as_deref(), Some("1.0.0"));
        // It may still carry nothing of the case, and nothing that is none.
        let refused = judge.judge(&whole, &arriving("2026-07-02"), &centres());
        assert_eq!(found(&refused), [("E-004", "/consent/status")], "{status}");
        let mut broken = withdrawal.clone();
        put(&mut broken, "/consent/withdrawal_date", json!("yesterday"));
        let refused = judge.judge(&broken, &arriving("2026-07-02"), &centres());
        assert_eq!(
            found(&refused),
            [("bad_format", "/consent/withdrawal_date")],
            "{status}"
        );
    }
    let mut unknown = withdrawal;
    put(&mut unknown, "/schema_version", json!("9.9.9"));
    assert!(JUDGE.judge(&unknown, &envelope(), &centres()).rejected());
}
