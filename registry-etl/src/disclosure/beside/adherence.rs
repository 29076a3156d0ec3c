//! Adherence. Where the row shown last was of another version of the guideline, a row held back is hidden. What was set aside is not told
//! where few came to it or left it. A centre knows its own patients, so a network row, and what was set aside in it, is held back where what
//! changed besides one centre is few, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::Published;
use super::successive::{Counts, Earlier, New, Successive, counts};
use crate::disclosure::additive::{recent, sums};
use crate::disclosure::adherence::{ASSESSABLE, QUANTITIES, SET_ASIDE, emptied, patients};
use crate::disclosure::suppression::{Cell, Family};
use crate::disclosure::{Audience, FEW, Thresholds, few};
use crate::results::{AdherenceRow, AdherenceTable, By, PatientBasis, Period};

type Tables = Published<AdherenceTable>;

type Key<'a> = (&'a str, By, Period, &'a str);

fn key(row: &AdherenceRow) -> Key<'_> {
    (&row.measure, row.by, row.period, &row.level)
}

/// The rows of a measure, and the levels that are not there any more and of which an earlier run hid somebody.
type OfMeasure<'a> = (Vec<(Key<'a>, AdherenceRow)>, Vec<Level>);

/// What a row is of, whatever the measure.
type Level = (By, Period, String);

/// Rows of a table by what they are of: exact and shown.
struct Rows<'a> {
    table: &'a Tables,
    rows: HashMap<Key<'a>, (&'a AdherenceRow, &'a AdherenceRow)>,
    /// Rows of levels it lists though nobody is in them any more: after all others.
    empty: HashMap<Key<'a>, &'a AdherenceRow>,
}

impl<'a> Rows<'a> {
    fn of(table: &'a Tables) -> Self {
        let both = table.exact.rows.iter().zip(&table.shown.rows);
        let empty = table.shown.rows.iter().skip(table.exact.rows.len());
        Self {
            table,
            rows: both.map(|(exact, shown)| (key(exact), (exact, shown))).collect(),
            empty: empty.map(|row| (key(row), row)).collect(),
        }
    }

    fn number(&self) -> i64 {
        self.table.exact.run.run
    }

    /// Whether it says of a level that nobody is in it: it lists nobody there, or does not list it.
    fn says_nobody(&self, measure: &str, of: Key<'_>) -> bool {
        let hidden = |row: &&AdherenceRow| row.suppressed.is_some();
        let listed = self.rows.contains_key(&of) || self.empty.get(&of).is_some_and(hidden);
        !listed && self.table.exact.measures.iter().any(|head| head.id == measure)
    }

    /// How it lists a row, whoever is in it.
    fn listed(&self, of: Key<'_>) -> Option<&'a AdherenceRow> {
        let shown = self.rows.get(&of).map(|(_, shown)| *shown);
        shown.or_else(|| self.empty.get(&of).copied())
    }

    /// Whether it hid somebody there: the row, or these counts of one of which `told` does not hold.
    fn hid(
        &self,
        row: &AdherenceRow,
        of: &dyn Fn(&AdherenceRow) -> Counts,
        told: &dyn Fn(&AdherenceRow) -> bool,
    ) -> bool {
        self.rows.get(&key(row)).is_some_and(|(exact, shown)| {
            of(exact) != Counts::default() && (shown.suppressed.is_some() || !told(shown))
        })
    }

    /// The days its last 24 months begin and end.
    fn window(&self) -> (&str, &str) {
        let exact = &self.table.exact;
        (&exact.last_24_months_from, &exact.run.cut_off)
    }

    /// The row as this run itself showed it.
    fn shown(&self, of: Key<'_>) -> Option<(&'a AdherenceRow, &'a AdherenceRow)> {
        let found = self.rows.get(&of).copied();
        found.filter(|(_, shown)| shown.suppressed.is_none() && shown.as_of.is_none())
    }

    /// Counts as computed; a level without a row has none.
    fn counts(&self, row: &AdherenceRow, of: &dyn Fn(&AdherenceRow) -> Counts) -> Counts {
        self.rows
            .get(&key(row))
            .map_or_else(Counts::default, |(exact, _)| of(exact))
    }
}

fn less(counts: Counts, part: Counts) -> Counts {
    std::array::from_fn(|at| counts[at] - part[at])
}

/// What is protected together, of a row: patients with a rate and, for the public, those in its parts.
fn counts_of_rate(row: &AdherenceRow, audience: &Audience) -> Counts {
    let basis = row.basis.unwrap_or_default();
    let assessable = Some(patients(row)[ASSESSABLE]);
    match audience {
        Audience::Public => counts([assessable, Some(basis.numerator), Some(basis.complement)]),
        _ => counts([assessable]),
    }
}

fn counts_set_aside(row: &AdherenceRow) -> Counts {
    let basis = row.basis.unwrap_or_default();
    counts([basis.excluded, basis.excepted, basis.not_in_denominator].map(Some))
}

/// Those set aside for whatever reason, too: how many they are follows from the cases.
fn counts_aside_in_all(row: &AdherenceRow) -> Counts {
    let PatientBasis {
        excluded,
        excepted,
        not_in_denominator,
        ..
    } = row.basis.unwrap_or_default();
    let all = excluded + excepted + not_in_denominator;
    counts([excluded, excepted, not_in_denominator, all].map(Some))
}

/// The table of `new` as `audience` may see it beside `earlier`, which are all other published runs.
pub fn adherence_beside(
    new: &Tables,
    earlier: &[Tables],
    audience: &Audience,
    thresholds: &Thresholds,
) -> AdherenceTable {
    let threshold = thresholds.of(audience);
    let now = Rows::of(new);
    let mut runs: Vec<Rows<'_>> = earlier.iter().map(Rows::of).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.number()));
    let mut of_measure: BTreeMap<&str, Vec<(&AdherenceRow, &AdherenceRow)>> = BTreeMap::new();
    for (exact, shown) in new.exact.rows.iter().zip(&new.shown.rows) {
        of_measure.entry(&exact.measure).or_default().push((exact, shown));
    }
    let of_measures: Vec<OfMeasure<'_>> = of_measure
        .par_iter()
        .map(|(measure, both)| {
            let one = Measure {
                measure,
                both,
                now: &now,
                runs: &runs,
                audience,
                threshold,
            };
            let (shown, left) = one.rows();
            let keys = both.iter().map(|(exact, _)| key(exact));
            (keys.zip(shown).collect(), left)
        })
        .collect();
    let (listed, left): (Vec<_>, Vec<_>) = of_measures.into_iter().unzip();
    let left: BTreeSet<Level> = left.into_iter().flatten().collect();
    let empty = still_listed(&now, &runs, &left);
    let mut listed: HashMap<Key<'_>, AdherenceRow> = listed.into_iter().flatten().collect();
    let rows = new.exact.rows.iter().filter_map(|row| listed.remove(&key(row)));
    let rows: Vec<AdherenceRow> = rows.chain(empty).collect();
    AdherenceTable {
        rows_suppressed: rows.iter().filter(|row| row.suppressed.is_some()).count() as u32,
        rows_total: rows.len() as u32,
        rows,
        ..new.shown.clone()
    }
}

/// Rows of levels that all left, of every measure that ever listed them: a level that somebody is in lists them all. What was told of nobody
/// is told again, all else is hidden.
fn still_listed(now: &Rows<'_>, runs: &[Rows<'_>], left: &BTreeSet<Level>) -> Vec<AdherenceRow> {
    let mut all = Vec::new();
    for head in &now.table.exact.measures {
        for (by, period, level) in left {
            let of: Key<'_> = (&head.id, *by, *period, level);
            let last = runs.iter().find_map(|run| run.listed(of));
            let Some(last) = last.filter(|_| !now.rows.contains_key(&of)) else {
                continue;
            };
            let nobody = last.suppressed.is_none() && last.as_of.is_none() && last.denominator == Some(0);
            if !nobody {
                all.push(emptied(last.clone(), Some(FEW)));
                continue;
            }
            let aside = [last.excluded, last.excepted, last.not_in_denominator];
            let aside = if aside == [Some(0); 3] { Some(0) } else { None };
            all.push(AdherenceRow {
                excluded: aside,
                excepted: aside,
                not_in_denominator: aside,
                ..last.clone()
            });
        }
    }
    all
}

/// One measure of the new run.
struct Measure<'a> {
    measure: &'a str,
    both: &'a [(&'a AdherenceRow, &'a AdherenceRow)],
    now: &'a Rows<'a>,
    runs: &'a [Rows<'a>],
    audience: &'a Audience,
    threshold: u32,
}

impl Measure<'_> {
    /// The rows, and the levels that are not there any more and of which an earlier run hid somebody.
    fn rows(&self) -> (Vec<AdherenceRow>, Vec<Level>) {
        // Other levels that are not there any more are known to be empty.
        let gone = self.gone();
        let mut all: Vec<&AdherenceRow> = self.both.iter().map(|(exact, _)| *exact).collect();
        all.extend(&gone);
        let listed = self.both.len();
        let rate = |row: &AdherenceRow| counts_of_rate(row, self.audience);
        let told = |at: usize| {
            self.both
                .get(at)
                .is_some_and(|(_, shown)| shown.suppressed.is_none())
        };
        let by_centres: Vec<bool> = all
            .iter()
            .map(|row| self.one_centre_alone(row, &rate, &|_| true))
            .collect();
        let held = self.held(&all, ASSESSABLE, &rate, &told, &|_| true, &by_centres);
        let told = |at: usize| {
            let (held, row) = (held.get(at), self.both.get(at));
            held == Some(&false)
                && row.is_some_and(|(_, shown)| shown.suppressed.is_none() && shown.excluded.is_some())
        };
        let then = |shown: &AdherenceRow| shown.excluded.is_some();
        let by_centres: Vec<bool> = all
            .iter()
            .map(|row| self.one_centre_alone(row, &counts_aside_in_all, &then))
            .collect();
        let aside = self.held(&all, SET_ASIDE, &counts_set_aside, &told, &then, &by_centres);
        let rows = self.both.iter().zip(held.iter().zip(aside)).take(listed);
        let rows = rows.map(|((exact, shown), (held, aside))| {
            if *held {
                return self.as_shown_last(exact);
            }
            let mut row = (*shown).clone();
            if aside {
                (row.excluded, row.excepted, row.not_in_denominator) = (None, None, None);
            }
            row
        });
        let rows = rows.collect();
        let hid = |row: &&AdherenceRow| {
            self.left(row, &rate, &|_| true) || self.left(row, &counts_set_aside, &then)
        };
        let left = gone.iter().filter(hid);
        (
            rows,
            left.map(|row| (row.by, row.period, row.level.clone())).collect(),
        )
    }

    /// Whether nobody is there any more of those that an earlier run hid.
    fn left(
        &self,
        row: &AdherenceRow,
        of: &dyn Fn(&AdherenceRow) -> Counts,
        told: &dyn Fn(&AdherenceRow) -> bool,
    ) -> bool {
        of(row) == Counts::default() && self.runs.iter().any(|run| run.hid(row, of, told))
    }

    /// Empty rows for levels that only earlier runs have.
    fn gone(&self) -> Vec<AdherenceRow> {
        let mut gone: BTreeMap<(By, Period, &str), &AdherenceRow> = BTreeMap::new();
        for run in self.runs {
            let of_measure = run.rows.iter().filter(|(of, _)| of.0 == self.measure);
            for (of, (exact, _)) in of_measure.filter(|(of, _)| !self.now.rows.contains_key(*of)) {
                gone.insert((of.1, of.2, of.3), exact);
            }
        }
        let empty = |row: &&AdherenceRow| emptied((*row).clone(), None);
        gone.values().map(empty).collect()
    }

    /// What is held back of one quantity. `told` says which rows the new run alone tells, `then` which of the rows an earlier run showed told it.
    fn held(
        &self,
        all: &[&AdherenceRow],
        quantity: usize,
        of: &dyn Fn(&AdherenceRow) -> Counts,
        told: &dyn Fn(usize) -> bool,
        then: &dyn Fn(&AdherenceRow) -> bool,
        anyway: &[bool],
    ) -> Vec<bool> {
        let mut family = Family::default();
        let cells: Vec<[usize; QUANTITIES]> = (0..all.len()).map(|at| [at; QUANTITIES]).collect();
        family.cells = vec![Cell::of(0); all.len()];
        sums(
            &mut family,
            all,
            &self.now.table.exact.centre_tertiles,
            &cells,
            quantity,
        );
        let in_every_run = family.sums.len();
        recent(&mut family, all, &self.now.table.exact, &cells, quantity);
        let window = self.now.window();
        let left: Vec<bool> = all.iter().map(|row| self.left(row, of, then)).collect();
        let mut new: Vec<New> = Vec::with_capacity(family.cells.len());
        for (at, row) in all.iter().enumerate() {
            let (counts, gone) = (of(row), at >= self.both.len());
            new.push(New {
                counts,
                shown: told(at) || gone && !left[at],
                fixed: !left[at] && (gone || counts == Counts::default()),
                unchanged: quantity != ASSESSABLE,
            });
        }
        // The older cases, which nobody publishes.
        new.resize(family.cells.len(), New::UNTOLD);
        let runs: Vec<Earlier<'_>> = self
            .runs
            .iter()
            .map(|run| {
                let known = |row: &&AdherenceRow| match run.shown(key(row)) {
                    Some((exact, shown)) => then(shown).then(|| of(exact)),
                    None => run
                        .says_nobody(self.measure, key(row))
                        .then_some(Counts::default()),
                };
                // What is left of the last 24 months is the same only while they are.
                let of_another_window = family.sums.get(..in_every_run).filter(|_| run.window() != window);
                Earlier {
                    told: all.iter().map(known).collect(),
                    sums: of_another_window.unwrap_or(&family.sums),
                }
            })
            .collect();
        let successive = Successive {
            new: &new,
            sums: &family.sums,
            runs: &runs,
            left: &left,
            threshold: self.threshold,
        };
        successive.held(anyway)
    }

    /// Whether the network's row changed by few besides what one centre knows of itself, since a run that showed it and of which `then` holds.
    fn one_centre_alone(
        &self,
        row: &AdherenceRow,
        of: &dyn Fn(&AdherenceRow) -> Counts,
        then: &dyn Fn(&AdherenceRow) -> bool,
    ) -> bool {
        let centres = || {
            self.both
                .iter()
                .filter(|(one, _)| one.by == By::Centre && one.period == row.period)
        };
        let showed = |run: &&Rows<'_>| run.shown(key(row)).is_some_and(|(_, shown)| then(shown));
        row.by == By::Network
            && self.runs.iter().filter(showed).any(|run| {
                let change = |row: &AdherenceRow| less(of(row), run.counts(row, of));
                centres().any(|(centre, _)| self.any_few(less(change(row), change(centre))))
            })
    }

    fn any_few(&self, changes: Counts) -> bool {
        let are_few =
            |by: i64| u32::try_from(by.unsigned_abs()).is_ok_and(|change| few(change, self.threshold));
        changes.into_iter().any(are_few)
    }

    /// Whether a centre could subtract itself from the network's row as a run showed it.
    fn alone_in(&self, run: &Rows<'_>, row: &AdherenceRow, of: &dyn Fn(&AdherenceRow) -> Counts) -> bool {
        let others = |centre: &AdherenceRow| less(run.counts(row, of), run.counts(centre, of));
        let mut centres = run
            .table
            .exact
            .rows
            .iter()
            .filter(|one| one.measure == row.measure && one.by == By::Centre && one.period == row.period);
        row.by == By::Network && centres.any(|centre| self.any_few(others(centre)))
    }

    /// The row as the newest earlier run that showed it did; hidden when there is none of the same rules, or when a centre could subtract
    /// itself from it; without those set aside where it could subtract itself from them.
    fn as_shown_last(&self, row: &AdherenceRow) -> AdherenceRow {
        let now = &self.now.table.exact.run;
        let mut before = self.runs.iter().filter(|run| run.number() < now.run);
        let found = before.find_map(|run| Some((run, run.shown(key(row))?)));
        let of_same_rules = found.filter(|(run, _)| {
            let then = &run.table.exact.run;
            (&then.guideline, &then.guideline_version) == (&now.guideline, &now.guideline_version)
        });
        let rate = |row: &AdherenceRow| counts_of_rate(row, self.audience);
        let Some((run, (_, shown))) = of_same_rules.filter(|(run, _)| !self.alone_in(run, row, &rate)) else {
            return emptied(row.clone(), Some(FEW));
        };
        let mut kept = AdherenceRow {
            as_of: Some(run.number()),
            ..shown.clone()
        };
        if self.alone_in(run, row, &counts_aside_in_all) {
            (kept.excluded, kept.excepted, kept.not_in_denominator) = (None, None, None);
        }
        kept
    }
}
