//! Endpoints as CSV (RFC 4180): empty where a value is not shown.

use registry_etl::results::{SurvivalCurve, SurvivalResult};
use serde::Serialize;
use serde_json::Value;

use super::csv::{text, written};
use super::survival::Table;
use crate::problem::Problem;

const STEPS: [&str; 11] = [
    "analysis", "by", "level", "days", "months", "at_risk", "events", "censored", "survival", "lower",
    "upper",
];
const INCIDENCE: [&str; 12] = [
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
];
const SHARES: [&str; 12] = [
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
];
const CHANGES: [&str; 12] = [
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
];

const CENTRES: [&str; 14] = [
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
];

/// One table of an endpoint. With a landmark asked for, its curves stand in place of the others.
///
/// # Errors
/// None in practice.
pub fn survival(result: &SurvivalResult, table: Table, landmark: bool) -> Result<String, Problem> {
    match table {
        Table::Flow => flow(result),
        Table::AtRisk => at_risk(result, landmark),
        Table::Centres => {
            let all = result.centres.iter().flat_map(|one| one.centres.clone());
            rows(&CENTRES, &all.collect::<Vec<_>>())
        }
        Table::Curves if !result.incidence.is_empty() => incidence(result),
        Table::Curves if !result.proportions.is_empty() => rows(&SHARES, &result.proportions),
        Table::Curves if !result.changes.is_empty() => rows(&CHANGES, &result.changes),
        Table::Curves => {
            let lines = curves(result, landmark).into_iter().flat_map(|curve| {
                let head = vec![name(curve.analysis), curve.by.clone(), curve.level.clone()];
                fields(&STEPS[3..], &head, &curve.steps)
            });
            written(&STEPS, lines)
        }
    }
}

fn curves(result: &SurvivalResult, landmark: bool) -> Vec<&SurvivalCurve> {
    if landmark {
        let all = result.landmark_comparisons.iter();
        all.flat_map(|one| &one.curves).collect()
    } else {
        result.curves.iter().collect()
    }
}

fn incidence(result: &SurvivalResult) -> Result<String, Problem> {
    let lines = result.incidence.iter().flat_map(|one| {
        one.causes.iter().flat_map(|cause| {
            let (by, level) = (one.by.clone(), one.level.clone());
            let head = vec![name(one.analysis), by, level, cause.cause.clone()];
            fields(&INCIDENCE[4..], &head, &cause.steps)
        })
    });
    written(&INCIDENCE, lines)
}

fn at_risk(result: &SurvivalResult, landmark: bool) -> Result<String, Problem> {
    let header = ["analysis", "by", "level", "months", "at_risk"];
    let of_curves = curves(result, landmark).into_iter().flat_map(|one| {
        let head = vec![name(one.analysis), one.by.clone(), one.level.clone()];
        fields(&header[3..], &head, &one.landmarks)
    });
    let of_incidence = result.incidence.iter().flat_map(|one| {
        let head = vec![name(one.analysis), one.by.clone(), one.level.clone()];
        fields(&header[3..], &head, &one.at_risk)
    });
    written(&header, of_curves.chain(of_incidence))
}

fn flow(result: &SurvivalResult) -> Result<String, Problem> {
    let flow = &result.flow;
    let told = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let line = |reason: &str, label: &str, n| vec![reason.to_owned(), label.to_owned(), told(n)];
    let mut lines = vec![line("cases", "Rows of the run", flow.cases)];
    lines.extend(
        flow.left_out
            .iter()
            .map(|one| line(&one.reason, &one.label, one.n)),
    );
    lines.push(line("analysed", "In the primary estimate", flow.analysed));
    written(&["reason", "label", "n"], lines.into_iter())
}

fn rows(header: &[&str], all: &[impl Serialize]) -> Result<String, Problem> {
    written(header, fields(header, &[], all).into_iter())
}

/// The named fields of each row, after `head`.
fn fields(names: &[&str], head: &[String], all: &[impl Serialize]) -> Vec<Vec<String>> {
    let line = |one| {
        let value = serde_json::to_value(one).unwrap_or(Value::Null);
        let cells = names.iter().map(|name| text(&value[*name]));
        head.iter().cloned().chain(cells).collect()
    };
    all.iter().map(line).collect()
}

fn name(of: impl Serialize) -> String {
    text(&serde_json::to_value(of).unwrap_or(Value::Null))
}
