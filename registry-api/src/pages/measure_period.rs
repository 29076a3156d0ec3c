//! Which diagnoses the headline of a measure's page counts, in the address.

use registry_etl::results::{AdherenceRow, By, Period};
use serde::Deserialize;

use super::measure_cases::code;
use crate::results::MeasureResults;

/// A period to look at.
pub(super) struct Choice {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
    pub(super) here: bool,
}

/// The period asked for, the last 24 months unless asked otherwise, and the run, the published one unless asked otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) period: Option<Period>,
    pub(super) run: Option<i64>,
}

/// The network's row of the period asked for; without one asked for, of the last 24 months where the run has it.
pub(super) fn headline(results: &MeasureResults, asked: Option<Period>) -> Option<&AdherenceRow> {
    let of = |period: Period| {
        let mut rows = results.table.rows.iter();
        rows.find(|row| row.by == By::Network && row.period == period)
    };
    match asked {
        Some(period) => of(period),
        None => of(Period::Last24Months).or_else(|| of(Period::All)),
    }
}

/// The row of a centre, as the reader calls it, in a period.
pub(super) fn of_centre<'r>(
    results: &'r MeasureResults,
    centre: &str,
    period: Period,
) -> Option<&'r AdherenceRow> {
    let mut rows = results.table.rows.iter();
    rows.find(|row| row.by == By::Centre && row.period == period && row.level == centre)
}

/// What the period is called, and both to choose from.
pub(super) fn choices(here: Period) -> (&'static str, Vec<Choice>) {
    let all = [
        (Period::Last24Months, "Last 24 months"),
        (Period::All, "All diagnoses"),
    ];
    let choice = |(period, label): (Period, &'static str)| Choice {
        code: code(period),
        label,
        here: period == here,
    };
    let label = all.iter().find(|(period, _)| *period == here);
    (label.map_or("", |(_, label)| *label), all.map(choice).into())
}
