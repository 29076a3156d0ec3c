//! Centre ratios `O / E` drawn towards their common mean: the fewer cases expected, the more (empirical Bayes).
//!
//! Events that may come any number of times to a case, or are rare ([`shrink`]), gamma-Poisson: `O ~ Poisson(E theta)`, `theta ~ Gamma` with mean `m` and variance `A`, by the method of moments (Marshall 1991):
//! `m = sum O / sum E`, `s^2 = sum E (O/E - m)^2 / sum E`, `A = max(0, s^2 - m / (sum E / I))`. Then
//! `theta = m + A / (A + m/E) (O/E - m)`, which is the posterior mean `(O + m^2/A) / (E + m/A)`; its interval is the
//! posterior's, a gamma distribution. With `A = 0` the centres do not differ by more than chance: every ratio is `m`.
//!
//! Cases that have the event or not ([`shrink_binary`]): `O / E` varies by `v = V / E^2` with `V = sum p (1 - p)`, which for frequent events is much less
//! than `m / E`. Normal-normal, by the same moments: `A = max(0, s^2 - sum E v / sum E)`, `theta = m + A / (A + v) (O/E - m)`, posterior variance
//! `A v / (A + v)`, its interval within 0 and the `n / E` that is possible.
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
    /// `A / (A + v)`, `v = m/E` for counts: 0 says nothing of its own, 1 is not shrunk at all.
    pub weight: f64,
    /// Posterior interval; `None` when `A = 0`, where it would have no width. The uncertainty of `m` and `A` is not in it.
    pub interval: Option<Interval>,
}

/// What is known of a centre whose cases have the event or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinaryCount {
    pub cases: u32,
    pub observed: u32,
    /// `sum p`.
    pub expected: f64,
    /// `sum p (1 - p)`.
    pub variance: f64,
}

/// Shrinks the ratios of `(O, E)`, with posterior intervals of probability `level`.
///
/// # Errors
/// Fewer than two centres, no event at all, an expected count that is no finite number above 0, a level outside (0, 1).
pub fn shrink(centres: &[(u32, f64)], level: f64) -> Result<Shrunk, StatisticsError> {
    normal::two_sided(level)?;
    let (mean, variance) = moments(centres, |e, mean| mean / e)?;
    Ok(Shrunk {
        mean,
        variance,
        centres: centres
            .iter()
            .map(|&(o, e)| one(f64::from(o), e, mean, variance, level))
            .collect(),
    })
}

/// The same of centres whose cases have the event or not.
///
/// # Errors
/// As [`shrink`].
pub fn shrink_binary(centres: &[BinaryCount], level: f64) -> Result<Shrunk, StatisticsError> {
    let z = normal::two_sided(level)?;
    let pairs: Vec<(u32, f64)> = centres.iter().map(|one| (one.observed, one.expected)).collect();
    let of_one = |one: &BinaryCount| one.variance / one.expected.powi(2);
    let mut sampling = centres.iter().map(of_one);
    let (mean, variance) = moments(&pairs, |_, _| sampling.next().unwrap_or_default())?;
    let shrunk = |one: &BinaryCount| {
        let (raw, sampling) = (f64::from(one.observed) / one.expected, of_one(one));
        let weight = variance / (variance + sampling);
        let ratio = mean + weight * (raw - mean);
        let half = z * (weight * sampling).sqrt();
        ShrunkRatio {
            raw,
            ratio,
            weight,
            interval: (variance > 0.0).then(|| Interval {
                lower: (ratio - half).max(0.0),
                upper: (ratio + half).min(f64::from(one.cases) / one.expected),
            }),
        }
    };
    Ok(Shrunk {
        mean,
        variance,
        centres: centres.iter().map(shrunk).collect(),
    })
}

/// `m` and `A`; `sampling` gives the variance of a centre's ratio by chance from its `E` and `m`, in the order given.
fn moments(
    centres: &[(u32, f64)],
    mut sampling: impl FnMut(f64, f64) -> f64,
) -> Result<(f64, f64), StatisticsError> {
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
    let chance = centres.iter().map(|(_, e)| e * sampling(*e, mean)).sum::<f64>() / expected;
    Ok((mean, (spread - chance).max(0.0)))
}

fn one(o: f64, e: f64, mean: f64, variance: f64, level: f64) -> ShrunkRatio {
    let weight = variance / (variance + mean / e);
    let interval = (variance > 0.0).then(|| {
        let (shape, rate) = (o + mean * mean / variance, e + mean / variance);
        let at = |p: f64| gamma::quantile(p, shape) / rate;
        Interval {
            lower: at((1.0 - level) / 2.0),
            upper: at(1.0 - (1.0 - level) / 2.0),
        }
    });
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
            let interval = centre.interval.unwrap();
            assert!(interval.lower < centre.ratio && centre.ratio < interval.upper);
        }
    }

    #[test]
    fn cases_that_have_the_event_or_not_vary_less_than_counts() {
        // Two centres of 12 cases with p = 5/6: E = 10, V = 10/6, v = 1/60. Ratios 0.8 and 1.2: s^2 = 0.04, A = 0.04 - 1/60 = 0.7/30,
        // weight 0.7/30 / 0.04 = 7/12. As counts they would not differ: s^2 is below 1/10.
        let of = |observed| BinaryCount {
            cases: 12,
            observed,
            expected: 10.0,
            variance: 10.0 / 6.0,
        };
        let got = shrink_binary(&[of(8), of(12)], 0.95).unwrap();
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} {want}");
        close(got.mean, 1.0);
        close(got.variance, 0.7 / 30.0);
        let [low, high] = &got.centres[..] else {
            panic!("two centres")
        };
        close(low.weight, 7.0 / 12.0);
        close(low.ratio, 1.0 - 0.2 * 7.0 / 12.0);
        close(high.ratio, 1.0 + 0.2 * 7.0 / 12.0);
        let half = 1.959_963_984_540_054 * (7.0 / 12.0 / 60.0_f64).sqrt();
        let interval = low.interval.unwrap();
        close(interval.lower, low.ratio - half);
        close(interval.upper, low.ratio + half);
        // All twelve is the most there can be.
        close(high.interval.unwrap().upper, 1.2);
        assert_eq!(shrink(&[(8, 10.0), (12, 10.0)], 0.95).unwrap().variance, 0.0);
        // The same twice is less than chance: nobody has anything of its own, and no interval without width is told.
        let alike = shrink_binary(&[of(10), of(10)], 0.95).unwrap();
        assert!(
            alike
                .centres
                .iter()
                .all(|c| c.ratio == 1.0 && c.interval.is_none())
        );
        assert_eq!(shrink_binary(&[of(10)], 0.95), Err(StatisticsError::OneGroup));
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
        assert!(
            got.centres
                .iter()
                .all(|c| c.ratio == 1.0 && c.weight == 0.0 && c.interval.is_none())
        );
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
