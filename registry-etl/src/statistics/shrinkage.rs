//! Centre ratios `O / E` drawn towards their common mean: the fewer cases expected, the more (empirical Bayes).
//!
//! Gamma-Poisson: `O ~ Poisson(E theta)`, `theta ~ Gamma` with mean `m` and variance `A`, by the method of moments (Marshall 1991):
//! `m = sum O / sum E`, `s^2 = sum E (O/E - m)^2 / sum E`, `A = max(0, s^2 - m / (sum E / I))`. Then
//! `theta = m + A / (A + m/E) (O/E - m)`, which is the posterior mean `(O + m^2/A) / (E + m/A)`; its interval is the
//! posterior's, a gamma distribution. With `A = 0` the centres do not differ by more than chance: every ratio is `m`.
//!
//! Where the expected events come from a model of these centres, `sum O = sum E` and `m` is 1: small centres move to 1.

use super::proportion::Interval;
use super::{StatisticsError, gamma, normal};

/// The ratios of all centres together.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// `m`.
    pub mean: f64,
    /// `A`: how much centres differ beyond chance.
    pub variance: f64,
    /// In the order given.
    pub centres: Vec<ShrunkRatio>,
}

/// One centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShrunkRatio {
    /// `O / E` as observed.
    pub raw: f64,
    /// The posterior mean.
    pub ratio: f64,
    /// `A / (A + m/E)`: 0 says nothing of its own, 1 is not shrunk at all.
    pub weight: f64,
    /// Posterior interval; of no width when `A = 0`. The uncertainty of `m` and `A` is not in it.
    pub interval: Interval,
}

/// Shrinks the ratios of `(O, E)`, with posterior intervals of probability `level`.
///
/// # Errors
/// Fewer than two centres, no event at all, an expected count that is no finite number above 0, a level outside (0, 1).
pub fn shrink(centres: &[(u32, f64)], level: f64) -> Result<Shrunk, StatisticsError> {
    normal::two_sided(level)?;
    if centres.len() < 2 {
        return Err(StatisticsError::OneGroup);
    }
    if centres.iter().any(|(_, e)| !e.is_finite() || *e <= 0.0) {
        return Err(StatisticsError::Expected);
    }
    let expected: f64 = centres.iter().map(|(_, e)| e).sum();
    let mean = centres.iter().map(|(o, _)| f64::from(*o)).sum::<f64>() / expected;
    if mean == 0.0 {
        return Err(StatisticsError::NoVariation);
    }
    let square = |(o, e): &(u32, f64)| e * (f64::from(*o) / e - mean).powi(2);
    let spread = centres.iter().map(square).sum::<f64>() / expected;
    let variance = (spread - mean * centres.len() as f64 / expected).max(0.0);
    Ok(Shrunk {
        mean,
        variance,
        centres: centres
            .iter()
            .map(|&(o, e)| one(f64::from(o), e, mean, variance, level))
            .collect(),
    })
}

fn one(o: f64, e: f64, mean: f64, variance: f64, level: f64) -> ShrunkRatio {
    let weight = variance / (variance + mean / e);
    let interval = if variance > 0.0 {
        let (shape, rate) = (o + mean * mean / variance, e + mean / variance);
        let at = |p: f64| gamma::quantile(p, shape) / rate;
        Interval {
            lower: at((1.0 - level) / 2.0),
            upper: at(1.0 - (1.0 - level) / 2.0),
        }
    } else {
        Interval {
            lower: mean,
            upper: mean,
        }
    };
    ShrunkRatio {
        raw: o / e,
        ratio: mean + weight * (o / e - mean),
        weight,
        interval,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Two centres of E = 10: ratios 0 and 2, m = 1, s^2 = 1, A = 1 - 1/10 = 0.9, weight 0.9 / (0.9 + 0.1) = 0.9.
        let got = shrink(&[(0, 10.0), (20, 10.0)], 0.95).unwrap();
        assert!((got.mean - 1.0).abs() < 1e-15 && (got.variance - 0.9).abs() < 1e-15);
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-14, "{got} {want}");
        close(got.centres[0].ratio, 0.1);
        close(got.centres[1].ratio, 1.9);
        // The posterior mean: (20 + 1/0.9) / (10 + 1/0.9).
        close(got.centres[1].ratio, (20.0 + 1.0 / 0.9) / (10.0 + 1.0 / 0.9));
        for centre in &got.centres {
            assert!(centre.interval.lower < centre.ratio && centre.ratio < centre.interval.upper);
        }
    }

    #[test]
    fn small_centres_move_to_the_mean_and_large_ones_stay() {
        // The same raw ratio of 2 with 1, 10 and 100 expected; the last centre makes up for them.
        let got = shrink(&[(2, 1.0), (20, 10.0), (200, 100.0), (39, 150.0)], 0.95).unwrap();
        assert!((got.mean - 1.0).abs() < 1e-15);
        let ratio: Vec<f64> = got.centres.iter().map(|c| c.ratio).collect();
        assert!(
            1.0 < ratio[0] && ratio[0] < ratio[1] && ratio[1] < ratio[2] && ratio[2] < 2.0,
            "{ratio:?}"
        );
        assert!(ratio[0] < 1.5 && ratio[2] > 1.95, "{ratio:?}");
    }

    #[test]
    fn without_more_variation_than_chance_everybody_is_the_mean() {
        // Ratios 0.9 and 1.1 with E = 10: s^2 = 0.01 is less than 1/10.
        let got = shrink(&[(9, 10.0), (11, 10.0)], 0.95).unwrap();
        assert_eq!(got.variance, 0.0);
        assert!(got.centres.iter().all(|c| c.ratio == 1.0 && c.weight == 0.0));
    }

    #[test]
    fn input_errors() {
        assert_eq!(shrink(&[(1, 1.0)], 0.95), Err(StatisticsError::OneGroup));
        assert_eq!(
            shrink(&[(1, 1.0), (2, 0.0)], 0.95),
            Err(StatisticsError::Expected)
        );
        assert_eq!(
            shrink(&[(0, 1.0), (0, 2.0)], 0.95),
            Err(StatisticsError::NoVariation)
        );
        assert_eq!(shrink(&[(1, 1.0), (2, 1.0)], 1.0), Err(StatisticsError::Level));
    }
}
