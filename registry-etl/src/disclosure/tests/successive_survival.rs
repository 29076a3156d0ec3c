//! Curves of two published runs.

use super::curves::result;
use super::*;
use crate::disclosure::beside::{Published, survival_beside};
use crate::results::SurvivalResult;

/// The second run beside the first, as the committee sees it.
fn second(exact: SurvivalResult) -> SurvivalResult {
    let limits = Thresholds::default();
    let seen = |exact: SurvivalResult| Published {
        shown: survival(&exact, &Audience::Committee, &limits),
        exact,
    };
    survival_beside(&seen(exact), &[seen(result())], &Audience::Committee, &limits)
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
