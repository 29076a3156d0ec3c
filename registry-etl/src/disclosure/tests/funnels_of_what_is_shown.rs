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
        as_of: _,
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
