//! What adds up in an adherence table.

use std::collections::BTreeMap;

use super::adherence::{ASSESSABLE, NOT_ASSESSABLE, NUMERATOR, QUANTITIES, by_kind, patients};
use super::suppression::{Cell, Family, Sum};
use crate::cohorts::NOT_RECORDED;
use crate::results::{AdherenceRow, By, Period};

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
            let mut older = Cell::implied(less(quantity));
            if quantity == ASSESSABLE {
                older.kinds = Some(by_kind(older.patients, less(NUMERATOR)));
            }
            if quantity == NOT_ASSESSABLE {
                older = Cell {
                    implied: true,
                    ..Cell::open(older.patients)
                };
            }
            let older = family.add(older);
            family.sums.push(Sum {
                total: cells[at_all][quantity],
                parts: vec![cells[at_recent][quantity], older],
            });
        }
    }
}
