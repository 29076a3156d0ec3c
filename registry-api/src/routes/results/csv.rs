//! The same tables as CSV (RFC 4180): empty where a value is not shown, with the reason in its own column.

use registry_etl::results::AdherenceTable;
use serde_json::Value;

use crate::problem::Problem;

/// A header and its rows as text.
///
/// # Errors
/// None in practice.
pub(in crate::routes) fn written(
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<String, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(Problem::internal)?;
    for row in rows {
        writer.write_record(row).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    String::from_utf8(bytes).map_err(Problem::internal)
}

/// One line per row of the table.
pub(super) fn adherence(table: &AdherenceTable) -> Result<String, Problem> {
    let header = [
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
        "patients",
        "rate",
        "lower",
        "upper",
        "bound_low",
        "bound_high",
        "not_assessable_share",
        "unratified",
    ];
    let rows = table.rows.iter().map(|row| {
        let mut value = serde_json::to_value(row).unwrap_or(Value::Null);
        let head = table.measures.iter().find(|head| head.id == row.measure);
        value["unratified"] = Value::from(head.map_or_else(String::new, |head| head.unratified.join(" ")));
        header.iter().map(|name| text(&value[*name])).collect()
    });
    written(&header, rows)
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
