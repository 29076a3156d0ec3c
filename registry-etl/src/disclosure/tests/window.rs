//! The last 24 months begin within a half-year: what of it lies within them is nobody's to read.

use super::relations::given_away;
use super::*;
use crate::measures::half_year_of;
use crate::results::AdherenceTable;
use proptest::prelude::*;

/// The last 24 months are those from 1 December 2024 on.
const CUT_OFF: &str = "2026-11-30";

/// So many cases of a diagnosis on a day, of them so many met, all of one large centre.
fn cases_on(days: &[(&str, usize, usize)]) -> AdherenceTable {
    let mut cases = Vec::new();
    for (day, n, met) in days {
        let outcome = |at: usize| if at < *met { Met } else { NotMet };
        cases.extend((0..*n).map(|at| ("C1", case(day, "lms", &[outcome(at)]))));
    }
    table_at(CUT_OFF, &[head("1a", "patient")], &cases)
}

/// Patients of the network's last 24 months, of 2025 and of 2026.
fn told(shown: &AdherenceTable) -> [Option<u32>; 3] {
    let year = |level: &str| {
        crate::measures::adherence::find(shown, "1a", By::Year, Period::All, level)
            .and_then(|row| row.patients)
    };
    [
        row(shown, By::Network, "all").patients,
        year("2025"),
        year("2026"),
    ]
}

#[test]
fn the_years_do_not_leave_the_one_patient_of_the_month_before_them() {
    let exact = cases_on(&[
        ("2020-03-01", 30, 20),
        ("2022-03-01", 25, 20),
        ("2024-09-01", 20, 15),
        ("2024-12-10", 1, 0),
        ("2025-03-01", 18, 17),
        ("2025-09-01", 17, 14),
        ("2026-02-01", 8, 7),
        ("2026-08-01", 7, 6),
    ]);
    // 51 - 35 - 15 is the patient of December 2024.
    assert_eq!(told(&exact), [Some(51), Some(35), Some(15)]);
    let edges: Vec<_> = exact
        .window_edges
        .iter()
        .map(|row| (row.level.as_str(), row.denominator, row.numerator))
        .collect();
    assert_eq!(
        edges,
        [("2024-H2", Some(1), Some(0)), ("2026-H2", Some(7), Some(6))]
    );
    let shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
    assert!(told(&shown).contains(&None), "{:?}", told(&shown));
    assert_eq!(given_away(&exact, &shown, 5, false), Vec::<String>::new());
    assert!(shown.window_edges.is_empty(), "in the exact document only");
    // The rate that every page has stays. Of the years 2026 goes, as the smallest part, and 2024, or it would follow from all years; with each
    // of them a half-year, or it would follow from them.
    assert_eq!(row(&shown, By::Network, "all").denominator, Some(51));
    assert_eq!(shown.rows_suppressed, 4);
}

#[test]
fn nor_do_they_bound_a_hidden_year() {
    let exact = cases_on(&[
        ("2020-03-01", 30, 20),
        ("2022-03-01", 25, 20),
        ("2024-09-01", 20, 15),
        ("2025-03-01", 11, 10),
        ("2025-09-01", 10, 9),
        ("2026-02-01", 1, 1),
        ("2026-08-01", 1, 0),
    ]);
    assert_eq!(told(&exact), [Some(23), Some(21), Some(2)]);
    let shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
    assert_eq!(given_away(&exact, &shown, 5, false), Vec::<String>::new());
}

#[test]
fn a_run_that_did_not_keep_the_parts_is_shown_as_it_was() {
    let mut exact = cases_on(&[
        ("2024-09-01", 20, 15),
        ("2024-12-10", 1, 0),
        ("2025-03-01", 18, 17),
    ]);
    exact.window_edges.clear();
    let text = serde_json::to_string(&exact).unwrap();
    assert!(!text.contains("window_edges"));
    let exact: AdherenceTable = serde_json::from_str(&text).unwrap();
    let shown = adherence(&exact, &Audience::Committee, &Thresholds::default());
    assert_eq!(row(&shown, By::Network, "all").denominator, Some(19));
}

#[test]
fn the_attack_succeeds_where_the_parts_are_not_protected() {
    let exact = cases_on(&[
        ("2024-09-01", 20, 15),
        ("2024-12-10", 1, 0),
        ("2025-03-01", 18, 17),
        ("2026-08-01", 7, 6),
    ]);
    assert_eq!(half_year_of(CUT_OFF.parse().unwrap()), "2026-H2");
    let shown = adherence(&exact, &Audience::Exact, &Thresholds::default());
    let found = given_away(&exact, &shown, 5, false);
    assert!(
        found.contains(&"within 2024-H2 is 1, between 1 and Some(1)".to_owned()),
        "{found:?}"
    );
}

fn cohort() -> impl Strategy<Value = AdherenceTable> {
    let one = (0usize..6, 0usize..4, 0usize..7);
    proptest::collection::vec(one, 0..150).prop_map(|cases| {
        let outcomes = [Met, Met, NotMet, NotAssessable, Excluded, NotInDenom];
        let days = [
            "2020-03-01",
            "2024-10-05",
            "2024-12-10",
            "2025-03-01",
            "2025-09-01",
            "2026-02-01",
            "2026-08-01",
        ];
        let cases: Vec<_> = cases
            .into_iter()
            .map(|(outcome, centre, day)| {
                let case = case(days[day], "lms", &[outcomes[outcome]]);
                (["C1", "C2", "C3", "C4"][centre], case)
            })
            .collect();
        table_at(CUT_OFF, &[head("1a", "patient")], &cases)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_optimiser_finds_no_small_part_of_a_half_year(exact in cohort(), threshold in 2u32..9) {
        let thresholds = Thresholds { public: threshold, committee: threshold };
        let committee = adherence(&exact, &Audience::Committee, &thresholds);
        prop_assert_eq!(given_away(&exact, &committee, threshold, false), Vec::<String>::new());
        let public = adherence(&exact, &Audience::Public, &thresholds);
        prop_assert_eq!(given_away(&exact, &public, threshold, true), Vec::<String>::new());
    }
}
