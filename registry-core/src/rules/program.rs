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
    Or(Box<[Cond]>),
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
    Fixed(Arc<[String]>),
    Listed(Box<[Code]>),
    Path(CellPath),
    Lookup(Arc<Table>, Box<Code>),
    If(Box<Cond>, Box<[Set; 2]>),
}

/// A table of a guideline: code to set of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub rows: Vec<(String, Arc<[String]>)>,
}

/// A pattern that must match the whole text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub(crate) Arc<regex_lite::Regex>);

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
