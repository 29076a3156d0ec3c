//! The standard normal distribution: quantile and tails.
//!
//! `statrs` gives a start value good to about 1e-10; one Halley step on the upper tail, with an `erfc` good to the last
//! place (`libm`), removes what it leaves.
//! Source: Acklam's refinement, `e = Phi(x) - p`, `u = e sqrt(2 pi) exp(x^2 / 2)`, `x - u / (1 + x u / 2)`.

use super::StatisticsError;
use statrs::distribution::{ContinuousCDF, Normal};

/// `z` with `P(|Z| <= z) = level`, e.g. 1.959964 for 0.95.
///
/// # Errors
/// [`StatisticsError::Level`] unless `0 < level < 1`.
pub fn two_sided(level: f64) -> Result<f64, StatisticsError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(StatisticsError::Level);
    }
    let tail = (1.0 - level) / 2.0;
    let start = Normal::standard().inverse_cdf(1.0 - tail);
    let e = tail - 0.5 * libm::erfc(start / std::f64::consts::SQRT_2);
    let u = e * (2.0 * std::f64::consts::PI).sqrt() * (start * start / 2.0).exp();
    Ok(start - u / (1.0 + start * u / 2.0))
}

/// `P(|Z| >= |z|)`.
pub fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_levels() {
        // R: qnorm(0.975), qnorm(0.999), qnorm(0.95), printed with 17 digits.
        for (level, z) in [
            (0.95, 1.959_963_984_540_054),
            (0.998, 3.090_232_306_167_813_5),
            (0.9, 1.644_853_626_951_472_7),
        ] {
            let got = two_sided(level).unwrap();
            assert!((got - z).abs() < 1e-14 * z, "{level}: {got} {z}");
        }
    }

    #[test]
    fn tails_undo_quantiles() {
        for level in [0.5, 0.9, 0.95, 0.998] {
            let z = two_sided(level).unwrap();
            assert!((two_sided_p(-z) - (1.0 - level)).abs() < 1e-15);
        }
        assert_eq!(two_sided_p(0.0), 1.0);
    }

    #[test]
    fn a_level_outside_is_an_error() {
        for level in [0.0, 1.0, 1.5, -0.1, f64::NAN] {
            assert_eq!(two_sided(level), Err(StatisticsError::Level));
        }
    }
}
