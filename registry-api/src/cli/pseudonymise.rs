//! `pseudonymise`: what the trusted party runs, on its own machine. Nothing is stored; identifiers leave the output.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use registry_core::crypto::{IdentifierKind, PseudonymKey};

use super::{Failure, table};

const PSEUDONYM: &str = "pseudonym_id";

#[derive(Debug, Args)]
pub(super) struct PseudonymiseArgs {
    /// CSV with a header, one patient a row; `-` reads standard input.
    #[arg(long)]
    input: PathBuf,
    /// File with the trusted party's key, which no centre and no registry has: 64 hexadecimal digits (`openssl rand -hex 32`).
    #[arg(long)]
    key_file: PathBuf,
    /// A column that identifies the patient, `name` or `name:day` for a date (YYYY-MM-DD). All parties must use the same columns in
    /// the same order.
    #[arg(long = "identifier", required = true, value_parser = identifier)]
    identifiers: Vec<Identifier>,
    /// A column to keep beside the pseudonym; every other one is left out.
    #[arg(long)]
    keep: Vec<String>,
}

#[derive(Debug, Clone)]
struct Identifier {
    column: String,
    kind: IdentifierKind,
}

fn identifier(text: &str) -> Result<Identifier, String> {
    let (column, kind) = match text.split_once(':') {
        None => (text, IdentifierKind::Text),
        Some((column, "day")) => (column, IdentifierKind::Day),
        Some(_) => return Err("after the colon stands `day` or nothing".to_owned()),
    };
    Ok(Identifier {
        column: column.to_owned(),
        kind,
    })
}

/// Writes the kept columns and the pseudonym of every row. When a row cannot be used nothing is written, and every such row is named
/// by line and column, never by value.
pub(super) fn pseudonymise(args: &PseudonymiseArgs) -> Result<(), Failure> {
    let about = |path: &std::path::Path, why: &dyn std::fmt::Display| {
        Failure::new(format!("{}: {why}", path.display()))
    };
    let key = std::fs::read_to_string(&args.key_file).map_err(|e| about(&args.key_file, &e))?;
    let key = PseudonymKey::parse(&key).map_err(|e| about(&args.key_file, &e))?;
    let bytes = table::bytes_of(&args.input)?;
    let (mut reader, header, _) = table::open(&bytes).map_err(|e| about(&args.input, &e))?;
    let place = |column: &str| {
        let mut found = header.iter().enumerate().filter(|(_, name)| *name == column);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok(at),
            (None, _) => Err(Failure::new(format!("there is no column `{column}`"))),
            (Some(_), Some(_)) => Err(Failure::new(format!("there are two columns `{column}`"))),
        }
    };
    let kept = args
        .keep
        .iter()
        .map(|name| place(name))
        .collect::<Result<Vec<_>, _>>()?;
    let read = args.identifiers.iter();
    let read = read
        .map(|one| Ok((one, place(&one.column)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    if let Some((one, _)) = read.iter().find(|(_, at)| kept.contains(at)) {
        return Err(Failure::new(format!(
            "`{}` identifies the patient and is not kept",
            one.column
        )));
    }

    let mut out = csv::Writer::from_writer(Vec::new());
    let names = args.keep.iter().map(String::as_str).chain([PSEUDONYM]);
    out.write_record(names).map_err(Failure::new)?;
    let mut faults = Vec::new();
    let mut lines: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|_| Failure::new("a row is not CSV"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let mut forms = Vec::with_capacity(read.len());
        for (one, at) in &read {
            match one.kind.normal_form(row.get(*at).unwrap_or_default()) {
                Ok(form) => forms.push((one.column.as_str(), form)),
                Err(why) => faults.push(format!("line {line}: `{}` {why}", one.column)),
            }
        }
        if forms.len() < read.len() {
            continue;
        }
        let pseudonym = key.pseudonym(forms.iter().map(|(name, form)| (*name, form.as_str())));
        let fields = kept.iter().map(|at| row.get(*at).unwrap_or_default());
        out.write_record(fields.chain([pseudonym.as_str()]))
            .map_err(Failure::new)?;
        lines.entry(pseudonym).or_default().push(line);
    }
    if !faults.is_empty() {
        return Err(Failure::new(format!(
            "no pseudonym was made:\n{}",
            faults.join("\n")
        )));
    }
    for same in lines.values().filter(|lines| lines.len() > 1) {
        let same: Vec<String> = same.iter().map(u64::to_string).collect();
        eprintln!("lines {} are the same patient", same.join(", "));
    }
    let bytes = out.into_inner().map_err(|e| Failure::new(e.error()))?;
    std::io::stdout().lock().write_all(&bytes)?;
    Ok(())
}
