//! `funnel`: centres around a target from a file of counts, without a server or a database.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use registry_etl::measures::placement::{Placed, Placement, place};
use registry_etl::results::Position;
use registry_etl::statistics::{Interval, benjamini_hochberg, wilson};
use serde::Serialize;
use serde_json::Value;

use super::{Failure, table};

/// Most units of a centre: the exact tail is a sum over all of them.
const MOST_UNITS: u32 = 10_000_000;
const NUMERATOR: [&str; 2] = ["numerator", "x"];
const DENOMINATOR: [&str; 2] = ["denominator", "n"];
/// Columns of CSV: fields of [`Row`], then of [`Report`].
const ROW_COLUMNS: [&str; 21] = [
    "centre",
    "state",
    "numerator",
    "denominator",
    "rate",
    "wilson_lower",
    "wilson_upper",
    "lower95",
    "upper95",
    "lower998",
    "upper998",
    "position",
    "z",
    "z_adjusted",
    "adjusted_lower95",
    "adjusted_upper95",
    "adjusted_lower998",
    "adjusted_upper998",
    "position_adjusted",
    "p",
    "q",
];
const HEAD_COLUMNS: [&str; 6] = [
    "target",
    "target_source",
    "phi",
    "tau2",
    "centres",
    "centres_assessable",
];

#[derive(Debug, Args)]
pub(super) struct FunnelArgs {
    /// CSV with a header: `centre` (or the first column) names the centre, `numerator` (or `x`) of `denominator` (or `n`);
    /// `-` reads standard input.
    #[arg(long)]
    input: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Proportion to compare with, 0 to 1; without it the rate of all centres together.
    #[arg(long, value_parser = proportion)]
    target: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One object: target, overdispersion, and a row per centre.
    Json,
    /// A line per centre, target and overdispersion in every line.
    Csv,
}

/// One centre as the file gives it.
struct Count {
    centre: String,
    x: u32,
    n: u32,
}

/// The whole comparison.
#[derive(Serialize)]
struct Report {
    /// `None` when no centre has a unit.
    target: Option<f64>,
    /// `given`, or `pooled` over the centres.
    target_source: &'static str,
    /// Overdispersion factor, winsorised; `None` with fewer than two centres, or around 0 or 1.
    phi: Option<f64>,
    /// Variance between centres beyond chance.
    tau2: Option<f64>,
    centres: usize,
    centres_assessable: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    centre: String,
    /// `rate` or `not_assessable` (no unit: never 0 %).
    state: &'static str,
    numerator: u32,
    denominator: u32,
    rate: Option<f64>,
    /// 95 % interval of the rate.
    wilson_lower: Option<f64>,
    wilson_upper: Option<f64>,
    /// Exact limits around the target at this denominator.
    lower95: Option<f64>,
    upper95: Option<f64>,
    lower998: Option<f64>,
    upper998: Option<f64>,
    position: Option<Position>,
    z: Option<f64>,
    z_adjusted: Option<f64>,
    adjusted_lower95: Option<f64>,
    adjusted_upper95: Option<f64>,
    adjusted_lower998: Option<f64>,
    adjusted_upper998: Option<f64>,
    position_adjusted: Option<Position>,
    /// Two-sided, exact.
    p: Option<f64>,
    /// Benjamini-Hochberg over the centres of this file.
    q: Option<f64>,
}

fn proportion(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("a target is a number between 0 and 1".to_owned()),
    }
}

pub(super) fn funnel(args: &FunnelArgs) -> Result<(), Failure> {
    let place = args.input.display();
    let text = table::bytes_of(&args.input)?;
    let counts = read(&text).map_err(|why| Failure::new(format!("{place}: {why}")))?;
    let report = report(counts, args.target)?;
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &report)?;
            writeln!(out)?;
        }
        Format::Csv => out.write_all(&lines(&report)?)?,
    }
    Ok(())
}

/// What is wrong is told by row (counted from 1 under the header) and column; values stay in the file.
fn read(text: &[u8]) -> Result<Vec<Count>, String> {
    let (mut reader, header, _) = table::open(text)?;
    let column = |names: &[&str]| -> Result<Option<usize>, String> {
        let is = |h: &str| names.iter().any(|name| h.eq_ignore_ascii_case(name));
        let found: Vec<usize> = (0..header.len()).filter(|i| is(&header[*i])).collect();
        match found[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(format!("header: more than one column `{}`", names.join("` or `"))),
        }
    };
    let needed = |names: [&str; 2]| {
        column(&names)?
            .ok_or_else(|| format!("header: there is no column `{}` (or `{}`)", names[0], names[1]))
    };
    let (numerator, denominator) = (needed(NUMERATOR)?, needed(DENOMINATOR)?);
    let centre = column(&["centre"])?.unwrap_or(0);
    if centre == numerator || centre == denominator {
        return Err("header: there is no column `centre`".to_owned());
    }

    let mut counts = Vec::new();
    let mut seen = HashMap::new();
    for (index, record) in reader.records().enumerate() {
        let row = index + 1;
        let record = record.map_err(|_| format!("row {row}: not CSV"))?;
        let fault = |column: usize, why: &str| format!("row {row}, column `{}`: {why}", &header[column]);
        if record.len() != header.len() {
            return Err(format!(
                "row {row}: {} fields, the header has {}",
                record.len(),
                header.len()
            ));
        }
        let name = &record[centre];
        if name.is_empty() {
            return Err(fault(centre, "the centre has no name"));
        }
        if let Some(first) = seen.insert(name.to_owned(), row) {
            return Err(fault(centre, &format!("the same centre as in row {first}")));
        }
        let x = count(&record[numerator]).map_err(|why| fault(numerator, why))?;
        let n = count(&record[denominator]).map_err(|why| fault(denominator, why))?;
        if x > n {
            let why = format!("more than column `{}`", &header[denominator]);
            return Err(fault(numerator, &why));
        }
        counts.push(Count {
            centre: name.to_owned(),
            x,
            n,
        });
    }
    if counts.is_empty() {
        return Err("there is no row under the header".to_owned());
    }
    Ok(counts)
}

fn count(text: &str) -> Result<u32, &'static str> {
    if text.is_empty() {
        return Err("empty");
    }
    match text.parse::<f64>() {
        Err(_) => Err("not a number"),
        Ok(number) if !number.is_finite() => Err("not a number"),
        Ok(number) if number < 0.0 => Err("negative"),
        Ok(number) if number.fract() != 0.0 => Err("not a whole number"),
        Ok(number) if number > f64::from(MOST_UNITS) => Err("more than 10 million"),
        Ok(number) => Ok(number as u32),
    }
}

fn report(counts: Vec<Count>, given: Option<f64>) -> Result<Report, Failure> {
    let assessable: Vec<(u32, u32)> = counts.iter().filter(|c| c.n > 0).map(|c| (c.x, c.n)).collect();
    let sum = |of: fn(&(u32, u32)) -> u32| assessable.iter().map(|c| u64::from(of(c))).sum::<u64>();
    let (x, n) = (sum(|c| c.0), sum(|c| c.1));
    let target = given.or_else(|| (n > 0).then(|| x as f64 / n as f64));
    let placement = match target {
        Some(target) => place(&assessable, target).map_err(Failure::new)?,
        None => Placement {
            phi: None,
            tau2: None,
            centres: Vec::new(),
        },
    };
    let p: Vec<f64> = placement.centres.iter().map(|c| c.p).collect();
    let q = benjamini_hochberg(&p).map_err(Failure::new)?;
    let mut placed = placement.centres.iter().zip(q);
    let centres = counts.len();
    let rows = counts
        .into_iter()
        .map(|count| {
            let interval = wilson(count.x.into(), count.n.into(), 0.95).map_err(Failure::new)?;
            let shown = interval.and_then(|interval| placed.next().map(|(at, q)| (interval, at, q)));
            Ok(row(count, shown))
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Report {
        target,
        target_source: if given.is_some() { "given" } else { "pooled" },
        phi: placement.phi,
        tau2: placement.tau2,
        centres,
        centres_assessable: assessable.len(),
        rows,
    })
}

/// A centre with its interval, place and q-value; without units it has none.
fn row(count: Count, placed: Option<(Interval, &Placed, f64)>) -> Row {
    let (interval, at, q) = (placed.map(|p| p.0), placed.map(|p| p.1), placed.map(|p| p.2));
    let adjusted = at.and_then(|p| p.limits_adjusted);
    Row {
        state: if at.is_some() { "rate" } else { "not_assessable" },
        numerator: count.x,
        denominator: count.n,
        rate: at.map(|_| f64::from(count.x) / f64::from(count.n)),
        wilson_lower: interval.map(|i| i.lower),
        wilson_upper: interval.map(|i| i.upper),
        lower95: at.map(|p| p.limits.lower95),
        upper95: at.map(|p| p.limits.upper95),
        lower998: at.map(|p| p.limits.lower998),
        upper998: at.map(|p| p.limits.upper998),
        position: at.map(|p| p.position),
        z: at.and_then(|p| p.z),
        z_adjusted: at.and_then(|p| p.z_adjusted),
        adjusted_lower95: adjusted.map(|l| l.lower95),
        adjusted_upper95: adjusted.map(|l| l.upper95),
        adjusted_lower998: adjusted.map(|l| l.lower998),
        adjusted_upper998: adjusted.map(|l| l.upper998),
        position_adjusted: at.and_then(|p| p.position_adjusted),
        p: at.map(|p| p.p),
        q,
        centre: count.centre,
    }
}

/// Each row's columns, then target and overdispersion; empty where there is no value.
fn lines(report: &Report) -> Result<Vec<u8>, Failure> {
    let head = serde_json::to_value(report)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(ROW_COLUMNS.iter().chain(&HEAD_COLUMNS))
        .map_err(Failure::new)?;
    for row in &report.rows {
        let row = serde_json::to_value(row)?;
        let own = ROW_COLUMNS.iter().map(|name| text(&row[*name]));
        let common = HEAD_COLUMNS.iter().map(|name| text(&head[*name]));
        writer.write_record(own.chain(common)).map_err(Failure::new)?;
    }
    writer.into_inner().map_err(Failure::new)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
