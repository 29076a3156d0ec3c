//! From a tree to a program: every name resolved to a position, every type settled, every fault reported with its
//! place. An expression that compiles cannot fail while a case is judged.

mod conditions;
mod functions;
mod names;
mod parameters;
mod rows;
mod terms;
mod types;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::program::{Cond, Table};
use super::source::{At, Fault, Source};
use super::syntax::Expr;
use super::{RuleError, parse};
use crate::record::Layout;

pub use parameters::{Parameter, ParameterValue};
pub(crate) use rows::MAX_SLOTS;
use types::Typed;

/// Functions, named dates and windows; with the keywords they may not name a let or a definition.
pub(crate) const RESERVED_NAMES: &[&str] = &[
    "T0",
    "A0",
    "FT",
    "FT0",
    "PRE",
    "PRE0",
    "CUT",
    "SUBMITTED",
    "LAST",
    "DEATH",
    "BIRTH",
    "HAS",
    "HAS_ANY",
    "HAS_ALL",
    "SUBSET",
    "REC",
    "ASCERT",
    "NA",
    "KNOWN",
    "MISSING",
    "ABSENT",
    "DAYS",
    "MONTHS",
    "YEAR",
    "AGE_AT",
    "ABS",
    "MIN",
    "MAX",
    "WINDOW_END",
    "DIED_BY",
    "FIRST_TREATMENT",
    "OPEN_END",
    "ATTESTED",
    "COUNT_TRUE",
    "LOOKUP",
    "MATCHES",
    "INDEX",
    "MEASURE",
    "DENOM",
];

/// A named expression: a let of a measure, or a definition of a guideline.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) expr: Expr,
    pub(crate) source: Source,
}

/// Days that PRE, PRE0, FT and FT0 are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WindowDays {
    /// `$LOOKBACK_DAYS`.
    pub(crate) lookback: f64,
    /// `$PRE_CAP_DAYS`.
    pub(crate) cap: f64,
}

/// What all expressions of a guideline, or all edit checks, share.
pub(crate) struct Shared {
    pub(crate) layout: Arc<Layout>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) definitions: BTreeMap<String, Definition>,
    pub(crate) tables: BTreeMap<String, Arc<Table>>,
    /// Measure id to position and unit entity.
    pub(crate) measures: HashMap<String, (u16, Option<u16>)>,
    pub(crate) windows: Option<WindowDays>,
}

/// What kind of rule an expression belongs to; some constructs are allowed in one and not the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Measure,
    Population,
    EditCheck,
}

/// What of another measure an expression asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    /// Its result: MEASURE.
    Outcome(u16),
    /// Its denominator: DENOM.
    Denominator(u16),
}

impl Reference {
    /// Position of the measure.
    pub(crate) fn measure(self) -> u16 {
        match self {
            Reference::Outcome(measure) | Reference::Denominator(measure) => measure,
        }
    }
}

/// Compiles the expressions of one measure, population or edit check.
pub(crate) struct Compiler<'a> {
    shared: &'a Shared,
    role: Role,
    /// The unit's entity, or the scope of an edit check.
    unit: Option<u16>,
    lets: &'a BTreeMap<String, Definition>,
    bound: Vec<Bound>,
    /// Names being resolved, outermost first, to find recursion.
    expanding: Vec<String>,
    sources: Vec<&'a Source>,
    pub(crate) errors: Vec<RuleError>,
    /// Parameters read so far.
    pub(crate) read: BTreeSet<String>,
    /// Lets and definitions read so far.
    pub(crate) named: BTreeSet<String>,
    /// Parameters read so far without being named: those the windows are made of, and what the timing follows from.
    pub(crate) implicit: BTreeSet<String>,
    /// Measures referred to so far.
    pub(crate) references: BTreeSet<Reference>,
    size: usize,
}

/// A row name bound by a quantifier.
#[derive(Debug, Clone)]
struct Bound {
    name: String,
    entity: u16,
    slot: u8,
}

/// The error is already in [`Compiler::errors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported;

type Compiled<T> = Result<T, Reported>;

/// Largest program one expression may become once names are resolved.
const MAX_SIZE: usize = 20_000;

impl<'a> Compiler<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        role: Role,
        unit: Option<u16>,
        lets: &'a BTreeMap<String, Definition>,
    ) -> Compiler<'a> {
        Compiler {
            shared,
            role,
            unit,
            lets,
            bound: Vec::new(),
            expanding: Vec::new(),
            sources: Vec::new(),
            errors: Vec::new(),
            read: BTreeSet::new(),
            named: BTreeSet::new(),
            implicit: BTreeSet::new(),
            references: BTreeSet::new(),
            size: 0,
        }
    }

    /// Compiles a whole field: one expression that must be a condition. `None` when errors were reported.
    pub(crate) fn field(&mut self, expr: &Expr, source: &'a Source) -> Option<Cond> {
        self.sources.push(source);
        self.size = 0;
        let compiled = self.condition(expr);
        self.sources.pop();
        compiled.ok()
    }

    /// Looks for errors in a definition that no field reads, whatever it is (a condition, a date, a number).
    pub(crate) fn check(&mut self, definition: &'a Definition) {
        self.sources.push(&definition.source);
        self.size = 0;
        // What is wrong with it is among the errors.
        let _ = self.typed(&definition.expr);
        self.sources.pop();
    }

    fn fault<T>(&mut self, at: At, code: &'static str, message: impl Into<String>) -> Compiled<T> {
        let fault = Fault {
            at,
            code,
            message: message.into(),
        };
        let mut error = match self.sources.last() {
            Some(source) => source.locate(fault),
            None => Source::alone("", "").locate(fault),
        };
        if let (Some(name), true) = (self.expanding.last(), self.sources.len() > 1) {
            error.message = format!("in `{name}`: {}", error.message);
        }
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
        Err(Reported)
    }

    fn grow(&mut self, at: At) -> Compiled<()> {
        self.size += 1;
        if self.size > MAX_SIZE {
            return self.fault(
                at,
                "too_large",
                "the expression becomes too large once its names are resolved",
            );
        }
        Ok(())
    }

    fn layout(&self) -> &'a Layout {
        &self.shared.layout
    }

    fn typed(&mut self, expr: &Expr) -> Compiled<Typed> {
        self.grow(expr.at)?;
        self.any(expr)
    }
}

/// Parses a text and places its fault.
pub(crate) fn parse_at(source: &Source, errors: &mut Vec<RuleError>) -> Option<Expr> {
    match parse(source.text()) {
        Ok(expr) => Some(expr),
        Err(fault) => {
            errors.push(source.locate(fault));
            None
        }
    }
}

/// A word that cannot name a let or a definition.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED_NAMES.contains(&name) || super::token::KEYWORDS.contains(&name)
}
