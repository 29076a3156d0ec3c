use super::*;
use crate::cohorts::course::{CourseFacts, Line, LocalTreatment, Progression};
use crate::cohorts::definition::Stratum;
use crate::cohorts::definition::read;
use crate::cohorts::facts::{Ascertainment, Contact, RecordedDate, SurvivalFacts, Vital};
use crate::cohorts::units::known;
use crate::measures::CaseFacts;
use registry_core::record::PartialDate;

mod endpoints;
mod later;
mod strata;

const FILE: &str = include_str!("../../../../schema/endpoints/endpoints.toml");

fn endpoint(id: &str) -> Definition {
    read(FILE).unwrap().into_iter().find(|one| one.id == id).unwrap()
}

fn on(text: &str) -> RecordedDate {
    PartialDate::parse(text).unwrap().into()
}

fn number(text: &str) -> i32 {
    PartialDate::parse(text).unwrap().first()
}

/// Diagnosed and registered on 10 January 2025, alive on 20 December 2025.
fn case() -> CaseFacts {
    CaseFacts {
        survival: SurvivalFacts {
            in_core: true,
            origin: on("2025-01-10"),
            registration: on("2025-01-10"),
            ascertainment: Ascertainment::Prospective,
            contacts: vec![Contact {
                date: on("2025-12-20"),
                vital: Vital::Alive,
                death: RecordedDate::None,
            }],
            cut_off: number("2026-06-30"),
            as_seen: false,
        },
        ..CaseFacts::default()
    }
}

fn operation(date: &str, site: &str, completeness: &str, cleared: bool) -> LocalTreatment {
    LocalTreatment {
        date: on(date),
        modality: Some("metastasectomy".to_owned()),
        site: Some(site.to_owned()),
        completeness: Some(completeness.to_owned()),
        presentation: Some(1),
        curative: true,
        cleared,
        ..LocalTreatment::default()
    }
}

fn recurrence(date: &str) -> Progression {
    Progression {
        date: on(date),
        recurrence: true,
        sites: vec!["lung".to_owned()],
    }
}

/// Entry, exit, event.
fn row(id: &str, case: &CaseFacts) -> Result<(Option<i32>, i32, bool), LeftOut> {
    let cases = [case.clone()];
    let units = units(&endpoint(id), &cases);
    assert_eq!(units.len(), 1, "one row a patient");
    let settled = settle_course(
        &case.survival,
        &units[0].course,
        number("2026-06-30"),
        DateReading::Fifteenth,
        false,
    );
    settled.map(|(_, s)| (s.entry, s.exit, s.event))
}

/// The level of the case's only row.
fn stratum(id: &str, by: Stratum, case: &CaseFacts) -> Option<String> {
    let (definition, cases) = (endpoint(id), [case.clone()]);
    let cohort = Cohort {
        low_volume: Some((3, 30)),
        ..Cohort::of(&cases)
    };
    let units = units(&definition, &cases);
    let origin = units[0]
        .course
        .origins
        .iter()
        .filter_map(|date| known(*date))
        .min();
    level(by, &definition, &cohort, &units[0], origin.unwrap())
}

fn run() -> RunIdentity {
    RunIdentity {
        run: 1,
        cut_off: "2026-06-30".to_owned(),
        schema_version: String::new(),
        guideline: String::new(),
        guideline_version: String::new(),
        engine_version: String::new(),
    }
}

fn estimated(id: &str, cases: &[CaseFacts]) -> SurvivalResult {
    estimate(&endpoint(id), &run(), number("2026-06-30"), &Cohort::of(cases)).unwrap()
}

fn line(n: u32, start: &str) -> Line {
    Line {
        number: Some(n),
        start: on(start),
        ..Line::default()
    }
}

fn treatment(date: &str, modality: &str, site: &str) -> LocalTreatment {
    LocalTreatment {
        modality: Some(modality.to_owned()),
        curative: false,
        cleared: false,
        ..operation(date, site, "R0", false)
    }
}

fn died(case: &mut CaseFacts, date: &str) {
    case.survival.contacts.push(Contact {
        date: on(date),
        vital: Vital::Dead,
        death: on(date),
    });
}

#[test]
fn s4_counts_from_the_first_operation_at_the_site() {
    let mut one = case();
    one.course.locals = vec![
        operation("2025-05-01", "lung", "R1", true),
        operation("2025-03-01", "lung", "R0", false),
        operation("2025-02-01", "liver", "R2", false),
    ];
    died(&mut one, "2025-03-31");
    assert_eq!(row("S4-lung", &one), Ok((None, 30, true)));
    assert_eq!(row("S4-liver", &one), Ok((None, 58, true)));
    assert_eq!(row("S4-abdominal", &one), Err(LeftOut::NotTreated));
    assert_eq!(
        stratum("S4-lung", Stratum::Completeness, &one).as_deref(),
        Some("R0")
    );
    assert_eq!(
        stratum("S4-lung", Stratum::MacroscopicCompleteness, &one).as_deref(),
        Some("R0_or_R1")
    );
}

#[test]
fn intra_abdominal_is_peritoneum_or_retroperitoneum() {
    for site in ["peritoneum", "retroperitoneum"] {
        let mut one = case();
        one.course.locals = vec![operation("2025-12-10", site, "R0", true)];
        assert_eq!(row("S4-abdominal", &one), Ok((None, 10, false)), "{site}");
    }
}

#[test]
fn an_operation_before_registration_enters_late_and_one_without_date_leaves_out() {
    let mut one = case();
    one.course.locals = vec![operation("2025-01-01", "lung", "R0", true)];
    // 1 January to 10 January; to 20 December.
    assert_eq!(row("S4-lung", &one), Ok((Some(9), 353, false)));
    one.course.locals.push(LocalTreatment {
        date: RecordedDate::None,
        ..operation("2025-01-01", "lung", "R0", true)
    });
    assert_eq!(row("S4-lung", &one), Err(LeftOut::NoOrigin));
    one.course.locals[1].date = RecordedDate::Blocked;
    assert_eq!(row("S4-lung", &one), Err(LeftOut::EditError));
    one.course.locals[1].date = on("2025");
    assert_eq!(row("S4-lung", &one), Err(LeftOut::YearOnly));
}

#[test]
fn s5_needs_clearance_and_ends_at_recurrence_death_imaging_or_contact() {
    let mut one = case();
    one.course.locals = vec![operation("2025-03-01", "lung", "R2", false)];
    assert_eq!(row("S5", &one), Err(LeftOut::NotTreated));
    one.course
        .locals
        .push(operation("2025-12-10", "liver", "R0", true));
    // A recurrence that led to the operation is not after it.
    one.course.progressions = vec![recurrence("2025-11-01"), recurrence("2025-12-10")];
    assert_eq!(row("S5", &one), Ok((None, 10, false)), "last contact");
    one.course.imaging = vec![on("2025-12-30"), on("2025-12-15")];
    assert_eq!(row("S5", &one), Ok((None, 20, false)), "last imaging is later");
    one.course.progressions.push(recurrence("2025-12-25"));
    assert_eq!(row("S5", &one), Ok((None, 15, true)), "recurrence");
    died(&mut one, "2025-12-22");
    assert_eq!(row("S5", &one), Ok((None, 12, true)), "death comes first");
    one.course.progressions.push(Progression {
        date: RecordedDate::None,
        ..recurrence("2025-12-25")
    });
    assert_eq!(row("S5", &one), Err(LeftOut::EventDateUnknown));
}

#[test]
fn s2_counts_from_the_start_of_its_line() {
    let mut one = case();
    let line = |n, date| Line {
        number: Some(n),
        start: on(date),
        ..Line::default()
    };
    one.course = CourseFacts {
        lines: vec![line(1, "2025-11-20"), line(2, "2025-12-15")],
        ..CourseFacts::default()
    };
    assert_eq!(row("S2-line-1", &one), Ok((None, 30, false)));
    assert_eq!(row("S2-line-2", &one), Ok((None, 5, false)));
    assert_eq!(row("S2-line-3", &one), Err(LeftOut::NotTreated));
}

#[test]
fn every_case_is_in_the_flow_once_and_in_one_level_of_every_stratum() {
    let run = run();
    let mut operated = case();
    operated.course.locals = vec![operation("2025-03-01", "lung", "R0", true)];
    let mut unrecorded = operated.clone();
    unrecorded.course.locals[0].completeness = None;
    let got = estimate(
        &endpoint("S4-lung"),
        &run,
        number("2026-06-30"),
        &Cohort::of(&[operated, unrecorded, case()]),
    )
    .unwrap();
    assert_eq!((got.flow.cases, got.flow.analysed), (Some(3), Some(2)));
    let out: Vec<_> = got
        .flow
        .left_out
        .iter()
        .filter(|s| s.n != Some(0))
        .map(|s| (s.reason.as_str(), s.n))
        .collect();
    assert_eq!(out, [("not_treated", Some(1))]);
    let levels: Vec<_> = got
        .curves
        .iter()
        .filter(|c| c.by == "completeness")
        .map(|c| (c.level.as_str(), c.patients))
        .collect();
    assert_eq!(levels, [("R0", Some(1)), ("not_recorded", Some(1))]);
}

#[test]
fn a_definition_that_makes_no_sense_is_refused() {
    let said = |from: &str, to: &str| read(&FILE.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(
        said("caveat =", "remark =").contains("line "),
        "unknown key, with its line"
    );
    assert!(said("\"histology\"", "\"shoe_size\"").contains("shoe_size"));
    assert!(said("origin = \"metastatic_diagnosis\"", "origin = \"birth\"").contains("birth"));
    assert!(said("line = 1\n", "").contains("S2-line-1"));
    assert!(said("id = \"S5\"", "id = \"S1\"").contains("stands twice"));
}
