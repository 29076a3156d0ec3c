//! Truth of a condition.

use std::ops::ControlFlow;

use super::super::program::{Code, Cond, LeafTest, Set, SetTest};
use super::rows::Extra;
use super::{Evaluation, leaf_unknown};
use crate::record::{Absence, Cell, TextSet};
use crate::rules::{Place, Reason, Scalar, Truth, Unknown};

/// What a code is.
pub(super) enum CodeValue<'v> {
    Code(&'v str),
    None(Place),
    Unknown(Unknown),
}

/// What a set is.
pub(super) enum SetValue<'v> {
    Set(Members<'v>),
    None(Place),
    Unknown(Unknown),
}

pub(super) enum Members<'v> {
    Recorded(TextSet<'v>),
    /// In order.
    Fixed(&'v [String]),
    Listed(Vec<&'v str>),
}

impl Members<'_> {
    pub(super) fn contains(&self, code: &str) -> bool {
        match self {
            Members::Fixed(codes) => codes.binary_search_by(|member| member.as_str().cmp(code)).is_ok(),
            _ => self.any(|member| member == code),
        }
    }

    pub(super) fn any(&self, mut test: impl FnMut(&str) -> bool) -> bool {
        match self {
            Members::Recorded(set) => set.iter().any(test),
            Members::Fixed(list) => list.iter().any(|member| test(member)),
            Members::Listed(list) => list.iter().any(|member| test(member)),
        }
    }

    fn within(&self, other: &Members<'_>) -> bool {
        !self.any(|member| !other.contains(member))
    }
}

impl Evaluation<'_> {
    pub(crate) fn cond(&self, cond: &Cond) -> Truth {
        match cond {
            Cond::Constant(value) => Truth::known(*value),
            Cond::And(operands) => {
                let mut all = Truth::True;
                for operand in operands {
                    all = all.and(self.cond(operand));
                    if all.is_false() {
                        break;
                    }
                }
                all
            }
            Cond::Or(operands) => {
                let mut any = Truth::False;
                for operand in &operands.all {
                    any = any.or(self.cond(operand));
                    if any.is_true() {
                        break;
                    }
                }
                any
            }
            Cond::Not(operand) => self.cond(operand).negate(),
            Cond::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                match self.cond(condition) {
                    Truth::True => self.cond(then),
                    Truth::False => self.cond(otherwise),
                    unknown => match (self.cond(then), self.cond(otherwise)) {
                        (Truth::True, Truth::True) => Truth::True,
                        (Truth::False, Truth::False) => Truth::False,
                        _ => unknown,
                    },
                }
            }
            Cond::Compare(comparison, operands) => {
                let [left, right] = &**operands;
                self.term(left).compare(*comparison, self.term(right))
            }
            Cond::Inside(value, window) => {
                let (from, to) = self.window(window);
                let to = if let Scalar::None(_) = to {
                    Scalar::point(f64::INFINITY)
                } else {
                    to
                };
                super::rows::inside(self.term(value), from, to)
            }
            Cond::Flag {
                path,
                expected,
                negated,
            } => match self.cell(*path) {
                Cell::Boolean(value) => Truth::known((value == *expected) != *negated),
                other => leaf_verdict(&other, path.place(), *negated),
            },
            Cond::SameCode { operands, negated } => {
                let [left, right] = &**operands;
                if let (Code::Path(path), Code::Literal(text)) = (left, right) {
                    return match self.cell(*path) {
                        Cell::Text(code) => Truth::known((code == &**text) != *negated),
                        other => leaf_verdict(&other, path.place(), *negated),
                    };
                }
                match (self.code(left), self.code(right)) {
                    (CodeValue::Unknown(unknown), _) | (_, CodeValue::Unknown(unknown)) => {
                        Truth::Unknown(unknown)
                    }
                    (CodeValue::None(place), _) | (_, CodeValue::None(place)) => {
                        none_verdict(place, *negated)
                    }
                    (CodeValue::Code(left), CodeValue::Code(right)) => {
                        Truth::known((left == right) != *negated)
                    }
                }
            }
            Cond::SameSet { operands, negated } => {
                let [left, right] = &**operands;
                self.sets(left, right, *negated, |left, right| {
                    left.within(right) && right.within(left)
                })
            }
            Cond::Member { code, set, negated } => match (self.code(code), self.set(set)) {
                (CodeValue::Unknown(unknown), _) | (_, SetValue::Unknown(unknown)) => Truth::Unknown(unknown),
                (CodeValue::None(place), _) | (_, SetValue::None(place)) => none_verdict(place, *negated),
                (CodeValue::Code(code), SetValue::Set(set)) => Truth::known(set.contains(code) != *negated),
            },
            Cond::Has(set, code) => match (self.set(set), self.code(code)) {
                (SetValue::Unknown(unknown), _) | (_, CodeValue::Unknown(unknown)) => Truth::Unknown(unknown),
                (SetValue::None(_), _) | (_, CodeValue::None(_)) => Truth::False,
                (SetValue::Set(set), CodeValue::Code(code)) => Truth::known(set.contains(code)),
            },
            Cond::Overlap(test, operands) => {
                let [left, right] = &**operands;
                self.sets(left, right, false, |left, right| match test {
                    SetTest::HasAny => left.any(|member| right.contains(member)),
                    SetTest::HasAll => right.within(left),
                    SetTest::Subset => left.within(right),
                })
            }
            Cond::Leaf(test, path) => leaf_test(*test, &self.cell(*path), path.place()),
            Cond::Absent(path, absence) => Truth::known(self.cell(*path) == Cell::Absent(*absence)),
            Cond::IsNone(date) => match self.term(date) {
                Scalar::None(_) => Truth::True,
                Scalar::Unknown(unknown) => Truth::Unknown(unknown),
                Scalar::Range(date) => match date.why {
                    Some(why) if date.maybe_none => Truth::Unknown(why),
                    _ => Truth::False,
                },
            },
            Cond::Matches(code, pattern) => match self.code(code) {
                CodeValue::Code(code) => Truth::known(pattern.0.is_match(code)),
                CodeValue::None(_) => Truth::False,
                CodeValue::Unknown(unknown) => Truth::Unknown(unknown),
            },
            Cond::DiedBy(day) => self.died_by(self.term(day)),
            Cond::Attested(entity, day) => Truth::known(self.closed(*entity, Some(self.term(day))).is_true()),
            Cond::Implausible(path) => Truth::Unknown(Unknown {
                reason: Reason::EditError,
                place: path.place(),
            }),
            Cond::Exists(scan) => self.exists(scan, Extra::Nothing),
            Cond::All(scan, test) => self.exists(scan, Extra::Fails(test)).negate(),
            Cond::Covered(coverage) => self.covered(coverage),
            Cond::Denominator(measure) => match self.others {
                Some(others) => self.sheltered(|| others.denominator(self, *measure)),
                None => Truth::False,
            },
        }
    }

    /// T when a row is T; else U of the first row that is U; else F when closed, else U of the closure.
    fn exists(&self, scan: &super::super::program::Scan, extra: Extra<'_>) -> Truth {
        let ends = self.ends(scan);
        let mut found = Truth::False;
        self.scan(scan, ends, extra, |_, truth| {
            found = found.or(truth);
            if found.is_true() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if !found.is_false() {
            return found;
        }
        match self.scan_closed(scan, ends) {
            Truth::True => Truth::False,
            open => open,
        }
    }

    fn sets(
        &self,
        left: &Set,
        right: &Set,
        negated: bool,
        test: impl Fn(&Members<'_>, &Members<'_>) -> bool,
    ) -> Truth {
        match (self.set(left), self.set(right)) {
            (SetValue::Unknown(unknown), _) | (_, SetValue::Unknown(unknown)) => Truth::Unknown(unknown),
            (SetValue::None(place), _) | (_, SetValue::None(place)) => none_verdict(place, negated),
            (SetValue::Set(left), SetValue::Set(right)) => Truth::known(test(&left, &right) != negated),
        }
    }

    pub(super) fn code<'v>(&'v self, code: &'v Code) -> CodeValue<'v> {
        match code {
            Code::Literal(text) => CodeValue::Code(text),
            Code::Path(path) => match self.cell(*path) {
                Cell::Text(text) => CodeValue::Code(text),
                other => match leaf_unknown(&other, path.place()) {
                    Some(unknown) => CodeValue::Unknown(unknown),
                    None => CodeValue::None(path.place()),
                },
            },
            Code::Outcome(measure) => match self.others {
                Some(others) => match self.sheltered(|| others.outcome(self, *measure)) {
                    Ok(code) => CodeValue::Code(code),
                    Err(unknown) => CodeValue::Unknown(unknown),
                },
                None => CodeValue::None(Place::Section(self.layout.places.record)),
            },
            Code::If(condition, parts) => {
                let [then, otherwise] = &**parts;
                match self.cond(condition) {
                    Truth::True => self.code(then),
                    Truth::False => self.code(otherwise),
                    Truth::Unknown(unknown) => CodeValue::Unknown(unknown),
                }
            }
        }
    }

    pub(super) fn set<'v>(&'v self, set: &'v Set) -> SetValue<'v> {
        match set {
            Set::Fixed(codes) => SetValue::Set(Members::Fixed(codes.as_slice())),
            Set::Listed(codes) => {
                let mut listed = Vec::with_capacity(codes.len());
                for code in codes {
                    match self.code(code) {
                        CodeValue::Code(code) => listed.push(code),
                        // A member that cannot exist is no member.
                        CodeValue::None(_) => {}
                        CodeValue::Unknown(unknown) => return SetValue::Unknown(unknown),
                    }
                }
                SetValue::Set(Members::Listed(listed))
            }
            Set::Path(path) => match self.cell(*path) {
                Cell::Set(set) => SetValue::Set(Members::Recorded(set)),
                other => match leaf_unknown(&other, path.place()) {
                    Some(unknown) => SetValue::Unknown(unknown),
                    None => SetValue::None(path.place()),
                },
            },
            Set::Lookup(table, key) => match self.code(key) {
                CodeValue::Code(code) => SetValue::Set(Members::Fixed(table.codes(code))),
                CodeValue::None(place) => SetValue::None(place),
                CodeValue::Unknown(unknown) => SetValue::Unknown(unknown),
            },
            Set::If(condition, parts) => {
                let [then, otherwise] = &**parts;
                match self.cond(condition) {
                    Truth::True => self.set(then),
                    Truth::False => self.set(otherwise),
                    Truth::Unknown(unknown) => SetValue::Unknown(unknown),
                }
            }
        }
    }
}

/// The table of section 3 for a leaf without a value: F, or U for `<>` and NOT IN, when it is not applicable.
fn leaf_verdict(cell: &Cell<'_>, place: Place, negated: bool) -> Truth {
    leaf_unknown(cell, place).map_or_else(|| none_verdict(place, negated), Truth::Unknown)
}

fn none_verdict(place: Place, negated: bool) -> Truth {
    if negated {
        Truth::Unknown(Unknown {
            reason: Reason::UnknownRecorded,
            place,
        })
    } else {
        Truth::False
    }
}

/// REC, ASCERT, NA, KNOWN and MISSING, row by row of the table of section 3.
fn leaf_test(test: LeafTest, cell: &Cell<'_>, place: Place) -> Truth {
    let unknown = |reason| Truth::Unknown(Unknown { reason, place });
    match (test, cell) {
        (LeafTest::Known, Cell::Blocked) => Truth::True,
        (LeafTest::Known, _) => Truth::known(cell.is_value()),
        (LeafTest::Missing, _) => Truth::known(*cell == Cell::Missing),
        (_, Cell::Missing) => unknown(Reason::Missing),
        (_, Cell::Blocked) => unknown(Reason::EditError),
        (LeafTest::NotApplicable, Cell::Absent(absence)) => match absence {
            Absence::NotApplicable => Truth::True,
            Absence::Pending | Absence::Withheld => unknown(Reason::UnknownRecorded),
            Absence::NotDone | Absence::Unknown => Truth::False,
        },
        (LeafTest::NotApplicable, _) => Truth::False,
        (LeafTest::Recorded | LeafTest::Ascertained, Cell::Absent(absence)) => match absence {
            Absence::NotApplicable => Truth::True,
            Absence::NotDone => Truth::False,
            Absence::Unknown if test == LeafTest::Ascertained => Truth::False,
            Absence::Unknown | Absence::Pending | Absence::Withheld => unknown(Reason::UnknownRecorded),
        },
        (LeafTest::Recorded | LeafTest::Ascertained, _) => Truth::True,
    }
}
