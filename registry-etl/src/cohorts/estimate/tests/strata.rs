//! Levels of the strata, by hand.

use super::*;
use crate::cohorts::course::{Disease, regimen};
use crate::results::TestKind;

#[test]
fn levels_known_on_the_day_of_the_origin() {
    let mut one = case();
    let disease = |seq, detected: &str, lesions, mm| Disease {
        seq: Some(seq),
        detected: on(detected),
        lesions: Some(lesions),
        largest_mm: Some(mm),
        resectability: None,
    };
    one.course.presentations = vec![disease(1, "2025-01-10", 3, 30), disease(2, "2025-08-01", 4, 10)];
    one.timing = Some("metachronous".to_owned());
    one.course.completed = on("2024-01-10");
    let level = |by, case: &CaseFacts| stratum("S1", by, case);
    assert_eq!(
        level(Stratum::Dfi, &one).as_deref(),
        Some("12_months_and_over"),
        "to the day"
    );
    one.course.completed = on("2024-01-11");
    assert_eq!(level(Stratum::Dfi, &one).as_deref(), Some("below_12_months"));
    one.course.primary_cleared = Some(false);
    assert_eq!(level(Stratum::Dfi, &one).as_deref(), Some("not_defined"));
    one.course.completed = RecordedDate::None;
    one.course.primary_cleared = Some(true);
    assert_eq!(level(Stratum::Dfi, &one), None);
    one.timing = Some("synchronous".to_owned());
    assert_eq!(level(Stratum::Dfi, &one).as_deref(), Some("below_12_months"));
    assert_eq!(
        level(Stratum::LowVolume, &one).as_deref(),
        Some("low"),
        "at most 3 and 30 mm"
    );
    // The nearest assessment within 42 days, here five days after.
    one.course.ecog = vec![
        (on("2024-11-01"), 0),
        (on("2025-01-15"), 2),
        (on("2025-01-01"), 1),
    ];
    assert_eq!(level(Stratum::Ecog, &one).as_deref(), Some("ecog_2_and_over"));
    // A second operation belongs to the second presentation, eight months after the first one cleared all.
    one.course.locals = vec![LocalTreatment {
        presentation: Some(2),
        ..operation("2025-09-01", "lung", "R0", true)
    }];
    assert_eq!(
        stratum("S4-lung", Stratum::LowVolume, &one).as_deref(),
        Some("high")
    );
    assert_eq!(
        stratum("S4-lung", Stratum::Dfi, &one).as_deref(),
        Some("not_defined")
    );
    one.course.locals.push(LocalTreatment {
        ..operation("2025-02-01", "liver", "R0", true)
    });
    assert_eq!(
        stratum("S4-lung", Stratum::Dfi, &one).as_deref(),
        Some("below_12_months")
    );
    let before = |response: &str, stop: &str, lasting| {
        let mut case = one.clone();
        case.course.lines = vec![Line {
            stop: on(stop),
            response: Some(response.to_owned()),
            lasting,
            ..line(1, "2025-03-01")
        }];
        stratum("S4-lung", Stratum::PriorResponse, &case)
    };
    assert_eq!(
        before("PR", "2025-08-01", false).as_deref(),
        Some("response_or_lasting_stability")
    );
    assert_eq!(
        before("SD", "2025-08-01", true).as_deref(),
        Some("response_or_lasting_stability")
    );
    assert_eq!(before("SD", "2025-08-01", false).as_deref(), Some("no_response"));
    assert_eq!(
        before("PR", "2025-10-01", false),
        None,
        "it went on past the operation"
    );
    assert_eq!(
        stratum("S4-lung", Stratum::PriorResponse, &one).as_deref(),
        Some("no_systemic_treatment")
    );
}

#[test]
fn regimens_by_the_first_class_that_applies() {
    let class = |agents: &[&str]| {
        let agents: Vec<String> = agents.iter().map(|one| (*one).to_owned()).collect();
        regimen(&agents)
    };
    assert_eq!(
        class(&["doxorubicin", "ifosfamide"]),
        Some("anthracycline_combination")
    );
    assert_eq!(class(&["doxorubicin"]), Some("anthracycline"));
    assert_eq!(class(&["docetaxel", "gemcitabine"]), Some("gemcitabine"));
    assert_eq!(class(&["ifosfamide"]), Some("ifosfamide"));
    assert_eq!(class(&["ifosfamide", "other"]), Some("other"));
    assert_eq!(class(&["sunitinib"]), Some("antiangiogenic"));
    assert_eq!(class(&["investigational"]), Some("investigational"));
    assert_eq!(class(&[]), None);
}

/// Patients diagnosed on 10 January 2025 and registered on a day, the first of them dead on day 100, the others alive on day 344.
fn of_timing(timing: &str, dead: usize, registered: &str) -> Vec<CaseFacts> {
    let one = |at: usize| {
        let mut one = case();
        one.timing = Some(timing.to_owned());
        one.survival.registration = on(registered);
        if at < dead {
            died(&mut one, "2025-04-20");
            one.survival.contacts.remove(0);
        }
        one
    };
    (0..10).map(one).collect()
}

#[test]
fn survival_of_a_breakdown_is_tested_by_log_rank_and_by_the_score_test_with_delayed_entry() {
    let tested = |registered: &str| {
        let mut cases = of_timing("synchronous", 6, registered);
        cases.extend(of_timing("metachronous", 1, registered));
        let got = estimated("S1", &cases);
        let test = got.tests.iter().find(|one| one.by == "timing").unwrap().clone();
        let histology = got.tests.iter().find(|one| one.by == "histology").unwrap();
        assert_eq!(
            histology.refused.as_deref(),
            Some("fewer than two groups have a curve"),
            "nobody's is recorded"
        );
        test
    };
    // 7 of 20 die on one day, 6 of the one ten: expected 3.5, variance 7 x 13 / 19 / 4.
    let test = tested("2025-01-10");
    assert_eq!((test.kind, test.df), (TestKind::LogRank, Some(1)));
    assert_eq!(test.groups, ["metachronous", "synchronous"]);
    let by_hand = 2.5 * 2.5 / (7.0 * 13.0 / 19.0 / 4.0);
    assert!((test.chi_square.unwrap() - by_hand).abs() < 1e-9, "{test:?}");
    // Registered on day 10 they enter late: the score test of the Cox model, the seven leaving in turn (Efron).
    let (mut expected, mut variance) = (0.0, 0.0);
    for gone in 0..7 {
        let left = f64::from(gone) / 7.0;
        let share = (10.0 - 6.0 * left) / (20.0 - 7.0 * left);
        expected += share;
        variance += share * (1.0 - share);
    }
    let late = tested("2025-01-20");
    let by_hand = (6.0 - expected) * (6.0 - expected) / variance;
    assert!((late.chi_square.unwrap() - by_hand).abs() < 1e-9, "{late:?}");
    assert!(late.chi_square != test.chi_square);
}

#[test]
fn a_group_without_a_curve_is_not_tested() {
    let mut cases = of_timing("synchronous", 6, "2025-01-10");
    cases.extend(of_timing("metachronous", 1, "2025-01-10").into_iter().take(9));
    let got = estimated("S1", &cases);
    let test = got.tests.iter().find(|one| one.by == "timing").unwrap();
    assert_eq!(
        (test.p, test.groups.as_slice()),
        (None, &["synchronous".to_owned()][..])
    );
}
