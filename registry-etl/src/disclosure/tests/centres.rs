//! Centres by observed over expected deaths: what a viewer may see of a point, and that everything else follows from what is shown.

use super::curves::result;
use super::*;
use crate::cohorts::centres::place;
use crate::results::{
    AdjustedModel, CentreComparison, CentrePoint, ModelState, POOLED, PoolMember, SurvivalResult,
};

/// Members of the pool: name, patients, deaths, expected.
pub(super) type Pool<'a> = &'a [(&'a str, u32, u32, f64)];

pub(super) fn compared(points: &[(&str, u32, u32, f64)], pool: Pool<'_>, left_out: u32) -> SurvivalResult {
    let mut centres: Vec<CentrePoint> = points
        .iter()
        .map(|(centre, n, o, e)| CentrePoint::counted(centre, *n, *o, *e))
        .collect();
    if !pool.is_empty() {
        let members = pool
            .iter()
            .map(|(centre, patients, observed, expected)| PoolMember {
                centre: (*centre).to_owned(),
                patients: *patients,
                observed: *observed,
                expected: *expected,
            });
        centres.push(CentrePoint {
            pooled: pool.len() as u32,
            members: members.collect(),
            ..CentrePoint::counted(
                POOLED,
                pool.iter().map(|one| one.1).sum(),
                pool.iter().map(|one| one.2).sum(),
                pool.iter().map(|one| one.3).sum(),
            )
        });
    }
    let patients: u32 = centres.iter().filter_map(|one| one.patients).sum();
    let mut comparison = CentreComparison {
        state: ModelState::Modelled,
        patients: Some(patients),
        events: centres.iter().map(|one| one.observed).sum(),
        left_out: Some(left_out),
        covariates: Vec::new(),
        constant: Vec::new(),
        concordance: Some(0.6),
        pooled_below: 10,
        phi: None,
        tau2: None,
        limits: Vec::new(),
        centres,
        remark: String::new(),
    };
    place(&mut comparison).unwrap();
    let mut result = result();
    result.flow.analysed = Some(patients + left_out);
    result.centres = Some(comparison);
    result
}

fn seen(exact: &SurvivalResult, audience: &Audience) -> CentreComparison {
    survival(exact, audience, &Thresholds::default()).centres.unwrap()
}

/// Name, whether its counts and what follows from them are there.
fn told(found: &CentreComparison) -> Vec<(&str, bool)> {
    let one = |point: &CentrePoint| {
        let parts = [
            point.observed.is_some(),
            point.expected.is_some(),
            point.ratio.is_some(),
            point.position.is_some(),
        ];
        assert!(parts.iter().all(|one| *one == parts[0]), "{point:?}");
        parts[0]
    };
    found
        .centres
        .iter()
        .map(|point| (point.centre.as_str(), one(point)))
        .collect()
}

const POINTS: [(&str, u32, u32, f64); 3] = [("C1", 40, 20, 22.0), ("C2", 30, 15, 12.5), ("C3", 12, 6, 6.5)];

#[test]
fn large_points_are_shown_and_who_is_in_the_pool_is_not() {
    let exact = compared(&POINTS, &[("C4", 6, 2, 2.0), ("C5", 5, 3, 3.0)], 0);
    let all = [("C1", true), ("C2", true), ("C3", true), (POOLED, true)];
    for audience in [Audience::Exact, Audience::Committee] {
        let found = seen(&exact, &audience);
        assert_eq!(told(&found), all);
        assert!(
            found.centres.iter().all(|one| one.members.is_empty()),
            "{audience:?}"
        );
        assert_eq!(found.centres[3].pooled, 2);
    }
    let stored = exact.centres.as_ref().unwrap();
    assert_eq!(seen(&exact, &Audience::Committee).tau2, stored.tau2);
}

#[test]
fn a_small_pool_takes_the_smallest_centre_along() {
    let exact = compared(&POINTS, &[("C4", 2, 1, 0.8), ("C5", 2, 1, 0.7)], 0);
    let found = seen(&exact, &Audience::Committee);
    assert_eq!(
        told(&found),
        [("C1", true), ("C2", true), ("C3", false), (POOLED, false)]
    );
    // What rests on several points rests on those two.
    let stored = exact.centres.as_ref().unwrap();
    assert_ne!(found.centres[0].shrunk, stored.centres[0].shrunk);
    assert_ne!(found.phi, stored.phi);
}

#[test]
fn few_left_out_do_not_follow() {
    let exact = compared(&POINTS, &[], 2);
    let found = seen(&exact, &Audience::Committee);
    assert_eq!((found.patients, found.events, found.left_out), (None, None, None));
    assert_eq!(told(&found), [("C1", true), ("C2", true), ("C3", false)]);
    let many = seen(&compared(&POINTS, &[], 9), &Audience::Committee);
    assert_eq!((many.patients, many.left_out), (Some(82), Some(9)));
    assert!(told(&many).iter().all(|one| one.1));
}

#[test]
fn a_centre_sees_itself_and_no_other() {
    let pool: Pool<'_> = &[("C4", 3, 1, 1.0), ("C5", 7, 3, 3.0)];
    let exact = compared(&POINTS, pool, 0);
    let of = |centre: &str| seen(&exact, &Audience::Centre(centre.to_owned()));
    let own = of("C2");
    assert_eq!(told(&own), [("C2", true)]);
    let point = &own.centres[0];
    assert_eq!((point.observed, point.shrunk, point.q), (Some(15), None, None));
    assert_eq!(
        own.limits.last().unwrap().expected,
        12.5,
        "no limit tells another centre's size"
    );
    // Seven others are enough, three are not.
    let among = of("C4");
    assert_eq!(told(&among), [(POOLED, true)]);
    assert!(among.centres[0].own_among);
    assert_eq!(told(&of("C5")), [(POOLED, false)]);
    assert_eq!(told(&of("C9")), []);
    // A centre that is all but a few of the patients would read theirs off the total.
    let nearly = compared(&[("C1", 40, 20, 22.0), ("C2", 4, 2, 2.0)], &[], 0);
    let found = seen(&nearly, &Audience::Centre("C1".to_owned()));
    assert_eq!((found.state, found.centres.len()), (ModelState::Suppressed, 0));
}

#[test]
fn the_public_sees_no_few_deaths_or_survivors() {
    let mut points = POINTS.to_vec();
    points.push(("C6", 30, 4, 5.0));
    let found = seen(&compared(&points, &[], 0), &Audience::Public);
    assert_eq!(
        told(&found),
        [("C1", true), ("C2", true), ("C3", false), ("C6", false)],
        "six and four deaths are below eleven"
    );
    let few = compared(&[("C1", 20, 2, 2.0), ("C2", 20, 2, 2.0)], &[], 0);
    assert_eq!(seen(&few, &Audience::Committee).state, ModelState::Suppressed);
}

pub(super) fn model(name: &str, patients: u32, events: u32, left_out: u32) -> AdjustedModel {
    AdjustedModel {
        model: name.to_owned(),
        title: String::new(),
        state: ModelState::TooFewEvents,
        patients: Some(patients),
        events: Some(events),
        left_out: Some(left_out),
        events_per_covariate: Some(10.0),
        ratios: Vec::new(),
        proportional_p: None,
        concordance: None,
        constant: Vec::new(),
        remark: String::new(),
    }
}

#[test]
fn counts_of_nearly_the_same_patients_are_not_told_twice() {
    let model = |name: &str, left_out: u32| model(name, 91 - left_out, 40, left_out);
    let mut exact = compared(&POINTS, &[], 9);
    // Two more than the centres' nine, and one more than those: neither is told; twenty are.
    exact.models = vec![model("a", 11), model("b", 20), model("c", 21)];
    let found = survival(&exact, &Audience::Committee, &Thresholds::default());
    let patients: Vec<Option<u32>> = found.models.iter().map(|one| one.patients).collect();
    assert_eq!(patients, [None, Some(71), None]);
}
