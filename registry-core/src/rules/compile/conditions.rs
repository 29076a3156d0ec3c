//! Conditions: comparisons, sets, logic.

use super::super::program::{Alternatives, Code, Cond, FixedCodes, Set, Term};
use super::super::source::At;
use super::super::syntax::{Comparison, Expr, Node};
use super::types::{Domain, TermType, Typed};
use super::{Compiled, Compiler, Reported};

impl Compiler<'_> {
    /// An expression that must be T, F or U.
    pub(super) fn condition(&mut self, expr: &Expr) -> Compiled<Cond> {
        match self.typed(expr)? {
            Typed::Cond(cond) => Ok(cond),
            other => self.wanted(expr.at, "a condition", &other),
        }
    }

    pub(super) fn any(&mut self, expr: &Expr) -> Compiled<Typed> {
        let at = expr.at;
        Ok(Typed::Cond(match &expr.node {
            Node::Or(operands) => Cond::Or(Alternatives::of(self.conditions(operands)?)),
            Node::And(operands) => Cond::And(self.conditions(operands)?),
            Node::Not(operand) => Cond::Not(Box::new(self.condition(operand)?)),
            Node::Compare(comparison, left, right) => self.comparison(at, *comparison, left, right)?,
            Node::InWindow {
                value,
                negated,
                window,
            } => {
                let date = self.typed(value)?;
                let (window, inside) = self.range(window)?;
                if *negated {
                    return self.fault(
                        at,
                        "not_in_range",
                        "NOT IN does not go with a range: write `x < lo OR x > hi`",
                    );
                }
                match date {
                    Typed::Term(term, kind) if self.comparable(kind, inside) => {
                        Cond::Inside(Box::new(term), window)
                    }
                    other => {
                        let wanted = match inside {
                            TermType::Date => "a date",
                            TermType::Number(unit) => unit.word(),
                        };
                        return self.wanted(value.at, wanted, &other);
                    }
                }
            }
            Node::InSet { value, negated, set } => self.membership(value, *negated, set)?,
            Node::IsNone { value, negated } => {
                let date = self.date(value)?;
                let cond = Cond::IsNone(Box::new(date));
                if *negated { Cond::Not(Box::new(cond)) } else { cond }
            }
            Node::Boolean(value) => Cond::Constant(*value),
            Node::Unknown(path) => Cond::Implausible(self.cell(path)?.0),
            Node::Exists(rows) => Cond::Exists(Box::new(self.scan(rows, |_| Ok(()))?.0)),
            Node::All(rows, test) => {
                let (scan, test) = self.scan(rows, |compiler| compiler.condition(test))?;
                Cond::All(Box::new(scan), Box::new(test))
            }
            Node::Covered {
                set,
                using,
                rows,
                pool,
            } => Cond::Covered(Box::new(self.coverage(set, using, rows, pool)?)),
            Node::If(parts) => return self.choice(parts),
            Node::Set(members) => return self.set_literal(members),
            Node::Code(code) => {
                let domain = Domain::Written(vec![(at, code.clone())]);
                return Ok(Typed::Code(Code::Literal(code.as_str().into()), domain));
            }
            Node::Parameter(name) => return self.parameter(at, name),
            Node::Path(path) => return self.path(path),
            Node::Name(name) => return self.name(at, name),
            Node::Call(name, arguments) => return self.call(at, name, arguments),
            Node::Number(_)
            | Node::Days(_)
            | Node::Months(_)
            | Node::Arithmetic(..)
            | Node::Aggregate(..)
            | Node::Over(..)
            | Node::MaxGap { .. } => {
                let (term, kind) = self.term(expr)?;
                return Ok(Typed::Term(term, kind));
            }
        }))
    }

    /// All operands, so that every one of them reports its faults.
    fn conditions(&mut self, operands: &[Expr]) -> Compiled<Box<[Cond]>> {
        let compiled: Vec<_> = operands.iter().map(|operand| self.condition(operand)).collect();
        compiled.into_iter().collect()
    }

    fn comparable(&self, left: TermType, right: TermType) -> bool {
        match (left, right) {
            (TermType::Number(left), TermType::Number(right)) => left.meet(right).is_some(),
            (left, right) => left == right,
        }
    }

    fn comparison(&mut self, at: At, comparison: Comparison, left: &Expr, right: &Expr) -> Compiled<Cond> {
        let (first, second) = (self.typed(left), self.typed(right));
        let negated = comparison == Comparison::NotEqual;
        let ordered = !negated && comparison != Comparison::Equal;
        let no_order = |compiler: &mut Self, what: &str| {
            compiler.fault(
                at,
                "no_order",
                format!("{what} have no order: only `=` and `<>` compare them"),
            )
        };
        match (first?, second?) {
            (Typed::Term(a, kind), Typed::Term(b, other)) => {
                if !self.comparable(kind, other) {
                    let message = format!(
                        "{} does not compare with {}",
                        Typed::Term(a, kind).describe(),
                        Typed::Term(b, other).describe()
                    );
                    return self.fault(at, "different_types", message);
                }
                Ok(Cond::Compare(comparison, Box::new([a, b])))
            }
            (Typed::Code(..), Typed::Code(..)) if ordered => no_order(self, "codes"),
            (Typed::Set(..), Typed::Set(..)) if ordered => no_order(self, "sets"),
            (Typed::Cond(_), Typed::Cond(_)) if ordered => no_order(self, "booleans"),
            (Typed::Code(a, domain), Typed::Code(b, other)) => {
                self.meet(at, &domain, &other)?;
                Ok(Cond::SameCode {
                    operands: Box::new([a, b]),
                    negated,
                })
            }
            (Typed::Set(a, domain), Typed::Set(b, other)) => {
                self.meet(at, &domain, &other)?;
                Ok(Cond::SameSet {
                    operands: Box::new([a, b]),
                    negated,
                })
            }
            (Typed::Cond(value), Typed::Cond(Cond::Constant(literal))) => {
                Ok(against(value, is_element(left), literal, negated))
            }
            (Typed::Cond(Cond::Constant(literal)), Typed::Cond(value)) => {
                Ok(against(value, is_element(right), literal, negated))
            }
            (Typed::Cond(_), Typed::Cond(_)) => self.fault(
                at,
                "different_types",
                "a boolean is compared with `true` or `false` only",
            ),
            (a, b) => self.wanted(right.at, a.describe(), &b),
        }
    }

    fn membership(&mut self, value: &Expr, negated: bool, set: &Expr) -> Compiled<Cond> {
        let (value_at, set_at) = (value.at, set.at);
        let (first, second) = (self.typed(value), self.typed(set));
        let (first, second) = (first?, second?);
        let Typed::Code(code, domain) = first else {
            return self.wanted(value_at, "a code", &first);
        };
        let Typed::Set(set, other) = second else {
            return self.wanted(set_at, "a set of codes", &second);
        };
        self.meet(set_at, &domain, &other)?;
        Ok(Cond::Member {
            code: Box::new(code),
            set: Box::new(set),
            negated,
        })
    }

    fn choice(&mut self, parts: &[Expr; 3]) -> Compiled<Typed> {
        let [condition, then, otherwise] = parts;
        let condition = Box::new(self.condition(condition)?);
        let (first, second) = (self.typed(then)?, self.typed(otherwise)?);
        Ok(match (first, second) {
            (Typed::Cond(a), Typed::Cond(b)) => Typed::Cond(Cond::If(Box::new([*condition, a, b]))),
            (Typed::Term(a, kind), Typed::Term(b, other)) if self.comparable(kind, other) => {
                let joined = match (kind, other) {
                    (TermType::Number(left), TermType::Number(right)) => {
                        TermType::Number(left.meet(right).unwrap_or(left))
                    }
                    _ => kind,
                };
                Typed::Term(Term::If(condition, Box::new([a, b])), joined)
            }
            (Typed::Code(a, domain), Typed::Code(b, other)) => {
                let domain = self.joined(otherwise.at, domain, other)?;
                Typed::Code(Code::If(condition, Box::new([a, b])), domain)
            }
            (Typed::Set(a, domain), Typed::Set(b, other)) => {
                let domain = self.joined(otherwise.at, domain, other)?;
                Typed::Set(Set::If(condition, Box::new([a, b])), domain)
            }
            (first, second) => return self.wanted(otherwise.at, first.describe(), &second),
        })
    }

    pub(super) fn set_literal(&mut self, members: &[Expr]) -> Compiled<Typed> {
        let mut codes = Vec::with_capacity(members.len());
        let mut domain = Domain::Written(Vec::new());
        for member in members {
            match self.typed(member)? {
                Typed::Code(code, other) => {
                    codes.push(code);
                    domain = self.joined(member.at, domain, other)?;
                }
                other => return self.wanted(member.at, "a code", &other),
            }
        }
        let fixed: Option<FixedCodes> = codes
            .iter()
            .map(|code| {
                if let Code::Literal(text) = code {
                    Some(text.to_string())
                } else {
                    None
                }
            })
            .collect();
        Ok(Typed::Set(
            fixed.map_or_else(|| Set::Listed(codes.into()), Set::Fixed),
            domain,
        ))
    }

    /// An expression that must be a date.
    pub(super) fn date(&mut self, expr: &Expr) -> Compiled<Term> {
        match self.typed(expr)? {
            Typed::Term(term, TermType::Date) => Ok(term),
            other => self.wanted(expr.at, "a date", &other),
        }
    }

    /// Both at once, so that each reports its faults.
    pub(super) fn dates(&mut self, first: &Expr, second: &Expr) -> Compiled<Box<[Term; 2]>> {
        match (self.date(first), self.date(second)) {
            (Ok(first), Ok(second)) => Ok(Box::new([first, second])),
            _ => Err(Reported),
        }
    }
}

/// Whether an expression is an element, or the name of one, and no comparison of one.
fn is_element(expr: &Expr) -> bool {
    matches!(expr.node, Node::Path(_) | Node::Name(_))
}

/// A boolean compared with a literal. An element keeps its own table of absences; any other condition is only turned.
fn against(value: Cond, element: bool, literal: bool, negated: bool) -> Cond {
    match value {
        Cond::Flag {
            path,
            expected: true,
            negated: false,
        } if element => Cond::Flag {
            path,
            expected: literal,
            negated,
        },
        other if literal != negated => other,
        other => Cond::Not(Box::new(other)),
    }
}
