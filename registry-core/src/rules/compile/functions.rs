//! The functions of section 8: what each takes and gives.

use std::sync::Arc;

use super::super::program::{CellPath, Code, Cond, LeafTest, Set, SetTest, Term};
use super::super::source::At;
use super::super::syntax::{Arg, Expr, Node};
use super::names::LOOKBACK;
use super::types::{Domain, TermType, Typed, Unit};
use super::{Compiled, Compiler, Reference, Role};
use crate::guideline::Outcome;
use crate::record::Absence;

impl Compiler<'_> {
    pub(super) fn call(&mut self, at: At, name: &str, arguments: &[Arg]) -> Compiled<Typed> {
        let number = |term, unit| Typed::Term(term, TermType::Number(unit));
        Ok(match (name, arguments) {
            ("ATTESTED", [Arg::Identifier(entity, place), Arg::Value(date)]) => {
                let Some(entity) = self.layout().entity(entity) else {
                    return self.fault(
                        place.0,
                        "unknown_entity",
                        format!("there is no entity `{entity}`"),
                    );
                };
                if self
                    .layout()
                    .entity_at(entity)
                    .is_some_and(|known| known.single || known.reference)
                {
                    return self.fault(place.0, "single_entity", "ATTESTED is about a repeated entity");
                }
                Typed::Cond(Cond::Attested(entity, Box::new(self.date(date)?)))
            }
            ("INDEX", [Arg::Identifier(row, place)]) => {
                let (found, _) = self.row(row, place.0)?;
                let super::super::program::RowRef::Slot(slot) = found else {
                    return self.fault(
                        place.0,
                        "unbound_row",
                        format!("INDEX needs the name of a bound row, `{row}` is none"),
                    );
                };
                number(Term::Index(slot), Unit::None)
            }
            _ => {
                let values = self.values(at, name, arguments)?;
                return self.function(at, name, &values);
            }
        })
    }

    fn values<'e>(&mut self, at: At, name: &str, arguments: &'e [Arg]) -> Compiled<Vec<&'e Expr>> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                Arg::Value(value) => values.push(value),
                Arg::Identifier(found, place) if ["ATTESTED", "INDEX"].contains(&name) => {
                    return self.fault(
                        place.0,
                        "arguments",
                        format!("`{found}` is out of place in {name}"),
                    );
                }
                Arg::Identifier(found, place) => {
                    return self.fault(
                        place.0,
                        "arguments",
                        format!("`{found}` alone is not a value: write `{found}.element`"),
                    );
                }
            }
        }
        if ["ATTESTED", "INDEX"].contains(&name) {
            return self.fault(at, "arguments", "written ATTESTED(entity, date) or INDEX(row)");
        }
        Ok(values)
    }

    fn function(&mut self, at: At, name: &str, values: &[&Expr]) -> Compiled<Typed> {
        let number = |term, unit| Typed::Term(term, TermType::Number(unit));
        let date = |term| Typed::Term(term, TermType::Date);
        Ok(match (name, values) {
            ("HAS", [set, code]) => {
                let (first, second) = (self.set(set), self.code(code));
                let ((set, domain), (code, other)) = (first?, second?);
                self.meet(at, &domain, &other)?;
                Typed::Cond(Cond::Has(Box::new(set), Box::new(code)))
            }
            ("HAS_ANY", [left, right]) => self.overlap(at, SetTest::HasAny, left, right)?,
            ("HAS_ALL", [left, right]) => self.overlap(at, SetTest::HasAll, left, right)?,
            ("SUBSET", [left, right]) => self.overlap(at, SetTest::Subset, left, right)?,
            ("REC", [path]) => Typed::Cond(Cond::Leaf(LeafTest::Recorded, self.leaf(name, path)?)),
            ("ASCERT", [path]) => Typed::Cond(Cond::Leaf(LeafTest::Ascertained, self.leaf(name, path)?)),
            ("NA", [path]) => Typed::Cond(Cond::Leaf(LeafTest::NotApplicable, self.leaf(name, path)?)),
            ("KNOWN", [path]) => Typed::Cond(Cond::Leaf(LeafTest::Known, self.leaf(name, path)?)),
            ("MISSING", [path]) => Typed::Cond(Cond::Leaf(LeafTest::Missing, self.leaf(name, path)?)),
            ("ABSENT", [path, code]) => {
                let cell = self.leaf(name, path)?;
                let absence = if let Node::Code(text) = &code.node {
                    Absence::from_code(text)
                } else {
                    None
                };
                match absence {
                    Some(absence) => Typed::Cond(Cond::Absent(cell, absence)),
                    None => {
                        let codes = Absence::ALL.map(Absence::as_str).join(", ");
                        return self.fault(
                            code.at,
                            "absence_code",
                            format!("an absence code is one of {codes}"),
                        );
                    }
                }
            }
            ("DAYS", [from, to]) => number(Term::Days(self.dates(from, to)?), Unit::Days),
            ("MONTHS", [from, to]) => number(Term::Months(self.dates(from, to)?), Unit::Months),
            ("YEAR", [value]) => number(Term::Year(Box::new(self.date(value)?)), Unit::None),
            ("AGE_AT", [value]) => number(Term::AgeAt(Box::new(self.date(value)?)), Unit::None),
            ("ABS", [value]) => {
                let (term, unit) = self.number(value)?;
                number(Term::Absolute(Box::new(term)), unit)
            }
            ("MIN" | "MAX", [_, ..]) => {
                let (terms, kind) = self.same_type(at, values)?;
                Typed::Term(
                    if name == "MIN" {
                        Term::Min(terms)
                    } else {
                        Term::Max(terms)
                    },
                    kind,
                )
            }
            ("WINDOW_END", [window]) => {
                let looks_back = self.implicit.contains(LOOKBACK);
                match self.typed(window)? {
                    Typed::Window(window) => {
                        // Where a window ends has nothing to do with how far it looks back.
                        if !looks_back {
                            self.implicit.remove(LOOKBACK);
                        }
                        date(Term::WindowEnd(window))
                    }
                    other => return self.wanted(window.at, "a window", &other),
                }
            }
            ("DIED_BY", [value]) => Typed::Cond(Cond::DiedBy(Box::new(self.date(value)?))),
            ("FIRST_TREATMENT", [from, through]) => date(Term::FirstTreatment(self.dates(from, through)?)),
            ("OPEN_END", [path, condition, until]) => {
                let cell = self.leaf(name, path)?;
                if let Node::Path(written) = &path.node {
                    self.date_cell(written)?;
                }
                let (condition, until) = (self.condition(condition), self.date(until));
                date(Term::OpenEnd {
                    path: cell,
                    condition: Box::new(condition?),
                    until: Box::new(until?),
                })
            }
            ("COUNT_TRUE", [_, ..]) => {
                let counted: Vec<_> = values.iter().map(|value| self.condition(value)).collect();
                number(
                    Term::CountTrue(counted.into_iter().collect::<Compiled<_>>()?),
                    Unit::None,
                )
            }
            ("LOOKUP", [table, key]) => self.lookup(table, key)?,
            ("MATCHES", [code, pattern]) => {
                let code = self.code(code).map(|(code, _)| code);
                let pattern = match &pattern.node {
                    Node::Parameter(name) => self.pattern(pattern.at, name),
                    Node::Code(text) => self.written_pattern(pattern.at, text),
                    _ => self.fault(pattern.at, "different_types", "MATCHES takes a pattern parameter"),
                };
                Typed::Cond(Cond::Matches(Box::new(code?), pattern?))
            }
            ("MEASURE", [id]) => {
                let measure = self.measure(id)?;
                self.references.insert(Reference::Outcome(measure));
                let codes: Vec<String> = Outcome::ALL
                    .into_iter()
                    .filter(|outcome| *outcome != Outcome::NotAssessable)
                    .map(|outcome| outcome.as_str().to_owned())
                    .collect();
                Typed::Code(Code::Outcome(measure), Domain::List(codes.into()))
            }
            ("DENOM", [id]) => {
                let measure = self.measure(id)?;
                self.references.insert(Reference::Denominator(measure));
                Typed::Cond(Cond::Denominator(measure))
            }
            _ if super::RESERVED_NAMES.contains(&name) => {
                return self.fault(at, "arguments", format!("`{name}` does not take these arguments"));
            }
            _ => return self.fault(at, "unknown_function", format!("there is no function `{name}`")),
        })
    }

    /// An argument that must be a path.
    fn leaf(&mut self, name: &str, expr: &Expr) -> Compiled<CellPath> {
        match &expr.node {
            Node::Path(path) => Ok(self.cell(path)?.0),
            _ => self.fault(
                expr.at,
                "not_a_path",
                format!("{name} takes an element written `row.element`"),
            ),
        }
    }

    fn overlap(&mut self, at: At, test: SetTest, left: &Expr, right: &Expr) -> Compiled<Typed> {
        let (first, second) = (self.set(left), self.set(right));
        let ((first, domain), (second, other)) = (first?, second?);
        self.meet(at, &domain, &other)?;
        Ok(Typed::Cond(Cond::Overlap(test, Box::new([first, second]))))
    }

    fn same_type(&mut self, at: At, values: &[&Expr]) -> Compiled<(Box<[Term]>, TermType)> {
        let operands: Vec<_> = values.iter().map(|value| self.operand(value)).collect();
        let operands = operands.into_iter().collect::<Compiled<Vec<_>>>()?;
        let mut common = None;
        for (_, kind) in &operands {
            let joined = match (common, *kind) {
                (None, kind) => Some(kind),
                (Some(TermType::Number(left)), TermType::Number(right)) => {
                    left.meet(right).map(TermType::Number)
                }
                (Some(left), right) => (left == right).then_some(left),
            };
            if joined.is_none() {
                return self.fault(at, "different_types", "all arguments are of one type");
            }
            common = joined;
        }
        let kind = common.unwrap_or(TermType::Number(Unit::None));
        Ok((operands.into_iter().map(|(term, _)| term).collect(), kind))
    }

    fn lookup(&mut self, table: &Expr, key: &Expr) -> Compiled<Typed> {
        let Node::Code(name) = &table.node else {
            return self.fault(
                table.at,
                "arguments",
                "LOOKUP takes the name of a table in quotes",
            );
        };
        let Some(found) = self.shared.tables.get(name).map(Arc::clone) else {
            return self.fault(table.at, "unknown_table", format!("there is no table `{name}`"));
        };
        let (code, domain) = self.code(key)?;
        let keys = found
            .rows
            .iter()
            .map(|(key, _)| (table.at, key.clone()))
            .collect();
        self.meet(key.at, &domain, &Domain::Written(keys))?;
        let written = found
            .rows
            .iter()
            .flat_map(|(_, codes)| codes.as_slice().iter().map(|code| (table.at, code.clone())))
            .collect();
        Ok(Typed::Set(
            Set::Lookup(found, Box::new(code)),
            Domain::Written(written),
        ))
    }

    fn measure(&mut self, id: &Expr) -> Compiled<u16> {
        if self.role != Role::Measure {
            return self.fault(
                id.at,
                "only_in_measures",
                "MEASURE and DENOM are for measures only",
            );
        }
        let Node::Code(text) = &id.node else {
            return self.fault(id.at, "arguments", "a measure is named by its id in quotes");
        };
        let Some((measure, unit)) = self.shared.measures.get(text).copied() else {
            return self.fault(id.at, "unknown_measure", format!("there is no measure `{text}`"));
        };
        if unit != self.unit {
            return self.fault(id.at, "other_unit", format!("measure `{text}` has another unit"));
        }
        Ok(measure)
    }
}
