//! Which cells of a family of additive tables may be shown.
//!
//! Primary: a cell with fewer patients than the threshold is hidden. Secondary: a hidden cell must not follow from the shown ones, nor
//! be known to be small. So for every hidden cell with fewer patients than the threshold there is another table, with the same shown
//! cells and the same sums, in which it holds at least the threshold: its feasibility interval (Hundepool et al., Statistical
//! Disclosure Control, 2012, section 4.3: the smallest and largest value a reader of the table can allow) reaches from its value to the
//! threshold or above. Sums are looked at one by one first (the hidden parts less one patient in each of the others reach the
//! threshold), then the other table is looked for ([`super::reach`]), then the system of all sums is solved for cells that are
//! determined, large ones too. As long as one of these fails another cell is hidden. Zero is shown: there is nobody behind it; so a reader
//! knows that somebody is behind a hidden cell, and that is taken into account.
//!
//! Why a cell is hidden is not told: that one of two is small and the other large would bound both.
//!
//! Thresholds are worked through from 1 upwards, each keeping what the one before hid, so that a higher threshold never shows
//! what a lower one hides.

use crate::results::Suppression;

use super::echelon::{Row, reduced};
use super::reach::{Links, Table, reaches};

/// One cell: its patients, and whether it is published at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Patients behind the cell.
    pub(crate) patients: u32,
    /// The smallest number of patients in any attribute the cell would show (for a rate shown to the public: the
    /// numerator, its complement); equal to `patients` otherwise.
    pub(crate) smallest: u32,
    /// Not published, but following from published ones (the older cases of a centre: all less recent).
    pub(crate) implied: bool,
    /// A hidden one may well be 0.
    pub(crate) may_be_zero: bool,
    /// The patients by kind, where every cell of its sums is also shown by kind and those add up as well (those with and without the
    /// numerator of a rate): one of the first kind does not make room for one of the second.
    pub(crate) kinds: Option<[u32; 2]>,
}

/// How far from a cell, in sums, another part is looked for before a total is hidden.
const NEAR: usize = 3;

/// No attribute of this cell is sensitive by itself: never hidden for being small.
const NEVER_SMALL: u32 = u32::MAX;

impl Cell {
    /// A published cell of so many patients.
    pub(crate) fn of(patients: u32) -> Self {
        Self {
            patients,
            smallest: patients,
            implied: false,
            may_be_zero: false,
            kinds: None,
        }
    }

    /// A published cell in which no attribute is sensitive by itself. Hidden along with others only; a hidden one may
    /// well be 0.
    pub(crate) fn open(patients: u32) -> Self {
        Self {
            patients,
            smallest: NEVER_SMALL,
            implied: false,
            may_be_zero: false,
            kinds: None,
        }
    }

    /// A published cell that tells something of so many patients even when they are none (of a rate: those not in the numerator).
    pub(crate) fn part_of_rate(patients: u32) -> Self {
        Self {
            may_be_zero: true,
            ..Self::of(patients)
        }
    }

    fn is_open(self) -> bool {
        self.smallest == NEVER_SMALL
    }

    /// Whether a reader who sees it hidden must be kept from its value: not for a known nobody.
    pub(super) fn counts(self) -> bool {
        self.patients > 0 || self.is_open() || self.may_be_zero
    }

    /// The fewest patients a reader must allow for when it is hidden.
    pub(super) fn floor(self) -> u32 {
        u32::from(!(self.implied || self.is_open() || self.may_be_zero))
    }

    /// Whether it must be possible that `threshold` patients are behind it.
    fn must_reach(self, threshold: u32) -> bool {
        !self.is_open() && (1..threshold).contains(&self.patients)
    }

    /// A cell nobody publishes.
    pub(crate) fn implied(patients: u32) -> Self {
        Self {
            patients,
            smallest: patients,
            implied: true,
            may_be_zero: false,
            kinds: None,
        }
    }
}

/// `total` is the sum of `parts`, by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) total: usize,
    pub(crate) parts: Vec<usize>,
}

impl Sum {
    /// The parts and the total.
    pub(super) fn members(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().copied().chain([self.total])
    }

    pub(super) fn holds(&self, cell: usize) -> bool {
        self.total == cell || self.parts.contains(&cell)
    }
}

fn count(hidden: &[bool]) -> usize {
    hidden.iter().filter(|hidden| **hidden).count()
}

/// What was found out on the way, which hiding more does not undo.
struct Knowledge {
    links: Links,
    /// How many patients another table puts in a cell.
    reached: Vec<u32>,
    /// That table.
    tables: Vec<Option<Table>>,
    /// With so many cells hidden the system of sums gave nothing away.
    solved: Option<usize>,
}

/// Cells and the sums between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Family {
    pub(crate) cells: Vec<Cell>,
    pub(crate) sums: Vec<Sum>,
    /// Where the first is hidden the second is too.
    pub(crate) follows: Vec<(usize, usize)>,
}

impl Family {
    pub(crate) fn add(&mut self, cell: Cell) -> usize {
        self.cells.push(cell);
        self.cells.len() - 1
    }

    /// What is hidden, cell by cell, when nothing may rest on fewer than `threshold` patients. Implied cells come out as
    /// hidden or not without meaning.
    pub(crate) fn protect(&self, threshold: u32) -> Vec<Option<Suppression>> {
        self.protect_besides(threshold, &[])
    }

    /// As [`Family::protect`], with cells (by position) that are hidden anyway.
    pub(crate) fn protect_besides(&self, threshold: u32, anyway: &[usize]) -> Vec<Option<Suppression>> {
        let mut hidden: Vec<bool> = self.cells.iter().map(|c| c.implied).collect();
        for cell in anyway {
            if let Some(hide) = hidden.get_mut(*cell) {
                *hide = true;
            }
        }
        let mut known = Knowledge {
            links: Links::of(self),
            reached: vec![0; self.cells.len()],
            tables: vec![None; self.cells.len()],
            solved: None,
        };
        for threshold in 1..=threshold {
            for (hide, cell) in hidden.iter_mut().zip(&self.cells) {
                *hide |= cell.counts() && cell.smallest < threshold;
            }
            self.settle(threshold, &mut hidden, &mut known);
        }
        let reason = |hidden: bool| hidden.then_some(Suppression::FewPatients);
        hidden.into_iter().map(reason).collect()
    }

    /// Hides more until no sum, no bound and no combination of sums gives a hidden cell away.
    fn settle(&self, threshold: u32, hidden: &mut [bool], known: &mut Knowledge) {
        loop {
            self.follow(hidden);
            let before = count(hidden);
            for sum in &self.sums {
                while !self.safe(sum, threshold, hidden) {
                    let Some(next) = self.cheapest(sum, hidden) else {
                        break;
                    };
                    hidden[next] = true;
                }
            }
            if count(hidden) > before {
                continue;
            }
            let bounded = self.bounded(threshold, hidden, known);
            let Some(next) = bounded.or_else(|| self.solved(hidden, known)) else {
                return;
            };
            hidden[next] = true;
        }
    }

    /// What to hide next for a cell that the system of sums determines; `None` when there is nothing, and so it remains until more is hidden.
    fn solved(&self, hidden: &[bool], known: &mut Knowledge) -> Option<usize> {
        let now = count(hidden);
        if known.solved == Some(now) {
            return None;
        }
        let determined = self.determined(hidden);
        let next = determined.iter().find_map(|cell| self.neighbour(*cell, hidden));
        known.solved = next.is_none().then_some(now);
        next
    }

    fn follow(&self, hidden: &mut [bool]) {
        loop {
            let before = count(hidden);
            for (first, second) in &self.follows {
                hidden[*second] |= hidden[*first];
            }
            if count(hidden) == before {
                return;
            }
        }
    }

    /// What to hide next for a hidden cell that a reader could know to be small; `None` when there is no such cell, or nothing more that
    /// could be hidden for it.
    fn bounded(&self, threshold: u32, hidden: &[bool], known: &mut Knowledge) -> Option<usize> {
        let Knowledge {
            links,
            reached,
            tables,
            ..
        } = known;
        let cells = reached.iter_mut().zip(tables).zip(&self.cells).enumerate();
        for (cell, ((reached, table), of)) in cells {
            let small = hidden[cell] && of.must_reach(threshold);
            if !small || *reached >= threshold {
                continue;
            }
            if reaches(self, links, hidden, cell, threshold, table) {
                *reached = threshold;
                continue;
            }
            let next = self.nearest(cell, hidden);
            if next.is_some() {
                return next;
            }
            // Everything that could help is hidden.
            *reached = NEVER_SMALL;
        }
        None
    }

    /// The nearest shown cell that hiding could help with: in a sum with `cell`, or with a hidden cell of such a sum, and so on. Parts that are
    /// near come before totals, and small totals before large ones.
    fn nearest(&self, cell: usize, hidden: &[bool]) -> Option<usize> {
        let mut near = vec![cell];
        let (mut from, mut levels) = (0, 0);
        while from < near.len() && levels < NEAR {
            let level: Vec<usize> = near.iter().skip(from).copied().collect();
            (from, levels) = (near.len(), levels + 1);
            let sums = || {
                self.sums
                    .iter()
                    .filter(|sum| level.iter().any(|cell| sum.holds(*cell)))
            };
            let part = sums().filter_map(|sum| self.cheapest_part(sum, hidden));
            if let Some(part) = part.min_by_key(|part| (self.cells[*part].patients, *part)) {
                return Some(part);
            }
            for sum in sums() {
                let members = sum.parts.iter().copied().chain([sum.total]);
                let new = members.filter(|next| hidden[*next] && !near.contains(next));
                let new: Vec<usize> = new.collect();
                near.extend(new);
            }
        }
        let totals = self
            .sums
            .iter()
            .filter(|sum| near.iter().any(|cell| sum.holds(*cell)));
        let totals = totals
            .map(|sum| sum.total)
            .filter(|total| self.may_go(*total, hidden));
        totals.min_by_key(|total| (self.cells[*total].patients, *total))
    }

    /// Whether the sum alone gives nothing away.
    fn safe(&self, sum: &Sum, threshold: u32, hidden: &[bool]) -> bool {
        let (mut parts, mut patients, mut floors, mut needed) = (0, 0, 0, 0);
        let mut alone = None;
        for part in &sum.parts {
            let cell = self.cells[*part];
            if !hidden[*part] || !cell.counts() {
                continue;
            }
            parts += 1;
            patients += cell.patients;
            floors += cell.floor();
            if cell.must_reach(threshold) {
                needed = needed.max(threshold - cell.floor());
            }
            alone = Some(cell);
        }
        if hidden[sum.total] {
            // The total of parts that are all shown would follow.
            return !self.cells[sum.total].counts() || parts > 0;
        }
        if let (1, Some(one)) = (parts, alone) {
            // An implied part alone follows; that is fine when it is large, or nobody.
            return one.implied && !one.must_reach(threshold);
        }
        patients.saturating_sub(floors) >= needed
    }

    /// The shown cell of a sum that costs least to hide: the smallest part, the total last.
    fn cheapest(&self, sum: &Sum, hidden: &[bool]) -> Option<usize> {
        let total = || Some(sum.total).filter(|i| self.may_go(*i, hidden));
        self.cheapest_part(sum, hidden).or_else(total)
    }

    fn cheapest_part(&self, sum: &Sum, hidden: &[bool]) -> Option<usize> {
        let parts = sum.parts.iter().copied().filter(|i| self.may_go(*i, hidden));
        parts.min_by_key(|i| (self.cells[*i].patients, *i))
    }

    /// Whether hiding a cell would keep anything from a reader.
    fn may_go(&self, cell: usize, hidden: &[bool]) -> bool {
        !hidden[cell] && self.cells[cell].counts()
    }

    /// A shown cell that stands in a sum with `cell`; a part of any such sum before a total.
    fn neighbour(&self, cell: usize, hidden: &[bool]) -> Option<usize> {
        let sums: Vec<&Sum> = self.sums.iter().filter(|sum| sum.holds(cell)).collect();
        let part = sums.iter().find_map(|sum| self.cheapest_part(sum, hidden));
        part.or_else(|| sums.iter().find_map(|sum| self.cheapest(sum, hidden)))
    }

    /// Hidden, published, non-zero cells whose value follows from the shown cells: those alone in their row of the reduced
    /// echelon form of the system of sums.
    pub(crate) fn determined(&self, hidden: &[bool]) -> Vec<usize> {
        let unknown = |cell: &usize| hidden[*cell] && self.cells[*cell].counts();
        let equation = |sum: &Sum| -> Row {
            let members = sum.parts.iter().map(|p| (*p, 1.0)).chain([(sum.total, -1.0)]);
            members.filter(|(cell, _)| unknown(cell)).collect()
        };
        let rows = reduced(self.sums.iter().map(equation).collect());
        let alone = rows
            .iter()
            .filter(|row| row.len() == 1)
            .filter_map(|row| row.keys().next().copied());
        alone.filter(|cell| !self.cells[*cell].implied).collect()
    }
}

#[cfg(test)]
mod tests;
