//! Carrying out a run.

use super::RunError;
use super::counted::Counted;
use crate::cohorts::{Cohort, OVERALL, Transferred, definitions, estimate};
use crate::disclosure::{self, Audience, Thresholds};
use crate::measures::{self, Engine, adherence::AggregateError, adherence_table, funnels};
use crate::results::completeness::NETWORK;
use crate::results::{CentresOfRun, RunIdentity, WorkLoads, kind};
use chrono::{Datelike, NaiveDate};
use rayon::prelude::*;
use registry_core::access::Scope;
use registry_core::guideline::Guideline;
use registry_core::record::{CentreTable, day_number};
use registry_core::rules::ParameterValue;
use registry_core::storage::{
    CaseDocument, CaseHeader, CaseRef, EvaluationRef, FinishRun, NewEvaluation, Run, RunProgress, RunResult,
    RunStatus, StartRun, Store,
};
use serde::Serialize;
use serde_json::json;

/// Cases read, evaluated and stored together.
pub(super) const BATCH: usize = 500;

/// What a run is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Data are counted up to this day.
    pub cut_off: NaiveDate,
    /// Threads that evaluate cases; at least one.
    pub threads: usize,
    pub thresholds: Thresholds,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Evaluating cases: `done` of `total`.
    Evaluating,
    /// Reading evaluations back and counting: `done` of `total`.
    Aggregating,
    /// Estimating rates, curves and what each audience sees, of all cases.
    Summarising,
}

impl Phase {
    /// As kept and answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evaluating => "evaluating",
            Self::Aggregating => "aggregating",
            Self::Summarising => "summarising",
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub run: i64,
    pub phase: Phase,
    pub done: usize,
    pub total: usize,
}

/// What was done with the cases of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Counts {
    cases: usize,
    evaluated: usize,
    reused: usize,
    /// Erased while the run was under way.
    gone: usize,
    /// Registered after the cut-off, and so in no result.
    registered_later: usize,
}

/// Carries out a run: takes the lock, evaluates what has changed, aggregates, stores the results.
///
/// `progress` is told after every batch, and the run keeps it for whoever looks. A failing run is ended as failed, with the class of failure.
///
/// # Errors
/// [`RunError`]; `Store(RunActive)` while another run is under way.
pub fn execute(
    store: &Store,
    scope: &Scope,
    engine: &Engine,
    options: &Options,
    mut progress: impl FnMut(Progress),
) -> Result<Run, RunError> {
    let centres = centre_table(store, scope)?;
    let guideline = engine.guideline()?;
    let parameters = json!({
        "schema_version": engine.schema_version(),
        "schema_digest": engine.judge().store().digest(),
        "guideline": guideline.id,
        "guideline_version": guideline.version,
        "guideline_digest": guideline.digest,
        "centre_table_digest": centres.digest(),
        "engine_version": engine.version(),
        "code_version": env!("CARGO_PKG_VERSION"),
        "thresholds": options.thresholds,
    });
    let run = store.start_run(
        scope,
        StartRun {
            cutoff_date: options.cut_off,
            parameters,
        },
    )?;
    let work = Work {
        store,
        scope,
        engine,
        options,
        centres: &centres,
        run: &run,
    };
    match work.carry_out(&mut progress) {
        Ok(finish) => Ok(store.finish_run(scope, run.number, finish)?),
        Err(error) => {
            // The lock may be lost already; the error that led here is the one to tell.
            if let Err(second) = store.fail_run(scope, run.number, error.class()) {
                tracing::warn!(run = run.number, error = %second, "the failed run could not be ended");
            }
            Err(error)
        }
    }
}

/// The yearly rows of all centres.
///
/// # Errors
/// The store's; rows that make no table.
pub fn centre_table(store: &Store, scope: &Scope) -> Result<CentreTable, RunError> {
    let rows = store.centre_years(scope, None)?.into_iter().map(|year| {
        let mut row = year.values;
        if let Some(row) = row.as_object_mut() {
            row.insert("centre_id".to_owned(), json!(year.centre_id));
            row.insert("effective_year".to_owned(), json!(year.year));
        }
        row
    });
    Ok(CentreTable::from_rows(rows)?)
}

pub(super) struct Work<'a> {
    pub(super) store: &'a Store,
    pub(super) scope: &'a Scope,
    pub(super) engine: &'a Engine,
    pub(super) options: &'a Options,
    pub(super) centres: &'a CentreTable,
    pub(super) run: &'a Run,
}

impl Work<'_> {
    fn carry_out(&self, progress: &mut impl FnMut(Progress)) -> Result<FinishRun, RunError> {
        let mut headers: Vec<CaseHeader> = Vec::new();
        self.store
            .for_each_case_at::<RunError>(self.scope, self.run.watermark, BATCH, |batch| {
                headers.extend(batch);
                Ok(())
            })?;
        let total = headers.len();
        let mut tell = |phase: Phase, done: usize| -> Result<(), RunError> {
            let noted = RunProgress {
                phase: phase.as_str().to_owned(),
                done: done as u64,
                total: total as u64,
            };
            self.store
                .note_run_progress(self.scope, self.run.number, &noted)?;
            progress(Progress {
                run: self.run.number,
                phase,
                done,
                total,
            });
            Ok(())
        };
        let mut counts = Counts {
            cases: total,
            ..Counts::default()
        };
        let digest = self.centres.digest();
        tell(Phase::Evaluating, 0)?;
        for (at, batch) in headers.chunks(BATCH).enumerate() {
            self.evaluate(batch, &digest, &mut counts)?;
            tell(Phase::Evaluating, (at * BATCH + batch.len()).min(total))?;
        }
        let mut counted = Counted::new(self)?;
        self.store
            .for_each_run_evaluation::<RunError>(self.scope, self.run.number, BATCH, |batch| {
                let stored = batch
                    .iter()
                    .map(|one| (one.holders.now(), one.payload.as_slice()));
                counted.push_all(&stored.collect::<Vec<_>>())?;
                tell(Phase::Aggregating, counted.columns.len() + counted.later)
            })?;
        counts.registered_later = counted.later;
        tell(Phase::Summarising, counted.columns.len())?;
        Ok(FinishRun {
            summary: json!(counts),
            results: self.results(&counted)?,
        })
    }

    /// Keeps the lock of a run under way.
    fn sign_of_life(&self) -> Result<(), RunError> {
        match self.run.status {
            RunStatus::Running => Ok(self.store.keep_run_alive(self.scope, self.run.number)?),
            RunStatus::Finished | RunStatus::Failed => Ok(()),
        }
    }

    /// Evaluates what is not stored yet, references the rest.
    fn evaluate(
        &self,
        batch: &[CaseHeader],
        centre_digest: &str,
        counts: &mut Counts,
    ) -> Result<(), RunError> {
        let cut_off = self.options.cut_off;
        let keys: Vec<String> = batch
            .iter()
            .map(|h| self.engine.key(h, cut_off, centre_digest))
            .collect();
        let wanted: Vec<EvaluationRef> = batch
            .iter()
            .zip(&keys)
            .map(|(header, key)| EvaluationRef {
                centre_id: header.case.centre_id.clone(),
                case_id: header.case.case_id.clone(),
                key: key.clone(),
            })
            .collect();
        let known = self.store.known_evaluations(self.scope, &wanted)?;
        let missing: Vec<CaseRef> = batch
            .iter()
            .zip(&known)
            .filter(|(_, known)| !**known)
            .map(|(h, _)| h.case.clone())
            .collect();
        let documents = self
            .store
            .case_documents(self.scope, self.run.watermark, &missing)?;
        let mut payloads = self.evaluate_all(&documents)?.into_iter();
        let mut evaluations = Vec::with_capacity(batch.len());
        for ((header, key), known) in batch.iter().zip(keys).zip(known) {
            let payload = if known { None } else { payloads.next().flatten() };
            match (known, &payload) {
                (true, _) => counts.reused += 1,
                (false, Some(_)) => counts.evaluated += 1,
                (false, None) => {
                    counts.gone += 1;
                    continue;
                }
            }
            evaluations.push(NewEvaluation {
                case: header.case.clone(),
                key,
                payload,
            });
        }
        self.store
            .put_evaluations(self.scope, self.run.number, evaluations)?;
        Ok(())
    }

    /// The versions before this one, oldest first.
    fn earlier(&self, header: &CaseHeader) -> Result<Vec<CaseDocument>, RunError> {
        let wanted: Vec<CaseRef> = (1..header.case.version)
            .map(|version| CaseRef {
                version,
                ..header.case.clone()
            })
            .collect();
        Ok(self
            .store
            .case_documents(self.scope, self.run.watermark, &wanted)?
            .into_iter()
            .flatten()
            .collect())
    }

    /// Payloads of documents, in order, over all threads; `None` for an erased case.
    pub(super) fn evaluate_all(
        &self,
        documents: &[Option<CaseDocument>],
    ) -> Result<Vec<Option<Vec<u8>>>, RunError> {
        let one = |document: &Option<CaseDocument>| -> Result<Option<Vec<u8>>, RunError> {
            let Some(document) = document else { return Ok(None) };
            let earlier = self.earlier(&document.header)?;
            let evaluation = self
                .engine
                .evaluate(document, &earlier, self.options.cut_off, self.centres)?;
            Ok(Some(evaluation.to_payload()?))
        };
        let share = documents.len().div_ceil(self.options.threads.max(1)).max(1);
        let parts: Vec<Result<Vec<_>, RunError>> = std::thread::scope(|threads| {
            let part = |part: &'_ [Option<CaseDocument>]| part.iter().map(one).collect();
            let workers: Vec<_> = documents
                .chunks(share)
                .map(|d| threads.spawn(move || part(d)))
                .collect();
            workers
                .into_iter()
                .map(|w| w.join().unwrap_or(Err(RunError::Thread)))
                .collect()
        });
        let mut all = Vec::with_capacity(documents.len());
        for part in parts {
            all.extend(part?);
        }
        Ok(all)
    }

    pub(super) fn results(&self, counted: &Counted<'_>) -> Result<Vec<RunResult>, RunError> {
        let Counted {
            window,
            columns,
            tally,
            work,
            ..
        } = counted;
        let guideline = self.engine.guideline()?;
        let identity = RunIdentity {
            run: self.run.number,
            cut_off: self.options.cut_off.to_string(),
            schema_version: self.engine.schema_version().to_owned(),
            guideline: guideline.id.clone(),
            guideline_version: guideline.version.clone(),
            engine_version: self.engine.version(),
        };
        let adherence = adherence_table(&identity, window, &self.engine.measures()?, columns)?;
        let mut overview = measures::overview(&identity, window, columns, self.centres);
        let quality = measures::quality(&identity, columns);
        let known = self.store.list_centres(self.scope)?;
        let known = CentresOfRun {
            run: identity.clone(),
            centres: known.into_iter().map(|centre| centre.centre_id).collect(),
        };
        let mut results = vec![
            result(kind::CENTRES, "", &known)?,
            result(kind::QUALITY, "", &quality)?,
            result(
                kind::WORK,
                "",
                &WorkLoads {
                    run: identity.clone(),
                    centres: work.clone(),
                },
            )?,
            result(
                kind::CASE_MIX,
                "",
                &measures::case_mix(&identity, &adherence.measures, columns),
            )?,
        ];
        for (centre, halves) in measures::half_years(&identity, &adherence.measures, columns) {
            results.push(result(kind::HALF_YEARS, &centre, &halves)?);
        }
        let cut_off = day_number(self.options.cut_off);
        let year = self.options.cut_off.year();
        let centres = columns.centre_of_cases();
        let volume = measures::volume_tertiles(self.centres, year);
        let metastasectomies = measures::metastasectomy_tertiles(self.centres, year);
        let cohort = Cohort {
            cases: &columns.facts,
            centres: &centres,
            centre_names: columns.centres.all(),
            volume: columns.thirds_of_cases(&volume),
            metastasectomies: columns.thirds_of_cases(&metastasectomies),
            transferred: Transferred {
                volume: columns.thirds_over_time(&volume),
                metastasectomies: columns.thirds_over_time(&metastasectomies),
            },
            low_volume: low_volume(guideline),
        };
        let definitions = definitions(self.engine.judge().store())?;
        let estimates = definitions
            .par_iter()
            .map(|one| estimate(one, &identity, cut_off, &cohort));
        let mut estimates = estimates.collect::<Result<Vec<_>, _>>()?;
        if let Some(survival) = estimates.iter().find(|one| one.endpoint == OVERALL) {
            overview.left_out_of_survival = measures::left_out_of_survival(&overview, survival);
        }
        results.push(result(kind::OVERVIEW, "", &overview)?);
        disclosure::withhold(&mut estimates, &self.options.thresholds);
        let estimates = definitions.par_iter().zip(&estimates);
        let written =
            estimates.map(|(definition, estimate)| result(kind::SURVIVAL, &definition.id, estimate));
        results.extend(written.collect::<Result<Vec<_>, _>>()?);
        let key_of = |level: &str| if level == NETWORK { "" } else { level }.to_owned();
        for document in tally.documents(&identity) {
            let key = key_of(&document.level);
            results.push(result(kind::COMPLETENESS, &key, &document)?);
        }
        for document in tally.over_time(&identity) {
            let key = key_of(&document.level);
            results.push(result(kind::COMPLETENESS_OVER_TIME, &key, &document)?);
        }
        let limits = &self.options.thresholds;
        self.sign_of_life()?;
        let audiences = [
            (Audience::Exact, ""),
            (Audience::Committee, "committee"),
            (Audience::Public, "public"),
        ];
        let tables = audiences.par_iter().map(|(audience, key)| {
            // The exact document keeps the patients behind each count: a centre's view needs them.
            let hidden = match audience {
                Audience::Exact => None,
                _ => Some(disclosure::adherence(&adherence, audience, limits)),
            };
            let table = hidden.as_ref().unwrap_or(&adherence);
            let funnels = funnels(table).map_err(AggregateError::from)?;
            Ok([
                result(kind::ADHERENCE, key, table)?,
                result(kind::FUNNELS, key, &funnels)?,
            ])
        });
        let tables = tables.collect::<Result<Vec<_>, RunError>>()?;
        results.extend(tables.into_iter().flatten());
        Ok(results)
    }
}

/// Most lesions and most millimetres of a low volume, as the guideline sets them.
pub(crate) fn low_volume(guideline: &Guideline) -> Option<(u32, u32)> {
    let whole = |name: &str| match guideline.parameters.get(name)?.value {
        ParameterValue::Number(value) => Some(value as u32),
        _ => None,
    };
    Some((whole("LOW_VOLUME_COUNT")?, whole("LOW_VOLUME_MM")?))
}

fn result(kind: &str, key: &str, body: &impl Serialize) -> Result<RunResult, RunError> {
    Ok(RunResult {
        kind: kind.to_owned(),
        key: key.to_owned(),
        body: serde_json::to_string(body)?,
    })
}
