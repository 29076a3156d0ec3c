//! Adherence tables.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::additive::{recent, sums};
use super::suppression::{Cell, Family};
use super::{Audience, Thresholds, few};
use crate::results::{AdherenceRow, AdherenceTable, By, PatientBasis, Period, RateState, Suppression};

/// The counts of a row that are protected each across the rows of a measure: assessable, not assessable, set aside
/// (excluded, excepted, not in the denominator), and for the public both parts of the rate, which stand and fall with the first. The first
/// decides about the whole row.
pub(super) const QUANTITIES: usize = 5;
pub(super) const ASSESSABLE: usize = 0;
pub(super) const NOT_ASSESSABLE: usize = 1;
pub(super) const SET_ASIDE: usize = 2;
pub(super) const NUMERATOR: usize = 3;
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
    let (numerator, complement) = (
        part(numerator, assessable, audience),
        part(complement, assessable, audience),
    );
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

/// One part of a rate of so many assessable patients.
pub(super) fn part(n: u32, assessable: u32, audience: &Audience) -> Cell {
    match assessable {
        _ if *audience != Audience::Public => Cell::open(n),
        // Nobody assessable: there is no rate.
        0 => Cell::of(0),
        // The only part there is: somebody is behind a hidden row.
        all if n == all => Cell::of(n),
        _ => Cell::part_of_rate(n),
    }
}

/// Assessable patients with and without the numerator: the rate is shown, so both add up wherever the assessable do. Who has units of both
/// counts as with it.
pub(super) fn by_kind(assessable: u32, numerator: u32) -> [u32; 2] {
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
        window_edges: Vec::new(),
        ..exact.clone()
    };
    let of = |measure: &str| exact.rows.iter().filter(|row| row.measure == measure).collect();
    let measures: Vec<OfMeasure<'_>> = exact
        .measures
        .iter()
        .map(|measure| OfMeasure::new(of(&measure.id), exact, audience))
        .collect();
    for (measure, hidden) in measures.iter().zip(hidden_in_all(&measures, threshold)) {
        let rows = measure.rows.iter().zip(hidden);
        table
            .rows
            .extend(rows.map(|(row, hidden)| disclosed(row, hidden, audience, threshold)));
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
    let others = Others::of(exact, own, threshold);
    let unshown: BTreeSet<(&str, Period)> = committee
        .rows
        .iter()
        .filter(|row| row.by == By::Network && row.suppressed.is_some())
        .map(|row| (row.measure.as_str(), row.period))
        .collect();
    let mut rows = Vec::new();
    for (exact_row, row) in exact.rows.iter().zip(&committee.rows) {
        match row.by {
            By::Centre if row.level == own => rows.push(AdherenceRow {
                basis: None,
                ..exact_row.clone()
            }),
            By::Centre => {}
            // What stays of an earlier run adds up to what is hidden of it.
            _ if row.as_of.is_some() && unshown.contains(&(row.measure.as_str(), row.period)) => {
                rows.push(emptied(row.clone(), Some(Suppression::FewPatients)));
            }
            _ => rows.push(others.without_few(row)),
        }
    }
    // Levels that are hidden though nobody is in them any more stand after all others.
    let empty = committee.rows.iter().skip(exact.rows.len());
    rows.extend(empty.filter(|row| row.by != By::Centre).cloned());
    let rows_suppressed = rows.iter().filter(|r| r.suppressed.is_some()).count() as u32;
    AdherenceTable {
        rows_total: rows.len() as u32,
        rows_suppressed,
        rows,
        ..committee.clone()
    }
}

/// Measures and periods in which few patients besides a centre's own are behind the network's row: assessable, and set aside. The centre knows
/// its own part, and what breaks the row down adds up to it.
struct Others<'a> {
    assessable: BTreeSet<(&'a str, Period)>,
    set_aside: BTreeSet<(&'a str, Period)>,
}

impl<'a> Others<'a> {
    fn of(exact: &'a AdherenceTable, own: &str, threshold: u32) -> Self {
        let of = |row: &'a AdherenceRow| (row.measure.as_str(), row.period);
        let own_rows = exact
            .rows
            .iter()
            .filter(|row| row.by == By::Centre && row.level == own);
        let known: BTreeMap<(&str, Period), [u32; QUANTITIES]> =
            own_rows.map(|row| (of(row), apart(row))).collect();
        let few_in = |quantity: usize| {
            let networks = exact.rows.iter().filter(|row| row.by == By::Network);
            let others = |row: &&AdherenceRow| {
                let known = known.get(&(row.measure.as_str(), row.period));
                let known = known.map_or(0, |known| known[quantity]);
                few(patients(row)[quantity].saturating_sub(known), threshold)
            };
            networks.filter(others).map(of).collect()
        };
        Self {
            assessable: few_in(ASSESSABLE),
            set_aside: few_in(SET_ASIDE),
        }
    }

    /// A row of the network or of a breakdown as the centre may see it.
    fn without_few(&self, committee: &AdherenceRow) -> AdherenceRow {
        let of = (committee.measure.as_str(), committee.period);
        let mut row = committee.clone();
        if self.assessable.contains(&of) {
            return emptied(row, Some(Suppression::FewPatients));
        }
        if self.set_aside.contains(&of) {
            (row.excluded, row.excepted, row.not_in_denominator) = (None, None, None);
        }
        row
    }
}

/// What is hidden of the counts of a row.
type Hidden = [Option<Suppression>; QUANTITIES];

/// What is hidden of every row of every measure. Measures with the same patients in every row are taken for measures of the same patients: what
/// one of them hides the others hide too, or one would show what the other hides.
fn hidden_in_all(measures: &[OfMeasure<'_>], threshold: u32) -> Vec<Vec<Hidden>> {
    let mut alike: BTreeMap<Vec<(By, &str, u32)>, Vec<usize>> = BTreeMap::new();
    for (at, measure) in measures.iter().enumerate() {
        alike.entry(measure.patients()).or_default().push(at);
    }
    let groups: Vec<Vec<usize>> = alike.into_values().collect();
    let of_groups: Vec<Vec<Vec<Hidden>>> = groups
        .par_iter()
        .map(|group| hidden_in(group.iter().map(|at| &measures[*at]).collect(), threshold))
        .collect();
    let mut hidden: Vec<Vec<Hidden>> = vec![Vec::new(); measures.len()];
    for (at, of_measure) in groups.into_iter().flatten().zip(of_groups.into_iter().flatten()) {
        hidden[at] = of_measure;
    }
    hidden
}

/// The same for measures of the same patients.
fn hidden_in(alike: Vec<&OfMeasure<'_>>, threshold: u32) -> Vec<Vec<Hidden>> {
    let mut anyway = BTreeSet::new();
    loop {
        let hidden: Vec<Vec<Hidden>> = alike.iter().map(|one| one.hidden(threshold, &anyway)).collect();
        let rows = hidden.iter().flat_map(|of_measure| of_measure.iter().enumerate());
        let all: BTreeSet<usize> = rows
            .filter_map(|(row, hidden)| hidden[ASSESSABLE].map(|_| row))
            .collect();
        if alike.len() == 1 || all == anyway {
            return hidden;
        }
        anyway = all;
    }
}

/// The rows of one measure and their counts as cells.
struct OfMeasure<'a> {
    rows: Vec<&'a AdherenceRow>,
    cells: Vec<[usize; QUANTITIES]>,
    family: Family,
}

impl<'a> OfMeasure<'a> {
    fn new(rows: Vec<&'a AdherenceRow>, exact: &AdherenceTable, audience: &Audience) -> Self {
        let mut family = Family::default();
        let cells: Vec<[usize; QUANTITIES]> = rows
            .iter()
            .map(|row| protected_cells(row, audience).map(|cell| family.add(cell)))
            .collect();
        for quantity in 0..quantities(audience) {
            sums(&mut family, &rows, &exact.centre_tertiles, &cells, quantity);
            recent(&mut family, &rows, exact, &cells, quantity);
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
            // Cases less the assessable and the not assessable are those set aside.
            let rest = cells.iter().map(|row| (row[SET_ASIDE], row[NOT_ASSESSABLE]));
            family.follows.extend(rest);
        }
        Self { rows, cells, family }
    }

    /// Assessable patients by row.
    fn patients(&self) -> Vec<(By, &'a str, u32)> {
        let of = |row: &&'a AdherenceRow| (row.by, row.level.as_str(), patients(row)[ASSESSABLE]);
        self.rows.iter().map(of).collect()
    }

    /// What is hidden of every row, the rates of the rows of `anyway` among them.
    fn hidden(&self, threshold: u32, anyway: &BTreeSet<usize>) -> Vec<Hidden> {
        let anyway: Vec<usize> = anyway
            .iter()
            .filter_map(|row| self.cells.get(*row).map(|row| row[ASSESSABLE]))
            .collect();
        let protected = self.family.protect_besides(threshold, &anyway);
        self.cells
            .iter()
            .map(|row| row.map(|cell| protected[cell]))
            .collect()
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
