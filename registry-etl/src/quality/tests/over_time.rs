//! Elements and times to submission by half-year: added up, kept in short rows, and shown.

use super::*;
use crate::disclosure::over_time;
use crate::results::over_time::{OverTimeRows, Part, Times};
use crate::results::{OverTime, completeness::NETWORK};

/// `n` cases as [`cases`] makes them, diagnosed on `day`, with `days` between events and submission.
fn diagnosed(
    day_of_diagnosis: &str,
    (centre, n, known): (&'static str, usize, u32),
    days: &[i32],
) -> Vec<(&'static str, CaseEvaluation)> {
    let mut all = cases(centre, n, known);
    for (_, one) in &mut all {
        one.facts.survival.origin = day(day_of_diagnosis);
        for (_, delays) in &mut one.quality.delays {
            *delays = days.to_vec();
        }
    }
    all
}

fn rows(cases: &[(&str, CaseEvaluation)]) -> Vec<OverTimeRows> {
    let mut tally = Tally::new(ENGINE.versions(), on("2026-06-30"));
    for (centre, case) in cases {
        tally.push(centre, case);
    }
    tally.over_time(&run())
}

/// Three half-years: 9 patients of C02 in 2024-H2; 6 of C01 and 2 of C02 in 2025-H1; 3 of C01 in 2025-H2.
fn three_half_years() -> Vec<(&'static str, CaseEvaluation)> {
    let mut all = diagnosed("2024-09-01", ("C02", 9, 3), &[5]);
    all.extend(diagnosed("2025-06-11", ("C01", 6, 2), &[10, 20]));
    all.extend(diagnosed("2025-06-30", ("C02", 2, 1), &[10, 40]));
    all.extend(diagnosed("2025-07-01", ("C01", 3, 0), &[30]));
    all
}

#[test]
fn elements_and_times_add_up_by_half_year_of_the_diagnosis() {
    let levels = rows(&three_half_years());
    let names: Vec<&str> = levels.iter().map(|level| level.level.as_str()).collect();
    assert_eq!(names, ["all", "C01", "C02"]);
    assert_eq!(levels[0].half_years, ["2024-H2", "2025-H1", "2025-H2"]);
    // Half-year, patients, none of them shared, values, missing: 9 x 3 and 9; 6 x 2 + 2 x 1 and 8; no value of 3.
    assert_eq!(levels[0].elements[0].element, "primary.side");
    assert_eq!(
        levels[0].elements[0].rows,
        [vec![0, 9, 0, 27, 9], vec![1, 8, 0, 14, 8], vec![2, 3, 0, 0, 3]]
    );
    // The centre has no patient of 2024.
    assert_eq!(levels[1].half_years, ["2025-H1", "2025-H2"]);
    assert_eq!(
        levels[1].elements[0].rows,
        [vec![0, 6, 0, 12, 6], vec![1, 3, 0, 0, 3]]
    );
    // 2025-H1, all: 8 times 10, 6 times 20, 2 times 40; places 3.75, 7.5 and 11.25 of 16 are 10, halfway from 10 to 20, and 20.
    let times = &levels[0].timeliness[0];
    assert_eq!(times.section, "primary");
    assert_eq!(
        times.rows,
        [
            Times(0, 9, 9, [5.0, 5.0, 5.0]),
            Times(1, 8, 16, [10.0, 15.0, 20.0]),
            Times(2, 3, 3, [30.0, 30.0, 30.0]),
        ]
    );
    let told = levels[0].read(Part::default());
    let one = &told.elements[1];
    assert_eq!(
        (one.period.as_str(), one.section.as_str(), one.answers.patients),
        ("2025-H1", "primary", Some(8))
    );
    assert_eq!(one.answers.known_share, Some(14.0 / 22.0));
    assert_eq!(told.timeliness[2].times.median, Some(30.0));
    // What is told once is the sum of what is told by half-year.
    let whole = &documents(&three_half_years())[0].elements[0].answers;
    let sum: u32 = told.elements.iter().filter_map(|one| one.answers.patients).sum();
    assert_eq!((whole.patients, sum), (Some(20), 20));
}

#[test]
fn a_part_is_a_section_or_an_element_of_it() {
    let level = &rows(&three_half_years())[0];
    let count = |section, element| {
        let told = level.read(Part { section, element });
        (told.elements.len(), told.timeliness.len())
    };
    assert_eq!(count(None, None), (3, 3));
    assert_eq!(count(Some("primary"), None), (3, 3));
    assert_eq!(count(Some("imaging"), None), (0, 0));
    assert_eq!(count(None, Some("primary.side")), (3, 3));
    assert_eq!(count(None, Some("primary.size_mm")), (0, 3));
    assert_eq!(count(Some("imaging"), Some("primary.side")), (0, 0));
}

#[test]
fn the_latest_half_years_are_kept() {
    // 1999-H1 to 2011-H2 are 26.
    let all: Vec<_> = (1999..2012)
        .flat_map(|year| {
            let mut both = diagnosed(&format!("{year}-03-01"), ("C01", 1, 1), &[1]);
            both.extend(diagnosed(&format!("{year}-09-01"), ("C01", 1, 1), &[1]));
            both
        })
        .collect();
    let level = &rows(&all)[0];
    assert_eq!(level.half_years.len(), 24);
    assert_eq!(level.half_years.first().map(String::as_str), Some("2000-H1"));
    assert_eq!(level.elements[0].rows.len(), 24);
    assert_eq!(level.elements[0].rows[0], [0, 1, 0, 1, 1]);
}

#[test]
fn rows_stay_short() {
    // Of an element, a half-year, and 123 patients with 120 values and 3 missing: 15 signs and a comma.
    let all = diagnosed("2025-06-11", ("C01", 1, 1), &[1]);
    let mut level = rows(&all).swap_remove(0);
    level.elements[0].rows = vec![vec![23, 123, 0, 120, 3]];
    let text = serde_json::to_string(&level.elements[0].rows).unwrap();
    assert_eq!(text, "[[23,123,0,120,3]]");
    let back: OverTimeRows = serde_json::from_str(&serde_json::to_string(&level).unwrap()).unwrap();
    assert_eq!(back, level);
}

/// Share of each half-year of `primary.side`, as shown.
fn shares(level: &OverTime) -> Vec<Option<f64>> {
    let of_side = level.elements.iter().filter(|one| one.element == "primary.side");
    let of_side: Vec<_> = of_side.collect();
    assert!(
        of_side
            .iter()
            .all(|one| one.answers.suppressed.is_some() == one.answers.known_share.is_none())
    );
    of_side.iter().map(|one| one.answers.known_share).collect()
}

#[test]
fn a_hidden_half_year_does_not_follow_from_the_others_and_the_whole() {
    let levels: Vec<OverTime> = rows(&three_half_years())
        .iter()
        .map(|level| level.read(Part::default()))
        .collect();
    let limits = Thresholds::default();
    let seen = |level: usize, own: Option<usize>, audience: &Audience| {
        over_time(
            levels[level].clone(),
            own.map(|own| &levels[own]),
            audience,
            &limits,
        )
    };
    // 9, 8 and 3 patients: three are few, and would follow from 20 less 9 and 8, so the next smallest goes with them. 27 of 36.
    let network = seen(0, None, &Audience::Committee).unwrap();
    assert_eq!(network.level, NETWORK);
    assert_eq!(shares(&network), [Some(0.75), None, None]);
    let first = &network.elements[0].answers;
    assert_eq!((first.counts, first.patients), (None, None));
    // Medians do not add up: three are few, eight are not.
    let medians: Vec<_> = network.timeliness.iter().map(|one| one.times.median).collect();
    assert_eq!(medians, [Some(5.0), Some(15.0), None]);
    assert!(
        network
            .timeliness
            .iter()
            .all(|one| one.times.rows.is_none() && one.times.patients.is_none())
    );
    // Fewer than eleven in every half-year.
    assert_eq!(
        shares(&seen(0, None, &Audience::Public).unwrap()),
        [None, None, None]
    );
    assert_eq!(seen(1, None, &Audience::Public), None);
    // Of a centre: 9 and 2 patients.
    assert_eq!(
        shares(&seen(2, None, &Audience::Committee).unwrap()),
        [None, None]
    );
    // A centre knows its own 6 and 3: of the others there are 9, 2 and nobody. Two follow from eleven less nine.
    let own = Audience::Centre("C01".to_owned());
    assert_eq!(shares(&seen(0, Some(1), &own).unwrap()), [None, None, None]);
    assert_eq!(seen(1, Some(1), &own).as_ref(), Some(&levels[1]));
    assert_eq!(seen(2, Some(1), &own), None);
    assert_eq!(seen(2, None, &Audience::Exact).as_ref(), Some(&levels[2]));
}

/// Sections are told by half-year and month as elements are: `12 + 8` patients with the whole at 20.
#[test]
fn a_hidden_half_year_of_a_section_does_not_follow_either() {
    let levels = documents(&three_half_years());
    let limits = Thresholds::default();
    let network = completeness(&levels[0], None, &Audience::Committee, &limits).unwrap();
    let shown: Vec<(PeriodBy, &str, Option<f64>)> = network
        .periods
        .iter()
        .map(|one| (one.by, one.period.as_str(), one.answers.known_share))
        .collect();
    assert_eq!(
        shown,
        [
            (PeriodBy::HalfYear, "2024-H2", Some(0.75)),
            (PeriodBy::HalfYear, "2025-H1", None),
            (PeriodBy::HalfYear, "2025-H2", None),
            // All of them were first sent in one month: 41 of 61.
            (PeriodBy::SubmissionMonth, "2025-07", Some(0.67)),
        ]
    );
}

/// A patient who was transferred and of whom both centres answered counts once in the network: leaving out the own centre's leaves him in.
#[test]
fn a_shared_patient_is_not_left_out_with_the_own_centre() {
    let mut levels: Vec<OverTime> = rows(&diagnosed("2025-06-11", ("C01", 6, 1), &[1]))
        .iter()
        .map(|level| level.read(Part::default()))
        .collect();
    let own = Audience::Centre("C01".to_owned());
    let limits = Thresholds::default();
    let network = |levels: &[OverTime]| {
        let shown = over_time(levels[0].clone(), Some(&levels[1]), &own, &limits);
        shares(&shown.unwrap())
    };
    // Six in the network; five of the own six are shared with another centre.
    levels[1].elements[0].answers.apart = Some(1);
    assert_eq!(network(&levels), [Some(0.5)]);
    // Three are: three besides the own alone are few.
    levels[1].elements[0].answers.apart = Some(3);
    assert_eq!(network(&levels), [None]);
}
