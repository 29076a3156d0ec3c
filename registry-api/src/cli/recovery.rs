//! What a restore needs besides the copy: the ledger of withdrawals, and the export that two databases are compared by.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use registry_core::storage::WithdrawalRecord;

use super::Failure;
use super::administer::{open, operator};
use crate::ports::Ports;
use crate::releases::discard_withdrawn;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Withdrawals {
    /// Print what patients took back and is in force, one JSON line each: record ids and keyed hashes, no pseudonym. Keep the list outside
    /// the backups.
    #[command(
        after_help = "Example:\n  registry withdrawals list --to /srv/registry-ledger/withdrawals.jsonl"
    )]
    List {
        /// Write it to this file instead, whole or not at all. A file with a withdrawal that the database does not know is left as it is.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Apply such a list after a restore; what is in force already is skipped. Kept bundles that hold a case of it are removed.
    #[command(after_help = "Example:\n  registry withdrawals apply /srv/registry-ledger/withdrawals.jsonl")]
    Apply {
        /// File as `withdrawals list` prints it.
        file: PathBuf,
    },
}

pub(super) fn withdrawals(command: Withdrawals, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let store = open(&settings, ports)?;
    match command {
        Withdrawals::List { to } => {
            let records = store.withdrawals(&operator())?;
            match to {
                Some(file) => replace(&file, &records),
                None => Ok(print(&records, &mut std::io::stdout().lock())?),
            }
        }
        Withdrawals::Apply { file } => {
            let records = read(&file)?;
            let done = store.reapply_withdrawals(&operator(), &records)?;
            discard_withdrawn(&store, &settings.releases.folder)?;
            println!("{} in the list, {} applied", records.len(), done.applied);
            if done.unknown_centres.is_empty() {
                return Ok(());
            }
            Err(Failure::new(format!(
                "this copy does not know {}: `registry centre add` what is missing, then apply the list again, or patients who \
                 withdrew there could be registered again",
                done.unknown_centres.join(", ")
            )))
        }
    }
}

fn print(records: &[WithdrawalRecord], out: &mut impl Write) -> std::io::Result<()> {
    for record in records {
        serde_json::to_writer(&mut *out, record)?;
        writeln!(out)?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<WithdrawalRecord>, Failure> {
    let mut records = Vec::new();
    let open =
        std::fs::File::open(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    for (n, line) in BufReader::new(open).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let record = serde_json::from_str(&line)
            .map_err(|_| Failure::new(format!("{} line {}: no withdrawal", file.display(), n + 1)))?;
        records.push(record);
    }
    Ok(records)
}

/// Puts the list in the place of `file` in one step. No withdrawal is ever undone, so that a file with one that the database does not know
/// is newer than the database: it is what a restored copy is still to be told.
fn replace(file: &Path, records: &[WithdrawalRecord]) -> Result<(), Failure> {
    if file.exists() {
        let names = |record: &WithdrawalRecord| [Some(record.case_id.clone()), record.claim.clone()];
        let is_final = |record: &&WithdrawalRecord| record.mode.withdrawal().is_some();
        let known: HashSet<String> = records
            .iter()
            .filter(is_final)
            .flat_map(names)
            .flatten()
            .collect();
        let before = read(file)?;
        let missing = before
            .iter()
            .filter(is_final)
            .filter(|before| {
                !names(before)
                    .into_iter()
                    .flatten()
                    .any(|name| known.contains(&name))
            })
            .count();
        if missing > 0 {
            return Err(Failure::new(format!(
                "{} has {missing} withdrawals that the database does not know, and was left as it is: is this a restored copy? \
                 `registry withdrawals apply` it first",
                file.display()
            )));
        }
    }
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    write_whole(&part, records)
        .and_then(|()| std::fs::rename(&part, file))
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

fn write_whole(part: &Path, records: &[WithdrawalRecord]) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(part)?);
    print(records, &mut out)?;
    out.into_inner().map_err(|error| error.into_error())?.sync_all()
}

/// Everything, decrypted, to standard output.
pub(super) fn export(settings: Settings, ports: Ports) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let lines = open(&settings, ports)?.canonical_export(&operator(), &mut out)?;
    out.flush()?;
    eprintln!("{lines} lines");
    Ok(())
}
