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
        Some(Suppression::FewPatients),
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
fn a_count_by_itself_is_told_of_nobody_and_of_enough() {
    let limits = Thresholds::default();
    for (patients, shown) in [(0, Some(9)), (1, None), (4, None), (5, Some(9))] {
        assert_eq!(
            told(9, patients, &Audience::Committee, &limits),
            shown,
            "{patients}"
        );
    }
    assert_eq!(told(9, 10, &Audience::Public, &limits), None);
    assert_eq!(told(9, 1, &Audience::Exact, &limits), Some(9));
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

mod funnels_of_what_is_shown;

mod curves;

mod pages;

mod alone;
mod attack;
mod attack_centre;
mod attack_survival;
mod centres;
mod optimiser;
mod properties;
mod random_results;
mod relations;
mod successive;
mod successive_survival;
mod window;

#[test]
fn a_count_that_changes_from_day_to_day_is_told_about() {
    let limits = Thresholds::default();
    let told = |n, patients| told_about(n, patients, &Audience::Committee, &limits);
    // Four patients are few; of five and more the count is one of 0, 5, 10, ...
    assert_eq!([told(40, 4), told(0, 0)], [None, Some(0)]);
    let about: Vec<_> = [2, 3, 7, 8, 12, 13].map(|n| told(n, 5)).into();
    assert_eq!(about, [0, 5, 5, 10, 10, 15].map(Some));
    assert_eq!(told_about(7, 1, &Audience::Exact, &limits), Some(7));
}
