//! Tables of an endpoint beside its curves: incidence, shares, changes, landmarks, models, numbers at risk.

use registry_etl::cohorts::Definition;
use registry_etl::results::{
    AdjustedModel, Analysis, CurveState, GroupTest, IncidenceCurve, LandmarkComparison, ModelState,
    RateState, SurvivalCurve, SurvivalResult, TestKind,
};

use super::survival::{median_interval, median_of, shown, why_no_curve};
use super::words;
use crate::charts::{self, ForestRow, Scale};

/// A table with a remark, and a chart where there is one.
pub(super) struct Tabled {
    pub(super) title: String,
    pub(super) remark: String,
    pub(super) chart: Option<String>,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Tabled {
    fn new(title: &str, remark: &str, head: &[&str], rows: Vec<Vec<String>>) -> Option<Self> {
        (!rows.is_empty()).then(|| Self {
            title: title.to_owned(),
            remark: remark.to_owned(),
            chart: None,
            head: head.iter().map(|one| (*one).to_owned()).collect(),
            rows,
        })
    }
}

/// Every table an endpoint has.
pub(super) fn of(definition: &Definition, result: &SurvivalResult) -> Vec<Tabled> {
    let landmarks = result.landmark_comparisons.iter();
    let mut all: Vec<Tabled> = landmarks.filter_map(|one| landmark(definition, one)).collect();
    all.extend(
        [
            incidence(definition, result),
            breakdown(definition, result),
            log_rank(result),
            gray(result),
            shares(result),
            changes(result),
            at_risk(result),
        ]
        .into_iter()
        .flatten(),
    );
    all.extend(result.models.iter().filter_map(model));
    all
}

/// The breakdown shown: its largest groups drawn, all of them in a table.
fn breakdown(definition: &Definition, result: &SurvivalResult) -> Option<Tabled> {
    let curves = result.curves.iter();
    let groups: Vec<&SurvivalCurve> = curves
        .filter(|c| c.analysis == Analysis::Primary && c.by != "all")
        .collect();
    let by = groups.first().map(|c| c.by.clone())?;
    let mut largest: Vec<&SurvivalCurve> = groups.iter().copied().filter(|c| shown(c)).collect();
    largest.sort_by_key(|c| std::cmp::Reverse(c.patients));
    largest.truncate(4);
    let named: Vec<(String, &SurvivalCurve)> =
        largest.iter().map(|c| (group_name(&by, &c.level), *c)).collect();
    let drawn: Vec<(&str, &SurvivalCurve)> = named.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    let row = |c: &&SurvivalCurve| {
        let median = if shown(c) {
            c.median
                .map_or_else(|| "not reached".to_owned(), |m| format!("{:.1}", m.months))
        } else {
            why_no_curve(c.state).to_owned()
        };
        vec![
            words::code(&c.level),
            words::count(c.patients),
            words::count(c.events),
            median,
            median_interval(c),
        ]
    };
    let rows = groups.iter().map(row).collect();
    let title = format!("By {}", words::code(&by).to_lowercase());
    let head = ["Group", "Patients", "Events", "Median, months", "95 % interval"];
    let remark = if drawn.len() < groups.len() {
        "The largest groups are drawn; the table has all of them."
    } else {
        ""
    };
    let chart =
        (!drawn.is_empty()).then(|| charts::survival(&drawn, &format!("{} by {by}", definition.title)));
    let table = Tabled::new(&title, remark, &head, rows)?;
    Some(Tabled { chart, ..table })
}

/// A group of a breakdown, short enough for a chart.
fn group_name(by: &str, level: &str) -> String {
    match by {
        "histology" => level.to_uppercase(),
        _ => words::code(level),
    }
}

fn group(by: &str, level: &str) -> String {
    match by {
        "all" => "All".to_owned(),
        _ => format!("{}: {}", words::code(by), words::inside(&words::code(level))),
    }
}

fn named(analysis: Analysis, by: &str, level: &str) -> String {
    if by == "all" && analysis != Analysis::Primary {
        analysis.label().to_owned()
    } else {
        group(by, level)
    }
}

fn incidence(definition: &Definition, result: &SurvivalResult) -> Option<Tabled> {
    let of = |one: &IncidenceCurve| -> Vec<Vec<String>> {
        let name = named(one.analysis, &one.by, &one.level);
        if one.state != CurveState::Shown {
            let why = why_no_curve(one.state).to_owned();
            let empty = String::new;
            return vec![vec![
                name,
                words::count(one.patients),
                why,
                empty(),
                empty(),
                empty(),
                empty(),
            ]];
        }
        let causes = one.causes.iter().map(|cause| {
            let mut row = vec![
                name.clone(),
                words::count(one.patients),
                cause.label.clone(),
                words::count(cause.events),
            ];
            row.extend([0, 1, 2].map(|at| {
                cause.values.get(at).map_or_else(words_dash, |value| {
                    let interval = words::interval(value.lower, value.upper);
                    format!("{} {interval}", words::percent(value.incidence))
                        .trim_end()
                        .to_owned()
                })
            }));
            row
        });
        causes.collect()
    };
    let table = Tabled::new(
        "Cumulative incidence",
        "Aalen-Johansen with delayed entry at registration; band and numbers: 95 % log-log interval; an event that competes is no censoring.",
        &[
            "Group", "Patients", "Event", "Events", "1 year", "2 years", "5 years",
        ],
        result.incidence.iter().flat_map(of).collect(),
    )?;
    let all = result
        .incidence
        .iter()
        .find(|one| one.by == "all" && one.analysis == Analysis::Primary);
    let drawn = all.filter(|one| one.state == CurveState::Shown);
    let chart = drawn.and_then(|one| charts::incidence(one, &definition.title));
    let why = all.filter(|_| chart.is_none()).map(|one| why_no_curve(one.state));
    let remark = match why {
        Some(why) => format!("{} {why}", table.remark).trim_end().to_owned(),
        None => table.remark,
    };
    Some(Tabled {
        chart,
        remark,
        ..table
    })
}

fn words_dash() -> String {
    "–".to_owned()
}

/// The p-value of a test, or why there is none.
fn p_or_why(one: &GroupTest) -> String {
    match (one.p, &one.refused) {
        (Some(p), _) => words::p_value(p),
        (None, why) => why.clone().unwrap_or_default(),
    }
}

fn log_rank(result: &SurvivalResult) -> Option<Tabled> {
    let row = |one: &GroupTest| {
        let between = one.groups.iter().map(|level| group_name(&one.by, level));
        vec![
            words::code(&one.by),
            between.collect::<Vec<_>>().join(", "),
            one.chi_square
                .map_or_else(words_dash, |value| format!("{value:.2}")),
            one.df.map_or_else(words_dash, |df| df.to_string()),
            p_or_why(one),
        ]
    };
    let tests = result.tests.iter().filter(|one| one.kind == TestKind::LogRank);
    Tabled::new(
        "Log-rank test",
        "Equal survival between the groups that have a curve and are recorded; not adjusted for anything. Who is registered after the origin is at risk from then on (score test of the Cox model).",
        &[
            "Breakdown",
            "Between",
            "Chi-square",
            "Degrees of freedom",
            "p, or why there is none",
        ],
        tests.map(row).collect(),
    )
}

fn gray(result: &SurvivalResult) -> Option<Tabled> {
    let row = |one: &GroupTest| vec![words::code(&one.by), p_or_why(one)];
    let tests = result.tests.iter().filter(|one| one.kind == TestKind::Gray);
    Tabled::new(
        "Gray's test",
        "Equal incidence of the first event between groups; for display.",
        &["Groups", "p, or why there is none"],
        tests.map(row).collect(),
    )
}

fn shares(result: &SurvivalResult) -> Option<Tabled> {
    let row = |one: &registry_etl::results::ProportionRow| {
        let rate = match one.state {
            RateState::Rate => words::percent(one.rate),
            RateState::Insufficient => format!("insufficient data ({})", words::percent(one.rate)),
            RateState::NotAssessable => "not assessable".to_owned(),
            RateState::Suppressed => "not shown".to_owned(),
        };
        vec![
            group(&one.by, &one.level),
            words::count(one.numerator),
            words::count(one.denominator),
            words::count(one.not_assessable),
            rate,
            words::interval(one.lower, one.upper),
            words::interval(one.bound_low, one.bound_high),
        ]
    };
    Tabled::new(
        "Shares",
        "Wilson 95 % interval among the assessable; the bounds count every patient not assessable without, or with, the outcome.",
        &[
            "Group",
            "With",
            "Assessable",
            "Not assessable",
            "Share",
            "95 % interval",
            "Bounds",
        ],
        result.proportions.iter().map(row).collect(),
    )
}

fn changes(result: &SurvivalResult) -> Option<Tabled> {
    let row = |one: &registry_etl::results::ChangeRow| {
        let points = |value: Option<f64>| value.map_or_else(words_dash, |value| format!("{value:+.1}"));
        vec![
            format!("{:.0} months", one.months),
            words::count(one.baseline),
            words::count(one.died),
            words::count(one.not_due),
            words::count(one.missing),
            words::count(one.measured),
            points(one.mean),
            format!("{} to {}", points(one.lower), points(one.upper)),
            words::count(one.better),
            words::count(one.worse),
        ]
    };
    Tabled::new(
        "Change since the baseline",
        "Among those measured at both times only; the others stand beside them.",
        &[
            "After",
            "Baseline",
            "Died",
            "Not due",
            "Missing",
            "Measured",
            "Mean change",
            "95 % interval",
            "10 points better",
            "10 points worse",
        ],
        result.changes.iter().map(row).collect(),
    )
}

fn at_risk(result: &SurvivalResult) -> Option<Tabled> {
    let told = |n: Option<u32>| words::count(n);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for one in result.curves.iter().filter(|one| !one.landmarks.is_empty()) {
        let mut row = vec![named(one.analysis, &one.by, &one.level)];
        row.extend(one.landmarks.iter().map(|at| told(at.at_risk)));
        rows.push(row);
    }
    for one in result.incidence.iter().filter(|one| !one.at_risk.is_empty()) {
        let mut row = vec![named(one.analysis, &one.by, &one.level)];
        row.extend(one.at_risk.iter().map(|at| told(at.at_risk)));
        rows.push(row);
    }
    Tabled::new(
        "Number at risk",
        "Under observation at each time: registered before it and followed up to it.",
        &[
            "Group",
            "Origin",
            "12 months",
            "24 months",
            "36 months",
            "48 months",
            "60 months",
        ],
        rows,
    )
}

fn landmark(definition: &Definition, one: &LandmarkComparison) -> Option<Tabled> {
    let row = |curve: &SurvivalCurve| {
        let median = if shown(curve) {
            median_of(curve)
        } else {
            why_no_curve(curve.state).to_owned()
        };
        vec![
            level(&curve.level).to_owned(),
            words::count(curve.patients),
            words::count(curve.events),
            median,
            median_interval(curve),
        ]
    };
    let contrast = match (&one.contrast, &one.no_contrast) {
        (Some(found), _) => format!(
            "Hazard ratio {:.2} ({:.2} to {:.2}), unadjusted; p of the log-rank test (score test of the same model): {}.",
            found.hazard_ratio,
            found.lower,
            found.upper,
            words::p_value(found.p)
        ),
        (None, Some(why)) => format!("No hazard ratio: {why}."),
        (None, None) => String::new(),
    };
    let drawn: Vec<(&str, &SurvivalCurve)> = one
        .curves
        .iter()
        .filter(|curve| shown(curve))
        .map(|curve| (level(&curve.level), curve))
        .collect();
    let title = format!(
        "By {} from {} months on",
        words::code(&one.by).to_lowercase(),
        one.landmark_months
    );
    let remark = format!(
        "{} Of {} patients {} died and {} left before the landmark; {} are compared, counted from it. {contrast}",
        one.remark,
        words::count(one.patients),
        words::count(one.died_before),
        words::count(one.left_before),
        words::count(one.at_landmark),
    );
    let rows = one.curves.iter().map(row).collect();
    let head = [
        "By the landmark",
        "Patients",
        "Events",
        "Median from it",
        "95 % interval",
    ];
    let chart =
        (!drawn.is_empty()).then(|| charts::survival(&drawn, &format!("{}: {title}", definition.title)));
    let table = Tabled::new(&title, &remark, &head, rows)?;
    Some(Tabled { chart, ..table })
}

/// A group of a landmark, short enough for the margin of a chart.
fn level(code: &str) -> &str {
    match code {
        "before_landmark" => "Treated by then",
        "not_before_landmark" => "Not by then",
        _ => "Not recorded",
    }
}

fn model(one: &AdjustedModel) -> Option<Tabled> {
    let told = |p: Option<f64>| p.map_or_else(words_dash, words::p_value);
    let row = |ratio: &registry_etl::results::Ratio| {
        vec![
            ratio.label.clone(),
            format!("{:.2}", ratio.hazard_ratio),
            format!("{:.2} to {:.2}", ratio.lower, ratio.upper),
            told(Some(ratio.p)),
            told(ratio.proportional_p),
        ]
    };
    let state = match &one.state {
        ModelState::Modelled => {
            let counted = match (one.patients, one.events, one.events_per_covariate) {
                (Some(patients), Some(events), Some(each)) => format!(
                    "{patients} patients, {events} deaths ({each:.1} per covariate); without a covariate and left out: {}.",
                    words::count(one.left_out)
                ),
                _ => "Numbers of patients and deaths not shown: another estimate has few more or fewer."
                    .to_owned(),
            };
            format!(
                "{counted} p of the test of proportional hazards: {}.",
                told(one.proportional_p)
            )
        }
        ModelState::TooFewEvents => "No model: fewer than ten events per covariate.".to_owned(),
        ModelState::NoEstimate(why) => format!("No model: {why}."),
        ModelState::Suppressed => "Not shown: few patients.".to_owned(),
    };
    let drawn: Vec<ForestRow> = one
        .ratios
        .iter()
        .map(|ratio| ForestRow {
            name: ratio.label.clone(),
            value: ratio.hazard_ratio,
            lower: Some(ratio.lower),
            upper: Some(ratio.upper),
            open: false,
            text: format!(
                "{:.2} ({:.2} to {:.2})",
                ratio.hazard_ratio, ratio.lower, ratio.upper
            ),
            own: false,
        })
        .collect();
    let chart = charts::forest(
        &drawn,
        Scale::Ratio,
        &one.title,
        "Hazard ratio of death, 95 % interval",
    );
    let mut rows: Vec<Vec<String>> = one.ratios.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(vec!["–".to_owned(); 5]);
    }
    let table = Tabled::new(
        &one.title,
        &format!("{state} {}", one.remark),
        &[
            "Covariate",
            "Hazard ratio",
            "95 % interval",
            "p",
            "p, proportional hazards",
        ],
        rows,
    )?;
    Some(Tabled { chart, ..table })
}
