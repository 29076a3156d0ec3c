//! Endpoints as CSV (RFC 4180): empty where a value is not shown.

use registry_etl::results::{IncidenceCurve, LandmarkComparison, SurvivalCurve, SurvivalResult};
use serde::Serialize;
use serde_json::Value;

use super::csv::{cell, columns, text, written};
use super::survival::Table;
use crate::problem::Problem;

const STEPS: [&str; 12] = [
    "analysis", "by", "level", "days", "months", "at_risk", "events", "censored", "survival", "lower",
    "upper", AS_OF,
];
const INCIDENCE: [&str; 13] = [
    "analysis",
    "by",
    "level",
    "cause",
    "days",
    "months",
    "at_risk",
    "events",
    "others",
    "incidence",
    "lower",
    "upper",
    AS_OF,
];
const SHARES: [&str; 13] = [
    "by",
    "level",
    "state",
    "suppressed",
    "numerator",
    "denominator",
    "not_assessable",
    "rate",
    "lower",
    "upper",
    "bound_low",
    "bound_high",
    AS_OF,
];
const CHANGES: [&str; 13] = [
    "months",
    "suppressed",
    "baseline",
    "died",
    "not_due",
    "measured",
    "missing",
    "mean",
    "lower",
    "upper",
    "better",
    "worse",
    AS_OF,
];

const CENTRES: [&str; 15] = [
    "centre",
    "pooled",
    "suppressed",
    "patients",
    "observed",
    "expected",
    "ratio",
    "lower",
    "upper",
    "position",
    "position_adjusted",
    "shrunk",
    "shrunk_lower",
    "shrunk_upper",
    AS_OF,
];

const SUMMARY: [&str; 17] = [
    "analysis",
    "by",
    "level",
    "state",
    "suppressed",
    "patients",
    "events",
    "median_state",
    "median.months",
    "median.lower_months",
    "median.upper_months",
    "follow_up.months",
    "follow_up_completeness",
    "lost",
    "smallest_risk_set.at_risk",
    "smallest_risk_set.months",
    AS_OF,
];

const TESTS: [&str; 9] = [
    "by",
    "kind",
    "cause",
    "groups",
    "chi_square",
    "df",
    "p",
    "refused",
    AS_OF,
];
const CONTRASTS: [&str; 8] = [
    "by",
    "landmark_months",
    "hazard_ratio",
    "lower",
    "upper",
    "p",
    "refused",
    AS_OF,
];

/// The earlier run that a line is of, because it has changed by few patients, or not at all, since.
const AS_OF: &str = "as_of_run";

/// One table of an endpoint. With a landmark asked for, its curves stand in place of the others.
///
/// # Errors
/// None in practice.
pub fn survival(result: &SurvivalResult, table: Table, landmark: bool) -> Result<String, Problem> {
    let of = Dated(result);
    match table {
        Table::Flow => flow(&of),
        Table::Summary => {
            let all = curves(result, landmark);
            let lines = all.into_iter().flat_map(|(part, curve)| {
                let names = &SUMMARY[..SUMMARY.len() - 1];
                of.dated(&part, fields(names, &[], std::slice::from_ref(curve)))
            });
            written(&columns(&SUMMARY), lines)
        }
        Table::Tests if landmark => contrasts(&of),
        Table::Tests => {
            let all = result.tests.iter();
            of.rows(&TESTS, all, |one| format!("tests/{}", one.by))
        }
        Table::AtRisk => at_risk(&of, landmark),
        Table::Centres => {
            let all = result.centres.iter().flat_map(|one| &one.centres);
            of.rows(&CENTRES, all, |one| format!("centres/{}", one.centre))
        }
        Table::Curves if !result.incidence.is_empty() => incidence(&of),
        Table::Curves if !result.proportions.is_empty() => {
            let all = result.proportions.iter();
            of.rows(&SHARES, all, |one| {
                format!("proportions/{}/{}", one.by, one.level)
            })
        }
        Table::Curves if !result.changes.is_empty() => {
            let all = result.changes.iter();
            of.rows(&CHANGES, all, |one| format!("changes/{}", one.months))
        }
        Table::Curves => {
            let lines = curves(result, landmark).into_iter().flat_map(|(part, curve)| {
                let head = vec![name(curve.analysis), curve.by.clone(), curve.level.clone()];
                let names = &STEPS[3..STEPS.len() - 1];
                of.dated(&part, fields(names, &head, &curve.steps))
            });
            written(&STEPS, lines)
        }
    }
}

/// An endpoint whose lines say which run they are of.
struct Dated<'a>(&'a SurvivalResult);

impl Dated<'_> {
    fn run_of(&self, part: &str) -> String {
        let run = self.0.part_as_of(part);
        run.map_or_else(String::new, |run| run.to_string())
    }

    /// The lines of a part, each with the run they are of at its end.
    fn dated(&self, part: &str, lines: Vec<Vec<String>>) -> Vec<Vec<String>> {
        let run = self.run_of(part);
        let with = |mut line: Vec<String>| {
            line.push(run.clone());
            line
        };
        lines.into_iter().map(with).collect()
    }

    /// A line for each value, a part of its own.
    fn rows<'r, T: Serialize + 'r>(
        &self,
        header: &[&str],
        all: impl Iterator<Item = &'r T>,
        part: impl Fn(&T) -> String,
    ) -> Result<String, Problem> {
        let names = header.split_last().map_or(header, |(_, names)| names);
        let lines = all.flat_map(|one| self.dated(&part(one), fields(names, &[], std::slice::from_ref(one))));
        written(&columns(header), lines)
    }
}

/// Curves, each with the name of the part it is.
fn curves(result: &SurvivalResult, landmark: bool) -> Vec<(String, &SurvivalCurve)> {
    if landmark {
        let all = result.landmark_comparisons.iter();
        let part = |one: &LandmarkComparison| format!("landmarks/{}/{}", one.by, one.landmark_months);
        all.flat_map(|one| one.curves.iter().map(move |curve| (part(one), curve)))
            .collect()
    } else {
        let part = |one: &SurvivalCurve| format!("curves/{}/{}/{}", name(one.analysis), one.by, one.level);
        result.curves.iter().map(|one| (part(one), one)).collect()
    }
}

/// The treated by a landmark against the others, with the score test that is the log-rank test.
fn contrasts(of: &Dated<'_>) -> Result<String, Problem> {
    let lines = of.0.landmark_comparisons.iter().flat_map(|one| {
        let head = [one.by.clone(), one.landmark_months.to_string()];
        let mut line = match &one.contrast {
            Some(found) => fields(&CONTRASTS[2..6], &head, std::slice::from_ref(found)),
            None => fields(&CONTRASTS[2..6], &head, &[Value::Null]),
        };
        for cells in &mut line {
            cells.push(one.no_contrast.clone().unwrap_or_default());
        }
        let part = format!("landmarks/{}/{}", one.by, one.landmark_months);
        of.dated(&part, line)
    });
    written(&CONTRASTS, lines)
}

fn incidence_part(one: &IncidenceCurve) -> String {
    format!("incidence/{}/{}/{}", name(one.analysis), one.by, one.level)
}

fn incidence(of: &Dated<'_>) -> Result<String, Problem> {
    let lines = of.0.incidence.iter().flat_map(|one| {
        let causes = one.causes.iter().flat_map(|cause| {
            let (by, level) = (one.by.clone(), one.level.clone());
            let head = vec![name(one.analysis), by, level, cause.cause.clone()];
            fields(&INCIDENCE[4..INCIDENCE.len() - 1], &head, &cause.steps)
        });
        of.dated(&incidence_part(one), causes.collect())
    });
    written(&INCIDENCE, lines)
}

fn at_risk(of: &Dated<'_>, landmark: bool) -> Result<String, Problem> {
    let header = ["analysis", "by", "level", "months", "at_risk", AS_OF];
    let of_curves = curves(of.0, landmark).into_iter().flat_map(|(part, one)| {
        let head = vec![name(one.analysis), one.by.clone(), one.level.clone()];
        of.dated(&part, fields(&header[3..5], &head, &one.landmarks))
    });
    let of_incidence = of.0.incidence.iter().flat_map(|one| {
        let head = vec![name(one.analysis), one.by.clone(), one.level.clone()];
        of.dated(&incidence_part(one), fields(&header[3..5], &head, &one.at_risk))
    });
    written(&header, of_curves.chain(of_incidence))
}

fn flow(of: &Dated<'_>) -> Result<String, Problem> {
    let flow = &of.0.flow;
    let told = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let line = |reason: &str, label: &str, n| vec![reason.to_owned(), label.to_owned(), told(n)];
    let mut lines = vec![line("cases", "Rows of the run", flow.cases)];
    lines.extend(
        flow.left_out
            .iter()
            .map(|one| line(&one.reason, &one.label, one.n)),
    );
    lines.push(line("analysed", "In the primary estimate", flow.analysed));
    written(
        &["reason", "label", "n", AS_OF],
        of.dated("flow", lines).into_iter(),
    )
}

/// The named fields of each row, after `head`.
fn fields(names: &[&str], head: &[String], all: &[impl Serialize]) -> Vec<Vec<String>> {
    let line = |one| {
        let value = serde_json::to_value(one).unwrap_or(Value::Null);
        let cells = names.iter().map(|name| cell(&value, name));
        head.iter().cloned().chain(cells).collect()
    };
    all.iter().map(line).collect()
}

fn name(of: impl Serialize) -> String {
    text(&serde_json::to_value(of).unwrap_or(Value::Null))
}
