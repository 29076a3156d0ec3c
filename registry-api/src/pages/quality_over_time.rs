//! The part of the data quality page about how a level has changed: how soon cases were sent, and section by section what has a value.

use std::collections::BTreeSet;

use registry_core::form::Words;
use registry_etl::results::Completeness;
use registry_etl::results::completeness::{Answers, NETWORK, PeriodBy};

use super::quality::text;
use super::words;
use crate::charts;

/// Small charts shown at most: one for each section.
const MOST_CHARTS: usize = 30;

/// A level over time.
pub(super) struct OverTime {
    pub(super) level: String,
    pub(super) trends: Vec<Trend>,
}

/// One chart of it.
pub(super) struct Trend {
    pub(super) section: String,
    pub(super) by: &'static str,
    pub(super) chart: String,
    /// Where it is as a file.
    pub(super) picture: String,
    pub(super) unit: &'static str,
    pub(super) numbers: Vec<(String, String)>,
}

/// One section of a level over time, as whole percents; `None` with fewer than two periods.
pub(super) fn section_chart(
    level: &Completeness,
    section: &str,
    by: PeriodBy,
    called: Words<'_>,
) -> Option<String> {
    let points = level.periods.iter();
    let points = points.filter(|point| point.by == by && point.section == section);
    let percent = |answers: &Answers| answers.known_share.map(|share| (share * 100.0).round() as u32);
    let bars: Vec<(String, Option<u32>)> = points
        .map(|point| (point.period.clone(), percent(&point.answers)))
        .collect();
    let title = format!("{}: percent with a value", called.entity(section));
    (bars.len() > 1).then(|| charts::bars(&bars, &title, "%"))
}

/// Median days from the metastatic diagnosis to the first submission of a level, by half-year of it; `None` with fewer than two.
pub(super) fn days_chart(level: &Completeness) -> Option<String> {
    let points = level.registration_periods.iter();
    let bars: Vec<(String, Option<u32>)> = points
        .map(|point| {
            let days = point.times.median.map(|days| days.round().max(0.0) as u32);
            (point.period.clone(), days)
        })
        .collect();
    (bars.len() > 1).then(|| charts::bars(&bars, "Median days from diagnosis to first submission", "days"))
}

/// How a level has changed: how soon, then section by section.
pub(super) fn over_time(level: &Completeness, called: Words<'_>) -> OverTime {
    let name = if level.level == NETWORK {
        "Network"
    } else {
        &level.level
    };
    let soon = days_chart(level).map(|chart| Trend {
        section: "Days from diagnosis to first submission".to_owned(),
        by: "by half-year of submission",
        picture: picture(level, "registration-days", None),
        chart,
        unit: "Median days",
        numbers: level
            .registration_periods
            .iter()
            .map(|point| {
                let days = point.times.median.map(|days| format!("{days:.0}"));
                let days = text(days.unwrap_or_else(|| "–".to_owned()), point.times.suppressed);
                (point.period.clone(), days)
            })
            .collect(),
    });
    let sections: BTreeSet<(PeriodBy, &str)> = level
        .periods
        .iter()
        .map(|point| (point.by, point.section.as_str()))
        .collect();
    let of_sections = sections.into_iter().filter_map(|(by, section)| {
        let points = level.periods.iter();
        let points = points.filter(|point| point.by == by && point.section == section);
        Some(Trend {
            chart: section_chart(level, section, by, called)?,
            picture: picture(level, "completeness", Some((section, by))),
            by: match by {
                PeriodBy::HalfYear => "by half-year of the metastatic diagnosis",
                PeriodBy::SubmissionMonth => "by month of first submission",
            },
            unit: "With a value",
            numbers: points
                .map(|point| {
                    let share = words::percent(point.answers.known_share);
                    (point.period.clone(), text(share, point.answers.suppressed))
                })
                .collect(),
            section: called.entity(section),
        })
    });
    OverTime {
        level: name.to_owned(),
        trends: soon.into_iter().chain(of_sections.take(MOST_CHARTS)).collect(),
    }
}

/// The address of a chart of a level as a file.
fn picture(level: &Completeness, kind: &str, of: Option<(&str, PeriodBy)>) -> String {
    let mut parts = vec![("centre", level.level.as_str())];
    if let Some((section, by)) = of {
        parts.extend([("section", section), ("by", by.as_str())]);
    }
    // Texts always encode.
    let query = serde_urlencoded::to_string(parts).unwrap_or_default();
    format!("/charts/{kind}.svg?{query}")
}
