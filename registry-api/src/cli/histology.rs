//! `rules histology`: what the committee decided on a histology that stands in neither column of the source's Table 1.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use registry_core::versions::{DECISIONS, EligibilityClass};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::decide::{Edit, complete, read, write};
use super::{Failure, rules};
use crate::ports::Ports;

#[derive(Debug, Args)]
pub(super) struct HistologyArgs {
    /// ICD-O-3.2 morphology with behaviour, `8854/3`.
    morphology: String,
    /// What its cases are from now on; `not_listed` takes a decision back.
    #[arg(value_enum)]
    class: Class,
    /// Code of the listed histology its cases count as.
    #[arg(long)]
    counts_as: Option<String>,
    /// Who decided.
    #[arg(long)]
    by: String,
    /// Why, in a sentence.
    #[arg(long)]
    reason: String,
    /// The day of the decision; today unless given.
    #[arg(long)]
    date: Option<NaiveDate>,
    /// Schema folder to write to.
    #[arg(long, default_value = "schema")]
    schema: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Class {
    Core,
    Extended,
    Excluded,
    NotListed,
}

impl Class {
    fn code(self) -> &'static str {
        match self {
            Self::Core => EligibilityClass::Core.as_str(),
            Self::Extended => EligibilityClass::Extended.as_str(),
            Self::Excluded => EligibilityClass::Excluded.as_str(),
            Self::NotListed => EligibilityClass::NotListed.as_str(),
        }
    }
}

/// Adds the decision and reads the whole schema with it; what does not read is taken back.
pub(super) fn histology(args: &HistologyArgs, ports: &Ports) -> Result<(), Failure> {
    complete(&args.by, &args.reason, args.date, ports)?;
    let (code, behaviour) = args.morphology.split_once('/').unwrap_or_default();
    let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(code, 4) || !digits(behaviour, 1) {
        return Err(Failure::new(format!(
            "`{}` is no morphology: write it as 8854/3",
            args.morphology
        )));
    }
    rules::schemas(Some(&args.schema))?;
    let path = args.schema.join(DECISIONS);
    let before = if path.exists() {
        Some(std::fs::read_to_string(&path)?)
    } else {
        None
    };
    let edit: Edit = (path.clone(), decided(args, ports, &path)?);
    std::fs::create_dir_all(args.schema.join("adjudication"))?;
    write(&edit)?;
    if let Err(fault) = rules::schemas(Some(&args.schema)) {
        match before {
            Some(text) => write(&(path, text))?,
            None => std::fs::remove_file(&path)?,
        }
        return Err(Failure::new(format!("nothing is decided: {fault}")));
    }
    println!(
        "next: restart the service with this schema folder, judge what is stored again (`registry cases rejudge`) and start a run"
    );
    Ok(())
}

/// `decisions.toml` with one entry more.
fn decided(args: &HistologyArgs, ports: &Ports, path: &std::path::Path) -> Result<String, Failure> {
    let mut document = if path.exists() {
        read(path)?
    } else {
        DocumentMut::new()
    };
    let date = args.date.unwrap_or_else(|| ports.clock.now().date_naive());
    let date: toml_edit::Datetime = date.to_string().parse().map_err(Failure::new)?;
    let mut entry = Table::new();
    entry.insert("morphology", value(args.morphology.as_str()));
    entry.insert("eligibility_class", value(args.class.code()));
    if let Some(code) = &args.counts_as {
        entry.insert("histology_code", value(code.as_str()));
    }
    entry.insert("decided", value(date));
    entry.insert("by", value(args.by.as_str()));
    entry.insert("reason", value(args.reason.as_str()));
    let list = document
        .entry("decision")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let list = list
        .as_array_of_tables_mut()
        .ok_or_else(|| Failure::new(format!("{}: `decision` is no list of tables", path.display())))?;
    list.push(entry);
    Ok(document.to_string())
}
