//! Proportional subdistribution hazards (Fine, Gray), with inverse probability of censoring weights.
//!
//! Who has a competing event at `X` stays at risk of the cause with weight `G(t-) / G(X-)`, `G` the Kaplan-Meier estimate of
//! being uncensored; Breslow's ties. With `S0, S1` the weighted sums, `m = S1 / S0`, `dL = d / S0`, the influence of row i on
//! the score is `eta_i + psi_i`:
//! `eta_i = 1{event} (x_i - m) - e^{x_i b} sum w_i (x_i - m) dL`, and, as `G` is estimated,
//! `psi_i = sum q(u) / pi(u) (1{censored at u} - 1{at risk} dL_c(u))`,
//! `q(u) = sum over rows with a competing event before u of e^{x b} sum over t >= u of w (x - m) dL(t)`, `pi` the number at
//! risk of censoring. Variance `I^-1 sum (eta + psi)(eta + psi)' I^-1`.
//! All sums run once forward and once back: `O(n p^2)` after the sort.
//! Source: Fine, Gray 1999, JASA 94:496; Geskus 2011 (weights).

use super::cox::Ties;
use super::cox::design::{Design, dot};
use super::cox::fit_terms;
use super::cox::newton::{Evaluation, maximise};
use super::cox::risk::{Moments, RiskSet};
use super::input::Rows;
use crate::statistics::{Interval, StatisticsError, normal};

/// Who is at risk of censoring at a time when others have an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CensoringTies {
    /// Events come first: who has one at `u` can no longer be censored at `u` (R `finegray`).
    #[default]
    EventsFirst,
    /// Everybody still observed at `u` can be (R `cmprsk`).
    Together,
}

/// A fitted model; vectors in the order of the covariates.
#[derive(Debug, Clone, PartialEq)]
pub struct FineGray {
    pub n: usize,
    /// Events of the cause.
    pub events: usize,
    pub coefficients: Vec<f64>,
    /// Of the influences, the estimation of the censoring distribution included.
    pub std_errors: Vec<f64>,
    pub covariance: Vec<Vec<f64>>,
    pub z: Vec<f64>,
    pub p: Vec<f64>,
    /// Subdistribution hazard ratios.
    pub hazard_ratios: Vec<f64>,
    pub intervals: Vec<Interval>,
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    pub steps: usize,
}

/// Fits the subdistribution hazard of `cause` on `covariates` (n rows of p), intervals at `level`.
///
/// # Errors
/// No such cause; covariates of another length, or not finite; no event of the cause; covariates that depend on each other;
/// separation; no convergence; delayed entry; case weights; a level outside (0, 1).
pub fn fine_gray(
    rows: &Rows,
    covariates: &[Vec<f64>],
    cause: usize,
    ties: CensoringTies,
    level: f64,
) -> Result<FineGray, StatisticsError> {
    let z = normal::two_sided(level)?;
    rows.refuse_weights("the Fine-Gray model")?;
    rows.refuse_delayed_entry(
        "the Fine-Gray model",
        "its weights need the censoring of everybody from the beginning",
    )?;
    let design = Design::new(&rows.cause_specific(cause)?, covariates, None)?;
    let model = Weighted::new(rows, design, cause, ties);
    let found = maximise(
        &model.design,
        |beta| model.evaluate(beta),
        |movement| model.separates(movement),
    )?;
    let influence = model.influence(&found.beta);
    let p = model.design.columns;
    let mut scaled = vec![vec![0.0; p]; p];
    for row in influence.chunks(p) {
        let moved: Vec<f64> = found.covariance.iter().map(|v| dot(v, row)).collect();
        for (i, line) in scaled.iter_mut().enumerate() {
            line.iter_mut()
                .zip(&moved)
                .for_each(|(cell, m)| *cell += moved[i] * m);
        }
    }
    let covariance = model.design.unscaled_covariance(&scaled);
    let std_errors: Vec<f64> = (0..p).map(|i| covariance[i][i].sqrt()).collect();
    let coefficients = model.design.unscaled(&found.beta);
    let statistics: Vec<f64> = coefficients
        .iter()
        .zip(&std_errors)
        .map(|(b, se)| b / se)
        .collect();
    let interval = |(b, se): (&f64, &f64)| Interval {
        lower: (b - z * se).exp(),
        upper: (b + z * se).exp(),
    };
    Ok(FineGray {
        n: rows.len(),
        events: model.design.events(),
        p: statistics.iter().map(|z| normal::two_sided_p(*z)).collect(),
        z: statistics,
        hazard_ratios: coefficients.iter().map(|b| b.exp()).collect(),
        intervals: coefficients.iter().zip(&std_errors).map(interval).collect(),
        log_likelihood_null: found.null.log_likelihood,
        log_likelihood: found.at.log_likelihood,
        steps: found.steps,
        coefficients,
        std_errors,
        covariance,
    })
}

/// A time of censoring.
struct Censoring {
    time: f64,
    events: f64,
    at_risk: f64,
}

/// The sorted rows with the censoring distribution; rows stand by descending exit.
struct Weighted {
    design: Design,
    /// Whether a row's event competes.
    competing: Vec<bool>,
    /// `G(X-)` of each row.
    uncensored: Vec<f64>,
    censorings: Vec<Censoring>,
}

/// What is added up at one time of the cause.
struct EventTime {
    time: f64,
    uncensored: f64,
    hazard: f64,
    mean: Vec<f64>,
}

impl Weighted {
    fn new(rows: &Rows, design: Design, cause: usize, ties: CensoringTies) -> Self {
        let all = rows.as_slice();
        let code = |i: usize| all[design.source[i]].code;
        let n = design.exit.len();
        let mut uncensored = vec![1.0; n];
        let mut censorings = Vec::new();
        let (mut g, mut end) = (1.0, n);
        while end > 0 {
            let (time, last) = (design.exit[end - 1], end);
            while end > 0 && design.exit[end - 1] == time {
                end -= 1;
                uncensored[end] = g;
            }
            let censored = (end..last).filter(|i| code(*i) == 0).count();
            let happened = last - end - censored;
            let at_risk = match ties {
                CensoringTies::EventsFirst => last - happened,
                CensoringTies::Together => last,
            } as f64;
            if censored > 0 {
                g *= 1.0 - censored as f64 / at_risk;
                censorings.push(Censoring {
                    time,
                    events: censored as f64,
                    at_risk,
                });
            }
        }
        Self {
            competing: (0..n).map(|i| code(i) != 0 && code(i) != cause).collect(),
            uncensored,
            censorings,
            design,
        }
    }

    /// Calls `visit` with every weighted risk set, ascending.
    fn sweep(&self, eta: &[f64], mut visit: impl FnMut(&RiskSet, f64)) {
        let (design, p) = (&self.design, self.design.columns);
        let n = design.exit.len();
        // Those at risk themselves, at each event time from the last to the first.
        let mut at_risk = Moments::new(p);
        let mut sets: Vec<(usize, Moments)> = Vec::new();
        let mut next = 0;
        while next < n {
            let (time, first) = (design.exit[next], next);
            while next < n && design.exit[next] == time {
                at_risk.add(design.row(next), eta[next].exp());
                next += 1;
            }
            if (first..next).any(|i| design.event[i]) {
                sets.push((next, at_risk.clone()));
            }
        }
        // Those kept at risk after a competing event, from the first time to the last.
        let mut kept = Moments::new(p);
        let mut set = RiskSet::new(p);
        let mut from = n;
        while let Some((end, own)) = sets.pop() {
            // Rows from `end` on exited before this time.
            while from > end {
                from -= 1;
                if self.competing[from] {
                    kept.add(design.row(from), eta[from].exp() / self.uncensored[from]);
                }
            }
            set.no_event();
            let time = design.exit[end - 1];
            set.time = time;
            set.at_risk = own;
            let here = (0..end).rev().take_while(|i| design.exit[*i] == time);
            for i in here.filter(|i| design.event[*i]) {
                set.event(design.row(i), 1.0, eta[i]);
            }
            let g = self.uncensored[end - 1];
            set.at_risk.add_all(&kept, g);
            visit(&set, g);
        }
    }

    fn evaluate(&self, beta: &[f64]) -> Evaluation {
        let mut sum = Evaluation::new(self.design.columns);
        self.sweep(&self.design.predictors(beta), |set, _| {
            fit_terms(&mut sum, set, Ties::Breslow);
        });
        sum
    }

    /// Whether along `movement` every event stands highest of those at risk and of those kept.
    fn separates(&self, movement: &[f64]) -> bool {
        let largest = movement.iter().fold(0.0_f64, |most, m| most.max(m.abs()));
        let n = movement.len();
        let highest = |m: &mut f64, i: usize| {
            *m = m.max(movement[i]);
            *m
        };
        let own: Vec<f64> = (0..n)
            .scan(f64::NEG_INFINITY, |m, i| Some(highest(m, i)))
            .collect();
        let mut kept = f64::NEG_INFINITY;
        let mut end = n;
        while end > 0 {
            let (time, last) = (self.design.exit[end - 1], end);
            while end > 0 && self.design.exit[end - 1] == time {
                end -= 1;
            }
            let top = own[last - 1].max(kept);
            let off = |i: usize| self.design.event[i] && top - movement[i] > 1e-4 * largest;
            if (end..last).any(off) {
                return false;
            }
            for i in (end..last).filter(|i| self.competing[*i]) {
                kept = kept.max(movement[i]);
            }
        }
        largest > 0.0
    }

    /// Influence of each sorted row on the score, n x p.
    fn influence(&self, beta: &[f64]) -> Vec<f64> {
        let (design, p) = (&self.design, self.design.columns);
        let eta = design.predictors(beta);
        let mut times: Vec<EventTime> = Vec::new();
        self.sweep(&eta, |set, uncensored| {
            let sum = set.at_risk.zero;
            times.push(EventTime {
                time: set.time,
                uncensored,
                hazard: set.weight / sum,
                mean: set.at_risk.first.iter().map(|s| s / sum).collect(),
            });
        });
        // Per time, cumulative: hazard and hazard times mean, plain and times G.
        let width = p + 1;
        let sums = |factor: fn(&EventTime) -> f64| {
            let mut sums = vec![0.0; width * (times.len() + 1)];
            for (k, time) in times.iter().enumerate() {
                let by = factor(time) * time.hazard;
                for j in 0..width {
                    let term = if j == 0 { by } else { by * time.mean[j - 1] };
                    sums[(k + 1) * width + j] = sums[k * width + j] + term;
                }
            }
            sums
        };
        let (plain, kept) = (sums(|_| 1.0), sums(|t| t.uncensored));
        let until = |time: f64| times.partition_point(|t| t.time <= time);
        let end = times.len() * width;
        let before = |time: f64| times.partition_point(|t| t.time < time);
        let psi = self.censoring_influence(&eta, &kept, &|time| width * before(time));
        let mut influence = vec![0.0; design.x.len()];
        for i in 0..design.exit.len() {
            let row = design.row(i);
            let (to, hazard) = (until(design.exit[i]), eta[i].exp());
            let at = to * width;
            let censored = self.censorings.partition_point(|c| c.time <= design.exit[i]);
            for j in 0..p {
                let during = row[j] * plain[at] - plain[at + 1 + j];
                let mut value = -hazard * during - psi.cumulative[censored * p + j];
                if design.event[i] {
                    value += row[j] - times[to - 1].mean[j];
                } else if self.competing[i] {
                    let after = row[j] * (kept[end] - kept[at]) - (kept[end + 1 + j] - kept[at + 1 + j]);
                    value -= hazard / self.uncensored[i] * after;
                } else {
                    value += psi.own[(censored - 1) * p + j];
                }
                influence[i * p + j] = value;
            }
        }
        influence
    }

    /// `q / pi` at every time of censoring and its cumulative sum times the hazard of censoring.
    fn censoring_influence(&self, eta: &[f64], kept: &[f64], before: &dyn Fn(f64) -> usize) -> Psi {
        let p = self.design.columns;
        let end = kept.len() - (p + 1);
        let mut psi = Psi {
            own: Vec::with_capacity(self.censorings.len() * p),
            cumulative: vec![0.0; (self.censorings.len() + 1) * p],
        };
        let (mut zero, mut first) = (0.0, vec![0.0; p]);
        let mut from = self.design.exit.len();
        for (k, c) in self.censorings.iter().enumerate() {
            while from > 0 && self.design.exit[from - 1] < c.time {
                from -= 1;
                if self.competing[from] {
                    let weight = eta[from].exp() / self.uncensored[from];
                    zero += weight;
                    let row = self.design.row(from);
                    first.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
                }
            }
            let at = before(c.time);
            for j in 0..p {
                let q = first[j] * (kept[end] - kept[at]) - zero * (kept[end + 1 + j] - kept[at + 1 + j]);
                let own = q / c.at_risk;
                psi.own.push(own);
                psi.cumulative[(k + 1) * p + j] = psi.cumulative[k * p + j] + own * c.events / c.at_risk;
            }
        }
        psi
    }
}

struct Psi {
    /// p per time of censoring.
    own: Vec<f64>,
    /// p per number of times of censoring passed.
    cumulative: Vec<f64>,
}
