//! The rule half of a verdict: edit checks as findings, withdrawal, partial dates, what attesting is worth.

use std::collections::BTreeMap;

use registry_core::guideline::Outcome;
use registry_core::rules::CheckSet;
use registry_core::validation::{Finding, Severity, UnattestedSection, Verdict};
use registry_core::versions::EligibilityClass;
use serde_json::{Value, json};

use crate::body::{JUDGE, STORE, case, centres, envelope, found, judge, judge_later, put, with};
use crate::examples::examples;

fn finding<'v>(verdict: &'v Verdict, code: &str) -> &'v Finding {
    verdict
        .findings
        .iter()
        .find(|f| f.code == code)
        .unwrap_or_else(|| panic!("no {code} in {:?}", found(verdict)))
}

#[test]
fn the_sound_case_is_queried_only_for_the_sections_nobody_attested() {
    assert_eq!(found(&judge(&case())), [("E-101", "/section_attestation")]);
    let attested =
        json!([{"section": "all", "status": "complete_through", "complete_through": "2026-02-28"}]);
    assert_eq!(found(&judge(&with("/section_attestation", attested))), []);
}

/// Each change fires one check, at the place a person would look at.
#[test]
fn an_edit_check_is_a_finding_with_its_place() {
    let second = |seq: i64, date: &str| json!({"seq": seq, "date_detected": date});
    let cases: Vec<(Value, &str, Severity, &str)> = vec![
        (
            with("/consent/date", json!("2026-03-02")),
            "E-005",
            Severity::Error,
            "/consent/date",
        ),
        (
            with("/patient/birth_year", json!(1899)),
            "E-007",
            Severity::Error,
            "/patient/birth_year",
        ),
        (
            with("/patient/birth_year", json!(2015)),
            "E-008",
            Severity::Warning,
            "/patient/birth_year",
        ),
        (
            with("/primary/icdo_morphology", json!("88583")),
            "E-010",
            Severity::Error,
            "/primary/icdo_morphology",
        ),
        (
            with("/primary/icdo_morphology", json!("8936/3")),
            "E-011",
            Severity::Reject,
            "/primary/icdo_morphology",
        ),
        (
            with("/primary/organ_of_origin", json!("visceral")),
            "E-012",
            Severity::Reject,
            "/primary/organ_of_origin",
        ),
        (
            with("/primary/arises_from_teratoma", json!(true)),
            "E-014",
            Severity::Reject,
            "/primary/arises_from_teratoma",
        ),
        (
            with("/primary/icdo_morphology", json!("8811/3")),
            "E-016",
            Severity::Warning,
            "/primary",
        ),
        (
            with("/primary/icdo_topography", json!("C49.0")),
            "E-018",
            Severity::Error,
            "/primary/icdo_topography",
        ),
        (
            with("/primary/icdo_topography", json!("C48.1")),
            "E-019",
            Severity::Warning,
            "/primary/icdo_topography",
        ),
        (
            with("/presentation/0/timing", json!("synchronous")),
            "E-027",
            Severity::Error,
            "/presentation/0/timing",
        ),
        (
            with("/presentation/1", second(3, "2026-01-10")),
            "E-029",
            Severity::Error,
            "/presentation",
        ),
        (
            with("/presentation", json!([])),
            "E-030",
            Severity::Reject,
            "/presentation",
        ),
        (
            with("/lesion/0/presentation_seq", json!(2)),
            "E-031",
            Severity::Error,
            "/lesion/0/presentation_seq",
        ),
        (
            with(
                "/followup/1",
                json!({"date": "2026-02-21", "vital_status": "dead", "death_date": "2026-02-21"}),
            ),
            "E-036",
            Severity::Error,
            "/followup/1/cause_of_death",
        ),
        (
            with("/imaging/0/date", json!("2026-04-01")),
            "E-038",
            Severity::Error,
            "/imaging/0/date",
        ),
        // Of all the dates that were read before it was found, it is the one that is too late.
        (
            with("/presentation/0/date_detected", json!("2030-01-01")),
            "E-038",
            Severity::Error,
            "/presentation/0/date_detected",
        ),
        (
            with("/imaging/0/date", json!("2025-06")),
            "E-039",
            Severity::Warning,
            "/imaging/0/date",
        ),
    ];
    for (body, code, severity, pointer) in cases {
        let verdict = judge(&body);
        let finding = finding(&verdict, code);
        assert_eq!(
            (finding.severity, finding.pointer.as_str()),
            (severity, pointer),
            "{code}"
        );
        assert_eq!(finding.rule.as_deref(), Some(code));
        assert_eq!(finding.rule_version.as_deref(), Some("1.0"), "{code}");
        assert!(
            !finding.message.is_empty() && !finding.message.contains('{'),
            "{}",
            finding.message
        );
        assert_eq!(
            verdict.rejected(),
            severity == Severity::Reject,
            "{code}: {:?}",
            found(&verdict)
        );
    }
}

#[test]
fn an_excluded_histology_is_refused_by_its_name() {
    let verdict = judge(&with("/primary/icdo_morphology", json!("8936/3")));
    assert_eq!(
        found(&verdict),
        [
            ("E-011", "/primary/icdo_morphology"),
            ("E-101", "/section_attestation")
        ]
    );
    assert!(
        verdict.findings[0].message.contains("GIST"),
        "{}",
        verdict.findings[0].message
    );
    assert_eq!(verdict.derived.eligibility_class.as_deref(), Some("excluded"));
    assert!(verdict.assessments.is_empty() && verdict.unattested.is_empty());
}

#[test]
fn every_excluded_histology_is_refused_by_its_own_name() {
    let excluded = STORE.histology().entries.iter();
    let excluded = excluded.filter(|entry| entry.eligibility_class == EligibilityClass::Excluded);
    let mut refused = 0;
    for entry in excluded {
        for morphology in entry.codes() {
            let verdict = judge(&with("/primary/icdo_morphology", json!(morphology)));
            let finding = finding(&verdict, "E-011");
            assert!(verdict.rejected(), "{morphology}");
            assert_eq!(finding.pointer, "/primary/icdo_morphology");
            assert!(
                finding.message.contains(&entry.term),
                "{morphology}: {}",
                finding.message
            );
            refused += 1;
        }
    }
    assert_eq!(refused, 18);
}

#[test]
fn a_withdrawal_carries_the_pseudonym_and_the_consent() {
    for status in ["withdrawn", "refused"] {
        let body = json!({
            "schema_version": "1.0.0",
            "patient": {"pseudonym_id": "P-0001"},
            "consent": {"status": status}
        });
        let verdict = judge(&body);
        assert!(
            verdict.withdrawal && verdict.findings.is_empty(),
            "{:?}",
            verdict.findings
        );
        assert!(verdict.unattested.is_empty() && verdict.assessments.is_empty());

        let verdict = judge(&with("/consent/status", json!(status)));
        assert!(verdict.withdrawal && verdict.rejected());
        assert_eq!(found(&verdict), [("E-004", "/consent/status")]);
        let message = &verdict.findings[0].message;
        assert!(
            message.contains("imaging") && message.contains("primary"),
            "{message}"
        );

        let mut only_follow_up = body.clone();
        put(
            &mut only_follow_up,
            "/followup",
            json!([{"date": "2026-02-20", "vital_status": "alive"}]),
        );
        assert_eq!(found(&judge(&only_follow_up)), [("E-004", "/consent/status")]);
        let mut empty_sections = body;
        put(&mut empty_sections, "/imaging", json!([]));
        assert_eq!(found(&judge(&empty_sections)), []);
    }
}

#[test]
fn a_partial_date_is_queried_where_windows_are_counted() {
    let mut body = case();
    put(&mut body, "/presentation/0/date_detected", json!("2025-06"));
    put(&mut body, "/imaging/0/date", json!("2025"));
    put(
        &mut body,
        "/imaging/1",
        json!({"date": "2025-07-01", "modality": "ct", "region": ["chest"]}),
    );
    put(
        &mut body,
        "/imaging/2",
        json!({"date": "2025", "modality": "mri", "region": ["pelvis"]}),
    );
    let verdict = judge(&body);
    let queried: Vec<&str> = verdict
        .findings
        .iter()
        .filter(|f| f.code == "E-039")
        .map(|f| f.pointer.as_str())
        .collect();
    assert_eq!(
        queried,
        [
            "/imaging/0/date",
            "/imaging/2/date",
            "/presentation/0/date_detected"
        ]
    );
    assert_eq!(verdict.t0.as_deref(), Some("2025-06"));
    let mut identities: Vec<&str> = verdict.findings.iter().map(|f| f.identity.as_str()).collect();
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), verdict.findings.len());
}

#[test]
fn the_identity_of_a_check_stays_when_rows_move_and_when_the_case_is_sent_again() {
    let bad = json!({"lesion_id": "L9", "presentation_seq": 7, "site": "liver", "status": "suspected"});
    let good = case()["lesion"][0].clone();
    let identity = |rows: Value, day: &str| {
        let mut later = envelope();
        later.submitted_at = chrono::DateTime::parse_from_rfc3339(day)
            .expect("an instant")
            .to_utc();
        let verdict = JUDGE.judge(&with("/lesion", rows), &later, &centres());
        finding(&verdict, "E-031").identity.clone()
    };
    let first = identity(json!([good, bad]), "2026-03-01T10:00:00Z");
    assert_eq!(first, identity(json!([good, bad]), "2026-03-02T11:00:00Z"));
    let other = json!({"lesion_id": "L9", "presentation_seq": 8, "site": "liver", "status": "suspected"});
    assert_ne!(first, identity(json!([good, other]), "2026-03-01T10:00:00Z"));
}

fn worth(verdict: &Verdict, section: &str) -> Option<usize> {
    verdict
        .unattested
        .iter()
        .find(|s| s.section == section)
        .map(|s| s.measures_unlocked)
}

/// What is told of a section is what comes of attesting it, and it alone.
#[test]
fn a_section_unlocks_what_its_attestation_makes_assessable() {
    let not_assessable = |verdict: &Verdict| -> BTreeMap<u16, usize> {
        let mut units = BTreeMap::new();
        for outcome in verdict.assessments.iter().flat_map(|one| &one.outcomes) {
            *units.entry(outcome.measure).or_default() +=
                usize::from(outcome.outcome == Outcome::NotAssessable);
        }
        units
    };
    let mut told = Vec::new();
    let valid = examples("1.0.0", "valid");
    for name in ["figure-1", "figure-2", "minimal"] {
        let found = valid
            .iter()
            .find(|(file, _)| file.trim_end_matches(".json") == name);
        let body = found.expect("an example").1.clone();
        let verdict = judge_later(&body);
        let before = not_assessable(&verdict);
        for section in &verdict.unattested {
            let mut attested = body.clone();
            let rows = attested["section_attestation"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let others = rows
                .into_iter()
                .filter(|row| row["section"] != section.section.as_str());
            let own = json!({"section": section.section, "status": "complete_through", "complete_through": "2027-01-04"});
            attested["section_attestation"] = others.chain([own]).collect();
            let verdict = judge_later(&attested);
            assert!(
                !verdict.rejected(),
                "{name} {}: {:?}",
                section.section,
                verdict.findings
            );
            let after = not_assessable(&verdict);
            let unlocked = before.iter().filter(|(measure, units)| after[measure] < **units);
            assert_eq!(
                section.measures_unlocked,
                unlocked.count(),
                "{name} {}",
                section.section
            );
            told.push(section.measures_unlocked);
        }
    }
    assert!(told.len() > 20 && told.iter().sum::<usize>() > 20, "{told:?}");
}

#[test]
fn sections_nobody_attested_are_listed_with_what_they_are_worth() {
    let attested = judge(&case());
    assert_eq!(worth(&attested, "imaging"), None, "attested through the window");
    let all: Vec<&str> = attested.unattested.iter().map(|s| s.section.as_str()).collect();
    assert!(all.contains(&"systemic") && all.contains(&"pro"), "{all:?}");
    assert!(
        !all.contains(&"presentation") && !all.contains(&"followup"),
        "{all:?}"
    );
    assert_eq!(all.len(), 20, "21 sections can be attested, one is");
    let worths: Vec<usize> = attested.unattested.iter().map(|s| s.measures_unlocked).collect();
    assert!(worths.is_sorted_by(|a, b| a >= b), "{worths:?}");

    // One chest scan by CT is there, no MRI: without the attestation, whether there was another is open.
    let open = judge(&with("/section_attestation", json!([])));
    assert!(
        worth(&open, "imaging").is_some_and(|n| n > 0),
        "{:?}",
        open.unattested
    );

    // `all` closes every section that has no attestation of its own.
    let closed = judge(&with(
        "/section_attestation",
        json!([
            {"section": "all", "status": "complete_through", "complete_through": "2026-03-01"},
            {"section": "trial", "status": "incomplete"}
        ]),
    ));
    // Assessment for a trial and enrolment (39a, 39b) wait for it.
    assert_eq!(
        closed.unattested,
        [UnattestedSection {
            section: "trial".to_owned(),
            measures_unlocked: 2
        }]
    );
}

#[test]
fn the_assessment_has_every_measure() {
    let verdict = judge(&case());
    let [assessment] = verdict.assessments.as_slice() else {
        panic!("one guideline");
    };
    let guideline = &JUDGE.guidelines("1.0.0")[0];
    assert_eq!(assessment.guideline, guideline.id);
    let chest = guideline.measure("6").expect("measure 6").0;
    let outcome = assessment
        .outcomes
        .iter()
        .find(|o| o.measure == chest)
        .expect("an outcome of measure 6");
    // CT of the chest on the day of detection: met, whatever else is open.
    assert_eq!(outcome.outcome.as_str(), "MET");
}

#[test]
fn an_error_keeps_its_element_out_of_the_measures() {
    // A malformed morphology keeps histology and eligibility out, and with them the population of every measure.
    let verdict = judge(&with("/primary/icdo_morphology", json!("88583")));
    assert_eq!(finding(&verdict, "E-010").pointer, "/primary/icdo_morphology");
    assert!(!verdict.rejected());
    let outcomes = &verdict.assessments[0].outcomes;
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert_eq!(outcome.outcome.as_str(), "NOT_ASSESSABLE");
        assert_eq!(outcome.reason.map(|r| r.as_str()), Some("edit_error"));
        assert_eq!(outcome.element.as_deref(), Some("primary.eligibility_class"));
    }
}

/// An attestation that the rows of its section contradict closes nothing: it is ignored, the rows stay.
#[test]
fn a_contradicted_attestation_is_ignored() {
    let attested = |status: &str| {
        judge(&with(
            "/section_attestation",
            json!([{"section": "imaging", "status": status}]),
        ))
    };
    let contradicted = attested("none_ever");
    assert_eq!(
        finding(&contradicted, "E-102").pointer,
        "/section_attestation/0/status"
    );
    let open = attested("incomplete");
    assert!(
        worth(&open, "imaging").is_some_and(|n| n > 0),
        "{:?}",
        open.unattested
    );
    assert_eq!(worth(&contradicted, "imaging"), worth(&open, "imaging"));
}

/// That there has never been any event in any section is not one of the things `all` can say: it closes no section.
#[test]
fn nothing_ever_in_all_sections_closes_none() {
    let all = |status: &str| {
        judge(&with(
            "/section_attestation",
            json!([{"section": "all", "status": status}]),
        ))
    };
    assert_eq!(all("none_ever").unattested, all("incomplete").unattested);
    assert_eq!(
        finding(&all("none_ever"), "E-101").pointer,
        "/section_attestation"
    );
}

/// A conditional requirement is about what is lacking: its finding points there, in the row that was judged.
#[test]
fn a_conditional_requirement_points_at_the_element_that_is_lacking() {
    let requirements: Vec<_> = JUDGE
        .checks("1.0.0")
        .expect("checks")
        .checks()
        .iter()
        .filter(|check| check.id.starts_with("R-"))
        .collect();
    assert_eq!(requirements.len(), 39);
    for check in &requirements {
        let about = check
            .about
            .as_deref()
            .unwrap_or_else(|| panic!("{} is about nothing", check.id));
        let condition = check.expression.as_deref().unwrap_or_default();
        assert!(
            condition.contains(&format!("MISSING({about})")),
            "{}: {about}",
            check.id
        );
    }
    // Two rows, the second lacks its dose; of a section there is once there is one place.
    let line = |agents: Value| {
        json!({"line_id": "S1", "setting": "metastatic", "line_number": 1, "agents": agents, "start_date": "2025-07-01",
            "ifosfamide_schedule": "standard"})
    };
    let verdict = judge(&with(
        "/systemic",
        json!([line(json!(["trabectedin"])), line(json!(["ifosfamide"]))]),
    ));
    assert_eq!(
        finding(&verdict, "R-031").pointer,
        "/systemic/1/ifosfamide_g_m2_cycle"
    );
    let verdict = judge(&with("/hereditary/syndrome", json!("li_fraumeni")));
    assert_eq!(finding(&verdict, "R-002").pointer, "/hereditary/basis");
}

#[test]
fn a_check_is_about_an_element_of_its_row_or_of_what_there_is_once() {
    let layout = JUDGE.layout("1.0.0").expect("a layout");
    let codes = |about: &str| -> Vec<(&'static str, usize)> {
        let text = format!(
            "id = \"R-900\"\nabout = \"{about}\"\nseverity = \"warning\"\nscope = \"systemic\"\nevaluated_by = \"rule\"\nrule_in_words = \"r\"\nmessage = \"m\"\nexpression = \"MISSING(systemic.intent)\"\n"
        );
        let set = CheckSet::compile(&[("checks/R-900.toml", &text)], None, layout);
        let errors = set.err().map(|errors| errors.0).unwrap_or_default();
        errors.iter().map(|error| (error.code, error.line)).collect()
    };
    assert_eq!(codes("systemic.intent"), []);
    assert_eq!(codes("primary.side"), []);
    assert_eq!(
        codes("imaging.date"),
        [("about_no_row", 2)],
        "another row would be a guess"
    );
    assert_eq!(codes("systemic.no_such"), [("about_no_row", 2)]);
}

#[test]
fn a_fine_needle_is_queried_until_somebody_says_that_it_aspirated() {
    let fires = |technique: Value| {
        let row = json!([{"biopsy_id": "B1", "date": "2025-07-01", "gauge": 25, "technique": technique}]);
        found(&judge(&with("/biopsy", row)))
            .iter()
            .any(|(code, _)| *code == "E-047")
    };
    assert!(fires(json!("core_needle")));
    assert!(fires(json!(null)), "a technique nobody entered excuses nothing");
    assert!(fires(json!({"absent": "unknown"})));
    assert!(!fires(json!("fna")));
}
