//! Numbers and dates as closed intervals. Dates are day numbers; a value known exactly has width 0.

use super::calendar;
use super::syntax::Comparison;
use super::{Place, Reason, Truth, Unknown};

/// A closed interval. One of width 0 that cannot be NONE is a known value; any other carries what explains it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub lo: f64,
    pub hi: f64,
    /// There may also be no such date.
    pub maybe_none: bool,
    pub why: Option<Unknown>,
}

/// What a number or date is: an interval, certainly not existing (`not_applicable`, NONE), or unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    Range(Range),
    None(Place),
    Unknown(Unknown),
}

impl Range {
    pub fn point(value: f64) -> Range {
        Range {
            lo: value,
            hi: value,
            maybe_none: false,
            why: None,
        }
    }

    pub fn new(lo: f64, hi: f64, why: Option<Unknown>) -> Range {
        Range {
            lo,
            hi,
            maybe_none: false,
            why: if lo < hi { why } else { None },
        }
    }

    /// From `lo` on without end, or not at all.
    pub fn perhaps_from(lo: f64, why: Unknown) -> Range {
        Range {
            lo,
            hi: f64::INFINITY,
            maybe_none: true,
            why: Some(why),
        }
    }

    pub fn is_exact(self) -> bool {
        self.lo == self.hi && !self.maybe_none
    }

    fn with(self, lo: f64, hi: f64) -> Range {
        Range { lo, hi, ..self }
    }

    /// The same bounds combined from two operands; the leftmost explanation stays.
    fn joined(self, right: Range, lo: f64, hi: f64) -> Range {
        let lo = if lo.is_nan() { f64::NEG_INFINITY } else { lo };
        let hi = if hi.is_nan() { f64::INFINITY } else { hi };
        let maybe_none = self.maybe_none || right.maybe_none;
        let wide = maybe_none || lo < hi;
        Range {
            lo,
            hi,
            maybe_none,
            why: if wide { self.why.or(right.why) } else { None },
        }
    }
}

impl Scalar {
    pub fn point(value: f64) -> Scalar {
        Scalar::Range(Range::point(value))
    }

    /// Applies an interval function; Unknown before NONE, leftmost first.
    fn join(self, right: Scalar, combine: impl Fn(Range, Range) -> Range) -> Scalar {
        match (self, right) {
            (Scalar::Unknown(unknown), _) | (_, Scalar::Unknown(unknown)) => Scalar::Unknown(unknown),
            (Scalar::None(place), _) | (_, Scalar::None(place)) => Scalar::None(place),
            (Scalar::Range(left), Scalar::Range(right)) => Scalar::Range(combine(left, right)),
        }
    }

    fn map(self, change: impl Fn(Range) -> Range) -> Scalar {
        if let Scalar::Range(range) = self {
            Scalar::Range(change(range))
        } else {
            self
        }
    }

    #[expect(
        clippy::should_implement_trait,
        reason = "interval arithmetic beside `sub` and `mul`, not an operator"
    )]
    pub fn add(self, right: Scalar) -> Scalar {
        self.join(right, |a, b| a.joined(b, a.lo + b.lo, a.hi + b.hi))
    }

    pub fn subtract(self, right: Scalar) -> Scalar {
        self.join(right, |a, b| a.joined(b, a.lo - b.hi, a.hi - b.lo))
    }

    pub fn multiply(self, right: Scalar) -> Scalar {
        let product = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
        self.join(right, |a, b| {
            let corners = [
                product(a.lo, b.lo),
                product(a.lo, b.hi),
                product(a.hi, b.lo),
                product(a.hi, b.hi),
            ];
            a.joined(
                b,
                corners.into_iter().fold(f64::INFINITY, f64::min),
                corners.into_iter().fold(f64::NEG_INFINITY, f64::max),
            )
        })
    }

    /// A divisor that may be 0 leaves nothing known, unless it is 0 for certain: then the quotient is infinite, and
    /// 0 / 0 is unknown (`edit_error` at `place`).
    pub fn divide(self, right: Scalar, place: Place) -> Scalar {
        if let (Scalar::Range(a), Scalar::Range(b)) = (self, right)
            && b.lo == 0.0
            && b.hi == 0.0
        {
            if a.lo > 0.0 {
                return Scalar::Range(a.with(f64::INFINITY, f64::INFINITY));
            }
            if a.hi < 0.0 {
                return Scalar::Range(a.with(f64::NEG_INFINITY, f64::NEG_INFINITY));
            }
            return Scalar::Unknown(Unknown {
                reason: Reason::EditError,
                place,
            });
        }
        self.join(right, |a, b| {
            if b.lo <= 0.0 && b.hi >= 0.0 {
                return a.joined(b, f64::NEG_INFINITY, f64::INFINITY);
            }
            let corners = [a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi];
            if corners.iter().any(|corner| corner.is_nan()) {
                return a.joined(b, f64::NEG_INFINITY, f64::INFINITY);
            }
            a.joined(
                b,
                corners.into_iter().fold(f64::INFINITY, f64::min),
                corners.into_iter().fold(f64::NEG_INFINITY, f64::max),
            )
        })
    }

    /// Calendar months later (or earlier), with day clipping.
    pub fn add_months(self, months: Scalar, sign: f64) -> Scalar {
        self.join(months, |date, months| {
            let (few, many) = if sign < 0.0 {
                (-months.hi, -months.lo)
            } else {
                (months.lo, months.hi)
            };
            date.joined(
                months,
                calendar::add_months(date.lo, few),
                calendar::add_months(date.hi, many),
            )
        })
    }

    /// Completed calendar months from `self` to `until`.
    pub fn months_until(self, until: Scalar) -> Scalar {
        self.join(until, |a, b| {
            a.joined(
                b,
                calendar::months_between(a.hi, b.lo),
                calendar::months_between(a.lo, b.hi),
            )
        })
    }

    /// Days from `self` to `until`.
    pub fn days_until(self, until: Scalar) -> Scalar {
        self.join(until, |a, b| a.joined(b, b.lo - a.hi, b.hi - a.lo))
    }

    pub fn year(self) -> Scalar {
        self.map(|date| {
            Range::new(calendar::year(date.lo), calendar::year(date.hi), date.why).keep_none(date)
        })
    }

    pub fn absolute(self) -> Scalar {
        self.map(|range| {
            let (a, b) = (range.lo.abs(), range.hi.abs());
            let lo = if range.lo <= 0.0 && range.hi >= 0.0 {
                0.0
            } else {
                a.min(b)
            };
            Range::new(lo, a.max(b), range.why).keep_none(range)
        })
    }

    /// The earliest or least of several; NONE is left out, all NONE is NONE, the leftmost Unknown wins. `None` only for no
    /// operands.
    pub fn earliest(values: impl IntoIterator<Item = Scalar>) -> Option<Scalar> {
        extreme(values, false)
    }

    /// The latest or greatest of several, as [`Scalar::earliest`].
    pub fn latest(values: impl IntoIterator<Item = Scalar>) -> Option<Scalar> {
        extreme(values, true)
    }

    /// Compares: T or F when every pair of values in the two intervals agrees, else U with the explanation of the first
    /// operand that has one. NONE makes `<>` unknown and everything else false.
    pub fn compare(self, comparison: Comparison, right: Scalar) -> Truth {
        let (a, b) = match (self, right) {
            (Scalar::Unknown(unknown), _) | (_, Scalar::Unknown(unknown)) => return Truth::Unknown(unknown),
            (Scalar::None(place), _) | (_, Scalar::None(place)) => {
                return if comparison == Comparison::NotEqual {
                    Truth::Unknown(Unknown {
                        reason: Reason::UnknownRecorded,
                        place,
                    })
                } else {
                    Truth::False
                };
            }
            (Scalar::Range(a), Scalar::Range(b)) => (a, b),
        };
        let verdict = a.compare(comparison, b);
        let none = a.maybe_none || b.maybe_none;
        match verdict {
            Some(value) if !none => Truth::known(value),
            Some(false) if comparison != Comparison::NotEqual => Truth::False,
            _ => Truth::Unknown(a.why.or(b.why).unwrap_or(UNEXPLAINED)),
        }
    }
}

/// Stands in where an interval has no explanation; constructors leave none without.
const UNEXPLAINED: Unknown = Unknown {
    reason: Reason::ImpreciseDate,
    place: Place::Section(u16::MAX),
};

impl Range {
    fn keep_none(mut self, from: Range) -> Range {
        self.maybe_none = from.maybe_none;
        if self.maybe_none {
            self.why = from.why;
        }
        self
    }

    /// `None` when the intervals cannot decide.
    pub fn compare(self, comparison: Comparison, right: Range) -> Option<bool> {
        let (a, b) = (self, right);
        let decide = |yes: bool, no: bool| {
            if yes {
                Some(true)
            } else if no {
                Some(false)
            } else {
                None
            }
        };
        match comparison {
            Comparison::Less => decide(a.hi < b.lo, a.lo >= b.hi),
            Comparison::LessOrEqual => decide(a.hi <= b.lo, a.lo > b.hi),
            Comparison::Greater => b.compare(Comparison::Less, a),
            Comparison::GreaterOrEqual => b.compare(Comparison::LessOrEqual, a),
            Comparison::Equal => decide(
                a.lo == a.hi && b.lo == b.hi && a.lo == b.lo,
                a.hi < b.lo || b.hi < a.lo,
            ),
            Comparison::NotEqual => self.compare(Comparison::Equal, right).map(|equal| !equal),
        }
    }
}

fn extreme(values: impl IntoIterator<Item = Scalar>, latest: bool) -> Option<Scalar> {
    let mut ranges: Vec<Range> = Vec::with_capacity(4);
    let mut none = None;
    for value in values {
        match value {
            Scalar::Unknown(_) => return Some(value),
            Scalar::None(_) => none = none.or(Some(value)),
            // The latest of several is the earliest on the reversed axis.
            Scalar::Range(range) if latest => ranges.push(range.with(-range.hi, -range.lo)),
            Scalar::Range(range) => ranges.push(range),
        }
    }
    if ranges.is_empty() {
        return none;
    }
    let lo = ranges.iter().map(|range| range.lo).fold(f64::INFINITY, f64::min);
    let certain = ranges
        .iter()
        .filter(|range| !range.maybe_none)
        .map(|range| range.hi)
        .fold(f64::INFINITY, f64::min);
    let maybe_none = ranges.iter().all(|range| range.maybe_none);
    let hi = if maybe_none {
        ranges
            .iter()
            .map(|range| range.hi)
            .fold(f64::NEG_INFINITY, f64::max)
    } else {
        certain
    };
    let wide = maybe_none || lo < hi;
    let why = ranges
        .iter()
        .filter(|range| range.lo <= hi)
        .find_map(|range| range.why);
    let (lo, hi) = if latest { (-hi, -lo) } else { (lo, hi) };
    Some(Scalar::Range(Range {
        lo,
        hi,
        maybe_none,
        why: if wide { why } else { None },
    }))
}
