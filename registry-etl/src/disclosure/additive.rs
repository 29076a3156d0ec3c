//! What adds up in an adherence table.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::adherence::{ASSESSABLE, NOT_ASSESSABLE, NUMERATOR, QUANTITIES, by_kind, patients};
use super::suppression::{Cell, Family, Sum};
use crate::cohorts::NOT_RECORDED;
use crate::measures::half_year_of;
use crate::results::{AdherenceRow, AdherenceTable, By, Period};

/// The sums between the rows of a measure, for one quantity.
pub(super) fn sums(
    family: &mut Family,
    rows: &[&AdherenceRow],
    tertiles: &BTreeMap<String, String>,
    cells: &[[usize; QUANTITIES]],
    quantity: usize,
) {
    let of = |by: By, period: Period| -> Vec<usize> {
        (0..rows.len())
            .filter(|&r| rows[r].by == by && rows[r].period == period)
            .map(|r| cells[r][quantity])
            .collect()
    };
    for period in [Period::All, Period::Last24Months] {
        let Some(&network) = of(By::Network, period).first() else {
            continue;
        };
        for by in By::PARTS {
            // Each stratifier is a partition of its own.
            let mut partitions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for r in (0..rows.len()).filter(|&r| rows[r].by == by && rows[r].period == period) {
                let element = rows[r].level.split_once('=').map_or("", |(element, _)| element);
                partitions.entry(element).or_default().push(cells[r][quantity]);
            }
            family.sums.extend(partitions.into_values().map(|parts| Sum {
                total: network,
                parts,
            }));
        }
    }
    // A year is its half-years, a third of the centres is its centres.
    let within = |whole: &AdherenceRow, part: &AdherenceRow| match whole.by {
        By::Year => {
            part.by == By::HalfYear
                && (part.level == whole.level || part.level.starts_with(&format!("{}-", whole.level)))
        }
        By::VolumeTertile => {
            let third = tertiles.get(&part.level).map_or(NOT_RECORDED, String::as_str);
            part.by == By::Centre && part.period == whole.period && third == whole.level
        }
        _ => false,
    };
    for (total, whole) in rows.iter().enumerate() {
        let parts: Vec<usize> = (0..rows.len())
            .filter(|&r| within(whole, rows[r]))
            .map(|r| cells[r][quantity])
            .collect();
        if !parts.is_empty() {
            family.sums.push(Sum {
                total: cells[total][quantity],
                parts,
            });
        }
    }
    // All cases are the recent and the older ones, of the network and of every centre.
    for (at_all, row) in rows.iter().enumerate().filter(|(_, r)| r.period == Period::All) {
        let same =
            |r: &&AdherenceRow| r.period == Period::Last24Months && r.by == row.by && r.level == row.level;
        if let Some(at_recent) = rows.iter().position(same) {
            let (all, recent) = (patients(row), patients(rows[at_recent]));
            let less = |quantity: usize| all[quantity].saturating_sub(recent[quantity]);
            let older = std::array::from_fn(less);
            let older = family.add(unshown(older, quantity));
            family.sums.push(Sum {
                total: cells[at_all][quantity],
                parts: vec![cells[at_recent][quantity], older],
            });
        }
    }
}

/// A cell nobody shows, of one quantity of these.
fn unshown(patients: [u32; QUANTITIES], quantity: usize) -> Cell {
    let of = patients[quantity];
    match quantity {
        ASSESSABLE => Cell {
            kinds: Some(by_kind(of, patients[NUMERATOR])),
            ..Cell::implied(of)
        },
        NOT_ASSESSABLE => Cell {
            implied: true,
            ..Cell::open(of)
        },
        _ => Cell::implied(of),
    }
}

/// The network's last 24 months are the half-years within them and, of those they begin and end in, the parts within them, which nobody
/// shows. In a second sum whole years stand for their half-years. Nothing is added for a run that did not keep those parts.
pub(super) fn recent(
    family: &mut Family,
    rows: &[&AdherenceRow],
    exact: &AdherenceTable,
    cells: &[[usize; QUANTITIES]],
    quantity: usize,
) {
    let at = |by: By, period: Period, level: &str| {
        let mut rows = rows.iter();
        rows.position(|row| row.by == by && row.period == period && row.level == level)
    };
    let day = |text: &str| text.parse::<NaiveDate>().unwrap_or_default();
    let (from, to) = (day(&exact.last_24_months_from), day(&exact.run.cut_off));
    let edges = [from, to].map(half_year_of);
    // Of a half-year that they begin or end with, all is within them.
    let begins = |day: NaiveDate| day.day() == 1 && day.month() % 6 == 1;
    let cut = [!begins(from), !to.succ_opt().is_some_and(begins)];
    let is_cut = |level: &String| edges.iter().zip(cut).any(|(edge, cut)| cut && edge == level);
    let Some(network) = at(By::Network, Period::Last24Months, "all") else {
        return;
    };
    // By year: the parts within, and whether all of the year is.
    let mut within: BTreeMap<&str, (Vec<usize>, bool)> = BTreeMap::new();
    let halves = rows.iter().zip(cells);
    for (row, cells) in halves.filter(|(row, _)| row.by == By::HalfYear) {
        let year = row.level.split_once('-').map_or("", |(year, _)| year);
        let (parts, whole) = within.entry(year).or_insert_with(|| (Vec::new(), true));
        let (level, cell) = (&row.level, cells[quantity]);
        if is_cut(level) {
            let same = |one: &&AdherenceRow| one.measure == row.measure && one.level == *level;
            let all = patients(row);
            let inside = match exact.window_edges.iter().find(same) {
                Some(inside) => patients(inside),
                None if all == [0; QUANTITIES] => all,
                None => return,
            };
            let outside = std::array::from_fn(|of| all[of].saturating_sub(inside[of]));
            *whole &= outside == [0; QUANTITIES];
            parts.push(family.add(unshown(inside, quantity)));
            let outside = family.add(unshown(outside, quantity));
            family.sums.push(Sum {
                total: cell,
                parts: parts.last().copied().into_iter().chain([outside]).collect(),
            });
        } else if edges[0] <= *level && *level <= edges[1] {
            parts.push(cell);
        } else {
            *whole = false;
        }
    }
    let of_year = |(year, (halves, whole)): (&&str, &(Vec<usize>, bool))| {
        let year = at(By::Year, Period::All, year).filter(|_| *whole);
        year.map_or_else(|| halves.clone(), |year| vec![cells[year][quantity]])
    };
    let by_years: Vec<usize> = within.iter().flat_map(of_year).collect();
    let by_halves: Vec<usize> = within.values().flat_map(|(halves, _)| halves.clone()).collect();
    let total = cells[network][quantity];
    let sums = [by_years, by_halves].map(|parts| Sum { total, parts });
    family
        .sums
        .extend(sums.into_iter().filter(|sum| !sum.parts.is_empty()));
}
