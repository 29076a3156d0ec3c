//! Control limits of a funnel plot: quantiles of the binomial distribution, interpolated between its steps.
//!
//! `r_p = min {r : P(R <= r) >= p}`, `R ~ Bin(n, theta)`; `alpha = (P(R <= r_p) - p) / P(R = r_p)`;
//! limit `= (r_p - alpha) / n`, kept within 0 and 1. Source: Spiegelhalter 2005, Stat Med 24:1185, appendix A.1.1.
//!
//! The interpolated lines are for drawing. Whether a centre lies outside is decided by the exact tail probability
//! ([`tails`]): for small `n` an interpolated upper line can lie below 1 although no result could be unusual.

use super::StatisticsError;
use libm::lgamma as ln_gamma;

/// Limits for one denominator, each between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinomialLimits {
    pub lower95: f64,
    pub upper95: f64,
    pub lower998: f64,
    pub upper998: f64,
}

/// `P(R <= x)` and `P(R >= x)` of one result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    pub at_most: f64,
    pub at_least: f64,
}

fn check(n: u32, theta: f64) -> Result<(), StatisticsError> {
    if n == 0 {
        return Err(StatisticsError::Empty);
    }
    if !(0.0..=1.0).contains(&theta) {
        return Err(StatisticsError::Target);
    }
    Ok(())
}

/// `P(R = r)` for r = 0..=n.
fn probabilities(n: u32, theta: f64) -> Vec<f64> {
    let (all, ln_p, ln_q) = (f64::from(n), theta.ln(), (-theta).ln_1p());
    (0..=n)
        .map(|r| {
            let r = f64::from(r);
            let ways = ln_gamma(all + 1.0) - ln_gamma(r + 1.0) - ln_gamma(all - r + 1.0);
            // 0 * ln 0 counts as 0: a target of exactly 0 or 1 has one possible result.
            let hits = if r == 0.0 { 0.0 } else { r * ln_p };
            let misses = if r == all { 0.0 } else { (all - r) * ln_q };
            (ways + hits + misses).exp()
        })
        .collect()
}

/// Exact 95 % and 99.8 % limits around `theta` for `n` units.
///
/// # Errors
/// `n = 0`, or a target outside \[0, 1\].
pub fn exact_limits(n: u32, theta: f64) -> Result<BinomialLimits, StatisticsError> {
    check(n, theta)?;
    let probability = probabilities(n, theta);
    let at = |p: f64| {
        let mut below = 0.0;
        for (r, mass) in probability.iter().enumerate() {
            let through = below + mass;
            if through >= p || r == probability.len() - 1 {
                let alpha = if *mass > 0.0 { (through - p) / mass } else { 0.0 };
                return ((r as f64 - alpha) / f64::from(n)).clamp(0.0, 1.0);
            }
            below = through;
        }
        1.0
    };
    Ok(BinomialLimits {
        lower95: at(0.025),
        upper95: at(0.975),
        lower998: at(0.001),
        upper998: at(0.999),
    })
}

/// How unusual `x` of `n` is when the true proportion is `theta`.
///
/// # Errors
/// `n = 0`, `x > n`, or a target outside \[0, 1\].
pub fn tails(x: u32, n: u32, theta: f64) -> Result<Tails, StatisticsError> {
    check(n, theta)?;
    if x > n {
        return Err(StatisticsError::MoreThanTrials);
    }
    let probability = probabilities(n, theta);
    let x = x as usize;
    Ok(Tails {
        at_most: probability[..=x].iter().sum(),
        at_least: probability[x..].iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // n = 2, theta = 1/2: P(R = 0, 1, 2) = 1/4, 1/2, 1/4. Upper 95: r = 2, alpha = (1 - 0.975) / 0.25 = 0.1,
        // so (2 - 0.1) / 2 = 0.95. Lower 95: r = 0, alpha = (0.25 - 0.025) / 0.25 = 0.9, so -0.45, kept at 0.
        let limits = exact_limits(2, 0.5).unwrap();
        assert!((limits.upper95 - 0.95).abs() < 1e-14);
        assert_eq!(limits.lower95, 0.0);
        let t = tails(2, 2, 0.5).unwrap();
        assert!((t.at_least - 0.25).abs() < 1e-15 && (t.at_most - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_certain_target_has_one_possible_result() {
        for (theta, only) in [(0.0, 0), (1.0, 5)] {
            let t = tails(only, 5, theta).unwrap();
            assert_eq!((t.at_most, t.at_least), (1.0, 1.0));
        }
        assert_eq!(exact_limits(5, 0.0).unwrap().upper998, 0.0);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert_eq!(exact_limits(0, 0.5), Err(StatisticsError::Empty));
        assert_eq!(exact_limits(5, 1.2), Err(StatisticsError::Target));
        assert_eq!(tails(6, 5, 0.5), Err(StatisticsError::MoreThanTrials));
    }
}
