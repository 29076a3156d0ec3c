//! Influence of each row on the coefficients, and the variance that groups rows into clusters.
//!
//! Score residual of row i, with `h` the hazard and `m` the mean covariates of each term of the likelihood:
//! `1{event} (x_i - mean of m at its time) - e^{x_i b} sum over the terms while at risk of (x_i - m) h`; a row with the event
//! under Efron's ties is at risk in the k-th term of its own time by the share `1 - k/d`. Times its weight and the inverse
//! information it is the row's influence; summed within clusters and squared, the variance.
//! Sources: Lin, Wei 1989; Therneau, Grambsch 2000, chapter 7.

use super::Ties;
use super::design::Design;
use super::risk::sweep;

/// Cumulative sums over the terms of the likelihood, ascending in time within a stratum.
struct Times {
    time: Vec<f64>,
    /// Sum of hazards up to and including each time.
    hazard: Vec<f64>,
    /// Sum of hazards times mean covariates, p a time.
    mean: Vec<f64>,
    /// At this time alone, for a row with the event: average mean, hazard and hazard times mean at its shares.
    own_average: Vec<f64>,
    own_hazard: Vec<f64>,
    own_mean: Vec<f64>,
}

/// Influence of each row of the caller (n x p, row-major), on the scale of the fit.
pub(super) fn dfbeta(design: &Design, beta: &[f64], ties: Ties, covariance: &[Vec<f64>]) -> Vec<f64> {
    let p = design.columns;
    let eta = design.predictors(beta);
    let mut strata: Vec<Times> = design.strata.iter().map(|_| Times::new()).collect();
    sweep(design, &eta, |set| {
        let times = &mut strata[set.stratum];
        let (mut hazard, mut own_hazard) = (0.0, 0.0);
        let mut sums = vec![0.0; 3 * p];
        set.parts(ties, |part| {
            let h = part.weight / part.sum;
            let own = match ties {
                Ties::Efron => h * (1.0 - part.share),
                Ties::Breslow => h,
            };
            hazard += h;
            own_hazard += own;
            for (j, m) in part.mean.iter().enumerate() {
                sums[j] += h * m;
                sums[p + j] += own * m;
                sums[2 * p + j] += part.weight * m / set.weight;
            }
        });
        times.time.push(set.time);
        times.hazard.push(hazard);
        times.mean.extend_from_slice(&sums[..p]);
        times.own_hazard.push(own_hazard);
        times.own_mean.extend_from_slice(&sums[p..2 * p]);
        times.own_average.extend_from_slice(&sums[2 * p..]);
    });
    let mut influence = vec![0.0; design.x.len()];
    let mut residual = vec![0.0; p];
    for (times, range) in strata.iter_mut().zip(&design.strata) {
        times.ascend(p);
        for i in range.clone() {
            times.residual(design, i, eta[i].exp(), &mut residual);
            let target = &mut influence[design.source[i] * p..(design.source[i] + 1) * p];
            for (out, column) in target.iter_mut().zip(covariance) {
                let product: f64 = residual.iter().zip(column).map(|(r, v)| r * v).sum();
                *out = design.weight[i] * product;
            }
        }
    }
    influence
}

impl Times {
    fn new() -> Self {
        Self {
            time: Vec::new(),
            hazard: Vec::new(),
            mean: Vec::new(),
            own_average: Vec::new(),
            own_hazard: Vec::new(),
            own_mean: Vec::new(),
        }
    }

    /// From descending single terms to ascending cumulative sums.
    fn ascend(&mut self, p: usize) {
        self.time.reverse();
        self.own_hazard.reverse();
        self.hazard.reverse();
        for values in [&mut self.mean, &mut self.own_mean, &mut self.own_average] {
            *values = values.chunks(p).rev().flatten().copied().collect();
        }
        for k in 1..self.time.len() {
            self.hazard[k] += self.hazard[k - 1];
            for j in 0..p {
                self.mean[k * p + j] += self.mean[(k - 1) * p + j];
            }
        }
    }

    /// Number of event times up to and including `time`.
    fn until(&self, time: f64) -> usize {
        self.time.partition_point(|t| *t <= time)
    }

    fn residual(&self, design: &Design, i: usize, hazard: f64, residual: &mut [f64]) {
        let p = residual.len();
        let row = design.row(i);
        let (from, to) = (self.until(design.entry[i]), self.until(design.exit[i]));
        // The last event time of a row with the event is its own.
        let to = if design.event[i] { to - 1 } else { to };
        let sum = |k: usize| if k == 0 { 0.0 } else { self.hazard[k - 1] };
        let mean = |k: usize, j: usize| if k == 0 { 0.0 } else { self.mean[(k - 1) * p + j] };
        for j in 0..p {
            let during = row[j] * (sum(to) - sum(from)) - (mean(to, j) - mean(from, j));
            residual[j] = -hazard * during;
            if design.event[i] {
                let own = row[j] * self.own_hazard[to] - self.own_mean[to * p + j];
                residual[j] += row[j] - self.own_average[to * p + j] - hazard * own;
            }
        }
    }
}

/// Sum over clusters of the square of their summed influence; `cluster_of` takes the caller's position.
pub(super) fn sandwich(
    design: &Design,
    influence: &[f64],
    cluster_of: impl Fn(usize) -> usize,
    clusters: usize,
) -> Vec<Vec<f64>> {
    let p = design.columns;
    let mut sums = vec![0.0; clusters * p];
    for (i, row) in influence.chunks(p).enumerate() {
        let at = cluster_of(i) * p;
        for (sum, value) in sums[at..at + p].iter_mut().zip(row) {
            *sum += value;
        }
    }
    let mut square = vec![vec![0.0; p]; p];
    for row in sums.chunks(p) {
        for i in 0..p {
            for j in 0..p {
                square[i][j] += row[i] * row[j];
            }
        }
    }
    square
}
