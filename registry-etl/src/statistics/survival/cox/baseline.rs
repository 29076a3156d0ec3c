//! Cumulative baseline hazard and predicted survival of a fitted Cox model.
//!
//! `H0(t)`: sum over the terms of the likelihood up to `t` of `weight / sum over the risk set of w e^{x b}` (Breslow's
//! estimator; with Efron's ties, his). Survival `exp(-e^{x b} H0)`; variance of its logarithm
//! `e^{2 x b} sum weight / sum^2 + q' V q`, `q = e^{x b} sum (x - m) h`.
//! Sources: Breslow 1974; Tsiatis 1981; Link 1984; Therneau, Grambsch 2000, chapter 10.

use super::super::input::same_length;
use super::design::dot;
use super::fit::Cox;
use super::risk::sweep;
use crate::statistics::{Interval, StatisticsError, normal};

/// The baseline cumulative hazard (all covariates 0) from one event time until the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BaselineStep {
    pub time: f64,
    pub cumulative_hazard: f64,
}

/// Predicted survival at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    pub time: f64,
    pub survival: f64,
    /// Of the logarithm of survival.
    pub std_err_log: f64,
    /// On the scale of `log(-log S)`; \[1, 1\] before the first event, `None` at survival 0.
    pub interval: Option<Interval>,
}

impl Cox {
    /// Position of a stratum's label among the strata of the model.
    pub fn stratum(&self, label: &str) -> Option<usize> {
        self.strata.as_ref()?.iter().position(|l| l == label)
    }

    /// Baseline cumulative hazard of stratum `stratum` (0 in a model without strata), ascending event times.
    ///
    /// # Errors
    /// [`StatisticsError::EmptyGroup`] when there is no such stratum.
    pub fn baseline(&self, stratum: usize) -> Result<Vec<BaselineStep>, StatisticsError> {
        let mut steps = Vec::new();
        // The fit's own zero is the mean row; the caller's zero lies elsewhere.
        let origin = dot(&self.design.scaled(&vec![0.0; self.beta.len()]), &self.beta).exp();
        self.terms(stratum, |time, hazard, _, _| steps.push((time, hazard * origin)))?;
        let mut sum = 0.0;
        let step = |(time, hazard): &(f64, f64)| {
            sum += hazard;
            BaselineStep {
                time: *time,
                cumulative_hazard: sum,
            }
        };
        Ok(steps.iter().rev().map(step).collect())
    }

    /// Survival of a subject with covariates `row` in stratum `stratum` at `times`, interval at `level`.
    ///
    /// # Errors
    /// A row of another width, or not finite; no such stratum; a level outside (0, 1).
    pub fn predict(
        &self,
        row: &[f64],
        stratum: usize,
        times: &[f64],
        level: f64,
    ) -> Result<Vec<Predicted>, StatisticsError> {
        let z = normal::two_sided(level)?;
        same_length("covariates", row.len(), self.beta.len())?;
        if row.iter().any(|v| !v.is_finite()) {
            return Err(StatisticsError::Covariate { index: 0 });
        }
        let x = self.design.scaled(row);
        let relative = dot(&x, &self.beta).exp();
        let mut terms = Vec::new();
        self.terms(stratum, |time, hazard, square, mean| {
            let off: Vec<f64> = x.iter().zip(mean).map(|(x, m)| x * hazard - m).collect();
            terms.push((time, hazard, square, off));
        })?;
        terms.reverse();
        let one = |time: &f64| {
            let within = terms.partition_point(|t| t.0 <= *time);
            let (mut hazard, mut square, mut q) = (0.0, 0.0, vec![0.0; x.len()]);
            for t in &terms[..within] {
                hazard += t.1;
                square += t.2;
                q.iter_mut().zip(&t.3).for_each(|(q, off)| *q += off);
            }
            let carried: f64 = self
                .scaled_covariance
                .iter()
                .zip(&q)
                .map(|(v, a)| a * dot(v, &q))
                .sum();
            let log = -relative * hazard;
            let std_err_log = relative * (square + carried).sqrt();
            let interval = if within == 0 {
                Some(Interval {
                    lower: 1.0,
                    upper: 1.0,
                })
            } else {
                let w = z * std_err_log / log;
                (log.exp() > 0.0).then(|| Interval {
                    lower: (log * (-w).exp()).exp(),
                    upper: (log * w.exp()).exp(),
                })
            };
            Predicted {
                time: *time,
                survival: log.exp(),
                std_err_log,
                interval,
            }
        };
        Ok(times.iter().map(one).collect())
    }

    /// Time, hazard, its square's term and hazard times mean covariates at each event time, descending.
    fn terms(
        &self,
        stratum: usize,
        mut visit: impl FnMut(f64, f64, f64, &[f64]),
    ) -> Result<(), StatisticsError> {
        if stratum >= self.design.strata.len() {
            return Err(StatisticsError::EmptyGroup { group: stratum });
        }
        let mut mean = vec![0.0; self.beta.len()];
        sweep(&self.design, &self.design.predictors(&self.beta), |set| {
            if set.stratum != stratum {
                return;
            }
            let (mut hazard, mut square) = (0.0, 0.0);
            mean.fill(0.0);
            set.parts(self.ties, |part| {
                let h = part.weight / part.sum;
                hazard += h;
                square += h / part.sum;
                mean.iter_mut().zip(part.mean).for_each(|(sum, m)| *sum += h * m);
            });
            visit(set.time, hazard, square, &mean);
        });
        Ok(())
    }
}
