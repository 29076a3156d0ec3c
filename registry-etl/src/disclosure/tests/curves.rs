use super::*;
use crate::cohorts::endpoint::{Group, curve};
use crate::cohorts::settle::Settled;
use crate::results::{
    Analysis, AtRisk, CauseIncidence, ChangeRow, CurveState, Flow, FlowStep, GroupTest, IncidenceCurve,
    IncidenceValue, LandmarkComparison, LandmarkContrast, ProportionRow, RateState, SurvivalCurve,
    SurvivalResult, TestKind,
};

pub(super) fn one(by: &str, level: &str, n: i32, offset: i32) -> SurvivalCurve {
    let settled = |i: i32| Settled {
        entry: None,
        exit: offset + i * 20,
        event: i % 3 != 0,
        cause: u8::from(i % 3 != 0),
        lost: false,
        potential: 4000,
    };
    let cases: Vec<Settled> = (1..=n).map(settled).collect();
    curve(
        &Group {
            analysis: Analysis::Primary,
            by,
            level,
        },
        &cases,
        false,
    )
    .unwrap()
}

pub(super) fn result() -> SurvivalResult {
    let flow = |reason: &str, n| FlowStep {
        reason: reason.to_owned(),
        label: reason.to_owned(),
        n: Some(n),
    };
    SurvivalResult {
        run: run(),
        endpoint: "S1".to_owned(),
        title: String::new(),
        origin: String::new(),
        event: String::new(),
        flow: Flow {
            cases: Some(123),
            left_out: vec![
                flow("no_origin", 2),
                flow("retrospective", 20),
                flow("not_core", 0),
            ],
            analysed: Some(101),
            withheld: None,
        },
        entered_late: Some(3),
        curves: vec![
            one("all", "all", 101, 0),
            one("histology", "lms", 60, 0),
            one("histology", "ddlps", 38, 5),
            one("histology", "ss", 3, 7),
        ],
        incidence: Vec::new(),
        tests: Vec::new(),
        proportions: Vec::new(),
        changes: Vec::new(),
        landmark_comparisons: Vec::new(),
        models: Vec::new(),
        centres: None,
        as_of: Vec::new(),
        by_centre: Vec::new(),
    }
}

#[test]
fn groups_steps_and_numbers_at_risk() {
    let exact = result();
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let state: Vec<CurveState> = shown.curves.iter().map(|c| c.state).collect();
    assert_eq!(
        state,
        [
            CurveState::Shown,
            CurveState::Shown,
            CurveState::Suppressed,
            CurveState::Suppressed
        ]
    );
    let all = &shown.curves[0];
    assert!(
        all.steps
            .iter()
            .skip(1)
            .all(|s| s.events + s.censored >= 5 && s.at_risk >= 5)
    );
    assert!(all.steps.len() < exact.curves[0].steps.len() / 4);
    assert!(
        all.landmarks
            .iter()
            .all(|l| l.at_risk.is_none_or(|n| n == 0 || n >= 5))
    );
    assert_eq!(all.median.map(|m| (m.months * 10.0).fract()), Some(0.0));
    // Two left out for want of an origin: with the 20 retrospective cases that a sensitivity tells they would follow from the
    // 22 left out, so no other reason is told, not even the one that left nobody out.
    let flow: Vec<Option<u32>> = shown.flow.left_out.iter().map(|s| s.n).collect();
    assert_eq!(
        (flow, shown.flow.cases, shown.entered_late),
        (vec![None, Some(20), None], Some(123), None)
    );
    assert_eq!(survival(&exact, &Audience::Exact, &Thresholds::default()), exact);
}

pub(super) fn cause(code: &str, events: u32) -> CauseIncidence {
    CauseIncidence {
        cause: code.to_owned(),
        label: code.to_owned(),
        events: Some(events),
        values: vec![IncidenceValue {
            months: 12.0,
            incidence: Some(0.1),
            lower: None,
            upper: None,
        }],
        steps: Vec::new(),
    }
}

pub(super) fn group(
    analysis: Analysis,
    by: &str,
    level: &str,
    patients: u32,
    events: [u32; 3],
) -> IncidenceCurve {
    IncidenceCurve {
        analysis,
        by: by.to_owned(),
        level: level.to_owned(),
        state: CurveState::Shown,
        suppressed: None,
        patients: Some(patients),
        causes: vec![
            cause("sarcoma", events[0]),
            cause("other_cause", events[1]),
            cause("unknown_cause", events[2]),
        ],
        at_risk: Vec::new(),
        lost: Some(1),
    }
}

#[test]
fn few_events_of_a_cause_are_hidden_and_so_is_the_bound_that_would_tell_them() {
    let mut exact = result();
    exact.incidence = vec![
        group(Analysis::Primary, "all", "all", 100, [40, 20, 2]),
        group(Analysis::UnknownCauseAsSarcoma, "all", "all", 100, [42, 20, 0]),
        group(Analysis::Primary, "timing", "synchronous", 97, [40, 19, 2]),
        group(Analysis::Primary, "timing", "metachronous", 3, [0, 1, 0]),
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
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let all = &shown.incidence[0];
    assert_eq!((all.patients, all.causes[2].events), (Some(100), None));
    assert!(all.causes[2].values.is_empty() && !all.causes[0].values.is_empty());
    assert_eq!(all.lost, None);
    for hidden in &shown.incidence[1..] {
        assert_eq!((hidden.state, hidden.patients), (CurveState::Suppressed, None));
        assert!(
            hidden
                .causes
                .iter()
                .all(|one| one.events.is_none() && one.values.is_empty())
        );
    }
    assert!(shown.tests[0].p.is_none() && shown.tests[0].refused.is_some());
}

/// A share of one group.
fn share(by: &str, level: &str, with: u32, of: u32, unknown: u32) -> ProportionRow {
    ProportionRow {
        by: by.to_owned(),
        level: level.to_owned(),
        state: RateState::Rate,
        suppressed: None,
        numerator: Some(with),
        denominator: Some(of),
        not_assessable: Some(unknown),
        rate: Some(0.5),
        lower: Some(0.4),
        upper: Some(0.6),
        bound_low: Some(0.4),
        bound_high: Some(0.6),
    }
}

#[test]
fn shares_changes_and_landmarks_keep_few_to_themselves() {
    let before = |months, died, at_landmark| LandmarkComparison {
        by: "ablation".to_owned(),
        landmark_months: months,
        patients: Some(100),
        died_before: Some(died),
        left_before: Some(0),
        at_landmark: Some(at_landmark),
        curves: vec![
            one("ablation", "before_landmark", 3, 0),
            one("ablation", "not_before_landmark", 77, 0),
        ],
        contrast: Some(LandmarkContrast {
            hazard_ratio: 1.0,
            lower: 0.5,
            upper: 2.0,
            p: 1.0,
        }),
        no_contrast: None,
        remark: String::new(),
    };
    let mut exact = result();
    exact.proportions = vec![
        share("all", "all", 20, 50, 2),
        share("site", "lung", 19, 47, 2),
        share("site", "liver", 1, 3, 0),
    ];
    exact.changes = vec![ChangeRow {
        months: 3.0,
        suppressed: None,
        baseline: Some(40),
        died: Some(10),
        not_due: Some(12),
        measured: Some(3),
        missing: Some(15),
        mean: Some(1.0),
        lower: None,
        upper: None,
        better: Some(1),
        worse: Some(0),
    }];
    exact.landmark_comparisons = vec![before(6, 20, 80)];
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let states: Vec<RateState> = shown.proportions.iter().map(|row| row.state).collect();
    assert_eq!(
        states,
        [RateState::Rate, RateState::Suppressed, RateState::Suppressed]
    );
    let missing = |at: usize| {
        (
            shown.proportions[at].not_assessable,
            shown.proportions[at].bound_low,
        )
    };
    // Two not assessable stand beside the rate, as they do in adherence; beside hidden rates nothing does.
    assert_eq!(
        [missing(0), missing(1), missing(2)],
        [(Some(2), Some(0.4)), (None, None), (None, None)]
    );
    let change = &shown.changes[0];
    assert_eq!((change.measured, change.mean, change.better), (None, None, None));
    let told = [change.died, change.not_due, change.missing];
    assert!(
        told.contains(&None),
        "three measured must not follow from the others"
    );
    let landmark = &shown.landmark_comparisons[0];
    assert!(landmark.contrast.is_none());
    assert!(
        landmark
            .curves
            .iter()
            .all(|one| one.state == CurveState::Suppressed)
    );
}

#[test]
fn many_lost_are_not_said_where_their_number_is_not() {
    let mut exact = result();
    for (at, lost) in [(0, 14), (1, 12), (2, 2), (3, 0)] {
        let curve = &mut exact.curves[at];
        let share = f64::from(lost) / f64::from(curve.patients.unwrap());
        (curve.lost, curve.lost_share, curve.lost_over_10_percent) = (Some(lost), Some(share), share > 0.1);
    }
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    // Both groups but the largest are hidden; its twelve would tell that the others lost two.
    let lost = |at: usize| {
        let curve = &shown.curves[at];
        (curve.lost, curve.lost_share.is_some(), curve.lost_over_10_percent)
    };
    assert_eq!((lost(0), lost(1)), ((Some(14), true, true), (None, false, false)));
    exact.curves[0].lost = Some(4);
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    assert_eq!(
        (shown.curves[0].lost, shown.curves[0].lost_over_10_percent),
        (None, false)
    );
}

#[test]
fn a_cause_hidden_in_one_group_does_not_follow_from_the_others() {
    let mut exact = result();
    exact.incidence = vec![
        group(Analysis::Primary, "all", "all", 105, [40, 30, 20]),
        group(Analysis::Primary, "timing", "synchronous", 65, [20, 20, 18]),
        group(Analysis::Primary, "timing", "metachronous", 40, [20, 10, 2]),
    ];
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let unknown: Vec<Option<u32>> = shown.incidence.iter().map(|one| one.causes[2].events).collect();
    assert_eq!(unknown, [Some(20), None, None]);
    assert!(shown.incidence[1].causes[2].values.is_empty());
    assert_eq!(shown.incidence[1].causes[1].events, Some(20));
}

#[test]
fn a_merged_curve_lies_on_the_estimate() {
    let exact = result();
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    for step in &shown.curves[0].steps {
        assert!(
            exact.curves[0]
                .steps
                .iter()
                .any(|s| s.survival == step.survival && s.at_risk == step.at_risk)
        );
    }
    let survival: Vec<f64> = shown.curves[0].steps.iter().map(|s| s.survival).collect();
    assert!(survival.windows(2).all(|w| w[0] >= w[1]));
}

#[test]
fn few_at_risk_do_not_follow_where_a_group_has_no_table() {
    let at_risk = |mut one: IncidenceCurve, n: u32| {
        one.at_risk = vec![AtRisk {
            months: 24.0,
            at_risk: Some(n),
        }];
        one
    };
    let group = |by: &str, level: &str, n, events| group(Analysis::Primary, by, level, n, events);
    let mut exact = result();
    exact.incidence = vec![
        at_risk(group("all", "all", 66, [30, 20, 10]), 7),
        at_risk(group("age", "below_70", 36, [15, 10, 5]), 5),
        at_risk(group("age", "70_and_over", 30, [15, 10, 5]), 2),
        // Another breakdown, one of whose groups is too small for an estimate.
        at_risk(group("timing", "synchronous", 60, [25, 18, 10]), 7),
        group("timing", "metachronous", 6, [5, 1, 0]),
    ];
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let told: Vec<Option<u32>> = shown.incidence[..4]
        .iter()
        .map(|one| one.at_risk.first().and_then(|one| one.at_risk))
        .collect();
    // Those below 70 would tell the two of 70 and over; whom the smallest group leaves is nobody.
    assert_eq!(told, [Some(7), None, None, Some(7)]);
}

#[test]
fn nor_those_that_such_a_group_leaves() {
    let mut exact = result();
    exact.incidence = vec![
        group(Analysis::Primary, "all", "all", 66, [30, 20, 10]),
        group(Analysis::Primary, "timing", "synchronous", 60, [25, 18, 10]),
        group(Analysis::Primary, "timing", "metachronous", 6, [5, 2, 0]),
    ];
    for (at, n) in [(0, 12), (1, 10)] {
        exact.incidence[at].at_risk = vec![AtRisk {
            months: 24.0,
            at_risk: Some(n),
        }];
    }
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let told = |at: usize| shown.incidence[at].at_risk.first().and_then(|one| one.at_risk);
    assert!(told(0).is_none() || told(1).is_none(), "two are left");
}

#[test]
fn few_with_the_outcome_do_not_follow_for_the_public() {
    let mut exact = result();
    exact.proportions = vec![
        share("all", "all", 19, 248, 2),
        share("age", "below_70", 11, 177, 2),
        share("age", "70_and_over", 5, 40, 0),
        share("age", "not_recorded", 3, 31, 0),
    ];
    let told = |audience: &Audience| -> Vec<Option<u32>> {
        let shown = survival(&exact, audience, &Thresholds::default());
        shown.proportions.iter().map(|one| one.numerator).collect()
    };
    // With 11 of those below 70 told, eight of the others would have it.
    assert_eq!(told(&Audience::Public), [Some(19), None, None, None]);
    assert_eq!(told(&Audience::Committee), [Some(19), Some(11), Some(5), Some(3)]);
    // Eleven others, of whom the reader may place all in one group.
    exact.proportions[0].numerator = Some(22);
    exact.proportions[2].numerator = Some(6);
    exact.proportions[3].numerator = Some(5);
    let shown = survival(&exact, &Audience::Public, &Thresholds::default());
    let told: Vec<Option<u32>> = shown.proportions.iter().map(|one| one.numerator).collect();
    assert_eq!(told, [Some(22), Some(11), None, None]);
}

/// The same patients by another reading: where few are at risk, so are about as many there.
#[test]
fn a_hidden_number_at_risk_is_not_told_by_a_sensitivity_analysis() {
    let mut exact = result();
    let primary = exact.curves[0].clone();
    for (analysis, at_risk) in [
        (Analysis::IgnoringLateEntry, 6),
        (Analysis::PartialDatesEarliest, 20),
    ] {
        let mut curve = SurvivalCurve {
            analysis,
            ..primary.clone()
        };
        curve.landmarks[1].at_risk = Some(at_risk);
        exact.curves.push(curve);
    }
    for (curve, at_risk) in exact.curves.iter_mut().zip([4, 4, 0]) {
        curve.landmarks[1].at_risk = Some(at_risk);
    }
    let shown = survival(&exact, &Audience::Committee, &Thresholds::default());
    let told = |analysis: Analysis| {
        let curve = shown
            .curves
            .iter()
            .find(|one| one.by == "all" && one.analysis == analysis);
        curve.unwrap().landmarks[1].at_risk
    };
    assert_eq!(told(Analysis::Primary), None, "few");
    assert_eq!(told(Analysis::IgnoringLateEntry), None, "two more than few");
    assert_eq!(
        told(Analysis::PartialDatesEarliest),
        Some(20),
        "others are at risk there"
    );
}
