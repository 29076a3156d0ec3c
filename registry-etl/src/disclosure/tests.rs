use super::*;
use crate::measures::{adherence_table, tests_support::*};
use crate::results::{By, Period, RateState, Suppression};
use registry_core::guideline::Outcome::*;

/// C1: 30 met, 10 not met. C2: 20 met. C3: 3 met. C4: 12 not met and 2 not assessable.
fn cases() -> Vec<(&'static str, crate::measures::CaseEvaluation)> {
    let mut cases = Vec::new();
    let mut add = |centre, outcome, n: usize| {
        cases.extend((0..n).map(|_| (centre, case("2026-01-01", "lms", &[outcome]))));
    };
    add("C1", Met, 30);
    add("C1", NotMet, 10);
    add("C2", Met, 20);
    add("C3", Met, 3);
    add("C4", NotMet, 12);
    add("C4", NotAssessable, 2);
    cases
}

fn row<'a>(
    table: &'a crate::results::AdherenceTable,
    by: By,
    level: &str,
) -> &'a crate::results::AdherenceRow {
    crate::measures::adherence::find(table, "1a", by, Period::Last24Months, level).unwrap()
}

#[test]
fn a_small_centre_and_the_one_that_would_give_it_away_are_hidden() {
    let exact = table(&[head("1a", "patient")], &cases());
    let shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
    assert_eq!(
        row(&shown, By::Centre, "C3").suppressed,
        Some(Suppression::FewPatients)
    );
    assert_eq!(
        row(&shown, By::Centre, "C4").suppressed,
        Some(Suppression::Complementary),
        "the smallest other"
    );
    assert_eq!(row(&shown, By::Centre, "C1").rate, Some(0.75));
    assert_eq!(row(&shown, By::Network, "all").denominator, Some(75));
    let hidden = row(&shown, By::Centre, "C3");
    assert_eq!(
        (hidden.state, hidden.numerator, hidden.patients, hidden.bound_low),
        (RateState::Suppressed, None, None, None)
    );
    assert_eq!(shown.rows_suppressed, 4, "two centres, two periods");
    assert!(shown.rows.iter().all(|r| r.basis.is_none()));
}

#[test]
fn what_is_set_aside_is_hidden_together_when_small() {
    let mut cases = cases();
    cases.push(("C1", case("2026-01-01", "lms", &[Excluded])));
    cases.extend((0..9).map(|_| ("C2", case("2026-01-01", "lms", &[NotInDenom]))));
    cases.extend((0..8).map(|_| ("C5", case("2026-01-01", "lms", &[NotInDenom]))));
    let exact = table(&[head("1a", "patient")], &cases);
    let shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
    let aside = |level: &str| {
        let row = row(&shown, By::Centre, level);
        (row.excluded, row.excepted, row.not_in_denominator)
    };
    assert_eq!(aside("C1"), (None, None, None), "one excluded patient");
    assert_eq!(aside("C2"), (Some(0), Some(0), Some(9)));
    let network = row(&shown, By::Network, "all");
    assert_eq!(
        (network.excluded, network.not_in_denominator),
        (None, None),
        "the same patient"
    );
    assert_eq!(
        aside("C5"),
        (Some(0), Some(0), Some(8)),
        "with the total hidden nothing follows"
    );
    // Not assessable stands beside the rate, its elements only when frequent.
    assert_eq!(
        (network.not_assessable, network.bound_high),
        (Some(2), Some(55.0 / 77.0))
    );
    assert!(network.not_assessable_by.is_empty());
}

#[test]
fn the_public_needs_numerator_and_complement_too() {
    let exact = table(&[head("1a", "patient")], &cases());
    let shown = adherence(&exact, &Audience::Public, &Thresholds::default());
    // 40 patients, but only 10 not met.
    assert!(row(&shown, By::Centre, "C1").suppressed.is_some());
    // 20 of 20: the rate would say it of everybody.
    assert!(row(&shown, By::Centre, "C2").suppressed.is_some());
    assert_eq!(row(&shown, By::Network, "all").rate, Some(53.0 / 75.0));
}

#[test]
fn a_centre_sees_itself_exactly_and_nobody_else() {
    let exact = table(&[head("1a", "patient")], &cases());
    let shown = adherence(&exact, &Audience::Centre("C3".into()), &Thresholds::default());
    assert_eq!(row(&shown, By::Centre, "C3").numerator, Some(3));
    assert!(shown.rows.iter().all(|r| r.by != By::Centre || r.level == "C3"));
    assert_eq!(row(&shown, By::Network, "all").denominator, Some(75));
    // With two centres of 40 and 3, the larger could subtract itself: the network row is hidden from it.
    let two: Vec<_> = cases()
        .into_iter()
        .filter(|c| c.0 == "C1" || c.0 == "C3")
        .collect();
    let exact = table(&[head("1a", "patient")], &two);
    let shown = adherence(&exact, &Audience::Centre("C1".into()), &Thresholds::default());
    assert!(row(&shown, By::Network, "all").suppressed.is_some());
    assert_eq!(row(&shown, By::Centre, "C1").denominator, Some(40));
}

#[test]
fn nothing_is_hidden_from_the_computation_itself() {
    let exact = table(&[head("1a", "patient")], &cases());
    let shown = adherence(&exact, &Audience::Exact, &Thresholds::default());
    assert_eq!(shown.rows_suppressed, 0);
    assert_eq!(row(&shown, By::Centre, "C3").numerator, Some(3));
    assert!(
        adherence_table(&run(), &window(), &[], &Default::default())
            .unwrap()
            .rows
            .is_empty()
    );
}

mod funnels_of_what_is_shown {
    //! Funnels are computed from the table a viewer may see: nothing in them rests on a hidden number.
    use super::*;
    use crate::measures::{funnels, placement::place};
    use crate::results::{FunnelPoint, NotAssessablePoint};

    /// Everything a point says but who it is and why it is empty.
    fn says(point: &FunnelPoint) -> Vec<bool> {
        let FunnelPoint {
            centre: _,
            state: _,
            suppressed: _,
            numerator,
            denominator,
            patients,
            // Hidden for reasons of its own, too.
            not_assessable: _,
            rate,
            limits,
            position,
            z,
            z_adjusted,
            limits_adjusted,
            position_adjusted,
            p,
            q,
        } = point;
        vec![
            numerator.is_some(),
            denominator.is_some(),
            patients.is_some(),
            rate.is_some(),
            limits.is_some(),
            position.is_some(),
            z.is_some(),
            z_adjusted.is_some(),
            limits_adjusted.is_some(),
            position_adjusted.is_some(),
            p.is_some(),
            q.is_some(),
        ]
    }

    fn says_of_missing(point: &NotAssessablePoint) -> Vec<bool> {
        let NotAssessablePoint {
            centre: _,
            suppressed: _,
            numerator,
            denominator,
            share,
            limits,
            position,
        } = point;
        vec![
            numerator.is_some(),
            denominator.is_some(),
            share.is_some(),
            limits.is_some(),
            position.is_some(),
        ]
    }

    #[test]
    fn a_hidden_centre_is_an_empty_point_and_counts_for_nothing() {
        // C3 is small, C4 is hidden with it; C1 (30 of 40) and C2 (20 of 20) are shown.
        let exact = table(&[head("1a", "patient")], &cases());
        let shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
        let (all, seen) = (funnels(&exact).unwrap(), funnels(&shown).unwrap());
        assert_eq!((all.family, seen.family), (4, 2));
        let funnel = &seen.funnels[0];
        for point in &funnel.points {
            let hidden = point.suppressed.is_some();
            assert_eq!(hidden, ["C3", "C4"].contains(&point.centre.as_str()));
            assert!(says(point).iter().all(|says| *says != hidden), "{point:?}");
        }
        // C1 is shown without its number not assessable, from which those of hidden centres would follow.
        let missing = &funnel.not_assessable_funnel;
        for (point, row) in missing.points.iter().zip(&funnel.points) {
            assert!(row.suppressed.is_none() || row.not_assessable.is_none());
            let shown = row.not_assessable.is_some();
            assert!(
                says_of_missing(point).iter().all(|says| *says == shown),
                "{point:?}"
            );
        }
        assert!(
            missing
                .points
                .iter()
                .any(|p| p.suppressed.is_none() && p.denominator.is_none())
        );
        // The target is the network's, which is shown; the variation is that of the two centres shown.
        let two = place(&[(30, 40), (20, 20)], 53.0 / 75.0).unwrap();
        assert_eq!((funnel.phi, funnel.tau2), (two.phi, two.tau2));
        assert_ne!(funnel.phi, all.funnels[0].phi);
    }

    #[test]
    fn another_hidden_number_changes_nothing_shown() {
        let exact = table(&[head("1a", "patient")], &cases());
        // One of C3's three not met instead of met, one of C4's twelve met instead of not: the same totals.
        let mut other = cases();
        let swap = |cases: &mut Vec<(&'static str, crate::measures::CaseEvaluation)>, centre, from, to| {
            let found = cases
                .iter_mut()
                .find(|c| c.0 == centre && c.1.outcomes[0].outcome == from)
                .unwrap();
            found.1 = case("2026-01-01", "lms", &[to]);
        };
        swap(&mut other, "C3", Met, NotMet);
        swap(&mut other, "C4", NotMet, Met);
        let other = table(&[head("1a", "patient")], &other);
        assert_ne!(funnels(&exact).unwrap(), funnels(&other).unwrap());
        for audience in [
            Audience::Committee,
            Audience::Public,
            Audience::Centre("C1".into()),
        ] {
            let of = |table| funnels(&adherence(table, &audience, &Thresholds::default())).unwrap();
            assert_eq!(of(&exact), of(&other), "{audience:?}");
        }
    }

    #[test]
    fn a_centre_sees_its_own_point_without_what_needs_the_others() {
        let exact = table(&[head("1a", "patient")], &cases());
        let own = Audience::Centre("C1".into());
        let seen = funnels(&adherence(&exact, &own, &Thresholds::default())).unwrap();
        let [point] = &seen.funnels[0].points[..] else {
            panic!("its own point only")
        };
        assert_eq!((point.numerator, point.position.is_some()), (Some(30), true));
        assert_eq!((seen.funnels[0].tau2, point.z_adjusted), (None, None));
        assert_eq!((point.q, seen.family), (point.p, 1));
    }
}

mod curves {
    use super::*;
    use crate::cohorts::endpoint::{Group, curve};
    use crate::cohorts::settle::Settled;
    use crate::results::{
        Analysis, CauseIncidence, ChangeRow, CurveState, Flow, FlowStep, GroupTest, IncidenceCurve,
        IncidenceValue, LandmarkComparison, LandmarkContrast, ProportionRow, RateState, SurvivalCurve,
        SurvivalResult,
    };

    fn one(by: &str, level: &str, n: i32, offset: i32) -> SurvivalCurve {
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

    fn result() -> SurvivalResult {
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
        // Two left out for want of an origin: hidden, and the next smallest with it.
        let flow: Vec<Option<u32>> = shown.flow.left_out.iter().map(|s| s.n).collect();
        assert_eq!(
            (flow, shown.flow.cases, shown.entered_late),
            (vec![None, None, Some(0)], Some(123), None)
        );
        assert_eq!(survival(&exact, &Audience::Exact, &Thresholds::default()), exact);
    }

    fn cause(code: &str, events: u32) -> CauseIncidence {
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

    fn group(analysis: Analysis, by: &str, level: &str, patients: u32, events: [u32; 3]) -> IncidenceCurve {
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
            by: "timing".to_owned(),
            cause: "sarcoma".to_owned(),
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

    #[test]
    fn shares_changes_and_landmarks_keep_few_to_themselves() {
        let share = |by: &str, level: &str, with: u32, of: u32, unknown: u32| ProportionRow {
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
        };
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
        assert_eq!(
            (
                shown.proportions[0].not_assessable,
                shown.proportions[0].bound_low
            ),
            (None, None)
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
}

mod pages {
    use super::*;
    use crate::measures;

    #[test]
    fn overview_and_quality() {
        let columns = columns(&cases());
        let centres = registry_core::record::CentreTable::from_rows([]).unwrap();
        let exact = measures::overview(&run(), &window(), &columns, &centres);
        let shown = overview(&exact, &Audience::Committee, &Thresholds::default());
        let of =
            |o: &crate::results::Overview, c: &str| o.by_centre.iter().find(|a| a.centre == c).unwrap().cases;
        assert_eq!(
            (of(&shown, "C3"), of(&shown, "C4"), of(&shown, "C1"), shown.cases),
            (None, None, Some(40), Some(77))
        );
        let own = overview(&exact, &Audience::Centre("C3".into()), &Thresholds::default());
        assert_eq!((own.by_centre.len(), of(&own, "C3")), (1, Some(3)));
        let exact = measures::quality(&run(), &columns);
        let shown = quality(&exact, &Audience::Committee, &Thresholds::default());
        assert_eq!(
            shown.centres.iter().map(|c| c.cases).collect::<Vec<_>>(),
            [Some(40), Some(20), None, None]
        );
        assert!(
            shown.network.lacking.is_empty(),
            "two units lacking: too few to name"
        );
        let own = quality(&exact, &Audience::Centre("C3".into()), &Thresholds::default());
        assert_eq!(own.centres[0].cases, Some(3));
    }
}

mod attack {
    //! A reader who adds and subtracts: tables of random cohorts must not let small counts be recovered.
    use super::*;
    use crate::results::{AdherenceRow, AdherenceTable};
    use proptest::prelude::*;

    fn cohort() -> impl Strategy<Value = AdherenceTable> {
        let one = (0usize..6, 0usize..5, 0usize..3, 0usize..4);
        proptest::collection::vec(one, 0..150).prop_map(|cases| {
            let outcomes = [Met, Met, NotMet, NotAssessable, Excluded, NotInDenom];
            let cases: Vec<_> = cases
                .into_iter()
                .map(|(outcome, centre, period, histology)| {
                    let centre = ["C1", "C2", "C3", "C4", "C5"][centre];
                    let t0 = ["2020-03-01", "2025-03-01", "2025-09-01"][period];
                    (
                        centre,
                        case(t0, ["lms", "ddlps", "ss", "ups"][histology], &[outcomes[outcome]]),
                    )
                })
                .collect();
            table(&[head("1a", "patient")], &cases)
        })
    }

    /// What a total less its shown parts says about the assessable patients of the one part not shown.
    fn remainder(shown: &AdherenceTable, by: By, period: Period) -> Option<u32> {
        let rows = || shown.rows.iter().filter(|r| r.by == by && r.period == period);
        let total = shown
            .rows
            .iter()
            .find(|r| r.by == By::Network && r.period == period)?
            .patients?;
        (rows().filter(|r| r.patients.is_none()).count() > 0)
            .then(|| total - rows().filter_map(|r| r.patients).sum::<u32>())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn no_small_group_is_shown_or_left_over(exact in cohort(), public in any::<bool>()) {
            let (audience, threshold) = if public { (Audience::Public, 11) } else { (Audience::Committee, 5) };
            let shown = adherence(&exact, &audience, &Thresholds::default());
            for row in &shown.rows {
                prop_assert!(row.patients.is_none_or(|n| n == 0 || n >= threshold));
                prop_assert!(!public || row.patients.is_none_or(|n| n == 0 || row.numerator >= Some(threshold)));
                prop_assert!(row.suppressed.is_none() || (row.rate.is_none() && row.numerator.is_none()));
                for aside in [row.excluded, row.excepted, row.not_in_denominator] {
                    prop_assert!(aside.is_none_or(|n| n == 0 || n >= threshold));
                }
            }
            for (by, period) in [
                (By::Centre, Period::All),
                (By::Centre, Period::Last24Months),
                (By::HalfYear, Period::All),
                (By::Year, Period::All),
                (By::Histology, Period::All),
                (By::VolumeTertile, Period::All),
            ] {
                let left = remainder(&shown, by, period);
                prop_assert!(left.is_none_or(|n| n >= threshold), "{by:?} {period:?} leaves {left:?}");
            }
            // A year less its half-years, a third of the centres less its centres (which are told apart by their volume).
            let of_third = |r: &AdherenceRow| {
                exact.centre_tertiles.get(&r.level).map_or("not_recorded", String::as_str).to_owned()
            };
            for whole in shown.rows.iter().filter(|r| r.period == Period::All) {
                let parts: Vec<&AdherenceRow> = shown
                    .rows
                    .iter()
                    .filter(|r| r.period == Period::All)
                    .filter(|r| match whole.by {
                        By::Year => r.by == By::HalfYear && r.level.starts_with(&whole.level),
                        By::VolumeTertile => r.by == By::Centre && of_third(r) == whole.level,
                        _ => false,
                    })
                    .collect();
                if let (Some(total), true) = (whole.patients, parts.iter().any(|r| r.patients.is_none())) {
                    let left = total - parts.iter().filter_map(|r| r.patients).sum::<u32>();
                    prop_assert!(left >= threshold, "{:?} {} leaves {left}", whole.by, whole.level);
                }
            }
            // All cases less the recent ones.
            for all in shown.rows.iter().filter(|r| r.period == Period::All) {
                let recent = shown.rows.iter().find(|r| {
                    r.period == Period::Last24Months && r.by == all.by && r.level == all.level
                });
                let older = recent.and_then(|r| all.patients?.checked_sub(r.patients?));
                prop_assert!(older.is_none_or(|n| n == 0 || n >= threshold));
            }
        }

        #[test]
        fn a_funnel_says_nothing_of_a_hidden_centre(exact in cohort(), public in any::<bool>()) {
            let audience = if public { Audience::Public } else { Audience::Committee };
            let shown = adherence(&exact, &audience, &Thresholds::default());
            let funnels = crate::measures::funnels(&shown).unwrap();
            for funnel in &funnels.funnels {
                for point in funnel.points.iter().filter(|p| p.suppressed.is_some()) {
                    prop_assert!(point.p.is_none() && point.q.is_none() && point.z.is_none());
                    prop_assert!(point.z_adjusted.is_none() && point.limits_adjusted.is_none());
                    prop_assert!(point.position.is_none() && point.position_adjusted.is_none());
                }
                for (point, row) in funnel.not_assessable_funnel.points.iter().zip(
                    shown.rows.iter().filter(|r| r.by == By::Centre && r.period == Period::Last24Months),
                ) {
                    prop_assert_eq!(&point.centre, &row.level);
                    prop_assert!(row.suppressed.is_none() || point.denominator.is_none());
                    prop_assert!(row.not_assessable.is_some() || point.numerator.is_none());
                }
            }
        }

        #[test]
        fn the_public_never_sees_what_the_committee_does_not(exact in cohort()) {
            let committee = adherence(&exact, &Audience::Committee, &Thresholds::default());
            let public = adherence(&exact, &Audience::Public, &Thresholds { public: 11, committee: 5 });
            for (wide, narrow) in committee.rows.iter().zip(&public.rows) {
                prop_assert!(narrow.suppressed.is_some() || wide.suppressed.is_none());
            }
        }
    }
}
