//! Cases from flat files: what the import command and `POST /api/v1/imports` have in common.

use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use registry_core::exchange::{
    BundleReader, Complaint, Layout, Mapping, Place, Rebuilt, RedcapFormat, RedcapReader, Style,
};
use registry_core::storage::JobCounts;
use registry_core::validation::may_be_repeated;
use registry_core::versions::SchemaStore;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Cases stored together.
pub(crate) const BATCH: usize = 100;

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// One CSV file per entity, in a folder or a zip: what the export calls `csv`.
    #[serde(alias = "csv")]
    #[value(alias = "csv")]
    Bundle,
    /// REDCap's flat export as CSV.
    RedcapCsv,
    /// REDCap's flat export as JSON.
    RedcapJson,
}

/// Files by name.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// How many cases, and the cases.
pub(crate) type Opened = (usize, Box<dyn Iterator<Item = Rebuilt>>);

fn layout(schemas: &SchemaStore, style: Style) -> Layout {
    let versions: Vec<_> = schemas
        .case_schemas()
        .iter()
        .map(|s| Arc::clone(&s.dictionary))
        .collect();
    Layout::new(style, &versions)
}

/// Reads a mapping file against the dictionaries.
///
/// # Errors
/// All its problems in words.
pub(crate) fn mapping(schemas: &SchemaStore, text: &str) -> Result<Mapping, String> {
    Mapping::read(text, &layout(schemas, Style::Redcap)).map_err(|e| e.to_string())
}

/// The cases in the files; the complaints when the files as a whole cannot be read.
///
/// # Errors
/// Complaints, each with its place.
pub(crate) fn open(
    schemas: &SchemaStore,
    format: Format,
    mapping: Option<&Mapping>,
    files: Files,
) -> Result<Opened, Vec<Complaint>> {
    let version = &schemas.current().version;
    let format = match format {
        Format::Bundle => {
            let layout = Arc::new(layout(schemas, Style::Bundle));
            let reader = BundleReader::open(layout, version, files)?;
            return Ok((reader.len(), Box::new(reader)));
        }
        Format::RedcapCsv => RedcapFormat::Csv,
        Format::RedcapJson => RedcapFormat::Json,
    };
    let layout = Arc::new(layout(schemas, Style::Redcap));
    let (name, bytes) = files.into_iter().next().unwrap_or_default();
    let reader = RedcapReader::open(layout, version, format, mapping, &name, bytes)?;
    Ok((reader.len(), Box::new(reader)))
}

/// The CSV files of a zip, at most `most` bytes of them.
///
/// # Errors
/// No zip, or more than that.
pub(crate) fn unzip(zip: impl Read + Seek, most: u64) -> Result<Files, String> {
    let mut zip = zip::ZipArchive::new(zip).map_err(|e| e.to_string())?;
    let (mut files, mut left) = (Vec::new(), most);
    for n in 0..zip.len() {
        let entry = zip.by_index(n).map_err(|e| e.to_string())?;
        let name = entry.name().rsplit('/').next().unwrap_or_default().to_owned();
        if !entry.is_file() || !name.ends_with(".csv") {
            continue;
        }
        let mut bytes = Vec::new();
        // What an entry claims about its size is not believed.
        let read = entry.take(left + 1).read_to_end(&mut bytes);
        let read = read.map_err(|e| format!("{name}: {e}"))? as u64;
        left = left
            .checked_sub(read)
            .ok_or_else(|| format!("the files in the zip have more than {most} bytes: send them in parts"))?;
        files.push((name, bytes));
    }
    files.sort();
    Ok(files)
}

/// A line of the report. It names the case and the cell, never what stands in the cell.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = LineOfReport)]
pub(crate) struct Line<'a> {
    pub(crate) case: Option<&'a str>,
    pub(crate) severity: &'a str,
    pub(crate) code: &'a str,
    pub(crate) place: Place,
    pub(crate) message: &'a str,
}

impl<'a> Line<'a> {
    /// What is wrong with a cell, or with the files.
    pub(crate) fn complaint(case: Option<&'a Rebuilt>, complaint: &'a Complaint) -> Self {
        Self {
            case: case.and_then(named),
            severity: "reject",
            code: complaint.code,
            place: complaint.place.clone(),
            message: &complaint.message,
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            severity,
            code,
            message,
            ..
        } = self;
        write!(f, "{place}: {severity} {code}: {message}")
    }
}

/// The pseudonym of a case, as far as a report may repeat it; the place of a line tells which case it is in any event.
fn named(case: &Rebuilt) -> Option<&str> {
    Some(case.patient.as_str()).filter(|name| may_be_repeated(name))
}

/// A case as an item of a batch, with what its rows say about it.
pub(crate) fn item(case: &Rebuilt) -> Value {
    if case.version.is_none() && case.status.is_none() {
        return case.document.clone();
    }
    json!({ "case": case.document, "envelope": { "version": case.version, "status": case.status } })
}

/// What became of a case by what it was answered (the item of a batch or of a validation), or would become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    Created,
    Changed,
    Unchanged,
    Refused,
}

impl Became {
    pub(crate) fn of(result: &Value) -> Self {
        let (stored, became) = match result["accepted"].as_bool() {
            // A dry run says what it would be; a withdrawal, which it does not look up, changes.
            Some(accepted) => (
                accepted && result["refusal"].is_null(),
                result["would_be"].as_str().unwrap_or("changed"),
            ),
            None => {
                let status = result["status"].as_u64().unwrap_or_default();
                let unchanged = result["unchanged"].as_bool() == Some(true);
                let became = if status == 201 { "new" } else { "changed" };
                (
                    status < 300 && status > 0,
                    if unchanged { "unchanged" } else { became },
                )
            }
        };
        match (stored, became) {
            (false, _) => Self::Refused,
            (true, "unchanged") => Self::Unchanged,
            (true, "new") => Self::Created,
            (true, _) => Self::Changed,
        }
    }

    /// As the counts of a job name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// Severity of the line that says what became of a case.
pub(crate) const OUTCOME: &str = "info";

/// The line that says what became of a case, or would become: after the lines about its cells.
pub(crate) fn outcome<'a>(case: &'a Rebuilt, result: Option<&Value>) -> Line<'a> {
    Line {
        case: named(case),
        severity: OUTCOME,
        code: result.map_or(Became::Refused, Became::of).as_str(),
        place: case.place(""),
        message: "",
    }
}

/// Counts what became of a case; whether it was stored, or would be.
pub(crate) fn count(counts: &mut JobCounts, result: &Value) -> bool {
    let became = Became::of(result);
    let counted = match became {
        Became::Refused => &mut counts.refused,
        Became::Unchanged => &mut counts.unchanged,
        Became::Created => &mut counts.created,
        Became::Changed => &mut counts.changed,
    };
    *counted += 1;
    became != Became::Refused
}

/// Counts what a case was answered, and says it in lines that lead back to its cells.
pub(crate) fn report<'a>(counts: &mut JobCounts, case: &'a Rebuilt, result: &'a Value) -> Vec<Line<'a>> {
    let stored = count(counts, result);
    let line = |severity: Option<&'a str>,
                code: Option<&'a str>,
                pointer: Option<&str>,
                message: Option<&'a str>| Line {
        case: named(case),
        severity: severity.unwrap_or("reject"),
        code: code.unwrap_or("refused"),
        place: case.place(pointer.unwrap_or_default()),
        message: message.unwrap_or_default(),
    };
    let refusal = [&result["refusal"], &result["problem"], result]
        .into_iter()
        .find(|said| said["title"].is_string());
    // What the centre has answered is settled: it is not told again at every import.
    let findings = ["findings", "errors", "warnings"]
        .iter()
        .filter_map(|k| result[*k].as_array())
        .chain(
            refusal
                .filter(|r| !std::ptr::eq(*r, result))
                .and_then(|r| r["errors"].as_array()),
        )
        .flatten()
        .filter(|finding| finding["state"] != "answered");
    let mut lines: Vec<_> = findings
        .map(|f| {
            line(
                f["severity"].as_str(),
                f["code"].as_str(),
                f["pointer"].as_str(),
                f["message"].as_str(),
            )
        })
        .collect();
    let told = lines.iter().any(|line| line.severity == "reject");
    if !stored && !told {
        let said = |name: &str| refusal.and_then(|refusal| refusal[name].as_str());
        lines.push(line(
            None,
            said("code"),
            None,
            said("detail").or_else(|| said("title")),
        ));
    }
    lines
}
