//! Tables of results, for a person or as JSON.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Rows under named columns; an empty cell is null.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Table {
    pub(super) fn new(name: &'static str, columns: &[&'static str]) -> Self {
        Self {
            name,
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }
}

/// `{"name": [{"column": value, ...}, ...], ...}`.
pub(super) fn json(tables: &[Table]) -> Value {
    let row = |table: &Table, row: &Vec<Value>| {
        let cells = table.columns.iter().zip(row);
        Value::Object(cells.map(|(c, v)| ((*c).to_owned(), v.clone())).collect())
    };
    let all = tables.iter().map(|t| {
        let rows = t.rows.iter().map(|r| row(t, r)).collect();
        (t.name.to_owned(), Value::Array(rows))
    });
    Value::Object(all.collect::<Map<_, _>>())
}

/// Each table under its name, columns aligned.
pub(super) fn text(tables: &[Table]) -> String {
    let mut out = String::new();
    for (i, table) in tables.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "{}", table.name);
        let head = table.columns.iter().map(|c| (*c).to_owned()).collect();
        let body = table.rows.iter().map(|r| r.iter().map(cell).collect());
        let lines: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
        let width = |c: usize| lines.iter().map(|l| l[c].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
        for line in &lines {
            let mut padded = String::new();
            for (text, width) in line.iter().zip(&widths) {
                let _ = write!(padded, "{text:>width$}  ");
            }
            let _ = writeln!(out, "{}", padded.trim_end());
        }
    }
    out
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(String::new, shown),
        other => other.to_string(),
    }
}

/// Four decimals; very small numbers as powers.
fn shown(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
