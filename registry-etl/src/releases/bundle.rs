//! Building the bundle.

use super::analysis::AdherenceTable;
use super::archive::write_zip;
use super::cases::{self, CasesTable};
use super::deidentify::Rules;
use super::eligible::{Fate, fates};
use super::entities::{EntityTable, ReleasedCase, tables};
use super::manifest::{FORMAT, FileEntry, Manifest};
use super::multiselect::MultiselectTable;
use super::pseudonyms::ReleaseKey;
use super::spool::Spool;
use super::table::FinishedTable;
use super::{
    ReleaseError, ReleaseOptions, accounting, columns, endpoints, package, parquet, projection,
    reference_tables,
};
use crate::cohorts::definitions;
use crate::measures::{CaseEvaluation, CaseFacts, Engine};
use crate::results::{MeasureHead, RunIdentity};
use crate::runs::low_volume;
use rayon::prelude::*;
use registry_core::access::Scope;
use registry_core::record::day_number;
use registry_core::storage::{
    CaseDocument, CaseRef, NewRelease, Release, Run, RunEvaluation, RunStatus, Store,
};
use registry_core::validation::Envelope;
use serde_json::Value;
use std::collections::BTreeSet;
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

/// Writes the bundle of a finished run to `out` (a zip, streamed). Case by case into a temporary file: memory holds what the endpoints are
/// estimated from and a line of the case list for each case, and no table.
///
/// # Errors
/// [`ReleaseError`]: an unfinished run, a run made by another guideline than the engine's, the store's errors, errors of `out` and of the
/// temporary file. What `out` holds then is no bundle.
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
    let spool = &Spool::in_folder(&options.spool)?;
    let dictionary = &engine.judge().store().current().dictionary;
    let (approved, rules) = (options.approved.as_ref(), Rules::of_this_program()?);
    rules.agree_with(dictionary)?;
    let definitions = definitions(engine.judge().store())?;
    let measures = engine.measures()?;
    let cut_off = day_number(run.cutoff_date);
    let entities = tables(spool, dictionary, approved, &rules)?;
    let mut growing = Growing {
        sets: MultiselectTable::begin(spool, &entities)?,
        entities,
        cases: CasesTable::begin(spool, dictionary, endpoints::overall(&definitions)?, approved)?,
        adherence: AdherenceTable::begin(spool)?,
    };
    let (mut facts, mut patients, mut case_ids): (Vec<CaseFacts>, Vec<String>, Vec<String>) =
        Default::default();
    let still = store.last_transfer(scope)?;
    let cases = released_cases(store, scope, run, options)?;
    progress(0, cases.len());
    let reading = Reading {
        engine,
        run,
        rules: &rules,
        options,
    };
    let mut read = 0;
    for batch in cases.chunks(BATCH) {
        let wanted: Vec<CaseRef> = batch.iter().map(|c| c.case.clone()).collect();
        let evaluations = store.run_evaluations(scope, run.number, &wanted)?;
        let documents = store.case_documents(scope, run.watermark, &wanted)?;
        let both = batch.par_iter().zip(evaluations).zip(documents);
        let both = both.filter_map(|((case, evaluation), found)| Some((case, evaluation?, found?)));
        let told: Vec<ReleasedCase<'_>> = both
            .map(|(case, evaluation, found)| reading.case(case, &evaluation, &found))
            .collect::<Result<_, _>>()?;
        growing.add(&told, &options.key, (&measures, cut_off))?;
        for case in told {
            facts.push(case.evaluation.facts);
            patients.push(case.patient.to_owned());
            case_ids.push(case.case_id.to_owned());
        }
        read += batch.len();
        progress(read, cases.len());
    }
    if store.last_transfer(scope)? != still {
        return Err(ReleaseError::Transferred);
    }
    let references = [
        reference_tables::dictionary(spool, &growing.entities, &growing.cases, &definitions, approved)?,
        reference_tables::codelists(spool, &growing.entities, dictionary, &definitions)?,
        reference_tables::measures(spool, &measures)?,
    ];
    let entity_files: BTreeSet<String> = growing.entities.iter().map(EntityTable::file).collect();
    let wanted = approved.is_none_or(|approved| approved.files.contains(cases::CASES));
    let mut not_told = std::mem::take(&mut growing.cases.withheld);
    not_told.retain(|_| wanted);
    let mut files = growing.finish()?;
    files.extend(endpoints::tables(
        spool,
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
    let (mut files, k_anonymity, request) = match approved {
        Some(approved) => {
            let (files, notes) = projection::cut(files, &entity_files, approved, &rules)?;
            (files, None, Some(notes))
        }
        None => {
            let measured = projection::measured(&files, &rules)?;
            (files, measured, None)
        }
    };
    progress(read, read);
    cases::with_patients(&mut files)?;
    package::cut_readme(&mut files)?;
    let described = package::datapackage(spool, options, &files)?;
    files.extend(parquet::tables(&files)?);
    files.push(described);
    files.push(package::citation(spool, options, run)?);
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        release: options.release_id.clone(),
        title: options.title.clone(),
        fictitious: options.fictitious,
        run: run.number,
        cut_off: run.cutoff_date.to_string(),
        watermark: approved.is_none().then_some(run.watermark),
        versions: run.parameters.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        filters: vec![
            "consent.research_reuse = true".to_owned(),
            "not registered after the cut-off".to_owned(),
            "neither a draft, nor withdrawn, nor without that consent when the bundle was built".to_owned(),
        ],
        cases: patients,
        k_anonymity,
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

/// How the cases of a release are read.
struct Reading<'a> {
    engine: &'a Engine,
    run: &'a Run,
    rules: &'a Rules,
    options: &'a ReleaseOptions,
}

impl Reading<'_> {
    fn case<'c>(
        &self,
        case: &'c ChosenCase,
        stored: &RunEvaluation,
        found: &CaseDocument,
    ) -> Result<ReleasedCase<'c>, ReleaseError> {
        let mut evaluation = CaseEvaluation::from_payload(&stored.payload)?;
        evaluation.facts = evaluation.facts.as_released();
        let envelope = Envelope {
            record_id: Uuid::nil(),
            centre_id: String::new(),
            submitted_at: found.header.submitted_at,
            data_cutoff_date: self.run.cutoff_date,
        };
        let judge = self.engine.judge();
        let document = judge
            .document(&found.document, &found.header.schema_version, &envelope)
            .to_value();
        let origin = origin(&document);
        let centre = match &evaluation.shares {
            Some(shares) => shares.centre(shares.patient),
            None => stored.holders.now(),
        };
        let approved = self.options.approved.as_ref();
        let unmasked = approved.is_some_and(|approved| approved.centre_unmasked);
        Ok(ReleasedCase {
            years: projection::diagnosis_years(origin, self.rules),
            patient: &case.patient,
            centre: match unmasked {
                true => centre.to_owned(),
                false => self.options.key.centre(centre),
            },
            case_id: &case.case.case_id,
            document,
            origin,
            evaluation,
        })
    }
}

/// The tables that grow case by case.
struct Growing<'a> {
    entities: Vec<EntityTable<'a>>,
    sets: Option<MultiselectTable<'a>>,
    cases: CasesTable<'a>,
    adherence: AdherenceTable,
}

impl Growing<'_> {
    /// Adds some cases to every table, the tables side by side; the cut-off is the run's, a day number.
    fn add(
        &mut self,
        cases: &[ReleasedCase<'_>],
        key: &ReleaseKey,
        (measures, cut_off): (&[MeasureHead], i32),
    ) -> Result<(), ReleaseError> {
        let Self {
            entities,
            sets,
            cases: of_cases,
            adherence,
        } = self;
        let of_entities = || {
            entities
                .par_iter_mut()
                .try_for_each(|table| table.add(cases, key))
        };
        let of_sets = || sets.as_mut().map_or(Ok(()), |sets| sets.add(cases));
        let others = || {
            let (sets, lines) = rayon::join(of_sets, || of_cases.add(cases, key, cut_off));
            sets.and(lines)
        };
        let (entities, (units, others)) = rayon::join(of_entities, || {
            rayon::join(|| adherence.add(cases, measures), others)
        });
        entities.and(units).and(others)
    }

    fn finish(self) -> Result<Vec<FinishedTable>, ReleaseError> {
        let mut files = Vec::new();
        for table in self.entities {
            files.push(table.finish()?);
        }
        if let Some(sets) = self.sets {
            files.push(sets.finish()?);
        }
        files.push(self.cases.finish()?);
        files.push(self.adherence.finish()?);
        Ok(files)
    }
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
        cases: built.case_ids,
    };
    Ok(store.create_release(scope, release)?)
}

/// A case of the run with its pseudonym.
struct ChosenCase {
    patient: String,
    case: CaseRef,
}

/// Cases of the run that may be released, by pseudonym: the store hands them out by centre, and a release must not.
fn released_cases(
    store: &Store,
    scope: &Scope,
    run: &Run,
    options: &ReleaseOptions,
) -> Result<Vec<ChosenCase>, ReleaseError> {
    let held = fates(store, scope, run)?.into_iter();
    let mut chosen: Vec<ChosenCase> = held
        .filter(|(_, fate)| *fate == Fate::Held)
        .map(|(case, _)| ChosenCase {
            patient: options.key.patient(&case.case_id),
            case,
        })
        .collect();
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
