//! Centres that vary more than chance: z-scores, the overdispersion factor, and limits that allow for it.
//!
//! On the scale `y` (the proportion itself, or `asin sqrt p`) with standard error `s` under the target `theta`:
//! `s = sqrt(theta (1 - theta) / n)`, or `1 / (2 sqrt n)`; `z = (y - theta) / s`. Of `I` centres, `z` beyond the 10 % and 90 %
//! quantiles (type 7) is set to them (winsorised), so that outliers do not excuse themselves; then
//!
//! * `phi = sum z_w^2 / I`, about `chi2_I / I` without overdispersion;
//! * multiplicative: `z / sqrt phi`, limits `theta -+ z_p s sqrt phi`;
//! * additive: `tau^2 = max(0, (I phi - (I - 1)) / (sum w - sum w^2 / sum w))`, `w = 1 / s^2` (DerSimonian, Laird 1986);
//!   `z s / sqrt(s^2 + tau^2)`, limits `theta -+ z_p sqrt(s^2 + tau^2)`.
//!
//! There is no adjustment (`phi` used as 1) while `I phi <= I - 1`, nor for a `phi` below 1: limits are never narrowed.
//! Sources: Spiegelhalter 2005, Stat Med 24:1185 (appendix A.2, A.3); Spiegelhalter 2005, Qual Saf Health Care 14:347.

use super::proportion::Interval;
use super::{StatisticsError, gamma, normal};

/// Share winsorised at each end.
pub const WINSOR: f64 = 0.1;

/// The scale on which centres are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The proportion itself.
    Raw,
    /// `asin sqrt p`, whose variance does not depend on the proportion.
    Arcsine,
}

impl Scale {
    fn of(self, p: f64) -> f64 {
        match self {
            Self::Raw => p,
            Self::Arcsine => p.sqrt().asin(),
        }
    }

    /// Back to a proportion; on the raw scale a limit may lie outside 0 and 1.
    fn back(self, y: f64) -> f64 {
        match self {
            Self::Raw => y,
            Self::Arcsine => y.clamp(0.0, std::f64::consts::FRAC_PI_2).sin().powi(2),
        }
    }
}

/// How much the centres vary around the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Overdispersion {
    pub scale: Scale,
    /// The target as a proportion.
    pub target: f64,
    /// In the order given.
    pub z: Vec<f64>,
    /// Quantiles that `z` was winsorised at.
    pub winsor_limits: (f64, f64),
    pub phi_unwinsorised: f64,
    /// Mean square of the winsorised z-scores.
    pub phi: f64,
    /// [`Self::phi`], or 1 where it gives no reason to widen.
    pub phi_used: f64,
    /// Variance between centres on the scale.
    pub tau2: f64,
    /// Probability of at least this `phi` without overdispersion.
    pub p: f64,
    errors: Vec<f64>,
}

/// Variation of `(x, n)` around `target`, or around the pooled rate.
///
/// # Errors
/// Fewer than two centres, a centre without trials, more successes than trials, a target or winsorised share that is
/// none, or (raw scale) a target of 0 or 1, where every standard error is 0.
pub fn overdispersion(
    counts: &[(u32, u32)],
    target: Option<f64>,
    winsor: f64,
    scale: Scale,
) -> Result<Overdispersion, StatisticsError> {
    if counts.len() < 2 {
        return Err(StatisticsError::OneGroup);
    }
    if counts.iter().any(|(_, n)| *n == 0) {
        return Err(StatisticsError::Empty);
    }
    if counts.iter().any(|(x, n)| x > n) {
        return Err(StatisticsError::MoreThanTrials);
    }
    if !(0.0..0.5).contains(&winsor) {
        return Err(StatisticsError::Quantile);
    }
    let total = |of: fn(&(u32, u32)) -> u32| counts.iter().map(|c| f64::from(of(c))).sum::<f64>();
    let target = target.unwrap_or_else(|| total(|c| c.0) / total(|c| c.1));
    let errors = counts
        .iter()
        .map(|(_, n)| standard_error(*n, target, scale))
        .collect::<Result<Vec<f64>, _>>()?;
    let theta = scale.of(target);
    let z: Vec<f64> = counts
        .iter()
        .zip(&errors)
        .map(|((x, n), s)| (scale.of(f64::from(*x) / f64::from(*n)) - theta) / s)
        .collect();
    let spread = Spread::of(&z, &errors, winsor);
    let centres = z.len() as f64;
    Ok(Overdispersion {
        scale,
        target,
        winsor_limits: spread.winsor_limits,
        phi_unwinsorised: spread.phi_unwinsorised,
        phi: spread.phi,
        phi_used: if spread.excess <= 0.0 {
            1.0
        } else {
            spread.phi.max(1.0)
        },
        tau2: spread.tau2,
        p: gamma::chi_square_above(centres * spread.phi, centres),
        z,
        errors,
    })
}

/// Ratios of observed to expected events around 1.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioSpread {
    /// `(O/E - 1) sqrt E`, in the order given.
    pub z: Vec<f64>,
    /// Mean square of the winsorised z-scores.
    pub phi: f64,
    /// Variance between centres, beyond that of Poisson counts.
    pub tau2: f64,
    errors: Vec<f64>,
}

/// Variation of the ratios of `(O, E)` around 1, as that of proportions on the raw scale: `s = 1 / sqrt E`, the standard error of a
/// Poisson count of mean `E` over `E`.
///
/// # Errors
/// Fewer than two centres, an expected count that is no finite number above 0, a winsorised share that is none.
pub fn spread_of_ratios(pairs: &[(u32, f64)], winsor: f64) -> Result<RatioSpread, StatisticsError> {
    if pairs.len() < 2 {
        return Err(StatisticsError::OneGroup);
    }
    if pairs.iter().any(|(_, e)| !e.is_finite() || *e <= 0.0) {
        return Err(StatisticsError::Expected);
    }
    if !(0.0..0.5).contains(&winsor) {
        return Err(StatisticsError::Quantile);
    }
    let errors: Vec<f64> = pairs.iter().map(|(_, e)| 1.0 / e.sqrt()).collect();
    let scores = pairs.iter().zip(&errors);
    let z: Vec<f64> = scores.map(|((o, e), s)| (f64::from(*o) / e - 1.0) / s).collect();
    let Spread { phi, tau2, .. } = Spread::of(&z, &errors, winsor);
    Ok(RatioSpread { z, phi, tau2, errors })
}

impl RatioSpread {
    /// z-scores with `tau^2` added to each variance.
    pub fn z_additive(&self) -> Vec<f64> {
        added(&self.z, &self.errors, self.tau2)
    }

    /// Additive limits around 1 where `expected` events are expected; the lower one may lie below 0.
    ///
    /// # Errors
    /// An expected count that is no finite number above 0, or a level outside (0, 1).
    pub fn additive_limits(&self, expected: f64, level: f64) -> Result<Interval, StatisticsError> {
        if !(expected.is_finite() && expected > 0.0) {
            return Err(StatisticsError::Expected);
        }
        let half = normal::two_sided(level)? * (1.0 / expected + self.tau2).sqrt();
        Ok(Interval {
            lower: 1.0 - half,
            upper: 1.0 + half,
        })
    }
}

/// What z-scores and their standard errors say of the variation between centres.
struct Spread {
    winsor_limits: (f64, f64),
    phi_unwinsorised: f64,
    phi: f64,
    excess: f64,
    tau2: f64,
}

impl Spread {
    fn of(z: &[f64], errors: &[f64], winsor: f64) -> Self {
        let mut sorted = z.to_vec();
        sorted.sort_by(f64::total_cmp);
        let winsor_limits = (quantile(&sorted, winsor), quantile(&sorted, 1.0 - winsor));
        let centres = z.len() as f64;
        let mean_square = |z: &mut dyn Iterator<Item = f64>| z.map(|z| z * z).sum::<f64>() / centres;
        let phi = mean_square(&mut z.iter().map(|z| z.clamp(winsor_limits.0, winsor_limits.1)));
        let excess = centres * phi - (centres - 1.0);
        let weights = |power: i32| errors.iter().map(|s| s.powi(-2).powi(power)).sum::<f64>();
        Self {
            winsor_limits,
            phi_unwinsorised: mean_square(&mut z.iter().copied()),
            phi,
            excess,
            tau2: (excess / (weights(1) - weights(2) / weights(1))).max(0.0),
        }
    }
}

fn added(z: &[f64], errors: &[f64], tau2: f64) -> Vec<f64> {
    let scores = z.iter().zip(errors);
    scores.map(|(z, s)| z * s / (s * s + tau2).sqrt()).collect()
}

/// `(y - theta) / s` of one result.
///
/// # Errors
/// As [`overdispersion`] for one centre.
pub fn z_score(x: u32, n: u32, target: f64, scale: Scale) -> Result<f64, StatisticsError> {
    if n == 0 {
        return Err(StatisticsError::Empty);
    }
    if x > n {
        return Err(StatisticsError::MoreThanTrials);
    }
    let s = standard_error(n, target, scale)?;
    Ok((scale.of(f64::from(x) / f64::from(n)) - scale.of(target)) / s)
}

/// `s` of a centre with `n` units.
fn standard_error(n: u32, target: f64, scale: Scale) -> Result<f64, StatisticsError> {
    if !(0.0..=1.0).contains(&target) {
        return Err(StatisticsError::Target);
    }
    let n = f64::from(n);
    match scale {
        Scale::Arcsine => Ok(0.5 / n.sqrt()),
        Scale::Raw if target > 0.0 && target < 1.0 => Ok((target * (1.0 - target) / n).sqrt()),
        Scale::Raw => Err(StatisticsError::NoVariation),
    }
}

/// Type 7 quantile of ascending values (R's default).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

impl Overdispersion {
    /// z-scores with the standard errors inflated by `sqrt phi`.
    pub fn z_multiplicative(&self) -> Vec<f64> {
        self.z.iter().map(|z| z / self.phi_used.sqrt()).collect()
    }

    /// z-scores with `tau^2` added to each variance.
    pub fn z_additive(&self) -> Vec<f64> {
        added(&self.z, &self.errors, self.tau2)
    }

    /// Multiplicative limits for `n` units; on the raw scale they may lie outside 0 and 1.
    ///
    /// # Errors
    /// `n = 0`, or a level outside (0, 1).
    pub fn multiplicative_limits(&self, n: u32, level: f64) -> Result<Interval, StatisticsError> {
        self.around(n, level, |s| s * self.phi_used.sqrt())
    }

    /// Additive limits for `n` units; on the raw scale they may lie outside 0 and 1.
    ///
    /// # Errors
    /// As [`Self::multiplicative_limits`].
    pub fn additive_limits(&self, n: u32, level: f64) -> Result<Interval, StatisticsError> {
        self.around(n, level, |s| (s * s + self.tau2).sqrt())
    }

    fn around(&self, n: u32, level: f64, widen: impl Fn(f64) -> f64) -> Result<Interval, StatisticsError> {
        if n == 0 {
            return Err(StatisticsError::Empty);
        }
        let half = normal::two_sided(level)? * widen(standard_error(n, self.target, self.scale)?);
        let theta = self.scale.of(self.target);
        Ok(Interval {
            lower: self.scale.back(theta - half),
            upper: self.scale.back(theta + half),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Four centres of 4 around 1/2: s = 1/4, z = -2, -2, 2, 2; nothing to winsorise; phi = 4;
        // tau^2 = (16 - 3) / (64 - 1024 / 64) = 13/48.
        let counts = [(0, 4), (0, 4), (4, 4), (4, 4)];
        let got = overdispersion(&counts, None, WINSOR, Scale::Raw).unwrap();
        assert_eq!((got.target, got.phi, got.phi_used), (0.5, 4.0, 4.0));
        assert_eq!(got.z, [-2.0, -2.0, 2.0, 2.0]);
        assert!((got.tau2 - 13.0 / 48.0).abs() < 1e-15);
        assert_eq!(got.z_multiplicative(), [-1.0, -1.0, 1.0, 1.0]);
        let additive = -2.0 * 0.25 / (1.0 / 16.0 + 13.0 / 48.0_f64).sqrt();
        assert!((got.z_additive()[0] - additive).abs() < 1e-15);
        // Type 7: of -1, 0, 1, 5 the 10 % quantile lies 0.3 of the way from -1 to 0.
        assert!((quantile(&[-1.0, 0.0, 1.0, 5.0], 0.1) + 0.7).abs() < 1e-15);
        assert!((quantile(&[-1.0, 0.0, 1.0, 5.0], 0.9) - 3.8).abs() < 1e-15);
    }

    #[test]
    fn limits_are_never_narrowed() {
        let close = [(45, 100), (50, 100), (57, 100)];
        let got = overdispersion(&close, Some(0.5), 0.0, Scale::Raw).unwrap();
        // z = -1, 0, 1.4: I phi = 2.96, between I - 1 and I: phi = 0.987 must not narrow; tau^2 widens a little.
        assert!((got.phi - 2.96 / 3.0).abs() < 1e-12);
        assert_eq!(got.phi_used, 1.0);
        assert!(got.tau2 > 0.0);
    }

    #[test]
    fn what_has_no_variation_to_estimate_is_an_error() {
        let of =
            |counts: &[(u32, u32)], target| overdispersion(counts, target, WINSOR, Scale::Raw).unwrap_err();
        assert_eq!(of(&[(1, 2)], None), StatisticsError::OneGroup);
        assert_eq!(of(&[(1, 2), (0, 0)], None), StatisticsError::Empty);
        assert_eq!(of(&[(1, 2), (3, 2)], None), StatisticsError::MoreThanTrials);
        assert_eq!(of(&[(0, 2), (0, 3)], None), StatisticsError::NoVariation);
        assert_eq!(of(&[(1, 2), (1, 2)], Some(1.5)), StatisticsError::Target);
        let none = overdispersion(&[(0, 2), (0, 3)], None, WINSOR, Scale::Arcsine).unwrap();
        assert_eq!(none.z, [0.0, 0.0]);
    }
}
