//! Whether a condition is certainly true, or certainly false, when nobody asks for the reason of an unknown: the same answers as
//! [`Evaluation::cond`], found without judging what cannot change them. An edit check fires on certainty only.

use std::ops::ControlFlow;

use super::super::program::{Cond, Scan};
use super::Evaluation;
use super::rows::{Extra, inside};

impl Evaluation<'_> {
    /// Whether a condition is T.
    pub(crate) fn holds(&self, cond: &Cond) -> bool {
        match cond {
            Cond::And(operands) => operands.iter().all(|operand| self.holds(operand)),
            Cond::Or(operands) => operands.iter().any(|operand| self.holds(operand)),
            Cond::Not(operand) => self.fails(operand),
            Cond::Exists(scan) => self.some_row_holds(scan, Extra::Nothing),
            Cond::All(scan, test) => self.every_row_fails(scan, Extra::Fails(test)),
            other => self.cond(other).is_true(),
        }
    }

    /// Whether a condition is F.
    pub(crate) fn fails(&self, cond: &Cond) -> bool {
        match cond {
            Cond::And(operands) => operands.iter().any(|operand| self.fails(operand)),
            Cond::Or(operands) => operands.iter().all(|operand| self.fails(operand)),
            Cond::Not(operand) => self.holds(operand),
            Cond::Exists(scan) => self.every_row_fails(scan, Extra::Nothing),
            Cond::All(scan, test) => self.some_row_holds(scan, Extra::Fails(test)),
            other => self.cond(other).is_false(),
        }
    }

    /// EXISTS is T: a row certainly meets all that is asked.
    fn some_row_holds(&self, scan: &Scan, extra: Extra<'_>) -> bool {
        let ends = self.ends(scan);
        self.some_row(scan, |row| {
            scan.condition
                .as_ref()
                .is_none_or(|condition| self.holds(condition))
                && ends.is_none_or(|(from, to)| inside(self.row_date(scan, row), from, to).is_true())
                && match extra {
                    Extra::Nothing => true,
                    Extra::Fails(test) => self.fails(test),
                }
        })
    }

    /// EXISTS is F: no further row can come, and each there is certainly misses something that is asked.
    fn every_row_fails(&self, scan: &Scan, extra: Extra<'_>) -> bool {
        let ends = self.ends(scan);
        self.scan_closed(scan, ends).is_true()
            && !self.some_row(scan, |row| {
                let out = scan
                    .condition
                    .as_ref()
                    .is_some_and(|condition| self.fails(condition))
                    || ends.is_some_and(|(from, to)| inside(self.row_date(scan, row), from, to).is_false())
                    || match extra {
                        Extra::Nothing => false,
                        Extra::Fails(test) => self.holds(test),
                    };
                !out
            })
    }

    fn some_row(&self, scan: &Scan, test: impl Fn(u64) -> bool) -> bool {
        let mut found = false;
        self.each_row(scan, |row| {
            found = test(row);
            if found {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        found
    }
}
