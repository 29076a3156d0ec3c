//! What comes after the origin: landmarks and quality of life, by hand.

use super::*;

#[test]
fn the_landmark_fixes_the_group_and_counts_out_who_died_or_left_before() {
    let since = |operated: Option<&str>, end: &str, dead: bool| {
        let mut one = case();
        one.survival.origin = on("2025-01-01");
        one.survival.registration = on("2025-01-01");
        one.survival.contacts[0].date = on(end);
        if dead {
            one.survival.contacts[0].vital = Vital::Dead;
            one.survival.contacts[0].death = on(end);
        }
        one.course.locals = operated
            .map(|date| operation(date, "lung", "R0", true))
            .into_iter()
            .collect();
        one
    };
    // Six months are 183 days: 3 July 2025.
    let cases = [
        since(Some("2025-07-03"), "2026-01-01", false),
        since(Some("2025-07-04"), "2026-01-01", true),
        since(None, "2025-07-04", true),
        since(Some("2025-02-01"), "2025-07-03", true),
        since(None, "2025-03-01", false),
    ];
    let got = estimated("S1", &cases);
    let six = got
        .landmark_comparisons
        .iter()
        .find(|one| one.by == "metastasectomy" && one.landmark_months == 6)
        .unwrap();
    assert_eq!(
        (six.patients, six.died_before, six.left_before, six.at_landmark),
        (Some(5), Some(1), Some(1), Some(3))
    );
    let groups: Vec<_> = six
        .curves
        .iter()
        .map(|one| (one.level.as_str(), one.patients, one.events))
        .collect();
    assert_eq!(
        groups,
        [
            ("before_landmark", Some(1), Some(0)),
            ("not_before_landmark", Some(2), Some(2))
        ]
    );
    assert!(six.contrast.is_none() && six.no_contrast.is_some());
}

#[test]
fn s9_tells_the_mean_of_those_measured_twice_and_who_was_not() {
    let with = |scores: &[(&str, i32)], died_on: Option<&str>| {
        let mut one = case();
        one.course.scores = scores.iter().map(|(date, score)| (on(date), *score)).collect();
        if let Some(date) = died_on {
            died(&mut one, date);
        }
        one
    };
    let cases = [
        with(&[("2025-01-10", 6000), ("2025-04-10", 7000)], None),
        with(&[("2025-01-10", 6000), ("2025-04-20", 5500)], None),
        with(&[("2025-01-10", 6000)], Some("2025-03-01")),
        with(&[("2025-01-10", 6000)], None),
        with(&[("2024-11-01", 6000)], None),
    ];
    let got = estimated("S9", &cases);
    let three = &got.changes[0];
    assert_eq!(
        (
            three.baseline,
            three.died,
            three.not_due,
            three.measured,
            three.missing
        ),
        (Some(4), Some(1), Some(0), Some(2), Some(1))
    );
    // Changes +10 and -5: mean 2.5, standard error 7.5, t on one degree of freedom 12.7062.
    assert_eq!(
        (three.mean, three.better, three.worse),
        (Some(2.5), Some(1), Some(0))
    );
    assert!((three.upper.unwrap() - (2.5 + 12.706_204_74 * 7.5)).abs() < 1e-4);
    let out = got
        .flow
        .left_out
        .iter()
        .find(|one| one.reason == "no_baseline_score")
        .unwrap();
    assert_eq!(out.n, Some(1), "seventy days before the diagnosis is no baseline");
}

#[test]
fn s9_is_of_patients_registered_as_it_happened() {
    let with = |ascertainment| {
        let mut one = case();
        one.survival.ascertainment = ascertainment;
        one.course.scores = vec![(on("2025-01-10"), 6000), (on("2025-04-10"), 7000)];
        one
    };
    // A retrospective one whose score would double the mean, and one of which nobody wrote how it was registered.
    let mut late = with(Ascertainment::Retrospective);
    late.course.scores[1].1 = 9000;
    let cases = [
        with(Ascertainment::Prospective),
        late,
        with(Ascertainment::NotRecorded),
    ];
    let got = estimated("S9", &cases);
    let three = &got.changes[0];
    assert_eq!(
        (three.baseline, three.measured, three.mean),
        (Some(1), Some(1), Some(10.0))
    );
    let flow: Vec<_> = got
        .flow
        .left_out
        .iter()
        .filter(|one| one.n != Some(0))
        .map(|one| (one.reason.as_str(), one.n))
        .collect();
    assert_eq!(
        flow,
        [
            ("ascertainment_not_recorded", Some(1)),
            ("retrospective", Some(1))
        ]
    );
    assert_eq!(got.flow.analysed, Some(1));
}

/// The baseline is looked for up to the first treatment.
#[test]
fn a_score_after_the_first_radiotherapy_is_no_baseline_of_s9() {
    let mut one = case();
    one.course.scores = vec![(on("2025-02-10"), 6000), (on("2025-05-10"), 7000)];
    let baseline = |one: &CaseFacts| estimated("S9", std::slice::from_ref(one)).changes[0].baseline;
    assert_eq!(baseline(&one), Some(1));
    one.course.others = vec![on("2025-02-10")];
    assert_eq!(baseline(&one), Some(1), "the day it began");
    one.course.others = vec![on("2025-02-09")];
    assert_eq!(baseline(&one), Some(0));
    one.course.others = vec![on("2024-11-01")];
    assert_eq!(baseline(&one), Some(1), "of the primary, before the diagnosis");
    one.course.others = vec![on("2024")];
    assert_eq!(baseline(&one), Some(1), "in the year before the diagnosis");
    // What nobody can place may have begun before any score.
    for (when, reason) in [
        (on("2025"), "year_only_date"),
        (RecordedDate::None, "event_date_unknown"),
        (RecordedDate::Blocked, "edit_error"),
    ] {
        one.course.others = vec![when];
        let got = estimated("S9", std::slice::from_ref(&one));
        let out = got.flow.left_out.iter().find(|step| step.reason == reason);
        assert_eq!(out.and_then(|step| step.n), Some(1), "{reason}");
        assert_eq!(got.changes[0].baseline, Some(0), "{reason}");
    }
}
