//! Events expected of each row of a fitted Cox model.
//!
//! `E_i = e^{x_i b} (H0(exit_i) - H0(entry_i))`, `H0` the cumulative baseline hazard (Breslow's estimator; with Efron's ties, his). A row
//! with the event under Efron's ties is at risk in the k-th of the d terms of its own time by the share `1 - k/d`, as it is in the
//! likelihood: so the sum of `E` over all rows (weighted) is that of the events, and `event - E` is the martingale residual.
//! R: `predict(fit, type = "expected")`.
//! Sources: Breslow 1974; Barlow, Prentice 1988; Therneau, Grambsch 2000, section 4.2.

use super::fit::Cox;
use super::risk::sweep;

/// The hazard at one event time: for whoever outlives it, and for a row whose event it is.
struct Term {
    time: f64,
    hazard: f64,
    own: f64,
}

impl Cox {
    /// Events expected of each row, in the caller's order.
    pub fn expected(&self) -> Vec<f64> {
        let design = &self.design;
        let eta = design.predictors(&self.beta);
        let mut strata: Vec<Vec<Term>> = design.strata.iter().map(|_| Vec::new()).collect();
        sweep(design, &eta, |set| {
            let (mut hazard, mut own) = (0.0, 0.0);
            set.parts(self.ties, |part| {
                let term = part.weight / part.sum;
                hazard += term;
                own += term * (1.0 - part.share);
            });
            let time = set.time;
            strata[set.stratum].push(Term { time, hazard, own });
        });
        let mut expected = vec![0.0; design.exit.len()];
        for (terms, range) in strata.iter_mut().zip(&design.strata) {
            // Visited from the last time to the first.
            terms.reverse();
            let mut sums = vec![0.0];
            let mut sum = 0.0;
            for term in terms.iter() {
                sum += term.hazard;
                sums.push(sum);
            }
            let until = |time: f64| terms.partition_point(|term| term.time <= time);
            for i in range.clone() {
                let (from, to) = (until(design.entry[i]), until(design.exit[i]));
                let through = if design.event[i] {
                    sums[to - 1] + terms[to - 1].own
                } else {
                    sums[to]
                };
                expected[design.source[i]] = eta[i].exp() * (through - sums[from]);
            }
        }
        expected
    }
}
