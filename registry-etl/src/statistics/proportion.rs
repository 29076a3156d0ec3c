//! Intervals for a proportion `x / n`.
//!
//! * Wilson: `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)` (Wilson 1927).
//! * Clopper-Pearson: `qbeta(a/2; x, n-x+1)`, `qbeta(1-a/2; x+1, n-x)` (Clopper, Pearson 1934).
//! * Mid-P: the `p` at which half the probability of `x` and all of what is more extreme make `a/2` (Lancaster 1961;
//!   Berry, Armitage 1995); `P(X >= x) = I_p(x, n-x+1)`, so the mean of two incomplete betas.
//! * Jeffreys: `qbeta(.; x+1/2, n-x+1/2)`, 0 at `x = 0` and 1 at `x = n` (Brown, Cai, DasGupta 2001).
//!
//! `n = 0` has no proportion: the answer is `None`, to be printed as "not assessable", never 0 %.

use super::{StatisticsError, beta, normal};

/// A confidence interval: of a proportion within 0 and 1, of a ratio from 0 upwards, of a difference within -1 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
}

/// Refuses `x > n`; `Ok(false)` for `n = 0`.
fn has_trials(x: u64, n: u64) -> Result<bool, StatisticsError> {
    if x > n {
        return Err(StatisticsError::MoreThanTrials);
    }
    Ok(n > 0)
}

/// Score interval of `x` successes in `n` trials; `None` when `n = 0`.
///
/// # Errors
/// More successes than trials, or a level outside (0, 1).
pub fn wilson(x: u64, n: u64, level: f64) -> Result<Option<Interval>, StatisticsError> {
    if !has_trials(x, n)? {
        return Ok(None);
    }
    let mut interval = wilson_of(x as f64 / n as f64, n as f64, level)?;
    // Exactly 0 and 1 at the ends: rounding must not leave 1e-17 or 0.9999999999999999.
    if x == 0 {
        interval.lower = 0.0;
    }
    if x == n {
        interval.upper = 1.0;
    }
    Ok(Some(interval))
}

/// Score interval of a proportion that rests on `n` trials' worth of information (`n > 0` need not be whole).
///
/// # Errors
/// A level outside (0, 1), a proportion outside \[0, 1\].
pub fn wilson_of(p: f64, n: f64, level: f64) -> Result<Interval, StatisticsError> {
    if !(0.0..=1.0).contains(&p) || n.is_nan() || n <= 0.0 {
        return Err(StatisticsError::Target);
    }
    let z = normal::two_sided(level)?;
    let z2 = z * z;
    let scale = 1.0 + z2 / n;
    let centre = (p + z2 / (2.0 * n)) / scale;
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    Ok(Interval {
        lower: (centre - half).max(0.0),
        upper: (centre + half).min(1.0),
    })
}

/// Exact interval of `x` successes in `n` trials; `None` when `n = 0`.
///
/// # Errors
/// More successes than trials, or a level outside (0, 1).
pub fn clopper_pearson(x: u64, n: u64, level: f64) -> Result<Option<Interval>, StatisticsError> {
    normal::two_sided(level)?;
    if !has_trials(x, n)? {
        return Ok(None);
    }
    let tail = (1.0 - level) / 2.0;
    let (s, f) = (x as f64, (n - x) as f64);
    Ok(Some(Interval {
        lower: if x == 0 {
            0.0
        } else {
            beta::quantile(tail, s, f + 1.0)
        },
        upper: if x == n {
            1.0
        } else {
            beta::quantile(1.0 - tail, s + 1.0, f)
        },
    }))
}

/// Equal-tailed interval under Jeffreys' prior, of `x` successes in `n` trials; `None` when `n = 0`.
///
/// # Errors
/// More successes than trials, or a level outside (0, 1).
pub fn jeffreys(x: u64, n: u64, level: f64) -> Result<Option<Interval>, StatisticsError> {
    normal::two_sided(level)?;
    if !has_trials(x, n)? {
        return Ok(None);
    }
    let tail = (1.0 - level) / 2.0;
    let (s, f) = (x as f64 + 0.5, (n - x) as f64 + 0.5);
    Ok(Some(Interval {
        lower: if x == 0 { 0.0 } else { beta::quantile(tail, s, f) },
        upper: if x == n {
            1.0
        } else {
            beta::quantile(1.0 - tail, s, f)
        },
    }))
}

/// Mid-P interval of `x` successes in `n` trials: the exact one without its excess coverage; `None` when `n = 0`.
///
/// # Errors
/// More successes than trials, or a level outside (0, 1).
pub fn mid_p(x: u64, n: u64, level: f64) -> Result<Option<Interval>, StatisticsError> {
    normal::two_sided(level)?;
    if !has_trials(x, n)? {
        return Ok(None);
    }
    let outside = 1.0 - level;
    let (s, f) = (x as f64, (n - x) as f64);
    // At the ends only half the probability of the result itself is left: p^n / 2 or (1 - p)^n / 2.
    let at_end = outside.ln() / n as f64;
    Ok(Some(Interval {
        lower: match x {
            0 => 0.0,
            _ if x == n => at_end.exp(),
            _ => beta::middle_quantile(outside / 2.0, s, f),
        },
        upper: match x {
            _ if x == n => 1.0,
            0 => -at_end.exp_m1(),
            _ => beta::middle_quantile(1.0 - outside / 2.0, s, f),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // x = 1, n = 1: Wilson's lower end is 1 / (1 + z^2); Clopper-Pearson's is 0.025.
        let z2 = normal::two_sided(0.95).unwrap().powi(2);
        let w = wilson(1, 1, 0.95).unwrap().unwrap();
        assert!((w.lower - 1.0 / (1.0 + z2)).abs() < 1e-15);
        assert_eq!(w.upper, 1.0);
        let c = clopper_pearson(1, 1, 0.95).unwrap().unwrap();
        assert!((c.lower - 0.025).abs() < 1e-15);
        assert_eq!(c.upper, 1.0);
    }

    #[test]
    fn mid_p_by_hand() {
        // x = 1, n = 2: P(X = 2) + P(X = 1) / 2 = p^2 + p (1 - p) = p.
        let middle = mid_p(1, 2, 0.9).unwrap().unwrap();
        assert!((middle.lower - 0.05).abs() < 1e-15 && (middle.upper - 0.95).abs() < 1e-15);
        // x = 0, n = 2: (1 - p)^2 / 2 = 0.05.
        let none = mid_p(0, 2, 0.9).unwrap().unwrap();
        assert!(none.lower == 0.0 && (none.upper - (1.0 - 0.1_f64.sqrt())).abs() < 1e-15);
    }

    #[test]
    fn nothing_assessable_is_no_interval_and_nonsense_is_an_error() {
        for interval in [wilson, clopper_pearson, jeffreys, mid_p] {
            assert_eq!(interval(0, 0, 0.95), Ok(None));
            assert_eq!(interval(3, 2, 0.95), Err(StatisticsError::MoreThanTrials));
            assert_eq!(interval(1, 2, 1.5), Err(StatisticsError::Level));
        }
    }
}
