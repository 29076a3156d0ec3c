//! Known answers on simulated centres: one with twice the hazard stands out, one with sicker patients does not, and small ones stand together.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use registry_etl::cohorts::course::{CourseFacts, Disease};
use registry_etl::cohorts::definition::read;
use registry_etl::cohorts::facts::{Ascertainment, Contact, RecordedDate, SurvivalFacts, Vital};
use registry_etl::cohorts::{Cohort, estimate};
use registry_etl::measures::CaseFacts;
use registry_etl::results::{CentreComparison, CentrePoint, ModelState, POOLED, Position, RunIdentity};

const FILE: &str = include_str!("../../../schema/endpoints/endpoints.toml");
const BEGIN: i32 = 738_000;
const CUT_OFF: i32 = BEGIN + 700;
/// Deaths a day, the hazard ratio of grade 3, and that of the bad centre.
const DEATH: f64 = 1.0 / 600.0;
const GRADE: f64 = 3.0;
const BAD: f64 = 2.0;
/// Patients of a centre, and of a small one.
const PATIENTS: u32 = 100;
const FEW: u32 = 4;

fn exponential(dice: &mut ChaCha8Rng, rate: f64) -> i32 {
    let unit = (dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    (-(1.0 - unit).ln() / rate).ceil() as i32
}

fn on(day: i32) -> RecordedDate {
    RecordedDate::Between(day, day)
}

/// A patient who lives to be registered: one in three is registered 60 days after the diagnosis.
fn patient(dice: &mut ChaCha8Rng, index: i32, high: bool, hazard: f64) -> CaseFacts {
    let origin = BEGIN + index % 365;
    let late = if index % 3 == 0 { 60 } else { 0 };
    let rate = DEATH * hazard * if high { GRADE } else { 1.0 };
    let death = loop {
        let death = exponential(dice, rate);
        if death > late {
            break death;
        }
    };
    let seen = origin + death <= CUT_OFF;
    let last = if seen { origin + death } else { CUT_OFF };
    CaseFacts {
        histology: Some(if index % 4 == 0 { "lms" } else { "ddlps" }.to_owned()),
        timing: Some("synchronous".to_owned()),
        age: Some(45 + (index % 31) as u16),
        survival: SurvivalFacts {
            in_core: true,
            origin: on(origin),
            registration: on(origin + late),
            ascertainment: Ascertainment::Prospective,
            contacts: vec![Contact {
                date: on(last),
                vital: if seen { Vital::Dead } else { Vital::Alive },
                death: if seen { on(last) } else { RecordedDate::None },
            }],
            cut_off: CUT_OFF,
            as_seen: false,
        },
        course: CourseFacts {
            presentations: vec![Disease {
                seq: Some(1),
                detected: on(origin),
                lesions: Some(1 + (index % 6) as u32),
                ..Disease::default()
            }],
            ecog: vec![(on(origin), (index % 5 == 0) as u8 * 2)],
            grade: Some(if high { 3 } else { 2 }),
            ..CourseFacts::default()
        },
        ..CaseFacts::default()
    }
}

/// Twelve centres and three small ones. The fifth has twice the hazard; all patients of the ninth, and a third of all others, are of grade 3.
fn simulated() -> (CentreComparison, Option<u32>) {
    let mut dice = ChaCha8Rng::seed_from_u64(8);
    let (mut cases, mut centres) = (Vec::new(), Vec::new());
    for centre in 0..15_u32 {
        let size = if centre < 12 { PATIENTS } else { FEW };
        for n in 0..size {
            let high = centre == 8 || n % 3 == 1;
            let hazard = if centre == 4 { BAD } else { 1.0 };
            cases.push(patient(&mut dice, n as i32, high, hazard));
            centres.push(centre);
        }
    }
    let names: Vec<String> = (1..=15).map(|n| format!("C{n:02}")).collect();
    let cohort = Cohort {
        centres: &centres,
        centre_names: &names,
        ..Cohort::of(&cases)
    };
    let run = RunIdentity {
        run: 1,
        cut_off: String::new(),
        schema_version: String::new(),
        guideline: String::new(),
        guideline_version: String::new(),
        engine_version: String::new(),
    };
    let endpoints = read(FILE).unwrap();
    let s1 = endpoints.iter().find(|one| one.id == "S1").unwrap();
    let result = estimate(s1, &run, CUT_OFF, &cohort).unwrap();
    (result.centres.unwrap(), result.flow.analysed)
}

fn point<'a>(found: &'a CentreComparison, centre: &str) -> &'a CentrePoint {
    found.centres.iter().find(|one| one.centre == centre).unwrap()
}

#[test]
fn the_centre_with_twice_the_hazard_stands_out_and_no_other() {
    let (found, analysed) = simulated();
    assert_eq!(found.state, ModelState::Modelled);
    assert_eq!(found.patients, Some(12 * PATIENTS + 3 * FEW));
    assert_eq!((found.patients, found.left_out), (analysed, Some(0)));
    assert_eq!(
        found.constant,
        ["histology_other", "dfi_short", "dfi_not_defined"]
    );
    for one in &found.centres {
        let far = one.position.unwrap();
        if one.centre == "C05" {
            assert_eq!(far, Position::Above998, "{one:?}");
            assert_eq!(one.position_adjusted, Some(Position::Above998), "{one:?}");
            assert!(one.q.unwrap() < 0.001);
            let (raw, shrunk) = (one.ratio.unwrap(), one.shrunk.unwrap());
            // Its own deaths raise what is expected of it: below 2.
            assert!(
                1.5 < raw && raw < 2.0 && 1.0 < shrunk && shrunk < raw,
                "{raw} {shrunk}"
            );
        } else {
            // One in twenty is outside 95 % by chance: flagged is who is outside 99.8 %, or unusual among all tests.
            assert!(!matches!(far, Position::Above998 | Position::Below998), "{one:?}");
            assert!(one.q.unwrap() > 0.05, "{one:?}");
        }
    }
}

#[test]
fn expected_deaths_add_up_to_those_observed() {
    let (found, _) = simulated();
    let observed: u32 = found.centres.iter().filter_map(|one| one.observed).sum();
    let expected: f64 = found.centres.iter().filter_map(|one| one.expected).sum();
    assert_eq!(Some(observed), found.events);
    assert!(
        (expected - f64::from(observed)).abs() < 1e-6,
        "{expected} {observed}"
    );
}

#[test]
fn sicker_patients_are_expected_to_die_sooner() {
    let (found, _) = simulated();
    let (sick, usual) = (point(&found, "C09"), point(&found, "C01"));
    // All of grade 3 against a third: as many patients, many more deaths, as many more expected.
    assert!(f64::from(sick.observed.unwrap()) > 1.15 * f64::from(usual.observed.unwrap()));
    assert_eq!(sick.position, Some(Position::Within));
    assert!((sick.ratio.unwrap() - 1.0).abs() < 0.2);
}

#[test]
fn small_centres_stand_together() {
    let (found, _) = simulated();
    assert_eq!(found.pooled_below, 10);
    assert_eq!(found.centres.len(), 13);
    let pool = point(&found, POOLED);
    assert_eq!((pool.pooled, pool.patients), (3, Some(3 * FEW)));
    let members: Vec<_> = pool
        .members
        .iter()
        .map(|one| (one.centre.as_str(), one.patients))
        .collect();
    assert_eq!(members, [("C13", FEW), ("C14", FEW), ("C15", FEW)]);
    let sum: f64 = pool.members.iter().map(|one| one.expected).sum();
    assert!((pool.expected.unwrap() - sum).abs() < 1e-12);
    assert!(
        found
            .centres
            .iter()
            .all(|one| one.centre == POOLED || one.pooled == 1)
    );
    let (first, last) = (found.limits[0], found.limits[found.limits.len() - 1]);
    assert!(first.upper95 > last.upper95 && last.lower95 > first.lower95);
}
