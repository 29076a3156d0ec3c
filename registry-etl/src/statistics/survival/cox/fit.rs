//! The fit of a Cox model and its tests.

use super::super::input::{Groups, Rows};
use super::concordance::{Concordance, concordance};
use super::design::{Design, dot};
use super::newton::{Evaluation, Maximum, maximise, separates};
use super::risk::{RiskSet, sweep};
use super::robust;
use crate::statistics::cholesky::Cholesky;
use crate::statistics::{Interval, StatisticsError, gamma, normal};

/// How events at the same time enter the likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    #[default]
    Efron,
    Breslow,
}

/// What to fit.
#[derive(Debug, Clone, Copy)]
pub struct CoxModel<'a> {
    /// Any event counts; for one of several causes see [`Rows::cause_specific`].
    pub rows: &'a Rows,
    /// n rows of p covariates.
    pub covariates: &'a [Vec<f64>],
    /// A baseline hazard for each.
    pub strata: Option<&'a Groups>,
    /// Rows of one cluster (a subject, a centre) are not independent: robust standard errors.
    pub cluster: Option<&'a Groups>,
    /// Robust standard errors with every row its own cluster (for weights that are no counts).
    pub robust: bool,
    pub ties: Ties,
    /// Of the intervals, 0.95.
    pub level: f64,
}

impl<'a> CoxModel<'a> {
    /// One baseline hazard, rows that are independent, Efron's method for ties.
    pub fn plain(rows: &'a Rows, covariates: &'a [Vec<f64>], level: f64) -> Self {
        Self {
            rows,
            covariates,
            strata: None,
            cluster: None,
            robust: false,
            ties: Ties::Efron,
            level,
        }
    }
}

/// A chi-square test of all coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlobalTest {
    pub chi_square: f64,
    pub df: usize,
    pub p: f64,
}

impl GlobalTest {
    pub(super) fn of(chi_square: f64, df: usize) -> Self {
        Self {
            chi_square,
            df,
            p: gamma::chi_square_above(chi_square, df as f64),
        }
    }
}

/// A fitted model; vectors in the order of the covariates.
pub struct Cox {
    pub n: usize,
    pub events: usize,
    pub coefficients: Vec<f64>,
    /// From the inverse information.
    pub std_errors: Vec<f64>,
    /// Where asked for; then these make the intervals, p-values and Wald test.
    pub robust_std_errors: Option<Vec<f64>>,
    /// Robust where asked for, p x p.
    pub covariance: Vec<Vec<f64>>,
    pub z: Vec<f64>,
    pub p: Vec<f64>,
    pub hazard_ratios: Vec<f64>,
    /// Of the hazard ratios.
    pub intervals: Vec<Interval>,
    pub log_likelihood_null: f64,
    pub log_likelihood: f64,
    pub likelihood_ratio: GlobalTest,
    pub wald: GlobalTest,
    pub score: GlobalTest,
    /// `None` without a comparable pair.
    pub concordance: Option<Concordance>,
    pub steps: usize,
    pub(super) design: Design,
    pub(super) beta: Vec<f64>,
    pub(super) information: Vec<Vec<f64>>,
    /// On the scale of the fit.
    pub(super) scaled_covariance: Vec<Vec<f64>>,
    pub(super) ties: Ties,
    pub(super) strata: Option<Vec<String>>,
}

/// Fits `model`.
///
/// # Errors
/// Columns of different length; a covariate that is not finite; no event; covariates that depend on each other (also: that
/// do not vary within any risk set); separation; no convergence; a level outside (0, 1).
pub fn cox(model: &CoxModel<'_>) -> Result<Cox, StatisticsError> {
    let z = normal::two_sided(model.level)?;
    model.cluster.map_or(Ok(()), |c| c.check(model.rows.len()))?;
    let design = Design::new(model.rows, model.covariates, model.strata)?;
    let Maximum {
        beta,
        null,
        at,
        covariance,
        steps,
    } = maximise(
        &design,
        |beta| evaluate(&design, beta, model.ties),
        |movement| separates(&design, movement),
    )?;
    let cluster_of = |i: usize| model.cluster.map_or(i, |c| c.as_slice()[i]);
    let clusters = model.cluster.map_or(model.rows.len(), |c| c.labels().len());
    let robust = (model.robust || model.cluster.is_some()).then(|| {
        let residuals = robust::dfbeta(&design, &beta, model.ties, &covariance);
        robust::sandwich(&design, &residuals, cluster_of, clusters)
    });
    let roots = |matrix: &[Vec<f64>]| -> Vec<f64> {
        let diagonal = matrix.iter().enumerate().map(|(i, row)| row[i].sqrt());
        diagonal
            .zip(&design.scale)
            .map(|(se, scale)| se / scale)
            .collect()
    };
    let robust_std_errors = robust.as_deref().map(roots);
    let std_errors = roots(&covariance);
    let scaled_covariance = robust.unwrap_or(covariance);
    let coefficients = design.unscaled(&beta);
    let used = robust_std_errors.as_ref().unwrap_or(&std_errors);
    let wald = Cholesky::of(&lower(&scaled_covariance)).map_or(f64::NAN, |f| dot(&f.solve(&beta), &beta));
    let df = beta.len();
    let interval = |(b, se): (&f64, &f64)| Interval {
        lower: (b - z * se).exp(),
        upper: (b + z * se).exp(),
    };
    let statistics: Vec<f64> = coefficients.iter().zip(used).map(|(b, se)| b / se).collect();
    Ok(Cox {
        n: model.rows.len(),
        events: design.events(),
        p: statistics.iter().map(|z| normal::two_sided_p(*z)).collect(),
        z: statistics,
        hazard_ratios: coefficients.iter().map(|b| b.exp()).collect(),
        intervals: coefficients.iter().zip(used).map(interval).collect(),
        covariance: design.unscaled_covariance(&scaled_covariance),
        log_likelihood_null: null.log_likelihood,
        log_likelihood: at.log_likelihood,
        likelihood_ratio: GlobalTest::of(2.0 * (at.log_likelihood - null.log_likelihood), df),
        wald: GlobalTest::of(wald, df),
        score: GlobalTest::of(null.score_test().unwrap_or(f64::NAN), df),
        concordance: concordance(&design, &design.predictors(&beta), cluster_of, clusters),
        steps,
        information: at.information,
        scaled_covariance,
        ties: model.ties,
        strata: model.strata.map(|s| s.labels().to_vec()),
        coefficients,
        std_errors,
        robust_std_errors,
        design,
        beta,
    })
}

/// Score and information on the caller's scale where no covariate has an effect (a score test's ingredients).
pub(in crate::statistics::survival) fn at_no_effect(
    rows: &Rows,
    covariates: &[Vec<f64>],
    strata: Option<&Groups>,
    ties: Ties,
) -> Result<Evaluation, StatisticsError> {
    let design = Design::new(rows, covariates, strata)?;
    let mut null = evaluate(&design, &vec![0.0; design.columns], ties);
    for i in 0..design.columns {
        null.score[i] *= design.scale[i];
        for j in 0..=i {
            null.information[i][j] *= design.scale[i] * design.scale[j];
        }
    }
    Ok(null)
}

fn evaluate(design: &Design, beta: &[f64], ties: Ties) -> Evaluation {
    let eta = design.predictors(beta);
    let mut sum = Evaluation::new(design.columns);
    sweep(design, &eta, |set| add(&mut sum, set, ties));
    sum
}

/// Adds the terms of one time.
pub(in crate::statistics::survival) fn add(sum: &mut Evaluation, set: &RiskSet, ties: Ties) {
    sum.log_likelihood += set.predictors;
    for (score, x) in sum.score.iter_mut().zip(&set.covariates) {
        *score += x;
    }
    set.parts(ties, |part| {
        sum.log_likelihood -= part.weight * part.sum.ln();
        for (score, mean) in sum.score.iter_mut().zip(part.mean) {
            *score -= part.weight * mean;
        }
        let cells = sum.information.iter_mut().flatten();
        for (cell, covariance) in cells.zip(part.covariance) {
            *cell += part.weight * covariance;
        }
    });
}

/// The lower triangle of a square matrix.
pub(super) fn lower(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    matrix
        .iter()
        .enumerate()
        .map(|(i, row)| row[..=i].to_vec())
        .collect()
}

impl Cox {
    /// Akaike's criterion.
    pub fn aic(&self) -> f64 {
        2.0 * (self.beta.len() as f64 - self.log_likelihood)
    }
}
