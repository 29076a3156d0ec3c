//! Tables of a measure's page: centres, half-years and the other breakdowns, every rate with what must stand beside it.

use registry_core::form::Words;
use registry_etl::results::{AdherenceRow, By, FunnelPoint, Period, TrendPoint};

use super::words;
use crate::results::MeasureResults;

/// A group of a breakdown, or a half-year.
pub(super) struct Line {
    pub(super) level: String,
    pub(super) rate: String,
    pub(super) interval: String,
    /// Limits around the rate of all half-years; of a half-year.
    pub(super) limits: String,
    pub(super) counted: String,
    pub(super) not_assessable: String,
    pub(super) bounds: String,
}

/// Centres around the network.
pub(super) struct Centres {
    pub(super) rows: Vec<Centre>,
    /// Whether any of them has these: a centre that reads itself alone has neither.
    pub(super) adjusted: bool,
    pub(super) q: bool,
}

pub(super) struct Centre {
    /// The reader's own.
    pub(super) own: bool,
    pub(super) name: String,
    pub(super) rate: String,
    pub(super) interval: String,
    pub(super) counted: String,
    pub(super) not_assessable: String,
    pub(super) bounds: String,
    pub(super) position: &'static str,
    pub(super) adjusted: &'static str,
    pub(super) q: String,
}

/// The row of a level in a period.
fn row_of<'r>(results: &'r MeasureResults, by: By, period: Period, level: &str) -> Option<&'r AdherenceRow> {
    let mut rows = results.table.rows.iter();
    rows.find(|row| row.by == by && row.period == period && row.level == level)
}

/// The interval of a row that shows a rate, and the rate's bounds.
fn beside(row: Option<&AdherenceRow>) -> (String, String) {
    let interval = row.filter(|row| row.rate.is_some());
    let interval = interval.map(|row| words::interval(row.lower, row.upper));
    let bounds = row.map(words::bounds);
    (interval.unwrap_or_default(), bounds.unwrap_or_default())
}

fn fraction(counts: Option<(u32, u32)>, as_of: Option<i64>) -> String {
    let fraction = counts.map_or_else(|| "not shown".to_owned(), |(n, of)| format!("{n} of {of}"));
    words::dated(fraction, as_of)
}

/// The centres of the funnel, last 24 months.
pub(super) fn centres(results: &MeasureResults, own: Option<&str>) -> Centres {
    let centre = |point: &FunnelPoint| {
        let row = row_of(results, By::Centre, Period::Last24Months, &point.centre);
        let (interval, bounds) = beside(row);
        Centre {
            own: own == Some(point.centre.as_str()),
            name: point.centre.clone(),
            rate: words::percent(point.rate),
            interval,
            counted: fraction(
                point.numerator.zip(point.denominator),
                row.and_then(|row| row.as_of),
            ),
            not_assessable: words::count(point.not_assessable),
            bounds,
            position: words::position(point.position),
            adjusted: words::position(point.position_adjusted),
            q: point.q.map_or_else(String::new, words::p_value),
        }
    };
    let rows: Vec<Centre> = results.funnel.points.iter().map(centre).collect();
    Centres {
        adjusted: rows.iter().any(|centre| !centre.adjusted.is_empty()),
        q: rows.iter().any(|centre| !centre.q.is_empty()),
        rows,
    }
}

/// The half-years of the chart, all diagnoses.
pub(super) fn half_years(results: &MeasureResults) -> Vec<Line> {
    let line = |point: &TrendPoint| {
        let row = row_of(results, By::HalfYear, Period::All, &point.level);
        let (interval, bounds) = beside(row);
        let limits = point
            .limits
            .map(|limits| words::interval(Some(limits.lower95), Some(limits.upper95)));
        Line {
            level: point.level.clone(),
            rate: words::percent(point.rate),
            interval,
            limits: limits.unwrap_or_default(),
            counted: fraction(
                point.numerator.zip(point.denominator),
                row.and_then(|row| row.as_of),
            ),
            // A half-year in which nobody was diagnosed has no row.
            not_assessable: row.map_or_else(|| "0".to_owned(), |row| words::count(row.not_assessable)),
            bounds,
        }
    };
    results.trend.points.iter().map(line).collect()
}

/// Ways to break the network's rate down, beside time: heading and rows.
pub(super) fn breakdowns(results: &MeasureResults, called: Words<'_>) -> Vec<(String, Vec<Line>)> {
    let ways = [
        (By::Year, "By year of diagnosis"),
        (By::Histology, "By histology"),
        (By::Timing, "By timing"),
        (By::Organ, "By organ"),
        (By::VolumeTertile, "By volume of the centre"),
        (By::Stratum, "By the measure's own stratifiers"),
    ];
    let line = |row: &AdherenceRow| {
        let level = match row.level.split_once('=') {
            Some((element, code)) => stratum(element, code, called),
            None => words::code(&row.level),
        };
        let (interval, bounds) = beside(Some(row));
        Line {
            level,
            rate: words::rate(row),
            interval,
            limits: String::new(),
            counted: words::fraction(row),
            not_assessable: words::count(row.not_assessable),
            bounds,
        }
    };
    ways.into_iter()
        .filter_map(|(by, heading)| {
            let rows = results.table.rows.iter();
            let of = rows.filter(|row| row.by == by && row.period == Period::All);
            let lines: Vec<Line> = of.map(line).collect();
            (!lines.is_empty()).then(|| (heading.to_owned(), lines))
        })
        .collect()
}

/// `Imaging: modality: CT` of an element and one of its codes.
fn stratum(element: &str, code: &str, called: Words<'_>) -> String {
    let value = called.value(element, &code.into());
    format!("{}: {}", called.place(element), words::code(&value))
}
