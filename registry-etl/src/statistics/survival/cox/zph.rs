//! The exact score test of proportional hazards.
//!
//! Next to each covariate `x` stands `g(t) x`, whose coefficient is 0 under proportionality. At the fit, over the terms of
//! the likelihood with mean `m` and covariance `V` of the covariates at risk: score `U = sum g (x - m)`, information
//! `[[sum V, sum g V], [sum g V, sum g^2 V]]`; the test of covariate j takes `g(t) x_j` alone, the global test all.
//! Sources: Grambsch, Therneau 1994; Therneau, Grambsch 2000, section 6.2 (score test of a time-dependent coefficient).

use super::fit::{Cox, GlobalTest};
use super::risk::sweep;
use crate::statistics::StatisticsError;
use crate::statistics::cholesky::Cholesky;
use crate::statistics::kaplan_meier::{Band, Subject, kaplan_meier};

/// `g(t)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeScale {
    /// `1 - S(t-)` of the Kaplan-Meier curve of all rows: the default, little moved by long times.
    #[default]
    KaplanMeier,
    Identity,
}

/// The test of one covariate, in the order of the model.
pub type ZphTest = GlobalTest;

/// Tests of proportional hazards.
#[derive(Debug, Clone, PartialEq)]
pub struct Proportionality {
    pub covariates: Vec<ZphTest>,
    pub global: ZphTest,
}

impl Cox {
    /// Tests every covariate, and all together, for an effect that changes with `scale`.
    ///
    /// # Errors
    /// [`StatisticsError::NoVariation`] where the time scale does not vary over the events of a covariate.
    pub fn proportional_hazards(&self, scale: TimeScale) -> Result<Proportionality, StatisticsError> {
        let p = self.beta.len();
        let g = self.time_scale(scale)?;
        let (mut score, mut once, mut twice) =
            (vec![0.0; p], self.information.clone(), self.information.clone());
        for row in once.iter_mut().chain(&mut twice) {
            row.fill(0.0);
        }
        sweep(&self.design, &self.design.predictors(&self.beta), |set| {
            let g = g(set.time);
            for (score, x) in score.iter_mut().zip(&set.covariates) {
                *score += g * x;
            }
            set.parts(self.ties, |part| {
                for (score, mean) in score.iter_mut().zip(part.mean) {
                    *score -= g * part.weight * mean;
                }
                let cells = once.iter_mut().flatten().zip(twice.iter_mut().flatten());
                for ((once, twice), covariance) in cells.zip(part.covariance) {
                    *once += g * part.weight * covariance;
                    *twice += g * g * part.weight * covariance;
                }
            });
        });
        let symmetric = |m: &[Vec<f64>], i: usize, j: usize| m[i.max(j)][i.min(j)];
        let test = |chosen: &[usize]| {
            let mut matrix = self.information.clone();
            for (a, i) in chosen.iter().enumerate() {
                let mut row: Vec<f64> = (0..p).map(|j| symmetric(&once, *i, j)).collect();
                row.extend(chosen[..=a].iter().map(|j| symmetric(&twice, *i, *j)));
                matrix.push(row);
            }
            let mut u = vec![0.0; p];
            u.extend(chosen.iter().map(|i| score[*i]));
            let factor = Cholesky::of(&matrix).ok_or(StatisticsError::NoVariation)?;
            let chi_square = super::design::dot(&factor.solve(&u), &u);
            Ok(GlobalTest::of(chi_square, chosen.len()))
        };
        let all: Vec<usize> = (0..p).collect();
        Ok(Proportionality {
            covariates: all.iter().map(|j| test(&[*j])).collect::<Result<_, _>>()?,
            global: test(&all)?,
        })
    }

    /// `g`, centred over the events (the test does not depend on a constant, its digits do).
    fn time_scale(&self, scale: TimeScale) -> Result<impl Fn(f64) -> f64, StatisticsError> {
        let design = &self.design;
        let curve = match scale {
            TimeScale::Identity => None,
            TimeScale::KaplanMeier => {
                let subject = |i: usize| Subject {
                    entry: design.entry[i].is_finite().then_some(design.entry[i]),
                    exit: design.exit[i],
                    event: design.event[i],
                    weight: design.weight[i],
                };
                let rows: Vec<Subject> = (0..design.exit.len()).map(subject).collect();
                Some(kaplan_meier(&rows, 0.95, Band::Log)?.steps)
            }
        };
        let g = move |time: f64| match &curve {
            None => time,
            Some(steps) => {
                let before = steps.partition_point(|s| s.time < time);
                1.0 - before.checked_sub(1).map_or(1.0, |k| steps[k].survival)
            }
        };
        let events = || (0..design.exit.len()).filter(|i| design.event[*i]);
        let values: Vec<f64> = events().map(|i| g(design.exit[i])).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spread = values.iter().map(|v| (v - mean).abs()).sum::<f64>() / n;
        let spread = if spread > 0.0 { spread } else { 1.0 };
        Ok(move |time| (g(time) - mean) / spread)
    }
}
