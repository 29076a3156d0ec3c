//! `rules publish`: a draft of the guideline comes into force.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use clap::Args;
use registry_core::guideline;
use registry_core::validation::Judge;
use registry_core::versions::{SchemaFiles, SchemaStore, edited};

use super::Failure;
use super::decide::{Edit, write};
use crate::ports::Ports;

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Number of the draft.
    version: String,
    /// Schema folder.
    #[arg(long)]
    schema: PathBuf,
    /// Day from which it is in force; today unless given.
    #[arg(long)]
    day: Option<NaiveDate>,
}

/// Checks everything first, with the files as they will be; writes only then, and puts the first file back when the second cannot be
/// written.
pub(super) fn publish(args: &PublishArgs, ports: &Ports) -> Result<(), Failure> {
    let today = ports.clock.now().date_naive();
    let day = args.day.unwrap_or(today);
    if day > today {
        return Err(Failure::new(format!("{day} lies in the future")));
    }
    let files = SchemaFiles::from_dir(&args.schema).map_err(Failure::new)?;
    let publication = guideline::publish(&files, &args.version, day).map_err(Failure::new)?;
    let compiled_in = SchemaStore::embedded().map_err(Failure::new)?;
    if let Some(path) = edited(&publication.store, &compiled_in).first() {
        return Err(Failure::new(format!(
            "schema/{path} is published and has been edited; put the change into a new version"
        )));
    }
    // With every version of the case schema, as the service will read it.
    Judge::new(Arc::new(publication.store)).map_err(Failure::new)?;
    let edits = publication
        .edits
        .map(|(path, text)| (args.schema.join(path), text));
    let mut before: Vec<Edit> = Vec::new();
    for edit in &edits {
        before.push((edit.0.clone(), std::fs::read_to_string(&edit.0)?));
        if let Err(failure) = write(edit) {
            before.iter().try_for_each(write)?;
            return Err(failure);
        }
    }
    println!("version {} is in force as of {day}", args.version);
    if let Some(superseded) = publication.superseded {
        println!("version {superseded} is superseded; runs made by it stay readable");
    }
    println!("the service reads it at its next start (schema.folder)");
    Ok(())
}
