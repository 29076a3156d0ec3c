//! What a reader knows to add up, handed to the optimiser. A hidden count below the threshold is protected when its feasibility interval holds
//! it, another value, and one of at least the threshold; any other hidden count when it is not known exactly.

use super::attack::cohort;
use super::optimiser::{Attacker, Count};
use super::*;
use crate::measures::half_year_of;
use crate::results::{AdherenceRow, AdherenceTable};
use proptest::prelude::*;

/// Met, not met, not assessable, excluded, excepted, not in the denominator.
const KINDS: usize = 6;

struct Unknowns {
    kinds: [Count; KINDS],
    patients: Count,
}

/// Counts of patients of one row, where the unit is the patient.
fn unknowns(attacker: &mut Attacker, row: &AdherenceRow) -> Unknowns {
    let complement = row.denominator.zip(row.numerator).map(|(of, n)| of - n);
    let shown = [
        row.numerator,
        complement,
        row.not_assessable,
        row.excluded,
        row.excepted,
        row.not_in_denominator,
    ];
    let kinds = shown.map(|n| attacker.count(n, 0));
    // Nobody is shown as nobody.
    let patients = attacker.count(row.patients, 1);
    attacker.is_sum(patients, &kinds[..2]);
    if row.suppressed.is_none() && row.excluded.is_none() {
        attacker.at_least(1, &kinds[3..]);
    }
    Unknowns { kinds, patients }
}

/// Parts that add up to a row, by position.
pub(super) fn parts_of(exact: &AdherenceTable, total: &AdherenceRow) -> Vec<Vec<usize>> {
    let rows = &exact.rows;
    let those = |keep: &dyn Fn(&AdherenceRow) -> bool| -> Vec<usize> {
        (0..rows.len())
            .filter(|at| {
                rows[*at].measure == total.measure && rows[*at].period == total.period && keep(&rows[*at])
            })
            .collect()
    };
    let third = |row: &AdherenceRow| {
        exact
            .centre_tertiles
            .get(&row.level)
            .map_or("not_recorded", String::as_str)
            .to_owned()
    };
    match total.by {
        By::Network => By::PARTS.iter().map(|by| those(&|row| row.by == *by)).collect(),
        By::Year => vec![those(&|row| {
            row.by == By::HalfYear && row.level.starts_with(&total.level)
        })],
        By::VolumeTertile => vec![those(&|row| row.by == By::Centre && third(row) == total.level)],
        _ => Vec::new(),
    }
}

/// The network's last 24 months are the half-years within them, and parts of those they begin and end in.
fn of_window(
    exact: &AdherenceTable,
    rows: &[Unknowns],
    attacker: &mut Attacker,
    wanted: &mut Vec<(String, Count, u32)>,
    both: bool,
) {
    let recent = |row: &AdherenceRow| row.by == By::Network && row.period == Period::Last24Months;
    let Some(recent) = exact.rows.iter().position(recent) else {
        return;
    };
    let half = |day: &str| half_year_of(day.parse().unwrap());
    let (first, last) = (half(&exact.last_24_months_from), half(&exact.run.cut_off));
    let mut within: Vec<[Count; KINDS]> = Vec::new();
    for (at, row) in exact.rows.iter().enumerate() {
        if row.by != By::HalfYear || row.level < first || row.level > last {
            continue;
        }
        if row.level != first && row.level != last {
            within.push(rows[at].kinds);
            continue;
        }
        let edge = |one: &&AdherenceRow| one.measure == row.measure && one.level == row.level;
        let inside = exact.window_edges.iter().find(edge).unwrap();
        // Nobody was diagnosed after the cut-off, a reader may think.
        let every = |row: &AdherenceRow| {
            let aside = [row.excluded, row.excepted, row.not_in_denominator];
            (row.numerator, row.denominator, row.not_assessable, aside)
        };
        if row.level == last && every(row) == every(inside) {
            within.push(rows[at].kinds);
            continue;
        }
        let [inner, outer] = [(); 2].map(|()| [(); KINDS].map(|()| attacker.count(None, 0)));
        for kind in 0..KINDS {
            attacker.is_sum(rows[at].kinds[kind], &[inner[kind], outer[kind]]);
        }
        within.push(inner);
        let counts = |row: &AdherenceRow| {
            let (with, of) = (row.numerator.unwrap(), row.denominator.unwrap());
            [with, of - with]
        };
        let (all, inside) = (counts(row), counts(inside));
        let outside = [all[0] - inside[0], all[1] - inside[1]];
        for (what, kinds, truth) in [("within", inner, inside), ("outside", outer, outside)] {
            let patients = attacker.count(None, 0);
            attacker.is_sum(patients, &kinds[..2]);
            wanted.push((format!("{what} {}", row.level), patients, truth.iter().sum()));
            if both && truth.iter().sum::<u32>() > 0 {
                wanted.push((format!("{what} {}, met", row.level), kinds[0], truth[0]));
                wanted.push((format!("{what} {}, not met", row.level), kinds[1], truth[1]));
            }
        }
    }
    for kind in 0..KINDS {
        let parts: Vec<Count> = within.iter().map(|kinds| kinds[kind]).collect();
        attacker.is_sum(rows[recent].kinds[kind], &parts);
    }
}

/// What stands against the rule, for every hidden count.
pub(super) fn given_away(
    exact: &AdherenceTable,
    shown: &AdherenceTable,
    threshold: u32,
    parts: bool,
) -> Vec<String> {
    let mut attacker = Attacker::default();
    let rows: Vec<Unknowns> = shown
        .rows
        .iter()
        .map(|row| unknowns(&mut attacker, row))
        .collect();
    for (at, row) in exact.rows.iter().enumerate() {
        for parts in parts_of(exact, row).into_iter().filter(|parts| !parts.is_empty()) {
            for kind in 0..KINDS {
                let of: Vec<Count> = parts.iter().map(|part| rows[*part].kinds[kind]).collect();
                attacker.is_sum(rows[at].kinds[kind], &of);
            }
        }
    }
    let mut wanted: Vec<(String, Count, u32)> = Vec::new();
    for (at, row) in exact.rows.iter().enumerate() {
        let name = |what: &str| format!("{what} of {:?} {} {:?}", row.by, row.level, row.period);
        let (with, of) = (row.numerator.unwrap(), row.denominator.unwrap());
        wanted.push((name("patients"), rows[at].patients, of));
        if parts && of > 0 {
            wanted.push((name("met"), rows[at].kinds[0], with));
            wanted.push((name("not met"), rows[at].kinds[1], of - with));
        }
        // All cases are the recent and the older ones.
        let recent = exact.rows.iter().position(|other| {
            row.period == Period::All
                && other.period == Period::Last24Months
                && other.by == row.by
                && other.level == row.level
        });
        if let Some(recent) = recent {
            let mut older = Vec::new();
            for kind in 0..KINDS {
                let rest = attacker.count(None, 0);
                attacker.is_sum(rows[at].kinds[kind], &[rows[recent].kinds[kind], rest]);
                older.push(rest);
            }
            let all_older = attacker.count(None, 0);
            attacker.is_sum(all_older, &older[..2]);
            wanted.push((
                name("older patients"),
                all_older,
                of - exact.rows[recent].denominator.unwrap(),
            ));
        }
    }
    of_window(exact, &rows, &mut attacker, &mut wanted, parts);
    let mut found = Vec::new();
    for (name, count, truth) in wanted {
        let (least, most) = attacker.interval(count);
        assert!(
            least <= truth && most.is_none_or(|most| truth <= most),
            "{name}: not the table that was shown"
        );
        let small = truth > 0 && truth < threshold && most.is_some_and(|most| most < threshold);
        if small {
            found.push(format!("{name} is {truth}, between {least} and {most:?}"));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn an_optimiser_finds_no_small_count_of_a_table(exact in cohort(), threshold in 2u32..9) {
        let thresholds = Thresholds { public: threshold, committee: threshold };
        let committee = adherence(&exact, &Audience::Committee, &thresholds);
        prop_assert_eq!(given_away(&exact, &committee, threshold, false), Vec::<String>::new());
        let public = adherence(&exact, &Audience::Public, &thresholds);
        prop_assert_eq!(given_away(&exact, &public, threshold, true), Vec::<String>::new());
    }
}

#[test]
fn the_attack_succeeds_where_nothing_but_the_small_cell_is_hidden() {
    let exact = table(&[head("1a", "patient")], &cases());
    let mut shown = adherence(&exact, &Audience::Exact, &Thresholds::default());
    for row in shown
        .rows
        .iter_mut()
        .filter(|row| row.by == By::Centre && row.level == "C3")
    {
        (row.patients, row.numerator, row.denominator) = (None, None, None);
        row.suppressed = Some(Suppression::FewPatients);
    }
    let found = given_away(&exact, &shown, 5, false);
    assert!(
        found.iter().any(|one| one.starts_with("patients of Centre C3")),
        "{found:?}"
    );
}

/// Two measures of the same patients: the second is met by others.
fn two_measures() -> impl Strategy<Value = AdherenceTable> {
    let one = (0usize..4, 0usize..4, 0usize..5, 0usize..3);
    proptest::collection::vec(one, 0..120).prop_map(|cases| {
        let outcomes = [Met, NotMet, NotMet, Met];
        let cases: Vec<_> = cases
            .into_iter()
            .map(|(first, second, centre, period)| {
                let t0 = ["2020-03-01", "2025-03-01", "2025-09-01"][period];
                let mut case = case(t0, "lms", &[outcomes[first]]);
                let mut other = case.outcomes[0].clone();
                (other.measure, other.outcome) = (1, outcomes[second]);
                case.outcomes.push(other);
                (["C1", "C2", "C3", "C4", "C5"][centre], case)
            })
            .collect();
        table(&[head("1a", "patient"), head("1b", "patient")], &cases)
    })
}

/// The rows of one measure.
fn only(table: &AdherenceTable, measure: &str) -> AdherenceTable {
    let mut table = table.clone();
    table.rows.retain(|row| row.measure == measure);
    table.measures.retain(|head| head.id == measure);
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_measure_does_not_tell_what_another_of_the_same_patients_hides(exact in two_measures(), threshold in 2u32..9) {
        let thresholds = Thresholds { public: threshold, committee: threshold };
        for audience in [Audience::Committee, Audience::Public] {
            let shown = adherence(&exact, &audience, &thresholds);
            let mut first = only(&shown, "1a");
            for (row, other) in first.rows.iter_mut().zip(only(&shown, "1b").rows) {
                prop_assert_eq!((row.by, row.period, &row.level), (other.by, other.period, &other.level));
                row.patients = row.patients.or(other.patients);
            }
            let found = given_away(&only(&exact, "1a"), &first, threshold, false);
            prop_assert_eq!(found, Vec::<String>::new());
        }
    }
}
