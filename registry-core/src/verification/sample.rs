//! Which cases a draw takes: the first ones of every centre in an order that the seed decides and anybody can repeat.
//!
//! The place of a case in the order is SHA-256 over the seed, a line feed and the record id, as `printf '%s\n%s' SEED ID | sha256sum`
//! prints it. Of a centre's cases the first `ceil(share * cases)` are taken: the same seed and the same cases give the same sample.

use sha2::{Digest, Sha256};

/// Shares are kept in parts of this, so that rounding up is exact.
pub(crate) const WHOLE: i64 = 10_000;

/// Place of a case in the order of a draw.
fn rank(seed: &str, record_id: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(seed.as_bytes());
    digest.update(b"\n");
    digest.update(record_id.as_bytes());
    digest.finalize().into()
}

/// A share as parts of [`WHOLE`]; `None` when it is not above 0 and at most 1, or has more than four decimals.
pub(crate) fn parts(share: f64) -> Option<i64> {
    let scaled = share * WHOLE as f64;
    let rounded = scaled.round();
    let exact = (scaled - rounded).abs() < 1e-6;
    (exact && (1.0..=WHOLE as f64).contains(&rounded)).then_some(rounded as i64)
}

/// How many of a centre's cases are taken: `parts / 10,000` of them, rounded up.
fn size(cases: usize, parts: i64) -> usize {
    let parts = usize::try_from(parts).unwrap_or_default();
    (cases * parts).div_ceil(WHOLE as usize)
}

/// The cases of one centre that a draw takes, in the order of their record ids.
pub(crate) fn take<T>(seed: &str, parts: i64, mut cases: Vec<T>, record_id: impl Fn(&T) -> &str) -> Vec<T> {
    let wanted = size(cases.len(), parts);
    cases.sort_by_cached_key(|case| rank(seed, record_id(case)));
    cases.truncate(wanted);
    cases.sort_by(|a, b| record_id(a).cmp(record_id(b)));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_or_refused() {
        for (share, expected) in [
            (0.05, Some(500)),
            (0.07, Some(700)),
            (1.0, Some(10_000)),
            (0.0001, Some(1)),
            (0.0, None),
            (1.0001, None),
            (-0.05, None),
            (0.00001, None),
            (0.123_45, None),
            (f64::NAN, None),
        ] {
            assert_eq!(parts(share), expected, "{share}");
        }
    }

    #[test]
    fn the_sample_is_rounded_up_to_whole_cases() {
        for (cases, parts, expected) in [
            (0, 500, 0),
            (1, 500, 1),
            (20, 500, 1),
            (21, 500, 2),
            (60, 500, 3),
            (100, 700, 7),
            (101, 700, 8),
            (3, 10_000, 3),
        ] {
            assert_eq!(size(cases, parts), expected, "{parts} of {cases}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_printed_digests() {
        // printf '%s\n%s' 2026 a | sha256sum, and so on.
        let mut ids: Vec<&str> = vec!["a", "b", "c", "d"];
        ids.sort_by_cached_key(|id| rank("2026", id));
        let taken = |parts| take("2026", parts, vec!["d", "c", "b", "a"], |id| id);
        let mut first_two = ids[..2].to_vec();
        first_two.sort_unstable();
        assert_eq!(taken(5_000), first_two);
        assert_eq!(hex::encode(rank("2026", "a")), DIGEST_OF_A);
        assert_eq!(taken(2_500), &ids[..1]);
        assert_ne!(
            take("2027", 5_000, (0..40).map(|n| n.to_string()).collect(), |id| id),
            take("2026", 5_000, (0..40).map(|n| n.to_string()).collect(), |id| id)
        );
    }

    const DIGEST_OF_A: &str = "922dc8e543764ba83d5f2cb65a4792c2c3d546fa0a7a4753bc767487701417f9";
}
