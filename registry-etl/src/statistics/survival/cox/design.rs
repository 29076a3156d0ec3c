//! The rows of a Cox model, sorted for one pass from the last time to the first.

use super::super::input::{Groups, Rows, same_length};
use crate::statistics::StatisticsError;
use std::ops::Range;

/// A covariate whose spread is below this share of its size is a constant.
const CONSTANT: f64 = 1e-11;

/// Covariates are centred at their mean and divided by their spread, so that risk sums keep their digits; results are
/// carried back to the caller's scale.
pub(in crate::statistics::survival) struct Design {
    pub(in crate::statistics::survival) columns: usize,
    /// n x p, row-major, scaled.
    pub(in crate::statistics::survival) x: Vec<f64>,
    pub(in crate::statistics::survival) entry: Vec<f64>,
    pub(in crate::statistics::survival) exit: Vec<f64>,
    pub(in crate::statistics::survival) event: Vec<bool>,
    pub(in crate::statistics::survival) weight: Vec<f64>,
    /// Where each sorted row was in the caller's order.
    pub(in crate::statistics::survival) source: Vec<usize>,
    /// Sorted rows of each stratum, by descending exit.
    pub(in crate::statistics::survival) strata: Vec<Range<usize>>,
    /// Sorted rows of each stratum that enter late, by descending entry.
    pub(in crate::statistics::survival) leaving: Vec<Vec<usize>>,
    pub(in crate::statistics::survival) mean: Vec<f64>,
    pub(in crate::statistics::survival) scale: Vec<f64>,
}

impl Design {
    /// # Errors
    /// Covariates or strata not as many as rows, or of different width; a covariate that is not finite; no event.
    pub(in crate::statistics::survival) fn new(
        rows: &Rows,
        covariates: &[Vec<f64>],
        strata: Option<&Groups>,
    ) -> Result<Self, StatisticsError> {
        let all = rows.as_slice();
        let columns = check(covariates, all.len())?;
        strata.map_or(Ok(()), |s| s.check(all.len()))?;
        if all.iter().all(|r| r.code == 0) {
            return Err(StatisticsError::NoEvent);
        }
        let stratum = |i: usize| strata.map_or(0, |s| s.as_slice()[i]);
        let mut source: Vec<usize> = (0..all.len()).collect();
        source.sort_by(|a, b| {
            let time = || all[*b].exit.total_cmp(&all[*a].exit);
            stratum(*a).cmp(&stratum(*b)).then_with(time)
        });
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (sorted, i) in source.iter().enumerate() {
            match ranges.last_mut() {
                Some(range) if stratum(source[range.start]) == stratum(*i) => range.end = sorted + 1,
                _ => ranges.push(sorted..sorted + 1),
            }
        }
        let (mean, scale) = scales(covariates, columns);
        let x = source.iter().flat_map(|i| {
            let scaled = |j: usize| (covariates[*i][j] - mean[j]) / scale[j];
            (0..columns).map(scaled).collect::<Vec<_>>()
        });
        let x = x.collect();
        let entry: Vec<f64> = source.iter().map(|i| all[*i].entry).collect();
        let late = |range: &Range<usize>| {
            let mut late: Vec<usize> = range.clone().filter(|i| entry[*i].is_finite()).collect();
            late.sort_by(|a, b| entry[*b].total_cmp(&entry[*a]));
            late
        };
        Ok(Self {
            columns,
            x,
            exit: source.iter().map(|i| all[*i].exit).collect(),
            event: source.iter().map(|i| all[*i].code > 0).collect(),
            weight: source.iter().map(|i| all[*i].weight).collect(),
            leaving: ranges.iter().map(late).collect(),
            entry,
            strata: ranges,
            source,
            mean,
            scale,
        })
    }

    pub(in crate::statistics::survival) fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.columns..(i + 1) * self.columns]
    }

    /// Linear predictor of each sorted row.
    pub(in crate::statistics::survival) fn predictors(&self, beta: &[f64]) -> Vec<f64> {
        (0..self.exit.len()).map(|i| dot(self.row(i), beta)).collect()
    }

    pub(in crate::statistics::survival) fn events(&self) -> usize {
        self.event.iter().filter(|e| **e).count()
    }

    /// Coefficients on the caller's scale.
    pub(in crate::statistics::survival) fn unscaled(&self, beta: &[f64]) -> Vec<f64> {
        beta.iter().zip(&self.scale).map(|(b, s)| b / s).collect()
    }

    /// A covariance on the caller's scale.
    pub(in crate::statistics::survival) fn unscaled_covariance(&self, matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let cell = |i: usize, j: usize| matrix[i][j] / (self.scale[i] * self.scale[j]);
        (0..self.columns)
            .map(|i| (0..self.columns).map(|j| cell(i, j)).collect())
            .collect()
    }

    /// A covariate row of the caller on the scale of the fit.
    pub(in crate::statistics::survival) fn scaled(&self, row: &[f64]) -> Vec<f64> {
        (0..self.columns)
            .map(|j| (row[j] - self.mean[j]) / self.scale[j])
            .collect()
    }
}

pub(in crate::statistics::survival) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The common width of the covariate rows.
fn check(covariates: &[Vec<f64>], rows: usize) -> Result<usize, StatisticsError> {
    same_length("covariate rows", covariates.len(), rows)?;
    let columns = covariates.first().map_or(0, Vec::len);
    if columns == 0 || covariates.iter().any(|row| row.len() != columns) {
        return Err(StatisticsError::Columns);
    }
    let bad = |row: &Vec<f64>| row.iter().any(|v| !v.is_finite());
    match covariates.iter().position(bad) {
        Some(index) => Err(StatisticsError::Covariate { index }),
        None => Ok(columns),
    }
}

fn scales(covariates: &[Vec<f64>], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let n = covariates.len() as f64;
    let mean: Vec<f64> = (0..columns)
        .map(|j| covariates.iter().map(|row| row[j]).sum::<f64>() / n)
        .collect();
    let spread = |j: usize| {
        let sum: f64 = covariates.iter().map(|row| (row[j] - mean[j]).abs()).sum();
        let (spread, size) = (sum / n, covariates.iter().fold(0.0_f64, |m, r| m.max(r[j].abs())));
        // A constant stays as it is: the information then has a zero on its diagonal and says so.
        if spread <= CONSTANT * size || spread == 0.0 {
            f64::INFINITY
        } else {
            spread
        }
    };
    let scale = (0..columns).map(spread).collect();
    (mean, scale)
}
