//! Adherence tables.

use std::collections::BTreeMap;

use super::suppression::{Cell, Family, Sum};
use super::{Audience, Thresholds, few};
use crate::cohorts::NOT_RECORDED;
use crate::results::{AdherenceRow, AdherenceTable, By, PatientBasis, Period, RateState, Suppression};

/// The counts of a row that are protected each across the rows of a measure: assessable, not assessable, set aside
/// (excluded, excepted, not in the denominator), and for the public both parts of the rate, which stand and fall with the first. The first
/// decides about the whole row.
pub(super) const QUANTITIES: usize = 5;
pub(super) const ASSESSABLE: usize = 0;
const NOT_ASSESSABLE: usize = 1;
pub(super) const SET_ASIDE: usize = 2;
const NUMERATOR: usize = 3;
const COMPLEMENT: usize = 4;

/// The quantities protected before an audience.
fn quantities(audience: &Audience) -> usize {
    if *audience == Audience::Public {
        QUANTITIES
    } else {
        NUMERATOR
    }
}

/// Patients behind each protected count of a row.
pub(super) fn patients(row: &AdherenceRow) -> [u32; QUANTITIES] {
    let basis = row.basis.unwrap_or_default();
    let set_aside = basis.excluded + basis.excepted + basis.not_in_denominator;
    [
        row.patients.unwrap_or(0),
        basis.not_assessable,
        set_aside,
        basis.numerator,
        basis.complement,
    ]
}

/// Those of them who have such units nowhere else: patients of a centre who were not transferred. The patients behind several centres are
/// at least these.
fn apart(row: &AdherenceRow) -> [u32; QUANTITIES] {
    let [assessable, not_assessable, aside] = row.basis.unwrap_or_default().shared;
    let shared = [assessable, not_assessable, aside, assessable, assessable];
    let mut apart = patients(row);
    apart
        .iter_mut()
        .zip(shared)
        .for_each(|(apart, shared)| *apart = apart.saturating_sub(shared));
    apart
}

/// The counts of a row as cells.
///
/// The number not assessable says nothing about anybody but that data are missing, and always stands beside a rate: it is not hidden for being
/// small, but together with its row. The three ways of being set aside are hidden together: their sum (all cases less those assessable or
/// not) says of nobody which it was.
fn protected_cells(row: &AdherenceRow, audience: &Audience) -> [Cell; QUANTITIES] {
    let basis = row.basis.unwrap_or_default();
    let [assessable, not_assessable, set_aside, numerator, complement] = patients(row);
    // Nobody assessable: there is no rate.
    let part = |n: u32| match assessable {
        _ if *audience != Audience::Public => Cell::open(n),
        0 => Cell::of(0),
        // The only part there is: somebody is behind a hidden row.
        all if n == all => Cell::of(n),
        _ => Cell::part_of_rate(n),
    };
    let (numerator, complement) = (part(numerator), part(complement));
    let (mut assessable, not_assessable) = (Cell::of(assessable), Cell::open(not_assessable));
    let mut set_aside = Cell::of(set_aside);
    if *audience == Audience::Public {
        assessable.smallest = assessable.smallest.min(basis.numerator).min(basis.complement);
    }
    let kinds = [basis.excluded, basis.excepted, basis.not_in_denominator];
    set_aside.smallest = kinds.into_iter().filter(|n| *n > 0).min().unwrap_or(0);
    let mut cells = [assessable, not_assessable, set_aside, numerator, complement];
    for (cell, apart) in cells.iter_mut().zip(apart(row)) {
        // Shared patients stay patients of the cell itself, and do not make several cells larger together.
        cell.patients = apart.max(cell.patients.min(1));
    }
    let [assessable, .., numerator, _] = &mut cells;
    assessable.kinds = Some(by_kind(assessable.patients, numerator.patients));
    cells
}

/// Assessable patients with and without the numerator: the rate is shown, so both add up wherever the assessable do. Who has units of both
/// counts as with it.
fn by_kind(assessable: u32, numerator: u32) -> [u32; 2] {
    let with = numerator.min(assessable);
    [with, assessable - with]
}

/// The table as an audience may see it. Takes the exact table of a run.
pub fn adherence(exact: &AdherenceTable, audience: &Audience, thresholds: &Thresholds) -> AdherenceTable {
    if let Audience::Centre(own) = audience {
        let committee = adherence(exact, &Audience::Committee, thresholds);
        return adherence_for_centre(exact, &committee, own, thresholds);
    }
    let threshold = thresholds.of(audience);
    let mut table = AdherenceTable {
        rows: Vec::with_capacity(exact.rows.len()),
        centre_tertiles: BTreeMap::new(),
        ..exact.clone()
    };
    for measure in &exact.measures {
        let rows: Vec<&AdherenceRow> = exact.rows.iter().filter(|r| r.measure == measure.id).collect();
        let hidden = protect(&rows, &exact.centre_tertiles, audience, threshold);
        table.rows.extend(
            rows.iter()
                .zip(hidden)
                .map(|(row, hidden)| disclosed(row, hidden, audience, threshold)),
        );
    }
    table.rows_total = table.rows.len() as u32;
    table.rows_suppressed = table.rows.iter().filter(|r| r.suppressed.is_some()).count() as u32;
    table
}

/// The table as a centre may see it, from the exact table and the committee's (which costs the work): the same as
/// [`adherence`] for [`Audience::Centre`].
pub fn adherence_for_centre(
    exact: &AdherenceTable,
    committee: &AdherenceTable,
    own: &str,
    thresholds: &Thresholds,
) -> AdherenceTable {
    let threshold = thresholds.committee;
    let mut rows = Vec::new();
    for (exact_row, row) in exact.rows.iter().zip(&committee.rows) {
        match row.by {
            By::Centre if row.level == own => rows.push(AdherenceRow {
                basis: None,
                ..exact_row.clone()
            }),
            By::Centre => {}
            By::Network => rows.push(without_small_others(exact, exact_row, row, own, threshold)),
            _ => rows.push(row.clone()),
        }
    }
    let rows_suppressed = rows.iter().filter(|r| r.suppressed.is_some()).count() as u32;
    AdherenceTable {
        rows_total: rows.len() as u32,
        rows_suppressed,
        rows,
        ..committee.clone()
    }
}

/// A centre knows its own part: what the others contribute to a network row must not be small.
fn without_small_others(
    table: &AdherenceTable,
    exact: &AdherenceRow,
    committee: &AdherenceRow,
    own: &str,
    threshold: u32,
) -> AdherenceRow {
    let same = |r: &&AdherenceRow| {
        r.by == By::Centre && r.level == own && r.measure == exact.measure && r.period == exact.period
    };
    let known = table.rows.iter().find(same).map_or([0; QUANTITIES], apart);
    let others = |quantity: usize| {
        few(
            patients(exact)[quantity].saturating_sub(known[quantity]),
            threshold,
        )
    };
    let mut row = committee.clone();
    if others(ASSESSABLE) {
        return emptied(row, Some(Suppression::FewPatients));
    }
    if others(SET_ASIDE) {
        (row.excluded, row.excepted, row.not_in_denominator) = (None, None, None);
    }
    row
}

/// What is hidden of every row of one measure.
fn protect(
    rows: &[&AdherenceRow],
    tertiles: &BTreeMap<String, String>,
    audience: &Audience,
    threshold: u32,
) -> Vec<[Option<Suppression>; QUANTITIES]> {
    let mut family = Family::default();
    let cells: Vec<[usize; QUANTITIES]> = rows
        .iter()
        .map(|row| protected_cells(row, audience).map(|cell| family.add(cell)))
        .collect();
    for quantity in 0..quantities(audience) {
        sums(&mut family, rows, tertiles, &cells, quantity);
    }
    // Otherwise a hidden row's assessable patients would be its cases less the rest.
    family.follows = cells
        .iter()
        .flat_map(|row| [NOT_ASSESSABLE, SET_ASIDE].map(|q| (row[ASSESSABLE], row[q])))
        .collect();
    if *audience == Audience::Public {
        // A rate and its parts are shown together or not at all.
        let both = cells.iter().flat_map(|row| {
            let pairs =
                [NUMERATOR, COMPLEMENT].map(|q| [(row[ASSESSABLE], row[q]), (row[q], row[ASSESSABLE])]);
            pairs.into_iter().flatten()
        });
        family.follows.extend(both);
    }
    let protected = family.protect(threshold);
    cells.iter().map(|row| row.map(|cell| protected[cell])).collect()
}

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

/// A row with what must be hidden taken out.
fn disclosed(
    row: &AdherenceRow,
    hidden: [Option<Suppression>; QUANTITIES],
    audience: &Audience,
    threshold: u32,
) -> AdherenceRow {
    let basis = row.basis.unwrap_or_default();
    let mut row = AdherenceRow {
        basis: None,
        ..row.clone()
    };
    if hidden[ASSESSABLE].is_some() {
        return emptied(row, hidden[ASSESSABLE]);
    }
    let [_, not_assessable, set_aside, ..] = hidden.map(|h| h.is_some());
    let keep = |count: Option<u32>, hide: bool| count.filter(|_| !hide);
    row.excluded = keep(row.excluded, set_aside);
    row.excepted = keep(row.excepted, set_aside);
    row.not_in_denominator = keep(row.not_in_denominator, set_aside);
    row.not_assessable = keep(row.not_assessable, not_assessable);
    row.not_assessable_by
        .retain(|l| !not_assessable && l.n >= threshold);
    if not_assessable {
        row.bound_low = None;
        row.bound_high = None;
        row.not_assessable_share = None;
    }
    if *audience == Audience::Public && splits_few(&row, basis, threshold) {
        row.patients_all_met = None;
    }
    row
}

/// Whether "all units met" sets few patients apart.
fn splits_few(row: &AdherenceRow, basis: PatientBasis, threshold: u32) -> bool {
    let all_met = row.patients_all_met.unwrap_or(0);
    let rest = row.patients.unwrap_or(0).saturating_sub(all_met);
    all_met < threshold || rest < threshold || basis.numerator < threshold
}

pub(super) fn emptied(row: AdherenceRow, why: Option<Suppression>) -> AdherenceRow {
    AdherenceRow {
        measure: row.measure,
        by: row.by,
        level: row.level,
        period: row.period,
        state: RateState::Suppressed,
        suppressed: why,
        numerator: None,
        denominator: None,
        excluded: None,
        excepted: None,
        not_in_denominator: None,
        not_assessable: None,
        not_assessable_by: Vec::new(),
        patients: None,
        patients_all_met: None,
        rate: None,
        lower: None,
        upper: None,
        clustered_lower: None,
        clustered_upper: None,
        bound_low: None,
        bound_high: None,
        not_assessable_share: None,
        insufficient: false,
        as_of: None,
        basis: None,
    }
}
