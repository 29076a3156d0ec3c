//! Centres around the network rate, metastatic diagnosis in the last 24 months.
//!
//! The target is the network rate of the same period. A centre's position is decided by the exact binomial tail (2.5 % and 0.1 % on
//! each side); the limits are for drawing. Beside it stands the position that allows for overdispersion, and the q-value within
//! all tests of the run. Everything is computed from the table given, and so from nothing that a viewer of the table does
//! not see.

use std::collections::{BTreeMap, HashMap};

use super::family::Family;
use super::placement::{Placed, limits, place};
use crate::results::{
    AdherenceRow, AdherenceTable, By, Funnel, FunnelLimits, FunnelPoint, Funnels, NotAssessableFunnel,
    NotAssessablePoint, Period, Position, RateState,
};
use crate::statistics::{
    StatisticsError,
    funnel::{Tails, tails},
};

/// Most values of n for which limits are given.
const MOST_LIMITS: u32 = 200;
const ONE_SIDED_95: f64 = 0.025;
const ONE_SIDED_998: f64 = 0.001;

/// The funnel of every measure of an (exact or disclosed) adherence table with all measures of the run. What belongs to the
/// family of tests, within which q-values hold, is said at [`Family`].
///
/// # Errors
/// [`StatisticsError`] when a limit cannot be computed.
pub fn funnels(table: &AdherenceTable) -> Result<Funnels, StatisticsError> {
    funnels_within(table, &Family::of(table)?)
}

/// The funnels of a table with some of the run's measures, within the family of tests of all.
///
/// # Errors
/// As [`funnels`].
pub fn funnels_within(table: &AdherenceTable, family: &Family) -> Result<Funnels, StatisticsError> {
    let mut funnels = Vec::with_capacity(table.measures.len());
    for measure in &table.measures {
        let rows: Vec<&AdherenceRow> = table
            .rows
            .iter()
            .filter(|r| r.measure == measure.id && r.period == Period::Last24Months)
            .collect();
        let family = Some(family).filter(|_| Family::holds(&measure.kind));
        funnels.push(funnel(&measure.id, &rows, family)?);
    }
    Ok(Funnels {
        run: table.run.clone(),
        last_24_months_from: table.last_24_months_from.clone(),
        family: family.size() as u32,
        funnels,
    })
}

fn funnel(measure: &str, rows: &[&AdherenceRow], family: Option<&Family>) -> Result<Funnel, StatisticsError> {
    let target = network(rows).and_then(|r| r.rate);
    let results: Vec<(&AdherenceRow, Option<(u32, u32)>)> = centres(rows).map(|r| (r, result(r))).collect();
    let counts: Vec<(u32, u32)> = results.iter().filter_map(|(_, counts)| *counts).collect();
    let placement = target.map(|target| place(&counts, target)).transpose()?;
    let mut placed = placement.iter().flat_map(|p| &p.centres);
    let points = results
        .iter()
        .map(|(row, counts)| point(row, counts.and_then(|_| placed.next()), family))
        .collect();
    Ok(Funnel {
        measure: measure.to_owned(),
        target,
        phi: placement.as_ref().and_then(|p| p.phi),
        tau2: placement.as_ref().and_then(|p| p.tau2),
        limits: drawn(target, counts.iter().map(|(_, n)| *n))?,
        points,
        not_assessable_funnel: not_assessable_funnel(rows)?,
    })
}

pub(super) fn network<'a>(rows: &[&'a AdherenceRow]) -> Option<&'a AdherenceRow> {
    rows.iter().copied().find(|r| r.by == By::Network)
}

pub(super) fn centres<'a>(rows: &[&'a AdherenceRow]) -> impl Iterator<Item = &'a AdherenceRow> {
    rows.iter().copied().filter(|r| r.by == By::Centre)
}

/// Numerator and denominator of a row that has a rate.
pub(super) fn result(row: &AdherenceRow) -> Option<(u32, u32)> {
    row.rate.and(row.numerator.zip(row.denominator))
}

/// Limits for drawing, to the largest of the denominators.
fn drawn(
    target: Option<f64>,
    denominators: impl Iterator<Item = u32>,
) -> Result<Vec<FunnelLimits>, StatisticsError> {
    let Some(target) = target else {
        return Ok(Vec::new());
    };
    ladder(denominators.max().unwrap_or(0))
        .map(|n| limits(n, target))
        .collect()
}

/// Units not assessable, of all that are assessable or not; `None` when there is none, or a part is hidden.
fn share(row: &AdherenceRow) -> Option<(u32, u32)> {
    let missing = row.not_assessable?;
    let all = row.denominator? + missing;
    (all > 0).then_some((missing, all))
}

fn not_assessable_funnel(rows: &[&AdherenceRow]) -> Result<NotAssessableFunnel, StatisticsError> {
    let of = |(missing, all): (u32, u32)| f64::from(missing) / f64::from(all);
    let target = network(rows).and_then(share).map(of);
    let mut points = Vec::new();
    for row in centres(rows) {
        let counts = share(row);
        let placed = match (target, counts) {
            (Some(target), Some((missing, all))) => {
                Some((limits(all, target)?, position(tails(missing, all, target)?)))
            }
            _ => None,
        };
        points.push(NotAssessablePoint {
            centre: row.level.clone(),
            suppressed: row.suppressed,
            numerator: counts.map(|c| c.0),
            denominator: counts.map(|c| c.1),
            share: counts.map(of),
            limits: placed.map(|p| p.0),
            position: placed.map(|p| p.1),
        });
    }
    Ok(NotAssessableFunnel {
        target,
        limits: drawn(target, points.iter().filter_map(|p| p.denominator))?,
        points,
    })
}

/// By centre: in how many measures more cannot be assessed than the upper 99.8 % limit around the network's share allows, and in how many it
/// can be placed. As [`NotAssessableFunnel`] says it, without limits to draw.
///
/// # Errors
/// [`StatisticsError`] when a tail cannot be computed.
pub fn far_above(table: &AdherenceTable) -> Result<BTreeMap<&str, (u32, u32)>, StatisticsError> {
    let recent = || table.rows.iter().filter(|row| row.period == Period::Last24Months);
    let network = recent().filter(|row| row.by == By::Network);
    let targets: HashMap<&str, f64> = network
        .filter_map(|row| {
            let (missing, all) = share(row)?;
            Some((row.measure.as_str(), f64::from(missing) / f64::from(all)))
        })
        .collect();
    let mut found: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in recent().filter(|row| row.by == By::Centre) {
        let Some((target, (missing, all))) = targets.get(row.measure.as_str()).zip(share(row)) else {
            continue;
        };
        let (above, placed) = found.entry(&row.level).or_default();
        *above += u32::from(position(tails(missing, all, *target)?) == Position::Above998);
        *placed += 1;
    }
    Ok(found)
}

/// As [`far_above`], of funnels that have been worked out.
pub fn far_above_in(funnels: &Funnels) -> BTreeMap<&str, (u32, u32)> {
    let all = funnels.funnels.iter();
    let points = all.flat_map(|funnel| &funnel.not_assessable_funnel.points);
    let mut found: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for (point, position) in points.filter_map(|point| Some((point, point.position?))) {
        let (above, placed) = found.entry(&point.centre).or_default();
        *above += u32::from(position == Position::Above998);
        *placed += 1;
    }
    found
}

/// Whole numbers from 1 to `largest`, all of them or evenly spaced, the largest always among them.
fn ladder(largest: u32) -> impl Iterator<Item = u32> {
    let step = largest.div_ceil(MOST_LIMITS).max(1);
    (1..=largest).filter(move |n| (largest - n).is_multiple_of(step))
}

fn point(row: &AdherenceRow, placed: Option<&Placed>, family: Option<&Family>) -> FunnelPoint {
    FunnelPoint {
        centre: row.level.clone(),
        state: row.state,
        suppressed: row.suppressed,
        numerator: row.numerator,
        denominator: row.denominator,
        patients: row.patients,
        not_assessable: row.not_assessable,
        rate: row.rate.filter(|_| row.state == RateState::Rate),
        limits: placed.map(|p| p.limits),
        position: placed.map(|p| p.position),
        z: placed.and_then(|p| p.z),
        z_adjusted: placed.and_then(|p| p.z_adjusted),
        limits_adjusted: placed.and_then(|p| p.limits_adjusted),
        position_adjusted: placed.and_then(|p| p.position_adjusted),
        p: placed.map(|p| p.p),
        q: placed.and_then(|p| family?.q(p.p)),
        as_of: row.as_of,
    }
}

/// Where the rate of a centre's row lies around the network's of the same measure and period; `None` where one of them has no rate.
///
/// # Errors
/// [`StatisticsError`] when a tail cannot be computed.
pub fn position_of(
    centre: &AdherenceRow,
    network: &AdherenceRow,
) -> Result<Option<Position>, StatisticsError> {
    match (result(centre), network.rate) {
        (Some((x, n)), Some(target)) if n > 0 => Ok(Some(position(tails(x, n, target)?))),
        _ => Ok(None),
    }
}

/// Where a result lies, by its exact tail: above or below with less than 2.5 % (95 %) or 0.1 % (99.8 %) on that side.
pub fn position(tails: Tails) -> Position {
    match tails {
        t if t.at_least < ONE_SIDED_998 => Position::Above998,
        t if t.at_least < ONE_SIDED_95 => Position::Above95,
        t if t.at_most < ONE_SIDED_998 => Position::Below998,
        t if t.at_most < ONE_SIDED_95 => Position::Below95,
        _ => Position::Within,
    }
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
