//! Two proportions side by side.
//!
//! * Newcombe's hybrid score interval of `d = p1 - p2` from the Wilson limits `l`, `u` of each:
//!   `d - sqrt((p1 - l1)^2 + (u2 - p2)^2)` to `d + sqrt((u1 - p1)^2 + (p2 - l2)^2)` (Newcombe 1998, method 10).
//! * Fisher's exact test, two-sided: all tables of these margins that are no more likely than the one seen, likelihoods
//!   within 1e-7 counting as equal (as R `fisher.test`).
//! * Pearson's chi-square without continuity correction; none when a margin is empty.

use super::{StatisticsError, wilson};

/// Likelihoods closer than this share count as equal, as in R.
const SAME_LIKELIHOOD: f64 = 1e-7;

/// `x1 / n1` against `x2 / n2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub difference: f64,
    pub lower: f64,
    pub upper: f64,
    /// Two-sided.
    pub fisher_p: f64,
    /// On one degree of freedom; `None` when all or none of the trials succeeded.
    pub chi_square: Option<f64>,
}

/// Compares two proportions; `None` when either has no trial.
///
/// # Errors
/// More successes than trials, a level outside (0, 1).
pub fn two_proportions(
    (x1, n1): (u64, u64),
    (x2, n2): (u64, u64),
    level: f64,
) -> Result<Option<Difference>, StatisticsError> {
    let (Some(first), Some(second)) = (wilson(x1, n1, level)?, wilson(x2, n2, level)?) else {
        return Ok(None);
    };
    let (p1, p2) = (x1 as f64 / n1 as f64, x2 as f64 / n2 as f64);
    let difference = p1 - p2;
    Ok(Some(Difference {
        difference,
        lower: difference - (p1 - first.lower).hypot(second.upper - p2),
        upper: difference + (first.upper - p1).hypot(p2 - second.lower),
        fisher_p: fisher((x1, n1), (x2, n2)),
        chi_square: chi_square((x1 as f64, n1 as f64), (x2 as f64, n2 as f64)),
    }))
}

/// Relative likelihoods of every table with these margins, from the smallest `x1` up, by the ratio of neighbours: no
/// factorial is computed.
fn fisher((x1, n1): (u64, u64), (x2, n2): (u64, u64)) -> f64 {
    let successes = x1 + x2;
    let first = successes.saturating_sub(n2);
    let last = successes.min(n1);
    let mut log = vec![0.0_f64];
    for k in first..last {
        let ways = (n1 - k) as f64 / (k + 1) as f64;
        let others = (successes - k) as f64 / (n2 + k + 1 - successes) as f64;
        log.push(log.last().copied().unwrap_or(0.0) + ways.ln() + others.ln());
    }
    let most = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let likelihood: Vec<f64> = log.iter().map(|l| (l - most).exp()).collect();
    let seen = likelihood[(x1 - first) as usize] * (1.0 + SAME_LIKELIHOOD);
    let unusual: f64 = likelihood.iter().filter(|l| **l <= seen).sum();
    (unusual / likelihood.iter().sum::<f64>()).min(1.0)
}

fn chi_square((x1, n1): (f64, f64), (x2, n2): (f64, f64)) -> Option<f64> {
    let (successes, failures, all) = (x1 + x2, n1 + n2 - x1 - x2, n1 + n2);
    let cross = x1 * (n2 - x2) - x2 * (n1 - x1);
    let margins = successes * failures * n1 * n2;
    (margins > 0.0).then(|| all * cross * cross / margins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // 2 of 2 against 0 of 2: tables 1/6, 4/6, 1/6, so Fisher 1/3; chi-square 4 * 16 / 16 = 4.
        let d = two_proportions((2, 2), (0, 2), 0.95).unwrap().unwrap();
        assert_eq!((d.difference, d.chi_square), (1.0, Some(4.0)));
        assert!((d.fisher_p - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(d.upper, 1.0);
        // Turned round, the interval turns round.
        let (a, b) = ((7, 10), (3, 12));
        let (there, back) = (
            two_proportions(a, b, 0.9).unwrap().unwrap(),
            two_proportions(b, a, 0.9).unwrap().unwrap(),
        );
        assert_eq!((there.lower, there.upper), (-back.upper, -back.lower));
    }

    #[test]
    fn nothing_assessable_is_no_difference_and_nonsense_is_an_error() {
        assert_eq!(two_proportions((0, 0), (1, 2), 0.95), Ok(None));
        assert_eq!(
            two_proportions((3, 2), (1, 2), 0.95),
            Err(StatisticsError::MoreThanTrials)
        );
        assert_eq!(two_proportions((1, 2), (1, 2), 0.0), Err(StatisticsError::Level));
    }
}
