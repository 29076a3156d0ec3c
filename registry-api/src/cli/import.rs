//! `import`: cases from flat files (a CSV bundle, REDCap's export) into a running registry.
//!
//! The records go the way of every batch. A case that is as it was makes no new version, so that an import that was
//! interrupted is run again from its beginning.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use registry_core::exchange::{
    BundleReader, Complaint, Layout, Mapping, Place, Rebuilt, RedcapFormat, RedcapReader, Style,
};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};

use super::{Failure, progress_bar};

/// Cases sent together: a request of about a megabyte.
const BATCH: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One CSV file per entity, in a folder or a zip.
    Bundle,
    /// REDCap's flat export as CSV.
    RedcapCsv,
    /// REDCap's flat export as JSON.
    RedcapJson,
}

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
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    created: u64,
    changed: u64,
    unchanged: u64,
    refused: u64,
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
        counts: Counts::default(),
    };
    let (total, cases) = match open(args)? {
        Ok(opened) => opened,
        Err(complaints) => {
            for complaint in &complaints {
                import.complain(None, complaint);
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
                import.complain(Some(&case.patient), complaint);
            }
        }
        if batch.len() == BATCH {
            import.send(&std::mem::take(&mut batch))?;
        }
    }
    import.send(&batch)?;
    bar.finish_and_clear();
    let c = &import.counts;
    let words = if args.dry_run {
        "would be stored"
    } else {
        "created"
    };
    println!(
        "{} {words}, {} changed, {} unchanged, {} refused",
        c.created, c.changed, c.unchanged, c.refused
    );
    Ok(if c.refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

type Opened = (usize, Box<dyn Iterator<Item = Rebuilt>>);

fn open(args: &ImportArgs) -> Result<Result<Opened, Vec<Complaint>>, Failure> {
    let schemas = SchemaStore::embedded().map_err(Failure::new)?;
    let versions: Vec<_> = schemas
        .case_schemas()
        .iter()
        .map(|s| Arc::clone(&s.dictionary))
        .collect();
    let version = &schemas.current().version;
    let format = match args.format {
        Format::Bundle => {
            if args.mapping.is_some() {
                return Err(Failure::new("--mapping is for REDCap exports"));
            }
            let layout = Arc::new(Layout::new(Style::Bundle, &versions));
            let opened = BundleReader::open(layout, version, bundle_files(&args.path)?);
            return Ok(opened.map(|r| (r.len(), Box::new(r) as Box<dyn Iterator<Item = Rebuilt>>)));
        }
        Format::RedcapCsv => RedcapFormat::Csv,
        Format::RedcapJson => RedcapFormat::Json,
    };
    let layout = Arc::new(Layout::new(Style::Redcap, &versions));
    let mapping = match &args.mapping {
        None => None,
        Some(path) => Some(
            Mapping::read(&read_text(path)?, &layout)
                .map_err(|e| Failure::new(format!("{}:\n{e}", path.display())))?,
        ),
    };
    let name = args.path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = fs::read(&args.path).map_err(|e| unreadable(&args.path, e))?;
    let opened = RedcapReader::open(layout, version, format, mapping.as_ref(), &name, bytes);
    Ok(opened.map(|r| (r.len(), Box::new(r) as Box<dyn Iterator<Item = Rebuilt>>)))
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|e| unreadable(path, e))
}

/// The CSV files of a folder or of a zip.
fn bundle_files(path: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "csv") {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                files.push((name, fs::read(&path).map_err(|e| unreadable(&path, e))?));
            }
        }
    } else {
        let file = fs::File::open(path).map_err(|e| unreadable(path, e))?;
        let mut zip = zip::ZipArchive::new(file).map_err(|e| unreadable(path, e))?;
        for n in 0..zip.len() {
            let mut entry = zip.by_index(n).map_err(|e| unreadable(path, e))?;
            let name = entry.name().to_owned();
            if entry.is_file() && name.ends_with(".csv") {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(|e| unreadable(path, e))?;
                files.push((name.rsplit('/').next().unwrap_or_default().to_owned(), bytes));
            }
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
            body.push_str(&case.document.to_string());
            body.push('\n');
        }
        let action = if self.args.dry_run { "validate" } else { "batch" };
        let url = format!("{}/api/v1/cases:{action}", self.args.url.trim_end_matches('/'));
        let mut response = self
            .agent
            .post(&url)
            .header("authorization", format!("Bearer {}", self.key))
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
            self.report(case, result);
        }
        Ok(())
    }

    fn report(&mut self, case: &Rebuilt, result: &Value) {
        let stored = result["accepted"]
            .as_bool()
            .unwrap_or_else(|| result["status"].as_u64().is_some_and(|s| s < 300));
        let counted = match (stored, result["unchanged"].as_bool(), result["status"].as_u64()) {
            (false, ..) => &mut self.counts.refused,
            (true, Some(true), _) => &mut self.counts.unchanged,
            (true, _, Some(200)) => &mut self.counts.changed,
            (true, ..) => &mut self.counts.created,
        };
        *counted += 1;
        let findings = ["findings", "errors"]
            .iter()
            .filter_map(|k| result[*k].as_array());
        let mut told = false;
        for finding in findings.flatten() {
            told = true;
            let place = case.place(finding["pointer"].as_str().unwrap_or_default());
            self.say(
                Some(&case.patient),
                finding["severity"].as_str().unwrap_or("reject"),
                finding["code"].as_str().unwrap_or_default(),
                &place,
                finding["message"].as_str().unwrap_or_default(),
            );
        }
        if !stored && !told {
            let code = result["code"].as_str().or(result["problem"]["code"].as_str());
            let title = result["title"].as_str().or(result["problem"]["title"].as_str());
            let (code, title) = (code.unwrap_or("refused"), title.unwrap_or_default());
            self.say(Some(&case.patient), "reject", code, &case.place(""), title);
        }
    }

    fn complain(&self, case: Option<&str>, complaint: &Complaint) {
        self.say(
            case,
            "reject",
            complaint.code,
            &complaint.place,
            &complaint.message,
        );
    }

    /// One line of the report. It names the case and the cell, never what stands in the cell.
    fn say(&self, case: Option<&str>, severity: &str, code: &str, place: &Place, message: &str) {
        if self.args.json {
            let line = json!({ "case": case, "severity": severity, "code": code, "place": place, "message": message });
            println!("{line}");
        } else {
            println!("{place}: {severity} {code}: {message}");
        }
    }
}
