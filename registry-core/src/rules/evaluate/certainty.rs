//! Whether a condition is certainly true, or certainly false, when nobody asks for the reason of an unknown: the same answers as
//! [`Evaluation::cond`], found without judging what cannot change them. An edit check fires on certainty only.

use std::ops::ControlFlow;

use super::super::program::{Asked, CellPath, Code, Cond, LeafTest, RowRef, Scan, Term};
use super::super::syntax::Comparison;
use super::Evaluation;
use super::rows::{Extra, inside};
use crate::record::Cell;
use crate::rules::{Range, Scalar};

/// A truth without the reason of an unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    True,
    False,
    Neither,
}

impl Certainty {
    fn of(truth: bool) -> Certainty {
        if truth { Certainty::True } else { Certainty::False }
    }
}

impl Evaluation<'_> {
    /// Whether a condition is T.
    pub(crate) fn holds(&self, cond: &Cond) -> bool {
        match cond {
            Cond::And(operands) => operands.iter().all(|operand| self.holds(operand)),
            Cond::Or(operands) => match operands.path() {
                Some(path) => self
                    .cell(path)
                    .as_text()
                    .is_some_and(|code| operands.of_code(code).any(|operand| self.holds(operand))),
                None => operands.all.iter().any(|operand| self.holds(operand)),
            },
            Cond::Not(operand) => self.fails(operand),
            Cond::Exists(scan) => self.some_row_holds(scan, Extra::Nothing),
            Cond::All(scan, test) => self.every_row_fails(scan, Extra::Fails(test)),
            leaf => match self.leaf(leaf) {
                Some(certainty) => certainty == Certainty::True,
                None => self.cond(leaf).is_true(),
            },
        }
    }

    /// Whether a condition is F.
    pub(crate) fn fails(&self, cond: &Cond) -> bool {
        match cond {
            Cond::And(operands) => operands.iter().any(|operand| self.fails(operand)),
            Cond::Or(operands) => operands.all.iter().all(|operand| self.fails(operand)),
            Cond::Not(operand) => self.holds(operand),
            Cond::Exists(scan) => self.every_row_fails(scan, Extra::Nothing),
            Cond::All(scan, test) => self.some_row_holds(scan, Extra::Fails(test)),
            leaf => match self.leaf(leaf) {
                Some(certainty) => certainty == Certainty::False,
                None => self.cond(leaf).is_false(),
            },
        }
    }

    /// Judges the leaves that checks ask most without the reason of an unknown; `None` leaves the others to [`Evaluation::cond`].
    fn leaf(&self, cond: &Cond) -> Option<Certainty> {
        match cond {
            Cond::SameCode { operands, negated } => match &**operands {
                [Code::Path(path), Code::Literal(code)] => {
                    Some(Certainty::of(self.holds_code(*path, code)? != *negated))
                }
                _ => None,
            },
            Cond::Compare(comparison, operands) => match (comparison, &**operands) {
                (Comparison::Greater, [Term::Index(left), Term::Index(right)]) => {
                    Some(Certainty::of(self.bound(*left) > self.bound(*right)))
                }
                (_, [Term::Path(left), right]) => {
                    let left = self.cell(*left);
                    if matches!(left, Cell::Missing | Cell::Blocked) {
                        return Some(Certainty::Neither);
                    }
                    let right = match right {
                        Term::Path(right) => bounds(self.cell(*right))?,
                        other => self.certain_range(other)?,
                    };
                    Some(
                        bounds(left)?
                            .compare(*comparison, right)
                            .map_or(Certainty::Neither, Certainty::of),
                    )
                }
                _ => None,
            },
            Cond::Leaf(LeafTest::Missing, path) => Some(Certainty::of(self.cell(*path) == Cell::Missing)),
            Cond::Absent(path, absence) => Some(Certainty::of(self.cell(*path) == Cell::Absent(*absence))),
            _ => None,
        }
    }

    /// What a term is, unless it may be NONE.
    fn certain_range(&self, term: &Term) -> Option<Range> {
        match self.term(term) {
            Scalar::Range(range) if !range.maybe_none => Some(range),
            _ => None,
        }
    }

    /// Whether a cell holds a code; `None` when it holds no text.
    fn holds_code(&self, path: CellPath, code: &str) -> Option<bool> {
        let row = match path.row {
            RowRef::Slot(slot) if self.layout.reference != Some(path.entity) => self.bound(slot) as u32,
            RowRef::Single => 0,
            RowRef::Slot(_) | RowRef::Anchor => return self.cell(path).as_text().map(|text| text == code),
        };
        self.note(path.entity, row, path.element);
        self.record
            .holds_text(path.entity, row as usize, path.element, code)
    }

    /// EXISTS is T: a row certainly meets all that is asked.
    fn some_row_holds(&self, scan: &Scan, extra: Extra<'_>) -> bool {
        if self.layout.reference != Some(scan.entity) && self.record.count(scan.entity) == 0 {
            return false;
        }
        if let Some(asked) = self.down_a_column(scan, extra) {
            return self.some_cell_holds(asked);
        }
        let ends = self.ends(scan);
        self.some_row(scan, |row| {
            scan.condition
                .as_ref()
                .is_none_or(|condition| self.holds(condition))
                && ends.is_none_or(|(from, to)| inside(self.row_date(scan, row), from, to).is_true())
                && match extra {
                    Extra::Nothing => true,
                    Extra::Fails(test) => self.fails(test),
                }
        })
    }

    /// What a scan asks for, when it is one element of every row there is and nobody wants to know which were read.
    fn down_a_column<'s>(&self, scan: &'s Scan, extra: Extra<'_>) -> Option<Asked<'s>> {
        let every_row = self.reads.is_none()
            && self.active.is_none()
            && self.layout.reference != Some(scan.entity)
            && matches!(extra, Extra::Nothing);
        every_row.then(|| scan.only_asks()).flatten()
    }

    /// The same for a scan that asks for one element only: down its column.
    fn some_cell_holds(&self, asked: Asked<'_>) -> bool {
        match asked {
            Asked::Code(path, code) => {
                let mut column = self.last_column.borrow_mut();
                column.holds(self.record, (path.entity, path.element), code)
            }
            Asked::Comparison(path, comparison, right) => self.certain_range(right).is_some_and(|right| {
                self.record
                    .column(path.entity, path.element)
                    .any(|cell| bounds(cell).and_then(|left| left.compare(comparison, right)) == Some(true))
            }),
        }
    }

    /// EXISTS is F: no further row can come, and each there is certainly misses something that is asked.
    fn every_row_fails(&self, scan: &Scan, extra: Extra<'_>) -> bool {
        if let Some(asked @ Asked::Code(..)) = self.down_a_column(scan, extra)
            && self.some_cell_holds(asked)
        {
            return false;
        }
        let ends = self.ends(scan);
        self.scan_closed(scan, ends).is_true()
            && !self.some_row(scan, |row| {
                let out = scan
                    .condition
                    .as_ref()
                    .is_some_and(|condition| self.fails(condition))
                    || ends.is_some_and(|(from, to)| inside(self.row_date(scan, row), from, to).is_false())
                    || match extra {
                        Extra::Nothing => false,
                        Extra::Fails(test) => self.holds(test),
                    };
                !out
            })
    }

    fn some_row(&self, scan: &Scan, test: impl Fn(u64) -> bool) -> bool {
        let mut found = false;
        self.each_row(scan, |row| {
            found = test(row);
            if found {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        found
    }
}

/// A number or date without what explains its width.
fn bounds(cell: Cell<'_>) -> Option<Range> {
    match cell {
        Cell::Number(number) => Some(Range::point(number)),
        Cell::Date(date) => Some(Range::new(f64::from(date.first()), f64::from(date.last()), None)),
        _ => None,
    }
}
