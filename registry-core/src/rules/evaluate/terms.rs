//! Value of a number or a date.

use super::super::program::Term;
use super::{Evaluation, scalar};
use crate::record::{Absence, Cell};
use crate::rules::{Place, Range, Reason, Scalar, Truth, Unknown};

impl Evaluation<'_> {
    pub(super) fn term(&self, term: &Term) -> Scalar {
        let pair = |pair: &[Term; 2]| {
            let [left, right] = pair;
            (self.term(left), self.term(right))
        };
        match term {
            Term::Constant(range) => Scalar::Range(*range),
            Term::Path(path) => scalar(&self.cell(*path), path.place()),
            Term::Named(named) => self.named(*named),
            Term::Add(operands) => {
                let (left, right) = pair(operands);
                left.add(right)
            }
            Term::Subtract(operands) => {
                let (left, right) = pair(operands);
                left.subtract(right)
            }
            Term::Multiply(operands) => {
                let (left, right) = pair(operands);
                left.multiply(right)
            }
            Term::Divide(operands, place) => {
                let (left, right) = pair(operands);
                left.divide(right, *place)
            }
            Term::AddMonths(operands) => {
                let (date, months) = pair(operands);
                date.add_months(months, 1.0)
            }
            Term::SubtractMonths(operands) => {
                let (date, months) = pair(operands);
                date.add_months(months, -1.0)
            }
            Term::Days(operands) => {
                let (from, to) = pair(operands);
                from.days_until(to)
            }
            Term::Months(operands) => {
                let (from, to) = pair(operands);
                from.months_until(to)
            }
            Term::Year(date) => self.term(date).year(),
            Term::AgeAt(date) => {
                let places = &self.layout.places;
                let birth = self.read(places.patient, 0, places.birth_year);
                self.term(date)
                    .year()
                    .subtract(scalar(&birth, Place::Element(places.patient, places.birth_year)))
            }
            Term::Absolute(number) => self.term(number).absolute(),
            Term::Min(terms) => self.extreme(terms, false),
            Term::Max(terms) => self.extreme(terms, true),
            Term::WindowEnd(window) => self.window(window).1,
            Term::FirstTreatment(operands) => {
                let (from, through) = pair(operands);
                self.first_treatment(from, through)
            }
            Term::OpenEnd {
                path,
                condition,
                until,
            } => {
                let cell = self.cell(*path);
                if cell.is_value() {
                    return scalar(&cell, path.place());
                }
                let open = matches!(cell, Cell::Absent(Absence::Pending | Absence::NotApplicable));
                if !open && !self.cond(condition).is_true() {
                    return match super::leaf_unknown(&cell, path.place()) {
                        Some(unknown) => Scalar::Unknown(unknown),
                        None => Scalar::None(path.place()),
                    };
                }
                match self.term(until) {
                    Scalar::Range(until) => {
                        let why = Unknown {
                            reason: Reason::WindowOpen,
                            place: path.place(),
                        };
                        Scalar::Range(Range::new(until.lo, f64::INFINITY, Some(why)))
                    }
                    other => other,
                }
            }
            Term::CountTrue(conditions) => {
                let (mut certain, mut possible) = (0.0, 0.0);
                let mut why = None;
                for condition in conditions {
                    match self.cond(condition) {
                        Truth::True => certain += 1.0,
                        Truth::False => {}
                        Truth::Unknown(unknown) => {
                            possible += 1.0;
                            why = why.or(Some(unknown));
                        }
                    }
                }
                Scalar::Range(Range::new(certain, certain + possible, why))
            }
            Term::Index(slot) => Scalar::point(self.bound(*slot) as f64),
            Term::Aggregate(aggregate, scan) => self.aggregate(*aggregate, scan),
            Term::Over(over, scan, value) => self.over(*over, scan, value),
            Term::MaxGap { scan, from, to } => self.max_gap(scan, from, to),
            Term::If(condition, parts) => {
                let [then, otherwise] = &**parts;
                match self.cond(condition) {
                    Truth::True => self.term(then),
                    Truth::False => self.term(otherwise),
                    Truth::Unknown(unknown) => Scalar::Unknown(unknown),
                }
            }
        }
    }

    fn extreme(&self, terms: &[Term], latest: bool) -> Scalar {
        let values = terms.iter().map(|term| self.term(term));
        let found = if latest {
            Scalar::latest(values)
        } else {
            Scalar::earliest(values)
        };
        // The grammar gives at least one argument.
        found.unwrap_or(Scalar::None(Place::Section(self.layout.places.record)))
    }
}
