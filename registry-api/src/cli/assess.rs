//! `assess`: the guideline on case documents, without a server or a database.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{NaiveDate, NaiveTime};
use clap::{Args, ValueEnum};
use registry_core::guideline::{Guideline, UnitOutcome};
use registry_core::intake::{self, Limits};
use registry_core::record::{CentreTable, Record};
use registry_core::validation::{Envelope, Judge};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Failure, rules};
use crate::ports::Ports;

#[derive(Debug, Args)]
pub(super) struct AssessArgs {
    /// Case documents: `.json` (one case), `.ndjson` (one a line), or folders of them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only this measure, or this all-or-none summary.
    #[arg(long)]
    measure: Option<String>,
    /// Take envelope (`record`) and derived elements from the document, and skip the edit checks, as for test patients.
    #[arg(long)]
    as_given: bool,
    /// Later events are not seen; today unless given. With --as-given the earlier of this and the document's own.
    #[arg(long)]
    cut_off: Option<NaiveDate>,
    /// Centre the cases are of, unless --as-given.
    #[arg(long, default_value = "")]
    centre: String,
    /// Centre table: a JSON array of yearly rows, or an object that holds one as `centre`.
    #[arg(long)]
    centres: Option<PathBuf>,
    /// Schema folder; without it the schema compiled in.
    #[arg(long)]
    schema: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns.
    Table,
    /// One JSON object a line.
    Json,
}

struct Assessor<'a, W: Write> {
    args: &'a AssessArgs,
    judge: &'a Judge,
    centres: CentreTable,
    cut_off: NaiveDate,
    out: W,
    refused: u32,
}

pub(super) fn assess(args: &AssessArgs, ports: &Ports) -> Result<ExitCode, Failure> {
    let judge = Judge::new(rules::schemas(args.schema.as_deref())?).map_err(Failure::new)?;
    if let Some(wanted) = &args.measure {
        let known = |guideline: &Guideline| {
            guideline.measure(wanted).is_some() || guideline.composite(wanted).is_some()
        };
        if !judge
            .guidelines(&judge.store().current().version)
            .iter()
            .any(known)
        {
            return Err(Failure::new(format!("there is no measure `{wanted}`")));
        }
    }
    let mut assessor = Assessor {
        args,
        judge: &judge,
        centres: args
            .centres
            .as_deref()
            .map(centre_table)
            .transpose()?
            .unwrap_or_default(),
        cut_off: args.cut_off.unwrap_or_else(|| ports.clock.now().date_naive()),
        out: BufWriter::new(std::io::stdout().lock()),
        refused: 0,
    };
    if args.format == Format::Table {
        assessor.line(["case", "measure", "unit", "outcome", "reason", "element"])?;
    }
    for path in &args.files {
        assessor.path(path)?;
    }
    assessor.out.flush()?;
    Ok(if assessor.refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn centre_table(path: &Path) -> Result<CentreTable, Failure> {
    let failure = |why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", path.display()));
    let mut rows: Value =
        serde_json::from_slice(&std::fs::read(path).map_err(|e| failure(&e))?).map_err(|e| failure(&e))?;
    if let Some(inner) = rows.get_mut("centre") {
        rows = inner.take();
    }
    let Value::Array(rows) = rows else {
        return Err(failure(&"neither an array of rows nor an object with `centre`"));
    };
    CentreTable::from_rows(rows).map_err(|e| failure(&e))
}

impl<W: Write> Assessor<'_, W> {
    /// A file, or every file of a folder in the order of names; one document in memory at a time.
    fn path(&mut self, path: &Path) -> Result<(), Failure> {
        let failure = |e: std::io::Error| Failure::new(format!("{}: {e}", path.display()));
        if path.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path).map_err(failure)? {
                inside.push(entry.map_err(failure)?.path());
            }
            inside.sort();
            for path in inside {
                let cases = path
                    .extension()
                    .is_some_and(|ending| ending == "json" || ending == "ndjson");
                if path.is_dir() || cases {
                    self.path(&path)?;
                }
            }
            return Ok(());
        }
        if path.extension().is_some_and(|ending| ending == "ndjson") {
            let lines = BufReader::new(std::fs::File::open(path).map_err(failure)?).split(b'\n');
            for (number, line) in lines.enumerate() {
                let line = line.map_err(failure)?;
                if !line.iter().all(u8::is_ascii_whitespace) {
                    self.document(&format!("{}:{}", path.display(), number + 1), &line)?;
                }
            }
            return Ok(());
        }
        let bytes = std::fs::read(path).map_err(failure)?;
        self.document(&path.display().to_string(), &bytes)
    }

    /// One document; what is wrong with it is said on standard error and the next one follows.
    fn document(&mut self, place: &str, bytes: &[u8]) -> Result<(), Failure> {
        let body = match intake::parse(bytes, &Limits::default()) {
            Ok(body) => body,
            Err(why) => return self.refuse(place, &why.to_string()),
        };
        let judge = self.judge;
        let version = body
            .get("schema_version")
            .or_else(|| body.pointer("/record/schema_version"))
            .and_then(Value::as_str)
            .unwrap_or(&judge.store().current().version);
        let Some(layout) = judge.layout(version) else {
            let accepted: Vec<&str> = judge.accepted_versions().collect();
            let why = format!("its case schema version is not among {}", accepted.join(", "));
            return self.refuse(place, &why);
        };
        let results: Vec<(&Guideline, Vec<UnitOutcome>)> = if self.args.as_given {
            let (document, centres) = match self.given(body.clone()) {
                Ok(given) => given,
                Err(why) => return self.refuse(place, &why),
            };
            let document = judge.store().newest(&document, version);
            let record = Record::read(document.as_ref(), layout, &centres);
            let active = judge
                .guidelines(version)
                .iter()
                .filter(|guideline| guideline.is_active());
            active
                .map(|guideline| (guideline, guideline.evaluate(&record)))
                .collect()
        } else {
            let verdict = judge.judge(&body, &self.envelope(), &self.centres);
            if verdict.rejected() {
                let codes: Vec<String> = verdict
                    .findings
                    .iter()
                    .filter(|finding| finding.severity.as_str() == "reject")
                    .map(|finding| format!("{} at {}", finding.code, finding.pointer))
                    .collect();
                return self.refuse(place, &codes.join(", "));
            }
            let active = judge
                .guidelines(version)
                .iter()
                .filter(|guideline| guideline.is_active());
            active
                .zip(
                    verdict
                        .assessments
                        .into_iter()
                        .map(|assessment| assessment.outcomes),
                )
                .collect()
        };
        let case = body
            .pointer("/patient/pseudonym_id")
            .and_then(Value::as_str)
            .unwrap_or(place)
            .to_owned();
        for (guideline, mut outcomes) in results {
            outcomes.extend(guideline.composite_outcomes(&outcomes));
            for outcome in outcomes {
                self.print(place, &case, guideline, &outcome)?;
            }
        }
        Ok(())
    }

    fn envelope(&self) -> Envelope {
        Envelope {
            record_id: Uuid::nil(),
            centre_id: self.args.centre.clone(),
            submitted_at: self.cut_off.and_time(NaiveTime::MIN).and_utc(),
            data_cutoff_date: self.cut_off,
        }
    }

    /// The document with the cut-off that counts, and the centre table: its own rows when it carries some.
    fn given(&self, mut document: Value) -> Result<(Value, CentreTable), String> {
        if let Some(cut_off) = self.args.cut_off
            && let Some(Value::Object(record)) = document.get_mut("record")
        {
            let own = record.get("data_cutoff_date").and_then(Value::as_str);
            let own = own.and_then(|own| own.parse::<NaiveDate>().ok());
            let earlier = own.map_or(cut_off, |own| own.min(cut_off));
            record.insert("data_cutoff_date".to_owned(), json!(earlier));
        }
        match document.get_mut("centre").map(Value::take) {
            Some(Value::Array(rows)) => {
                let own = CentreTable::from_rows(rows).map_err(|e| e.to_string())?;
                Ok((document, own))
            }
            _ => Ok((document, self.centres.clone())),
        }
    }

    fn refuse(&mut self, place: &str, why: &str) -> Result<(), Failure> {
        self.refused += 1;
        // What was found before comes first also where both streams meet in one terminal.
        self.out.flush()?;
        eprintln!("{place}: {why}");
        Ok(())
    }

    fn print(
        &mut self,
        place: &str,
        case: &str,
        guideline: &Guideline,
        outcome: &UnitOutcome,
    ) -> Result<(), Failure> {
        let at = usize::from(outcome.measure);
        let measure = guideline.measures.get(at).map(|measure| &measure.id);
        let composite = || guideline.composites.get(at - guideline.measures.len());
        let Some(id) = measure.or_else(|| composite().map(|composite| &composite.id)) else {
            return Ok(());
        };
        if self.args.measure.as_ref().is_some_and(|wanted| wanted != id) {
            return Ok(());
        }
        let reason = outcome.reason.map(|reason| reason.as_str());
        match self.args.format {
            Format::Table => self.line([
                case,
                id,
                &outcome.unit_index.to_string(),
                outcome.outcome.as_str(),
                reason.unwrap_or_default(),
                outcome.element.as_deref().unwrap_or_default(),
            ]),
            Format::Json => {
                let line = json!({
                    "file": place, "case": case, "guideline": guideline.id, "guideline_version": guideline.version,
                    "measure": id, "unit_index": outcome.unit_index, "outcome": outcome.outcome.as_str(),
                    "reason": reason, "element": outcome.element, "step": outcome.step.as_str(),
                });
                Ok(writeln!(self.out, "{line}")?)
            }
        }
    }

    fn line(&mut self, [case, measure, unit, outcome, reason, element]: [&str; 6]) -> Result<(), Failure> {
        let line = format!("{case:<24} {measure:<8} {unit:>4}  {outcome:<15} {reason:<21} {element}");
        Ok(writeln!(self.out, "{}", line.trim_end())?)
    }
}
