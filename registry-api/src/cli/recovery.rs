//! What a restore needs besides the copy: the ledger of withdrawals, and the export that two databases are compared by.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use clap::Subcommand;
use registry_core::storage::WithdrawalRecord;

use super::Failure;
use super::administer::{open, operator};
use crate::ports::Ports;
use crate::releases::discard_withdrawn;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Withdrawals {
    /// Print the withdrawals in force, one JSON line each: record ids, no pseudonym. Keep the list outside the backups.
    #[command(after_help = "Example:\n  registry withdrawals list > /var/backups/registry/withdrawals.jsonl")]
    List,
    /// Apply such a list after a restore; what is in force already is skipped. Kept bundles that hold a case of it are removed.
    #[command(after_help = "Example:\n  registry withdrawals apply /var/backups/registry/withdrawals.jsonl")]
    Apply {
        /// File as `withdrawals list` prints it.
        file: PathBuf,
    },
}

pub(super) fn withdrawals(command: Withdrawals, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let store = open(&settings, ports)?;
    match command {
        Withdrawals::List => {
            let mut out = std::io::stdout().lock();
            for record in store.withdrawals(&operator())? {
                serde_json::to_writer(&mut out, &record)?;
                writeln!(out)?;
            }
        }
        Withdrawals::Apply { file } => {
            let mut records: Vec<WithdrawalRecord> = Vec::new();
            for (n, line) in BufReader::new(std::fs::File::open(&file)?).lines().enumerate() {
                let line = line?;
                if !line.trim().is_empty() {
                    records.push(serde_json::from_str(&line).map_err(|_| {
                        Failure::new(format!("{} line {}: no withdrawal", file.display(), n + 1))
                    })?);
                }
            }
            let applied = store.reapply_withdrawals(&operator(), &records)?;
            discard_withdrawn(&store, &settings.releases.folder)?;
            println!("{} in the list, {applied} applied", records.len());
        }
    }
    Ok(())
}

/// Everything, decrypted, to standard output.
pub(super) fn export(settings: Settings, ports: Ports) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let lines = open(&settings, ports)?.canonical_export(&operator(), &mut out)?;
    out.flush()?;
    eprintln!("{lines} lines");
    Ok(())
}
