//! Building the bundle.

use super::analysis::AdherenceTable;
use super::archive::write_zip;
use super::cases::{self, CasesTable};
use super::deidentify::Rules;
use super::entities::{ReleasedCase, tables};
use super::manifest::{FORMAT, FileEntry, Manifest};
use super::projection;
use super::{
    ReleaseError, ReleaseOptions, accounting, columns, endpoints, package, parquet, reference_tables,
};
use crate::cohorts::definitions;
use crate::measures::{CaseEvaluation, CaseFacts, Engine};
use crate::results::RunIdentity;
use crate::runs::low_volume;
use registry_core::access::Scope;
use registry_core::record::day_number;
use registry_core::storage::{CaseRef, NewRelease, Release, Run, RunStatus, Store};
use registry_core::validation::Envelope;
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use uuid::Uuid;

/// Cases read together.
const BATCH: usize = 200;

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
    build_telling(store, scope, engine, run, options, out, &mut |_, _| ())
}

/// As [`build`]; `progress` hears how many cases are read of how many, at the beginning and after each lot, and again before what is done
/// with all of them together.
fn build_telling(
    store: &Store,
    scope: &Scope,
    engine: &Engine,
    run: &Run,
    options: &ReleaseOptions,
    out: impl Write,
    progress: &mut dyn FnMut(usize, usize),
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
    let definitions = definitions(engine.judge().store())?;
    let mut summaries = CasesTable::begin(dictionary, endpoints::overall(&definitions)?, approved)?;
    let (mut facts, mut patients): (Vec<CaseFacts>, Vec<String>) = Default::default();
    let measures = engine.measures()?;
    let still = store.last_transfer(scope)?;
    let cases = released_cases(store, scope, run, options)?;
    let cut_off = day_number(run.cutoff_date);
    progress(0, cases.len());
    let mut read = 0;
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
            summaries.add(&released, &options.key, &evaluation.facts, cut_off)?;
            facts.push(evaluation.facts);
            patients.push(case.patient.clone());
            case_ids.push(case.case.case_id.clone());
        }
        read += batch.len();
        progress(read, cases.len());
    }
    if store.last_transfer(scope)? != still {
        return Err(ReleaseError::Transferred);
    }
    let references = [
        reference_tables::dictionary(&entity_tables, &summaries, &definitions, approved)?,
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
    let wanted = approved.is_none_or(|approved| approved.files.contains(cases::CASES));
    let mut not_told = std::mem::take(&mut summaries.withheld);
    not_told.retain(|_| wanted);
    files.push(summaries.finish()?);
    files.push(adherence.finish()?);
    files.extend(endpoints::tables(
        &definitions,
        &identity(run, engine),
        cut_off,
        (&facts, &patients),
        low_volume(engine.guideline()?),
    )?);
    if options.fictitious {
        package::say_fictitious(&mut files)?;
    }
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
    progress(read, read);
    cases::with_patients(&mut files)?;
    let described = package::datapackage(options, &files)?;
    files.extend(parquet::tables(&files)?);
    files.push(described);
    files.push(package::citation(options, run)?);
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        release: options.release_id.clone(),
        title: options.title.clone(),
        fictitious: options.fictitious,
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
        accounting: options.accounting.clone(),
        files: files.iter().map(FileEntry::from).collect(),
        withheld: dictionary
            .entities
            .iter()
            .flat_map(|e| columns::plan(e, approved).1)
            .chain(not_told)
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

/// Builds the bundle and records it as a release; `progress` hears how many cases are read, of how many.
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
    mut progress: impl FnMut(usize, usize),
) -> Result<Release, ReleaseError> {
    let before = store.list_releases(scope)?;
    let counted = ReleaseOptions {
        accounting: Some(accounting::count(store, scope, run, before.first())?),
        ..options.clone()
    };
    let built = build_telling(store, scope, engine, run, &counted, out, &mut progress)?;
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
