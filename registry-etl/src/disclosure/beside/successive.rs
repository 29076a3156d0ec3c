//! Which counts of a newly published run may be shown beside the runs published before.
//!
//! Two runs differ by the patients added, followed or withdrawn in between, and whoever reads both subtracts one from the other. So a count is
//! shown anew only where it differs from every earlier shown one by nobody or by at least the threshold; otherwise it is held back: what was
//! shown before stays, said to be of that run. Nor may a small difference follow: not from a total less its parts, in the differences and in the
//! new run alone, not from the system of all sums, and not because no count is negative. Where one would, another count is held back too.
//!
//! A count that has not changed is held back like one that has changed by few, so that one cannot be told from the other.

use super::bounds::Bounds;
use crate::disclosure::echelon::{Row, reduced};
use crate::disclosure::suppression::Sum;

/// Most counts of one cell: patients of an incidence, and its five causes.
pub(super) const MOST: usize = 6;

/// The counts of a cell that are known together: patients, and for some audiences those in parts of them.
pub(super) type Counts = [i64; MOST];

/// So many counts; what is not known, and the rest, is none.
pub(super) fn counts<const M: usize>(of: [Option<u32>; M]) -> Counts {
    const { assert!(M <= MOST) };
    let mut counts = Counts::default();
    for (count, n) in counts.iter_mut().zip(of) {
        *count = i64::from(n.unwrap_or(0));
    }
    counts
}

/// A count of the new run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct New {
    pub(super) counts: Counts,
    /// The new run alone shows it.
    pub(super) shown: bool,
    /// Known whatever is held back: a level that nobody is in any more is not listed.
    pub(super) fixed: bool,
    /// May be shown as new though it has not changed. It says nothing where what is held back is not shown at all.
    pub(super) unchanged: bool,
}

impl New {
    /// What nobody publishes.
    pub(super) const UNTOLD: Self = Self {
        counts: [0; MOST],
        shown: false,
        fixed: true,
        unchanged: false,
    };
}

/// What a reader knows of an earlier run.
pub(super) struct Earlier<'a> {
    /// What that run itself showed, count by count; those past its end are not known.
    pub(super) told: Vec<Option<Counts>>,
    /// The first sums of the new run, as far as they hold in this one, too.
    pub(super) sums: &'a [Sum],
}

impl Earlier<'_> {
    pub(super) fn told(&self, at: usize) -> Option<Counts> {
        self.told.get(at).copied().flatten()
    }
}

/// Counts of a new run, their sums, and what is known of earlier ones.
pub(super) struct Successive<'a> {
    pub(super) new: &'a [New],
    /// The sums of the new run.
    pub(super) sums: &'a [Sum],
    /// The latest first.
    pub(super) runs: &'a [Earlier<'a>],
    /// Nobody now, where an earlier run hid somebody: that all of them left must not be told. Empty for none.
    pub(super) left: &'a [bool],
    pub(super) threshold: u32,
}

impl Successive<'_> {
    /// Which counts are held back; `anyway` for other reasons.
    pub(super) fn held(&self, anyway: &[bool]) -> Vec<bool> {
        let primary = |at: usize| self.free(at) && (self.left(at) || !self.may_be_new(at));
        let mut held: Vec<bool> = (0..self.new.len())
            .map(|at| primary(at) || self.free(at) && anyway.get(at).is_some_and(|held| *held))
            .collect();
        while let Some(next) = self.give_away(&held, anyway) {
            if let Some(held) = held.get_mut(next) {
                *held = true;
            }
        }
        held
    }

    /// What was shown last of a count, of whichever run.
    fn last(&self, at: usize) -> Option<Counts> {
        self.runs.iter().find_map(|run| run.told(at))
    }

    fn left(&self, at: usize) -> bool {
        self.left.get(at).is_some_and(|left| *left)
    }

    /// Whether holding it back is possible and would keep anything from a reader.
    fn free(&self, at: usize) -> bool {
        self.new.get(at).is_some_and(|new| new.shown && !new.fixed)
    }

    /// Against every run, and against what was shown last.
    fn may_be_new(&self, at: usize) -> bool {
        let all = self.runs.iter().all(|run| {
            let change = self.change(run.told(at), at);
            change.is_none_or(|change| self.enough(change))
        });
        let last = self.change(self.last(at), at);
        let unchanged = self.new.get(at).is_some_and(|new| new.unchanged);
        all && last
            .is_none_or(|change| self.enough(change) && (unchanged || change.iter().any(|by| *by != 0)))
    }

    /// New less earlier, where the earlier is known.
    fn change(&self, then: Option<Counts>, at: usize) -> Option<Counts> {
        let then = then?;
        let now = self.new.get(at)?.counts;
        Some(std::array::from_fn(|of| now[of] - then[of]))
    }

    /// Nobody, or enough patients.
    fn enough(&self, change: Counts) -> bool {
        let few = |by: i64| by != 0 && by.unsigned_abs() < u64::from(self.threshold);
        !change.into_iter().any(few)
    }

    fn is_new(&self, at: usize, held: &[bool]) -> bool {
        self.new.get(at).is_some_and(|new| new.shown) && !held.get(at).is_some_and(|held| *held)
    }

    /// A count to hold back because a small difference, or a hidden count, would follow from it; `None` when none does.
    fn give_away(&self, held: &[bool], anyway: &[bool]) -> Option<usize> {
        for (place, sum) in self.sums.iter().enumerate() {
            let mut runs = self.runs.iter().filter(|run| place < run.sums.len());
            let differs = runs.any(|run| self.difference_tells(sum, run, held));
            if differs || self.remainder_tells(sum, held) {
                let next = self.cheapest(sum, held);
                if next.is_some() {
                    return next;
                }
            }
        }
        let known_now = |at: usize| self.is_new(at, held);
        for at in determined(self.sums, known_now) {
            let mut changes = self.runs.iter().filter_map(|run| self.change(run.told(at), at));
            // Held back for another reason: any change would tell.
            let any = anyway.get(at).is_some_and(|held| *held);
            let moved = |change: Counts| change.iter().any(|by| *by != 0);
            let told = changes.any(|change| moved(change) && (any || !self.enough(change)));
            if (self.free(at) && told || self.left(at))
                && let Some(next) = self.neighbour(at, held)
            {
                return Some(next);
            }
        }
        for run in self.runs {
            let known = |at: usize| self.is_new(at, held) && run.told(at).is_some();
            for at in determined(run.sums, known) {
                if self.tells(run, at, held)
                    && let Some(next) = self.neighbour(at, held)
                {
                    return Some(next);
                }
            }
        }
        self.pinned_by_bounds(held, anyway)
    }

    /// A count to hold back because bounds pin another one down, now and in an earlier run, and few came to it or left it.
    fn pinned_by_bounds(&self, held: &[bool], anyway: &[bool]) -> Option<usize> {
        let new = |at: usize| self.new.get(at).filter(|_| self.is_new(at, held));
        let now = Bounds::of(self.new.len(), self.sums, |at| new(at).map(|new| new.counts));
        let nobody = |at: &usize| self.left(*at) && new(*at).is_none() && now.nobody(*at);
        for at in (0..self.new.len()).filter(nobody) {
            let next = self.neighbour(at, held);
            if next.is_some() {
                return next;
            }
        }
        for run in self.runs {
            let then = Bounds::of(self.new.len(), run.sums, |at| run.told(at));
            for at in (0..self.new.len()).filter(|at| new(*at).is_none() || run.told(*at).is_none()) {
                let held_anyway = anyway.get(at).is_some_and(|held| *held);
                let told = (0..MOST).any(|of| {
                    let change = now.pinned(at, of).zip(then.pinned(at, of));
                    let by = change.map_or(0, |(now, then)| now - then);
                    by != 0 && (held_anyway || by.unsigned_abs() < u64::from(self.threshold))
                });
                if told && let Some(next) = self.neighbour(at, held) {
                    return Some(next);
                }
            }
        }
        None
    }

    /// Whether a difference that follows tells more than it may: of a count shown in one of the two runs and hidden in the other the hidden
    /// one; of any other that few have come or gone.
    fn tells(&self, run: &Earlier<'_>, at: usize, held: &[bool]) -> bool {
        let shown = self.new.get(at).is_some_and(|new| new.shown);
        let (now, then) = (self.is_new(at, held), run.told(at).is_some());
        match self.change(run.told(at), at) {
            _ if now && !then => true,
            Some(change) => !shown || !self.enough(change),
            None => false,
        }
    }

    /// Whether the total less the parts that are known in both runs leaves few.
    fn difference_tells(&self, sum: &Sum, run: &Earlier<'_>, held: &[bool]) -> bool {
        let known = |at: usize| self.change(run.told(at).filter(|_| self.is_new(at, held)), at);
        let Some(mut left) = known(sum.total) else {
            return false;
        };
        let mut unknown = 0;
        for part in &sum.parts {
            match known(*part) {
                Some(change) => left.iter_mut().zip(change).for_each(|(left, by)| *left -= by),
                None => unknown += 1,
            }
        }
        unknown > 0 && !self.enough(left)
    }

    /// Whether the new total less its new parts, less what was shown last of the others, leaves few.
    fn remainder_tells(&self, sum: &Sum, held: &[bool]) -> bool {
        let Some(total) = self.new.get(sum.total).filter(|_| self.is_new(sum.total, held)) else {
            return false;
        };
        let mut left = total.counts;
        let mut unknown = 0;
        for part in &sum.parts {
            let value = if self.is_new(*part, held) {
                self.new.get(*part).map(|new| new.counts)
            } else {
                unknown += 1;
                self.last(*part)
            };
            let Some(value) = value else { return false };
            left.iter_mut().zip(value).for_each(|(left, by)| *left -= by);
        }
        unknown > 0 && !self.enough(left)
    }

    /// By how many patients it differs from what was shown last.
    fn moved(&self, at: usize) -> i64 {
        let all = self.new.get(at).map(|new| new.counts);
        let change = self.change(self.last(at), at).or(all);
        change.map_or(0, |[patients, ..]| patients.abs())
    }

    /// The shown count of a sum that costs least to hold back: the part that changed least, the total last.
    fn cheapest(&self, sum: &Sum, held: &[bool]) -> Option<usize> {
        let may = |at: &usize| self.free(*at) && self.is_new(*at, held);
        let parts = sum.parts.iter().copied().filter(may);
        parts
            .min_by_key(|at| (self.moved(*at), *at))
            .or_else(|| Some(sum.total).filter(may))
    }

    /// The nearest count whose holding back could help with one that follows: in a sum with it, or with an unknown one of such a sum, and so
    /// on; parts before totals that are no farther.
    fn neighbour(&self, at: usize, held: &[bool]) -> Option<usize> {
        let mut near = vec![at];
        let mut from = 0;
        let mut total = None;
        while from < near.len() {
            let level = near.get(from..)?.to_vec();
            from = near.len();
            let sums = || {
                self.sums
                    .iter()
                    .filter(|sum| level.iter().any(|at| sum.holds(*at)))
            };
            let parts = sums().flat_map(|sum| sum.parts.iter().copied());
            let part = parts
                .filter(|part| *part != at && self.free(*part) && self.is_new(*part, held))
                .min_by_key(|part| (self.moved(*part), *part));
            if part.is_some() {
                return part;
            }
            if total.is_some() {
                return total;
            }
            let may = |total: &usize| *total != at && self.free(*total) && self.is_new(*total, held);
            total = sums().map(|sum| sum.total).find(may);
            for sum in sums() {
                let members = sum.parts.iter().copied().chain([sum.total]);
                let unknown = members.filter(|member| !self.is_new(*member, held));
                let new: Vec<usize> = unknown.filter(|member| !near.contains(member)).collect();
                near.extend(new);
            }
        }
        total
    }
}

/// The unknown counts that the system of sums determines.
fn determined(sums: &[Sum], known: impl Fn(usize) -> bool) -> Vec<usize> {
    let equation = |sum: &Sum| -> Row {
        let members = sum
            .parts
            .iter()
            .map(|part| (*part, 1.0))
            .chain([(sum.total, -1.0)]);
        members.filter(|(at, _)| !known(*at)).collect()
    };
    let rows = reduced(sums.iter().map(equation).collect());
    let alone = rows.iter().filter(|row| row.len() == 1);
    alone.filter_map(|row| row.keys().next().copied()).collect()
}
