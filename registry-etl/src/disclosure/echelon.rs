//! Systems of linear equations: which unknowns they determine.

use std::collections::BTreeMap;

/// A sparse equation: coefficient by cell, none of them 0.
pub(super) type Row = BTreeMap<usize, f64>;

/// Reduced echelon form (Gauss-Jordan, shortest equations first). Coefficients start as -1 and 1.
pub(super) fn reduced(mut open: Vec<Row>) -> Vec<Row> {
    open.sort_by_key(BTreeMap::len);
    let mut done: BTreeMap<usize, Row> = BTreeMap::new();
    for mut row in open {
        let pivots: Vec<usize> = row
            .keys()
            .copied()
            .filter(|cell| done.contains_key(cell))
            .collect();
        for pivot in pivots {
            if let (Some(factor), Some(known)) = (row.get(&pivot).copied(), done.get(&pivot)) {
                subtract(&mut row, known, factor);
            }
        }
        let Some((&pivot, &scale)) = row.iter().next() else {
            continue;
        };
        row.values_mut().for_each(|v| *v /= scale);
        for other in done.values_mut() {
            if let Some(factor) = other.get(&pivot).copied() {
                subtract(other, &row, factor);
            }
        }
        done.insert(pivot, row);
    }
    done.into_values().collect()
}

/// `row -= factor * other`, dropping what becomes 0.
fn subtract(row: &mut Row, other: &Row, factor: f64) {
    for (cell, value) in other {
        let left = row.get(cell).copied().unwrap_or(0.0) - factor * value;
        if left.abs() < 1e-9 {
            row.remove(cell);
        } else {
            row.insert(*cell, left);
        }
    }
}
