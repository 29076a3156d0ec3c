//! Control limits of a funnel plot of ratios `O / E`: quantiles of the Poisson distribution, interpolated between its steps.
//!
//! `r_p = min {r : P(R <= r) >= p}`, `R ~ Poisson(E)`; `alpha = (P(R <= r_p) - p) / P(R = r_p)`; limit `= (r_p - alpha) / E`, not below 0.
//! The target is 1. Source: Spiegelhalter 2005, Stat Med 24:1185, appendix A.1.1 (the same rule as [`super::funnel`]).
//!
//! The interpolated lines are for drawing. Whether a centre lies outside is decided by the exact tail ([`super::ratio::tails`]).

use super::StatisticsError;
use libm::lgamma as ln_gamma;

/// Limits of a ratio for one number of expected events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoissonLimits {
    pub lower95: f64,
    pub upper95: f64,
    pub lower998: f64,
    pub upper998: f64,
}

/// Exact 95 % and 99.8 % limits around 1 where `expected` events are expected.
///
/// # Errors
/// [`StatisticsError::Expected`] unless `expected` is a finite number above 0.
pub fn poisson_limits(expected: f64) -> Result<PoissonLimits, StatisticsError> {
    if !(expected.is_finite() && expected > 0.0) {
        return Err(StatisticsError::Expected);
    }
    let wanted = [0.001, 0.025, 0.975, 0.999];
    let mut found = [0.0; 4];
    let (mut below, mut next, mut r) = (0.0, 0, 0.0_f64);
    while next < wanted.len() {
        let mass = (r * expected.ln() - expected - ln_gamma(r + 1.0)).exp();
        let through = below + mass;
        while next < wanted.len() && through >= wanted[next] {
            let alpha = (through - wanted[next]) / mass;
            found[next] = ((r - alpha) / expected).max(0.0);
            next += 1;
        }
        below = through;
        r += 1.0;
    }
    let [lower998, lower95, upper95, upper998] = found;
    Ok(PoissonLimits {
        lower95,
        upper95,
        lower998,
        upper998,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // E = 1: P(R <= 3) = (1 + 1 + 1/2 + 1/6) / e, P(R = 3) = 1 / (6 e): the upper 95 % limit is 3 - alpha.
        let e = 1.0_f64.exp();
        let limits = poisson_limits(1.0).unwrap();
        let alpha = (8.0 / (3.0 * e) - 0.975) * 6.0 * e;
        assert!((limits.upper95 - (3.0 - alpha)).abs() < 1e-12);
        // P(R <= 5) = (1 + 1 + 1/2 + 1/6 + 1/24 + 1/120) / e, P(R = 5) = 1 / (120 e).
        let alpha = (163.0 / (60.0 * e) - 0.999) * 120.0 * e;
        assert!((limits.upper998 - (5.0 - alpha)).abs() < 1e-10);
        // P(R = 0) = 0.37 is above both lower tails: nothing can be unusually low.
        assert_eq!((limits.lower95, limits.lower998), (0.0, 0.0));
    }

    #[test]
    fn limits_narrow_towards_one() {
        // Near the normal approximation 1 -+ 1.96 / sqrt E.
        let limits = poisson_limits(400.0).unwrap();
        assert!((limits.lower95 - (1.0 - 1.96 / 20.0)).abs() < 0.004);
        assert!((limits.upper95 - (1.0 + 1.96 / 20.0)).abs() < 0.004);
        assert!(limits.lower998 < limits.lower95 && limits.upper95 < limits.upper998);
    }

    #[test]
    fn nothing_expected_is_an_error() {
        for expected in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(poisson_limits(expected), Err(StatisticsError::Expected));
        }
    }
}
