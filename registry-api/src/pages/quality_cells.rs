//! Cells of the data quality page: shares, indexes and days as this reader may see them.

use registry_core::form::Words;
use registry_etl::results::completeness::{Answers, NETWORK, Timeliness};
use registry_etl::results::{Completeness, Suppression};

use super::words;

/// One cell of the heat map.
#[derive(Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) small: String,
    pub(super) class: &'static str,
    pub(super) tip: String,
}

/// A line of the table of days.
pub(super) struct Times {
    pub(super) section: String,
    pub(super) level: String,
    pub(super) rows: String,
    pub(super) lower: String,
    pub(super) median: String,
    pub(super) upper: String,
}

/// The share with a value as a coloured cell, with the counts where the viewer gets them.
pub(super) fn share(answers: &Answers) -> Cell {
    let class = match (answers.suppressed, answers.known_share) {
        (Some(_), _) => "suppressed",
        (None, None) => "none",
        (None, Some(share)) if share >= 0.9 => "q4",
        (None, Some(share)) if share >= 0.75 => "q3",
        (None, Some(share)) if share >= 0.5 => "q2",
        (None, Some(_)) => "q1",
    };
    let small = answers.counts.map(|counts| {
        let possible = counts.expected() - counts.not_applicable;
        format!("{} of {possible}", counts.known)
    });
    let tip = answers.counts.map(|c| {
        format!(
            "missing {}, unknown {}, not done {}, not applicable {}, pending {}, withheld {}",
            c.missing, c.unknown, c.not_done, c.not_applicable, c.pending, c.withheld
        )
    });
    let answered = || format!("answered {}", words::percent(answers.answered_share));
    Cell {
        text: text(words::percent(answers.known_share), answers.suppressed),
        small: small.unwrap_or_default(),
        class,
        tip: tip.unwrap_or_else(|| {
            if answers.suppressed.is_some() {
                String::new()
            } else {
                answered()
            }
        }),
    }
}

pub(super) fn follow_up(level: &Completeness) -> Cell {
    let index = &level.follow_up;
    Cell {
        text: text(words::percent(index.index), index.suppressed),
        small: index
            .patients
            .map(|n| format!("{n} patients"))
            .unwrap_or_default(),
        class: if index.suppressed.is_some() {
            "suppressed"
        } else {
            ""
        },
        tip: String::new(),
    }
}

pub(super) fn days(times: &Timeliness) -> Cell {
    let written = |days: Option<f64>| days.map(|days| format!("{days:.0}")).unwrap_or_default();
    let median = times
        .median
        .map_or_else(|| "–".to_owned(), |days| format!("{days:.0} d"));
    let between = format!(
        "{} to {}",
        written(times.lower_quartile),
        written(times.upper_quartile)
    );
    Cell {
        text: text(median, times.suppressed),
        small: if times.median.is_some() {
            between
        } else {
            String::new()
        },
        class: if times.suppressed.is_some() {
            "suppressed"
        } else {
            ""
        },
        tip: String::new(),
    }
}

pub(super) fn text(shown: String, suppressed: Option<Suppression>) -> String {
    if suppressed.is_some() {
        "not shown".to_owned()
    } else {
        shown
    }
}

/// Beside the network stands one centre; with more of them the network alone: a line for each section of each of 35 centres is nothing a
/// person reads.
pub(super) fn times(shown: &[Completeness], called: Words<'_>) -> Vec<Times> {
    let written = |days: Option<f64>| days.map_or_else(|| "–".to_owned(), |days| format!("{days:.0}"));
    let line = |level: &Completeness, times: &Timeliness| Times {
        section: called.entity(&times.section),
        level: if level.level == NETWORK {
            "Network".to_owned()
        } else {
            level.level.clone()
        },
        rows: times.rows.map(|rows| rows.to_string()).unwrap_or_default(),
        lower: written(times.lower_quartile),
        median: text(written(times.median), times.suppressed),
        upper: written(times.upper_quartile),
    };
    let several = shown.len() > 2;
    shown
        .iter()
        .filter(|level| !several || level.level == NETWORK)
        .flat_map(|level| level.timeliness.iter().map(move |times| line(level, times)))
        .collect()
}
