//! A measure over the half-years of diagnosis: each with the limits chance sets around the rate of all, and a test of trend.

use std::collections::BTreeMap;

use super::adherence::state_of;
use super::funnels::position;
use super::placement::limits;
use crate::results::{AdherenceRow, By, Period, RateState, Trend, TrendPoint};
use crate::statistics::StatisticsError;
use crate::statistics::funnel::tails;
use crate::statistics::trend::{TrendGroup, cochran_armitage};

/// The trend of one measure, from its (exact or disclosed) rows in order of time. Every half-year from the first to the last
/// has a point, in its place in the calendar; those without a rate have a point without one. The Cochran-Armitage test scores
/// a half-year with a rate by the half-years since the first; none when there is nothing to test.
///
/// # Errors
/// [`StatisticsError`] when a limit cannot be computed.
pub fn trend(rows: &[&AdherenceRow]) -> Result<Trend, StatisticsError> {
    let network = rows
        .iter()
        .find(|r| r.by == By::Network && r.period == Period::All);
    let target = network.and_then(|r| r.rate);
    let half_years: BTreeMap<i32, &AdherenceRow> = rows
        .iter()
        .filter(|r| r.by == By::HalfYear)
        .filter_map(|r| Some((ordinal(&r.level)?, *r)))
        .collect();
    let ends = half_years.keys().next().zip(half_years.keys().next_back());
    let mut points = Vec::new();
    let mut groups = Vec::new();
    for (place, number) in ends
        .into_iter()
        .flat_map(|(first, last)| *first..=*last)
        .enumerate()
    {
        let Some(row) = half_years.get(&number) else {
            points.push(without_a_case(number));
            continue;
        };
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
            as_of: row.as_of,
        };
        if let (Some((x, n)), Some(target)) = (counts, target) {
            point.limits = Some(limits(n, target)?);
            point.position = Some(position(tails(x, n, target)?));
            groups.push(TrendGroup {
                x: x.into(),
                n: n.into(),
                score: place as f64,
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

/// One centre's units by half-year (numerator, assessable, not assessable) around a rate that is given, the network's for example: as [`trend`],
/// with no test.
///
/// # Errors
/// [`StatisticsError`] when a limit cannot be computed.
pub fn trend_around(
    target: f64,
    half_years: &BTreeMap<String, (u32, u32, u32)>,
) -> Result<Trend, StatisticsError> {
    let known: BTreeMap<i32, &(u32, u32, u32)> = half_years
        .iter()
        .filter_map(|(level, counts)| Some((ordinal(level)?, counts)))
        .collect();
    let ends = known.keys().next().zip(known.keys().next_back());
    let mut points = Vec::new();
    for number in ends.into_iter().flat_map(|(first, last)| *first..=*last) {
        let mut point = without_a_case(number);
        if let Some((x, n, lacking)) = known.get(&number).copied().copied() {
            point.state = state_of(n, lacking);
            (point.numerator, point.denominator) = (Some(x), Some(n));
            if point.state == RateState::Rate {
                point.rate = Some(f64::from(x) / f64::from(n));
                point.limits = Some(limits(n, target)?);
                point.position = Some(position(tails(x, n, target)?));
            }
        }
        points.push(point);
    }
    Ok(Trend {
        target: Some(target),
        points,
        p: None,
    })
}

/// A half-year in which nobody was diagnosed: no row says so, its place between two others does.
fn without_a_case(number: i32) -> TrendPoint {
    TrendPoint {
        level: format!("{}-H{}", number.div_euclid(2), number.rem_euclid(2) + 1),
        state: RateState::NotAssessable,
        numerator: Some(0),
        denominator: Some(0),
        rate: None,
        limits: None,
        position: None,
        as_of: None,
    }
}

/// Half-years since year 0, of `2025-H1`; `None` for the level of diagnoses without a date.
fn ordinal(level: &str) -> Option<i32> {
    let (year, half) = level.split_once("-H")?;
    Some(year.parse::<i32>().ok()? * 2 + half.parse::<i32>().ok()? - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Position;

    #[test]
    fn own_half_years_stand_in_the_calendar_around_the_rate_given() {
        let counts = [
            ("2024-H1", (0, 10, 0)),
            ("2025-H1", (6, 10, 0)),
            // 4 of 10 not assessable: no rate.
            ("2025-H2", (6, 6, 4)),
            ("not_recorded", (1, 1, 0)),
        ];
        let counts: BTreeMap<String, (u32, u32, u32)> =
            counts.map(|(level, counts)| (level.to_owned(), counts)).into();
        let trend = trend_around(0.5, &counts).unwrap();
        let said: Vec<(&str, Option<f64>, Option<Position>)> = trend
            .points
            .iter()
            .map(|point| (point.level.as_str(), point.rate, point.position))
            .collect();
        assert_eq!(
            said,
            [
                // P(R = 0) = 1/1024 = 0.00098, below 0.1 %.
                ("2024-H1", Some(0.0), Some(Position::Below998)),
                ("2024-H2", None, None),
                ("2025-H1", Some(0.6), Some(Position::Within)),
                ("2025-H2", None, None),
            ]
        );
        assert_eq!(trend.points[3].state, RateState::Insufficient);
    }
}
