//! Between which values a reader can place each count of one run, knowing the sums and that no count is negative.

use super::successive::{Counts, MOST};
use crate::disclosure::suppression::Sum;

/// More than any count.
const UNBOUNDED: i64 = i64::MAX / 4;

/// The smallest and the largest value of every count of a cell.
pub(super) struct Bounds(Vec<[[i64; 2]; MOST]>);

impl Bounds {
    /// Of so many cells. Every sum bounds its total by its parts and each part by the total less the others, again and again until nothing moves:
    /// exact where sums share no more than one cell (breakdowns of one total do), wider than necessary elsewhere.
    pub(super) fn of(cells: usize, sums: &[Sum], known: impl Fn(usize) -> Option<Counts>) -> Self {
        let start = |at: usize| match known(at) {
            Some(counts) => counts.map(|count| [count, count]),
            None => [[0, UNBOUNDED]; MOST],
        };
        let mut bounds = Self((0..cells).map(start).collect());
        // A cell is narrowed from any other in as many rounds as there are sums between them.
        for _ in 0..=sums.len() {
            let moved = sums.iter().filter(|sum| bounds.narrow(sum)).count();
            if moved == 0 {
                break;
            }
        }
        bounds
    }

    /// The only value a count can have; `None` when there are several.
    pub(super) fn pinned(&self, cell: usize, of: usize) -> Option<i64> {
        let [least, most] = self.0.get(cell)?[of];
        (least == most).then_some(least)
    }

    /// Whether the first count of a cell can be of nobody only. The others need not add up wherever the first does.
    pub(super) fn nobody(&self, cell: usize) -> bool {
        self.pinned(cell, 0) == Some(0)
    }

    /// Whether one sum narrows anything.
    fn narrow(&mut self, sum: &Sum) -> bool {
        let mut moved = false;
        for of in 0..MOST {
            let parts = || sum.parts.iter().filter_map(|part| self.0.get(*part));
            let least: i64 = parts().map(|part| part[of][0]).sum();
            let most = parts().fold(0_i64, |all, part| all.saturating_add(part[of][1]));
            moved |= self.within(sum.total, of, [least, most.min(UNBOUNDED)]);
            let Some([total_least, total_most]) = self.0.get(sum.total).map(|total| total[of]) else {
                continue;
            };
            for part in &sum.parts {
                let Some([own_least, own_most]) = self.0.get(*part).map(|own| own[of]) else {
                    continue;
                };
                let others = [least - own_least, most.saturating_sub(own_most)];
                moved |= self.within(
                    *part,
                    of,
                    [total_least.saturating_sub(others[1]), total_most - others[0]],
                );
            }
        }
        moved
    }

    /// Narrows one count to these values; whether that says anything new.
    fn within(&mut self, cell: usize, of: usize, [least, most]: [i64; 2]) -> bool {
        let Some(bounds) = self.0.get_mut(cell).map(|counts| &mut counts[of]) else {
            return false;
        };
        let before = *bounds;
        *bounds = [before[0].max(least), before[1].min(most)];
        *bounds != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(total: usize, parts: &[usize]) -> Sum {
        Sum {
            total,
            parts: parts.to_vec(),
        }
    }

    fn known(values: &[Option<i64>]) -> impl Fn(usize) -> Option<Counts> + '_ {
        |at| values[at].map(|value| [value; MOST])
    }

    #[test]
    fn a_total_that_the_shown_parts_use_up_leaves_nobody_to_the_others() {
        let sums = [sum(0, &[1, 2, 3])];
        let bounds = Bounds::of(4, &sums, known(&[Some(7), Some(7), None, None]));
        assert_eq!((bounds.pinned(2, 0), bounds.pinned(3, 5)), (Some(0), Some(0)));
        let bounds = Bounds::of(4, &sums, known(&[Some(8), Some(7), None, None]));
        assert_eq!((bounds.pinned(2, 0), bounds.pinned(3, 5)), (None, None));
    }

    #[test]
    fn what_one_breakdown_tells_of_the_total_bounds_the_parts_of_another() {
        // The total is hidden; its first breakdown is shown, of its second all but two.
        let sums = [sum(0, &[1, 2]), sum(0, &[3, 4, 5])];
        let bounds = Bounds::of(6, &sums, known(&[None, Some(4), Some(5), Some(9), None, None]));
        assert_eq!((bounds.pinned(0, 0), bounds.pinned(4, 0)), (Some(9), Some(0)));
    }

    #[test]
    fn without_a_known_total_parts_have_no_upper_bound() {
        let bounds = Bounds::of(3, &[sum(0, &[1, 2])], known(&[None, Some(3), None]));
        assert_eq!((bounds.pinned(0, 0), bounds.pinned(2, 0)), (None, None));
    }
}
