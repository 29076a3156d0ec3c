//! A reader with a linear-programming solver: the smallest and the largest value of what is not shown, given what is. It knows nothing of how
//! cells are chosen.

use microlp::{ComparisonOp, OptimizationDirection, Problem};

/// A count: shown, or unknown by position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Count {
    Shown(u32),
    Unknown(usize),
}

/// Coefficients by unknown, comparison, right side.
type Relation = (Vec<(usize, f64)>, ComparisonOp, f64);

/// Unknown counts, none negative, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Attacker {
    /// Least value of every unknown.
    least: Vec<u32>,
    relations: Vec<Relation>,
}

impl Attacker {
    /// A count as shown; when it is not, at least `least`.
    pub(super) fn count(&mut self, shown: Option<u32>, least: u32) -> Count {
        shown.map_or_else(
            || {
                self.least.push(least);
                Count::Unknown(self.least.len() - 1)
            },
            Count::Shown,
        )
    }

    pub(super) fn is_sum(&mut self, total: Count, parts: &[Count]) {
        self.relate(total, parts, ComparisonOp::Eq);
    }

    /// The parts are together at least so many.
    pub(super) fn at_least(&mut self, least: u32, parts: &[Count]) {
        self.relate(Count::Shown(least), parts, ComparisonOp::Ge);
    }

    fn relate(&mut self, total: Count, parts: &[Count], how: ComparisonOp) {
        let (mut terms, mut right) = (Vec::new(), 0.0);
        let signed = parts.iter().map(|part| (part, 1.0)).chain([(&total, -1.0)]);
        for (count, sign) in signed {
            match count {
                Count::Shown(n) => right -= sign * f64::from(*n),
                Count::Unknown(at) => terms.push((*at, sign)),
            }
        }
        if !terms.is_empty() {
            self.relations.push((terms, how, right));
        }
    }

    /// Least and largest value a count may have: whole, as all counts are. `None` for no upper end.
    pub(super) fn interval(&self, count: Count) -> (u32, Option<u32>) {
        match count {
            Count::Shown(n) => (n, Some(n)),
            Count::Unknown(at) => {
                let least = self.optimum(at, OptimizationDirection::Minimize);
                let most = self.optimum(at, OptimizationDirection::Maximize);
                let least = least.expect("what is shown is possible");
                (
                    (least - 1e-6).ceil() as u32,
                    most.map(|most| (most + 1e-6).floor() as u32),
                )
            }
        }
    }

    fn optimum(&self, of: usize, direction: OptimizationDirection) -> Option<f64> {
        let mut problem = Problem::new(direction);
        let unknowns: Vec<_> = self
            .least
            .iter()
            .enumerate()
            .map(|(at, least)| {
                let wanted = if at == of { 1.0 } else { 0.0 };
                problem.add_var(wanted, (f64::from(*least), f64::INFINITY))
            })
            .collect();
        for (terms, how, right) in &self.relations {
            let terms: Vec<_> = terms
                .iter()
                .map(|(at, factor)| (unknowns[*at], *factor))
                .collect();
            problem.add_constraint(terms.as_slice(), *how, *right);
        }
        match problem.solve() {
            Ok(found) => Some(found.objective()),
            Err(microlp::Error::Unbounded) => None,
            Err(other) => panic!("the shown numbers contradict each other: {other}"),
        }
    }
}

#[test]
fn by_hand() {
    // 12 in all, 4 shown, three hidden of at least one patient each: each is between 1 and 6.
    let mut attacker = Attacker::default();
    let hidden = [(); 3].map(|()| attacker.count(None, 1));
    let shown = attacker.count(Some(4), 0);
    attacker.is_sum(Count::Shown(12), &[hidden[0], hidden[1], hidden[2], shown]);
    assert_eq!(attacker.interval(hidden[0]), (1, Some(6)));
    // Two of them are 7: the third is 1.
    attacker.is_sum(Count::Shown(7), &[hidden[0], hidden[1]]);
    assert_eq!(attacker.interval(hidden[2]), (1, Some(1)));
    let free = attacker.count(None, 0);
    assert_eq!(attacker.interval(free), (0, None));
}
