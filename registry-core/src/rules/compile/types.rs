//! Types of the language and how two of them meet.

use std::sync::Arc;

use super::super::program::{Code, Cond, Set, Term, Window};
use super::super::source::At;
use super::{Compiled, Compiler};

/// A compiled part of an expression and its type.
pub(super) enum Typed {
    Cond(Cond),
    Term(Term, TermType),
    Code(Code, Domain),
    Set(Set, Domain),
    Window(Window),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TermType {
    Number(Unit),
    Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    None,
    Days,
    Months,
}

impl Unit {
    /// The unit two numbers have in common; a number without one goes with any.
    pub(super) fn meet(self, other: Unit) -> Option<Unit> {
        match (self, other) {
            (Unit::None, unit) | (unit, Unit::None) => Some(unit),
            (left, right) if left == right => Some(left),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Unit::None => "a plain number",
            Unit::Days => "a number of days",
            Unit::Months => "a number of months",
        }
    }
}

/// Which codes a code or set can hold.
#[derive(Debug, Clone)]
pub(super) enum Domain {
    /// Any text.
    Open,
    /// The codes of an element's list.
    List(Arc<[String]>),
    /// Codes written in the rule, a parameter or a table, and where.
    Written(Vec<(At, String)>),
}

impl Typed {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Typed::Cond(_) => "a condition",
            Typed::Term(_, TermType::Date) => "a date",
            Typed::Term(_, TermType::Number(unit)) => unit.word(),
            Typed::Code(..) => "a code",
            Typed::Set(..) => "a set of codes",
            Typed::Window(_) => "a window",
        }
    }
}

impl Compiler<'_> {
    /// What stands beside one another, as branches or members: written codes must be in the other's list, two lists are one.
    pub(super) fn joined(&mut self, at: At, left: Domain, right: Domain) -> Compiled<Domain> {
        Ok(match (left, right) {
            (Domain::Written(mut left), Domain::Written(right)) => {
                left.extend(right);
                Domain::Written(left)
            }
            (written @ Domain::Written(_), list) | (list, written @ Domain::Written(_)) => {
                self.meet(at, &written, &list)?;
                list
            }
            (Domain::List(left), Domain::List(right)) if left == right => Domain::List(left),
            (Domain::List(left), Domain::List(right)) => {
                let more = right.iter().filter(|code| !left.contains(code));
                Domain::List(left.iter().chain(more).cloned().collect())
            }
            _ => Domain::Open,
        })
    }

    /// Two codes or sets meet: written codes must be in the other's list.
    pub(super) fn meet(&mut self, at: At, left: &Domain, right: &Domain) -> Compiled<()> {
        match (left, right) {
            (Domain::Written(written), Domain::List(list))
            | (Domain::List(list), Domain::Written(written)) => {
                let stray: Vec<_> = written.iter().filter(|(_, code)| !list.contains(code)).collect();
                for (at, code) in &stray {
                    let known = if list.len() <= 12 {
                        list.join(", ")
                    } else {
                        format!("{} codes", list.len())
                    };
                    let _: Compiled<()> = self.fault(
                        *at,
                        "code_not_in_list",
                        format!("`{code}` is not in the list of the element ({known})"),
                    );
                }
                if stray.is_empty() {
                    Ok(())
                } else {
                    Err(super::Reported)
                }
            }
            (Domain::List(left), Domain::List(right)) if !left.iter().any(|code| right.contains(code)) => {
                self.fault(at, "different_types", "these two elements have no code in common")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn wanted<T>(&mut self, at: At, wanted: &str, found: &Typed) -> Compiled<T> {
        let code = match (wanted, found) {
            (_, Typed::Window(_)) => "window_misplaced",
            ("a window", Typed::Term(_, TermType::Date)) => "window_misplaced",
            ("a code", Typed::Set(..)) | ("a set of codes", Typed::Code(..)) => "set_or_code",
            _ => "different_types",
        };
        self.fault(at, code, format!("expected {wanted}, found {}", found.describe()))
    }
}
