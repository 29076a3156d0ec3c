//! Trend of a proportion over ordered groups.
//!
//! `z = sum t (x - n P) / sqrt(P (1 - P) sum n (t - tbar)^2)` with `P = sum x / sum n`, `tbar = sum n t / sum n`;
//! `z > 0`: rising with the score. `chi2 = z^2` on one degree of freedom. Sources: Cochran 1954; Armitage 1955.

use super::{StatisticsError, normal};

/// One group: successes, trials, and its place on the scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendGroup {
    pub x: u64,
    pub n: u64,
    pub score: f64,
}

/// The test of no trend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    pub z: f64,
    pub chi_square: f64,
    /// Two-sided.
    pub p: f64,
}

/// Cochran-Armitage test; groups without trials weigh nothing.
///
/// # Errors
/// More successes than trials, a score that is not finite, no trial at all, or nothing to test: one score only, or all
/// (or no) trials successful.
pub fn cochran_armitage(groups: &[TrendGroup]) -> Result<Trend, StatisticsError> {
    if groups.iter().any(|g| g.x > g.n) {
        return Err(StatisticsError::MoreThanTrials);
    }
    if let Some(index) = groups.iter().position(|g| !g.score.is_finite()) {
        return Err(StatisticsError::Covariate { index });
    }
    let sum = |of: &dyn Fn(&TrendGroup) -> f64| groups.iter().map(of).sum::<f64>();
    let n = sum(&|g| g.n as f64);
    if n == 0.0 {
        return Err(StatisticsError::Empty);
    }
    let p = sum(&|g| g.x as f64) / n;
    let mean = sum(&|g| g.n as f64 * g.score) / n;
    // Scores from their mean: the sum is the same, without cancellation for scores such as calendar years.
    let score = sum(&|g| (g.score - mean) * (g.x as f64 - g.n as f64 * p));
    let spread = sum(&|g| g.n as f64 * (g.score - mean).powi(2));
    let variance = p * (1.0 - p) * spread;
    let several = |g: &TrendGroup| groups.iter().any(|o| o.n > 0 && o.score != g.score);
    if variance <= 0.0 || !groups.iter().any(|g| g.n > 0 && several(g)) {
        return Err(StatisticsError::NoVariation);
    }
    let z = score / variance.sqrt();
    Ok(Trend {
        z,
        chi_square: z * z,
        p: normal::two_sided_p(z),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(rows: &[(u64, u64, f64)]) -> Vec<TrendGroup> {
        rows.iter()
            .map(|&(x, n, score)| TrendGroup { x, n, score })
            .collect()
    }

    #[test]
    fn by_hand() {
        // 0 of 2 and 2 of 2 at scores 0 and 1: P = 1/2, tbar = 1/2, sum = 1, variance = 1/4 * 4 * 1/4 = 1/4, z = 2.
        for shift in [0.0, 2020.0] {
            let rising = cochran_armitage(&groups(&[(0, 2, shift), (2, 2, shift + 1.0)])).unwrap();
            assert_eq!((rising.z, rising.chi_square), (2.0, 4.0));
            // R: 2 * pnorm(-2).
            assert!((rising.p - 0.045_500_263_896_358_42).abs() < 1e-15);
        }
        let falling = cochran_armitage(&groups(&[(2, 2, 0.0), (0, 2, 1.0)])).unwrap();
        assert_eq!(falling.z, -2.0);
    }

    #[test]
    fn nothing_to_test_is_an_error() {
        let error = |rows: &[(u64, u64, f64)]| cochran_armitage(&groups(rows)).unwrap_err();
        assert_eq!(error(&[]), StatisticsError::Empty);
        assert_eq!(error(&[(0, 0, 1.0)]), StatisticsError::Empty);
        assert_eq!(error(&[(3, 2, 1.0)]), StatisticsError::MoreThanTrials);
        assert_eq!(error(&[(1, 2, 1.0), (2, 3, 1.0)]), StatisticsError::NoVariation);
        assert_eq!(
            error(&[(1, 2, 0.1), (2, 3, 0.1), (0, 0, 5.0)]),
            StatisticsError::NoVariation
        );
        assert_eq!(error(&[(2, 2, 1.0), (3, 3, 2.0)]), StatisticsError::NoVariation);
        assert_eq!(
            error(&[(1, 2, f64::NAN)]),
            StatisticsError::Covariate { index: 0 }
        );
    }
}
