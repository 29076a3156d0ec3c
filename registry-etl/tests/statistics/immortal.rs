//! Known answers on simulated courses: a treatment without any effect looks protective when whoever ever had it is compared with whoever
//! never had it; from a landmark on, and as a time-dependent covariate, it does not. The generated hazard comes back.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use registry_etl::cohorts::course::{CourseFacts, Disease, LocalTreatment};
use registry_etl::cohorts::definition::read;
use registry_etl::cohorts::facts::{Ascertainment, Contact, RecordedDate, SurvivalFacts, Vital};
use registry_etl::cohorts::{Cohort, estimate};
use registry_etl::measures::CaseFacts;
use registry_etl::results::{ModelState, RunIdentity, SurvivalResult};
use registry_etl::statistics::survival::{Columns, CoxModel, Rows, Ties, cox};

const FILE: &str = include_str!("../../../schema/endpoints/endpoints.toml");
/// Day of the first diagnosis, and of the cut-off.
const BEGIN: i32 = 738_000;
const CUT_OFF: i32 = BEGIN + 2_500;
/// Deaths and operations a day.
const DEATH: f64 = 1.0 / 500.0;
const OPERATION: f64 = 1.0 / 300.0;
/// Hazard ratio of grade 3.
const GRADE: f64 = 2.0;

fn exponential(dice: &mut ChaCha8Rng, rate: f64) -> i32 {
    let unit = (dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    (-(1.0 - unit).ln() / rate).ceil() as i32
}

fn on(day: i32) -> RecordedDate {
    RecordedDate::Between(day, day)
}

/// Days to death (all are seen: the cut-off lies far enough for most), and to the operation of those who live to have it.
fn one(dice: &mut ChaCha8Rng, index: i32) -> (CaseFacts, i32, bool, bool) {
    let origin = BEGIN + index % 365;
    let high = index % 2 == 0;
    let death = exponential(dice, DEATH * if high { GRADE } else { 1.0 });
    let operation = exponential(dice, OPERATION);
    let seen = origin + death <= CUT_OFF;
    let operated = operation < death && origin + operation <= CUT_OFF;
    let last = if seen { origin + death } else { CUT_OFF };
    let case = CaseFacts {
        histology: Some(if index % 3 == 0 { "lms" } else { "ddlps" }.to_owned()),
        timing: Some("synchronous".to_owned()),
        age: Some(40 + (index % 41) as u16),
        survival: SurvivalFacts {
            in_core: true,
            origin: on(origin),
            registration: on(origin),
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
            locals: operated
                .then(|| LocalTreatment {
                    date: on(origin + operation),
                    modality: Some("metastasectomy".to_owned()),
                    site: Some("lung".to_owned()),
                    ..LocalTreatment::default()
                })
                .into_iter()
                .collect(),
            presentations: vec![Disease {
                seq: Some(1),
                detected: on(origin),
                lesions: Some(1 + (index % 7) as u32),
                largest_mm: Some(20),
                resectability: Some("resectable".to_owned()),
            }],
            ecog: vec![(on(origin), (index % 5 == 0) as u8 * 2)],
            grade: Some(if high { 3 } else { 2 }),
            ..CourseFacts::default()
        },
        ..CaseFacts::default()
    };
    (case, last - origin, seen, operated)
}

fn simulated() -> (SurvivalResult, Vec<(i32, bool, bool)>) {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let all: Vec<_> = (0..3_000).map(|index| one(&mut dice, index)).collect();
    let cases: Vec<CaseFacts> = all.iter().map(|one| one.0.clone()).collect();
    let run = RunIdentity {
        run: 1,
        cut_off: String::new(),
        schema_version: String::new(),
        guideline: String::new(),
        guideline_version: String::new(),
        engine_version: String::new(),
    };
    let s1 = read(FILE)
        .unwrap()
        .into_iter()
        .find(|one| one.id == "S1")
        .unwrap();
    let result = estimate(&s1, &run, CUT_OFF, &Cohort::of(&cases)).unwrap();
    (result, all.into_iter().map(|one| (one.1, one.2, one.3)).collect())
}

#[test]
fn ever_treated_is_biased_and_the_landmark_is_not() {
    let (result, courses) = simulated();
    let exit: Vec<f64> = courses.iter().map(|one| f64::from(one.0)).collect();
    let event: Vec<i64> = courses.iter().map(|one| i64::from(one.1)).collect();
    let ever: Vec<Vec<f64>> = courses
        .iter()
        .map(|one| vec![f64::from(u8::from(one.2))])
        .collect();
    let columns = Columns {
        exit: &exit,
        event: &event,
        ..Columns::default()
    };
    let naive = cox(&CoxModel {
        rows: &Rows::new(columns, 1).unwrap(),
        covariates: &ever,
        strata: None,
        cluster: None,
        robust: false,
        ties: Ties::Efron,
        level: 0.95,
    })
    .unwrap();
    assert!(
        naive.intervals[0].upper < 0.7,
        "the operation does nothing, and yet it seems to: {}",
        naive.hazard_ratios[0]
    );
    for months in [6, 12] {
        let found = result
            .landmark_comparisons
            .iter()
            .find(|one| one.by == "metastasectomy" && one.landmark_months == months)
            .unwrap();
        let contrast = found.contrast.unwrap();
        assert!(
            contrast.lower < 1.0 && 1.0 < contrast.upper,
            "{months} months: {} to {}",
            contrast.lower,
            contrast.upper
        );
        let parts = [found.died_before, found.left_before, found.at_landmark].map(Option::unwrap);
        assert_eq!(found.patients, Some(parts.iter().sum()));
        assert!(parts[0] > 500, "many died before");
    }
}

#[test]
fn models_recover_what_was_generated() {
    let (result, _) = simulated();
    for model in &result.models {
        assert_eq!(model.state, ModelState::Modelled, "{}", model.model);
        assert_eq!((model.patients, model.left_out), (Some(3_000), Some(0)));
        let ratio = |name: &str| model.ratios.iter().find(|one| one.covariate == name).unwrap();
        let grade = ratio("grade");
        assert!(
            grade.lower < GRADE && GRADE < grade.upper,
            "{} {}",
            grade.lower,
            grade.upper
        );
        let age = ratio("age");
        assert!(age.lower < 1.0 && 1.0 < age.upper);
        assert!(model.constant.iter().any(|one| one == "not_resectable"));
    }
    let operated = result.models[1]
        .ratios
        .iter()
        .find(|one| one.covariate == "metastasectomy")
        .unwrap();
    assert!(operated.lower < 1.0 && 1.0 < operated.upper);
}

#[test]
fn the_hazard_comes_back() {
    let (result, _) = simulated();
    // Half of the patients at each hazard; S(t) is the mean of both. Standard error at 3,000 patients below 0.01.
    let all = &result.curves[0];
    for landmark in all.landmarks.iter().filter(|one| one.months > 0.0) {
        let hazard = |ratio: f64| (-DEATH * ratio * landmark.days).exp();
        let want = f64::midpoint(hazard(1.0), hazard(GRADE));
        assert!(
            (landmark.survival.unwrap() - want).abs() < 0.03,
            "{} months",
            landmark.months
        );
    }
    let grade = |level: &str| {
        let found = result
            .curves
            .iter()
            .find(|one| one.by == "grade" && one.level == level);
        found.unwrap().median.unwrap().days
    };
    // ln 2 over the hazard: 347 and 173 days.
    assert!((grade("grade_2") - 347.0).abs() < 35.0 && (grade("grade_3") - 173.0).abs() < 18.0);
}
