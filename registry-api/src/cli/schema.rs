//! `schema`: what a version of the case schema changes, whether it can be published, and publishing it.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use registry_core::validation::Judge;
use registry_core::versions::{
    ChangeClass, SchemaDiff, SchemaFiles, SchemaStore, Status, edited, publish, ready,
};
use std::sync::Arc;

use super::{Failure, assess::Format, rules};
use crate::ports::Ports;

#[derive(Debug, Subcommand)]
pub(super) enum Schema {
    /// What differs between two versions, each change cosmetic, an addition or breaking.
    #[command(
        after_help = "Example:\n  registry schema diff 1.0.0 1.1.0\n  registry schema diff 1.0.0 1.1.0 --schema schema --format json"
    )]
    Diff(DiffArgs),
    /// Whether a folder is sound: nothing published has been edited, and every draft could be published; exit code 1 when not.
    #[command(after_help = "Example:\n  registry schema check schema")]
    Check {
        /// Schema folder.
        folder: PathBuf,
    },
    /// Publish a draft: sets its status and day and freezes its files in catalog.toml.
    #[command(after_help = "Example:\n  registry schema publish 1.2.0 --schema schema --day 2027-01-15")]
    Publish(PublishArgs),
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The version before.
    old: String,
    /// The version after.
    new: String,
    /// Schema folder; without it the schema compiled in.
    #[arg(long)]
    schema: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// The version, listed in catalog.toml as a draft.
    version: String,
    /// Schema folder.
    #[arg(long)]
    schema: PathBuf,
    /// Day of publication; today unless given.
    #[arg(long)]
    day: Option<NaiveDate>,
}

pub(super) fn schema(command: &Schema, ports: &Ports) -> Result<ExitCode, Failure> {
    match command {
        Schema::Diff(args) => diff(args),
        Schema::Check { folder } => check(folder),
        Schema::Publish(args) => publish_version(args, ports),
    }
}

fn diff(args: &DiffArgs) -> Result<ExitCode, Failure> {
    let store = rules::schemas(args.schema.as_deref())?;
    for version in [&args.old, &args.new] {
        if store.case_schema(version).is_none() {
            let known: Vec<&str> = store.case_schemas().iter().map(|s| s.version.as_str()).collect();
            let known = known.join(", ");
            return Err(Failure::new(format!(
                "there is no version {version}; there are {known}"
            )));
        }
    }
    let diff = store
        .diff(&args.old, &args.new)
        .ok_or_else(|| Failure::new("there is no such version"))?;
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&diff)?),
        Format::Table => {
            for change in &diff.changes {
                let upgraded = if change.upgraded { " (upgraded)" } else { "" };
                println!(
                    "{:<9} {:<22} {:<36} {}{upgraded}",
                    change.class, change.what, change.place, change.words
                );
            }
            println!("{}", summary(&diff));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(diff: &SchemaDiff) -> String {
    let counts = ChangeClass::ALL.map(|class| format!("{} {class}", diff.count(class)));
    format!("{} to {}: {}", diff.from, diff.to, counts.join(", "))
}

fn check(folder: &std::path::Path) -> Result<ExitCode, Failure> {
    let store = rules::schemas(Some(folder))?;
    let published = SchemaStore::embedded().map_err(Failure::new)?;
    let mut wrong: Vec<String> = edited(&store, &published)
        .into_iter()
        .map(|path| {
            format!("schema/{path} is published and has been edited; put the change into a new version")
        })
        .collect();
    for schema in store.case_schemas() {
        let told = store.changes(&schema.version);
        let told = told.map_or_else(|| "the first version".to_owned(), |diff| summary(&diff));
        println!("{:<10} {:<11} {told}", schema.version, schema.status.as_str());
        if schema.status == Status::Draft
            && let Err(why) = ready(&store, schema)
        {
            wrong.push(format!("version {} cannot be published: {why}", schema.version));
        }
    }
    // Rules are compiled for drafts as well: they would be in force on publication.
    if let Err(why) = Judge::with_drafts(store) {
        wrong.push(why.to_string());
    }
    for why in &wrong {
        eprintln!("{why}");
    }
    Ok(if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn publish_version(args: &PublishArgs, ports: &Ports) -> Result<ExitCode, Failure> {
    let files = SchemaFiles::from_dir(&args.schema).map_err(Failure::new)?;
    let compiled_in = SchemaStore::embedded().map_err(Failure::new)?;
    let day = args.day.unwrap_or_else(|| ports.clock.now().date_naive());
    let publication = publish(&files, &args.version, day).map_err(Failure::new)?;
    if let Some(path) = edited(&publication.store, &compiled_in).first() {
        return Err(Failure::new(format!(
            "schema/{path} is published and has been edited; put the change into a new version"
        )));
    }
    Judge::new(Arc::new(publication.store)).map_err(Failure::new)?;
    std::fs::write(args.schema.join("catalog.toml"), publication.catalogue)?;
    println!("version {} is published as of {day}", args.version);
    if let Some(diff) = publication.diff {
        println!("{}", summary(&diff));
    }
    Ok(ExitCode::SUCCESS)
}
