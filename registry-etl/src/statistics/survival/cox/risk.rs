//! Risk sets of a Cox model: one pass per stratum from the last time to the first, rows added at their exit and taken away
//! at their entry, `O(n p^2)` after the sort.

use super::Ties;
use super::design::Design;

/// When removals leave less than this share of the largest sum since the last count, the set is counted anew: a difference
/// of large sums has lost its digits.
const RECOUNT: f64 = 1e-7;

/// Sums over a set of rows: weights times relative hazard, times covariates, times their products (lower triangle).
#[derive(Clone)]
pub(in crate::statistics::survival) struct Moments {
    pub(in crate::statistics::survival) zero: f64,
    pub(in crate::statistics::survival) first: Vec<f64>,
    pub(in crate::statistics::survival) second: Vec<f64>,
}

impl Moments {
    pub(in crate::statistics::survival) fn new(p: usize) -> Self {
        Self {
            zero: 0.0,
            first: vec![0.0; p],
            second: vec![0.0; p * (p + 1) / 2],
        }
    }

    pub(in crate::statistics::survival) fn clear(&mut self) {
        self.zero = 0.0;
        self.first.fill(0.0);
        self.second.fill(0.0);
    }

    pub(in crate::statistics::survival) fn add(&mut self, row: &[f64], factor: f64) {
        self.zero += factor;
        let mut cell = 0;
        for (i, x) in row.iter().enumerate() {
            let by = factor * x;
            self.first[i] += by;
            for other in &row[..=i] {
                self.second[cell] += by * other;
                cell += 1;
            }
        }
    }

    pub(in crate::statistics::survival) fn add_all(&mut self, other: &Self, factor: f64) {
        self.zero += factor * other.zero;
        for (a, b) in self.first.iter_mut().zip(&other.first) {
            *a += factor * b;
        }
        for (a, b) in self.second.iter_mut().zip(&other.second) {
            *a += factor * b;
        }
    }
}

/// Who is at risk and who has the event at one time.
pub(in crate::statistics::survival) struct RiskSet {
    pub(in crate::statistics::survival) stratum: usize,
    pub(in crate::statistics::survival) time: f64,
    pub(in crate::statistics::survival) at_risk: Moments,
    /// Number of events.
    pub(in crate::statistics::survival) events: usize,
    /// Sum of their case weights, of these times covariates, and of these times linear predictors.
    pub(in crate::statistics::survival) weight: f64,
    pub(in crate::statistics::survival) covariates: Vec<f64>,
    pub(in crate::statistics::survival) predictors: f64,
    /// Moments of those with the event.
    pub(in crate::statistics::survival) dying: Moments,
}

/// One term of the likelihood at a time: with Efron's ties the `k`-th of `d` events meets a set from which the events have
/// left by the share `k / d`.
pub(in crate::statistics::survival) struct Part<'a> {
    /// Case weight of the term.
    pub(in crate::statistics::survival) weight: f64,
    /// Share of the events no longer at risk.
    pub(in crate::statistics::survival) share: f64,
    pub(in crate::statistics::survival) sum: f64,
    /// Mean covariates of the set.
    pub(in crate::statistics::survival) mean: &'a [f64],
    /// Covariance of the covariates in the set, lower triangle.
    pub(in crate::statistics::survival) covariance: &'a [f64],
}

impl RiskSet {
    pub(in crate::statistics::survival) fn new(p: usize) -> Self {
        Self {
            stratum: 0,
            time: 0.0,
            at_risk: Moments::new(p),
            events: 0,
            weight: 0.0,
            covariates: vec![0.0; p],
            predictors: 0.0,
            dying: Moments::new(p),
        }
    }

    pub(in crate::statistics::survival) fn no_event(&mut self) {
        self.events = 0;
        self.weight = 0.0;
        self.covariates.fill(0.0);
        self.predictors = 0.0;
        self.dying.clear();
    }

    pub(in crate::statistics::survival) fn event(&mut self, row: &[f64], weight: f64, eta: f64) {
        self.events += 1;
        self.weight += weight;
        self.predictors += weight * eta;
        for (sum, x) in self.covariates.iter_mut().zip(row) {
            *sum += weight * x;
        }
        self.dying.add(row, weight * eta.exp());
    }

    /// Calls `visit` with each term of this time.
    pub(in crate::statistics::survival) fn parts(&self, ties: Ties, mut visit: impl FnMut(&Part<'_>)) {
        let terms = match ties {
            Ties::Efron => self.events,
            Ties::Breslow => 1,
        };
        let mut mean = vec![0.0; self.at_risk.first.len()];
        let mut covariance = vec![0.0; self.at_risk.second.len()];
        for k in 0..terms {
            let share = k as f64 / terms as f64;
            let sum = self.at_risk.zero - share * self.dying.zero;
            for (mean, (all, dying)) in mean
                .iter_mut()
                .zip(self.at_risk.first.iter().zip(&self.dying.first))
            {
                *mean = (all - share * dying) / sum;
            }
            let mut cell = 0;
            for i in 0..mean.len() {
                for j in 0..=i {
                    let second = self.at_risk.second[cell] - share * self.dying.second[cell];
                    covariance[cell] = second / sum - mean[i] * mean[j];
                    cell += 1;
                }
            }
            visit(&Part {
                weight: self.weight / terms as f64,
                share,
                sum,
                mean: &mean,
                covariance: &covariance,
            });
        }
    }
}

/// Calls `visit` at every event time of every stratum, from the last to the first.
pub(in crate::statistics::survival) fn sweep(design: &Design, eta: &[f64], mut visit: impl FnMut(&RiskSet)) {
    let mut set = RiskSet::new(design.columns);
    for (stratum, range) in design.strata.iter().enumerate() {
        let leaving = &design.leaving[stratum];
        set.stratum = stratum;
        set.at_risk.clear();
        let (mut next, mut left, mut most) = (range.start, 0, 0.0_f64);
        while next < range.end {
            set.time = design.exit[next];
            set.no_event();
            while next < range.end && design.exit[next] == set.time {
                let weight = design.weight[next];
                set.at_risk.add(design.row(next), weight * eta[next].exp());
                if design.event[next] {
                    set.event(design.row(next), weight, eta[next]);
                }
                next += 1;
            }
            most = most.max(set.at_risk.zero);
            // An entry is exclusive: who enters now is not yet at risk. Whoever enters this late has been added before.
            while left < leaving.len() && design.entry[leaving[left]] >= set.time {
                let i = leaving[left];
                set.at_risk.add(design.row(i), -design.weight[i] * eta[i].exp());
                left += 1;
            }
            if left > 0 && set.at_risk.zero < RECOUNT * most {
                set.at_risk.clear();
                let here = (range.start..next).filter(|i| design.entry[*i] < set.time);
                here.for_each(|i| {
                    set.at_risk.add(design.row(i), design.weight[i] * eta[i].exp());
                });
                most = set.at_risk.zero;
            }
            if set.events > 0 {
                visit(&set);
            }
        }
    }
}
