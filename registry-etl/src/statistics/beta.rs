//! Quantiles of the beta distribution, to about 1e-12, 1e-11 for a million trials.
//!
//! `statrs` is not enough: its inverse stops near 1e-8, and its `ln_gamma` loses nine digits at a million. Here
//! `ln B(a, b)` takes the difference of large log-gammas analytically (Stirling's series; DiDonato, Morris 1992), the
//! regularised incomplete beta is the continued fraction DLMF 8.17.22 (modified Lentz), and the inverse is [`root`].

use super::root;
use libm::lgamma;

/// The continued fraction needs about the square root of the larger parameter.
const MAX_TERMS: usize = 100_000;
const TINY: f64 = 1e-300;
/// From here on Stirling's series is exact to the last place.
pub(super) const LARGE: f64 = 12.0;

/// `ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2)` for large `x`.
pub(super) fn stirling_remainder(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let series = [
        -691.0 / 360_360.0,
        1.0 / 1188.0,
        -1.0 / 1680.0,
        1.0 / 1260.0,
        -1.0 / 360.0,
        1.0 / 12.0,
    ];
    series.iter().fold(0.0, |sum, term| sum * square + term) / x
}

/// `ln B(a, b)`.
fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a <= b { (a, b) } else { (b, a) };
    if large < LARGE {
        return lgamma(small) + lgamma(large) - lgamma(small + large);
    }
    // ln Gamma(large) - ln Gamma(small + large), without subtracting large numbers.
    let difference = -(small + large - 0.5) * (small / large).ln_1p() - small * large.ln()
        + small
        + stirling_remainder(large)
        - stirling_remainder(small + large);
    lgamma(small) + difference
}

/// The continued fraction, quick where `x < (a + 1) / (a + b + 2)`.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let keep = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..MAX_TERMS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / keep(1.0 + term * d);
            c = keep(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

/// The regularised incomplete beta `I_x(a, b)` and its density at `x`.
fn cumulative(a: f64, b: f64, x: f64, ln_beta: f64) -> (f64, f64) {
    let power = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp();
    let below = if x < (a + 1.0) / (a + b + 2.0) {
        power * fraction(a, b, x) / a
    } else {
        1.0 - power * fraction(b, a, 1.0 - x) / b
    };
    (below, power / (x * (1.0 - x)))
}

/// `x` with `I_x(a, b) = p`, for `a, b > 0` and `0 < p < 1`.
pub(super) fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let ln_beta = ln_beta(a, b);
    root::increasing(p, a / (a + b), (0.0, 1.0), |x| cumulative(a, b, x, ln_beta))
}

/// `x` at which the mean of `I_x(a, b + 1)` and `I_x(a + 1, b)` is `p`: between the two quantiles (mid-P limits).
pub(super) fn middle_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (first, second) = (ln_beta(a, b + 1.0), ln_beta(a + 1.0, b));
    root::increasing(p, (a + 0.5) / (a + b + 1.0), (0.0, 1.0), |x| {
        let (low, low_density) = cumulative(a, b + 1.0, x, first);
        let (high, high_density) = cumulative(a + 1.0, b, x, second);
        (f64::midpoint(low, high), f64::midpoint(low_density, high_density))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        // I_x(1, 1) = x; I_x(2, 1) = x^2; I_x(1, 3) = 1 - (1 - x)^3.
        for p in [1e-6, 0.001, 0.025, 0.5, 0.975, 0.999] {
            assert!((quantile(p, 1.0, 1.0) - p).abs() < 1e-15);
            assert!((quantile(p, 2.0, 1.0) / p.sqrt() - 1.0).abs() < 1e-13);
            let third = -(((-p).ln_1p()) / 3.0).exp_m1();
            assert!((quantile(p, 1.0, 3.0) / third - 1.0).abs() < 1e-12);
            // I_x(1, n) = 1 - (1 - x)^n for a million trials.
            let million = -(((-p).ln_1p()) / 1e6).exp_m1();
            let got = quantile(p, 1.0, 1e6);
            assert!((got / million - 1.0).abs() < 1e-11, "{p}: {got} {million}");
        }
    }

    #[test]
    fn log_beta_joins_smoothly_and_matches_factorials() {
        // B(3, 4) = 2! 3! / 6! = 1/60; B(2, 20) = 1! 19! / 21! = 1/420.
        assert!((ln_beta(3.0, 4.0) + 60.0_f64.ln()).abs() < 1e-14);
        assert!((ln_beta(2.0, 20.0) + 420.0_f64.ln()).abs() < 1e-14);
        assert!((ln_beta(20.0, 2.0) + 420.0_f64.ln()).abs() < 1e-14);
    }
}
