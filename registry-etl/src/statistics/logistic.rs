//! Logistic regression by maximum likelihood.
//!
//! `logit P(y = 1) = b0 + b1 x1 + ...`; iteratively reweighted least squares: `b += (X' W X)^-1 X' (y - p)`,
//! `W = diag p (1 - p)`, halving a step that would lower the likelihood. Standard errors are the root of the diagonal of
//! `(X' W X)^-1` at the estimate. Sources: McCullagh, Nelder 1989; R `glm`.
//!
//! Where a combination of covariates tells the outcomes apart (separation), no finite estimate exists although the
//! likelihood converges (Albert, Anderson 1984). Convergence is therefore judged by the step of the linear predictor, which
//! then stays near 1 for ever, and a step that moves no subject towards the wrong outcome proves separation.

use super::StatisticsError;
use super::cholesky::Cholesky;

/// Converged when no linear predictor moves by more than this share of its size (or of 1).
const CONVERGED: f64 = 1e-9;
const MAX_STEPS: usize = 60;
const MAX_HALVINGS: usize = 30;
/// How far, as a share of the largest movement, a subject may move the wrong way in a separating direction.
const SEPARATING: f64 = 1e-4;

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// Intercept first, then the covariates in the order given.
    pub coefficients: Vec<f64>,
    pub std_errors: Vec<f64>,
    /// `(X' W X)^-1` at the estimate.
    pub covariance: Vec<Vec<f64>>,
    pub log_likelihood: f64,
    /// Probability of each subject.
    pub fitted: Vec<f64>,
    pub steps: usize,
}

/// State of the iteration at one set of coefficients.
struct Fit {
    coefficients: Vec<f64>,
    /// Linear predictor of each subject.
    linear: Vec<f64>,
    log_likelihood: f64,
}

/// Fits `outcome` on the covariates of each subject (a row each, without the intercept, which is added).
///
/// # Errors
/// Nobody; rows of different length or not as many as outcomes; a covariate that is not finite; covariates that depend on
/// each other; separation; no convergence.
pub fn logistic(covariates: &[Vec<f64>], outcome: &[bool]) -> Result<Logistic, StatisticsError> {
    let columns = check(covariates, outcome)?;
    let mut fit = at(covariates, outcome, vec![0.0; columns]);
    let mut direction: Option<Vec<f64>> = None;
    for steps in 0..MAX_STEPS {
        let fitted: Vec<f64> = fit.linear.iter().map(|eta| expit(*eta)).collect();
        let Some(information) = Cholesky::of(&information(covariates, &fitted, columns)) else {
            // At equal weights only the covariates can be at fault.
            return Err(match direction {
                None => StatisticsError::Collinear,
                Some(last) => stuck(&last, outcome),
            });
        };
        let mut score = vec![0.0; columns];
        for ((row, y), p) in covariates.iter().zip(outcome).zip(&fitted) {
            add(&mut score, row, f64::from(u8::from(*y)) - p);
        }
        let step = information.solve(&score);
        let movement: Vec<f64> = covariates.iter().map(|row| predictor(row, &step)).collect();
        let settled = movement
            .iter()
            .zip(&fit.linear)
            .all(|(moved, eta)| moved.abs() <= CONVERGED * eta.abs().max(1.0));
        if settled {
            return Ok(Logistic {
                std_errors: diagonal(&information).into_iter().map(f64::sqrt).collect(),
                covariance: information.inverse(),
                coefficients: fit.coefficients,
                log_likelihood: fit.log_likelihood,
                fitted,
                steps,
            });
        }
        fit = advanced(covariates, outcome, &fit, &step);
        direction = Some(movement);
    }
    Err(direction.map_or(StatisticsError::NotConverged, |last| stuck(&last, outcome)))
}

fn check(covariates: &[Vec<f64>], outcome: &[bool]) -> Result<usize, StatisticsError> {
    if covariates.len() != outcome.len() {
        return Err(StatisticsError::Columns);
    }
    let first = covariates.first().ok_or(StatisticsError::Empty)?;
    if covariates.iter().any(|row| row.len() != first.len()) {
        return Err(StatisticsError::Columns);
    }
    let finite = |row: &Vec<f64>| row.iter().all(|v| v.is_finite());
    match covariates.iter().position(|row| !finite(row)) {
        Some(index) => Err(StatisticsError::Covariate { index }),
        None => Ok(first.len() + 1),
    }
}

/// `1 / (1 + e^-eta)`.
fn expit(eta: f64) -> f64 {
    if eta >= 0.0 {
        1.0 / (1.0 + (-eta).exp())
    } else {
        eta.exp() / (1.0 + eta.exp())
    }
}

/// Intercept and covariates times `b`.
fn predictor(row: &[f64], b: &[f64]) -> f64 {
    b[0] + row.iter().zip(&b[1..]).map(|(x, b)| x * b).sum::<f64>()
}

/// `sum += factor * (1, row)`.
fn add(sum: &mut [f64], row: &[f64], factor: f64) {
    sum[0] += factor;
    for (sum, x) in sum[1..].iter_mut().zip(row) {
        *sum += factor * x;
    }
}

fn at(covariates: &[Vec<f64>], outcome: &[bool], coefficients: Vec<f64>) -> Fit {
    let linear: Vec<f64> = covariates
        .iter()
        .map(|row| predictor(row, &coefficients))
        .collect();
    // log p = -log(1 + e^-eta), written so that no exponential overflows.
    let one = |(eta, y): (&f64, &bool)| {
        let towards = if *y { *eta } else { -eta };
        towards.min(0.0) - (-towards.abs()).exp().ln_1p()
    };
    Fit {
        log_likelihood: linear.iter().zip(outcome).map(one).sum(),
        coefficients,
        linear,
    }
}

/// `X' W X`, its lower triangle.
fn information(covariates: &[Vec<f64>], fitted: &[f64], columns: usize) -> Vec<Vec<f64>> {
    let mut matrix: Vec<Vec<f64>> = (1..=columns).map(|width| vec![0.0; width]).collect();
    for (row, p) in covariates.iter().zip(fitted) {
        let weight = p * (1.0 - p);
        matrix[0][0] += weight;
        for (i, x) in row.iter().enumerate() {
            add(&mut matrix[i + 1], &row[..=i], weight * x);
        }
    }
    matrix
}

fn diagonal(information: &Cholesky) -> Vec<f64> {
    let inverse = information.inverse();
    inverse.iter().enumerate().map(|(i, column)| column[i]).collect()
}

/// The step, or the first half, quarter, ... of it that does not lower the likelihood.
fn advanced(covariates: &[Vec<f64>], outcome: &[bool], fit: &Fit, step: &[f64]) -> Fit {
    let mut share = 1.0;
    let mut next = along(covariates, outcome, fit, step, share);
    for _ in 0..MAX_HALVINGS {
        // Near the maximum rounding alone may lower it.
        let slack = f64::EPSILON * 16.0 * fit.log_likelihood.abs();
        if next.log_likelihood >= fit.log_likelihood - slack {
            break;
        }
        share /= 2.0;
        next = along(covariates, outcome, fit, step, share);
    }
    next
}

fn along(covariates: &[Vec<f64>], outcome: &[bool], fit: &Fit, step: &[f64], share: f64) -> Fit {
    let coefficients = fit.coefficients.iter().zip(step).map(|(b, s)| b + share * s);
    at(covariates, outcome, coefficients.collect())
}

/// Why the iteration did not settle: its last movement of the linear predictors tells.
fn stuck(movement: &[f64], outcome: &[bool]) -> StatisticsError {
    let largest = movement.iter().fold(0.0_f64, |most, m| most.max(m.abs()));
    let wrong = |(moved, y): (&f64, &bool)| (if *y { -moved } else { *moved }) > SEPARATING * largest;
    if largest > 0.0 && !movement.iter().zip(outcome).any(wrong) {
        StatisticsError::Separation
    } else {
        StatisticsError::NotConverged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(x, y, times)`.
    fn data(rows: &[(f64, bool, usize)]) -> (Vec<Vec<f64>>, Vec<bool>) {
        let one = |&(x, y, times): &(f64, bool, usize)| std::iter::repeat_n((vec![x], y), times);
        rows.iter().flat_map(one).unzip()
    }

    #[test]
    fn a_fourfold_table_by_hand() {
        // x = 0: 10 of 30; x = 1: 15 of 20. Log odds ln(10/20), log odds ratio ln((15/5) / (10/20)) = ln 6;
        // variance of the log odds ratio 1/10 + 1/20 + 1/15 + 1/5.
        let (x, y) = data(&[
            (0.0, true, 10),
            (0.0, false, 20),
            (1.0, true, 15),
            (1.0, false, 5),
        ]);
        let fit = logistic(&x, &y).unwrap();
        assert!((fit.coefficients[0] + 2.0_f64.ln()).abs() < 1e-12);
        assert!((fit.coefficients[1] - 6.0_f64.ln()).abs() < 1e-12);
        let variance: f64 = 1.0 / 10.0 + 1.0 / 20.0 + 1.0 / 15.0 + 1.0 / 5.0;
        assert!((fit.std_errors[1] - variance.sqrt()).abs() < 1e-12);
        assert!((fit.fitted[49] - 0.25 * 3.0).abs() < 1e-12);
        assert_eq!(fit.covariance[0][1], fit.covariance[1][0]);
    }

    #[test]
    fn separation_has_no_estimate() {
        let error = |rows: &[(f64, bool, usize)]| {
            let (x, y) = data(rows);
            logistic(&x, &y).unwrap_err()
        };
        // Complete: everybody above 3 has the event.
        assert_eq!(
            error(&[(1.0, false, 3), (2.0, false, 2), (4.0, true, 1), (5.0, true, 4)]),
            StatisticsError::Separation
        );
        // Quasi-complete: an empty cell of a fourfold table, and both outcomes at the boundary.
        assert_eq!(
            error(&[(0.0, false, 200), (0.0, true, 7), (1.0, true, 4)]),
            StatisticsError::Separation
        );
        assert_eq!(
            error(&[(1.0, false, 5), (2.0, false, 3), (2.0, true, 3), (3.0, true, 5)]),
            StatisticsError::Separation
        );
        // One outcome only.
        assert_eq!(
            error(&[(1.0, true, 5), (2.0, true, 3)]),
            StatisticsError::Separation
        );
        // Of two covariates the first separates, the second does not.
        let x: Vec<Vec<f64>> = (0..40)
            .map(|i| vec![f64::from(i / 20), f64::from(i % 7)])
            .collect();
        let y: Vec<bool> = (0..40).map(|i| i >= 20 || i % 3 == 0).collect();
        assert_eq!(logistic(&x, &y), Err(StatisticsError::Separation));
    }

    #[test]
    fn a_strong_effect_is_no_separation() {
        // One subject on the wrong side is enough for an estimate.
        let (x, y) = data(&[
            (0.0, false, 5000),
            (0.0, true, 1),
            (1.0, true, 5000),
            (1.0, false, 1),
        ]);
        let fit = logistic(&x, &y).unwrap();
        assert!((fit.coefficients[1] - 2.0 * 5000.0_f64.ln()).abs() < 1e-9);
        // Far covariates are no obstacle either.
        let x: Vec<Vec<f64>> = (0..60).map(|i| vec![2020.0 + f64::from(i % 6)]).collect();
        let y: Vec<bool> = (0..60).map(|i| (i % 6) * 10 > (i * 7) % 60).collect();
        assert!(logistic(&x, &y).is_ok());
    }

    #[test]
    fn input_errors() {
        let two = vec![vec![1.0, 2.0], vec![2.0, 4.0], vec![3.0, 6.0], vec![4.0, 8.0]];
        let y = [true, false, true, false];
        assert_eq!(logistic(&two, &y), Err(StatisticsError::Collinear));
        let constant = vec![vec![7.0]; 4];
        assert_eq!(logistic(&constant, &y), Err(StatisticsError::Collinear));
        assert_eq!(logistic(&two[..2], &y), Err(StatisticsError::Columns));
        assert_eq!(
            logistic(&[vec![1.0], vec![]], &y[..2]),
            Err(StatisticsError::Columns)
        );
        assert_eq!(logistic(&[], &[]), Err(StatisticsError::Empty));
        assert_eq!(
            logistic(&[vec![1.0], vec![f64::NAN]], &y[..2]),
            Err(StatisticsError::Covariate { index: 1 })
        );
    }
}
