//! Building the bundle.

use super::analysis::AdherenceTable;
use super::deidentify::Rules;
use super::entities::{ReleasedCase, tables};
use super::projection::{self, RequestNotes};
use super::spool::FinishedTable;
use super::{ReleaseError, ReleaseOptions, columns, endpoints, package, reference_tables};
use crate::cohorts::definitions;
use crate::measures::{CaseEvaluation, CaseFacts, Engine};
use crate::results::RunIdentity;
use crate::runs::low_volume;
use registry_core::access::Scope;
use registry_core::record::day_number;
use registry_core::storage::{CaseRef, NewRelease, Release, Run, RunStatus, Store};
use registry_core::validation::Envelope;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write};
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Cases read together.
const BATCH: usize = 200;
/// From this size on an entry needs the format's 64-bit fields.
const LARGE: u64 = 1 << 31;

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// SHA-256 (hexadecimal) of the file as it is in the bundle.
    pub sha256: String,
    pub columns: Vec<String>,
}

/// An element that a release does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    pub entity: String,
    pub element: String,
    pub visibility: String,
    pub reason: String,
}

/// What a release is and holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the bundle.
    pub format: String,
    pub release: String,
    pub title: String,
    /// The run it freezes.
    pub run: i64,
    pub cut_off: String,
    pub watermark: i64,
    /// Schema, guideline and engine versions and digests, as the run keeps them.
    pub versions: Value,
    /// Version of the program that wrote the bundle.
    #[serde(default)]
    pub program: String,
    /// Which cases are in it.
    pub filters: Vec<String>,
    pub cases: u64,
    pub files: Vec<FileEntry>,
    pub withheld: Vec<Withheld>,
    /// The data request the bundle is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestNotes>,
}

/// A built release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub manifest: Manifest,
    /// SHA-256 (hexadecimal) and length of the bundle.
    pub sha256: String,
    pub bytes: u64,
    /// Record ids of the cases it holds; never part of the bundle.
    pub case_ids: Vec<String>,
}

/// Writes the bundle of a finished run to `out` (a zip, streamed).
///
/// # Errors
/// [`ReleaseError`]: an unfinished run, a run made by another guideline than the engine's, the store's errors, errors of `out`.
pub fn build(
    store: &Store,
    scope: &Scope,
    engine: &Engine,
    run: &Run,
    options: &ReleaseOptions,
    out: impl Write,
) -> Result<Built, ReleaseError> {
    if run.status != RunStatus::Finished {
        return Err(ReleaseError::NotFinished(run.number));
    }
    engine.made(run)?;
    let schema = engine.judge().store().current();
    let dictionary = &schema.dictionary;
    let (approved, rules) = (options.approved.as_ref(), Rules::of_this_program()?);
    let mut entity_tables = tables(dictionary, approved, &rules)?;
    let mut case_ids = Vec::new();
    let mut adherence = AdherenceTable::begin()?;
    let (mut facts, mut patients): (Vec<CaseFacts>, Vec<String>) = Default::default();
    let measures = engine.measures()?;
    let still = store.last_transfer(scope)?;
    let cases = released_cases(store, scope, run, options)?;
    let cut_off = day_number(run.cutoff_date);
    for batch in cases.chunks(BATCH) {
        let wanted: Vec<CaseRef> = batch.iter().map(|c| c.case.clone()).collect();
        for (case, found) in batch
            .iter()
            .zip(store.case_documents(scope, run.watermark, &wanted)?)
        {
            let Some(found) = found else { continue };
            let evaluation = CaseEvaluation::from_payload(&case.payload)?;
            let envelope = Envelope {
                record_id: Uuid::nil(),
                centre_id: String::new(),
                submitted_at: found.header.submitted_at,
                data_cutoff_date: run.cutoff_date,
            };
            let version = &found.header.schema_version;
            let newest = engine
                .judge()
                .document(&found.document, version, &envelope)
                .to_value();
            let origin = origin(&newest);
            let unmasked = approved.is_some_and(|approved| approved.centre_unmasked);
            let released = ReleasedCase {
                years: projection::diagnosis_years(origin, &rules),
                patient: &case.patient,
                centre: &match unmasked {
                    true => case.centre.clone(),
                    false => options.key.centre(&case.centre),
                },
                case_id: &case.case.case_id,
                document: &newest,
                origin,
            };
            for table in &mut entity_tables {
                table.add(&released, &options.key)?;
            }
            adherence.add(&case.patient, &evaluation, &measures)?;
            facts.push(evaluation.facts);
            patients.push(case.patient.clone());
            case_ids.push(case.case.case_id.clone());
        }
    }
    if store.last_transfer(scope)? != still {
        return Err(ReleaseError::Transferred);
    }
    let definitions = definitions(engine.judge().store())?;
    let references = [
        reference_tables::dictionary(&entity_tables, &definitions, approved)?,
        reference_tables::codelists(&entity_tables)?,
        reference_tables::measures(&measures)?,
    ];
    let entity_files: BTreeSet<String> = entity_tables
        .iter()
        .map(|table| format!("{}.csv", table.entity.name))
        .collect();
    let mut files = Vec::new();
    for table in entity_tables {
        files.push(table.finish()?);
    }
    files.push(adherence.finish()?);
    files.extend(endpoints::tables(
        &definitions,
        &identity(run, engine),
        cut_off,
        (&facts, &patients),
        low_volume(engine.guideline()?),
    )?);
    files.extend(references);
    let patients = files
        .iter()
        .find(|f| f.name == "patient.csv")
        .map_or(0, |f| f.rows);
    let (mut files, request) = match approved {
        Some(approved) => {
            let (files, notes) = projection::cut(files, &entity_files, approved, &rules)?;
            (files, Some(notes))
        }
        None => (files, None),
    };
    let described = package::datapackage(options, &files)?;
    files.push(described);
    files.push(package::citation(options, run)?);
    let manifest = Manifest {
        format: "rps-registry-release/1".to_owned(),
        release: options.release_id.clone(),
        title: options.title.clone(),
        run: run.number,
        cut_off: run.cutoff_date.to_string(),
        watermark: run.watermark,
        versions: run.parameters.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        filters: vec![
            "consent.research_reuse = true".to_owned(),
            "not a draft, not withdrawn when the bundle was built".to_owned(),
        ],
        cases: patients,
        files: files.iter().map(entry).collect(),
        withheld: dictionary
            .entities
            .iter()
            .flat_map(|e| columns::plan(e, approved).1)
            .chain(endpoints::withheld())
            .collect(),
        request,
    };
    let (sha256, bytes) = write_zip(out, &files, &manifest)?;
    Ok(Built {
        manifest,
        sha256,
        bytes,
        case_ids,
    })
}

/// The run as its documents name it; a release's estimates carry no identity of their own.
fn identity(run: &Run, engine: &Engine) -> RunIdentity {
    let told = |name: &str| {
        let value = run.parameters.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    RunIdentity {
        run: run.number,
        cut_off: run.cutoff_date.to_string(),
        schema_version: told("schema_version"),
        guideline: told("guideline"),
        guideline_version: told("guideline_version"),
        engine_version: engine.version(),
    }
}

/// Builds the bundle and records it as a release.
///
/// # Errors
/// As [`build`]; the store's when the id is taken.
pub fn freeze(
    store: &Store,
    scope: &Scope,
    engine: &Engine,
    run: &Run,
    options: &ReleaseOptions,
    out: impl Write,
) -> Result<Release, ReleaseError> {
    let built = build(store, scope, engine, run, options, out)?;
    let release = NewRelease {
        release_id: options.release_id.clone(),
        run: run.number,
        title: options.title.clone(),
        manifest: serde_json::to_value(&built.manifest)?,
        sha256: built.sha256,
        bytes: i64::try_from(built.bytes).unwrap_or(i64::MAX),
    };
    Ok(store.create_release(scope, release)?)
}

/// A case of the run with its pseudonym and evaluation.
struct ChosenCase {
    patient: String,
    /// The centre the patient counts for in the run.
    centre: String,
    case: CaseRef,
    payload: Vec<u8>,
}

/// Cases of the run that may be released, by pseudonym. Evaluations are kept in memory (1 to 2 KB a case): the store
/// hands them out by centre, and a release must not.
fn released_cases(
    store: &Store,
    scope: &Scope,
    run: &Run,
    options: &ReleaseOptions,
) -> Result<Vec<ChosenCase>, ReleaseError> {
    let mut present: HashSet<(String, String)> = HashSet::new();
    store.for_each_case_at::<ReleaseError>(scope, i64::MAX, BATCH, |batch| {
        present.extend(batch.into_iter().map(|h| (h.case.centre_id, h.case.case_id)));
        Ok(())
    })?;
    let mut chosen = Vec::new();
    store.for_each_run_evaluation::<ReleaseError>(scope, run.number, BATCH, |batch| {
        for evaluation in batch {
            let id = (evaluation.case.centre_id.clone(), evaluation.case.case_id.clone());
            let CaseEvaluation { facts, shares, .. } = CaseEvaluation::from_payload(&evaluation.payload)?;
            if facts.research_reuse && present.contains(&id) {
                let centre = match &shares {
                    Some(shares) => shares.centre(shares.patient),
                    None => evaluation.holders.now(),
                };
                let patient = options.key.patient(&evaluation.case.case_id);
                chosen.push(ChosenCase {
                    centre: centre.to_owned(),
                    patient,
                    case: evaluation.case,
                    payload: evaluation.payload,
                });
            }
        }
        Ok(())
    })?;
    chosen.sort_by(|a, b| a.patient.cmp(&b.patient));
    Ok(chosen)
}

/// Date of the metastatic diagnosis as recorded (an edit error does not unmake it here: day 0 is only a reference).
fn origin(document: &Value) -> crate::cohorts::RecordedDate {
    let first = |row: &&Value| row.get("seq").and_then(Value::as_i64) == Some(1);
    let date = document
        .get("presentation")
        .and_then(Value::as_array)
        .and_then(|rows| rows.iter().find(first));
    date.and_then(|row| row.get("date_detected")?.as_str())
        .and_then(registry_core::record::PartialDate::parse)
        .map_or(crate::cohorts::RecordedDate::None, Into::into)
}

fn entry(file: &FinishedTable) -> FileEntry {
    FileEntry {
        name: file.name.clone(),
        rows: file.rows,
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        columns: file.columns.clone(),
    }
}

/// Counts and hashes what passes through.
struct Hashed<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Manifest first, then the files; every entry carries the same fixed time.
fn write_zip(
    out: impl Write,
    files: &[FinishedTable],
    manifest: &Manifest,
) -> Result<(String, u64), ReleaseError> {
    let mut hashed = Hashed {
        out,
        hash: Sha256::new(),
        bytes: 0,
    };
    let mut zip = ZipWriter::new_stream(&mut hashed);
    let entry = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    zip.start_file("manifest.json", entry)?;
    zip.write_all(&serde_json::to_vec_pretty(manifest)?)?;
    zip.write_all(b"\n")?;
    for file in files {
        zip.start_file(&file.name, entry.large_file(file.bytes > LARGE))?;
        io::copy(&mut file.reader(), &mut zip)?;
    }
    zip.finish()?;
    hashed.flush()?;
    Ok((hex::encode(hashed.hash.finalize()), hashed.bytes))
}
