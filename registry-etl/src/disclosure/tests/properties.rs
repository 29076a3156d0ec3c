//! What holds of every disclosed table, whatever is in it.

use super::attack::cohort;
use super::*;
use crate::results::AdherenceTable;
use proptest::prelude::*;

fn limits(threshold: u32) -> Thresholds {
    Thresholds {
        public: threshold,
        committee: threshold,
    }
}

fn audiences() -> [Audience; 3] {
    [
        Audience::Public,
        Audience::Committee,
        Audience::Centre("C2".to_owned()),
    ]
}

/// Positions of hidden rows.
fn hidden(table: &AdherenceTable) -> Vec<usize> {
    let rows = table.rows.iter().enumerate();
    rows.filter(|(_, row)| row.suppressed.is_some())
        .map(|(at, _)| at)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_higher_threshold_never_shows_more(exact in cohort(), threshold in 1u32..11) {
        for audience in audiences() {
            let low = adherence(&exact, &audience, &limits(threshold));
            let high = adherence(&exact, &audience, &limits(threshold + 1));
            let shown: Vec<usize> = hidden(&low);
            let more = hidden(&high);
            prop_assert!(shown.iter().all(|row| more.contains(row)), "{audience:?}");
            for (low, high) in low.rows.iter().zip(&high.rows) {
                prop_assert!(high.excluded.is_none() || low.excluded.is_some());
                prop_assert!(high.not_assessable.is_none() || low.not_assessable.is_some());
            }
        }
    }

    #[test]
    fn a_hidden_row_is_as_long_whatever_it_hides(one in cohort(), other in cohort()) {
        let thresholds = Thresholds::default();
        for audience in audiences() {
            let text = |table: &AdherenceTable| -> Vec<((By, Period, String), String)> {
                let shown = adherence(table, &audience, &thresholds);
                let rows = shown.rows.iter().filter(|row| row.suppressed.is_some());
                rows.map(|row| ((row.by, row.period, row.level.clone()), serde_json::to_string(row).unwrap())).collect()
            };
            let others = text(&other);
            for (level, row) in text(&one) {
                let same = others.iter().find(|(other, _)| *other == level);
                prop_assert!(same.is_none_or(|(_, other)| *other == row));
            }
        }
    }

    #[test]
    fn as_many_rows_are_listed_for_every_audience_as_there_are(exact in cohort()) {
        for audience in [Audience::Public, Audience::Committee] {
            let shown = adherence(&exact, &audience, &Thresholds::default());
            prop_assert_eq!(shown.rows.len(), exact.rows.len());
        }
    }
}
