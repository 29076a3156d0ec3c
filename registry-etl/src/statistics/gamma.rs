//! The regularised incomplete gamma function and its inverse, to about 1e-12: tails of Poisson and chi-square.
//!
//! `P(a, x)` by its series below `a + 1` and by Legendre's continued fraction above (DLMF 8.11.4, 8.9.2, modified Lentz);
//! the leading factor `x^a e^-x / Gamma(a + 1)` by Stirling's series for large `a`, so that no large logarithms are subtracted.
//! `P(X >= r) = P(r, m)` for `X ~ Poisson(m)`; `P(chi2_k > x) = Q(k/2, x/2)`.

use super::beta::{LARGE, stirling_remainder};
use super::root;
use libm::lgamma;

/// Both need about the square root of `a` terms.
const MAX_TERMS: usize = 100_000;
const TINY: f64 = 1e-300;

/// `x^a e^-x / Gamma(a + 1)`: the Poisson probability of `a` events when `x` are expected.
fn leading(a: f64, x: f64) -> f64 {
    if a < LARGE {
        return (a * x.ln() - x - lgamma(a + 1.0)).exp();
    }
    let off = (x - a) / a;
    let root = (2.0 * std::f64::consts::PI * a).sqrt();
    (a * (off.ln_1p() - off) - stirling_remainder(a)).exp() / root
}

/// `P(a, x)` and `Q(a, x) = 1 - P(a, x)`, the smaller of the two to full relative precision; `a > 0`, `x >= 0`.
pub(super) fn tails(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0, 1.0);
        for k in 1..MAX_TERMS {
            term *= x / (a + k as f64);
            sum += term;
            if term <= sum * f64::EPSILON {
                break;
            }
        }
        let lower = leading(a, x) * sum;
        return (lower, 1.0 - lower);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    for k in 1..MAX_TERMS {
        let k = k as f64;
        let numerator = -k * (k - a);
        b += 2.0;
        let keep = |v: f64| if v.abs() < TINY { TINY } else { v };
        d = 1.0 / keep(numerator * d + b);
        c = keep(b + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    let upper = leading(a, x) * a * value;
    (1.0 - upper, upper)
}

/// `P(chi2 > x)` with `df` degrees of freedom.
pub(super) fn chi_square_above(x: f64, df: f64) -> f64 {
    tails(df / 2.0, x / 2.0).1
}

/// `x` with `P(a, x) = p`, for `a > 0` and `0 < p < 1`.
pub(super) fn quantile(p: f64, a: f64) -> f64 {
    let cumulative = |x: f64| (tails(a, x).0, leading(a, x) * a / x);
    root::increasing(p, a, (0.0, above(p, a)), cumulative)
}

/// `x` at which the mean of `P(a, x)` and `P(a + 1, x)` is `p` (mid-P limits).
pub(super) fn middle_quantile(p: f64, a: f64) -> f64 {
    root::increasing(p, a + 0.5, (0.0, above(p, a + 1.0)), |x| {
        let value = f64::midpoint(tails(a, x).0, tails(a + 1.0, x).0);
        let slope = f64::midpoint(leading(a, x) * a / x, leading(a, x));
        (value, slope)
    })
}

/// Some `x` with `P(a, x) > p`.
fn above(p: f64, a: f64) -> f64 {
    let mut x = 2.0 * a + 2.0;
    while tails(a, x).1 >= 1.0 - p {
        x *= 2.0;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        // P(1, x) = 1 - e^-x; Q(2, x) = (1 + x) e^-x; Q(1/2, x) = erfc(sqrt x).
        for x in [1e-9, 0.1, 1.0, 3.0, 20.0, 300.0] {
            let close =
                |got: f64, want: f64| assert!((got - want).abs() <= 2e-13 * want, "{x}: {got} {want}");
            close(tails(1.0, x).0, -(-x).exp_m1());
            close(tails(2.0, x).1, (1.0 + x) * (-x).exp());
            close(tails(0.5, x).1, libm::erfc(x.sqrt()));
            close(chi_square_above(2.0 * x, 2.0), (-x).exp());
        }
    }

    #[test]
    fn quantiles_return_what_was_asked() {
        for a in [0.1, 1.0, 2.5, 17.0, 400.0, 5001.0] {
            for p in [0.001, 0.025, 0.5, 0.975, 0.999] {
                let x = quantile(p, a);
                assert!((tails(a, x).0 - p).abs() < 1e-13, "{a} {p}");
            }
        }
        // P(1, x) = p at -ln(1 - p).
        assert!((quantile(0.975, 1.0) + 0.025_f64.ln()).abs() < 1e-13);
    }

    #[test]
    fn the_leading_factor_joins_smoothly() {
        // 12^12 e^-12 / 12!, 12! = 479001600.
        let direct = (12.0_f64 * 12.0_f64.ln() - 12.0).exp() / 479_001_600.0;
        assert!((leading(12.0, 12.0) / direct - 1.0).abs() < 1e-13);
    }
}
