//! Centres around the network rate, metastatic diagnosis in the last 24 months.
//!
//! The target is the network rate of the same period. A centre's position is decided by the exact binomial tail (2.5 % and 0.1 % on
//! each side); the limits are for drawing.

use crate::results::{
    AdherenceRow, AdherenceTable, By, Funnel, FunnelLimits, FunnelPoint, Funnels, Period, Position, RateState,
};
use crate::statistics::{
    StatisticsError, exact_limits,
    funnel::{Tails, tails},
};

/// Most values of n for which limits are given.
const MOST_LIMITS: u32 = 200;
const ONE_SIDED_95: f64 = 0.025;
const ONE_SIDED_998: f64 = 0.001;

/// The funnel of every measure of an (exact or disclosed) adherence table.
///
/// # Errors
/// [`StatisticsError`] when a limit cannot be computed.
pub fn funnels(table: &AdherenceTable) -> Result<Funnels, StatisticsError> {
    let mut funnels = Vec::with_capacity(table.measures.len());
    for measure in &table.measures {
        let rows: Vec<&AdherenceRow> = table
            .rows
            .iter()
            .filter(|r| r.measure == measure.id && r.period == Period::Last24Months)
            .collect();
        funnels.push(funnel(&measure.id, &rows)?);
    }
    Ok(Funnels {
        run: table.run.clone(),
        last_24_months_from: table.last_24_months_from.clone(),
        funnels,
    })
}

fn funnel(measure: &str, rows: &[&AdherenceRow]) -> Result<Funnel, StatisticsError> {
    let network = rows.iter().find(|r| r.by == By::Network);
    let target = network.and_then(|r| r.rate);
    let centres = || rows.iter().filter(|r| r.by == By::Centre);
    let points = centres()
        .map(|r| point(r, target))
        .collect::<Result<Vec<_>, _>>()?;
    let largest = centres()
        .filter(|r| r.rate.is_some())
        .filter_map(|r| r.denominator)
        .max()
        .unwrap_or(0);
    let limits = match target {
        Some(target) => ladder(largest)
            .map(|n| limits(n, target))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(Funnel {
        measure: measure.to_owned(),
        target,
        limits,
        points,
    })
}

/// Whole numbers from 1 to `largest`, all of them or evenly spaced, the largest always among them.
fn ladder(largest: u32) -> impl Iterator<Item = u32> {
    let step = largest.div_ceil(MOST_LIMITS).max(1);
    (1..=largest).filter(move |n| (largest - n).is_multiple_of(step))
}

fn point(row: &AdherenceRow, target: Option<f64>) -> Result<FunnelPoint, StatisticsError> {
    let placed = match (target, row.rate, row.numerator, row.denominator) {
        (Some(target), Some(_), Some(x), Some(n)) => {
            Some((limits(n, target)?, position(tails(x, n, target)?)))
        }
        _ => None,
    };
    Ok(FunnelPoint {
        centre: row.level.clone(),
        state: row.state,
        suppressed: row.suppressed,
        numerator: row.numerator,
        denominator: row.denominator,
        patients: row.patients,
        not_assessable: row.not_assessable,
        rate: row.rate.filter(|_| row.state == RateState::Rate),
        limits: placed.map(|p| p.0),
        position: placed.map(|p| p.1),
    })
}

pub(super) fn position(tails: Tails) -> Position {
    match tails {
        t if t.at_least < ONE_SIDED_998 => Position::Above998,
        t if t.at_least < ONE_SIDED_95 => Position::Above95,
        t if t.at_most < ONE_SIDED_998 => Position::Below998,
        t if t.at_most < ONE_SIDED_95 => Position::Below95,
        _ => Position::Within,
    }
}

pub(super) fn limits(n: u32, target: f64) -> Result<FunnelLimits, StatisticsError> {
    let exact = exact_limits(n, target)?;
    Ok(FunnelLimits {
        n,
        lower95: exact.lower95,
        upper95: exact.upper95,
        lower998: exact.lower998,
        upper998: exact.upper998,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_given_for_every_n_or_evenly_spaced() {
        assert_eq!(ladder(3).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(ladder(0).count(), 0);
        let many: Vec<u32> = ladder(1000).collect();
        assert_eq!((many.len(), many[0], many[199]), (200, 5, 1000));
    }

    #[test]
    fn a_position_needs_an_unusual_tail() {
        // 10 of 10 around 0.98 lies above the interpolated line and is the most likely result all the same.
        assert_eq!(position(tails(10, 10, 0.98).unwrap()), Position::Within);
        // Around 1/2: P(R <= 1) = 11/1024 = 0.0107, P(R = 0) = 1/1024 = 0.00098.
        assert_eq!(position(tails(1, 10, 0.5).unwrap()), Position::Below95);
        assert_eq!(position(tails(0, 10, 0.5).unwrap()), Position::Below998);
        assert_eq!(position(tails(10, 10, 0.5).unwrap()), Position::Above998);
    }
}
