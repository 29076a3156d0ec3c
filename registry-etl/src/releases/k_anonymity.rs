//! k-anonymity: how many patients share their quasi-identifiers, and what is done where they are too few (Sweeney 2002).
//!
//! A group is the set of rows with the same text in every quasi-identifying column. Enforced by the declared steps in their order, each applied
//! to the whole column; then rows in groups smaller than k have all their quasi-identifiers withheld. The withheld rows are a group as well:
//! while it is smaller than k, the smallest other group joins it. With fewer than k rows in all, all are withheld.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::columns::{LABEL, of_column};
use super::deidentify::{Rules, Step, coarser};

/// What k-anonymity came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KAnonymity {
    /// The quasi-identifiers of the file; why one has no value counts as a value of it.
    pub quasi_identifiers: Vec<String>,
    pub k_wanted: usize,
    /// Smallest group, withheld rows included; 0 without rows.
    pub k_achieved: usize,
    pub groups: usize,
    /// Rows in groups smaller than k.
    pub rows_below_k: usize,
    /// The same before anything was done.
    pub rows_below_k_before: usize,
    /// Groups were made larger; otherwise reported only.
    pub enforced: bool,
    /// The steps taken, in order.
    pub generalised: Vec<String>,
    /// Rows whose quasi-identifiers were withheld.
    pub rows_withheld: usize,
}

/// The quasi-identifying columns of a table, row by row. A withheld row has no cells.
pub(super) type Cells = Vec<Option<Vec<String>>>;

fn groups(cells: &Cells) -> BTreeMap<&Option<Vec<String>>, usize> {
    let mut groups = BTreeMap::new();
    for row in cells {
        *groups.entry(row).or_default() += 1;
    }
    groups
}

fn below(cells: &Cells, k: usize) -> usize {
    groups(cells).values().filter(|size| **size < k).sum()
}

/// Measures, and where `enforce` makes groups larger. `columns` names the cells of a row in order.
pub(super) fn apply(cells: &mut Cells, columns: &[String], rules: &Rules, enforce: bool) -> KAnonymity {
    let before = below(cells, rules.k);
    let mut generalised = Vec::new();
    if enforce {
        for step in &rules.steps {
            if below(cells, rules.k) == 0 {
                break;
            }
            let wanted = |column: &String| *column == step.column;
            if columns.iter().any(wanted) {
                for (at, column) in columns.iter().enumerate() {
                    // The words of a code leave with it.
                    if wanted(column) || column.strip_suffix(LABEL) == Some(step.column.as_str()) {
                        take(cells, at, step, rules);
                    }
                }
                generalised.push(match step.band {
                    Some(band) => format!("{}: bands of {band} years", step.column),
                    None => format!("{}: withheld", step.column),
                });
            }
        }
        withhold(cells, rules.k);
    }
    let sizes = groups(cells);
    KAnonymity {
        quasi_identifiers: columns
            .iter()
            .filter(|name| of_column(name) == name.as_str())
            .cloned()
            .collect(),
        k_wanted: rules.k,
        k_achieved: sizes.values().copied().min().unwrap_or_default(),
        groups: sizes.len(),
        rows_below_k: below(cells, rules.k),
        rows_below_k_before: before,
        enforced: enforce,
        generalised,
        rows_withheld: cells.iter().filter(|row| row.is_none()).count(),
    }
}

fn take(cells: &mut Cells, at: usize, step: &Step, rules: &Rules) {
    for cell in cells.iter_mut().flatten().filter_map(|row| row.get_mut(at)) {
        *cell = match step.band {
            Some(band) => coarser(cell, &step.column, band, rules.age),
            None => String::new(),
        };
    }
}

fn withhold(cells: &mut Cells, k: usize) {
    let small: Vec<Vec<String>> = groups(cells)
        .into_iter()
        .filter(|(_, size)| *size < k)
        .filter_map(|(row, _)| row.clone())
        .collect();
    empty(cells, &small);
    loop {
        let sizes = groups(cells);
        match sizes.get(&None) {
            None => return,
            Some(size) if *size >= k => return,
            Some(_) => {}
        }
        let smallest = sizes
            .iter()
            .filter_map(|(row, size)| row.as_ref().map(|row| (*size, row.clone())))
            .min();
        match smallest {
            Some((_, row)) => empty(cells, &[row]),
            None => return,
        }
    }
}

fn empty(cells: &mut Cells, rows: &[Vec<String>]) {
    for row in cells.iter_mut() {
        if row.as_ref().is_some_and(|cells| rows.contains(cells)) {
            *row = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> Rules {
        Rules::of_this_program().unwrap()
    }

    fn columns() -> Vec<String> {
        ["sex", "age_at_diagnosis"].map(str::to_owned).to_vec()
    }

    fn rows(of: &[(&str, &str, usize)]) -> Cells {
        of.iter()
            .flat_map(|(sex, age, n)| vec![Some(vec![(*sex).to_owned(), (*age).to_owned()]); *n])
            .collect()
    }

    #[test]
    fn large_groups_stay_as_they_are() {
        let mut cells = rows(&[("female", "60-64", 5), ("male", "60-64", 6)]);
        let before = cells.clone();
        let told = apply(&mut cells, &columns(), &rules(), true);
        assert_eq!(cells, before);
        assert_eq!((told.k_achieved, told.groups, told.rows_below_k), (5, 2, 0));
        assert!(told.generalised.is_empty() && told.rows_withheld == 0);
    }

    #[test]
    fn a_step_is_enough_where_it_is_enough() {
        let mut cells = rows(&[
            ("female", "60-64", 3),
            ("female", "65-69", 2),
            ("male", "60-64", 5),
        ]);
        let told = apply(&mut cells, &columns(), &rules(), true);
        assert_eq!(told.generalised, ["age_at_diagnosis: bands of 10 years"]);
        assert_eq!(
            (told.k_achieved, told.rows_below_k_before, told.rows_withheld),
            (5, 5, 0)
        );
        assert_eq!(cells, rows(&[("female", "60-69", 5), ("male", "60-69", 5)]));
    }

    /// One man of 20 among women of 60: his row is withheld, and so that he is not the only withheld one, the smallest group with him.
    #[test]
    fn the_withheld_are_not_alone() {
        let mut cells = rows(&[
            ("female", "60-64", 7),
            ("female", "40-44", 5),
            ("male", "20-24", 1),
        ]);
        let told = apply(&mut cells, &columns(), &rules(), true);
        assert_eq!((told.rows_withheld, told.k_achieved, told.groups), (6, 6, 2));
        let mut few = rows(&[("female", "60-64", 3)]);
        let told = apply(&mut few, &columns(), &rules(), true);
        assert_eq!(
            (told.rows_withheld, told.k_achieved, told.rows_below_k),
            (3, 3, 3)
        );
    }

    #[test]
    fn under_contract_it_is_reported_only() {
        let mut cells = rows(&[("female", "60-64", 7), ("male", "20-24", 2)]);
        let before = cells.clone();
        let told = apply(&mut cells, &columns(), &rules(), false);
        assert_eq!(cells, before);
        assert_eq!((told.k_achieved, told.rows_below_k, told.enforced), (2, 2, false));
    }

    proptest! {
        #[test]
        fn no_group_is_smaller_than_k(
            made in proptest::collection::vec((0..3u8, 0..110i32, 0..4u8), 0..120)
        ) {
            let rules = rules();
            let columns = ["sex", "age_at_diagnosis", "centre"].map(str::to_owned);
            let cell = |(sex, age, centre): &(u8, i32, u8)| {
                Some(vec![sex.to_string(), super::super::deidentify::age_band(*age, 5, 85), centre.to_string()])
            };
            let mut cells: Cells = made.iter().map(cell).collect();
            let told = apply(&mut cells, &columns, &rules, true);
            prop_assert_eq!(cells.len(), made.len());
            if made.len() >= rules.k {
                prop_assert!(told.k_achieved >= rules.k);
                prop_assert_eq!(told.rows_below_k, 0);
            } else {
                prop_assert_eq!(told.rows_withheld, made.len());
            }
            // What is shown is true: a band holds the age it stands for.
            for (row, (sex, age, _)) in cells.iter().zip(&made) {
                if let Some(row) = row {
                    prop_assert_eq!(&row[0], &sex.to_string());
                    let holds = match row[1].split_once('-') {
                        Some((first, last)) => {
                            (first.parse::<i32>().unwrap()..=last.parse().unwrap()).contains(age)
                        }
                        None => *age >= 85,
                    };
                    prop_assert!(holds);
                }
            }
        }
    }
}
