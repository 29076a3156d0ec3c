//! p-values adjusted for the number of tests `m`, in the order given; as R `p.adjust`.
//!
//! With `p(1) <= ... <= p(m)`:
//! * Bonferroni `min(1, m p)`; Holm `max over j <= i of min(1, (m - j + 1) p(j))` (Holm 1979): family-wise error.
//! * Benjamini-Hochberg `min over j >= i of min(1, m p(j) / j)` (1995): false discovery rate;
//!   Benjamini-Yekutieli the same times `1 + 1/2 + ... + 1/m` (2001): under any dependence.
//!
//! An empty family is an empty answer; the family is the caller's to state.

use super::StatisticsError;

/// Positions of the p-values from the smallest up.
fn ascending(p: &[f64]) -> Result<Vec<usize>, StatisticsError> {
    if let Some(index) = p.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(StatisticsError::PValue { index });
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    Ok(order)
}

fn step_up(p: &[f64], factor: f64) -> Result<Vec<f64>, StatisticsError> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 1.0_f64;
    for (below, index) in order.into_iter().enumerate().rev() {
        least = least.min(factor * p[index] * p.len() as f64 / (below + 1) as f64);
        adjusted[index] = least;
    }
    Ok(adjusted)
}

/// q-values by Benjamini and Hochberg.
///
/// # Errors
/// [`StatisticsError::PValue`] for a p-value that is no number between 0 and 1.
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    step_up(p, 1.0)
}

/// q-values by Benjamini and Yekutieli.
///
/// # Errors
/// As [`benjamini_hochberg`].
pub fn benjamini_yekutieli(p: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    step_up(p, (1..=p.len()).map(|k| 1.0 / k as f64).sum())
}

/// Adjusted p-values by Holm.
///
/// # Errors
/// As [`benjamini_hochberg`].
pub fn holm(p: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut most = 0.0_f64;
    for (below, index) in order.into_iter().enumerate() {
        most = most.max((p[index] * (p.len() - below) as f64).min(1.0));
        adjusted[index] = most;
    }
    Ok(adjusted)
}

/// Adjusted p-values by Bonferroni.
///
/// # Errors
/// As [`benjamini_hochberg`].
pub fn bonferroni(p: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    ascending(p)?;
    Ok(p.iter().map(|one| (one * p.len() as f64).min(1.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Sorted 0.01, 0.02, 0.5: BH 0.03, 0.03, 0.5; Holm 0.03, 0.04, 0.5; BY times 11/6.
        let p = [0.5, 0.01, 0.02];
        let close = |got: Vec<f64>, want: [f64; 3]| {
            assert!(
                got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-15),
                "{got:?}"
            );
        };
        close(benjamini_hochberg(&p).unwrap(), [0.5, 0.03, 0.03]);
        close(benjamini_yekutieli(&p).unwrap(), [5.5 / 6.0, 0.055, 0.055]);
        close(holm(&p).unwrap(), [0.5, 0.03, 0.04]);
        close(bonferroni(&p).unwrap(), [1.0, 0.03, 0.06]);
        assert_eq!(benjamini_hochberg(&[]), Ok(Vec::new()));
    }

    #[test]
    fn nonsense_is_an_error() {
        for adjust in [benjamini_hochberg, benjamini_yekutieli, holm, bonferroni] {
            for p in [f64::NAN, -0.1, 1.000_001, f64::INFINITY] {
                assert_eq!(adjust(&[0.5, p]), Err(StatisticsError::PValue { index: 1 }));
            }
        }
    }
}
