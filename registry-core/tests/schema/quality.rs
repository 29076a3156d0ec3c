//! Phases of the disease and limits of the worklist, compiled from `schema/quality`.

use registry_core::quality::QualityRules;
use registry_core::record::Record;
use serde_json::{Value, json};

use crate::body::{JUDGE, STORE, centres, envelope, put, with};
use crate::store::schema_dir;

fn rules() -> QualityRules {
    let layout = JUDGE.layout("1.0.0").expect("a layout");
    QualityRules::of(&STORE, layout).unwrap_or_else(|errors| panic!("{errors}"))
}

fn phase(rules: &QualityRules, body: &Value) -> String {
    let document = JUDGE.document(body, "1.0.0", &envelope());
    let record = Record::read(&document, JUDGE.layout("1.0.0").expect("a layout"), &centres());
    rules
        .phase_of(&record)
        .expect("every patient is in a phase")
        .id
        .clone()
}

#[test]
fn the_published_limits_compile_and_say_where_they_come_from() {
    let rules = rules();
    let days: Vec<(&str, u32)> = rules
        .phases()
        .iter()
        .map(|phase| (phase.id.as_str(), phase.contact_within_days))
        .collect();
    assert_eq!(
        days,
        [
            ("under_treatment", 122),
            ("observed", 122),
            ("cleared", 213),
            ("with_disease", 183)
        ]
    );
    assert_eq!(rules.pending_limit_days(), 90);
    assert!(rules.may_stay_pending("systemic.stop_date") && !rules.may_stay_pending("biopsy.result"));
    assert!(rules.parameters().all(|parameter| !parameter.basis.is_empty()));
    assert!(rules.phases().iter().all(|phase| !phase.provenance.is_empty()));
}

#[test]
fn the_first_phase_that_holds_is_the_patients() {
    let rules = rules();
    for (example, expected) in [
        ("synchronous-unresected", "under_treatment"),
        ("observation-only", "observed"),
        ("metachronous-lung", "cleared"),
        ("figure-2", "with_disease"),
        ("minimal", "with_disease"),
    ] {
        let path = schema_dir().join(format!("examples/1.0.0/valid/{example}.json"));
        let body = serde_json::from_slice(&std::fs::read(path).expect("an example")).expect("JSON");
        assert_eq!(phase(&rules, &body), expected, "{example}");
    }
    // What the last contact says counts, not an earlier one.
    let mut relapsed = with(
        "/followup/0",
        json!({"date": "2025-09-01", "vital_status": "alive", "disease_status": "no_evidence_of_disease"}),
    );
    assert_eq!(phase(&rules, &relapsed), "cleared");
    put(
        &mut relapsed,
        "/followup/1",
        json!({"date": "2026-02-20", "vital_status": "alive", "disease_status": "progressing"}),
    );
    assert_eq!(phase(&rules, &relapsed), "with_disease");
}

#[test]
fn a_fault_in_the_limits_is_said_with_its_place() {
    const LIMITS: &str = "[A_DAYS]\nvalue = 10\ntype = \"days\"\nbasis = \"assumption\"\n\n[PENDING_LIMIT_DAYS]\nvalue = 90\ntype = \"days\"\nbasis = \"assumption\"\n";
    let windows = "guideline/tarpswg-metastatic-rps/1.1.0/parameters.toml";
    let windows = (windows, STORE.file(windows).expect("parameters"));
    let phase = |id: &str, limit: &str, condition: Option<&str>| {
        let condition = condition.map_or_else(String::new, |text| format!("condition = \"{text}\"\n"));
        format!(
            "[[phase]]\nid = \"{id}\"\ntitle = \"t\"\ncontact_within = \"{limit}\"\nprovenance = \"p\"\n{condition}\n"
        )
    };
    let layout = JUDGE.layout("1.0.0").expect("a layout");
    let codes = |phases: &str, limits: &str| -> Vec<(&'static str, usize)> {
        let compiled = QualityRules::compile(phases, limits, Some(windows), layout);
        let errors = compiled.err().map(|errors| errors.0).unwrap_or_default();
        errors.iter().map(|error| (error.code, error.line)).collect()
    };
    let rest = phase("rest", "A_DAYS", None);
    assert_eq!(codes(&rest, LIMITS), []);
    // The condition stands in line 6 of its phase.
    let wrong = phase("a", "A_DAYS", Some("primary.no_such = 'x'"));
    assert_eq!(codes(&format!("{wrong}{rest}"), LIMITS), [("unknown_element", 6)]);
    assert_eq!(
        codes(&phase("a", "NONE", None), LIMITS),
        [("unknown_parameter", 4)]
    );
    assert_eq!(
        codes(&format!("{rest}{rest}"), LIMITS),
        [("phase_condition", 2), ("twice", 8)]
    );
    let ends_with_condition = phase("a", "A_DAYS", Some("LAST = CUT"));
    assert_eq!(codes(&ends_with_condition, LIMITS), [("phase_condition", 2)]);
    assert_eq!(codes(&rest, &LIMITS[..56]), [("unknown_parameter", 1)]);
    let stray =
        "[PENDING_WHILE_RUNNING]\nvalue = [\"systemic.no_such\"]\ntype = \"code_set\"\nbasis = \"b\"\n";
    assert_eq!(
        codes(&rest, &format!("{stray}{LIMITS}")),
        [("unknown_element", 1)]
    );
}
