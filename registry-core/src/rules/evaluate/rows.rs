//! Scanning rows: which of them meet a quantifier, and how certainly.

use std::ops::ControlFlow;

use super::super::program::{Cond, Scan};
use super::super::syntax::Comparison;
use super::{Evaluation, scalar};
use crate::record::{CarriedRow, Cell};
use crate::rules::program::Code;
use crate::rules::{Place, Range, Scalar, Truth};

/// What a quantifier asks of each row beyond its condition and window.
#[derive(Clone, Copy)]
pub(super) enum Extra<'c> {
    Nothing,
    /// The row counts when this is false (ALL).
    Fails(&'c Cond),
}

impl<'a> Evaluation<'a> {
    /// Positions of the rows that count, in order.
    pub(super) fn each_active(&self, entity: u16) -> ActiveRows<'_> {
        match &self.active {
            Some(active) => ActiveRows::Listed(
                active
                    .get(usize::from(entity))
                    .map_or([].iter(), |rows| rows.iter()),
            ),
            None => ActiveRows::All(0..self.record.count(entity) as u32),
        }
    }

    /// Ends of the scan's window; no upper end counts as the unlimited future.
    pub(super) fn ends(&self, scan: &Scan) -> Option<(Scalar, Scalar)> {
        let (from, to) = self.window(scan.window.as_ref()?);
        let to = match to {
            Scalar::None(_) => Scalar::point(f64::INFINITY),
            Scalar::Range(range) if range.maybe_none => {
                Scalar::Range(Range::new(range.lo, f64::INFINITY, range.why))
            }
            other => other,
        };
        Some((from, to))
    }

    /// Whether no further row can exist up to the end of the window.
    pub(super) fn scan_closed(&self, scan: &Scan, ends: Option<(Scalar, Scalar)>) -> Truth {
        if scan.closed {
            return Truth::True;
        }
        self.closed(scan.entity, ends.map(|(_, to)| to))
    }

    /// Visits each row that is not certainly out, with the row bound; its date is given by [`Evaluation::row_date`].
    pub(super) fn scan(
        &self,
        scan: &Scan,
        ends: Option<(Scalar, Scalar)>,
        extra: Extra<'_>,
        mut visit: impl FnMut(u64, Truth) -> ControlFlow<()>,
    ) {
        self.each_row(scan, |row| {
            let truth = self.row_truth(scan, row, ends, extra);
            if truth.is_false() {
                ControlFlow::Continue(())
            } else {
                visit(row, truth)
            }
        });
    }

    /// Binds one row of the scanned entity after the other.
    pub(super) fn each_row(&self, scan: &Scan, mut visit: impl FnMut(u64) -> ControlFlow<()>) {
        let mut bound = |row: u64| {
            self.bind(scan.slot, row);
            visit(row)
        };
        if self.layout.reference == Some(scan.entity) {
            for row in self.centre_rows(scan) {
                if bound(row.to_bits()).is_break() {
                    return;
                }
            }
            return;
        }
        let from = scan.after.map_or(0, |slot| self.bound(slot) + 1);
        for row in self.each_active(scan.entity).from(from) {
            if bound(u64::from(row)).is_break() {
                return;
            }
        }
    }

    /// WHERE(r) AND the row's date in the window AND the extra demand; a part that is F ends the row.
    fn row_truth(&self, scan: &Scan, row: u64, ends: Option<(Scalar, Scalar)>, extra: Extra<'_>) -> Truth {
        let mut truth = scan
            .condition
            .as_ref()
            .map_or(Truth::True, |condition| self.cond(condition));
        if truth.is_false() {
            return truth;
        }
        if let Some((from, to)) = ends {
            truth = truth.and(inside(self.row_date(scan, row), from, to));
            if truth.is_false() {
                return truth;
            }
        }
        match extra {
            Extra::Nothing => truth,
            Extra::Fails(test) => truth.and(self.cond(test).negate()),
        }
    }

    /// The date of a scanned row: the element named with ON, or its anchor date.
    pub(super) fn row_date(&self, scan: &Scan, row: u64) -> Scalar {
        match scan.on {
            Some(element) => scalar(
                &self.bound_cell(scan.entity, row, element),
                Place::Element(scan.entity, element),
            ),
            None => self.anchor_date(scan.entity, row as u32),
        }
    }

    /// Rows of the centre table a scan can meet: those with the keys its condition asks for.
    fn centre_rows(&self, scan: &Scan) -> Vec<CarriedRow> {
        let keys = scan.keys.as_deref();
        let centre = match keys.and_then(|keys| keys.centre.as_ref()) {
            Some(Code::Literal(text)) => Some(&**text),
            Some(Code::Path(path)) => match self.cell(*path) {
                Cell::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let years = keys
            .and_then(|keys| keys.year.as_ref())
            .and_then(|year| match self.term(year) {
                Scalar::Range(year) if year.lo >= f64::from(i16::MIN) && year.hi <= f64::from(i16::MAX) => {
                    Some((year.lo as i32, year.hi as i32))
                }
                _ => None,
            });
        let through = match self.cut().year() {
            Scalar::Range(year) if year.hi.is_finite() => year.hi as i32,
            _ => i32::MIN,
        };
        self.record.centres().carried(centre, years, through).collect()
    }
}

/// `from <= date AND date <= to`.
pub(super) fn inside(date: Scalar, from: Scalar, to: Scalar) -> Truth {
    let after = from.compare(Comparison::LessOrEqual, date);
    if after.is_false() {
        return after;
    }
    after.and(date.compare(Comparison::LessOrEqual, to))
}

pub(super) enum ActiveRows<'a> {
    All(std::ops::Range<u32>),
    Listed(std::slice::Iter<'a, u32>),
}

impl ActiveRows<'_> {
    /// Those at this position and after.
    fn from(self, first: u64) -> Self {
        let before = |row: &u32| u64::from(*row) < first;
        match self {
            ActiveRows::All(rows) => {
                ActiveRows::All(u32::try_from(first).unwrap_or(u32::MAX).max(rows.start)..rows.end)
            }
            ActiveRows::Listed(rows) => {
                let rows = rows.as_slice();
                let first = rows.partition_point(before);
                ActiveRows::Listed(rows.get(first..).unwrap_or_default().iter())
            }
        }
    }
}

impl Iterator for ActiveRows<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self {
            ActiveRows::All(rows) => rows.next(),
            ActiveRows::Listed(rows) => rows.next().copied(),
        }
    }
}
