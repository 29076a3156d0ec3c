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
    /// The breakdown it is a group of; none where the same parts are listed whoever is in them.
    pub(super) by: fn(&T) -> Option<&str>,
    /// Sums of the parts of the new run, by place: parts first, then `wholes`, then what nobody publishes.
    pub(super) sums: Vec<Sum>,
    /// Totals and rests that stand beside the parts.
    pub(super) wholes: Vec<Whole>,
    /// Held back for other reasons.
    pub(super) anyway: Vec<bool>,
    /// A part tells of the patients of all centres.
    pub(super) of_all: bool,
    /// A run that lists any lists all that have somebody.
    pub(super) all_listed: bool,
}

/// A count beside the parts: of the new run, and as every earlier run told it itself.
pub(super) struct Whole {
    pub(super) new: New,
    pub(super) earlier: Vec<Option<Counts>>,
}

pub(super) struct Beside<'a> {
    pub(super) new: &'a Published<SurvivalResult>,
    /// Newest first.
    pub(super) earlier: &'a [&'a Published<SurvivalResult>],
    pub(super) threshold: u32,
}

impl Beside<'_> {
    /// The parts of a kind as they may be shown; what stays is added to `as_of`.
    pub(super) fn parts<T: Clone>(&self, kind: &Kind<'_, T>, as_of: &mut Vec<AsOf>) -> Vec<T> {
        let held = self.held(kind);
        self.staying(kind, &held, as_of)
    }

    /// Which parts, and then which of the wholes, are held back.
    pub(super) fn held<T>(&self, kind: &Kind<'_, T>) -> Vec<bool> {
        let exact = (kind.parts)(&self.new.exact);
        let shown = (kind.parts)(&self.new.shown);
        let members = kind.sums.iter().flat_map(Sum::members);
        let beyond = members.max().map_or(0, |last| last + 1);
        let beyond = beyond.max(exact.len() + kind.wholes.len());
        let gone = self.left_groups(kind);
        let cells = beyond + gone.len();
        let mut sums = kind.sums.clone();
        for sum in &mut sums {
            let by = sum.parts.first().and_then(|part| (kind.by)(exact.get(*part)?));
            let same = (beyond..cells)
                .zip(&gone)
                .filter(|(_, one)| by.is_some() && (kind.by)(one) == by);
            sum.parts.extend(same.map(|(cell, _)| cell));
        }
        let mut new: Vec<New> = exact
            .iter()
            .enumerate()
            .map(|(at, exact)| New {
                counts: (kind.counts)(exact),
                shown: shown.get(at).is_some_and(kind.shown),
                fixed: false,
                unchanged: false,
            })
            .collect();
        new.extend(kind.wholes.iter().map(|whole| whole.new));
        new.resize(beyond, New::UNTOLD);
        let of_nobody = New {
            fixed: false,
            ..New::UNTOLD
        };
        new.resize(cells, of_nobody);
        let left: Vec<bool> = (0..cells).map(|cell| cell >= beyond).collect();
        let names: Vec<String> = exact.iter().map(kind.name).collect();
        let runs: Vec<Earlier<'_>> = self
            .earlier
            .iter()
            .enumerate()
            .map(|(place, run)| {
                let listed = (kind.parts)(&run.exact);
                let listed: Vec<String> = listed.iter().map(kind.name).collect();
                let known = |name: &String| {
                    // All are listed, shown or not: one that is not has nobody.
                    let none = kind.all_listed && !listed.is_empty() && !listed.contains(name);
                    let told = told(kind, run, name).map(|(exact, _)| (kind.counts)(exact));
                    told.or_else(|| none.then(Counts::default))
                };
                let wholes = kind.wholes.iter();
                let wholes = wholes.map(|whole| whole.earlier.get(place).copied().flatten());
                Earlier {
                    told: names.iter().map(known).chain(wholes).collect(),
                    sums: &sums,
                }
            })
            .collect();
        let successive = Successive {
            new: &new,
            sums: &sums,
            runs: &runs,
            left: &left,
            threshold: self.threshold,
        };
        successive.held(&kind.anyway)
    }

    /// The parts, those held back as an earlier run told them last; hidden where none did, or where a centre could subtract itself from it.
    pub(super) fn staying<T: Clone>(
        &self,
        kind: &Kind<'_, T>,
        held: &[bool],
        as_of: &mut Vec<AsOf>,
    ) -> Vec<T> {
        let mut all: Vec<T> = (kind.parts)(&self.new.shown).to_vec();
        let exact = (kind.parts)(&self.new.exact);
        let parts = all.iter_mut().zip(exact).zip(held);
        for ((part, exact), _) in parts.filter(|(_, held)| **held) {
            let name = (kind.name)(exact);
            let mut before = self.before();
            let found = before.find_map(|run| Some((run, told(kind, run, &name)?.1)));
            match found.filter(|(run, _)| !kind.of_all || !self.alone_in(&run.exact)) {
                Some((run, found)) => {
                    *part = found.clone();
                    as_of.push(AsOf {
                        part: name,
                        run: run.exact.run.run,
                    });
                }
                None => (kind.hide)(part),
            }
        }
        for gone in self.left_groups(kind) {
            let mut part = gone.clone();
            (kind.hide)(&mut part);
            all.push(part);
        }
        all
    }

    /// Groups that are not listed any more and of which an earlier run hid somebody, as the newest run had them: that all of them left must not
    /// be told, so they are listed after all others, hidden, and do not follow.
    fn left_groups<T>(&self, kind: &Kind<'_, T>) -> Vec<&T> {
        let listed = (kind.parts)(&self.new.exact);
        let mut names: Vec<String> = listed.iter().map(kind.name).collect();
        let mut gone = Vec::new();
        for run in self.earlier {
            for one in (kind.parts)(&run.exact) {
                let name = (kind.name)(one);
                let hid = (kind.counts)(one) != Counts::default()
                    && told(kind, run, &name).is_none()
                    && run.shown.part_as_of(&name).is_none();
                if hid && (kind.by)(one).is_some() && !names.contains(&name) {
                    names.push(name);
                    gone.push(one);
                }
            }
        }
        gone
    }

    /// Runs whose parts may stay, newest first.
    pub(super) fn before(&self) -> impl Iterator<Item = &Published<SurvivalResult>> {
        let now = self.new.exact.run.run;
        self.earlier
            .iter()
            .copied()
            .filter(move |run| run.exact.run.run < now)
    }

    /// Whether a small change is between two counts.
    pub(super) fn is_small(&self, now: Option<u32>, then: Option<u32>) -> bool {
        now.zip(then)
            .is_some_and(|(now, then)| few(now.abs_diff(then), self.threshold))
    }
}

/// The part of this name as computed, and as the run itself told it.
fn told<'a, T>(kind: &Kind<'_, T>, run: &'a Published<SurvivalResult>, name: &str) -> Option<(&'a T, &'a T)> {
    let exact = (kind.parts)(&run.exact);
    let at = exact.iter().position(|one| (kind.name)(one) == name)?;
    let shown = (kind.parts)(&run.shown).get(at)?;
    let own = (kind.shown)(shown) && run.shown.part_as_of(name).is_none();
    own.then_some((exact.get(at)?, shown))
}
