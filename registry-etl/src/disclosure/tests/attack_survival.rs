//! A reader of survival results who adds and subtracts: within a run and between two, and a centre that knows its own patients. What adds up in
//! the results of random cohorts is handed to the optimiser.

use super::optimiser::{Attacker, Count};
use super::random_results::{CAUSES, CENTRES, Patient, of_run, patients};
use super::*;
use crate::disclosure::beside::{Published, survival_beside};
use crate::results::{IncidenceCurve, SurvivalResult};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What is published of one run after the other.
fn published(exact: Vec<SurvivalResult>, limits: &Thresholds) -> Vec<Published<SurvivalResult>> {
    let mut all: Vec<Published<SurvivalResult>> = Vec::new();
    for exact in exact {
        let shown = survival(&exact, &Audience::Committee, limits);
        let new = Published { exact, shown };
        let shown = survival_beside(&new, &all, &Audience::Committee, limits);
        all.push(Published { shown, ..new });
    }
    all
}

/// A count of a run: what it is, what the reader knows of it, and what it is in truth.
struct Known {
    name: String,
    count: Count,
    truth: u32,
}

/// The counts of one run as a reader knows them, and what adds up.
struct Reading<'a> {
    attacker: &'a mut Attacker,
    all: Vec<Known>,
}

impl Reading<'_> {
    /// A count that is told when `told` holds.
    fn add(&mut self, name: String, truth: Option<u32>, told: bool) -> Count {
        let truth = truth.expect("exact");
        let count = self.attacker.count(told.then_some(truth), 0);
        self.all.push(Known { name, count, truth });
        count
    }
}

/// Reads one run; `cases_known` where the overview tells them.
fn read(attacker: &mut Attacker, of: &Published<SurvivalResult>, cases_known: bool) -> Vec<Known> {
    let (exact, shown) = (&of.exact, &of.shown);
    let own = |part: &str| shown.part_as_of(part).is_none();
    let mut to = Reading {
        attacker,
        all: Vec::new(),
    };
    let flow = own("flow");
    let cases = to.add(
        "cases".to_owned(),
        exact.flow.cases,
        cases_known || flow && shown.flow.cases.is_some(),
    );
    let analysed = to.add(
        "analysed".to_owned(),
        exact.flow.analysed,
        flow && shown.flow.analysed.is_some(),
    );
    let left_out = exact
        .flow
        .cases
        .zip(exact.flow.analysed)
        .map(|(all, kept)| all - kept);
    let left_out = to.add("left out".to_owned(), left_out, false);
    to.attacker.is_sum(cases, &[analysed, left_out]);
    let steps: Vec<Count> = exact
        .flow
        .left_out
        .iter()
        .zip(&shown.flow.left_out)
        .map(|(exact, shown)| {
            to.add(
                format!("left out: {}", exact.reason),
                exact.n,
                flow && shown.n.is_some(),
            )
        })
        .collect();
    to.attacker.is_sum(left_out, &steps);
    // Estimates: groups add up to all, and all are those analysed.
    let mut groups: Vec<Vec<Count>> = Vec::new();
    for (exact, shown) in exact.curves.iter().zip(&shown.curves) {
        let name = format!("curves/primary/{}/{}", exact.by, exact.level);
        let told = own(&name) && shown.patients.is_some();
        let at = |one: &crate::results::SurvivalCurve| one.landmarks.get(1).and_then(|one| one.at_risk);
        groups.push(vec![
            to.add(format!("{name}: patients"), exact.patients, told),
            to.add(format!("{name}: events"), exact.events, told),
            to.add(format!("{name}: lost"), exact.lost, told && shown.lost.is_some()),
            to.add(
                format!("{name}: at risk"),
                at(exact).or(Some(0)),
                told && at(shown).is_some(),
            ),
        ]);
    }
    // A small group has no numbers at risk.
    let all_at_risk = exact.curves.iter().all(|one| !one.landmarks.is_empty());
    add_up(&mut to, &groups, if all_at_risk { 4 } else { 3 });
    to.attacker.is_sum(analysed, &[groups[0][0]]);
    let mut groups: Vec<Vec<Count>> = Vec::new();
    for (exact, shown) in exact.incidence.iter().zip(&shown.incidence) {
        let name = format!("incidence/primary/{}/{}", exact.by, exact.level);
        let told = own(&name) && shown.patients.is_some();
        let mut counts = vec![to.add(format!("{name}: patients"), exact.patients, told)];
        for cause in &exact.causes {
            counts.push(to.add(format!("{name}: {}", cause.cause), cause.events, told));
        }
        counts.push(to.add(format!("{name}: lost"), exact.lost, told && shown.lost.is_some()));
        let at = |one: &IncidenceCurve| one.at_risk.first().and_then(|one| one.at_risk);
        counts.push(to.add(format!("{name}: at risk"), at(exact), told && at(shown).is_some()));
        groups.push(counts);
    }
    add_up(&mut to, &groups, CAUSES.len() + 3);
    to.attacker.is_sum(analysed, &[groups[0][0]]);
    for (exact, shown) in exact.models.iter().zip(&shown.models) {
        let name = format!("models/{}", exact.model);
        let told = |n: Option<u32>| own(&name) && n.is_some();
        let parts = [
            to.add(format!("{name}: patients"), exact.patients, told(shown.patients)),
            to.add(format!("{name}: left out"), exact.left_out, told(shown.left_out)),
        ];
        to.attacker.is_sum(analysed, &parts);
    }
    let (exact, shown) = exact
        .centres
        .as_ref()
        .zip(shown.centres.as_ref())
        .expect("centres");
    let in_model = to.add(
        "points: patients".to_owned(),
        exact.patients,
        shown.patients.is_some(),
    );
    let died = to.add("points: events".to_owned(), exact.events, shown.events.is_some());
    let left_out = to.add(
        "points: left out".to_owned(),
        exact.left_out,
        shown.left_out.is_some(),
    );
    to.attacker.is_sum(analysed, &[in_model, left_out]);
    let (mut patients, mut observed) = (Vec::new(), Vec::new());
    for point in &exact.centres {
        let name = format!("centres/{}", point.centre);
        let found = shown.centres.iter().find(|one| one.centre == point.centre);
        let told = own(&name) && found.is_some_and(|one| one.patients.is_some());
        patients.push(to.add(format!("{name}: patients"), point.patients, told));
        observed.push(to.add(format!("{name}: observed"), point.observed, told));
    }
    if !patients.is_empty() {
        to.attacker.is_sum(in_model, &patients);
        to.attacker.is_sum(died, &observed);
    }
    to.all
}

/// The first group is the sum of the others, count by count.
fn add_up(to: &mut Reading<'_>, groups: &[Vec<Count>], counts: usize) {
    for at in 0..counts {
        let parts: Vec<Count> = groups.iter().skip(1).map(|one| one[at]).collect();
        to.attacker.is_sum(groups[0][at], &parts);
    }
}

/// More than any count can fall by.
const BEYOND: u32 = 1_000;

fn small(change: i64, threshold: u32) -> bool {
    change != 0 && change.unsigned_abs() < u64::from(threshold)
}

/// What two runs tell of few who came or left; with the patients of one centre taken away, where `known` tells how many of a count are its own
/// in each run.
fn told(
    then: &Published<SurvivalResult>,
    now: &Published<SurvivalResult>,
    known: Option<&str>,
    threshold: u32,
) -> Vec<String> {
    let part = |of: &SurvivalResult| {
        of.by_centre
            .iter()
            .find(|one| Some(one.centre.as_str()) == known)
            .cloned()
    };
    let (own_then, own_now) = (
        part(&then.exact).unwrap_or_default(),
        part(&now.exact).unwrap_or_default(),
    );
    let cases = |of: &Published<SurvivalResult>| of.exact.flow.cases.map_or(0, i64::from);
    let moved = cases(now) - cases(then);
    let own_moved = i64::from(own_now.cases) - i64::from(own_then.cases);
    let rests = [
        cases(then) - i64::from(own_then.cases),
        cases(now) - i64::from(own_now.cases),
    ];
    // The overview tells them where it may: held back where they changed by few, for a centre where few others did.
    let cases_known = ![moved, moved - own_moved, rests[0], rests[1]]
        .into_iter()
        .any(|by| small(by, threshold));
    let mut attacker = Attacker::default();
    let before = read(&mut attacker, then, cases_known);
    let after = read(&mut attacker, now, cases_known);
    let mut changes = Vec::new();
    for one in &after {
        let Some(same) = before.iter().find(|other| other.name == one.name) else {
            continue;
        };
        let (raised, change) = (attacker.count(None, 0), attacker.count(None, 0));
        attacker.is_sum(raised, &[one.count, Count::Shown(BEYOND)]);
        attacker.is_sum(raised, &[same.count, change]);
        changes.push((one, change, i64::from(one.truth) - i64::from(same.truth)));
    }
    let mut found = Vec::new();
    for (one, change, truth) in changes {
        let own = match (known, one.name.as_str()) {
            (None, _) => 0,
            (_, "cases") => own_moved,
            (_, "analysed" | "curves/primary/all/all: patients" | "incidence/primary/all/all: patients") => {
                i64::from(own_now.analysed) - i64::from(own_then.analysed)
            }
            (_, "curves/primary/all/all: events") => i64::from(own_now.events) - i64::from(own_then.events),
            // Of the rest a centre knows its own, too, but not by what it is broken down here.
            _ => continue,
        };
        // Causes of a group are a known limit, named in the README.
        let cause_of_a_group = one.name.starts_with("incidence/primary/histology")
            && CAUSES.iter().any(|cause| one.name.ends_with(cause));
        // Only what would be told of few is worth the optimiser's time.
        if cause_of_a_group || !small(truth - own, threshold) {
            continue;
        }
        let (least, most) = attacker.interval(change);
        if most == Some(least) {
            found.push(format!("{}: {truth} more, of them {own} known", one.name));
        }
    }
    found
}

/// What one run tells a centre of few others.
fn told_within(of: &Published<SurvivalResult>, centre: &str, threshold: u32) -> Vec<String> {
    let part = of
        .exact
        .by_centre
        .iter()
        .find(|one| one.centre == centre)
        .cloned()
        .unwrap_or_default();
    let cases = of.exact.flow.cases.unwrap_or(0);
    let cases_known = !small(i64::from(cases) - i64::from(part.cases), threshold);
    let mut attacker = Attacker::default();
    let all = read(&mut attacker, of, cases_known);
    let mut found = Vec::new();
    for one in &all {
        let own = match one.name.as_str() {
            "cases" => part.cases,
            "analysed" => part.analysed,
            _ => continue,
        };
        let others = i64::from(one.truth) - i64::from(own);
        let (least, most) = attacker.interval(one.count);
        if small(others, threshold) && most == Some(least) {
            found.push(format!("{}: {others} others", one.name));
        }
    }
    found
}

proptest! {
    // The same cohorts every time: what the README names as not covered is found in about one cohort of 400.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(2026), ..ProptestConfig::with_cases(32) })]

    #[test]
    fn two_results_tell_of_nobody(all in patients(), threshold in 2u32..8) {
        let limits = Thresholds { public: threshold, committee: threshold };
        let runs = published((1..=3).map(|run| of_run(run, &all)).collect(), &limits);
        for (at, now) in runs.iter().enumerate() {
            for then in &runs[..at] {
                prop_assert_eq!(told(then, now, None, threshold), Vec::<String>::new());
            }
        }
    }

    #[test]
    fn a_centre_learns_nothing_of_few_others(all in patients(), threshold in 2u32..8) {
        let limits = Thresholds { public: threshold, committee: threshold };
        let runs = published((1..=3).map(|run| of_run(run, &all)).collect(), &limits);
        for centre in CENTRES {
            let seen: Vec<Published<SurvivalResult>> = runs
                .iter()
                .map(|run| Published {
                    exact: run.exact.clone(),
                    shown: survival_for_centre(&run.exact, &run.shown, centre, &limits),
                })
                .collect();
            for (at, now) in seen.iter().enumerate() {
                prop_assert_eq!(told_within(now, centre, threshold), Vec::<String>::new());
                for then in &seen[..at] {
                    prop_assert_eq!(told(then, now, Some(centre), threshold), Vec::<String>::new());
                }
            }
        }
    }

    #[test]
    fn steps_of_a_curve_rest_on_enough(all in patients(), threshold in 2u32..8) {
        let limits = Thresholds { public: threshold, committee: threshold };
        let shown = survival(&of_run(1, &all), &Audience::Committee, &limits);
        for curve in &shown.curves {
            for step in curve.steps.iter().filter(|step| step.days > 0.0) {
                prop_assert!(step.events + step.censored >= threshold && step.at_risk >= threshold);
            }
            prop_assert!(curve.patients.is_none_or(|n| n == 0 || n >= threshold));
        }
    }
}

#[test]
fn the_attack_succeeds_on_results_that_are_not_held_back() {
    // Forty patients of two centres, then three more of the second.
    let patient = |n: i32, from: i64| Patient {
        centre: usize::from(n % 2 == 1),
        histology: 0,
        cause: u8::from(n % 3 == 0),
        left_out: None,
        complete: true,
        exit: 30 * n,
        lost: false,
        from,
        until: 9,
    };
    let mut all: Vec<Patient> = (1..=40).map(|n| patient(n, 1)).collect();
    all.extend([41, 43, 45].map(|n| patient(n, 2)));
    let limits = Thresholds::default();
    let alone = |run: i64, of: &[Patient]| {
        let exact = of_run(run, of);
        let shown = survival(&exact, &Audience::Committee, &limits);
        Published { exact, shown }
    };
    let found = told(&alone(1, &all), &alone(2, &all), None, 5);
    for name in [
        "analysed",
        "centres/C2: patients",
        "curves/primary/all/all: patients",
    ] {
        assert!(found.iter().any(|one| one.starts_with(name)), "{name}: {found:?}");
    }
    // The first centre alone is all but three of another cohort.
    all.retain(|one| one.centre == 0 || one.from == 2);
    let found = told_within(&alone(2, &all), "C1", 5);
    assert!(found.contains(&"analysed: 3 others".to_owned()), "{found:?}");
}
