//! Two published runs subtracted from each other.

use super::optimiser::{Attacker, Count};
use super::relations::parts_of;
use super::*;
use crate::disclosure::beside::{Published, adherence_beside};
use crate::measures::{CaseEvaluation, UnitResult};
use crate::results::{AdherenceRow, AdherenceTable};
use proptest::prelude::*;

fn numbered(run: i64, cases: &[(&str, CaseEvaluation)]) -> AdherenceTable {
    let mut exact = table(&[head("1a", "patient")], cases);
    exact.run.run = run;
    exact
}

/// What is published of one run after the other.
fn published(
    exact: Vec<AdherenceTable>,
    audience: &Audience,
    limits: &Thresholds,
) -> Vec<Published<AdherenceTable>> {
    let mut all: Vec<Published<AdherenceTable>> = Vec::new();
    for exact in exact {
        let shown = adherence(&exact, audience, limits);
        let new = Published { exact, shown };
        let shown = adherence_beside(&new, &all, audience, limits);
        all.push(Published { shown, ..new });
    }
    all
}

/// Runs of so many assessable patients per centre, all alike.
fn runs(counts: &[&[(&'static str, usize)]]) -> Vec<AdherenceTable> {
    let of = |centres: &[(&'static str, usize)]| -> Vec<_> {
        let patients = centres
            .iter()
            .flat_map(|(centre, n)| std::iter::repeat_n(*centre, *n));
        patients
            .map(|centre| (centre, case("2026-01-01", "lms", &[Met])))
            .collect()
    };
    let numbers = 1..;
    numbers
        .zip(counts)
        .map(|(run, centres)| numbered(run, &of(centres)))
        .collect()
}

fn last(exact: Vec<AdherenceTable>) -> AdherenceTable {
    let mut all = published(exact, &Audience::Committee, &Thresholds::default());
    all.pop().unwrap().shown
}

/// Denominator and run of a row.
fn seen(table: &AdherenceTable, by: By, level: &str) -> (Option<u32>, Option<i64>) {
    let row = row(table, by, level);
    (row.denominator, row.as_of)
}

#[test]
fn what_changed_by_few_stays_and_says_so() {
    let after = last(runs(&[
        &[("C1", 20), ("C2", 20), ("C3", 20)],
        &[("C1", 20), ("C2", 26), ("C3", 26)],
    ]));
    assert_eq!(seen(&after, By::Network, "all"), (Some(72), None));
    assert_eq!(
        seen(&after, By::Centre, "C1"),
        (Some(20), Some(1)),
        "unchanged reads as changed by few"
    );
    assert_eq!(seen(&after, By::Centre, "C2"), (Some(26), None));
    assert_eq!(after.rows_suppressed, 0);
}

#[test]
fn one_new_patient_does_not_follow_from_the_total() {
    let after = last(runs(&[
        &[("C1", 20), ("C2", 20), ("C3", 20)],
        &[("C1", 26), ("C2", 26), ("C3", 21)],
    ]));
    // Of all cases, where thirds by volume stand too (C1 is one, the others the other), nothing but the network may be new.
    let of_all = |by: By, level: &str| {
        let row = crate::measures::adherence::find(&after, "1a", by, Period::All, level).unwrap();
        (row.denominator, row.as_of)
    };
    assert_eq!(of_all(By::Network, "all"), (Some(73), None));
    for centre in ["C1", "C2", "C3"] {
        assert_eq!(of_all(By::Centre, centre), (Some(20), Some(1)), "{centre}");
    }
    // Nor of the last 24 months. With 26 of C2 told, C3 would follow: the thirds tell 26 of C1 and 47 of the two others, so of the recent ones
    // at least 73 - 26 - 26 are C3's, and of all at most 47 - 26: 21.
    assert_eq!(seen(&after, By::Network, "all"), (Some(73), None));
    for centre in ["C1", "C2", "C3"] {
        assert_eq!(seen(&after, By::Centre, centre), (Some(20), Some(1)), "{centre}");
    }
}

#[test]
fn a_centre_does_not_subtract_its_own_new_patients() {
    let after = last(runs(&[&[("C1", 20), ("C2", 20)], &[("C1", 26), ("C2", 21)]]));
    assert_eq!(seen(&after, By::Network, "all"), (Some(40), Some(1)));
    assert_eq!(seen(&after, By::Centre, "C2"), (Some(20), Some(1)));
    // Nor from a breakdown with one level, which is the network once more.
    let timing = crate::measures::adherence::find(&after, "1a", By::Timing, Period::All, "not_recorded");
    assert_eq!(
        timing.map(|row| (row.denominator, row.as_of)),
        Some((Some(40), Some(1)))
    );
}

#[test]
fn small_steps_add_up_until_they_are_shown() {
    let after = last(runs(&[
        &[("C1", 20), ("C2", 20), ("C3", 20)],
        &[("C1", 23), ("C2", 23), ("C3", 23)],
        &[("C1", 26), ("C2", 26), ("C3", 26)],
    ]));
    for centre in ["C1", "C2", "C3"] {
        assert_eq!(seen(&after, By::Centre, centre), (Some(26), None), "{centre}");
    }
}

#[test]
fn rows_of_other_rules_do_not_stay() {
    let mut both = runs(&[&[("C1", 20), ("C2", 20)], &[("C1", 21), ("C2", 27)]]);
    both[1].run.guideline_version = "2.0.0".to_owned();
    let after = last(both);
    assert_eq!(
        row(&after, By::Centre, "C1").suppressed,
        Some(Suppression::FewPatients)
    );
}

/// So many met per centre and day, and so many of each centre that the measure does not look at.
fn with_others(
    run: i64,
    met: &[(&'static str, &str, usize)],
    others: &[(&'static str, usize)],
) -> AdherenceTable {
    let mut cases = Vec::new();
    for (centre, day, n) in met {
        cases.extend((0..*n).map(|_| (*centre, case(day, "lms", &[Met]))));
    }
    for (centre, n) in others {
        cases.extend((0..*n).map(|_| (*centre, case("2026-01-01", "lms", &[NotInDenom]))));
    }
    numbered(run, &cases)
}

const DAY: &str = "2026-01-01";

#[test]
fn that_all_of_a_hidden_row_left_is_not_told() {
    let others = [("C1", 8), ("C2", 8), ("C3", 8)];
    let first = [("C1", DAY, 20), ("C2", DAY, 20), ("C3", DAY, 3)];
    let second = [("C1", DAY, 28), ("C2", DAY, 28)];
    let both = vec![with_others(1, &first, &others), with_others(2, &second, &others)];
    assert_eq!(row(&both[1], By::Centre, "C3").denominator, Some(0));
    let after = last(both);
    assert_eq!(
        row(&after, By::Centre, "C3").suppressed,
        Some(Suppression::FewPatients)
    );
    // 56 of the network less 28 and 28 would be nobody.
    let own = |by: By, level: &str| {
        seen(&after, by, level)
            .0
            .filter(|_| seen(&after, by, level).1.is_none())
    };
    let all = [
        own(By::Network, "all"),
        own(By::Centre, "C1"),
        own(By::Centre, "C2"),
    ];
    assert_eq!(all[0], Some(56));
    assert!(all.contains(&None), "{all:?}");
}

#[test]
fn nor_by_a_level_that_is_not_listed_any_more() {
    let first = [
        ("C1", DAY, 20),
        ("C2", DAY, 20),
        ("C3", "2025-08-01", 2),
        ("C2", "2025-03-01", 12),
    ];
    let second = [("C1", DAY, 28), ("C2", DAY, 28), ("C2", "2025-03-01", 18)];
    let third = [("C1", DAY, 36), ("C2", DAY, 36), ("C2", "2025-03-01", 24)];
    let runs = vec![
        with_others(1, &first, &[]),
        with_others(2, &second, &[]),
        with_others(3, &third, &[]),
    ];
    let all = published(runs, &Audience::Committee, &Thresholds::default());
    for run in &all {
        let found = crate::measures::adherence::find(&run.shown, "1a", By::HalfYear, Period::All, "2025-H2");
        let found = found.map(|row| (row.suppressed, row.denominator));
        assert_eq!(found, Some((Some(Suppression::FewPatients), None)));
        assert_eq!(run.shown.rows_total as usize, run.shown.rows.len());
        let seen = adherence_for_centre(&run.exact, &run.shown, "C1", &Thresholds::default());
        let found = crate::measures::adherence::find(&seen, "1a", By::HalfYear, Period::All, "2025-H2");
        assert_eq!(found.map(|row| row.denominator), Some(None));
        assert!(
            seen.rows
                .iter()
                .all(|row| row.by != By::Centre || row.level == "C1")
        );
    }
    // Nor do the half-years that are listed add up to the network.
    for now in &all[1..] {
        let rows = || now.shown.rows.iter().filter(|row| row.by == By::HalfYear);
        let listed: Option<i64> = rows().filter(|row| row.level != "2025-H2").map(own).sum();
        let network = crate::measures::adherence::find(&now.shown, "1a", By::Network, Period::All, "all");
        assert!(listed.is_none() || network.and_then(own) != listed);
    }
}

/// Runs follow each other with ever later cut-offs: the last 24 months of the newest are the sum of its own half-years whatever the earlier
/// ones counted.
#[test]
fn another_window_before_does_not_open_the_sum_of_the_last_24_months() {
    let at = |run: i64, cut_off: &str, days: &[(&str, usize)]| {
        let cases = days
            .iter()
            .flat_map(|(day, n)| (0..*n).map(|_| ("C1", case(day, "lms", &[Met]))));
        let mut exact = table_at(cut_off, &[head("1a", "patient")], &cases.collect::<Vec<_>>());
        exact.run.run = run;
        exact
    };
    // One patient of the second half of 2024 withdraws, many are new elsewhere.
    let first = [
        ("2024-03-01", 20),
        ("2024-09-01", 30),
        ("2025-03-01", 30),
        ("2025-09-01", 30),
    ];
    let second = [
        ("2024-03-01", 20),
        ("2024-09-01", 29),
        ("2025-03-01", 40),
        ("2025-09-01", 40),
        ("2026-03-01", 30),
    ];
    let after = last(vec![at(1, "2025-12-31", &first), at(2, "2026-06-30", &second)]);
    assert_eq!(after.last_24_months_from, "2024-07-01");
    let half = |level: &str| {
        crate::measures::adherence::find(&after, "1a", By::HalfYear, Period::All, level)
            .and_then(|row| row.denominator)
    };
    assert_eq!(half("2024-H2"), Some(30), "as of the first");
    // 139 less 40, 40 and 30 would be the 29: nobody may add these up.
    assert_eq!(seen(&after, By::Network, "all"), (Some(139), None));
    let new = |level: &str| {
        let of = crate::measures::adherence::find(&after, "1a", By::HalfYear, Period::All, level);
        of.filter(|row| row.as_of.is_none())
            .and_then(|row| row.denominator)
    };
    let all: Option<u32> = ["2025-H1", "2025-H2", "2026-H1"].into_iter().map(new).sum();
    assert_eq!(all, None);
}

/// A level that somebody is in lists every measure. One that all left must list as many, and what it told of nobody.
#[test]
fn that_all_of_a_level_left_is_told_by_no_other_measure() {
    let of = |run: i64, days: &[(&str, usize)]| {
        let mut cases = Vec::new();
        for (day, n) in days {
            let mut one = case(day, "lms", &[Met]);
            one.outcomes.push(UnitResult {
                measure: 1,
                outcome: NotInDenom,
                ..one.outcomes[0].clone()
            });
            cases.extend(std::iter::repeat_n(("C1", one), *n));
        }
        let mut exact = table(&[head("1a", "patient"), head("1b", "patient")], &cases);
        exact.run.run = run;
        exact
    };
    let runs = vec![
        of(1, &[(DAY, 20), ("2024-03-01", 20), ("2019-08-01", 1)]),
        of(2, &[(DAY, 28), ("2024-03-01", 28)]),
    ];
    let mut all = published(runs, &Audience::Committee, &Thresholds::default());
    let told = |table: &AdherenceTable, measure: &str, by: By, level: &str| {
        let row = crate::measures::adherence::find(table, measure, by, Period::All, level);
        row.map(|row| (row.suppressed, row.denominator, row.not_in_denominator))
    };
    let hidden = Some((Some(Suppression::FewPatients), None, None));
    for run in &all {
        for (by, level) in [(By::HalfYear, "2019-H2"), (By::Year, "2019")] {
            assert_eq!(
                told(&run.shown, "1a", by, level),
                hidden,
                "run {}",
                run.exact.run.run
            );
            assert_eq!(told(&run.shown, "1b", by, level), Some((None, Some(0), None)));
        }
    }
    // Nor by where it stands.
    let keys = |table: &AdherenceTable| -> Vec<String> {
        let key = |row: &AdherenceRow| format!("{} {:?} {:?} {}", row.measure, row.by, row.period, row.level);
        table.rows.iter().map(key).collect()
    };
    let before = keys(&all[0].exact);
    for run in &mut all {
        crate::disclosure::rows_in_place(&mut run.shown);
        assert_eq!(keys(&run.shown), before);
    }
}

/// Cases with the first and the last run that has them.
fn cohorts() -> impl Strategy<Value = Vec<AdherenceTable>> {
    let one = (0usize..5, 0usize..5, 0usize..3, 0usize..3, 0i64..9, 0i64..9);
    proptest::collection::vec(one, 0..220).prop_map(|cases| {
        let outcomes = [Met, NotMet, NotAssessable, Excluded, NotInDenom];
        let in_run = |run: i64| -> Vec<_> {
            let there = cases.iter().filter(|(.., from, until)| {
                let from = (*from - 5).max(0) + 1;
                from <= run && (*until > 1 || run < 3)
            });
            there
                .map(|(outcome, centre, period, histology, ..)| {
                    let centre = ["C1", "C2", "C3", "C4", "C5"][*centre];
                    let t0 = ["2020-03-01", "2025-03-01", "2025-09-01"][*period];
                    (
                        centre,
                        case(t0, ["lms", "ddlps", "ss"][*histology], &[outcomes[*outcome]]),
                    )
                })
                .collect()
        };
        (1..=3).map(|run| numbered(run, &in_run(run))).collect()
    })
}

fn small(change: i64, threshold: u32) -> bool {
    change != 0 && change.unsigned_abs() < u64::from(threshold)
}

/// Patients of a row as the run itself shows them.
fn own(row: &AdherenceRow) -> Option<i64> {
    row.patients.filter(|_| row.as_of.is_none()).map(i64::from)
}

/// Rows of two runs by level: those of the first in the order of the second; a level that was not there had nobody.
fn matched<'a>(then: &'a AdherenceTable, now: &AdherenceTable) -> Vec<Option<&'a AdherenceRow>> {
    let same = |row: &AdherenceRow| {
        then.rows
            .iter()
            .find(move |other| (other.by, other.period, &other.level) == (row.by, row.period, &row.level))
    };
    now.rows.iter().map(same).collect()
}

/// What two runs tell about few patients who came or left.
fn told(then: &Published<AdherenceTable>, now: &Published<AdherenceTable>, threshold: u32) -> Vec<String> {
    let mut found = Vec::new();
    let before = matched(&then.shown, &now.shown);
    let exact_before = matched(&then.exact, &now.exact);
    let change = |at: usize| -> Option<i64> {
        let then = before[at].map_or(Some(0), own)?;
        Some(own(&now.shown.rows[at])? - then)
    };
    let mut attacker = Attacker::default();
    let counts: Vec<Count> = now
        .shown
        .rows
        .iter()
        .map(|row| attacker.count(row.patients.filter(|_| row.as_of.is_none()), 0))
        .collect();
    for (at, row) in now.exact.rows.iter().enumerate() {
        let name = format!("{:?} {} {:?}", row.by, row.level, row.period);
        if change(at).is_some_and(|by| small(by, threshold)) {
            found.push(format!("{name}: shown twice"));
        }
        for parts in parts_of(&now.exact, row)
            .into_iter()
            .filter(|parts| !parts.is_empty())
        {
            let mut of: Vec<Count> = parts.iter().map(|part| counts[*part]).collect();
            // A level that is listed as hidden though nobody is in it may have somebody, for all the reader knows.
            let by = now.exact.rows[parts[0]].by;
            let empty = now.shown.rows.iter().skip(now.exact.rows.len());
            of.extend(
                empty
                    .filter(|one| one.by == by && one.period == row.period)
                    .map(|_| attacker.count(None, 0)),
            );
            attacker.is_sum(counts[at], &of);
            let unknown = parts.iter().filter(|part| change(**part).is_none()).count();
            let known: i64 = parts.iter().filter_map(|part| change(*part)).sum();
            if unknown > 0 && change(at).is_some_and(|by| small(by - known, threshold)) {
                found.push(format!("{name}: its {unknown} other parts"));
            }
        }
        let recent = now.exact.rows.iter().position(|other| {
            row.period == Period::All
                && other.period == Period::Last24Months
                && (other.by, &other.level) == (row.by, &row.level)
        });
        if let Some(recent) = recent {
            let older = attacker.count(None, 0);
            attacker.is_sum(counts[at], &[counts[recent], older]);
            let both = change(at).zip(change(recent));
            if both.is_some_and(|(all, recent)| small(all - recent, threshold)) {
                found.push(format!("{name}: the older ones"));
            }
        }
    }
    // All of a row that was hidden have left: it is not shown as empty, nor does that follow.
    for (at, row) in now.exact.rows.iter().enumerate() {
        let (Some(exact), Some(shown)) = (exact_before[at], before[at]) else {
            continue;
        };
        // Of a whole that is known to have left, in which they were, this is known of them too.
        let whole_left = now.shown.rows.iter().any(|one| {
            let same = (one.by, &one.level) == (row.by, &row.level);
            (same || one.by == By::Network) && one.period == Period::All && own(one) == Some(0)
        });
        let were_hidden = exact.patients != Some(0) && shown.suppressed.is_some() && !whole_left;
        if were_hidden && row.patients == Some(0) && attacker.interval(counts[at]).1 == Some(0) {
            found.push(format!("{:?} {} {:?}: all left", row.by, row.level, row.period));
        }
    }
    for row in then.exact.rows.iter().filter(|row| row.patients != Some(0)) {
        let same = |one: &&AdherenceRow| (one.by, one.period, &one.level) == (row.by, row.period, &row.level);
        let hidden = |table: &AdherenceTable| {
            table
                .rows
                .iter()
                .find(same)
                .is_some_and(|one| one.suppressed.is_some())
        };
        if hidden(&then.shown) && !now.exact.rows.iter().any(|one| same(&one)) && !hidden(&now.shown) {
            found.push(format!("{:?} {} {:?}: not listed", row.by, row.level, row.period));
        }
    }
    // A row held back, of which an earlier number is known, does not follow from the new run.
    for (at, row) in now.exact.rows.iter().enumerate() {
        let held = now.shown.rows[at].as_of.is_some();
        let (Some(then), Some(known)) = (exact_before[at], before[at].and_then(own)) else {
            continue;
        };
        assert_eq!(then.patients.map(i64::from), Some(known), "shown as it is");
        let by = i64::from(row.patients.unwrap()) - known;
        if held && small(by, threshold) {
            let (least, most) = attacker.interval(counts[at]);
            if most == Some(least) {
                found.push(format!(
                    "{:?} {} {:?}: {least} follows",
                    row.by, row.level, row.period
                ));
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_difference_of_two_runs_tells_of_nobody(exact in cohorts(), threshold in 2u32..8, public in any::<bool>()) {
        let audience = if public { Audience::Public } else { Audience::Committee };
        let limits = Thresholds { public: threshold, committee: threshold };
        let all = published(exact, &audience, &limits);
        for (at, now) in all.iter().enumerate() {
            for then in &all[..at] {
                prop_assert_eq!(told(then, now, threshold), Vec::<String>::new());
            }
        }
    }

    #[test]
    fn what_stays_is_what_was_shown(exact in cohorts()) {
        let all = published(exact, &Audience::Committee, &Thresholds::default());
        for (at, now) in all.iter().enumerate() {
            let alone = adherence(&now.exact, &Audience::Committee, &Thresholds::default());
            for (row, alone) in now.shown.rows.iter().zip(&alone.rows) {
                prop_assert!(row.suppressed.is_some() || alone.suppressed.is_none());
                let Some(run) = row.as_of else { continue };
                prop_assert!(run <= at as i64);
                let then = &all[run as usize - 1].shown;
                let then = matched(then, &now.shown)[now.shown.rows.iter().position(|one| one == row).unwrap()];
                let mut then = then.cloned();
                // A centre could have subtracted itself from those set aside then.
                if let (Some(then), None) = (&mut then, row.excluded) {
                    (then.excluded, then.excepted, then.not_in_denominator) = (None, None, None);
                }
                prop_assert_eq!(Some(AdherenceRow { as_of: None, ..row.clone() }), then);
            }
        }
    }
}
