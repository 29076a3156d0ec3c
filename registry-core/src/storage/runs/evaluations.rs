//! Evaluations, sealed with their case's key: stored once per evaluation key, referenced by every run that used them.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use rayon::prelude::*;

use super::life::{keep_alive, watermark};
use super::source::{Place, wrapped_keys};
use super::{CaseRef, EvaluationRef, NewEvaluation, RunEvaluation};
use crate::access::Scope;
use crate::crypto::Label;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Transfers;
use crate::storage::keyring::{CaseKey, Keyring};
use crate::storage::store::require;
use crate::storage::tables::{cases, evaluations, run_evaluations};
use crate::storage::transaction::Tx;
use crate::storage::{Store, StoreError};

/// Rows inserted by one statement: five columns each, below SQLite's 32,766 parameters.
const ROWS_A_STATEMENT: usize = 1000;

#[derive(Insertable)]
#[diesel(table_name = evaluations, treat_none_as_default_value = false)]
struct EvaluationRecord {
    centre_id: String,
    case_id: String,
    evaluation_key: String,
    version: i64,
    payload: Vec<u8>,
}

#[derive(Insertable)]
#[diesel(table_name = run_evaluations, treat_none_as_default_value = false)]
struct ReferenceRecord {
    centre_id: String,
    run: i64,
    case_id: String,
    version: i64,
    evaluation_key: String,
}

fn label(centre: &str, case_id: &str, key: &str) -> Label {
    Label::new("evaluation")
        .with(centre.as_bytes())
        .with(case_id.as_bytes())
        .with(key.as_bytes())
}

/// The keys stored for these cases: centre by centre, so that the primary key serves the query on both databases.
fn known(conn: &mut Conn, wanted: &[EvaluationRef]) -> Result<HashSet<(String, String, String)>, StoreError> {
    let mut found = HashSet::new();
    for of_centre in wanted.chunk_by(|a, b| a.centre_id == b.centre_id) {
        for some in of_centre.chunks(ROWS_A_STATEMENT) {
            let centre = &some[0].centre_id;
            let query = evaluations::table
                .filter(evaluations::centre_id.eq(centre))
                .filter(evaluations::case_id.eq_any(distinct(some.iter().map(|w| w.case_id.as_str()))))
                .select((evaluations::case_id, evaluations::evaluation_key));
            let rows = on_conn!(conn, c => query.load::<(String, String)>(c))?;
            found.extend(rows.into_iter().map(|(case, key)| (centre.clone(), case, key)));
        }
    }
    Ok(found)
}

pub(crate) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<_> = texts.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn store(tx: &mut Tx<'_>, run: i64, all: &[NewEvaluation]) -> Result<(), StoreError> {
    keep_alive(tx, run)?;
    let places: Vec<Place<'_>> = all.iter().map(|e| Place::of(&e.case)).collect();
    let wrapped = wrapped_keys(tx.conn()?, &places)?;
    let mut payloads = Vec::new();
    let mut references = Vec::new();
    for evaluation in all {
        let (centre, case_id) = (&evaluation.case.centre_id, &evaluation.case.case_id);
        // A case erased while the run was under way leaves it.
        let Some(wrapped) = wrapped.get(&(centre.clone(), case_id.clone())) else {
            continue;
        };
        if let Some(payload) = &evaluation.payload {
            let key = tx.keys.open_case_key(centre, case_id, wrapped)?;
            payloads.push(EvaluationRecord {
                centre_id: centre.clone(),
                case_id: case_id.clone(),
                evaluation_key: evaluation.key.clone(),
                version: evaluation.case.version,
                payload: sealed_payload(tx, &key, centre, case_id, &evaluation.key, payload)?,
            });
        }
        references.push(ReferenceRecord {
            centre_id: centre.clone(),
            run,
            case_id: case_id.clone(),
            version: evaluation.case.version,
            evaluation_key: evaluation.key.clone(),
        });
    }
    for some in payloads.chunks(ROWS_A_STATEMENT) {
        let some: Vec<_> = some.iter().collect();
        on_conn!(tx.conn()?, c => diesel::insert_into(evaluations::table)
            .values(some).on_conflict_do_nothing().execute(c))?;
    }
    for some in references.chunks(ROWS_A_STATEMENT) {
        let some: Vec<_> = some.iter().collect();
        on_conn!(tx.conn()?, c => diesel::insert_into(run_evaluations::table)
            .values(some).on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

/// The payload of an evaluation, sealed for its place.
pub(crate) fn sealed_payload(
    tx: &Tx<'_>,
    case_key: &CaseKey,
    centre: &str,
    case_id: &str,
    key: &str,
    payload: &[u8],
) -> Result<Vec<u8>, StoreError> {
    case_key.seal(tx.entropy, &label(centre, case_id, key), case_id, payload)
}

/// The payload of an evaluation as it was given.
pub(crate) fn opened_payload(
    case_key: &CaseKey,
    centre: &str,
    case_id: &str,
    key: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    case_key.open(&label(centre, case_id, key), case_id, sealed)
}

type RunRow = (String, String, i64, String, Vec<u8>, Option<Vec<u8>>);

fn opened(keys: &Keyring, known: &Transfers, row: RunRow) -> Result<Option<RunEvaluation>, StoreError> {
    let (centre_id, case_id, version, key, payload, wrapped) = row;
    let Some(wrapped) = wrapped else {
        return Ok(None);
    };
    let case_key = keys.open_case_key(&centre_id, &case_id, &wrapped)?;
    Ok(Some(RunEvaluation {
        holders: known.holders(&centre_id, &case_id),
        payload: opened_payload(&case_key, &centre_id, &case_id, &key, &payload)?,
        case: CaseRef {
            centre_id,
            case_id,
            version,
        },
        key,
    }))
}

impl Store {
    /// Which of these evaluations are stored, in input order.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn known_evaluations(
        &self,
        scope: &Scope,
        wanted: &[EvaluationRef],
    ) -> Result<Vec<bool>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "read evaluations")?;
        let found = self.read(scope, |conn, _| known(conn, wanted))?;
        Ok(wanted
            .iter()
            .map(|w| found.contains(&(w.centre_id.clone(), w.case_id.clone(), w.key.clone())))
            .collect())
    }

    /// Stores new evaluations and references all of them from the run, in one transaction. Also a sign of life.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the run does not hold the lock any more.
    pub fn put_evaluations(
        &self,
        scope: &Scope,
        run: i64,
        all: Vec<NewEvaluation>,
    ) -> Result<(), StoreError> {
        require(scope, scope.role().sees_all_cases(), "store evaluations")?;
        self.write(scope, move |tx| store(tx, run, &all))
    }

    /// Hands the evaluations of a run to `take` in batches, by centre and case; memory stays flat. Evaluations of cases
    /// erased since are gone.
    ///
    /// # Errors
    /// Those of `take`; [`StoreError::Forbidden`], [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    pub fn for_each_run_evaluation<E: From<StoreError>>(
        &self,
        scope: &Scope,
        run: i64,
        batch: usize,
        take: impl FnMut(Vec<RunEvaluation>) -> Result<(), E>,
    ) -> Result<(), E> {
        require(scope, scope.role().sees_all_cases(), "read evaluations")?;
        self.evaluations_of(scope, run, None, batch, take)
    }

    /// The same for the cases of one centre: its own people may read them, too.
    ///
    /// # Errors
    /// Those of `take`; [`StoreError::Forbidden`] for another centre, [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    pub fn for_each_run_evaluation_of<E: From<StoreError>>(
        &self,
        scope: &Scope,
        run: i64,
        centre: &str,
        batch: usize,
        take: impl FnMut(Vec<RunEvaluation>) -> Result<(), E>,
    ) -> Result<(), E> {
        let allowed = scope.role().sees_cases() && scope.covers(centre);
        require(scope, allowed, "read the evaluations of this centre")?;
        self.evaluations_of(scope, run, Some(centre), batch, take)
    }

    /// The evaluations of these case versions in a run, in input order; `None` for one that is not in the run or was erased since.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    pub fn run_evaluations(
        &self,
        scope: &Scope,
        run: i64,
        wanted: &[CaseRef],
    ) -> Result<Vec<Option<RunEvaluation>>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "read evaluations")?;
        self.read(scope, |conn, keys| {
            let rows = run_rows(conn, run, wanted)?;
            let watermark = watermark(conn, run)?;
            let known = Transfers::at(conn, watermark)?;
            let mut found = HashMap::with_capacity(rows.len());
            for row in rows {
                if let Some(evaluation) = opened(keys, &known, row)? {
                    found.insert(evaluation.case.clone(), evaluation);
                }
            }
            Ok(wanted.iter().map(|case| found.remove(case)).collect())
        })
    }

    /// Of all centres or of one, by centre and case.
    fn evaluations_of<E: From<StoreError>>(
        &self,
        scope: &Scope,
        run: i64,
        centre: Option<&str>,
        batch: usize,
        mut take: impl FnMut(Vec<RunEvaluation>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = (String::new(), String::new());
        loop {
            let rows = self.read(scope, |conn, keys| {
                let rows = run_page(conn, run, centre, &after, batch.max(1))?;
                let last = rows.last().map(|row| (row.0.clone(), row.1.clone()));
                let watermark = watermark(conn, run)?;
                let known = Transfers::at(conn, watermark)?;
                let opened = rows
                    .into_par_iter()
                    .map(|row| opened(keys, &known, row))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok((opened.into_iter().flatten().collect::<Vec<_>>(), last))
            })?;
            let (evaluations, Some(last)) = rows else {
                return Ok(());
            };
            after = last;
            if !evaluations.is_empty() {
                take(evaluations)?;
            }
        }
    }
}

/// The evaluations a run refers to.
#[diesel::dsl::auto_type]
fn of_run(run: i64) -> _ {
    run_evaluations::table
        .inner_join(
            evaluations::table.on(evaluations::centre_id
                .eq(run_evaluations::centre_id)
                .and(evaluations::case_id.eq(run_evaluations::case_id))
                .and(evaluations::evaluation_key.eq(run_evaluations::evaluation_key))),
        )
        .inner_join(
            cases::table.on(cases::centre_id
                .eq(run_evaluations::centre_id)
                .and(cases::case_id.eq(run_evaluations::case_id))),
        )
        .filter(run_evaluations::run.eq(run))
        .select((
            run_evaluations::centre_id,
            run_evaluations::case_id,
            run_evaluations::version,
            run_evaluations::evaluation_key,
            evaluations::payload,
            cases::wrapped_key,
        ))
}

fn run_page(
    conn: &mut Conn,
    run: i64,
    of: Option<&str>,
    (centre, case_id): &(String, String),
    batch: usize,
) -> Result<Vec<RunRow>, StoreError> {
    let limit = i64::try_from(batch).unwrap_or(i64::MAX);
    let order = (run_evaluations::centre_id, run_evaluations::case_id);
    if let Some(own) = of {
        let query = of_run(run)
            .filter(run_evaluations::centre_id.eq(own))
            .filter(run_evaluations::case_id.gt(case_id))
            .order(order)
            .limit(limit);
        return Ok(on_conn!(conn, c => query.load::<RunRow>(c))?);
    }
    let query = of_run(run)
        .filter(
            run_evaluations::centre_id
                .gt(centre)
                .or(run_evaluations::centre_id
                    .eq(centre)
                    .and(run_evaluations::case_id.gt(case_id))),
        )
        .order(order)
        .limit(limit);
    Ok(on_conn!(conn, c => query.load::<RunRow>(c))?)
}

/// The rows of these cases, in no order.
fn run_rows(conn: &mut Conn, run: i64, wanted: &[CaseRef]) -> Result<Vec<RunRow>, StoreError> {
    let mut rows = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(ROWS_A_STATEMENT) {
        let query = of_run(run)
            .filter(
                run_evaluations::centre_id.eq_any(distinct(some.iter().map(|case| case.centre_id.as_str()))),
            )
            .filter(run_evaluations::case_id.eq_any(distinct(some.iter().map(|case| case.case_id.as_str()))));
        rows.extend(on_conn!(conn, c => query.load::<RunRow>(c))?);
    }
    Ok(rows)
}
