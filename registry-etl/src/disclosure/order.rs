//! The order of what is shown. What is listed although nobody is in it any more is stored after all else, so that what was computed and what
//! is shown stand side by side. A reader must not tell by its place that all of them left: it is shown where it would stand with somebody in it.

use std::collections::HashMap;
use std::hash::Hash;

use crate::results::{AdherenceTable, SurvivalResult};

/// Rows by measure, breakdown and level, as a run lists them.
pub fn rows_in_place(table: &mut AdherenceTable) {
    let measures: HashMap<String, usize> = (table.measures.iter().map(|head| head.id.clone()))
        .zip(0..)
        .collect();
    in_place(
        &mut table.rows,
        |row| {
            // Each stratifier is a breakdown of its own.
            let element = row.level.split_once('=').map(|(element, _)| element.to_owned());
            (row.by, row.period, element)
        },
        |row| row.level.clone(),
    );
    table.rows.sort_by_key(|row| measures.get(&row.measure).copied());
}

/// Groups of curves, incidences and shares by breakdown and level, as a run lists them.
pub fn groups_in_place(result: &mut SurvivalResult) {
    in_place(
        &mut result.curves,
        |one| (one.analysis, one.by.clone()),
        |one| one.level.clone(),
    );
    in_place(
        &mut result.incidence,
        |one| (one.analysis, one.by.clone()),
        |one| one.level.clone(),
    );
    in_place(
        &mut result.proportions,
        |one| one.by.clone(),
        |one| one.level.clone(),
    );
}

/// Sorts by breakdown, in the order they first come in, and then by level.
fn in_place<T, B: Eq + Hash>(all: &mut [T], breakdown: impl Fn(&T) -> B, level: impl Fn(&T) -> String) {
    let mut places: HashMap<B, usize> = HashMap::new();
    for one in all.iter() {
        let next = places.len();
        places.entry(breakdown(one)).or_insert(next);
    }
    all.sort_by_cached_key(|one| (places.get(&breakdown(one)).copied(), level(one)));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn what_comes_last_moves_to_its_place() {
        let mut all = [
            ("all", "all"),
            ("histology", "lms"),
            ("histology", "sft"),
            ("age", "below_70"),
            ("histology", "mpnst"),
            ("age", "70_and_over"),
        ];
        in_place(&mut all, |one| one.0, |one| one.1.to_owned());
        let wanted = [
            ("all", "all"),
            ("histology", "lms"),
            ("histology", "mpnst"),
            ("histology", "sft"),
            ("age", "70_and_over"),
            ("age", "below_70"),
        ];
        assert_eq!(all, wanted);
    }
}
