//! `survival_estimates.csv`: the estimates of the released rows, a number a line, as `reproduce.R` recomputes them.

use super::described::{Described, Holds};
use crate::cohorts::Definition;
use crate::results::{
    Analysis, CurveState, IncidenceCurve, ModelState, ProportionRow, RateState, SurvivalCurve, SurvivalResult,
};

/// Its columns.
pub(super) const ESTIMATE_COLUMNS: [Described; 9] = [
    Described::key("endpoint", Holds::Text, "id of the endpoint"),
    Described::plain("file", Holds::Text, "the rows it is estimated from"),
    Described::key(
        "method",
        Holds::Text,
        "kaplan_meier, kaplan_meier_clustered (by patient), aalen_johansen, cox (Efron's ties), share (Wilson) or change (t)",
    ),
    Described::key("by", Holds::Text, "all, or the column that makes the groups"),
    Described::key("level", Holds::Text, "the group"),
    Described::key(
        "term",
        Holds::Text,
        "event code of an incidence, covariate of a model",
    ),
    Described::key(
        "quantity",
        Holds::Text,
        "what the value is; intervals are of 95 %, those of curves on the scale of log(-log S)",
    ),
    Described::key("months", Holds::Number, "at which time"),
    Described::plain(
        "value",
        Holds::Number,
        "empty where a median or an end of its interval is not reached",
    ),
];

type Line = [String; 9];

/// One number after another of a group of an endpoint.
struct Lines<'a> {
    head: [&'a str; 5],
    lines: Vec<Line>,
}

impl Lines<'_> {
    fn add(&mut self, term: &str, quantity: &str, months: Option<f64>, value: Option<f64>) {
        let [endpoint, file, method, by, level] = self.head.map(str::to_owned);
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        self.lines.push([
            endpoint,
            file,
            method,
            by,
            level,
            term.to_owned(),
            quantity.to_owned(),
            number(months),
            number(value),
        ]);
    }
}

/// The primary estimates of an endpoint.
pub(super) fn lines(definition: &Definition, file: &str, result: &SurvivalResult) -> Vec<Line> {
    let id = definition.id.as_str();
    let mut all = Vec::new();
    for curve in result
        .curves
        .iter()
        .filter(|one| one.analysis == Analysis::Primary)
    {
        all.extend(of_curve(id, file, curve));
    }
    for curve in result
        .incidence
        .iter()
        .filter(|one| one.analysis == Analysis::Primary)
    {
        all.extend(of_incidence(id, file, curve));
    }
    for row in &result.proportions {
        all.extend(of_share(id, file, row));
    }
    let mut change = Lines {
        head: [id, file, "change", "all", "all"],
        lines: Vec::new(),
    };
    for row in &result.changes {
        let at = Some(row.months);
        change.add("", "measured", at, row.measured.map(f64::from));
        if let (Some(mean), Some(lower), Some(upper)) = (row.mean, row.lower, row.upper) {
            change.add("", "mean", at, Some(mean));
            change.add("", "lower", at, Some(lower));
            change.add("", "upper", at, Some(upper));
        }
    }
    all.extend(change.lines);
    for model in result
        .models
        .iter()
        .filter(|one| one.state == ModelState::Modelled)
    {
        let mut lines = Lines {
            head: [id, file, "cox", "all", "all"],
            lines: Vec::new(),
        };
        lines.add("", "patients", None, model.patients.map(f64::from));
        lines.add("", "events", None, model.events.map(f64::from));
        for ratio in &model.ratios {
            let term = format!("x_{}", ratio.covariate);
            lines.add(&term, "hazard_ratio", None, Some(ratio.hazard_ratio));
            lines.add(&term, "lower", None, Some(ratio.lower));
            lines.add(&term, "upper", None, Some(ratio.upper));
        }
        all.extend(lines.lines);
    }
    all
}

fn of_curve(id: &str, file: &str, curve: &SurvivalCurve) -> Vec<Line> {
    let clustered = curve.repeated.is_some();
    let method = if clustered {
        "kaplan_meier_clustered"
    } else {
        "kaplan_meier"
    };
    let mut lines = Lines {
        head: [id, file, method, &curve.by, &curve.level],
        lines: Vec::new(),
    };
    if curve.state != CurveState::Shown {
        return lines.lines;
    }
    lines.add("", "patients", None, curve.patients.map(f64::from));
    lines.add("", "events", None, curve.events.map(f64::from));
    // Below five events no median is told, which is no statement about the curve.
    if curve
        .events
        .is_some_and(|events| events >= crate::cohorts::endpoint::FEWEST_EVENTS)
    {
        lines.add("", "median_months", None, curve.median.map(|one| one.months));
        if let Some(median) = curve.median.filter(|_| !clustered) {
            lines.add("", "median_lower", None, median.lower_months);
            lines.add("", "median_upper", None, median.upper_months);
        }
    }
    for at in curve
        .landmarks
        .iter()
        .filter(|one| one.months > 0.0 && one.survival.is_some())
    {
        lines.add("", "survival", Some(at.months), at.survival);
        lines.add("", "lower", Some(at.months), at.lower);
        lines.add("", "upper", Some(at.months), at.upper);
    }
    lines.lines
}

fn of_incidence(id: &str, file: &str, curve: &IncidenceCurve) -> Vec<Line> {
    let mut lines = Lines {
        head: [id, file, "aalen_johansen", &curve.by, &curve.level],
        lines: Vec::new(),
    };
    let events: u32 = curve.causes.iter().filter_map(|cause| cause.events).sum();
    if curve.state != CurveState::Shown || events == 0 {
        return lines.lines;
    }
    for (at, cause) in curve.causes.iter().enumerate() {
        let term = (at + 1).to_string();
        lines.add(&term, "patients", None, curve.patients.map(f64::from));
        lines.add(&term, "events", None, cause.events.map(f64::from));
        for at in cause.values.iter().filter(|one| one.incidence.is_some()) {
            lines.add(&term, "incidence", Some(at.months), at.incidence);
            lines.add(&term, "lower", Some(at.months), at.lower);
            lines.add(&term, "upper", Some(at.months), at.upper);
        }
    }
    lines.lines
}

fn of_share(id: &str, file: &str, row: &ProportionRow) -> Vec<Line> {
    let mut lines = Lines {
        head: [id, file, "share", &row.by, &row.level],
        lines: Vec::new(),
    };
    if matches!(row.state, RateState::Rate | RateState::Insufficient) {
        lines.add("", "with", None, row.numerator.map(f64::from));
        lines.add("", "assessable", None, row.denominator.map(f64::from));
        lines.add("", "rate", None, row.rate);
        lines.add("", "lower", None, row.lower);
        lines.add("", "upper", None, row.upper);
    }
    lines.lines
}
