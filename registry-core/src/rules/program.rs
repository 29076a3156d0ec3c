//! Compiled rules: names are positions, types are settled, texts are gone.

use std::sync::Arc;

use super::syntax::{Aggregate, Comparison, Over};
use super::{Place, Range};

/// The row a path reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowRef {
    /// The unit or scoped row (0), or the row bound by the quantifier at that depth (1 and up).
    Slot(u8),
    /// The anchor presentation of the unit.
    Anchor,
    /// The row of a 1..1 entity.
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellPath {
    pub(crate) row: RowRef,
    pub(crate) entity: u16,
    pub(crate) element: u16,
}

impl CellPath {
    pub(crate) fn place(self) -> Place {
        Place::Element(self.entity, self.element)
    }
}

/// A condition: T, F or U.
#[derive(Debug, Clone)]
pub(crate) enum Cond {
    Constant(bool),
    And(Box<[Cond]>),
    Or(Alternatives),
    Not(Box<Cond>),
    If(Box<[Cond; 3]>),
    Compare(Comparison, Box<[Term; 2]>),
    /// `value IN [from, to]`.
    Inside(Box<Term>, Window),
    /// A boolean element against a literal; `negated` for `<>`.
    Flag {
        path: CellPath,
        expected: bool,
        negated: bool,
    },
    SameCode {
        operands: Box<[Code; 2]>,
        negated: bool,
    },
    SameSet {
        operands: Box<[Set; 2]>,
        negated: bool,
    },
    Member {
        code: Box<Code>,
        set: Box<Set>,
        negated: bool,
    },
    Has(Box<Set>, Box<Code>),
    Overlap(SetTest, Box<[Set; 2]>),
    Leaf(LeafTest, CellPath),
    Absent(CellPath, crate::record::Absence),
    IsNone(Box<Term>),
    Matches(Box<Code>, Pattern),
    DiedBy(Box<Term>),
    Attested(u16, Box<Term>),
    /// `UNKNOWN(path)`.
    Implausible(CellPath),
    Exists(Box<Scan>),
    All(Box<Scan>, Box<Cond>),
    Covered(Box<Coverage>),
    /// Denominator of another measure on the same unit.
    Denominator(u16),
}

/// The operands of an OR.
#[derive(Debug, Clone)]
pub(crate) struct Alternatives {
    pub(crate) all: Box<[Cond]>,
    by_code: Option<ByCode>,
}

/// Alternatives that each begin with `path = 'code'` on one path.
#[derive(Debug, Clone)]
struct ByCode {
    path: CellPath,
    /// Each code with the position of what it begins, in the order of the codes.
    arms: Vec<(Arc<str>, usize)>,
}

impl Alternatives {
    pub(crate) fn of(all: Box<[Cond]>) -> Alternatives {
        let codes: Option<Vec<_>> = all.iter().map(Cond::first_code).collect();
        let by_code = codes.and_then(|codes| {
            let (path, _) = *codes.first()?;
            let mut arms: Vec<_> = codes
                .iter()
                .enumerate()
                .map(|(at, (_, code))| (Arc::clone(code), at))
                .collect();
            arms.sort();
            let same = codes.iter().all(|(other, _)| *other == path);
            same.then_some(ByCode { path, arms })
        });
        Alternatives { all, by_code }
    }

    /// The path all begin with.
    pub(crate) fn path(&self) -> Option<CellPath> {
        self.by_code.as_ref().map(|by_code| by_code.path)
    }

    /// Those that begin with a code at [`Alternatives::path`].
    pub(crate) fn of_code<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Cond> {
        let arms = self
            .by_code
            .as_ref()
            .map_or(&[][..], |by_code| by_code.arms.as_slice());
        let first = arms.partition_point(|(known, _)| **known < *code);
        let same = arms.get(first..).unwrap_or_default();
        same.iter()
            .take_while(move |(known, _)| **known == *code)
            .filter_map(|(_, at)| self.all.get(*at))
    }
}

impl Cond {
    /// The path and code of the `path = 'code'` that must be T for this to be T.
    fn first_code(&self) -> Option<(CellPath, &Arc<str>)> {
        match self {
            Cond::And(operands) => operands.first()?.first_code(),
            Cond::SameCode {
                operands,
                negated: false,
            } => match &**operands {
                [Code::Path(path), Code::Literal(code)] => Some((*path, code)),
                _ => None,
            },
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetTest {
    HasAny,
    HasAll,
    Subset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafTest {
    Recorded,
    Ascertained,
    NotApplicable,
    Known,
    Missing,
}

/// A number or a date.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    Constant(Range),
    Path(CellPath),
    Named(NamedDate),
    Add(Box<[Term; 2]>),
    Subtract(Box<[Term; 2]>),
    Multiply(Box<[Term; 2]>),
    Divide(Box<[Term; 2]>, Place),
    AddMonths(Box<[Term; 2]>),
    SubtractMonths(Box<[Term; 2]>),
    Days(Box<[Term; 2]>),
    Months(Box<[Term; 2]>),
    Year(Box<Term>),
    AgeAt(Box<Term>),
    Absolute(Box<Term>),
    Min(Box<[Term]>),
    Max(Box<[Term]>),
    WindowEnd(Window),
    FirstTreatment(Box<[Term; 2]>),
    OpenEnd {
        path: CellPath,
        condition: Box<Cond>,
        until: Box<Term>,
    },
    CountTrue(Box<[Cond]>),
    Index(u8),
    Aggregate(Aggregate, Box<Scan>),
    Over(Over, Box<Scan>, Box<Term>),
    MaxGap {
        scan: Box<Scan>,
        from: Box<Term>,
        to: Box<Term>,
    },
    If(Box<Cond>, Box<[Term; 2]>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedDate {
    T0,
    A0,
    Ft,
    Ft0,
    Cut,
    Submitted,
    Last,
    Death,
    Birth,
}

#[derive(Debug, Clone)]
pub(crate) enum Window {
    Range(Box<[Term; 2]>),
    Pre,
    Pre0,
}

#[derive(Debug, Clone)]
pub(crate) enum Code {
    Literal(Arc<str>),
    Path(CellPath),
    /// Outcome code of another measure on the same unit.
    Outcome(u16),
    If(Box<Cond>, Box<[Code; 2]>),
}

#[derive(Debug, Clone)]
pub(crate) enum Set {
    Fixed(FixedCodes),
    Listed(Box<[Code]>),
    Path(CellPath),
    Lookup(Arc<Table>, Box<Code>),
    If(Box<Cond>, Box<[Set; 2]>),
}

/// A table of a guideline: code to set of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// In the order of their keys.
    pub rows: Vec<(String, FixedCodes)>,
}

impl Table {
    /// The codes of a key; none for a key the table does not hold.
    pub(crate) fn codes(&self, key: &str) -> &[String] {
        let row = self.rows.binary_search_by(|(known, _)| known.as_str().cmp(key));
        row.ok()
            .and_then(|at| self.rows.get(at))
            .map_or(&[], |(_, codes)| codes.as_slice())
    }
}

/// A set of codes that no record changes, in the order of the codes and each once, so that a member is looked up and not searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedCodes(Arc<[String]>);

impl FixedCodes {
    /// The codes in their order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl FromIterator<String> for FixedCodes {
    fn from_iter<I: IntoIterator<Item = String>>(codes: I) -> Self {
        FixedCodes(
            codes
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect(),
        )
    }
}

/// A pattern that must match the whole text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub(crate) Arc<regex::Regex>);

/// Rows of one entity, tested one by one.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) entity: u16,
    /// Where the row is bound.
    pub(crate) slot: u8,
    /// Closed by definition: `ROWS`, a reference table, or an entity without attestation.
    pub(crate) closed: bool,
    pub(crate) condition: Option<Cond>,
    pub(crate) window: Option<Window>,
    /// The date element given with `ON`.
    pub(crate) on: Option<u16>,
    /// For the centre table: the keys the condition asks for, so that only those rows are visited.
    pub(crate) keys: Option<Box<CentreKeys>>,
    /// The row bound at this slot comes before every row that counts: the condition begins with `INDEX(row) > INDEX(it)`.
    pub(crate) after: Option<u8>,
}

impl Cond {
    /// The slot of the row that must come before the one at `slot` for this to be anything but F.
    pub(crate) fn only_after(&self, slot: u8) -> Option<u8> {
        match self {
            Cond::And(operands) => operands.first()?.only_after(slot),
            Cond::Compare(Comparison::Greater, operands) => match **operands {
                [Term::Index(row), Term::Index(before)] if row == slot => Some(before),
                _ => None,
            },
            _ => None,
        }
    }
}

/// All that a scan asks of a row, when it is one thing that no other row has a part in.
pub(crate) enum Asked<'a> {
    /// `row.element = 'code'`.
    Code(CellPath, &'a str),
    /// `row.element <comparison> value`, the value a constant or a named date.
    Comparison(CellPath, Comparison, &'a Term),
}

impl Scan {
    pub(crate) fn only_asks(&self) -> Option<Asked<'_>> {
        if self.window.is_some() || self.keys.is_some() {
            return None;
        }
        let own = |path: &CellPath| path.row == RowRef::Slot(self.slot);
        match self.condition.as_ref()? {
            Cond::SameCode {
                operands,
                negated: false,
            } => match &**operands {
                [Code::Path(path), Code::Literal(code)] if own(path) => Some(Asked::Code(*path, code)),
                _ => None,
            },
            Cond::Compare(comparison, operands) => match &**operands {
                [Term::Path(path), value @ (Term::Constant(_) | Term::Named(_))] if own(path) => {
                    Some(Asked::Comparison(*path, *comparison, value))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct CentreKeys {
    pub(crate) centre: Option<Code>,
    pub(crate) year: Option<Term>,
}

#[derive(Debug, Clone)]
pub(crate) struct Coverage {
    pub(crate) set: Set,
    pub(crate) using: CellPath,
    pub(crate) scan: Scan,
    pub(crate) pool: Term,
}
