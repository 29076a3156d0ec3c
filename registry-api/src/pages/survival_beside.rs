//! Published series beside the registry's estimate of the same thing: figure by figure, as a forest plot and as a table.
//!
//! Crude numbers of other populations: no test, no interval of theirs. A figure about a part of an endpoint (a histology, R0) stands beside
//! the estimate of that part.

use registry_etl::benchmarks::{Benchmarks, Confidence, Outcome, Published as Row};
use registry_etl::cohorts::Definition;
use registry_etl::cohorts::definition::Event;
use registry_etl::results::{Analysis, CurveState, RateState, SurvivalCurve, SurvivalResult};

use super::survival::{median_interval, median_of, why_no_curve};
use super::words;
use crate::charts::{self, ForestRow, Scale};

/// What is published about an endpoint.
pub(super) struct Published {
    pub(super) figures: Vec<Figure>,
    pub(super) caveats: Vec<String>,
}

/// One figure: the registry's estimate above what was published.
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) chart: Option<String>,
    pub(super) remark: String,
    /// Source, published, registry, interval.
    pub(super) rows: Vec<[String; 4]>,
}

/// What a number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Median(&'static str),
    /// Survival after so many months.
    Alive(&'static str, u32),
    Response,
}

/// The registry's estimate of a figure.
struct Estimate {
    value: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    text: String,
    interval: String,
}

/// Everything published that may stand beside the estimates of an endpoint.
pub(super) fn of(definition: &Definition, result: &SurvivalResult, benchmarks: &Benchmarks) -> Published {
    let mut published = Published {
        figures: Vec::new(),
        caveats: Vec::new(),
    };
    let (endpoint, group) = (&definition.endpoint, &definition.group);
    if let Some((rows, caveat)) = benchmarks.beside(endpoint, group, Confidence::Medium) {
        published.add(definition, result, ("all", "all"), &rows, caveat);
    }
    for part in benchmarks.parts(endpoint, group) {
        let Some(by) = part.by.filter(|by| definition.strata.contains(by)) else {
            continue;
        };
        if let Some((rows, caveat)) = benchmarks.beside(endpoint, &part.group, Confidence::Medium) {
            for level in &part.levels {
                published.add(definition, result, (by.as_str(), level), &rows, caveat);
            }
        }
    }
    published
}

impl Published {
    fn add(
        &mut self,
        definition: &Definition,
        result: &SurvivalResult,
        (by, level): (&str, &str),
        rows: &[&Row],
        caveat: &str,
    ) {
        let mut kinds: Vec<Kind> = Vec::new();
        for (kind, _) in rows.iter().flat_map(|row| figures(definition.event, row)) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for kind in kinds {
            self.figures
                .push(figure(definition, result, (by, level), rows, kind));
        }
        if !caveat.is_empty() && !self.caveats.iter().any(|known| known == caveat) {
            self.caveats.push(caveat.to_owned());
        }
    }
}

fn figure(
    definition: &Definition,
    result: &SurvivalResult,
    (by, level): (&str, &str),
    rows: &[&Row],
    kind: Kind,
) -> Figure {
    let group = match by {
        "all" => String::new(),
        "histology" => format!(", {}", words::inside(&words::code(level))),
        _ => format!(", {} {}", words::code(by).to_lowercase(), words::code(level)),
    };
    let (title, scale, axis) = match kind {
        Kind::Median(of) => (format!("Median {of}{group}"), Scale::Months, "Months"),
        Kind::Alive(of, months) => (
            format!("{of} at {months} months{group}"),
            Scale::Percent,
            "Share of patients",
        ),
        Kind::Response => (
            format!("Objective response{group}"),
            Scale::Percent,
            "Share of lines",
        ),
    };
    let ours = estimate(definition.event, result, (by, level), kind);
    let found: Vec<(&Row, f64)> = rows
        .iter()
        .flat_map(|row| {
            figures(definition.event, row)
                .into_iter()
                .map(move |one| (*row, one))
        })
        .filter(|(_, (of, _))| *of == kind)
        .map(|(row, (_, value))| (row, value))
        .collect();
    let shown = |value: f64| match kind {
        Kind::Median(_) => format!("{value} months"),
        Kind::Alive(..) | Kind::Response => format!("{value} %"),
    };
    let drawn = |value: f64| match kind {
        Kind::Median(_) => value,
        Kind::Alive(..) | Kind::Response => value / 100.0,
    };
    let mut lines: Vec<ForestRow> = Vec::new();
    if let Some(value) = ours.value {
        let interval = if ours.interval.is_empty() {
            String::new()
        } else {
            format!(" ({})", ours.interval)
        };
        lines.push(ForestRow {
            name: "This registry".to_owned(),
            value,
            lower: ours.lower,
            upper: ours.upper,
            open: matches!(kind, Kind::Median(_)) && ours.lower.or(ours.upper).is_some(),
            text: format!("{}{interval}", ours.text),
            own: true,
        });
    }
    lines.extend(found.iter().map(|(row, value)| ForestRow {
        name: source(row),
        value: drawn(*value),
        lower: None,
        upper: None,
        open: false,
        text: shown(*value),
        own: false,
    }));
    let remark = match ours.value {
        Some(_) => String::new(),
        None => format!(
            "This registry: {}.",
            ours.text.trim_end_matches('.').to_lowercase()
        ),
    };
    let cells = |(row, value): &(&Row, f64)| {
        [
            source(row),
            shown(*value),
            ours.text.clone(),
            ours.interval.clone(),
        ]
    };
    Figure {
        chart: charts::forest(&lines, scale, &title, axis),
        title,
        remark: format!("{remark} {}", anthracycline(&found, kind))
            .trim()
            .to_owned(),
        rows: found.iter().map(cells).collect(),
    }
}

/// Trials of a first line have doxorubicin alone as their common arm.
fn anthracycline(found: &[(&Row, f64)], kind: Kind) -> String {
    let alone = found
        .iter()
        .filter(|(row, _)| row.arm.as_deref() == Some("doxorubicin"));
    let values: Vec<f64> = alone.map(|(_, value)| *value).collect();
    if values.len() < 2 {
        return String::new();
    }
    let (low, high) = (
        values.iter().copied().fold(f64::INFINITY, f64::min),
        values.iter().copied().fold(0.0, f64::max),
    );
    let unit = if matches!(kind, Kind::Median(_)) {
        "months"
    } else {
        "%"
    };
    format!("Arms of doxorubicin alone: {low} to {high} {unit}.")
}

/// What a row is a figure of: first author and year, or what the source itself cites.
pub(super) fn reference(row: &Row) -> String {
    match row.reference.as_str() {
        "headline_median" => "Median cited by the source".to_owned(),
        "headline_5y" => "Five-year figure cited by the source".to_owned(),
        other => other.to_owned(),
    }
}

/// Reference, arm and number of patients of a row, and its id.
fn source(row: &Row) -> String {
    let reference = reference(row);
    let arm = row
        .arm
        .as_ref()
        .map_or_else(String::new, |arm| format!(": {arm}"));
    let n = match (row.n, row.trial_n) {
        (Some(n), _) => format!(", n = {n}"),
        (None, Some(n)) => format!(", trial of {n}"),
        (None, None) => String::new(),
    };
    format!("{reference}{arm}{n} ({})", row.id)
}

/// The numbers of a row that are of the same kind as an endpoint's estimate.
fn figures(event: Event, row: &Row) -> Vec<(Kind, f64)> {
    let median = |of: Outcome| row.median_months.filter(|_| row.median_of == Some(of));
    let alive = |of: Outcome| {
        let share = row.survival_pct.filter(|_| row.survival_of == Some(of));
        share.zip(row.survival_months)
    };
    let mut found = Vec::new();
    match event {
        Event::Death => {
            let median = median(Outcome::Overall).or(row.os_months);
            found.extend(median.map(|one| (Kind::Median("overall survival"), one)));
            found.extend(alive(Outcome::Overall).map(|(share, at)| (Kind::Alive("Alive", at), share)));
        }
        Event::ProgressionOrDeath => {
            found.extend(
                row.pfs_months
                    .map(|one| (Kind::Median("progression-free survival"), one)),
            );
        }
        Event::RecurrenceOrDeath => {
            let of = "recurrence-free survival";
            found.extend(median(Outcome::DiseaseFree).map(|one| (Kind::Median(of), one)));
        }
        Event::SarcomaDeath => {
            let of = "Not dead of sarcoma";
            found.extend(alive(Outcome::DiseaseSpecific).map(|(share, at)| (Kind::Alive(of, at), share)));
        }
        Event::Response => found.extend(row.orr_pct.map(|one| (Kind::Response, one))),
        _ => {}
    }
    found
}

fn estimate(event: Event, result: &SurvivalResult, (by, level): (&str, &str), kind: Kind) -> Estimate {
    let none = |text: &str| Estimate {
        value: None,
        lower: None,
        upper: None,
        text: text.to_owned(),
        interval: String::new(),
    };
    let share = |value: Option<f64>, lower: Option<f64>, upper: Option<f64>| Estimate {
        value,
        lower,
        upper,
        text: value.map_or_else(
            || "no estimate at that time".to_owned(),
            |one| words::percent(Some(one)),
        ),
        interval: words::interval(lower, upper),
    };
    if kind == Kind::Response {
        let row = result
            .proportions
            .iter()
            .find(|one| one.by == by && one.level == level);
        return match row {
            Some(one) if one.state == RateState::Rate => share(one.rate, one.lower, one.upper),
            Some(one) if one.state == RateState::Insufficient => none("insufficient data"),
            _ => none("not shown"),
        };
    }
    if event == Event::SarcomaDeath {
        let Kind::Alive(_, months) = kind else {
            return none("no estimate");
        };
        let curve = result
            .incidence
            .iter()
            .find(|one| one.analysis == Analysis::Primary && one.by == by && one.level == level);
        let cause = curve.and_then(|one| one.causes.first());
        let at = cause.and_then(|one| {
            one.values
                .iter()
                .find(|at| (at.months - f64::from(months)).abs() < 0.01)
        });
        // Survival is what the incidence leaves.
        let left = |share: Option<f64>| share.map(|share| 1.0 - share);
        return at.map_or_else(
            || none("no estimate at that time"),
            |at| share(left(at.incidence), left(at.upper), left(at.lower)),
        );
    }
    let curve = result
        .curves
        .iter()
        .find(|one| one.analysis == Analysis::Primary && one.by == by && one.level == level);
    match (curve, kind) {
        (None, _) => none("nobody is in this group"),
        (Some(curve), _) if curve.state != CurveState::Shown => none(why_no_curve(curve.state)),
        (Some(curve), Kind::Alive(_, months)) => alive_at(curve, months, share),
        (Some(curve), _) => Estimate {
            value: curve.median.map(|one| one.months),
            lower: curve.median.and_then(|one| one.lower_months),
            upper: curve.median.and_then(|one| one.upper_months),
            text: median_of(curve),
            interval: median_interval(curve),
        },
    }
}

fn alive_at(
    curve: &SurvivalCurve,
    months: u32,
    share: impl Fn(Option<f64>, Option<f64>, Option<f64>) -> Estimate,
) -> Estimate {
    let at = curve
        .landmarks
        .iter()
        .find(|one| (one.months - f64::from(months)).abs() < 0.01);
    share(
        at.and_then(|one| one.survival),
        at.and_then(|one| one.lower),
        at.and_then(|one| one.upper),
    )
}
