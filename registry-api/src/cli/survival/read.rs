//! The cohort file. What is wrong is told by line and column; values stay in the file, and no row is left out.

use std::collections::HashMap;

use registry_etl::statistics::survival::Groups;

use super::super::table;
use super::{Method, SurvivalArgs};

/// More causes than this are a column of something else.
const MOST_CAUSES: i64 = 20;

/// The columns asked for.
pub(super) struct Cohort {
    /// Line of each row in the file.
    pub(super) lines: Vec<u64>,
    pub(super) time: Vec<f64>,
    pub(super) event: Vec<i64>,
    /// The largest event code.
    pub(super) causes: usize,
    pub(super) entry: Option<Vec<f64>>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) covariates: Vec<Vec<f64>>,
    pub(super) groups: Option<Groups>,
    pub(super) strata: Option<Groups>,
    pub(super) subjects: Option<Groups>,
    pub(super) exposure: Option<Vec<Option<f64>>>,
}

struct Table {
    header: csv::StringRecord,
    records: Vec<csv::StringRecord>,
    lines: Vec<u64>,
}

pub(super) fn read(text: &[u8], args: &SurvivalArgs) -> Result<Cohort, String> {
    let table = Table::of(text)?;
    let event = table.column(&args.event, event_code)?;
    let labels = |names: &[String]| -> Result<Option<Groups>, String> {
        if names.is_empty() {
            return Ok(None);
        }
        let columns: Vec<Vec<String>> = names
            .iter()
            .map(|name| table.column(name, label))
            .collect::<Result<_, _>>()?;
        let row = |i: usize| {
            columns
                .iter()
                .map(|c| c[i].as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        Ok(Some(Groups::of(
            &(0..table.lines.len()).map(row).collect::<Vec<_>>(),
        )))
    };
    let columns: Vec<Vec<f64>> = args
        .covariate
        .iter()
        .map(|name| table.column(name, number))
        .collect::<Result<_, _>>()?;
    let numbers = |name: &Option<String>| name.as_deref().map(|n| table.column(n, number)).transpose();
    let cohort = Cohort {
        time: table.column(&args.time, number)?,
        causes: event.iter().max().map_or(1, |m| (*m).max(1) as usize),
        event,
        entry: numbers(&args.entry)?,
        weights: numbers(&args.weights)?,
        covariates: (0..table.lines.len())
            .map(|i| columns.iter().map(|c| c[i]).collect())
            .collect(),
        groups: labels(&args.group)?,
        strata: labels(&args.strata)?,
        subjects: args
            .subject
            .as_deref()
            .map(|name| table.column(name, label).map(|c| Groups::of(&c)))
            .transpose()?,
        exposure: args
            .exposure
            .as_deref()
            .map(|name| table.column(name, perhaps))
            .transpose()?,
        lines: table.lines,
    };
    if args.method != Method::Cox {
        once(&cohort, args)?;
    }
    Ok(cohort)
}

/// Only a model of hazards takes several rows of one subject.
fn once(cohort: &Cohort, args: &SurvivalArgs) -> Result<(), String> {
    let (Some(subjects), Some(column)) = (&cohort.subjects, &args.subject) else {
        return Ok(());
    };
    let mut seen = HashMap::new();
    for (subject, line) in subjects.as_slice().iter().zip(&cohort.lines) {
        if let Some(first) = seen.insert(subject, line) {
            return Err(format!(
                "line {line}, column `{column}`: the same subject as in line {first}"
            ));
        }
    }
    Ok(())
}

impl Table {
    fn of(text: &[u8]) -> Result<Self, String> {
        let (mut reader, header, text) = table::open(text)?;
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.map_err(|_| "a row is not CSV".to_owned())?;
            let line = record.position().map_or(0, |p| line_of(text, p));
            if record.len() != header.len() {
                return Err(format!(
                    "line {line}: {} fields, the header has {}",
                    record.len(),
                    header.len()
                ));
            }
            records.push(record);
            lines.push(line);
        }
        if records.is_empty() {
            return Err("there is no row under the header".to_owned());
        }
        Ok(Self {
            header,
            records,
            lines,
        })
    }

    /// Every cell of the column `name`.
    fn column<T>(&self, name: &str, parse: fn(&str) -> Result<T, &'static str>) -> Result<Vec<T>, String> {
        let found: Vec<usize> = (0..self.header.len())
            .filter(|i| &self.header[*i] == name)
            .collect();
        let at = match found[..] {
            [] => return Err(format!("header: there is no column `{name}`")),
            [one] => one,
            _ => return Err(format!("header: more than one column `{name}`")),
        };
        let cell = |(record, line): (&csv::StringRecord, &u64)| {
            parse(&record[at]).map_err(|why| format!("line {line}, column `{name}`: {why}"))
        };
        self.records.iter().zip(&self.lines).map(cell).collect()
    }
}

/// Line on which a record begins: its position is that of empty lines skipped before it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = text.as_bytes().get(from..).unwrap_or_default().iter();
    let breaks = skipped.take_while(|b| matches!(b, b'\n' | b'\r'));
    position.line() + breaks.filter(|b| **b == b'\n').count() as u64
}

fn number(text: &str) -> Result<f64, &'static str> {
    if text.is_empty() {
        return Err("empty");
    }
    let number: f64 = text.parse().map_err(|_| "not a number")?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("not a finite number")
    }
}

fn perhaps(text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    number(text).map(Some)
}

fn event_code(text: &str) -> Result<i64, &'static str> {
    if text.is_empty() {
        return Err("empty");
    }
    match text.parse::<i64>() {
        Ok(code) if (0..=MOST_CAUSES).contains(&code) => Ok(code),
        _ => Err("not an event code: 0 censored, 1 to 20 the events"),
    }
}

fn label(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("empty: a missing value needs a name of its own");
    }
    Ok(text.to_owned())
}
