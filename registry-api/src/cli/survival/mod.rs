//! `survival`: curves, tests and models of a cohort file, without a server or a database.

mod estimate;
mod model;
mod print;
mod read;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use registry_etl::statistics::StatisticsError;

use super::{Failure, table};

#[derive(Debug, Args)]
pub(super) struct SurvivalArgs {
    /// CSV with a header, a row per subject (or per span of a subject); `-` reads standard input.
    #[arg(long)]
    input: PathBuf,
    /// Column of the end of observation.
    #[arg(long)]
    time: String,
    /// Column of what happened then: 0 censored, 1, 2, ... the events.
    #[arg(long)]
    event: String,
    /// Column of the start of observation (delayed entry, or `(start, stop]` rows).
    #[arg(long)]
    entry: Option<String>,
    /// Columns that make the groups.
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    group: Vec<String>,
    /// Numeric columns of a model.
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    covariate: Vec<String>,
    /// Columns that make the strata.
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    strata: Vec<String>,
    /// Column that names the subject: with `cox` several rows may share one and standard errors are robust.
    #[arg(long)]
    subject: Option<String>,
    /// Column of case weights.
    #[arg(long)]
    weights: Option<String>,
    #[arg(long, value_enum)]
    method: Method,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The event of interest of a model or test where there are several.
    #[arg(long, default_value_t = 1)]
    cause: usize,
    /// Times of interest; without them every step of a curve.
    #[arg(long, num_args = 1.., value_delimiter = ',', value_parser = time)]
    at: Vec<f64>,
    /// Horizon of the restricted mean.
    #[arg(long, required_if_eq("method", "rmst"))]
    tau: Option<f64>,
    /// Time of the landmark.
    #[arg(long, required_if_eq("method", "landmark"))]
    landmark: Option<f64>,
    /// Column of the time of exposure, empty when never exposed.
    #[arg(long, required_if_eq("method", "landmark"))]
    exposure: Option<String>,
    /// Ties of the Cox model.
    #[arg(long, value_enum, default_value_t = TiesArg::Efron)]
    ties: TiesArg,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Kaplan-Meier, any event, log-log interval.
    Km,
    /// Kaplan-Meier of follow-up.
    ReverseKm,
    /// Log-rank test, with all pairs when there are more than two groups.
    Logrank,
    /// Proportional hazards; other causes censor.
    Cox,
    /// Cumulative incidence of competing events.
    AalenJohansen,
    /// Gray's test.
    Gray,
    /// Proportional subdistribution hazards.
    FineGray,
    /// Restricted mean survival time.
    Rmst,
    /// Curves, log-rank and Cox from a landmark on, by exposure up to it.
    Landmark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns for a person.
    Table,
    /// One object, every table an array of rows.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TiesArg {
    Efron,
    Breslow,
}

fn time(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(time) if time.is_finite() && time >= 0.0 => Ok(time),
        _ => Err("a time is a finite number of at least 0".to_owned()),
    }
}

pub(super) fn survival(args: &SurvivalArgs) -> Result<(), Failure> {
    let place = args.input.display();
    let text = table::bytes_of(&args.input)?;
    let fault = |why: String| Failure::new(format!("{place}: {why}"));
    let cohort = read::read(&text, args).map_err(fault)?;
    let tables = estimate::estimate(&cohort, args).map_err(|e| fault(explained(&e, &cohort.lines, args)))?;
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &print::json(&tables))?;
            writeln!(out)?;
        }
        Format::Table => out.write_all(print::text(&tables).as_bytes())?,
    }
    Ok(())
}

/// An error that names a row says its line in the file and the column at fault.
fn explained(error: &StatisticsError, lines: &[u64], args: &SurvivalArgs) -> String {
    use StatisticsError as E;
    let named = |name: &Option<String>| name.clone().unwrap_or_default();
    let (index, column, why) = match error {
        E::Time { index, what } => {
            let column = match *what {
                "entry" => named(&args.entry),
                "exposure" => named(&args.exposure),
                _ => args.time.clone(),
            };
            (
                index,
                column,
                "a time is a finite number of at least 0".to_owned(),
            )
        }
        E::EntryNotBeforeExit { index } => {
            let why = format!("not before column `{}`", args.time);
            (index, named(&args.entry), why)
        }
        E::Weight { index } => (index, named(&args.weights), "a weight is above 0".to_owned()),
        E::Covariate { index } => (
            index,
            args.covariate.join("` or `"),
            "not a finite number".to_owned(),
        ),
        other => return other.to_string(),
    };
    // Rows of a part of the cohort (a landmark) were checked with the whole before.
    let line = lines.get(*index).copied().unwrap_or_default();
    format!("line {line}, column `{column}`: {why}")
}
