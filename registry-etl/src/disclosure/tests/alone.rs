//! What a centre could tell of few others, knowing its own patients: within a run, and between two.

use super::curves::result;
use super::successive_survival::part;
use super::*;
use crate::disclosure::beside::{Published, adherence_beside, overview_beside, quality_beside};
use crate::measures::{self, CaseEvaluation};
use crate::results::{AdherenceTable, Overview, Quality};
use registry_core::record::CentreTable;

type Cases = Vec<(&'static str, CaseEvaluation)>;

/// So many cases of each centre, all alike.
fn of(centres: &[(&'static str, usize)], outcome: registry_core::guideline::Outcome) -> Cases {
    let all = centres
        .iter()
        .flat_map(|(centre, n)| std::iter::repeat_n(*centre, *n));
    all.map(|centre| (centre, case("2026-01-01", "lms", &[outcome])))
        .collect()
}

fn overview_of(cases: &Cases) -> Overview {
    let centres = CentreTable::from_rows([]).unwrap();
    measures::overview(&run(), &window(), &columns(cases), &centres)
}

#[test]
fn few_others_are_told_neither_by_deaths_nor_by_a_breakdown() {
    let exact = overview_of(&of(&[("C1", 40), ("C3", 3)], Met));
    let shown = overview(&exact, &Audience::Centre("C1".into()), &Thresholds::default());
    assert_eq!((shown.cases, shown.deaths), (None, None));
    let levels = shown.accrual.iter().chain(&shown.by_histology);
    let mut levels = levels.chain(&shown.by_eligibility).chain(&shown.by_timing);
    assert!(levels.all(|level| level.n.is_none() && level.suppressed.is_some()));
    // Enough others, of whom three died.
    let mut exact = overview_of(&of(&[("C1", 40), ("C2", 20)], Met));
    exact.deaths = Some(13);
    exact.by_centre[0].deaths = Some(10);
    exact.by_centre[1].deaths = Some(3);
    let seen = |centre: &str| overview(&exact, &Audience::Centre(centre.into()), &Thresholds::default());
    assert_eq!((seen("C1").cases, seen("C1").deaths), (Some(60), None));
    assert_eq!((seen("C2").cases, seen("C2").deaths), (Some(60), Some(13)));
    assert_eq!(seen("C1").by_centre[0].deaths, Some(10), "its own");
    let committee = overview(&exact, &Audience::Committee, &Thresholds::default());
    assert!(committee.by_centre.iter().all(|one| one.deaths.is_none()));
}

#[test]
fn few_others_are_told_by_no_breakdown_of_a_measure() {
    let exact = table(&[head("1a", "patient")], &of(&[("C1", 40), ("C3", 3)], Met));
    let shown = adherence(&exact, &Audience::Centre("C1".into()), &Thresholds::default());
    let others = || shown.rows.iter().filter(|row| row.by != By::Centre);
    assert!(others().any(|row| row.by == By::Timing));
    for row in others() {
        assert!(
            row.suppressed.is_some() && row.patients.is_none(),
            "{:?} {}",
            row.by,
            row.level
        );
    }
    assert_eq!(row(&shown, By::Centre, "C1").denominator, Some(40));
}

#[test]
fn few_others_set_aside_are_told_by_no_breakdown() {
    let mut cases = of(&[("C1", 40), ("C2", 20)], Met);
    cases.extend(of(&[("C1", 20), ("C2", 3)], NotInDenom));
    let exact = table(&[head("1a", "patient")], &cases);
    let shown = adherence(&exact, &Audience::Centre("C1".into()), &Thresholds::default());
    for row in shown.rows.iter().filter(|row| row.by != By::Centre) {
        assert!(row.not_in_denominator.is_none(), "{:?} {}", row.by, row.level);
    }
    assert_eq!(row(&shown, By::Network, "all").denominator, Some(60));
}

/// Counts of successive releases, and what stands beside each other: by hand, threshold 11.
#[test]
fn one_patient_more_is_not_told_by_what_stood_there_before() {
    let told = |counts: &[u64]| -> Vec<Option<u64>> {
        let mut before = None;
        let next = |n: &u64| {
            let now = super::super::told_since(*n, before, &Thresholds::default());
            before = Some(now);
            now
        };
        counts.iter().map(next).collect()
    };
    assert_eq!(told(&[0]), [None]);
    assert_eq!(told(&[10]), [None]);
    assert_eq!(told(&[11]), [Some(10)]);
    assert_eq!(told(&[29]), [Some(20)]);
    // One more over the edge of a step, or over the threshold: as before.
    assert_eq!(told(&[19, 20]), [Some(10), Some(10)]);
    assert_eq!(told(&[10, 11]), [None, None]);
    assert_eq!(told(&[20, 19]), [Some(20), Some(20)]);
    // 19 and ten more may be eleven more than any count told as 10 only at 30; of none told, 10 and eleven more are 21.
    assert_eq!(told(&[19, 29, 30]), [Some(10), Some(10), Some(30)]);
    assert_eq!(told(&[0, 20, 21]), [None, None, Some(20)]);
    // Downwards, 20 and eleven fewer are 9.
    assert_eq!(told(&[20, 10, 9]), [Some(20), Some(20), None]);
}

#[test]
fn a_flow_of_few_others_is_not_told() {
    let seen = |parts: [(u32, u32); 2]| {
        let mut exact = result();
        exact.by_centre = ["C1", "C2"]
            .into_iter()
            .zip(parts)
            .map(|(centre, (cases, analysed))| {
                let mut part = part(centre, analysed);
                part.cases = cases;
                part
            })
            .collect();
        survival(&exact, &Audience::Centre("C1".into()), &Thresholds::default())
    };
    // Three other cases, none of them analysed.
    let shown = seen([(120, 101), (3, 0)]);
    let flow = &shown.flow;
    assert_eq!(
        (flow.cases, flow.analysed, shown.entered_late),
        (None, None, None)
    );
    assert!(flow.left_out.iter().all(|step| step.n.is_none()));
    assert_eq!(shown.curves[0].patients, Some(101), "they are all its own");
    // Twenty other cases, of which two were analysed.
    let shown = seen([(103, 99), (20, 2)]);
    assert_eq!((shown.flow.cases, shown.flow.analysed), (None, None));
    assert!(
        shown
            .curves
            .iter()
            .all(|one| one.patients.is_none() && one.steps.is_empty())
    );
    let shown = seen([(60, 50), (63, 51)]);
    assert_eq!(
        (shown.flow.cases, shown.curves[0].patients),
        (Some(123), Some(101))
    );
    assert!(shown.by_centre.is_empty(), "in the exact document only");
}

/// A result of a new run as an audience may see it beside earlier ones.
type BesideOf<T> = fn(&Published<T>, &[Published<T>], &Audience, &Thresholds) -> T;

/// The second run beside the first, as the committee sees it.
fn beside<T: Clone>(
    both: [T; 2],
    number: fn(&mut T) -> &mut i64,
    alone: fn(&T, &Audience, &Thresholds) -> T,
    beside: BesideOf<T>,
) -> T {
    let limits = Thresholds::default();
    let [first, second] = both.map(|exact| Published {
        shown: alone(&exact, &Audience::Committee, &limits),
        exact,
    });
    let mut second = second;
    *number(&mut second.exact) = 2;
    *number(&mut second.shown) = 2;
    beside(&second, &[first], &Audience::Committee, &limits)
}

#[test]
fn a_centre_does_not_subtract_its_own_new_cases_from_the_overview() {
    let then = of(&[("C1", 20), ("C2", 20)], Met);
    let told = |now: &[(&'static str, usize)]| {
        let both = [overview_of(&then), overview_of(&of(now, Met))];
        beside(
            both,
            |one: &mut Overview| &mut one.run.run,
            overview,
            overview_beside,
        )
    };
    // Seven more, one of them of C2; the breakdowns with one level are all cases once more.
    let shown = told(&[("C1", 26), ("C2", 21)]);
    assert_eq!((shown.cases, shown.cases_as_of), (Some(40), Some(1)));
    assert_eq!(
        (shown.by_timing[0].n, shown.by_timing[0].as_of),
        (Some(40), Some(1))
    );
    let shown = told(&[("C1", 26), ("C2", 26)]);
    assert_eq!((shown.cases, shown.by_timing[0].n), (Some(52), Some(52)));
}

#[test]
fn nor_new_deaths() {
    let told = |first: u32, second: u32| {
        let mut both = [(); 2].map(|()| overview_of(&of(&[("C1", 40), ("C2", 40)], Met)));
        for (overview, deaths) in both.iter_mut().zip([[10, 10], [first, second]]) {
            overview.deaths = Some(deaths.iter().sum());
            for (centre, deaths) in overview.by_centre.iter_mut().zip(deaths) {
                centre.deaths = Some(deaths);
            }
        }
        let shown = beside(
            both,
            |one: &mut Overview| &mut one.run.run,
            overview,
            overview_beside,
        );
        (shown.deaths, shown.deaths_as_of)
    };
    assert_eq!(told(16, 11), (Some(20), Some(1)));
    assert_eq!(told(16, 16), (Some(32), None));
}

#[test]
fn nor_from_data_quality() {
    let quality_of =
        |centres: &[(&'static str, usize)]| measures::quality(&run(), &columns(&of(centres, Met)));
    let told = |now: &[(&'static str, usize)]| {
        let both = [quality_of(&[("C1", 20), ("C2", 20)]), quality_of(now)];
        let shown = beside(
            both,
            |one: &mut Quality| &mut one.run.run,
            quality,
            quality_beside,
        );
        (shown.network.cases, shown.network.as_of)
    };
    assert_eq!(told(&[("C1", 26), ("C2", 21)]), (Some(40), Some(1)));
    assert_eq!(told(&[("C1", 26), ("C2", 26)]), (Some(52), None));
}

#[test]
fn nor_from_those_set_aside() {
    let cases = |met: usize, first: usize, second: usize| {
        let mut cases = of(&[("C1", met), ("C2", met)], Met);
        cases.extend(of(&[("C1", first), ("C2", second)], NotInDenom));
        table(&[head("1a", "patient")], &cases)
    };
    let told = |first: usize, second: usize| {
        let both = [cases(20, 6, 6), cases(26, first, second)];
        let shown = beside(
            both,
            |one: &mut AdherenceTable| &mut one.run.run,
            adherence,
            adherence_beside,
        );
        let network = row(&shown, By::Network, "all");
        (network.denominator, network.as_of, network.not_in_denominator)
    };
    assert_eq!(told(12, 7), (Some(52), None, None), "one more of C2");
    assert_eq!(told(12, 12), (Some(52), None, Some(24)));
}

#[test]
fn that_all_cases_of_a_hidden_centre_left_is_not_told() {
    let then = of(&[("C1", 20), ("C2", 20), ("C3", 3)], Met);
    let now = of(&[("C1", 28), ("C2", 28)], Met);
    let shown = beside(
        [overview_of(&then), overview_of(&now)],
        |one: &mut Overview| &mut one.run.run,
        overview,
        overview_beside,
    );
    let seen: Vec<_> = shown
        .by_centre
        .iter()
        .map(|one| (one.centre.as_str(), one.cases))
        .collect();
    assert_eq!((shown.cases, shown.centres), (Some(56), 3));
    assert_eq!(seen[2], ("C3", None));
    assert!(shown.by_centre[2].suppressed.is_some());
    // With both others told, 56 less 28 and 28 would be nobody.
    let untold = |one: &&crate::results::CentreAccrual| one.cases.is_none() || one.as_of.is_some();
    assert!(shown.by_centre[..2].iter().any(|one| untold(&one)), "{seen:?}");
    let quality_of = |cases: &Cases| measures::quality(&run(), &columns(cases));
    let shown = beside(
        [quality_of(&then), quality_of(&now)],
        |one: &mut Quality| &mut one.run.run,
        quality,
        quality_beside,
    );
    let seen: Vec<_> = shown
        .centres
        .iter()
        .map(|one| (one.centre.as_str(), one.cases))
        .collect();
    assert_eq!((shown.network.cases, seen[2]), (Some(56), ("C3", None)));
    assert!(
        shown.centres[..2]
            .iter()
            .any(|one| one.cases.is_none() || one.as_of.is_some()),
        "{seen:?}"
    );
}

#[test]
fn nor_of_a_hidden_histology() {
    let of = |leiomyosarcomas: usize, others: usize, few: usize| {
        let all = [("lms", leiomyosarcomas), ("ddlps", others), ("ss", few)];
        let all = all
            .into_iter()
            .flat_map(|(histology, n)| std::iter::repeat_n(histology, n));
        let centres = ["C1", "C2"].into_iter().cycle();
        let cases = centres
            .zip(all)
            .map(|(centre, histology)| (centre, case("2026-01-01", histology, &[Met])));
        overview_of(&cases.collect())
    };
    let shown = beside(
        [of(20, 20, 2), of(30, 30, 0)],
        |one: &mut Overview| &mut one.run.run,
        overview,
        overview_beside,
    );
    let seen: Vec<_> = shown
        .by_histology
        .iter()
        .map(|one| (one.level.as_str(), one.n))
        .collect();
    assert_eq!((shown.cases, seen[2]), (Some(60), ("ss", None)));
    assert!(
        shown.by_histology[..2]
            .iter()
            .any(|one| one.n.is_none() || one.as_of.is_some()),
        "{seen:?}"
    );
}
