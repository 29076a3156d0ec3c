//! Agreement of two readers on categories beyond chance.
//!
//! Cohen's kappa: `(p_o - p_e) / (1 - p_e)`, with `p_o` the share of items both put into the same category and
//! `p_e = sum over categories of (share of the first) * (share of the second)`, what two readers with these habits would agree on by chance
//! (Cohen 1960, Educational and Psychological Measurement 20:37). 1 is full agreement, 0 what chance gives, below 0 less than that.

use std::collections::BTreeMap;

/// Cohen's kappa of pairs of categories (first reader, second reader) with how often each was found; `None` without a pair, and where both
/// readers put everything into one category: chance alone then agrees on all.
pub fn kappa<'c>(pairs: impl Iterator<Item = (&'c str, &'c str, u64)>) -> Option<f64> {
    let (mut n, mut same) = (0_u64, 0_u64);
    let mut margins: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (first, second, count) in pairs {
        n += count;
        margins.entry(first).or_default().0 += count;
        margins.entry(second).or_default().1 += count;
        if first == second {
            same += count;
        }
    }
    // In whole numbers, so that full agreement by chance is recognised exactly.
    let whole = u128::from(n) * u128::from(n);
    let chance: u128 = margins
        .values()
        .map(|(first, second)| u128::from(*first) * u128::from(*second))
        .sum();
    if n == 0 || chance == whole {
        return None;
    }
    let observed = same as f64 / n as f64;
    let expected = chance as f64 / whole as f64;
    Some((observed - expected) / (1.0 - expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_computed_by_hand() {
        // 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o = 0.7, p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa = 0.4.
        let pairs = [("y", "y", 20), ("y", "n", 5), ("n", "y", 10), ("n", "n", 15)];
        let found = kappa(pairs.into_iter()).unwrap();
        assert!((found - 0.4).abs() < 1e-12, "{found}");
        // Three categories, 45 items. p_o = (13 + 20 + 4) / 45; p_e = (15*17 + 23*21 + 7*7) / 45^2.
        let pairs = [
            ("a", "a", 13),
            ("a", "b", 1),
            ("a", "c", 1),
            ("b", "a", 1),
            ("b", "b", 20),
            ("b", "c", 2),
            ("c", "a", 3),
            ("c", "c", 4),
        ];
        let expected = (37.0 / 45.0 - 787.0 / 2025.0) / (1.0 - 787.0 / 2025.0);
        let found = kappa(pairs.into_iter()).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn ends_and_what_has_none() {
        assert_eq!(kappa([("a", "a", 3), ("b", "b", 4)].into_iter()), Some(1.0));
        let against = kappa([("a", "b", 5), ("b", "a", 5)].into_iter()).unwrap();
        assert!((against + 1.0).abs() < 1e-12);
        assert_eq!(
            kappa([("a", "a", 9)].into_iter()),
            None,
            "one category is no test"
        );
        assert_eq!(kappa(std::iter::empty()), None);
        // One of nine differs, and the second never leaves its category: as good as chance.
        assert_eq!(kappa([("a", "a", 8), ("b", "a", 1)].into_iter()), Some(0.0));
    }
}
