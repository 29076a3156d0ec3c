//! The root of an increasing function: Newton's method kept inside a shrinking bracket.

/// Smallest relative width of the bracket: a few units in the last place.
const PRECISION: f64 = 4.0 * f64::EPSILON;
const MAX_STEPS: usize = 400;

/// `x` with `value(x) = p` between `low` (at least 0) and `high`; `function` gives value and slope.
pub(super) fn increasing(
    p: f64,
    start: f64,
    (mut low, mut high): (f64, f64),
    function: impl Fn(f64) -> (f64, f64),
) -> f64 {
    let mut x = start;
    for _ in 0..MAX_STEPS {
        let (value, slope) = function(x);
        if value < p {
            low = x;
        } else {
            high = x;
        }
        let newton = x - (value - p) / slope;
        let next = if newton.is_finite() && newton > low && newton < high {
            newton
        } else if low > 0.0 && high / low > 4.0 {
            (low * high).sqrt()
        } else {
            f64::midpoint(low, high)
        };
        let settled = (next - x).abs() <= PRECISION * x || high - low <= PRECISION * high;
        x = next;
        if settled {
            break;
        }
    }
    x
}
