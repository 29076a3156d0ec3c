//! Newton-Raphson for a concave partial likelihood, with separation told from slow convergence.
//!
//! A combination of covariates along which, at every event, the subject with the event stands highest of those at risk
//! raises the likelihood for ever (monotone likelihood): no finite estimate exists although the likelihood converges. The
//! steps then stay near 1, so convergence is judged by the movement of the linear predictors.
//! Sources: Cox 1972; Bryson, Johnson 1981 (monotone likelihood).

use super::design::{Design, dot};
use crate::statistics::StatisticsError;
use crate::statistics::cholesky::Cholesky;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Converged when no linear predictor moves by more than this share of its size (or of 1).
const CONVERGED: f64 = 1e-9;
const MAX_STEPS: usize = 60;
const MAX_HALVINGS: usize = 30;
/// From this step on a large movement is looked at as a separating direction.
const SUSPICIOUS_STEP: usize = 8;
/// How far, as a share of the largest movement, a subject may move the wrong way in a separating direction.
const SEPARATING: f64 = 1e-4;
/// Information per event (on scaled covariates) below which a covariate does not vary within the risk sets.
const NO_INFORMATION: f64 = 1e-12;

/// Likelihood, score and information (lower triangle) at some coefficients.
#[derive(Clone)]
pub(in crate::statistics::survival) struct Evaluation {
    pub(in crate::statistics::survival) log_likelihood: f64,
    pub(in crate::statistics::survival) score: Vec<f64>,
    pub(in crate::statistics::survival) information: Vec<Vec<f64>>,
}

impl Evaluation {
    pub(in crate::statistics::survival) fn new(p: usize) -> Self {
        Self {
            log_likelihood: 0.0,
            score: vec![0.0; p],
            information: (1..=p).map(|width| vec![0.0; width]).collect(),
        }
    }

    /// `score' information^-1 score`.
    pub(in crate::statistics::survival) fn score_test(&self) -> Option<f64> {
        Cholesky::of(&self.information).map(|f| dot(&f.solve(&self.score), &self.score))
    }
}

/// The maximum, and the start at no effect.
pub(in crate::statistics::survival) struct Maximum {
    pub(in crate::statistics::survival) beta: Vec<f64>,
    pub(in crate::statistics::survival) null: Evaluation,
    pub(in crate::statistics::survival) at: Evaluation,
    /// Inverse of the information.
    pub(in crate::statistics::survival) covariance: Vec<Vec<f64>>,
    pub(in crate::statistics::survival) steps: usize,
}

/// Maximises `evaluate` from no effect.
///
/// # Errors
/// Covariates that depend on each other; separation; no convergence.
pub(in crate::statistics::survival) fn maximise(
    design: &Design,
    evaluate: impl Fn(&[f64]) -> Evaluation,
    separates: impl Fn(&[f64]) -> bool,
) -> Result<Maximum, StatisticsError> {
    let mut beta = vec![0.0; design.columns];
    let null = evaluate(&beta);
    let least = NO_INFORMATION * design.events() as f64;
    let flat = |(i, row): (usize, &Vec<f64>)| row[i].is_nan() || row[i] <= least;
    if null.information.iter().enumerate().any(flat) {
        return Err(StatisticsError::Collinear);
    }
    let mut at = null.clone();
    let mut last: Option<Vec<f64>> = None;
    let stuck = |movement: &[f64]| {
        if separates(movement) {
            StatisticsError::Separation
        } else {
            StatisticsError::NotConverged
        }
    };
    for steps in 0..MAX_STEPS {
        let Some(factor) = Cholesky::of(&at.information) else {
            return Err(last.map_or(StatisticsError::Collinear, |m| stuck(&m)));
        };
        let step = factor.solve(&at.score);
        let movement = design.predictors(&step);
        let eta = design.predictors(&beta);
        let moved = |(m, eta): (&f64, &f64)| m.abs() / eta.abs().max(1.0);
        let most = movement.iter().zip(&eta).map(moved).fold(0.0, f64::max);
        if most <= CONVERGED {
            return Ok(Maximum {
                covariance: factor.inverse(),
                beta,
                null,
                at,
                steps,
            });
        }
        if steps >= SUSPICIOUS_STEP && most > 1e-3 && separates(&movement) {
            return Err(StatisticsError::Separation);
        }
        let mut share = 1.0;
        for halving in 0..=MAX_HALVINGS {
            let next: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b + share * s).collect();
            let reached = evaluate(&next);
            // Near the maximum rounding alone may lower it.
            let slack = f64::EPSILON * 16.0 * at.log_likelihood.abs();
            if reached.log_likelihood >= at.log_likelihood - slack || halving == MAX_HALVINGS {
                (beta, at) = (next, reached);
                break;
            }
            share /= 2.0;
        }
        last = Some(movement);
    }
    Err(last.map_or(StatisticsError::NotConverged, |m| stuck(&m)))
}

/// A row at risk, ordered by its movement.
struct Moved {
    movement: f64,
    row: usize,
}

impl PartialEq for Moved {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Moved {}

impl PartialOrd for Moved {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moved {
    fn cmp(&self, other: &Self) -> Ordering {
        self.movement.total_cmp(&other.movement)
    }
}

/// Whether along `movement` (of the sorted rows' linear predictors) every subject with the event stands highest of those at
/// risk.
pub(super) fn separates(design: &Design, movement: &[f64]) -> bool {
    let largest = movement.iter().fold(0.0_f64, |most, m| most.max(m.abs()));
    if largest.is_nan() || largest <= 0.0 {
        return false;
    }
    let mut apart = false;
    for range in &design.strata {
        let mut at_risk: BinaryHeap<Moved> = BinaryHeap::new();
        let mut next = range.start;
        while next < range.end {
            let (time, first) = (design.exit[next], next);
            while next < range.end && design.exit[next] == time {
                at_risk.push(Moved {
                    movement: movement[next],
                    row: next,
                });
                next += 1;
            }
            while at_risk.peek().is_some_and(|m| design.entry[m.row] >= time) {
                at_risk.pop();
            }
            let highest = at_risk.peek().map_or(f64::NEG_INFINITY, |m| m.movement);
            for i in (first..next).filter(|i| design.event[*i]) {
                if highest - movement[i] > SEPARATING * largest {
                    return false;
                }
                apart = true;
            }
        }
    }
    apart
}
