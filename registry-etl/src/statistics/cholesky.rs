//! Cholesky factor of a small symmetric positive definite matrix, `A = L L'`.

/// A pivot smaller than this share of its diagonal element counts as 0: the column depends on those before it.
const SINGULAR: f64 = 1e-12;

/// The lower triangle of `L`, row by row.
pub(super) struct Cholesky {
    lower: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Of the lower triangle of `matrix`; `None` when it is not positive definite.
    pub(super) fn of(matrix: &[Vec<f64>]) -> Option<Self> {
        let mut lower: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (i, row) in matrix.iter().enumerate() {
            let mut new: Vec<f64> = Vec::with_capacity(i + 1);
            for (j, before) in lower.iter().enumerate() {
                let known: f64 = new.iter().zip(before).map(|(a, b)| a * b).sum();
                new.push((row[j] - known) / before[j]);
            }
            let pivot = row[i] - new.iter().map(|v| v * v).sum::<f64>();
            if pivot.is_nan() || pivot <= SINGULAR * row[i] || pivot <= 0.0 {
                return None;
            }
            new.push(pivot.sqrt());
            lower.push(new);
        }
        Some(Self { lower })
    }

    /// `x` with `A x = b`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for (i, row) in self.lower.iter().enumerate() {
            let known: f64 = row[..i].iter().zip(&x).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - known) / row[i];
        }
        for (i, row) in self.lower.iter().enumerate().rev() {
            x[i] /= row[i];
            for j in 0..i {
                x[j] -= row[j] * x[i];
            }
        }
        x
    }

    /// `A^-1`, column by column.
    pub(super) fn inverse(&self) -> Vec<Vec<f64>> {
        let unit = |i: usize| {
            let mut unit = vec![0.0; self.lower.len()];
            unit[i] = 1.0;
            self.solve(&unit)
        };
        (0..self.lower.len()).map(unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // [[4, 2], [2, 5]] = L L' with L = [[2, 0], [1, 2]]; inverse [[5, -2], [-2, 4]] / 16.
        let factor = Cholesky::of(&[vec![4.0], vec![2.0, 5.0]]).unwrap();
        assert_eq!(factor.lower, [vec![2.0], vec![1.0, 2.0]]);
        assert_eq!(factor.solve(&[8.0, 12.0]), [1.0, 2.0]);
        assert_eq!(factor.inverse(), [vec![0.3125, -0.125], vec![-0.125, 0.25]]);
        assert!(Cholesky::of(&[vec![1.0], vec![1.0, 1.0]]).is_none(), "singular");
        assert!(Cholesky::of(&[vec![-1.0]]).is_none());
        assert!(Cholesky::of(&[vec![f64::NAN]]).is_none());
    }
}
