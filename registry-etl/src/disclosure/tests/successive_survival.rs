//! Curves of two published runs.

use super::centres::{compared, model};
use super::curves::{cause, group, one, result};
use super::*;
use crate::disclosure::beside::{Published, survival_beside};
use crate::results::{
    Analysis, AtRisk, CentrePart, CurveState, GroupTest, IncidenceCurve, LandmarkComparison, SurvivalResult,
    TestKind,
};

/// The second run beside the first, as the committee sees it.
fn second(exact: SurvivalResult) -> SurvivalResult {
    after(result(), exact)
}

/// A run beside one before it, as the committee sees it.
fn after(first: SurvivalResult, mut second: SurvivalResult) -> SurvivalResult {
    let limits = Thresholds::default();
    let seen = |exact: SurvivalResult| Published {
        shown: survival(&exact, &Audience::Committee, &limits),
        exact,
    };
    second.run.run = 2;
    survival_beside(&seen(second), &[seen(first)], &Audience::Committee, &limits)
}

fn grown(curves: &[(usize, u32, u32)]) -> SurvivalResult {
    let mut exact = result();
    exact.run.run = 2;
    for (at, patients, events) in curves {
        let curve = &mut exact.curves[*at];
        curve.patients = curve.patients.map(|n| n + patients);
        curve.events = curve.events.map(|n| n + events);
    }
    exact
}

#[test]
fn a_curve_that_gained_few_patients_stays() {
    // Six more, three of each histology: the curve of all is new, those of the histologies stay.
    let mut exact = grown(&[(0, 6, 0), (1, 3, 0), (2, 3, 0)]);
    exact.flow.cases = exact.flow.cases.map(|n| n + 6);
    exact.flow.analysed = exact.flow.analysed.map(|n| n + 6);
    let shown = second(exact);
    assert_eq!(shown.curves[0].patients, Some(107));
    assert_eq!(shown.part_as_of("curves/primary/all/all"), None);
    assert_eq!(shown.curves[1].patients, Some(60));
    assert_eq!(shown.part_as_of("curves/primary/histology/lms"), Some(1));
    assert_eq!((shown.flow.analysed, shown.part_as_of("flow")), (Some(107), None));
}

#[test]
fn deaths_of_few_do_not_show_either() {
    let shown = second(grown(&[(0, 0, 2), (1, 0, 2)]));
    let before = survival(&result(), &Audience::Committee, &Thresholds::default());
    assert_eq!(shown.curves[0], before.curves[0]);
    assert_eq!(shown.part_as_of("curves/primary/all/all"), Some(1));
}

#[test]
fn the_flow_stays_where_few_were_added() {
    let mut exact = grown(&[(0, 6, 0), (1, 6, 0)]);
    exact.flow.cases = exact.flow.cases.map(|n| n + 8);
    exact.flow.analysed = exact.flow.analysed.map(|n| n + 6);
    exact.flow.left_out[1].n = exact.flow.left_out[1].n.map(|n| n + 2);
    let shown = second(exact);
    assert_eq!(shown.part_as_of("flow"), Some(1));
    assert_eq!(
        shown.flow.left_out[1].n,
        survival(&result(), &Audience::Committee, &Thresholds::default())
            .flow
            .left_out[1]
            .n
    );
}

#[test]
fn few_more_left_out_in_all_are_not_told_by_any_number_analysed() {
    let landmark = |result: &mut SurvivalResult, patients: u32| {
        result.landmark_comparisons = vec![LandmarkComparison {
            by: "ablation".to_owned(),
            landmark_months: 6,
            patients: Some(patients),
            died_before: Some(20),
            left_before: Some(0),
            at_landmark: Some(patients - 20),
            curves: Vec::new(),
            contrast: None,
            no_contrast: None,
            remark: String::new(),
        }];
    };
    let mut first = result();
    landmark(&mut first, 101);
    // Eight more cases, six of them analysed: of the two others no reason is told.
    let mut exact = grown(&[(0, 6, 0), (1, 6, 0)]);
    landmark(&mut exact, 107);
    exact.flow.cases = exact.flow.cases.map(|n| n + 8);
    exact.flow.analysed = exact.flow.analysed.map(|n| n + 6);
    exact.flow.left_out[0].n = exact.flow.left_out[0].n.map(|n| n + 2);
    let shown = after(first, exact);
    assert_eq!((shown.flow.cases, shown.part_as_of("flow")), (Some(123), Some(1)));
    assert_eq!(shown.curves[0].patients, Some(101));
    assert_eq!(shown.part_as_of("curves/primary/all/all"), Some(1));
    assert_eq!(shown.landmark_comparisons[0].patients, Some(101));
}

#[test]
fn a_held_point_of_a_centre_does_not_follow_from_the_totals() {
    // C1 gained two patients, C2 six, C3 none: eight in all, of them C2's are not told.
    let points = |first: u32, second: u32| {
        let points = [
            ("C1", first, 20, 22.0),
            ("C2", second, 15, 12.5),
            ("C3", 20, 10, 10.5),
        ];
        compared(&points, &[], 9)
    };
    let shown = after(points(40, 30), points(42, 36));
    for centre in ["C1", "C2", "C3"] {
        assert_eq!(
            shown.part_as_of(&format!("centres/{centre}")),
            Some(1),
            "{centre}"
        );
    }
    let comparison = shown.centres.unwrap();
    assert_eq!((comparison.patients, comparison.left_out), (Some(98), Some(9)));
    let patients: Vec<Option<u32>> = comparison.centres.iter().map(|one| one.patients).collect();
    assert_eq!(patients, [Some(40), Some(30), Some(20)]);
}

#[test]
fn few_more_without_a_covariate_hide_the_totals_of_the_points() {
    let points =
        |first: u32, left_out: u32| compared(&[("C1", first, 20, 22.0), ("C2", 30, 15, 12.5)], &[], left_out);
    let comparison = after(points(40, 9), points(46, 11)).centres.unwrap();
    assert_eq!(
        (comparison.patients, comparison.events, comparison.left_out),
        (None, None, None)
    );
    // The six of C1 less the eight of the estimate are those two: C1 is held back as well.
    assert_eq!(comparison.centres[0].patients, Some(40));
}

#[test]
fn a_model_without_an_estimate_is_held_back_like_any_other() {
    let mut first = result();
    first.models = vec![model("standard", 71, 30, 30)];
    let mut exact = result();
    exact.models = vec![model("standard", 73, 30, 28)];
    let shown = after(first, exact);
    assert_eq!(
        (shown.models[0].patients, shown.part_as_of("models/standard")),
        (Some(71), Some(1))
    );
}

/// A group of an endpoint with five causes, the last with so many events.
fn recurring(by: &str, level: &str, patients: u32, last: u32, at_risk: u32) -> IncidenceCurve {
    let mut one = group(Analysis::Primary, by, level, patients, [10, 8, 6]);
    one.causes.extend([cause("elsewhere", 7), cause("death", last)]);
    one.at_risk = vec![AtRisk {
        months: 12.0,
        at_risk: Some(at_risk),
    }];
    one.lost = Some(at_risk / 4);
    one
}

#[test]
fn the_last_of_five_causes_counts_too() {
    let mut first = result();
    first.incidence = vec![recurring("all", "all", 100, 20, 60)];
    let mut exact = result();
    exact.incidence = vec![recurring("all", "all", 106, 22, 60)];
    let shown = after(first, exact);
    assert_eq!(shown.incidence[0].causes[4].events, Some(20));
    assert_eq!(shown.part_as_of("incidence/primary/all/all"), Some(1));
}

#[test]
fn numbers_at_risk_and_lost_that_few_came_to_are_not_told_nor_do_they_follow() {
    let three = |all: u32, first: u32, second: u32| {
        let mut exact = result();
        exact.curves.clear();
        exact.incidence = vec![
            recurring("all", "all", 120 + all, 20, 40 + all),
            recurring("timing", "synchronous", 60 + first, 10, 20 + first),
            recurring("timing", "metachronous", 60 + second, 10, 20 + second),
        ];
        for (cause, events) in exact.incidence[0].causes.iter_mut().zip([20, 16, 12, 14]) {
            cause.events = Some(events);
        }
        exact
    };
    let mut after_both = three(16, 8, 8);
    // At risk: two more of the one, six of the other, eight in all.
    for (at, at_risk) in [(0, 48), (1, 22), (2, 26)] {
        after_both.incidence[at].at_risk[0].at_risk = Some(at_risk);
        // Lost: five, one and four more than ten, five and five.
        after_both.incidence[at].lost = Some([15, 6, 9][at]);
    }
    let shown = after(three(0, 0, 0), after_both);
    let patients: Vec<Option<u32>> = shown.incidence.iter().map(|one| one.patients).collect();
    assert_eq!(patients, [Some(136), Some(68), Some(68)], "the groups are new");
    let at_risk: Vec<Option<u32>> = shown.incidence.iter().map(|one| one.at_risk[0].at_risk).collect();
    assert_eq!(
        at_risk,
        [Some(48), None, None],
        "26 less 20 is six, and eight less six is two"
    );
    let lost: Vec<Option<u32>> = shown.incidence.iter().map(|one| one.lost).collect();
    assert_eq!(lost, [Some(15), None, None]);
}

#[test]
fn groups_of_a_landmark_tell_no_few_at_risk() {
    let compared = |more: i32| LandmarkComparison {
        by: "ablation".to_owned(),
        landmark_months: 6,
        patients: Some(100),
        died_before: Some(20),
        left_before: Some(0),
        at_landmark: Some(80),
        curves: vec![one("ablation", "before_landmark", 40 + more, 600)],
        contrast: None,
        no_contrast: None,
        remark: String::new(),
    };
    let (mut first, mut exact) = (result(), result());
    first.landmark_comparisons = vec![compared(0)];
    exact.landmark_comparisons = vec![compared(9)];
    let landmarks = &mut exact.landmark_comparisons[0];
    landmarks.patients = Some(109);
    landmarks.at_landmark = Some(89);
    let then = first.landmark_comparisons[0].curves[0].landmarks[1].at_risk;
    landmarks.curves[0].landmarks[1].at_risk = then.map(|n| n + 3);
    let events = first.landmark_comparisons[0].curves[0].events;
    landmarks.curves[0].events = events.map(|n| n + 6);
    assert!(then >= Some(5), "{then:?}");
    let shown = after(first, exact);
    let curve = &shown.landmark_comparisons[0].curves[0];
    assert_eq!((curve.patients, curve.landmarks[1].at_risk), (Some(49), None));
}

#[test]
fn a_test_goes_with_a_group_that_is_held_back_and_hidden() {
    let of = |first: u32, second: u32| {
        let mut exact = result();
        exact.incidence = vec![
            group(Analysis::Primary, "all", "all", first + second, [40, 20, 12]),
            group(Analysis::Primary, "timing", "synchronous", first, [20, 10, 6]),
            group(Analysis::Primary, "timing", "metachronous", second, [20, 10, 6]),
        ];
        exact.tests = vec![GroupTest {
            kind: TestKind::Gray,
            by: "timing".to_owned(),
            cause: "sarcoma".to_owned(),
            groups: Vec::new(),
            chi_square: Some(1.0),
            df: Some(1),
            p: Some(0.3),
            refused: None,
        }];
        exact
    };
    // C1 could subtract itself from the first run, so nothing of that stays.
    let mut first = of(60, 41);
    first.by_centre = vec![part("C1", 98), part("C2", 3)];
    let shown = after(first, of(62, 49));
    assert_eq!(shown.incidence[1].state, CurveState::Suppressed);
    assert_eq!(shown.part_as_of("incidence/primary/timing/synchronous"), None);
    assert!(shown.tests[0].p.is_none() && shown.tests[0].refused.is_some());
    let shown = after(of(60, 41), of(60, 41));
    assert_eq!(shown.tests[0].p, Some(0.3), "as the first run had it");
}

#[test]
fn a_log_rank_test_goes_with_a_curve_that_is_hidden_or_stays() {
    let of = |run_p: f64, curves: Vec<crate::results::SurvivalCurve>| {
        let mut exact = result();
        exact.curves = curves;
        exact.tests = vec![GroupTest {
            kind: TestKind::LogRank,
            by: "histology".to_owned(),
            cause: String::new(),
            groups: vec!["ddlps".to_owned(), "lms".to_owned()],
            chi_square: Some(1.0),
            df: Some(1),
            p: Some(run_p),
            refused: None,
        }];
        exact
    };
    // Three patients of another histology: the numbers of the others would tell them, and so might a test without them.
    let alone = survival(
        &of(0.3, result().curves),
        &Audience::Committee,
        &Thresholds::default(),
    );
    assert_eq!((alone.tests[0].p, alone.tests[0].groups.len()), (None, 0));
    let two = || {
        vec![
            one("all", "all", 98, 0),
            one("histology", "lms", 60, 0),
            one("histology", "ddlps", 38, 5),
        ]
    };
    let alone = survival(&of(0.3, two()), &Audience::Committee, &Thresholds::default());
    assert_eq!(alone.tests[0].p, Some(0.3));
    // Nobody came: curves and test are as the first run had them.
    let shown = after(of(0.3, two()), of(0.4, two()));
    assert_eq!(
        (shown.tests[0].p, shown.part_as_of("tests/histology")),
        (Some(0.3), Some(1))
    );
}

pub(super) fn part(centre: &str, patients: u32) -> CentrePart {
    CentrePart {
        centre: centre.to_owned(),
        cases: patients,
        analysed: patients,
        patients,
        events: patients,
    }
}

#[test]
fn a_centre_does_not_subtract_its_own_new_patients_from_the_estimate() {
    let mut first = result();
    first.by_centre = vec![part("C1", 60), part("C2", 41)];
    let mut exact = grown(&[(0, 8, 6), (1, 8, 6)]);
    exact.flow.cases = exact.flow.cases.map(|n| n + 8);
    exact.flow.analysed = exact.flow.analysed.map(|n| n + 8);
    let with = |parts: [u32; 2]| {
        let mut exact = exact.clone();
        exact.by_centre = vec![part("C1", parts[0]), part("C2", parts[1])];
        let shown = after(first.clone(), exact);
        (shown.curves[0].patients, shown.flow.analysed)
    };
    assert_eq!(with([66, 43]), (Some(101), Some(101)), "two others");
    assert_eq!(with([68, 41]), (Some(109), Some(109)), "nobody else");
}

#[test]
fn that_all_of_a_hidden_group_left_is_not_told() {
    let of = |run_p: f64, groups: [u32; 3]| {
        let levels = ["synchronous", "metachronous", "not_recorded"];
        let listed = || levels.iter().zip(groups).filter(|(_, n)| *n > 0);
        let mut exact = result();
        exact.curves = vec![one("all", "all", groups.iter().sum::<u32>() as i32, 0)];
        exact
            .curves
            .extend(listed().map(|(level, n)| one("timing", level, n as i32, 0)));
        let all: u32 = groups.iter().sum();
        exact.incidence = vec![group(Analysis::Primary, "all", "all", all, [12, 12, 12])];
        exact.incidence.extend(listed().map(|(level, n)| {
            group(
                Analysis::Primary,
                "timing",
                level,
                n,
                [if n > 3 { 6 } else { 0 }; 3],
            )
        }));
        exact.tests = vec![GroupTest {
            kind: TestKind::Gray,
            by: "timing".to_owned(),
            cause: "sarcoma".to_owned(),
            groups: Vec::new(),
            chi_square: Some(1.0),
            df: Some(1),
            p: Some(run_p),
            refused: None,
        }];
        exact
    };
    let shown = after(of(0.3, [60, 40, 3]), of(0.4, [80, 60, 0]));
    let anew = |kind: &str, level: &str| {
        shown
            .part_as_of(&format!("{kind}/primary/timing/{level}"))
            .is_none()
    };
    let curves: Vec<_> = shown
        .curves
        .iter()
        .map(|one| (&*one.level, one.patients))
        .collect();
    assert_eq!(
        (curves[0], curves[3]),
        (("all", Some(140)), ("not_recorded", None))
    );
    let told = |(level, n): &(&str, Option<u32>)| n.is_some() && anew("curves", level);
    // 140 less 80 and 60 would be nobody.
    assert!(!curves[1..3].iter().all(told), "{curves:?}");
    let groups: Vec<_> = shown
        .incidence
        .iter()
        .map(|one| (&*one.level, one.patients))
        .collect();
    assert_eq!(
        (groups[0], groups[3]),
        (("all", Some(140)), ("not_recorded", None))
    );
    let told = |(level, n): &(&str, Option<u32>)| n.is_some() && anew("incidence", level);
    assert!(!groups[1..3].iter().all(told), "{groups:?}");
    assert_eq!(shown.tests[0].p, None, "all groups were tested");
}
