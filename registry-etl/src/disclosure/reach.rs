//! Whether a hidden cell may hold more than it does, for all a reader can tell.
//!
//! Another table is looked for, patient by patient: one more in the cell, and in every shown sum that would be off one less (or more) in another
//! hidden cell, and so on until no sum is off. What is found is a table, so the answer yes is certain; the search gives up after some
//! steps, and then the answer is no, which hides more than is needed and never less.

use super::suppression::Family;

/// Cells tried for one patient, in ways of each length.
const STEPS: usize = 75;
/// Most cells changed for one patient: short ways are tried first.
const LENGTHS: [usize; 4] = [2, 4, 8, 16];

/// The sums of every cell: +1 as a part, -1 as the total.
pub(super) struct Links(Vec<Vec<(usize, i32)>>);

impl Links {
    pub(super) fn of(family: &Family) -> Self {
        let mut links = vec![Vec::new(); family.cells.len()];
        for (at, sum) in family.sums.iter().enumerate() {
            for (member, sign) in sum.parts.iter().map(|part| (*part, 1)).chain([(sum.total, -1)]) {
                if let Some(sums) = links.get_mut(member) {
                    sums.push((at, sign));
                }
            }
        }
        Self(links)
    }
}

/// Patients of every cell of a table, by kind.
pub(super) type Table = Vec<[u32; 2]>;

/// Whether a table with the same shown cells, in which `cell` holds at least `threshold`, exists and is found. `known` is such a table for a lower
/// threshold, and the one found: with more cells hidden it remains one, so the search goes on from it before it begins anew.
pub(super) fn reaches(
    family: &Family,
    links: &Links,
    hidden: &[bool],
    cell: usize,
    threshold: u32,
    known: &mut Option<Table>,
) -> bool {
    let kinds = match family.cells.get(cell) {
        Some(of) if of.kinds.is_some() => 0..2,
        _ => 0..1,
    };
    let from = |values: Table| -> Option<Table> {
        let held: u32 = values.get(cell)?.iter().sum();
        let mut search = Search {
            family,
            hidden,
            links,
            values,
            kind: 0,
            fixed: cell,
            steps: 0,
        };
        let found = (held..threshold).all(|_| kinds.clone().any(|kind| search.one_more(cell, kind)));
        found.then_some(search.values)
    };
    let of_all = || {
        let cells = family.cells.iter();
        cells
            .map(|cell| cell.kinds.unwrap_or([cell.patients, 0]))
            .collect()
    };
    *known = known.take().and_then(from).or_else(|| from(of_all()));
    known.is_some()
}

/// A change of one cell, and how many sums are off afterwards.
struct Way {
    cell: usize,
    change: i32,
    then_off: usize,
}

struct Search<'a> {
    family: &'a Family,
    hidden: &'a [bool],
    links: &'a Links,
    values: Table,
    /// The kind of the patient looked for: all changes are of this kind, so the sums of each kind hold.
    kind: usize,
    /// Not to be taken from again.
    fixed: usize,
    steps: usize,
}

impl Search<'_> {
    fn one_more(&mut self, cell: usize, kind: usize) -> bool {
        self.kind = kind;
        for longest in LENGTHS {
            self.steps = 0;
            let mut changed = vec![(cell, 1)];
            let mut off = Vec::new();
            self.disturb(&mut off, cell, 1);
            if self.mend(off, &mut changed, longest) {
                for (cell, change) in changed {
                    if let Some(value) = self.values.get_mut(cell).and_then(|kinds| kinds.get_mut(kind)) {
                        *value = value.saturating_add_signed(change);
                    }
                }
                return true;
            }
        }
        false
    }

    /// What the change of a cell does to the sums: each is off by so much.
    fn disturb(&self, off: &mut Vec<(usize, i32)>, cell: usize, change: i32) {
        for (sum, sign) in self.links.0.get(cell).into_iter().flatten() {
            let change = sign * change;
            match off.iter_mut().find(|(other, _)| other == sum) {
                Some((_, by)) => *by += change,
                None => off.push((*sum, change)),
            }
        }
        off.retain(|(_, by)| *by != 0);
    }

    /// How many sums [`Search::disturb`] would leave off; the sums of a cell are different ones.
    fn off_after(&self, off: &[(usize, i32)], cell: usize, change: i32) -> usize {
        let mut count = off.len();
        for (sum, sign) in self.links.0.get(cell).into_iter().flatten() {
            match off.iter().find(|(other, _)| other == sum) {
                Some((_, by)) if by + sign * change == 0 => count -= 1,
                Some(_) => {}
                None => count += 1,
            }
        }
        count
    }

    fn mend(&mut self, off: Vec<(usize, i32)>, changed: &mut Vec<(usize, i32)>, longest: usize) -> bool {
        let Some(&(sum, by)) = off.first() else {
            return true;
        };
        if changed.len() >= longest || changed.len() + off.len().div_ceil(4) > longest {
            return false;
        }
        let family = self.family;
        let Some(sum) = family.sums.get(sum) else {
            return false;
        };
        let members = sum.parts.iter().map(|part| (*part, 1)).chain([(sum.total, -1)]);
        let mut ways: Vec<Way> = Vec::new();
        for (cell, sign) in members {
            let change = -by.signum() * sign;
            if changed.iter().any(|(other, _)| *other == cell) || !self.may_change(cell, change) {
                continue;
            }
            let then_off = self.off_after(&off, cell, change);
            ways.push(Way {
                cell,
                change,
                then_off,
            });
        }
        // Those that leave least to mend first, then where most is left to take.
        ways.sort_by_key(|way| (way.then_off, std::cmp::Reverse(self.left(way.cell))));
        for Way { cell, change, .. } in ways {
            self.steps += 1;
            if self.steps > STEPS {
                return false;
            }
            let mut then = off.clone();
            self.disturb(&mut then, cell, change);
            changed.push((cell, change));
            if self.mend(then, changed, longest) {
                return true;
            }
            changed.pop();
        }
        false
    }

    fn may_change(&self, cell: usize, change: i32) -> bool {
        let (Some(of), Some(values)) = (self.family.cells.get(cell), self.values.get(cell)) else {
            return false;
        };
        let less = self.left(cell) > 0 && values.iter().sum::<u32>() > of.floor();
        let hidden = self.hidden.get(cell).is_some_and(|hidden| *hidden);
        hidden && of.counts() && cell != self.fixed && (change > 0 || less)
    }

    /// Patients of the kind looked for.
    fn left(&self, cell: usize) -> u32 {
        let of_kind = self.values.get(cell).and_then(|kinds| kinds.get(self.kind));
        of_kind.copied().unwrap_or(0)
    }
}
