#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, NaiveDate};
use registry_core::guideline::Outcome::{Met, NotAssessable};
use registry_core::record::{CentreTable, day_number};
use registry_core::rules::Reason;
use registry_core::storage::{CaseDocument, CaseHeader, CaseRef, CaseStatus, Derived, Holders};
use registry_core::validation::Judge;
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};

use super::*;
use crate::cohorts::facts::{Contact, Vital};
use crate::cohorts::{RecordedDate, SurvivalFacts};
use crate::disclosure::{Audience, Thresholds, completeness};
use crate::measures::tests_support::{day, run};
use crate::measures::{CaseEvaluation, CaseFacts, Engine, UnitResult};
use crate::results::Completeness;
use crate::results::completeness::PeriodBy;

mod over_time;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let schema = SchemaStore::embedded().unwrap();
    Engine::new(Arc::new(Judge::new(Arc::new(schema)).unwrap())).unwrap()
});

/// The version of the case schema that rules read.
const FORM: &str = "1.1.0";

fn on(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

fn number(day: &str) -> i32 {
    day_number(on(day))
}

fn body() -> Value {
    json!({
        "schema_version": "1.0.0",
        "patient": {"pseudonym_id": "P-0001", "birth_year": 1960, "sex": "female", "registration_date": "2025-06-20",
            "ascertainment": "prospective"},
        "consent": {"status": "consented", "date": "2025-06-20", "research_reuse": true},
        "hereditary": {"syndrome": "none_known"},
        "primary": {"icdo_morphology": "8854/3", "icdo_topography": "C48.0", "size_mm": {"absent": "unknown"},
            "diagnosis_date": "2023-02-10", "resection_status": "not_resected"},
        "presentation": [{"seq": 1, "date_detected": "2025-06-11", "timing": "metachronous"}],
        "biopsy": [
            {"biopsy_id": "B1", "lesion_id": "primary", "date": "2025-06-25", "technique": "fna", "result": {"absent": "pending"}},
            {"biopsy_id": "B2", "lesion_id": "primary", "date": "2025-07-02", "technique": "fna", "gauge": 22,
                "core_count": {"absent": "not_applicable"}}
        ],
        "trial": [{"outcome": "enrolled", "enrolment_date": "2025-08-01"}, {"outcome": "enrolled"},
            {"outcome": "declined", "registry_id": "NCT01234567"}],
        "imaging": [{"date": "2025-06-11", "modality": "ct", "region": ["chest"]},
            {"date": "2025-07-01", "modality": "ct", "region": ["chest"]}],
        "section_attestation": [{"section": "imaging", "status": "complete_through", "complete_through": "2026-02-28"}],
        "followup": [{"date": "2026-02-20", "vital_status": "alive", "disease_status": "stable"}]
    })
}

fn version(number: i64, submitted: &str, status: CaseStatus, document: Value) -> CaseDocument {
    CaseDocument {
        header: CaseHeader {
            case: CaseRef {
                centre_id: "C07".to_owned(),
                case_id: "00000000-0000-0000-0000-000000000001".to_owned(),
                version: number,
            },
            holders: Holders::alone("C07"),
            status,
            schema_version: "1.0.0".to_owned(),
            derived: Derived::default(),
            submitted_at: DateTime::parse_from_rfc3339(&format!("{submitted}T10:00:00Z"))
                .unwrap()
                .to_utc(),
            content_hash: String::new(),
            errors: 0,
            warnings: 0,
        },
        document,
    }
}

fn facts() -> QualityFacts {
    let mut first = body();
    first["followup"] = json!([{"date": "2025-07-20", "vital_status": "alive"}]);
    let earlier = [
        version(1, "2025-06-25", CaseStatus::Draft, first.clone()),
        version(2, "2025-07-31", CaseStatus::Submitted, first),
    ];
    let current = version(3, "2026-03-01", CaseStatus::Submitted, body());
    ENGINE
        .evaluate(&current, &earlier, on("2026-06-30"), &CentreTable::default())
        .unwrap()
        .quality
}

fn answers(facts: &QualityFacts, path: &str) -> Option<Counts> {
    let versions = ENGINE.versions();
    facts
        .elements
        .iter()
        .find(|one| versions.element(FORM, one.entity, one.element) == Some(path))
        .map(|one| one.counts)
}

#[test]
fn elements_are_expected_where_they_are_required_or_their_condition_holds() {
    let facts = facts();
    let one = |count: fn(&mut Counts) -> &mut u32, n: u32| {
        let mut counts = Counts::default();
        *count(&mut counts) = n;
        Some(counts)
    };
    assert_eq!(answers(&facts, "biopsy.technique"), one(|c| &mut c.known, 2));
    assert_eq!(answers(&facts, "primary.size_mm"), one(|c| &mut c.unknown, 1));
    // The section is there once: required although nobody filled it in.
    assert_eq!(answers(&facts, "primary.side"), one(|c| &mut c.missing, 1));
    // R-010 asks for the gauge of the first aspiration, the second has it.
    let gauge = Counts {
        known: 1,
        missing: 1,
        ..Counts::default()
    };
    assert_eq!(answers(&facts, "biopsy.gauge"), Some(gauge));
    // Not resected: R-005 asks why. No syndrome: nobody asks for its basis.
    assert_eq!(
        answers(&facts, "primary.withheld_reason"),
        one(|c| &mut c.missing, 1)
    );
    assert_eq!(answers(&facts, "hereditary.basis"), None);
    // Sent for the second aspiration, which has no cores: an answer nobody asked for.
    assert_eq!(answers(&facts, "biopsy.core_count"), None);
    // One of two enrolments has its date; neither names the trial, and the third was declined.
    let dated = Counts {
        known: 1,
        missing: 1,
        ..Counts::default()
    };
    assert_eq!(answers(&facts, "trial.enrolment_date"), Some(dated));
    assert_eq!(answers(&facts, "trial.registry_id"), one(|c| &mut c.missing, 2));
    assert_eq!(answers(&facts, "primary.definitive_resection_date"), None);
    // Derived and optional elements are nobody's duty.
    assert_eq!(answers(&facts, "primary.histology_code"), None);
    assert_eq!(answers(&facts, "observation.end_date"), None);
    // Stable, no treatment, no observation.
    assert_eq!(facts.phase.as_deref(), Some("with_disease"));
    assert_eq!(facts.undecided_morphology.as_deref(), Some("8854/3"));
}

#[test]
fn pending_values_count_from_the_event_and_delays_from_the_first_submission() {
    let facts = facts();
    let versions = ENGINE.versions();
    let pending: Vec<_> = facts
        .pending
        .iter()
        .map(|(entity, element, row, since)| {
            (versions.element(FORM, *entity, *element).unwrap(), *row, *since)
        })
        .collect();
    assert_eq!(pending, [("biopsy.result", 0, number("2025-06-25"))]);
    assert_eq!(
        versions
            .pointer(&facts, facts.pending[0].0, 0, facts.pending[0].1)
            .as_deref(),
        Some("/biopsy/0/result")
    );
    // The draft does not count. The scan of 11 June and the presentation lie before registration.
    assert_eq!(facts.first_submitted, number("2025-07-31"));
    let mut delays: Vec<(&str, &[i32])> = facts
        .delays
        .iter()
        .map(|(entity, days)| (versions.section(FORM, *entity).unwrap(), days.as_slice()))
        .collect();
    delays.sort_unstable();
    // 25 June and 2 July to 31 July: 36 and 29 days; 1 July: 30; 20 February to 1 March: 9.
    assert_eq!(
        delays,
        [("biopsy", &[36, 29][..]), ("followup", &[9]), ("imaging", &[30])]
    );
    let open: Vec<&str> = facts
        .open_sections
        .iter()
        .map(|section| versions.section(FORM, *section).unwrap())
        .collect();
    assert!(
        open.contains(&"systemic") && !open.contains(&"imaging"),
        "{open:?}"
    );
    assert_eq!(open.len(), 20, "21 sections can be attested, one is");
}

fn unit(measure: u16, unit: u32, reason: Option<Reason>, element: Option<&str>) -> UnitResult {
    UnitResult {
        measure,
        unit,
        outcome: if reason.is_some() { NotAssessable } else { Met },
        reason,
        element: element.map(str::to_owned),
    }
}

fn contact(date: &str, vital: Vital) -> Contact {
    Contact {
        date: day(date),
        vital,
        death: RecordedDate::None,
    }
}

fn case(phase: &str, contacts: Vec<Contact>, outcomes: Vec<UnitResult>) -> CaseEvaluation {
    CaseEvaluation {
        outcomes,
        facts: CaseFacts {
            survival: SurvivalFacts {
                origin: day("2025-06-11"),
                contacts,
                ..SurvivalFacts::default()
            },
            ..CaseFacts::default()
        },
        quality: QualityFacts {
            schema_version: FORM.to_owned(),
            phase: Some(phase.to_owned()),
            ..QualityFacts::default()
        },
        shares: None,
    }
}

fn worklist(cases: &[(&str, CaseEvaluation)]) -> Worklist {
    let versions = ENGINE.versions();
    let rules = ENGINE.quality_rules(FORM).unwrap();
    let mut work = Collector::new(rules, &versions, 3, on("2026-06-30"));
    for (id, case) in cases {
        work.push(id, 1, case);
    }
    work.finish()
}

#[test]
fn contacts_are_overdue_by_phase() {
    // Cut-off 30 June 2026. Limits: 122 under treatment and observed, 213 cleared, 183 otherwise.
    let alive = |date| vec![contact(date, Vital::Alive)];
    let list = worklist(&[
        // 121 days before: in time. 123 days before: a day late.
        ("in-time", case("under_treatment", alive("2026-03-01"), vec![])),
        ("late", case("under_treatment", alive("2026-02-27"), vec![])),
        // The same day is in time where more is allowed.
        ("cleared", case("cleared", alive("2026-02-27"), vec![])),
        // The month only: its last day counts. 30 November + 213 d = 1 July.
        ("month", case("cleared", alive("2025-11"), vec![])),
        // No contact: from 11 June 2025, 384 days, 201 over 183.
        ("never", case("with_disease", vec![], vec![])),
        (
            "dead",
            case("with_disease", vec![contact("2025-07-01", Vital::Dead)], vec![]),
        ),
        (
            "lost",
            case("observed", vec![contact("2025-07-01", Vital::Lost)], vec![]),
        ),
        ("no-phase", case("unheard_of", vec![], vec![])),
    ]);
    let overdue: Vec<(&str, &str, Option<i32>)> = list
        .items
        .iter()
        .map(|item| (item.case_id.as_str(), item.what.as_str(), item.days))
        .collect();
    assert_eq!(
        overdue,
        [
            ("never", "with_disease", Some(201)),
            ("late", "under_treatment", Some(1))
        ]
    );
    assert!(list.unlocks.is_empty());
}

#[test]
fn what_unlocks_most_measures_comes_first() {
    let missing = Some(Reason::Missing);
    let section = Some(Reason::SectionNotAttested);
    let settled = vec![contact("2026-06-01", Vital::Alive)];
    let mut first = case(
        "cleared",
        settled.clone(),
        vec![
            unit(0, 0, missing, Some("imaging.date")),
            unit(0, 1, missing, Some("imaging.date")),
            unit(1, 0, section, Some("biopsy")),
            // Time will tell, searched and not found, met, and a composite (measure 3 of 3): no work.
            unit(2, 0, Some(Reason::WindowOpen), None),
            unit(2, 1, Some(Reason::UnknownRecorded), Some("biopsy.result")),
            unit(1, 1, None, None),
            unit(3, 0, missing, Some("imaging.date")),
        ],
    );
    let layout = ENGINE.judge().layout(FORM).unwrap();
    let (biopsy, result) = layout.path("biopsy.result").unwrap();
    let (systemic, stop) = layout.path("systemic.stop_date").unwrap();
    // 30 June 2026 is 91 days after 31 March, 90 after 1 April. A line may run for as long as it takes.
    first.quality.pending = vec![
        (biopsy, result, 0, number("2026-03-31")),
        (biopsy, result, 1, number("2026-04-01")),
        (systemic, stop, 0, number("2025-01-01")),
    ];
    first.quality.open_sections = vec![systemic, biopsy];
    let second = case(
        "cleared",
        settled,
        vec![
            unit(1, 0, missing, Some("imaging.date")),
            unit(2, 0, Some(Reason::EditError), Some("lesion.count")),
        ],
    );
    let list = worklist(&[("one", first), ("two", second)]);
    let unlocks: Vec<(&str, &str, u32, u32, u32)> = list
        .unlocks
        .iter()
        .map(|u| (u.kind.as_str(), u.what.as_str(), u.measures, u.units, u.cases))
        .collect();
    assert_eq!(
        unlocks,
        [
            ("element", "imaging.date", 2, 3, 2),
            ("section", "biopsy", 1, 1, 1),
            ("element", "lesion.count", 1, 1, 1),
            ("section", "systemic", 0, 0, 1),
        ]
    );
    let items: Vec<(&str, &str, &str, u32, u32)> = list
        .items
        .iter()
        .map(|i| {
            (
                i.kind.as_str(),
                i.case_id.as_str(),
                i.what.as_str(),
                i.measures,
                i.units,
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            ("element", "one", "imaging.date", 1, 2),
            ("element", "two", "imaging.date", 1, 1),
            ("element", "two", "lesion.count", 1, 1),
            ("pending", "one", "biopsy.result", 1, 1),
            ("section", "one", "biopsy", 1, 1),
            ("section", "one", "systemic", 0, 0),
        ]
    );
    let pending = &list.items[3];
    assert_eq!(
        (pending.days, pending.pointer.as_deref()),
        (Some(91), Some("/biopsy/0/result"))
    );
}

/// `n` cases of which each has `known` values and one missing in `primary.side`, diagnosed in June 2025, first sent 40 days later.
fn cases(centre: &'static str, n: usize, known: u32) -> Vec<(&'static str, CaseEvaluation)> {
    let (primary, side) = ENGINE.judge().layout(FORM).unwrap().path("primary.side").unwrap();
    let mut one = case("cleared", vec![contact("2025-12-11", Vital::Alive)], vec![]);
    one.facts.survival.in_core = true;
    one.facts.survival.registration = day("2025-06-11");
    one.facts.survival.ascertainment = crate::cohorts::facts::Ascertainment::Prospective;
    one.facts.survival.cut_off = number("2026-06-30");
    one.quality.elements = vec![Answered {
        entity: primary,
        element: side,
        counts: Counts {
            known,
            missing: 1,
            ..Counts::default()
        },
    }];
    one.quality.first_submitted = number("2025-07-21");
    one.quality.delays = vec![(primary, vec![10, 20])];
    vec![(centre, one); n]
}

fn documents(cases: &[(&str, CaseEvaluation)]) -> Vec<Completeness> {
    let mut tally = Tally::new(ENGINE.versions(), on("2026-06-30"));
    for (centre, case) in cases {
        tally.push(centre, case);
    }
    tally.documents(&run())
}

#[test]
fn cases_add_up_to_centres_and_the_network() {
    let mut all = cases("C01", 6, 2);
    all.extend(cases("C02", 2, 0));
    let levels = documents(&all);
    let names: Vec<(&str, Option<u32>)> = levels.iter().map(|l| (l.level.as_str(), l.cases)).collect();
    assert_eq!(names, [("all", Some(8)), ("C01", Some(6)), ("C02", Some(2))]);
    let element = &levels[0].elements[0];
    assert_eq!(
        (element.element.as_str(), element.requirement.as_str()),
        ("primary.side", "R")
    );
    // 6 x 2 values and 8 missing.
    let counts = element.answers.counts.unwrap();
    assert_eq!(
        (counts.known, counts.missing, element.answers.patients),
        (12, 8, Some(8))
    );
    assert_eq!(element.answers.known_share, Some(0.6));
    assert_eq!(levels[2].elements[0].answers.known_share, Some(0.0));
    // 183 of 384 days: 11 June to 11 December 2025, of 11 June 2025 to 30 June 2026.
    let follow_up = &levels[1].follow_up;
    assert_eq!(
        (follow_up.observed_days, follow_up.potential_days),
        (Some(6 * 183), Some(6 * 384))
    );
    assert_eq!(follow_up.index, Some(183.0 / 384.0));
    assert_eq!(levels[0].registration.median, Some(40.0));
    let soon: Vec<(&str, Option<u32>, Option<f64>)> = levels[2]
        .registration_periods
        .iter()
        .map(|one| (one.period.as_str(), one.times.rows, one.times.median))
        .collect();
    assert_eq!(
        soon,
        [("2025-H2", Some(2), Some(40.0))],
        "by the half-year of submission"
    );
    let times = &levels[0].timeliness[0];
    assert_eq!(
        (times.rows, times.patients, times.median),
        (Some(16), Some(8), Some(15.0))
    );
    let periods: Vec<(PeriodBy, &str)> = levels[0]
        .periods
        .iter()
        .map(|p| (p.by, p.period.as_str()))
        .collect();
    assert_eq!(
        periods,
        [
            (PeriodBy::HalfYear, "2025-H1"),
            (PeriodBy::SubmissionMonth, "2025-07")
        ]
    );
    assert_eq!(levels[1].periods.len(), 1, "months are the network's");
}

#[test]
fn others_get_rounded_shares_of_enough_patients() {
    let mut all = cases("C01", 6, 2);
    all.extend(cases("C02", 2, 0));
    let levels = documents(&all);
    let limits = Thresholds::default();
    let seen = |level: usize, own: Option<usize>, audience: &Audience| {
        completeness(&levels[level], own.map(|own| &levels[own]), audience, &limits)
    };
    let network = seen(0, None, &Audience::Committee).unwrap();
    assert_eq!(network.cases, Some(8));
    let answers = &network.elements[0].answers;
    assert_eq!(
        (answers.counts, answers.patients, answers.known_share),
        (None, None, Some(0.6))
    );
    assert_eq!(network.follow_up.index, Some(0.48));
    assert_eq!(network.follow_up.potential_days, None);
    // Two thirds, to the nearest twentieth; two patients are few.
    let large = seen(1, None, &Audience::Committee).unwrap();
    assert_eq!(
        (large.cases, large.elements[0].answers.known_share),
        (None, Some(0.65))
    );
    let small = seen(2, None, &Audience::Committee).unwrap();
    assert_eq!(small.elements[0].answers.known_share, None);
    assert!(small.elements[0].answers.suppressed.is_some() && small.follow_up.index.is_none());
    assert!(small.timeliness[0].median.is_none() && small.registration.rows.is_none());
    let halves = |level: &Completeness| level.registration_periods[0].times.median;
    assert_eq!((halves(&small), halves(&large)), (None, Some(40.0)));
    // A centre: itself exactly, no other, and the network only when enough others are in it.
    let own = Audience::Centre("C01".to_owned());
    assert_eq!(seen(1, Some(1), &own).as_ref(), Some(&levels[1]));
    assert_eq!(seen(2, Some(1), &own), None);
    let network = seen(0, Some(1), &own).unwrap();
    assert_eq!(
        (network.elements[0].answers.known_share, network.cases),
        (None, None)
    );
    let other = Audience::Centre("C02".to_owned());
    let network = seen(0, Some(2), &other).unwrap();
    assert_eq!(network.elements[0].answers.known_share, Some(0.6));
    assert_eq!(seen(1, None, &Audience::Public), None);
    assert_eq!(seen(2, None, &Audience::Exact).as_ref(), Some(&levels[2]));
}

#[test]
fn morphologies_wait_with_their_cases() {
    let place = |id: &str| CaseRef {
        centre_id: "C01".to_owned(),
        case_id: id.to_owned(),
        version: 1,
    };
    let with = |morphology: Option<&str>| CaseEvaluation {
        quality: QualityFacts {
            undecided_morphology: morphology.map(str::to_owned),
            ..QualityFacts::default()
        },
        ..CaseEvaluation::default()
    };
    let all = [
        (place("a"), with(Some("8850/3"))),
        (place("b"), with(Some("8854/3"))),
        (place("c"), with(None)),
        (place("d"), with(Some("8854/3"))),
    ];
    let waiting = undecided(all.iter().map(|(case, evaluation)| (case, evaluation)));
    let found: Vec<(&str, Vec<&str>)> = waiting
        .iter()
        .map(|w| {
            (
                w.morphology.as_str(),
                w.cases.iter().map(|c| c.case_id.as_str()).collect(),
            )
        })
        .collect();
    assert_eq!(found, [("8854/3", vec!["b", "d"]), ("8850/3", vec!["a"])]);
}
