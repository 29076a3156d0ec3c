//! Parts of a result of which there are many of one kind, each held back on its own.

use super::Published;
use super::successive::{Counts, Earlier, New, Successive};
use crate::disclosure::few;
use crate::disclosure::suppression::Sum;
use crate::results::{AsOf, SurvivalResult};

/// One kind of parts of a result.
pub(super) struct Kind<'a, T> {
    pub(super) parts: fn(&SurvivalResult) -> &[T],
    pub(super) name: fn(&T) -> String,
    pub(super) counts: &'a dyn Fn(&T) -> Counts,
    pub(super) shown: fn(&T) -> bool,
    pub(super) hide: fn(&mut T),
    /// Sums of the parts of the new run, by place; places beyond are of what nobody publishes.
    pub(super) sums: Vec<Sum>,
    /// Held back together: the first when the second is small apart.
    pub(super) anyway: Vec<bool>,
}

pub(super) struct Beside<'a> {
    pub(super) new: &'a Published<SurvivalResult>,
    pub(super) earlier: &'a [&'a Published<SurvivalResult>],
    pub(super) threshold: u32,
}

impl Beside<'_> {
    /// The parts of a kind as they may be shown; what stays is added to `as_of`.
    pub(super) fn parts<T: Clone>(&self, kind: Kind<'_, T>, as_of: &mut Vec<AsOf>) -> Vec<T> {
        let exact = (kind.parts)(&self.new.exact);
        let mut all: Vec<T> = (kind.parts)(&self.new.shown).to_vec();
        let beyond = kind
            .sums
            .iter()
            .flat_map(|sum| sum.parts.iter().copied().chain([sum.total]))
            .max();
        let cells = exact.len().max(beyond.map_or(0, |last| last + 1));
        let mut new: Vec<New> = exact
            .iter()
            .zip(&all)
            .map(|(exact, shown)| {
                let counts = (kind.counts)(exact);
                New {
                    counts,
                    shown: (kind.shown)(shown),
                    fixed: false,
                }
            })
            .collect();
        new.resize(
            cells,
            New {
                counts: Counts::default(),
                shown: false,
                fixed: true,
            },
        );
        let names: Vec<String> = exact.iter().map(kind.name).collect();
        let runs: Vec<Earlier> = self
            .earlier
            .iter()
            .map(|run| {
                let known = |name: &String| {
                    let at = (kind.parts)(&run.exact)
                        .iter()
                        .position(|one| (kind.name)(one) == *name)?;
                    let shown = (kind.parts)(&run.shown).get(at)?;
                    let own = (kind.shown)(shown) && run.shown.part_as_of(name).is_none();
                    own.then(|| (kind.counts)(&(kind.parts)(&run.exact)[at]))
                };
                let mut known: Earlier = names.iter().map(known).collect();
                known.resize(cells, None);
                known
            })
            .collect();
        let last = |at: usize| runs.iter().find_map(|run| run.get(at).copied().flatten());
        let last: Earlier = (0..cells).map(last).collect();
        let successive = Successive {
            new: &new,
            sums: &kind.sums,
            runs: &runs,
            last: &last,
            threshold: self.threshold,
            unchanged: false,
        };
        let held = successive.held(&kind.anyway);
        for (at, part) in all
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| held.get(*at) == Some(&true))
        {
            let Some(name) = names.get(at) else { continue };
            let known = |place: &usize| {
                runs.get(*place)
                    .and_then(|run| run.get(at))
                    .is_some_and(Option::is_some)
            };
            let before = |place: &usize| {
                self.earlier
                    .get(*place)
                    .is_some_and(|run| run.exact.run.run < self.new.exact.run.run)
            };
            let then = (0..runs.len()).find(|place| known(place) && before(place));
            let found = then.and_then(|place| {
                let run = self.earlier.get(place)?;
                let found = (kind.parts)(&run.shown)
                    .iter()
                    .find(|one| (kind.name)(one) == *name)?;
                Some((run.exact.run.run, found))
            });
            match found {
                Some((run, found)) => {
                    *part = found.clone();
                    as_of.push(AsOf {
                        part: name.clone(),
                        run,
                    });
                }
                None => (kind.hide)(part),
            }
        }
        all
    }

    /// Whether a small change is between two counts.
    pub(super) fn is_small(&self, now: Option<u32>, then: Option<u32>) -> bool {
        now.zip(then)
            .is_some_and(|(now, then)| few(now.abs_diff(then), self.threshold))
    }
}
