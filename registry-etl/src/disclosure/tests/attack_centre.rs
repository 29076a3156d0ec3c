//! A centre that knows its own cases, and subtracts them from a measure's rows: what is left of the network must not come out as few.

use super::attack::cohort;
use super::optimiser::{Attacker, Count};
use super::relations::parts_of;
use super::*;
use crate::results::{AdherenceRow, AdherenceTable};
use proptest::prelude::*;

/// Those set aside, and the patients assessable.
type Counts = [Option<u32>; 2];

fn counts(row: &AdherenceRow) -> Counts {
    let aside = row.excluded.zip(row.excepted).zip(row.not_in_denominator);
    [row.patients, aside.map(|((a, b), c)| a + b + c)]
}

/// What a centre learns of the others in the network's rows.
fn told(exact: &AdherenceTable, shown: &AdherenceTable, own: &str, threshold: u32) -> Vec<String> {
    let mut found = Vec::new();
    for (quantity, name) in ["assessable", "set aside"].into_iter().enumerate() {
        let mut attacker = Attacker::default();
        let rows: Vec<Count> = exact
            .rows
            .iter()
            .map(|row| {
                let same = shown.rows.iter().find(|other| {
                    (&other.measure, other.by, other.period, &other.level)
                        == (&row.measure, row.by, row.period, &row.level)
                });
                attacker.count(same.and_then(|row| counts(row)[quantity]), 0)
            })
            .collect();
        for (at, row) in exact.rows.iter().enumerate() {
            for parts in parts_of(exact, row).into_iter().filter(|parts| !parts.is_empty()) {
                let parts: Vec<Count> = parts.iter().map(|part| rows[*part]).collect();
                attacker.is_sum(rows[at], &parts);
            }
        }
        for (at, row) in exact
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.by == By::Network)
        {
            let of_own = exact
                .rows
                .iter()
                .find(|one| one.by == By::Centre && one.level == own && one.period == row.period);
            let known = of_own.and_then(|one| counts(one)[quantity]).unwrap_or(0);
            let others = counts(row)[quantity].unwrap() - known;
            let (least, most) = attacker.interval(rows[at]);
            if (1..threshold).contains(&others) && most == Some(least) {
                found.push(format!("{name} {:?}: {others} others", row.period));
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_centre_does_not_find_few_others(exact in cohort(), threshold in 2u32..9) {
        let thresholds = Thresholds { public: threshold, committee: threshold };
        for own in ["C1", "C2", "C3"] {
            let shown = adherence(&exact, &Audience::Centre(own.to_owned()), &thresholds);
            prop_assert_eq!(told(&exact, &shown, own, threshold), Vec::<String>::new());
        }
    }
}

#[test]
fn the_attack_succeeds_where_only_the_network_is_hidden() {
    let two: Vec<_> = cases()
        .into_iter()
        .filter(|one| ["C1", "C3"].contains(&one.0))
        .collect();
    let exact = table(&[head("1a", "patient")], &two);
    let mut shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
    let networks = shown.rows.iter_mut().filter(|row| row.by == By::Network);
    networks.for_each(|row| row.patients = None);
    let found = told(&exact, &shown, "C1", 5);
    assert!(
        found.contains(&"assessable All: 3 others".to_owned()),
        "{found:?}"
    );
}
