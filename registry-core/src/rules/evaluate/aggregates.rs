//! COUNT, SUM, MIN_OF, MAX_OF, FIRST_DATE, LAST_DATE, COVERED and MAX_GAP over rows.

use std::ops::ControlFlow;

use super::super::program::{Coverage, Scan, Term};
use super::super::syntax::{Aggregate, Over};
use super::Evaluation;
use super::conditions::{Members, SetValue};
use super::dates::Earliest;
use super::rows::Extra;
use crate::rules::{Place, Range, Scalar, Truth, Unknown};

impl Evaluation<'_> {
    pub(super) fn aggregate(&self, aggregate: Aggregate, scan: &Scan) -> Scalar {
        match aggregate {
            Aggregate::Count => self.count(scan),
            Aggregate::FirstDate => self.first_date(scan),
            Aggregate::LastDate => self.last_date(scan),
        }
    }

    fn count(&self, scan: &Scan) -> Scalar {
        let ends = self.ends(scan);
        let (mut certain, mut possible) = (0.0, 0.0);
        let mut why = None;
        self.scan(scan, ends, Extra::Nothing, |_, truth| {
            match truth {
                Truth::Unknown(unknown) => {
                    possible += 1.0;
                    why = why.or(Some(unknown));
                }
                _ => certain += 1.0,
            }
            ControlFlow::Continue(())
        });
        match self.scan_closed(scan, ends) {
            Truth::Unknown(open) => Scalar::Range(Range::new(certain, f64::INFINITY, why.or(Some(open)))),
            _ => Scalar::Range(Range::new(certain, certain + possible, why)),
        }
    }

    pub(super) fn over(&self, over: Over, scan: &Scan, value: &Term) -> Scalar {
        let ends = self.ends(scan);
        let mut rows: Vec<(Range, Option<Unknown>)> = Vec::new();
        let mut unknown = None;
        self.scan(scan, ends, Extra::Nothing, |_, truth| {
            match self.term(value) {
                Scalar::Range(number) => rows.push((number, truth.unknown())),
                Scalar::None(_) => {}
                Scalar::Unknown(why) => {
                    unknown = Some(why);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        if let Some(unknown) = unknown {
            return Scalar::Unknown(unknown);
        }
        if over == Over::Sum {
            let lo = rows
                .iter()
                .filter(|(_, maybe)| maybe.is_none())
                .map(|(number, _)| number.lo)
                .sum();
            let hi = rows.iter().map(|(number, _)| number.hi).sum();
            let why = rows.iter().find_map(|(number, maybe)| maybe.or(number.why));
            return match self.scan_closed(scan, ends) {
                Truth::Unknown(open) => Scalar::Range(Range::new(lo, f64::INFINITY, why.or(Some(open)))),
                _ => Scalar::Range(Range::new(lo, hi, why)),
            };
        }
        // A row that only may count cannot raise the least nor lower the greatest value.
        let values = rows.into_iter().map(|(number, maybe)| match maybe {
            Some(unknown) => Scalar::Range(Range {
                maybe_none: true,
                why: Some(unknown),
                ..number
            }),
            None => Scalar::Range(number),
        });
        let found = if over == Over::Max {
            Scalar::latest(values)
        } else {
            Scalar::earliest(values)
        };
        found.unwrap_or(Scalar::None(Place::Section(scan.entity)))
    }

    fn first_date(&self, scan: &Scan) -> Scalar {
        let ends = self.ends(scan);
        let from = if let Some((Scalar::Range(from), _)) = ends {
            from.lo
        } else {
            f64::NEG_INFINITY
        };
        let mut earliest = Earliest::default();
        self.scan(scan, ends, Extra::Nothing, |row, truth| {
            let date = self.row_date(scan, row);
            match truth {
                Truth::Unknown(unknown) => earliest.possible(date, from, unknown),
                _ => earliest.definite(date),
            }
            ControlFlow::Continue(())
        });
        if let Some(found) = earliest.result() {
            return found;
        }
        match self.scan_closed(scan, ends) {
            Truth::Unknown(open) => Scalar::Range(Range::perhaps_from(from, open)),
            _ => Scalar::None(Place::Section(scan.entity)),
        }
    }

    fn last_date(&self, scan: &Scan) -> Scalar {
        let ends = self.ends(scan);
        let from = if let Some((Scalar::Range(from), _)) = ends {
            from.lo
        } else {
            f64::NEG_INFINITY
        };
        let (mut definite, mut lowest): (Option<Range>, f64) = (None, f64::INFINITY);
        let (mut latest, mut why) = (f64::NEG_INFINITY, None);
        self.scan(scan, ends, Extra::Nothing, |row, truth| {
            let date = match self.row_date(scan, row) {
                Scalar::Range(date) => date,
                Scalar::None(_) => return ControlFlow::Continue(()),
                Scalar::Unknown(unknown) => Range::new(from, f64::INFINITY, Some(unknown)),
            };
            why = why.or(truth.unknown()).or(date.why);
            latest = latest.max(date.hi);
            lowest = lowest.min(date.lo);
            if truth.is_true() {
                let lo = definite.map_or(date.lo, |other| other.lo.max(date.lo));
                definite = Some(Range::new(lo, lo, None));
            }
            ControlFlow::Continue(())
        });
        let closed = self.scan_closed(scan, ends);
        let open = closed.unknown();
        // An open section may still hold a later row, up to the end of the window.
        let limit = match (ends, self.cut()) {
            (Some((_, Scalar::Range(to))), _) => to.hi,
            (None, Scalar::Range(cut)) => cut.hi,
            _ => f64::INFINITY,
        };
        let hi = if open.is_some() { latest.max(limit) } else { latest };
        let why = why.or(open);
        match (definite, why) {
            (Some(definite), why) => Scalar::Range(Range::new(definite.lo, hi, why)),
            (None, None) => Scalar::None(Place::Section(scan.entity)),
            (None, Some(why)) => {
                let lo = if lowest.is_finite() && open.is_none() {
                    lowest
                } else {
                    from.min(lowest)
                };
                Scalar::Range(Range {
                    lo,
                    hi,
                    maybe_none: true,
                    why: Some(why),
                })
            }
        }
    }

    /// T when rows certain to count, of exact date and close together, hold the whole set; U when rows that may count
    /// could complete it; else as EXISTS without a row.
    pub(super) fn covered(&self, coverage: &Coverage) -> Truth {
        let scan = &coverage.scan;
        let ends = self.ends(scan);
        let pool = match self.term(&coverage.pool) {
            Scalar::Range(days) => days,
            Scalar::Unknown(unknown) => return Truth::Unknown(unknown),
            Scalar::None(_) => return Truth::False,
        };
        let wanted = match self.set(&coverage.set) {
            SetValue::Set(set) => set,
            SetValue::Unknown(unknown) => return Truth::Unknown(unknown),
            SetValue::None(_) => return Truth::False,
        };
        let cells = super::super::program::Set::Path(coverage.using);
        let mut rows: Vec<PooledRow> = Vec::new();
        self.scan(scan, ends, Extra::Nothing, |row, truth| {
            let date = match self.row_date(scan, row) {
                Scalar::Range(date) => date,
                Scalar::None(_) => return ControlFlow::Continue(()),
                Scalar::Unknown(unknown) => Range::new(f64::NEG_INFINITY, f64::INFINITY, Some(unknown)),
            };
            let (holds, unknown_set) = match self.set(&cells) {
                SetValue::Set(set) => (membership(&wanted, &set), None),
                SetValue::Unknown(unknown) => (u64::MAX, Some(unknown)),
                SetValue::None(_) => return ControlFlow::Continue(()),
            };
            rows.push(PooledRow {
                date,
                holds,
                doubt: truth.unknown().or(date.why).or(unknown_set),
            });
            ControlFlow::Continue(())
        });
        let everything = membership(&wanted, &wanted);
        let certain = |row: &&PooledRow| row.doubt.is_none();
        for first in rows.iter().filter(certain) {
            let close = rows
                .iter()
                .filter(certain)
                .filter(|row| row.date.lo >= first.date.lo && row.date.lo <= first.date.lo + pool.lo);
            if close.fold(0, |held, row| held | row.holds) & everything == everything {
                return Truth::True;
            }
        }
        for first in &rows {
            let start = first.date.hi;
            let close = || {
                rows.iter()
                    .filter(|row| row.date.hi >= start && row.date.lo <= start + pool.hi)
            };
            if close().fold(0, |held, row| held | row.holds) & everything == everything
                && let Some(doubt) = close().find_map(|row| row.doubt)
            {
                return Truth::Unknown(doubt);
            }
        }
        match self.scan_closed(scan, ends) {
            Truth::True => Truth::known(everything == 0),
            open => open,
        }
    }

    pub(super) fn max_gap(&self, scan: &Scan, from: &Term, to: &Term) -> Scalar {
        let (start, end) = match (self.term(from), self.term(to)) {
            (Scalar::Unknown(unknown), _) | (_, Scalar::Unknown(unknown)) => return Scalar::Unknown(unknown),
            (Scalar::None(place), _) => return Scalar::None(place),
            (Scalar::Range(start), Scalar::Range(end)) => (start, end),
            (Scalar::Range(start), Scalar::None(_)) => (start, Range::point(f64::INFINITY)),
        };
        let cut = if let Scalar::Range(cut) = self.cut() {
            cut.hi
        } else {
            f64::INFINITY
        };
        let (latest_end, earliest_end) = (end.hi.min(cut), end.lo.min(cut));
        let ends = self.ends(scan);
        let mut scans: Vec<(Range, bool)> = Vec::new();
        let mut why = start.why;
        self.scan(scan, ends, Extra::Nothing, |row, truth| {
            match self.row_date(scan, row) {
                Scalar::Range(date) => {
                    why = why.or(truth.unknown()).or(date.why);
                    scans.push((date, truth.is_true() && date.is_exact()));
                }
                Scalar::Unknown(unknown) => {
                    why = why.or(truth.unknown()).or(Some(unknown));
                    scans.push((Range::new(f64::NEG_INFINITY, f64::INFINITY, Some(unknown)), false));
                }
                Scalar::None(_) => {}
            }
            ControlFlow::Continue(())
        });
        why = why.or(end.why);
        scans.sort_by(|left, right| left.0.lo.total_cmp(&right.0.lo));
        let certain = scans
            .iter()
            .filter(|(_, certain)| *certain)
            .map(|(date, _)| *date);
        let hi = longest(start.lo, certain, latest_end);
        let closed = if scan.closed {
            Truth::True
        } else {
            self.closed(scan.entity, Some(Scalar::point(earliest_end)))
        };
        let lo = match closed {
            Truth::True => longest(start.hi, scans.iter().map(|(date, _)| *date), earliest_end),
            open => {
                why = why.or(open.unknown());
                0.0
            }
        };
        Scalar::Range(Range::new(lo.min(hi), hi, why))
    }
}

struct PooledRow {
    date: Range,
    /// Which wanted members it holds, one bit each.
    holds: u64,
    doubt: Option<Unknown>,
}

/// Which of the wanted members a set holds, one bit each; more than 63 members share the last bit.
fn membership(wanted: &Members<'_>, set: &Members<'_>) -> u64 {
    let (mut held, mut bit) = (0, 0);
    wanted.any(|member| {
        if set.contains(member) {
            held |= 1_u64 << bit;
        }
        bit = (bit + 1).min(63);
        false
    });
    held
}

/// The longest stretch from `start` over the scans to `end`; a scan of uncertain date fills its whole interval.
fn longest(start: f64, scans: impl Iterator<Item = Range>, end: f64) -> f64 {
    let (mut reached, mut longest) = (start, 0.0_f64);
    for scan in scans {
        if scan.hi < start || scan.lo > end {
            continue;
        }
        longest = longest.max(scan.lo - reached);
        reached = reached.max(scan.hi);
    }
    longest.max(end - reached)
}
