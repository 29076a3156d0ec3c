//! `import`: cases from flat files (a CSV bundle, REDCap's export) into a running registry.
//!
//! The records go the way of every batch. A case that is as it was makes no new version, so that an import that was
//! interrupted is run again from its beginning.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use registry_core::exchange::{Complaint, Rebuilt};
use registry_core::storage::JobCounts;
use registry_core::versions::SchemaStore;
use serde_json::Value;

use super::{Failure, progress_bar};
use crate::imports::{self, BATCH, Files, Format, Line, Opened};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The folder or zip of a bundle, or the file of an export.
    path: PathBuf,
    /// What it is.
    #[arg(long, value_enum)]
    format: Format,
    /// Mapping file (TOML) of a REDCap project that was not built from this registry's data dictionary.
    #[arg(long)]
    mapping: Option<PathBuf>,
    /// Judge everything and store nothing.
    #[arg(long)]
    dry_run: bool,
    /// Why, for cases that are verified or locked.
    #[arg(long)]
    reason: Option<String>,
    /// Print the report as JSON lines.
    #[arg(long)]
    json: bool,
    /// The registry.
    #[arg(long)]
    url: String,
    /// File with the API key; otherwise it comes from REGISTRY_KEY.
    #[arg(long)]
    key_file: Option<PathBuf>,
}

/// Where to send, and what came of it.
struct Import<'a> {
    args: &'a ImportArgs,
    agent: ureq::Agent,
    key: String,
    counts: JobCounts,
}

pub(super) fn import(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let key = match &args.key_file {
        Some(path) => read_text(path)?,
        None => std::env::var("REGISTRY_KEY")
            .map_err(|_| Failure::new("no key: give --key-file or set REGISTRY_KEY"))?,
    };
    let mut import = Import {
        args,
        agent: ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into(),
        key: key.trim().to_owned(),
        counts: JobCounts::default(),
    };
    let (total, cases) = match open(args)? {
        Ok(opened) => opened,
        Err(complaints) => {
            for complaint in &complaints {
                import.say(&Line::complaint(None, complaint));
            }
            eprintln!("nothing was sent: {} faults of the files", complaints.len());
            return Ok(ExitCode::FAILURE);
        }
    };
    let bar = progress_bar("cases", total as u64);
    let mut batch = Vec::new();
    for case in cases {
        bar.inc(1);
        if case.complaints.is_empty() {
            batch.push(case);
        } else {
            import.counts.refused += 1;
            for complaint in &case.complaints {
                import.say(&Line::complaint(Some(&case), complaint));
            }
            import.say_outcome(&imports::outcome(&case, None));
        }
        if batch.len() == BATCH {
            import.send(&std::mem::take(&mut batch))?;
        }
    }
    import.send(&batch)?;
    bar.finish_and_clear();
    let c = &import.counts;
    let words = if args.dry_run {
        "Nothing was stored. It would be: "
    } else {
        ""
    };
    println!(
        "{words}{} created, {} changed, {} unchanged, {} refused",
        c.created, c.changed, c.unchanged, c.refused
    );
    Ok(if c.refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn open(args: &ImportArgs) -> Result<Result<Opened, Vec<Complaint>>, Failure> {
    let schemas = SchemaStore::embedded().map_err(Failure::new)?;
    let mapping = match &args.mapping {
        None => None,
        Some(_) if args.format == Format::Bundle => {
            return Err(Failure::new("--mapping is for REDCap exports"));
        }
        Some(path) => Some(
            imports::mapping(&schemas, &read_text(path)?)
                .map_err(|e| Failure::new(format!("{}:\n{e}", path.display())))?,
        ),
    };
    let files = match args.format {
        Format::Bundle => bundle_files(&args.path)?,
        _ => {
            let name = args.path.file_name().unwrap_or_default().to_string_lossy();
            let bytes = fs::read(&args.path).map_err(|e| unreadable(&args.path, e))?;
            vec![(name.into_owned(), bytes)]
        }
    };
    Ok(imports::open(&schemas, args.format, mapping.as_ref(), files))
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|e| unreadable(path, e))
}

/// The CSV files of a folder or of a zip.
fn bundle_files(path: &Path) -> Result<Files, Failure> {
    if !path.is_dir() {
        let file = fs::File::open(path).map_err(|e| unreadable(path, e))?;
        return imports::unzip(file, u64::MAX - 1).map_err(|e| unreadable(path, e));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "csv") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let bytes = fs::read(&path).map_err(|e| unreadable(&path, e))?;
            files.push((name.into_owned(), bytes));
        }
    }
    files.sort();
    Ok(files)
}

impl Import<'_> {
    /// Sends a batch and reports what its items are answered.
    fn send(&mut self, batch: &[Rebuilt]) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut body = String::new();
        for case in batch {
            body.push_str(&imports::item(case).to_string());
            body.push('\n');
        }
        let action = if self.args.dry_run { "validate" } else { "batch" };
        let url = format!("{}/api/v1/cases:{action}", self.args.url.trim_end_matches('/'));
        let mut request = self
            .agent
            .post(&url)
            .header("authorization", format!("Bearer {}", self.key));
        if let Some(reason) = &self.args.reason {
            request = request.header("change-reason", reason);
        }
        let mut response = request
            .content_type("application/x-ndjson")
            .send(body)
            .map_err(Failure::new)?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_string()
            .map_err(Failure::new)?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let results = answer["results"].as_array().filter(|_| status == 200);
        let Some(results) = results.filter(|r| r.len() == batch.len()) else {
            let title = answer["title"].as_str().unwrap_or("no answer of a registry");
            return Err(Failure::new(format!(
                "{status} {title}; what was sent before is stored: run the import again"
            )));
        };
        for (case, result) in batch.iter().zip(results) {
            for line in imports::report(&mut self.counts, case, result) {
                self.say(&line);
            }
            self.say_outcome(&imports::outcome(case, Some(result)));
        }
        Ok(())
    }

    /// What became of a case: for programs, a person reads the sum.
    fn say_outcome(&self, line: &Line<'_>) {
        if self.args.json {
            self.say(line);
        }
    }

    fn say(&self, line: &Line<'_>) {
        if self.args.json {
            println!("{}", serde_json::json!(line));
        } else {
            println!("{line}");
        }
    }
}
