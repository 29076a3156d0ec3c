//! Observed over expected events (`E` taken as known) with intervals; `O ~ Poisson(m)`, the ratio is `m / E`.
//!
//! * Exact: `m` from `qchisq(a/2; 2 O) / 2` to `qchisq(1 - a/2; 2 O + 2) / 2` (Garwood 1936).
//! * Byar: `O (1 - 1/(9 O) - z / (3 sqrt O))^3` to the same with `+ z` and `O + 1` (Breslow, Day 1987, p. 69).
//! * Mid-P: the `m` at which half the probability of `O` and all of what is more extreme make `a/2`.
//!
//! Two-sided p-values double the smaller tail, at most 1.

use super::funnel::Tails;
use super::proportion::Interval;
use super::{StatisticsError, gamma, normal};

fn check(expected: f64) -> Result<(), StatisticsError> {
    if expected.is_finite() && expected > 0.0 {
        Ok(())
    } else {
        Err(StatisticsError::Expected)
    }
}

/// `O / E`.
///
/// # Errors
/// [`StatisticsError::Expected`] unless `E` is a finite number above 0.
pub fn ratio(observed: u64, expected: f64) -> Result<f64, StatisticsError> {
    check(expected)?;
    Ok(observed as f64 / expected)
}

/// Exact interval of `O / E`.
///
/// # Errors
/// As [`ratio`]; a level outside (0, 1).
pub fn exact(observed: u64, expected: f64, level: f64) -> Result<Interval, StatisticsError> {
    check(expected)?;
    normal::two_sided(level)?;
    let (o, tail) = (observed as f64, (1.0 - level) / 2.0);
    Ok(Interval {
        lower: if observed == 0 {
            0.0
        } else {
            gamma::quantile(tail, o) / expected
        },
        upper: gamma::quantile(1.0 - tail, o + 1.0) / expected,
    })
}

/// Byar's approximation of the exact interval.
///
/// # Errors
/// As [`exact`].
pub fn byar(observed: u64, expected: f64, level: f64) -> Result<Interval, StatisticsError> {
    check(expected)?;
    let z = normal::two_sided(level)?;
    let bound = |o: f64, z: f64| {
        let cube = 1.0 - 1.0 / (9.0 * o) + z / (3.0 * o.sqrt());
        o * cube.max(0.0).powi(3) / expected
    };
    let o = observed as f64;
    Ok(Interval {
        lower: if observed == 0 { 0.0 } else { bound(o, -z) },
        upper: bound(o + 1.0, z),
    })
}

/// Mid-P interval of `O / E`.
///
/// # Errors
/// As [`exact`].
pub fn mid_p(observed: u64, expected: f64, level: f64) -> Result<Interval, StatisticsError> {
    check(expected)?;
    normal::two_sided(level)?;
    let (o, outside) = (observed as f64, 1.0 - level);
    let bounds = if observed == 0 {
        // e^-m / 2 = a / 2.
        (0.0, -outside.ln())
    } else {
        (
            gamma::middle_quantile(outside / 2.0, o),
            gamma::middle_quantile(1.0 - outside / 2.0, o),
        )
    };
    Ok(Interval {
        lower: bounds.0 / expected,
        upper: bounds.1 / expected,
    })
}

/// How unusual `O` is when `E` events are expected: `P(X <= O)` and `P(X >= O)`.
///
/// # Errors
/// As [`ratio`].
pub fn tails(observed: u64, expected: f64) -> Result<Tails, StatisticsError> {
    check(expected)?;
    let (at_most, at_least) = both(observed, expected);
    Ok(Tails { at_most, at_least })
}

fn both(observed: u64, expected: f64) -> (f64, f64) {
    let at_most = gamma::tails(observed as f64 + 1.0, expected).1;
    let at_least = if observed == 0 {
        1.0
    } else {
        gamma::tails(observed as f64, expected).0
    };
    (at_most, at_least)
}

/// Two-sided p-value of `O = E`, the smaller exact tail doubled.
///
/// # Errors
/// As [`ratio`].
pub fn p_exact(observed: u64, expected: f64) -> Result<f64, StatisticsError> {
    check(expected)?;
    let (at_most, at_least) = both(observed, expected);
    Ok((2.0 * at_most.min(at_least)).min(1.0))
}

/// Two-sided p-value of `O = E`, the smaller mid-P tail doubled.
///
/// # Errors
/// As [`ratio`].
pub fn p_mid(observed: u64, expected: f64) -> Result<f64, StatisticsError> {
    check(expected)?;
    let (at_most, at_least) = both(observed, expected);
    let above = gamma::tails(observed as f64 + 1.0, expected).0;
    let below = if observed == 0 {
        0.0
    } else {
        gamma::tails(observed as f64, expected).1
    };
    // Twice the mean of the tail with and without the result itself.
    Ok((at_most + below).min(at_least + above).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // O = 0: P(X = 0) = e^-m, so the exact upper limit is -ln 0.025 and the mid-P one -ln 0.05.
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-13, "{got} {want}");
        close(exact(0, 2.0, 0.95).unwrap().upper, -0.025_f64.ln() / 2.0);
        close(mid_p(0, 2.0, 0.95).unwrap().upper, -0.05_f64.ln() / 2.0);
        // O = 1, E = 1: P(X <= 1) = 2/e, P(X >= 1) = 1 - 1/e; doubled and capped.
        assert_eq!(p_exact(1, 1.0).unwrap(), 1.0);
        // O = 3, E = 1: P(X >= 3) = 1 - 2.5/e; P(X > 3) = that less 1/(6 e).
        let e = 1.0_f64.exp();
        close(p_exact(3, 1.0).unwrap(), 2.0 * (1.0 - 2.5 / e));
        close(p_mid(3, 1.0).unwrap(), 2.0 * (1.0 - 2.5 / e) - 1.0 / (6.0 * e));
        // Byar's cube would be negative at 99.8 % for one event.
        assert_eq!(byar(1, 1.0, 0.998).unwrap().lower, 0.0);
    }

    #[test]
    fn nothing_expected_is_an_error() {
        for expected in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ratio(1, expected), Err(StatisticsError::Expected));
            assert_eq!(exact(1, expected, 0.95), Err(StatisticsError::Expected));
            assert_eq!(byar(1, expected, 0.95), Err(StatisticsError::Expected));
            assert_eq!(mid_p(1, expected, 0.95), Err(StatisticsError::Expected));
            assert_eq!(p_exact(1, expected), Err(StatisticsError::Expected));
            assert_eq!(p_mid(1, expected), Err(StatisticsError::Expected));
        }
        assert_eq!(exact(1, 1.0, 1.0), Err(StatisticsError::Level));
    }
}
