//! Results of centres around a target: exact limits, and limits that allow for centres varying more than chance.
//!
//! Exact: binomial limits and tail probability ([`crate::statistics::funnel`]). Adjusted: additive overdispersion on the raw scale
//! ([`mod@crate::statistics::overdispersion`]), `z_adjusted = (p - target) / sqrt(s^2 + tau^2)`, outside beyond the normal 95 and
//! 99.8 % points. That is an approximation which for few units exaggerates, so a centre is never further out after
//! adjustment than by its exact tail. `p` is the smaller exact tail doubled: below 0.05 exactly where a centre is outside the
//! 95 % limits.

use super::funnels::position;
use crate::results::{FunnelLimits, Position};
use crate::statistics::{
    Overdispersion, Scale, StatisticsError, exact_limits,
    funnel::{Tails, tails},
    normal, overdispersion,
    overdispersion::WINSOR,
    overdispersion::z_score,
};

pub(crate) const INNER: f64 = 0.95;
pub(crate) const OUTER: f64 = 0.998;

/// All centres around one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Winsorised overdispersion factor and variance between centres; `None` with fewer than two centres, or around a target
    /// of 0 or 1.
    pub phi: Option<f64>,
    pub tau2: Option<f64>,
    /// In the order given.
    pub centres: Vec<Placed>,
}

/// One centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Exact limits at its number of units.
    pub limits: FunnelLimits,
    /// By the exact tail.
    pub position: Position,
    /// `None` around a target of 0 or 1.
    pub z: Option<f64>,
    /// The adjusted values are `None` without an estimate of `tau^2`.
    pub z_adjusted: Option<f64>,
    pub limits_adjusted: Option<FunnelLimits>,
    pub position_adjusted: Option<Position>,
    /// Two-sided, exact.
    pub p: f64,
}

/// Places `(x, n)` of every centre around `target`.
///
/// # Errors
/// A centre without units or with more successes than units, a target outside \[0, 1\].
pub fn place(counts: &[(u32, u32)], target: f64) -> Result<Placement, StatisticsError> {
    let variation = match overdispersion(counts, Some(target), WINSOR, Scale::Raw) {
        Ok(variation) => Some(variation),
        Err(StatisticsError::OneGroup | StatisticsError::NoVariation) => None,
        Err(other) => return Err(other),
    };
    let adjusted = variation.as_ref().map(Overdispersion::z_additive);
    let mut centres = Vec::with_capacity(counts.len());
    for (index, &(x, n)) in counts.iter().enumerate() {
        let tails = tails(x, n, target)?;
        let exact = position(tails);
        let z_adjusted = adjusted.as_ref().and_then(|z| z.get(index)).copied();
        let limits_adjusted = variation.as_ref().map(|v| additive(v, n)).transpose()?;
        centres.push(Placed {
            limits: limits(n, target)?,
            position: exact,
            z: z_score(x, n, target, Scale::Raw).ok(),
            z_adjusted,
            limits_adjusted,
            position_adjusted: z_adjusted.map(by_score).transpose()?.map(|by| milder(by, exact)),
            p: two_sided(tails),
        });
    }
    Ok(Placement {
        phi: variation.as_ref().map(|v| v.phi),
        tau2: variation.as_ref().map(|v| v.tau2),
        centres,
    })
}

/// The smaller tail doubled, at most 1.
pub(crate) fn two_sided(tails: Tails) -> f64 {
    (2.0 * tails.at_most.min(tails.at_least)).min(1.0)
}

/// Exact limits for `n` units.
pub(super) fn limits(n: u32, target: f64) -> Result<FunnelLimits, StatisticsError> {
    let exact = exact_limits(n, target)?;
    Ok(FunnelLimits {
        n,
        lower95: exact.lower95,
        upper95: exact.upper95,
        lower998: exact.lower998,
        upper998: exact.upper998,
    })
}

/// Additive limits for `n` units, kept within 0 and 1.
fn additive(variation: &Overdispersion, n: u32) -> Result<FunnelLimits, StatisticsError> {
    let (inner, outer) = (
        variation.additive_limits(n, INNER)?,
        variation.additive_limits(n, OUTER)?,
    );
    Ok(FunnelLimits {
        n,
        lower95: inner.lower.max(0.0),
        upper95: inner.upper.min(1.0),
        lower998: outer.lower.max(0.0),
        upper998: outer.upper.min(1.0),
    })
}

pub(crate) fn by_score(z: f64) -> Result<Position, StatisticsError> {
    let (inner, outer) = (normal::two_sided(INNER)?, normal::two_sided(OUTER)?);
    Ok(match z {
        z if z > outer => Position::Above998,
        z if z > inner => Position::Above95,
        z if z < -outer => Position::Below998,
        z if z < -inner => Position::Below95,
        _ => Position::Within,
    })
}

/// The position nearer the target.
pub(crate) fn milder(a: Position, b: Position) -> Position {
    match (a, b) {
        (Position::Above998, Position::Above998) => Position::Above998,
        (Position::Below998, Position::Below998) => Position::Below998,
        (Position::Above95 | Position::Above998, Position::Above95 | Position::Above998) => Position::Above95,
        (Position::Below95 | Position::Below998, Position::Below95 | Position::Below998) => Position::Below95,
        _ => Position::Within,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_variation_brings_centres_back() {
        // z = -2, -2, 2, 2 with n = 100 around 1/2 (40 and 60 of 100): phi 4, s = 0.05, w = 400;
        // tau^2 = (16 - 3) / (1600 - 400) = 13/1200; z_adjusted = 0.1 / sqrt(0.0025 + 13/1200).
        let got = place(&[(40, 100), (40, 100), (60, 100), (60, 100)], 0.5).unwrap();
        assert!((got.phi.unwrap() - 4.0).abs() < 1e-12);
        assert!((got.tau2.unwrap() - 13.0 / 1200.0).abs() < 1e-12);
        let centre = got.centres[2];
        assert!((centre.z.unwrap() - 2.0).abs() < 1e-12);
        let adjusted = 0.1 / (0.0025 + 13.0 / 1200.0_f64).sqrt();
        assert!((centre.z_adjusted.unwrap() - adjusted).abs() < 1e-12);
        assert_eq!(centre.position_adjusted, Some(Position::Within));
        // P(R >= 60) = 0.0284 (R: pbinom(59, 100, 0.5, lower = FALSE)): within already by the exact tail.
        assert_eq!(centre.position, Position::Within);
        assert!((centre.p - 2.0 * 0.028_443_966_820_490_4).abs() < 1e-12);
        let (plain, wide) = (centre.limits, centre.limits_adjusted.unwrap());
        assert!(wide.lower95 < plain.lower95 && wide.upper998 > plain.upper998);
    }

    #[test]
    fn an_approximation_puts_nobody_outside_whose_exact_tail_is_not_unusual() {
        // 4 of 5 around 0.98: z = -2.87, but P(R <= 4) = 1 - 0.98^5 = 0.096. One of twelve is winsorised away.
        let mut counts = vec![(4, 5)];
        counts.resize(12, (245, 250));
        let got = place(&counts, 0.98).unwrap();
        assert_eq!(got.tau2, Some(0.0));
        let small = got.centres[0];
        assert!(small.z_adjusted.unwrap() < -2.8);
        assert_eq!(
            (small.position, small.position_adjusted),
            (Position::Within, Some(Position::Within))
        );
        assert!((small.p - 2.0 * (1.0 - 0.98_f64.powi(5))).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_estimated_is_absent() {
        let alone = place(&[(40, 50)], 0.5).unwrap();
        assert_eq!((alone.phi, alone.tau2), (None, None));
        assert_eq!(alone.centres[0].position, Position::Above998);
        assert_eq!(alone.centres[0].position_adjusted, None);
        assert!(alone.centres[0].z.is_some());
        let certain = place(&[(50, 50), (3, 3)], 1.0).unwrap();
        assert_eq!(
            (certain.phi, certain.centres[0].z, certain.centres[0].p),
            (None, None, 1.0)
        );
        assert_eq!(place(&[], 0.5).unwrap().centres, []);
        assert_eq!(place(&[(0, 0)], 0.5), Err(StatisticsError::Empty));
        assert_eq!(place(&[(2, 1)], 0.5), Err(StatisticsError::MoreThanTrials));
    }
}
