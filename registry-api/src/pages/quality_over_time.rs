//! The part of the data quality page about how a level has changed: how soon cases were sent, or what is opened, a section or an element.

use registry_core::form::Words;
use registry_etl::results::completeness::{Answers, NETWORK, PeriodBy, PeriodTimeliness};
use registry_etl::results::{Completeness, OverTime as Halves, Suppression};

use super::quality_cells::text;
use super::words;
use crate::charts;
use crate::results::Hidden;

/// A level over time.
pub(super) struct OverTime {
    pub(super) level: String,
    pub(super) trends: Vec<Trend>,
}

/// One chart of it, and its numbers.
pub(super) struct Trend {
    pub(super) of: String,
    pub(super) by: &'static str,
    /// `None` with fewer than two periods.
    pub(super) chart: Option<String>,
    /// Where it is as a file.
    pub(super) picture: String,
    pub(super) columns: &'static [&'static str],
    /// By period.
    pub(super) numbers: Vec<(String, Vec<String>)>,
    pub(super) hidden: Hidden,
}

/// What is opened.
#[derive(Clone, Copy)]
pub(super) enum Opened<'a> {
    Section(&'a str),
    /// `entity.element`.
    Element(&'a str),
}

const SHARES: &[&str] = &["With a value", "Answered"];
const DAYS: &[&str] = &["Lower quartile", "Median days", "Upper quartile"];
const BY_DIAGNOSIS: &str = "by half-year of the metastatic diagnosis";

/// A series of answers: period and answers, in order.
type Series<'a> = Vec<(&'a str, &'a Answers)>;

fn of_section<'a>(level: &'a Completeness, section: &str, by: PeriodBy) -> Series<'a> {
    let points = level.periods.iter();
    let points = points.filter(|point| point.by == by && point.section == section);
    points
        .map(|point| (point.period.as_str(), &point.answers))
        .collect()
}

fn of_element<'a>(halves: &'a Halves, element: &str) -> Series<'a> {
    let points = halves.elements.iter().filter(|point| point.element == element);
    points
        .map(|point| (point.period.as_str(), &point.answers))
        .collect()
}

/// Bars of whole percents; `None` with fewer than two periods.
fn shares_chart(series: &Series<'_>, name: &str) -> Option<String> {
    let percent = |answers: &Answers| answers.known_share.map(|share| (share * 100.0).round() as u32);
    let bars: Vec<(String, Option<u32>)> = series
        .iter()
        .map(|(period, answers)| ((*period).to_owned(), percent(answers)))
        .collect();
    (bars.len() > 1).then(|| charts::bars(&bars, &format!("{name}: percent with a value"), "%"))
}

/// Bars of median days; `None` with fewer than two periods.
fn medians_chart(points: &[&PeriodTimeliness], title: &str) -> Option<String> {
    let bars: Vec<(String, Option<u32>)> = points
        .iter()
        .map(|point| {
            let days = point.times.median.map(|days| days.round().max(0.0) as u32);
            (point.period.clone(), days)
        })
        .collect();
    (bars.len() > 1).then(|| charts::bars(&bars, title, "days"))
}

/// One section of a level over time, as whole percents; `None` with fewer than two periods.
pub(super) fn section_chart(
    level: &Completeness,
    section: &str,
    by: PeriodBy,
    called: Words<'_>,
) -> Option<String> {
    shares_chart(&of_section(level, section, by), &called.entity(section))
}

/// One element of a level by half-year, as whole percents; `None` with fewer than two.
pub(super) fn element_chart(halves: &Halves, element: &str, called: Words<'_>) -> Option<String> {
    shares_chart(&of_element(halves, element), &called.element(element))
}

/// Median days from the metastatic diagnosis to the first submission of a level, by half-year of it; `None` with fewer than two.
pub(super) fn days_chart(level: &Completeness) -> Option<String> {
    let points: Vec<_> = level.registration_periods.iter().collect();
    medians_chart(&points, "Median days from diagnosis to first submission")
}

/// Median days from event to first submission of a section, by half-year of the metastatic diagnosis; `None` with fewer than two.
pub(super) fn section_days_chart(halves: &Halves, section: &str, called: Words<'_>) -> Option<String> {
    let title = format!("{}: median days to first submission", called.entity(section));
    medians_chart(&days_of(halves, section), &title)
}

fn days_of<'a>(halves: &'a Halves, section: &str) -> Vec<&'a PeriodTimeliness> {
    let points = halves.timeliness.iter();
    points.filter(|point| point.times.section == section).collect()
}

/// How a level has changed: how soon its cases were sent, or what is opened of it. `halves` is what is told of the level by half-year only.
pub(super) fn over_time(
    level: &Completeness,
    halves: Option<&Halves>,
    opened: Option<Opened<'_>>,
    called: Words<'_>,
) -> OverTime {
    let name = if level.level == NETWORK {
        "Network"
    } else {
        &level.level
    };
    let mut trends = Vec::new();
    match opened {
        None => {
            let points: Vec<_> = level.registration_periods.iter().collect();
            trends.push(Trend {
                of: "Days from diagnosis to first submission".to_owned(),
                by: "by half-year of submission",
                chart: days_chart(level),
                picture: picture(level, "registration-days", &[]),
                ..days(&points)
            });
        }
        Some(Opened::Section(section)) => {
            for (by, words) in [
                (PeriodBy::HalfYear, BY_DIAGNOSIS),
                (PeriodBy::SubmissionMonth, "by month of first submission"),
            ] {
                trends.push(Trend {
                    of: called.entity(section),
                    by: words,
                    chart: section_chart(level, section, by, called),
                    picture: picture(
                        level,
                        "completeness",
                        &[("section", section), ("by", by.as_str())],
                    ),
                    ..shares(&of_section(level, section, by))
                });
            }
            trends.extend(halves.map(|halves| Trend {
                of: format!("{}: days from event to first submission", called.entity(section)),
                by: BY_DIAGNOSIS,
                chart: section_days_chart(halves, section, called),
                picture: picture(level, "reporting-days", &[("section", section)]),
                ..days(&days_of(halves, section))
            }));
        }
        Some(Opened::Element(element)) => trends.extend(halves.map(|halves| Trend {
            of: called.element(element),
            by: BY_DIAGNOSIS,
            chart: element_chart(halves, element, called),
            picture: picture(level, "completeness", &[("element", element)]),
            ..shares(&of_element(halves, element))
        })),
    }
    trends.retain(|trend| !trend.numbers.is_empty());
    OverTime {
        level: name.to_owned(),
        trends,
    }
}

/// The numbers of a series of answers, without name and chart.
fn shares(series: &Series<'_>) -> Trend {
    let numbers = series.iter().map(|(period, answers)| {
        let shown = [answers.known_share, answers.answered_share];
        let cells = shown.map(|share| text(words::percent(share), answers.suppressed));
        ((*period).to_owned(), cells.to_vec())
    });
    let suppressed = series.iter().map(|(_, answers)| answers.suppressed);
    table(SHARES, numbers.collect(), suppressed)
}

/// The numbers of a series of quartiles of days, without name and chart.
fn days(points: &[&PeriodTimeliness]) -> Trend {
    let numbers = points.iter().map(|point| {
        let times = &point.times;
        let shown = [times.lower_quartile, times.median, times.upper_quartile];
        let written = |days: Option<f64>| days.map_or_else(|| "–".to_owned(), |days| format!("{days:.0}"));
        let cells = shown.map(|days| text(written(days), times.suppressed));
        (point.period.clone(), cells.to_vec())
    });
    let suppressed = points.iter().map(|point| point.times.suppressed);
    table(DAYS, numbers.collect(), suppressed)
}

fn table(
    columns: &'static [&'static str],
    numbers: Vec<(String, Vec<String>)>,
    suppressed: impl Iterator<Item = Option<Suppression>>,
) -> Trend {
    Trend {
        of: String::new(),
        by: "",
        chart: None,
        picture: String::new(),
        columns,
        numbers,
        hidden: Hidden::of(suppressed.map(|why| why.is_some())),
    }
}

/// The address of a chart of a level as a file.
fn picture(level: &Completeness, kind: &str, of: &[(&str, &str)]) -> String {
    let mut parts = vec![("centre", level.level.as_str())];
    parts.extend(of);
    // Texts always encode.
    let query = serde_urlencoded::to_string(parts).unwrap_or_default();
    format!("/charts/{kind}.svg?{query}")
}
