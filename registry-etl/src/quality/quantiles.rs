//! Quantiles of whole days: type 7, linear between the two nearest of `1 + (n - 1) p` (Hyndman and Fan 1996; R's default).

/// Lower quartile, median and upper quartile; `None` of nothing.
pub(super) fn quartiles(days: &[i32]) -> Option<[f64; 3]> {
    quantiles(days, [0.25, 0.5, 0.75])
}

/// These quantiles; `None` of nothing.
pub(super) fn quantiles<const N: usize>(days: &[i32], wanted: [f64; N]) -> Option<[f64; N]> {
    let mut sorted = days.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    let at = |p: f64| {
        let place = last as f64 * p;
        let below = place.floor();
        let low = f64::from(sorted[below as usize]);
        let high = f64::from(sorted[(below as usize + 1).min(last)]);
        low + (place - below) * (high - low)
    };
    Some(wanted.map(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_nearest_days() {
        assert_eq!(quartiles(&[]), None);
        assert_eq!(quartiles(&[7]), Some([7.0, 7.0, 7.0]));
        // Places 0.75, 1.5, 2.25 of 1, 3, 10, 20.
        assert_eq!(quartiles(&[20, 1, 10, 3]), Some([2.5, 6.5, 12.5]));
        // Places 1, 2, 3 of five.
        assert_eq!(quartiles(&[-2, 0, 4, 9, 30]), Some([0.0, 4.0, 9.0]));
    }
}
