//! The score card as a table: every measure, every domain, and the indicators by half-year.

use registry_etl::results::AdherenceRow;
use serde_json::{Value, json};

use super::Card;
use crate::problem::Problem;
use crate::results::{Pooled, View};
use crate::routes::results::written;

const HEADER: [&str; 26] = [
    "centre",
    "own_run",
    "network_run",
    "of",
    "id",
    "domain",
    "period",
    "state",
    "numerator",
    "denominator",
    "not_assessable",
    "rate",
    "lower",
    "upper",
    "bound_low",
    "bound_high",
    "network_state",
    "network_numerator",
    "network_denominator",
    "network_rate",
    "network_at_own_mix",
    "position",
    "lower95_limit",
    "upper95_limit",
    "lower998_limit",
    "upper998_limit",
];

/// One line per measure (`indicator` for those looked at first), domain, half-year of an indicator, and half-year of all of them together; empty where a value is not shown.
///
/// # Errors
/// None in practice.
pub(super) fn csv(view: &View<'_>, centre: &str, card: &Card) -> Result<String, Problem> {
    let own_run = view.own_run().unwrap_or(&view.run).number;
    let network_run = if view.tells_own_only() {
        String::new()
    } else {
        view.run.number.to_string()
    };
    let mut rows = Vec::new();
    let mut push = |of: &str, id: &str, domain: &str, period: &str, values: Value| {
        let mut line = vec![centre.to_owned(), own_run.to_string(), network_run.clone()];
        line.extend([of, id, domain, period].map(str::to_owned));
        line.extend(HEADER[7..].iter().map(|name| text(&values[*name])));
        rows.push(line);
    };
    let recent = "last24_months";
    for one in &card.measures {
        let chosen = card
            .indicators
            .iter()
            .any(|(chosen, _)| chosen.head.id == one.head.id);
        let of = if chosen { "indicator" } else { "measure" };
        let domain = one.head.domain.as_deref().unwrap_or_default();
        let mut values = json!({"position": one.position});
        own(&mut values, one.own.as_ref());
        network(&mut values, one.network.as_ref());
        push(of, &one.head.id, domain, recent, values);
    }
    for one in &card.domains {
        let Pooled {
            numerator,
            denominator,
            rate,
            lower,
            upper,
            not_assessable,
        } = one.own;
        let bounds = one.own.bounds();
        let values = json!({
            "numerator": numerator, "denominator": denominator, "rate": rate, "lower": lower, "upper": upper,
            "not_assessable": not_assessable, "bound_low": bounds.map(|(low, _)| low), "bound_high": bounds.map(|(_, high)| high),
            "network_numerator": one.network.numerator, "network_denominator": one.network.denominator,
            "network_rate": one.network.rate, "network_at_own_mix": one.expected,
        });
        push("domain", &one.domain, &one.domain, recent, values);
    }
    if let Some(over_time) = &card.over_time {
        for (head, cells) in &over_time.lines {
            for (half, cell) in over_time.half_years.iter().zip(cells) {
                let own = cell.own;
                let bounds = Pooled::of(own.numerator, own.denominator, Some(own.not_assessable)).bounds();
                let values = json!({
                    "numerator": own.numerator, "denominator": own.denominator, "not_assessable": own.not_assessable,
                    "bound_low": bounds.map(|(low, _)| low), "bound_high": bounds.map(|(_, high)| high),
                    "network_rate": cell.network,
                });
                let domain = head.domain.as_deref().unwrap_or_default();
                push("half_year", &head.id, domain, half, values);
            }
        }
        // The points of the chart: every indicator together, around the network's rate of all half-years.
        for (trend, point) in over_time
            .trend
            .iter()
            .flat_map(|trend| trend.points.iter().map(move |point| (trend, point)))
        {
            let values = json!({
                "state": point.state, "numerator": point.numerator, "denominator": point.denominator,
                "rate": point.rate, "network_rate": trend.target, "position": point.position,
                "lower95_limit": point.limits.map(|limits| limits.lower95),
                "upper95_limit": point.limits.map(|limits| limits.upper95),
                "lower998_limit": point.limits.map(|limits| limits.lower998),
                "upper998_limit": point.limits.map(|limits| limits.upper998),
            });
            push("together", "", "", &point.level, values);
        }
    }
    written(&HEADER, rows.into_iter())
}

fn own(values: &mut Value, row: Option<&AdherenceRow>) {
    let Some(row) = row else { return };
    values["state"] = json!(row.state);
    values["numerator"] = json!(row.numerator);
    values["denominator"] = json!(row.denominator);
    values["not_assessable"] = json!(row.not_assessable);
    values["rate"] = json!(row.rate);
    values["lower"] = json!(row.lower);
    values["upper"] = json!(row.upper);
    values["bound_low"] = json!(row.bound_low);
    values["bound_high"] = json!(row.bound_high);
}

fn network(values: &mut Value, row: Option<&AdherenceRow>) {
    let Some(row) = row else { return };
    values["network_state"] = json!(row.state);
    values["network_numerator"] = json!(row.numerator);
    values["network_denominator"] = json!(row.denominator);
    values["network_rate"] = json!(row.rate);
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
