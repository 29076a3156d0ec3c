//! Releases at the terminal of the coordinating office: freeze a run, list what there is, look at one, take its bundle or a file out.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use registry_core::storage::{FreezingState, Release as Frozen, StoreError};
use registry_etl::releases::{Excel, Manifest};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::administer::operator;
use super::{Failure, progress_bar, start_log};
use crate::ports::Ports;
use crate::problem::Kind;
use crate::releases::{NewFreezing, bundle, freeze};
use crate::settings::Settings;
use crate::startup;
use crate::state::AppState;

/// Bytes copied at a time.
const CHUNK: usize = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Release {
    /// Freeze a published run.
    #[command(
        after_help = "Example:\n  registry release create 12 --release 2026-2 --title 'Second release of 2026'"
    )]
    Create(CreateArgs),
    /// List the releases, newest first, and what is being frozen.
    #[command(after_help = "Example:\n  registry release list\n  registry release list --json")]
    List {
        /// Print JSON lines.
        #[arg(long)]
        json: bool,
    },
    /// What a release holds, leaves out and withholds.
    #[command(
        after_help = "Example:\n  registry release show 2026-2\n  registry release show 2026-2 --json > manifest.json"
    )]
    Show {
        /// Id as `release list` shows it.
        id: String,
        /// Print the manifest.
        #[arg(long)]
        json: bool,
    },
    /// Write the bundle, or one file of it, and check its SHA-256; built again first when the service's copy is gone. Audited.
    #[command(
        after_help = "Example:\n  registry release download 2026-2\n  registry release download 2026-2 --file patient.csv --excel --output patients.csv"
    )]
    Download(DownloadArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Number of the run.
    run: i64,
    /// Id of the release, as it will be cited (default `run-<number>`).
    #[arg(long)]
    release: Option<String>,
    /// Its title (default `Run <number>`).
    #[arg(long)]
    title: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DownloadArgs {
    /// Id as `release list` shows it.
    id: String,
    /// One file by its name, instead of the bundle; `cases.parquet` is the table `cases.csv` as Parquet.
    #[arg(long)]
    file: Option<String>,
    /// The table as Excel opens it: semicolons, byte order mark, no formulas. It is not what the SHA-256 is of.
    #[arg(long, requires = "file")]
    excel: bool,
    /// Where to; never over a file that is there (default: its own name, here).
    #[arg(long)]
    output: Option<PathBuf>,
}

pub(super) fn release(command: Release, settings: Settings, ports: Ports) -> Result<(), Failure> {
    start_log(&settings.log)?;
    let state = startup::assemble(settings, ports)?;
    match command {
        Release::Create(args) => create(&state, args),
        Release::List { json } => list(&state, json),
        Release::Show { id, json } => show(&state, &id, json),
        Release::Download(args) => download(&state, &args),
    }
}

fn create(state: &AppState, args: CreateArgs) -> Result<(), Failure> {
    let bar = progress_bar("freezing", 0);
    let new = NewFreezing {
        run: args.run,
        id: args.release,
        title: args.title,
    };
    let frozen = freeze(state, &operator(), new, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    let release = frozen.map_err(|problem| match problem.kind {
        Kind::NotFound => Failure::new(format!("there is no run {}", args.run)),
        _ => problem.into(),
    })?;
    bar.finish_and_clear();
    let manifest = manifest(&release)?;
    println!(
        "{} frozen from run {}: {} cases, {} files, {} bytes",
        release.release_id,
        release.run,
        manifest.cases,
        manifest.files.len(),
        release.bytes
    );
    println!("sha256 {}", release.sha256);
    Ok(())
}

fn no_release(id: &str) -> Failure {
    Failure::new(format!(
        "there is no release {id}: `registry release list` shows what there is"
    ))
}

fn manifest(release: &Frozen) -> Result<Manifest, Failure> {
    Ok(Manifest::deserialize(&release.manifest)?)
}

fn list(state: &AppState, as_json: bool) -> Result<(), Failure> {
    let scope = operator();
    for one in state.store.list_freezings(&scope)? {
        if as_json {
            println!("{}", json!({ "release": one.release_id, "freezing": one }));
            continue;
        }
        let how = match one.state {
            FreezingState::Running => format!("being frozen, {} of {} cases", one.done, one.total),
            FreezingState::Interrupted => "interrupted".to_owned(),
            FreezingState::Failed => format!("came to nothing: {}", one.problem.unwrap_or_default()),
        };
        println!("{}\trun {}\t{how}\t{}", one.release_id, one.run, one.title);
    }
    for one in state.store.list_releases(&scope)? {
        let manifest = manifest(&one)?;
        if as_json {
            println!(
                "{}",
                json!({
                    "release": one.release_id, "run": one.run, "title": one.title, "cut_off": manifest.cut_off, "cases": manifest.cases,
                    "sha256": one.sha256, "bytes": one.bytes, "created_at": one.created_at, "created_by": one.created_by,
                })
            );
            continue;
        }
        println!(
            "{}\trun {}\tfrozen {}\t{} cases up to {}\tsha256 {}\t{}",
            one.release_id,
            one.run,
            one.created_at.date_naive(),
            manifest.cases,
            manifest.cut_off,
            one.sha256,
            one.title
        );
    }
    Ok(())
}

fn show(state: &AppState, id: &str, as_json: bool) -> Result<(), Failure> {
    let release = state
        .store
        .release(&operator(), id)
        .map_err(|error| match error {
            StoreError::NotFound => no_release(id),
            other => other.into(),
        })?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&release.manifest)?);
        return Ok(());
    }
    let manifest = manifest(&release)?;
    println!("{}: {}", release.release_id, release.title);
    println!(
        "run {}, data up to {}, {} cases",
        release.run, manifest.cut_off, manifest.cases
    );
    println!(
        "frozen {} by {}",
        release.created_at.date_naive(),
        release.created_by
    );
    println!("bundle {} bytes, sha256 {}", release.bytes, release.sha256);
    if let Some(accounting) = &manifest.accounting {
        let told = |count: Option<u64>| count.map_or_else(|| "not told".to_owned(), |n| n.to_string());
        for one in &accounting.left_out {
            println!("left out, {}: {}", one.reason, told(one.cases));
        }
        if let Some(changes) = &accounting.changes {
            println!(
                "since {}: {} new, {} in another version, {} no longer in it",
                changes.since,
                told(changes.added),
                told(changes.changed),
                told(changes.left)
            );
        }
    }
    println!("{} elements and columns withheld", manifest.withheld.len());
    for file in &manifest.files {
        println!(
            "{}\t{} rows\t{} columns\t{} bytes\tsha256 {}",
            file.name,
            file.rows,
            file.columns.len(),
            file.bytes,
            file.sha256
        );
    }
    Ok(())
}

fn download(state: &AppState, args: &DownloadArgs) -> Result<(), Failure> {
    let scope = operator();
    let (release, path) = bundle(state, &scope, &args.id).map_err(|problem| match problem.kind {
        Kind::NotFound => no_release(&args.id),
        _ => problem.into(),
    })?;
    let taken = args.file.as_deref().unwrap_or("bundle.zip");
    let record = |bytes: u64| {
        let details = json!({ "file": taken, "bytes": bytes });
        let subject = Some(release.release_id.as_str());
        state
            .store
            .record_access(&scope, "release.download", subject, details)
    };
    let Some(name) = &args.file else {
        let name = format!("rps-registry-{}.zip", release.release_id);
        let target = args.output.clone().unwrap_or_else(|| PathBuf::from(name));
        record(release.bytes.unsigned_abs())?;
        return write(
            &mut File::open(&path)?,
            release.bytes.unsigned_abs(),
            Some(&release.sha256),
            &target,
        );
    };
    let manifest = manifest(&release)?;
    // The Parquet files have a folder; their names do not repeat those of others.
    let parquet = format!("parquet/{name}");
    let named = |file: &&registry_etl::releases::FileEntry| file.name == *name || file.name == parquet;
    let listed = manifest.files.iter().find(named);
    let entry = listed.ok_or_else(|| Failure::new(format!("{name}: no such file in {}", args.id)))?;
    let own = name.rsplit('/').next().unwrap_or(name);
    let mut archive = ZipArchive::new(File::open(&path)?).map_err(Failure::new)?;
    let mut inside = archive.by_name(&entry.name).map_err(Failure::new)?;
    if !args.excel {
        let target = args.output.clone().unwrap_or_else(|| PathBuf::from(own));
        record(entry.bytes)?;
        return write(&mut inside, entry.bytes, Some(&entry.sha256), &target);
    }
    let Some(stem) = own.strip_suffix(".csv") else {
        return Err(Failure::new("--excel: only a CSV file has such a form"));
    };
    let own = format!("{stem}-excel.csv");
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(own));
    record(entry.bytes)?;
    write(&mut Excel::new(inside), entry.bytes, None, &target)
}

/// Copies to a new file that only its owner reads: what was written is removed when it is not all, or not what the digest is of.
fn write(from: &mut dyn Read, length: u64, sha256: Option<&str>, target: &Path) -> Result<(), Failure> {
    let mut wanted = std::fs::OpenOptions::new();
    wanted.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut wanted, 0o600);
    let file = wanted
        .open(target)
        .map_err(|e| Failure::new(format!("{}: {e}", target.display())))?;
    let copied = copy(from, length, sha256, file);
    match copied {
        Ok(bytes) => {
            println!("{}: {bytes} bytes", target.display());
            Ok(())
        }
        Err(failure) => {
            std::fs::remove_file(target)?;
            Err(failure)
        }
    }
}

fn copy(from: &mut dyn Read, length: u64, sha256: Option<&str>, file: File) -> Result<u64, Failure> {
    let bar = progress_bar("bytes", length);
    let (mut out, mut digest) = (BufWriter::new(file), Sha256::new());
    let (mut chunk, mut copied) = (vec![0u8; CHUNK], 0u64);
    loop {
        let n = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let read = chunk.get(..n).unwrap_or_default();
        digest.update(read);
        out.write_all(read)?;
        copied += read.len() as u64;
        bar.set_position(copied);
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    bar.finish_and_clear();
    let found = hex::encode(digest.finalize());
    if sha256.is_some_and(|wanted| wanted != found) {
        return Err(Failure::new(
            "what was read is not what was frozen: its SHA-256 is another; remove the service's copy, so that it is built again",
        ));
    }
    Ok(copied)
}
