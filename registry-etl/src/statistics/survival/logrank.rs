//! Log-rank test of k groups, plain, stratified, weighted by survival, and in pairs.
//!
//! At each event time with `d` events among `n` at risk, `n_g` of them in group `g`: expected `d n_g / n`, covariance
//! `d (n - d) / (n - 1) n_g/n (1{g=h} - n_h/n)`, both times `S(t-)^rho` and its square (`S`: Kaplan-Meier of the stratum);
//! summed over times and strata. `(O - E)' V^- (O - E)` is chi-square with one degree of freedom fewer than groups that ever
//! expect an event. `rho = 0` is the log-rank, `rho = 1` the Peto-Peto test.
//! With delayed entry the test is the score test of the Cox model (Efron ties) on the groups.
//! Sources: Mantel 1966; Peto, Peto 1972; Harrington, Fleming 1982; Klein, Moeschberger 2003, chapter 7.

use super::cox::{self, Ties};
use super::input::{Groups, Rows};
use crate::statistics::cholesky::Cholesky;
use crate::statistics::{StatisticsError, gamma, multiplicity};

/// A test of equal hazards between groups.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// Rows of each group, in the order of the labels.
    pub n: Vec<usize>,
    /// Events of each group (weighted by `S(t-)^rho`).
    pub observed: Vec<f64>,
    pub expected: Vec<f64>,
    /// Covariance of `observed - expected`, k x k.
    pub variance: Vec<Vec<f64>>,
    pub chi_square: f64,
    pub df: usize,
    pub p: f64,
    /// Whether the rows enter late and the score test of the Cox model was used.
    pub cox_score: bool,
}

/// All pairs of groups with adjusted p-values.
#[derive(Debug, Clone, PartialEq)]
pub struct PairwiseLogRank {
    /// Positions of the labels, the smaller first.
    pub pairs: Vec<(usize, usize)>,
    pub tests: Vec<LogRank>,
    pub p: Vec<f64>,
    pub p_benjamini_hochberg: Vec<f64>,
    pub p_holm: Vec<f64>,
}

/// Compares `groups`, within `strata` when given; any event counts. `rho` 0: log-rank; 1: Peto-Peto.
///
/// # Errors
/// Groups or strata of another length than the rows; one group only; no event, or no variation to test; case weights; a
/// `rho` that is negative or not finite, or other than 0 with delayed entry.
pub fn log_rank(
    rows: &Rows,
    groups: &Groups,
    strata: Option<&Groups>,
    rho: f64,
) -> Result<LogRank, StatisticsError> {
    groups.check(rows.len())?;
    strata.map_or(Ok(()), |s| s.check(rows.len()))?;
    let k = groups.at_least_two()?;
    rows.refuse_weights("the log-rank test")?;
    if !(rho.is_finite() && rho >= 0.0) {
        return Err(StatisticsError::Rho);
    }
    let delayed = rows.delayed_entry();
    if delayed && rho != 0.0 {
        return Err(StatisticsError::DelayedEntryRefused {
            what: "the Peto-Peto test",
            why: "its weights need survival from the beginning",
        });
    }
    let mut sums = if delayed {
        scored(rows, groups, strata)?
    } else {
        let mut sums = Sums::new(k);
        match strata {
            None => sums.add(&leaving(rows, groups), rho),
            Some(strata) => {
                let mut members = vec![Vec::new(); strata.labels().len()];
                for i in rows.by_exit() {
                    members[strata.as_slice()[i]].push(i);
                }
                members
                    .into_iter()
                    .for_each(|order| sums.add(&leaving_in_order(rows, groups, &order), rho));
            }
        }
        sums
    };
    sums.mirror();
    let (chi_square, df) = sums.test()?;
    Ok(LogRank {
        n: groups.sizes(),
        p: gamma::chi_square_above(chi_square, df as f64),
        chi_square,
        df,
        observed: sums.observed,
        expected: sums.expected,
        variance: sums.variance,
        cox_score: delayed,
    })
}

/// The log-rank test of every pair of groups; the family of the adjustment is all pairs.
///
/// # Errors
/// As [`log_rank`], for any of the pairs.
pub fn pairwise_log_rank(
    rows: &Rows,
    groups: &Groups,
    strata: Option<&Groups>,
) -> Result<PairwiseLogRank, StatisticsError> {
    groups.check(rows.len())?;
    let k = groups.at_least_two()?;
    let of = groups.as_slice();
    let (mut pairs, mut tests) = (Vec::new(), Vec::new());
    for a in 0..k {
        for b in a + 1..k {
            let chosen = |i: usize| of[i] == a || of[i] == b;
            let pick = |all: &Groups| {
                let labels = all.as_slice().iter().enumerate().filter(|(i, _)| chosen(*i));
                Groups::of(&labels.map(|(_, g)| all.labels()[*g].as_str()).collect::<Vec<_>>())
            };
            let within = strata.map(pick);
            tests.push(log_rank(&rows.only(chosen), &pick(groups), within.as_ref(), 0.0)?);
            pairs.push((a, b));
        }
    }
    let p: Vec<f64> = tests.iter().map(|t| t.p).collect();
    Ok(PairwiseLogRank {
        pairs,
        tests,
        p_benjamini_hochberg: multiplicity::benjamini_hochberg(&p)?,
        p_holm: multiplicity::holm(&p)?,
        p,
    })
}

/// Observed, expected and the lower triangle of the covariance, over all times and strata.
struct Sums {
    observed: Vec<f64>,
    expected: Vec<f64>,
    variance: Vec<Vec<f64>>,
}

impl Sums {
    fn new(k: usize) -> Self {
        Self {
            observed: vec![0.0; k],
            expected: vec![0.0; k],
            variance: vec![vec![0.0; k]; k],
        }
    }

    /// Adds one stratum: who leaves at each time, ascending.
    fn add(&mut self, times: &[f64], rho: f64) {
        let k = self.observed.len();
        let mut at_risk = vec![0.0; k];
        for time in times.chunks_exact(2 * k) {
            at_risk
                .iter_mut()
                .zip(&time[..k])
                .for_each(|(n, left)| *n += left);
        }
        let (mut total, mut survival) = (at_risk.iter().sum::<f64>(), 1.0_f64);
        for time in times.chunks_exact(2 * k) {
            let (leaving, events) = time.split_at(k);
            let d: f64 = events.iter().sum();
            if d > 0.0 {
                let weight = if rho == 0.0 { 1.0 } else { survival.powf(rho) };
                let spread = if total > 1.0 {
                    weight * weight * d * (total - d) / (total - 1.0)
                } else {
                    0.0
                };
                for g in 0..k {
                    let share = at_risk[g] / total;
                    self.observed[g] += weight * events[g];
                    self.expected[g] += weight * d * share;
                    for (h, other) in at_risk[..=g].iter().enumerate() {
                        let own = if g == h { 1.0 } else { 0.0 };
                        self.variance[g][h] += spread * share * (own - other / total);
                    }
                }
                survival *= 1.0 - d / total;
            }
            for (n, left) in at_risk.iter_mut().zip(leaving) {
                *n -= left;
                total -= left;
            }
        }
    }

    fn mirror(&mut self) {
        for g in 0..self.variance.len() {
            for h in 0..g {
                self.variance[h][g] = self.variance[g][h];
            }
        }
    }

    /// Chi-square and degrees of freedom, over the groups that ever expect an event.
    fn test(&self) -> Result<(f64, usize), StatisticsError> {
        let used: Vec<usize> = (0..self.expected.len())
            .filter(|g| self.expected[*g] > 0.0)
            .collect();
        if used.len() < 2 {
            return Err(StatisticsError::NoVariation);
        }
        let free = &used[1..];
        let matrix: Vec<Vec<f64>> = (0..free.len())
            .map(|a| free[..=a].iter().map(|h| self.variance[free[a]][*h]).collect())
            .collect();
        let off: Vec<f64> = free
            .iter()
            .map(|g| self.observed[*g] - self.expected[*g])
            .collect();
        let factor = Cholesky::of(&matrix).ok_or(StatisticsError::NoVariation)?;
        let chi_square = factor.solve(&off).iter().zip(&off).map(|(a, b)| a * b).sum();
        Ok((chi_square, free.len()))
    }
}

/// Rows leaving at each time, ascending: of each of the k groups all who leave, then of each those with the event. Whole times are
/// counted at, others sorted.
fn leaving(rows: &Rows, groups: &Groups) -> Vec<f64> {
    let Some(last) = rows.last_whole_exit() else {
        return leaving_in_order(rows, groups, &rows.by_exit());
    };
    let k = groups.labels().len();
    let mut times = vec![0.0; (last + 1) * 2 * k];
    for (row, g) in rows.as_slice().iter().zip(groups.as_slice()) {
        let at = row.exit as usize * 2 * k + g;
        times[at] += 1.0;
        times[at + k] += f64::from(u8::from(row.code > 0));
    }
    times
}

/// As [`leaving`], of the rows at `order`, which is by ascending exit.
fn leaving_in_order(rows: &Rows, groups: &Groups, order: &[usize]) -> Vec<f64> {
    let (k, mut times, mut last) = (groups.labels().len(), Vec::new(), f64::NEG_INFINITY);
    for i in order {
        let row = rows.as_slice()[*i];
        if row.exit != last {
            times.resize(times.len() + 2 * k, 0.0);
            last = row.exit;
        }
        let at = times.len() - 2 * k + groups.as_slice()[*i];
        times[at] += 1.0;
        times[at + k] += f64::from(u8::from(row.code > 0));
    }
    times
}

/// Score and information of the Cox model on all k indicators, at no effect.
fn scored(rows: &Rows, groups: &Groups, strata: Option<&Groups>) -> Result<Sums, StatisticsError> {
    let k = groups.labels().len();
    let indicator = |g: &usize| (0..k).map(|h| f64::from(u8::from(h == *g))).collect();
    let covariates: Vec<Vec<f64>> = groups.as_slice().iter().map(indicator).collect();
    let null = cox::at_no_effect(rows, &covariates, strata, Ties::Efron)?;
    let mut observed = vec![0.0; k];
    for (row, g) in rows.as_slice().iter().zip(groups.as_slice()) {
        observed[*g] += f64::from(u8::from(row.code > 0));
    }
    Ok(Sums {
        expected: observed.iter().zip(&null.score).map(|(o, u)| o - u).collect(),
        observed,
        variance: null
            .information
            .into_iter()
            .map(|mut row| {
                row.resize(k, 0.0);
                row
            })
            .collect(),
    })
}
