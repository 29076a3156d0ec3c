//! The same tables as CSV (RFC 4180): empty where a value is not shown, with the reason in its own column.

use std::collections::BTreeSet;

use registry_core::storage::Run;
use registry_etl::results::{AdherenceTable, By, Funnel, FunnelPoint, Lacking};
use serde::Serialize;
use serde_json::{Value, json};

use crate::problem::{Kind, Problem};
use crate::results::View;

/// A header and its rows as text.
///
/// # Errors
/// None in practice.
pub(crate) fn written(
    header: &[impl AsRef<str>],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<String, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = header.iter().map(AsRef::as_ref);
    writer.write_record(names).map_err(Problem::internal)?;
    for row in rows {
        writer.write_record(row).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    String::from_utf8(bytes).map_err(Problem::internal)
}

/// A table of the named fields, a line for each value. `a.b` is a field within a field, its column `a_b`; a list is one cell.
///
/// # Errors
/// A value that JSON cannot hold.
pub(crate) fn table_of<T: Serialize>(names: &[&str], all: &[T]) -> Result<String, Problem> {
    let line = |one: &T| -> Result<Vec<String>, Problem> {
        let value = serde_json::to_value(one).map_err(Problem::internal)?;
        Ok(names.iter().map(|name| cell(&value, name)).collect())
    };
    let lines = all.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    written(&columns(names), lines.into_iter())
}

/// A header's names as columns: `a.b` is `a_b`.
pub(super) fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.replace('.', "_")).collect()
}

/// The named field of a value; `a.b` is a field within a field, a list is one cell.
pub(super) fn cell(value: &Value, name: &str) -> String {
    let found = name.split('.').fold(value, |within, part| &within[part]);
    match found {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => text(other),
    }
}

/// Refuses a choice of columns where no table is asked for.
///
/// # Errors
/// [`Kind::BadQuery`].
pub(in crate::routes) fn only_of_a_table(columns: Option<&str>, as_csv: bool) -> Result<(), Problem> {
    match columns {
        Some(_) if !as_csv => Err(Problem::with(
            Kind::BadQuery,
            "columns: of a table only, asked for with `Accept: text/csv`",
        )),
        _ => Ok(()),
    }
}

/// The columns asked for of a table, in the order asked, their names separated by commas; all without a choice.
///
/// # Errors
/// [`Kind::BadQuery`] for a name the table has not, or twice; tells those there are.
pub(in crate::routes) fn chosen(table: String, columns: Option<&str>) -> Result<String, Problem> {
    let Some(columns) = columns else {
        return Ok(table);
    };
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().map_err(Problem::internal)?.clone();
    let mut places: Vec<usize> = Vec::new();
    for wanted in columns.split(',') {
        match header.iter().position(|name| name == wanted.trim()) {
            Some(at) if !places.contains(&at) => places.push(at),
            _ => {
                let known: Vec<&str> = header.iter().collect();
                let why = format!("columns: each once, of {}", known.join(", "));
                return Err(Problem::with(Kind::BadQuery, why));
            }
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let of = |row: &csv::StringRecord| -> Vec<String> {
        let cells = places.iter().map(|at| row.get(*at).unwrap_or_default());
        cells.map(str::to_owned).collect()
    };
    writer.write_record(of(&header)).map_err(Problem::internal)?;
    for row in reader.records() {
        let row = row.map_err(Problem::internal)?;
        writer.write_record(of(&row)).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    String::from_utf8(bytes).map_err(Problem::internal)
}

/// Columns of a funnel's centres.
const POINTS: [&str; 19] = [
    "centre",
    "state",
    "suppressed",
    "numerator",
    "denominator",
    "patients",
    "not_assessable",
    "rate",
    "lower95",
    "upper95",
    "lower998",
    "upper998",
    "position",
    "z",
    "z_adjusted",
    "position_adjusted",
    "p",
    "q",
    "as_of",
];

/// The centres of a funnel, with the exact limits at their denominators; the network's rate is that of the table of adherence.
pub(crate) fn funnel(funnel: &Funnel) -> Result<String, Problem> {
    let line = |point: &FunnelPoint| -> Result<Vec<String>, Problem> {
        let mut value = serde_json::to_value(point).map_err(Problem::internal)?;
        let limits = value["limits"].take();
        for name in &POINTS[8..12] {
            value[*name] = limits[*name].clone();
        }
        Ok(POINTS.iter().map(|name| text(&value[*name])).collect())
    };
    let lines: Vec<Vec<String>> = funnel.points.iter().map(line).collect::<Result<_, _>>()?;
    written(&POINTS, lines.into_iter())
}

/// Columns of the table of adherence: which run by which guideline, what of, its counts, its rate.
const COLUMNS: [&str; 26] = [
    "run",
    "guideline_version",
    "measure",
    "by",
    "level",
    "period",
    "state",
    "suppressed",
    "numerator",
    "denominator",
    "excluded",
    "excepted",
    "not_in_denominator",
    "not_assessable",
    "not_assessable_by",
    "patients",
    "patients_all_met",
    "rate",
    "lower",
    "upper",
    "clustered_lower",
    "clustered_upper",
    "bound_low",
    "bound_high",
    "not_assessable_share",
    "unratified",
];

/// One line per row of the table; then, as the measure `registration`, one per level of it that is known: registered (numerator) of the
/// eligible patients seen (denominator). The reasons for not being assessable are one cell: `missing imaging.date 4; ..`.
pub fn adherence(view: &View<'_>, table: &AdherenceTable) -> Result<String, Problem> {
    let of_run = |own: bool| match view.own_run().filter(|_| own) {
        Some(run) => (run.number, version(run)),
        None => (table.run.run, table.run.guideline_version.clone()),
    };
    let line = |run: (i64, String), value: &Value| -> Vec<String> {
        let mut line = vec![run.0.to_string(), run.1];
        line.extend(COLUMNS[2..].iter().map(|name| text(&value[*name])));
        line
    };
    let own = |level: &str| view.own() == Some(level);
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut value = serde_json::to_value(row).map_err(Problem::internal)?;
        value["not_assessable_by"] = json!(reasons(&row.not_assessable_by));
        let head = table.measures.iter().find(|head| head.id == row.measure);
        value["unratified"] = json!(head.map_or_else(String::new, |head| head.unratified.join(" ")));
        let (run, version) = of_run(row.by == By::Centre && own(&row.level));
        rows.push(line((row.as_of.unwrap_or(run), version), &value));
    }
    let levels: BTreeSet<&str> = table.rows.iter().map(|row| row.level.as_str()).collect();
    for known in view.registration()? {
        if known.eligible_seen.is_some() && levels.contains(known.level.as_str()) {
            let by = if known.level == "all" {
                By::Network
            } else {
                By::Centre
            };
            let value = json!({
                "measure": "registration", "by": by, "level": known.level,
                "numerator": known.registered, "denominator": known.eligible_seen, "rate": known.completeness,
            });
            rows.push(line(of_run(own(&known.level)), &value));
        }
    }
    written(&COLUMNS, rows.into_iter())
}

fn version(run: &Run) -> String {
    let version = run.parameters.get("guideline_version");
    version.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn reasons(all: &[Lacking]) -> String {
    let one = |lacking: &Lacking| match &lacking.element {
        Some(element) => format!("{} {element} {}", lacking.reason, lacking.n),
        None => format!("{} {}", lacking.reason, lacking.n),
    };
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
