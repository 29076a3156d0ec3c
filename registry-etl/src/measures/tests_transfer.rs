//! Counting cases that were with two centres.

use super::tests_support::{case, columns, head, table};
use super::*;
use crate::disclosure::{self, Audience, Thresholds};
use crate::quality::QualityShare;
use crate::results::{AdherenceRow, AdherenceTable, By, Period};
use registry_core::guideline::Outcome::{self, *};

/// A case with these outcomes, each at the first (0) or second (1) of two centres.
fn moved(from: &str, to: &str, units: &[(Outcome, usize)]) -> CaseEvaluation {
    let outcomes: Vec<Outcome> = units.iter().map(|(outcome, _)| *outcome).collect();
    CaseEvaluation {
        shares: Some(Shares {
            centres: vec![from.to_owned(), to.to_owned()],
            patient: 0,
            registered: 0,
            now: 1,
            since: vec![(739_400, 1)],
            units: units.iter().map(|(_, centre)| *centre).collect(),
            quality: vec![QualityShare::default(); 2],
        }),
        ..case("2026-01-10", "lms", &outcomes)
    }
}

fn row<'a>(table: &'a AdherenceTable, by: By, level: &str) -> &'a AdherenceRow {
    let mut rows = table.rows.iter();
    rows.find(|r| r.by == by && r.level == level && r.period == Period::All)
        .unwrap()
}

fn counts(row: &AdherenceRow) -> [Option<u32>; 4] {
    [row.numerator, row.denominator, row.not_assessable, row.patients]
}

#[test]
fn units_go_to_their_centre_and_a_patient_is_one_of_the_network() {
    let table = table(
        &[head("1", "operation")],
        &[
            ("A", case("2026-01-10", "lms", &[Met, NotMet])),
            ("B", moved("A", "B", &[(Met, 0), (NotMet, 1), (NotAssessable, 1)])),
        ],
    );
    assert_eq!(
        counts(row(&table, By::Network, "all")),
        [Some(2), Some(4), Some(1), Some(2)]
    );
    assert_eq!(
        counts(row(&table, By::Centre, "A")),
        [Some(2), Some(3), Some(0), Some(2)]
    );
    assert_eq!(
        counts(row(&table, By::Centre, "B")),
        [Some(0), Some(1), Some(1), Some(1)]
    );
    let shared = |by: By, level: &str| row(&table, by, level).basis.unwrap().shared;
    assert_eq!(shared(By::Centre, "A"), [1, 0, 0]);
    assert_eq!(shared(By::Centre, "B"), [1, 0, 0]);
    assert_eq!(shared(By::Network, "all"), [0, 0, 0]);
    // The half-year of the diagnosis has the whole case.
    assert_eq!(
        counts(row(&table, By::HalfYear, "2026-H1")),
        [Some(2), Some(4), Some(1), Some(2)]
    );
    // What is lacking is lacking where it happened.
    assert_eq!(row(&table, By::Centre, "B").not_assessable_by.len(), 1);
    assert!(row(&table, By::Centre, "A").not_assessable_by.is_empty());
}

#[test]
fn within_a_third_of_the_centres_a_patient_is_one() {
    let of = |names: [&'static str; 2]| {
        let thirds = ["A", "B"]
            .into_iter()
            .zip(names)
            .map(|(c, t)| (c.to_owned(), t))
            .collect();
        let measures = [head("1", "operation")];
        let mut columns = CaseColumns::new(&measures, thirds);
        let window = super::tests_support::window();
        columns.push("B", &window, &moved("A", "B", &[(Met, 0), (NotMet, 1)]));
        adherence_table(&super::tests_support::run(), &window, &measures, &columns).unwrap()
    };
    let same = of(["low", "low"]);
    let low = row(&same, By::VolumeTertile, "low");
    assert_eq!(counts(low), [Some(1), Some(2), Some(0), Some(1)]);
    assert_eq!(low.basis.unwrap().shared, [0, 0, 0]);
    let apart = of(["low", "high"]);
    assert_eq!(
        counts(row(&apart, By::VolumeTertile, "low")),
        [Some(1), Some(1), Some(0), Some(1)]
    );
    assert_eq!(
        counts(row(&apart, By::VolumeTertile, "high")),
        [Some(0), Some(1), Some(0), Some(1)]
    );
    assert_eq!(
        row(&apart, By::VolumeTertile, "high").basis.unwrap().shared,
        [1, 0, 0]
    );
}

/// Three patients at A and three at B, twenty at C, eight at D.
fn network(shared: bool) -> AdherenceTable {
    let mut cases = Vec::new();
    for _ in 0..3 {
        if shared {
            cases.push(("B", moved("A", "B", &[(Met, 0), (Met, 1)])));
        } else {
            cases.push(("A", case("2026-01-10", "lms", &[Met])));
            cases.push(("B", case("2026-01-10", "lms", &[Met])));
        }
    }
    cases.extend((0..20).map(|_| ("C", case("2026-01-10", "lms", &[Met]))));
    cases.extend((0..8).map(|_| ("D", case("2026-01-10", "lms", &[Met]))));
    table(&[head("1", "operation")], &cases)
}

#[test]
fn two_hidden_centres_with_the_same_patients_do_not_hide_each_other() {
    let thresholds = Thresholds::default();
    let shown = |table: &AdherenceTable| -> Vec<bool> {
        let seen = disclosure::adherence(table, &Audience::Committee, &thresholds);
        ["A", "B", "C", "D"]
            .map(|centre| row(&seen, By::Centre, centre).suppressed.is_none())
            .to_vec()
    };
    // Six patients behind A and B together: more than the threshold of five.
    assert_eq!(shown(&network(false)), [false, false, true, true]);
    // The same three behind both: all less C and D would be about three patients.
    assert_eq!(shown(&network(true)), [false, false, true, false]);
}

#[test]
fn a_centre_does_not_learn_of_few_others_by_what_it_shares_with_them() {
    // Six patients of A, two of whom went on to B: all less A's own are two.
    let mut cases: Vec<(&str, CaseEvaluation)> =
        (0..4).map(|_| ("A", case("2026-01-10", "lms", &[Met]))).collect();
    cases.extend((0..2).map(|_| ("B", moved("A", "B", &[(Met, 0), (NotMet, 1)]))));
    let exact = table(&[head("1", "operation")], &cases);
    let seen = disclosure::adherence(&exact, &Audience::Centre("A".to_owned()), &Thresholds::default());
    assert!(row(&seen, By::Network, "all").suppressed.is_some());
    assert_eq!(
        counts(row(&seen, By::Centre, "A")),
        [Some(6), Some(6), Some(0), Some(6)]
    );
}

#[test]
fn registrations_and_quality_of_two_centres() {
    let columns = columns(&[
        ("A", case("2026-01-10", "lms", &[Met])),
        ("B", moved("A", "B", &[(Met, 0), (NotAssessable, 1)])),
    ]);
    let (run, window) = (super::tests_support::run(), super::tests_support::window());
    let overview = overview(&run, &window, &columns, &Default::default());
    let cases: Vec<_> = overview
        .by_centre
        .iter()
        .map(|c| (c.centre.as_str(), c.cases))
        .collect();
    assert_eq!(cases, [("A", Some(2)), ("B", Some(0))]);
    let quality = quality(&run, &columns);
    let shares: Vec<_> = quality
        .centres
        .iter()
        .map(|c| (c.cases, c.not_assessable_share, c.lacking.len()))
        .collect();
    // Nothing of A's is lacking; what lacks at B would speak of one patient who is not B's own.
    assert_eq!(shares, [(Some(2), Some(0.0), 0), (Some(0), None, 0)]);
    assert_eq!(quality.network.not_assessable_share, Some(1.0 / 3.0));
}
