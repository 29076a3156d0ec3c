//! Numbers, dates and windows.

use super::super::Place;
use super::super::program::{CellPath, Code, RowRef, Term, Window};
use super::super::range::Range;
use super::super::source::At;
use super::super::syntax::{self, Expr, Node, Operation, Over};
use super::types::{TermType, Typed, Unit};
use super::{Compiled, Compiler, Role};

impl Compiler<'_> {
    /// An expression that must be a number or a date.
    pub(super) fn term(&mut self, expr: &Expr) -> Compiled<(Term, TermType)> {
        let at = expr.at;
        let number = |value: f64, unit| (Term::Constant(Range::point(value)), TermType::Number(unit));
        Ok(match &expr.node {
            Node::Number(value) => number(*value, Unit::None),
            Node::Days(days) => number(f64::from(*days), Unit::Days),
            Node::Months(months) => number(f64::from(*months), Unit::Months),
            Node::Arithmetic(operation, left, right) => {
                let (first, second) = (self.operand(left), self.operand(right));
                self.arithmetic(at, *operation, first?, second?)?
            }
            Node::Aggregate(aggregate, rows) => {
                let scan = Box::new(self.scan(rows, |_| Ok(()))?.0);
                let kind = match aggregate {
                    syntax::Aggregate::Count => TermType::Number(Unit::None),
                    syntax::Aggregate::FirstDate | syntax::Aggregate::LastDate => {
                        self.need_anchor(&scan, rows)?;
                        TermType::Date
                    }
                };
                (Term::Aggregate(*aggregate, scan), kind)
            }
            Node::Over(over, rows, value) => {
                if *over != Over::Sum && self.role != Role::EditCheck {
                    return self.fault(
                        at,
                        "only_in_edit_checks",
                        format!("{} is for edit checks only", over.word()),
                    );
                }
                let (scan, (term, kind)) = self.scan(rows, |compiler| compiler.operand(value))?;
                if *over == Over::Sum && kind == TermType::Date {
                    return self.fault(
                        value.at,
                        "different_types",
                        "dates do not add up: SUM takes a number",
                    );
                }
                (Term::Over(*over, Box::new(scan), Box::new(term)), kind)
            }
            Node::MaxGap { rows, from, to } => {
                let ends = self.dates(from, to);
                let scan = self.scan(rows, |_| Ok(()))?.0;
                self.need_anchor(&scan, rows)?;
                let [from, to] = *ends?;
                let term = Term::MaxGap {
                    scan: Box::new(scan),
                    from: Box::new(from),
                    to: Box::new(to),
                };
                (term, TermType::Number(Unit::Days))
            }
            _ => return self.operand(expr),
        })
    }

    pub(super) fn operand(&mut self, expr: &Expr) -> Compiled<(Term, TermType)> {
        match self.typed(expr)? {
            Typed::Term(term, kind) => Ok((term, kind)),
            other => self.wanted(expr.at, "a number or a date", &other),
        }
    }

    /// An expression that must be a number; the unit is given back.
    pub(super) fn number(&mut self, expr: &Expr) -> Compiled<(Term, Unit)> {
        match self.typed(expr)? {
            Typed::Term(term, TermType::Number(unit)) => Ok((term, unit)),
            other => self.wanted(expr.at, "a number", &other),
        }
    }

    fn arithmetic(
        &mut self,
        at: At,
        operation: Operation,
        (left, kind): (Term, TermType),
        (right, other): (Term, TermType),
    ) -> Compiled<(Term, TermType)> {
        use Operation::{Add, Divide, Multiply, Subtract};
        use TermType::{Date, Number};
        // A duration may come first in a sum.
        let swap = operation == Add && kind != Date && other == Date;
        let ((left, kind), (right, other)) = if swap {
            ((right, other), (left, kind))
        } else {
            ((left, kind), (right, other))
        };
        let place = first_place(&right).or_else(|| first_place(&left));
        let operands = Box::new([left, right]);
        let term = match (operation, kind, other) {
            (Add, Date, Number(Unit::Days)) => (Term::Add(operands), Date),
            (Subtract, Date, Number(Unit::Days)) => (Term::Subtract(operands), Date),
            (Add, Date, Number(Unit::Months)) => (Term::AddMonths(operands), Date),
            (Subtract, Date, Number(Unit::Months)) => (Term::SubtractMonths(operands), Date),
            (Add | Subtract, Date, Number(Unit::None)) => {
                return self.fault(
                    at,
                    "unitless_duration",
                    "a date takes days or months, not a plain number",
                );
            }
            (Subtract, Date, Date) => {
                return self.fault(
                    at,
                    "different_types",
                    "dates are not subtracted: use DAYS or MONTHS",
                );
            }
            (_, Date, _) | (_, _, Date) => {
                return self.fault(
                    at,
                    "different_types",
                    "a date takes only `+` or `-` with days or months",
                );
            }
            (Add | Subtract, Number(first), Number(second)) => match first.meet(second) {
                Some(unit) if operation == Add => (Term::Add(operands), Number(unit)),
                Some(unit) => (Term::Subtract(operands), Number(unit)),
                None => return self.fault(at, "different_types", "days and months do not add up"),
            },
            (Multiply, Number(first), Number(second)) => match (first, second) {
                (Unit::None, unit) | (unit, Unit::None) => (Term::Multiply(operands), Number(unit)),
                _ => return self.fault(at, "different_types", "two numbers with units do not multiply"),
            },
            (Divide, Number(first), Number(second)) => {
                let unit = match (first, second) {
                    (unit, Unit::None) => unit,
                    (first, second) if first == second => Unit::None,
                    _ => return self.fault(at, "different_types", "these units do not divide"),
                };
                // Dividing constants alone needs no place: it is known to be plain when written.
                let place = place.unwrap_or(Place::Section(self.layout().places.record));
                (Term::Divide(operands, place), Number(unit))
            }
        };
        Ok(term)
    }

    /// `[a, b]`, PRE or PRE0, and the type of its ends.
    pub(super) fn range(&mut self, window: &syntax::Window) -> Compiled<(Window, TermType)> {
        match window {
            syntax::Window::Pre => {
                self.need_windows(At::default(), "PRE")?;
                Ok((Window::Pre, TermType::Date))
            }
            syntax::Window::Pre0 => {
                self.need_windows(At::default(), "PRE0")?;
                Ok((Window::Pre0, TermType::Date))
            }
            syntax::Window::Range(from, to) => {
                let (first, second) = (self.operand(from), self.operand(to));
                let ((first, kind), (second, other)) = (first?, second?);
                let joined = match (kind, other) {
                    (TermType::Date, TermType::Date) => Some(TermType::Date),
                    (TermType::Number(left), TermType::Number(right)) => {
                        left.meet(right).map(TermType::Number)
                    }
                    _ => None,
                };
                match joined {
                    Some(kind) => Ok((Window::Range(Box::new([first, second])), kind)),
                    None => {
                        let at = At {
                            start: from.at.start,
                            end: to.at.end,
                        };
                        self.fault(at, "different_types", "the two ends of a range are of one type")
                    }
                }
            }
        }
    }

    /// A window of dates, as after WITHIN.
    pub(super) fn window(&mut self, window: &syntax::Window) -> Compiled<Window> {
        let (compiled, kind) = self.range(window)?;
        if kind != TermType::Date {
            let at = match window {
                syntax::Window::Range(from, to) => At {
                    start: from.at.start,
                    end: to.at.end,
                },
                _ => At::default(),
            };
            return self.fault(at, "window_misplaced", "WITHIN takes a window of dates");
        }
        Ok(compiled)
    }
}

/// The first element a term reads.
fn first_place(term: &Term) -> Option<Place> {
    let cell = |path: &CellPath| Some(path.place());
    match term {
        Term::Path(path) | Term::OpenEnd { path, .. } => cell(path),
        Term::Add(both)
        | Term::Subtract(both)
        | Term::Multiply(both)
        | Term::Divide(both, _)
        | Term::Days(both) => both.iter().find_map(first_place),
        Term::Aggregate(_, scan) | Term::Over(_, scan, _) => Some(Place::Section(scan.entity)),
        _ => None,
    }
}

/// Whether a part of a program reads the row in `slot`.
pub(super) fn term_reads(term: &Term, slot: u8) -> bool {
    let both = |both: &[Term]| both.iter().any(|term| term_reads(term, slot));
    match term {
        Term::Constant(_) | Term::Named(_) => false,
        Term::Path(path) => path.row == RowRef::Slot(slot),
        Term::Year(inner) | Term::AgeAt(inner) | Term::Absolute(inner) => term_reads(inner, slot),
        Term::Add(pair) | Term::Subtract(pair) | Term::Days(pair) => both(&pair[..]),
        // Anything else is taken to read it.
        _ => true,
    }
}

pub(super) fn code_reads(code: &Code, slot: u8) -> bool {
    match code {
        Code::Literal(_) | Code::Outcome(_) => false,
        Code::Path(path) => path.row == RowRef::Slot(slot),
        Code::If(..) => true,
    }
}
