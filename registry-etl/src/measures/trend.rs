//! A measure over the half-years of diagnosis: each with the limits chance sets around the rate of all, and a test of trend.

use super::funnels::position;
use super::placement::limits;
use crate::results::{AdherenceRow, By, Period, RateState, Trend, TrendPoint};
use crate::statistics::StatisticsError;
use crate::statistics::funnel::tails;
use crate::statistics::trend::{TrendGroup, cochran_armitage};

/// The trend of one measure, from its (exact or disclosed) rows in order of time. Half-years without a rate have a point
/// without one. The Cochran-Armitage test takes the half-years with a rate, one apart; none when there is nothing to test.
///
/// # Errors
/// [`StatisticsError`] when a limit cannot be computed.
pub fn trend(rows: &[&AdherenceRow]) -> Result<Trend, StatisticsError> {
    let network = rows
        .iter()
        .find(|r| r.by == By::Network && r.period == Period::All);
    let target = network.and_then(|r| r.rate);
    let mut points = Vec::new();
    let mut groups = Vec::new();
    let half_years = rows
        .iter()
        .filter(|r| r.by == By::HalfYear && is_half_year(&r.level));
    for (at, row) in half_years.enumerate() {
        let counts = (row.state == RateState::Rate)
            .then_some(row.numerator.zip(row.denominator))
            .flatten();
        let mut point = TrendPoint {
            level: row.level.clone(),
            state: row.state,
            numerator: row.numerator,
            denominator: row.denominator,
            rate: row.rate,
            limits: None,
            position: None,
        };
        if let (Some((x, n)), Some(target)) = (counts, target) {
            point.limits = Some(limits(n, target)?);
            point.position = Some(position(tails(x, n, target)?));
            groups.push(TrendGroup {
                x: x.into(),
                n: n.into(),
                score: at as f64,
            });
        }
        points.push(point);
    }
    Ok(Trend {
        target,
        points,
        p: cochran_armitage(&groups).ok().map(|test| test.p),
    })
}

/// `2025-H1`; not the level of diagnoses without a date.
fn is_half_year(level: &str) -> bool {
    level.contains("-H")
}
