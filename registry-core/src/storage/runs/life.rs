//! The life of a run. The row that is `running` is the lock; a run without a sign of life for longer than the lease is
//! taken for interrupted.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::{FinishRun, Publication, Run, RunProgress, RunResult, RunStatus, StartRun};
use crate::access::Scope;
use crate::storage::centres::{canonical_text, stored_json};
use crate::storage::connection::{Conn, on_conn};
use crate::storage::identifiers::{is_text, utc};
use crate::storage::store::require;
use crate::storage::tables::{results, runs};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = runs, treat_none_as_default_value = false)]
struct RunRecord {
    number: i64,
    status: String,
    cutoff_date: NaiveDate,
    watermark: i64,
    parameters: String,
    summary: Option<String>,
    started_at: NaiveDateTime,
    started_by: String,
    alive_at: NaiveDateTime,
    finished_at: Option<NaiveDateTime>,
    published_at: Option<NaiveDateTime>,
    published_by: Option<String>,
}

impl TryFrom<RunRecord> for Run {
    type Error = StoreError;

    fn try_from(row: RunRecord) -> Result<Self, StoreError> {
        let status = match row.status.as_str() {
            "running" => RunStatus::Running,
            "finished" => RunStatus::Finished,
            _ => RunStatus::Failed,
        };
        // Until there is a summary, its place says how far the run is.
        let told = row.summary.as_deref();
        let (progress, summary) = match status {
            RunStatus::Running => (told.map(serde_json::from_str).transpose(), None),
            _ => (Ok(None), told.map(stored_json).transpose()?),
        };
        Ok(Self {
            number: row.number,
            status,
            cutoff_date: row.cutoff_date,
            watermark: row.watermark,
            parameters: stored_json(&row.parameters)?,
            summary,
            progress: progress
                .map_err(|_| StoreError::Internal("stored progress does not read".to_owned()))?,
            started_at: utc(row.started_at),
            started_by: row.started_by,
            finished_at: row.finished_at.map(utc),
            published_at: row.published_at.map(utc),
            published_by: row.published_by,
        })
    }
}

/// How far a run is.
pub(super) fn status(conn: &mut Conn, number: i64) -> Result<RunStatus, StoreError> {
    Ok(Run::try_from(find(conn, number)?)?.status)
}

/// The highest change that belongs to a run; nothing does when there is no such run.
pub(super) fn watermark(conn: &mut Conn, number: i64) -> Result<i64, StoreError> {
    let query = runs::table.find(number).select(runs::watermark);
    Ok(on_conn!(conn, c => query.first::<i64>(c))
        .optional()?
        .unwrap_or(0))
}

fn find(conn: &mut Conn, number: i64) -> Result<RunRecord, StoreError> {
    let query = runs::table.find(number);
    Ok(on_conn!(conn, c => query.first::<RunRecord>(c))?)
}

/// Notes a sign of life; fails when the run does not hold the lock any more.
pub(crate) fn keep_alive(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    let place = runs::table
        .filter(runs::number.eq(number))
        .filter(runs::status.eq("running"));
    let alive = runs::alive_at.eq(tx.now);
    match on_conn!(tx.conn()?, c => diesel::update(place).set(alive).execute(c))? {
        0 => Err(StoreError::InvalidState(
            "the run does not hold the lock any more",
        )),
        _ => Ok(()),
    }
}

fn end(tx: &mut Tx<'_>, number: i64, status: RunStatus, summary: &str) -> Result<(), StoreError> {
    let change = (
        runs::status.eq(status.as_str()),
        runs::summary.eq(Some(summary)),
        runs::finished_at.eq(Some(tx.now)),
    );
    on_conn!(tx.conn()?, c => diesel::update(runs::table.find(number)).set(change).execute(c))?;
    Ok(())
}

/// Fails while a run shows signs of life; one that shows none is ended as interrupted.
pub(crate) fn end_interrupted(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let active = runs::table.filter(runs::status.eq("running"));
    if let Some(active) = on_conn!(tx.conn()?, c => active.first::<RunRecord>(c)).optional()? {
        if active.alive_at + tx.limits.lease > tx.now {
            return Err(StoreError::RunActive(active.number));
        }
        end(
            tx,
            active.number,
            RunStatus::Failed,
            r#"{"failure":"interrupted"}"#,
        )?;
        let subject = active.number.to_string();
        tx.audit(
            Event::new("run.fail")
                .subject(&subject)
                .detail("failure", "interrupted"),
        );
    }
    Ok(())
}

fn start(tx: &mut Tx<'_>, wanted: &StartRun) -> Result<Run, StoreError> {
    end_interrupted(tx)?;
    let last = runs::table.select(diesel::dsl::max(runs::number));
    let last = on_conn!(tx.conn()?, c => last.first::<Option<i64>>(c))?;
    let number = last.unwrap_or(0) + 1;
    let subject = number.to_string();
    // The run's own event is the watermark: every change before it in the chain belongs to the run.
    let watermark = tx.audit(
        Event::new("run.start")
            .subject(&subject)
            .detail("cutoff_date", wanted.cutoff_date.to_string()),
    );
    let row = RunRecord {
        number,
        status: RunStatus::Running.as_str().to_owned(),
        cutoff_date: wanted.cutoff_date,
        watermark,
        parameters: canonical_text(&wanted.parameters),
        summary: None,
        started_at: tx.now,
        started_by: tx.scope.actor().to_owned(),
        alive_at: tx.now,
        finished_at: None,
        published_at: None,
        published_by: None,
    };
    on_conn!(tx.conn()?, c => diesel::insert_into(runs::table).values(&row).execute(c))?;
    row.try_into()
}

fn insert(tx: &mut Tx<'_>, number: i64, results: &[RunResult]) -> Result<(), StoreError> {
    for result in results {
        let row = (
            results::run.eq(number),
            results::kind.eq(&result.kind),
            results::result_key.eq(&result.key),
            results::body.eq(&result.body),
        );
        on_conn!(tx.conn()?, c => diesel::insert_into(results::table).values(row).execute(c))?;
    }
    Ok(())
}

/// Numbers of the other published runs, in order.
fn published_besides(conn: &mut Conn, number: i64) -> Result<Vec<i64>, StoreError> {
    let query = runs::table
        .filter(runs::published_at.is_not_null())
        .filter(runs::number.ne(number))
        .order(runs::number)
        .select(runs::number);
    Ok(on_conn!(conn, c => query.load::<i64>(c))?)
}

fn finish(tx: &mut Tx<'_>, number: i64, done: &FinishRun) -> Result<Run, StoreError> {
    keep_alive(tx, number)?;
    insert(tx, number, &done.results)?;
    end(tx, number, RunStatus::Finished, &canonical_text(&done.summary))?;
    let subject = number.to_string();
    tx.audit(
        Event::new("run.finish")
            .subject(&subject)
            .detail("results", done.results.len()),
    );
    find(tx.conn()?, number)?.try_into()
}

impl Store {
    /// Takes the lock and a number; the watermark (every case version stored until now) is fixed here. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::RunActive`] while another run shows signs of life.
    pub fn start_run(&self, scope: &Scope, wanted: StartRun) -> Result<Run, StoreError> {
        require(scope, scope.role().sees_all_cases(), "start runs")?;
        self.write(scope, move |tx| start(tx, &wanted))
    }

    /// A sign of life; needed more often than the lease is long. Storing evaluations is one too.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the lock was lost: stop.
    pub fn keep_run_alive(&self, scope: &Scope, run: i64) -> Result<(), StoreError> {
        require(scope, scope.role().sees_all_cases(), "work on runs")?;
        self.write(scope, move |tx| keep_alive(tx, run))
    }

    /// Notes how far the run is, for whoever looks; a sign of life too.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the lock was lost: stop.
    pub fn note_run_progress(
        &self,
        scope: &Scope,
        run: i64,
        progress: &RunProgress,
    ) -> Result<(), StoreError> {
        require(scope, scope.role().sees_all_cases(), "work on runs")?;
        let text = serde_json::json!(progress);
        self.write(scope, move |tx| {
            keep_alive(tx, run)?;
            let change = runs::summary.eq(Some(canonical_text(&text)));
            on_conn!(tx.conn()?, c => diesel::update(runs::table.find(run)).set(change).execute(c))?;
            Ok(())
        })
    }

    /// Stores the results and gives the lock back, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the lock was lost; [`StoreError::Duplicate`] for two results of one kind and key.
    pub fn finish_run(&self, scope: &Scope, run: i64, done: FinishRun) -> Result<Run, StoreError> {
        require(scope, scope.role().sees_all_cases(), "finish runs")?;
        let mut names: Vec<_> = done.results.iter().map(|r| (&r.kind, &r.key)).collect();
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(StoreError::Duplicate("result of the run"));
        }
        self.write(scope, move |tx| finish(tx, run, &done))
    }

    /// Ends a run without results; `why` is a class of failure, no values.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the run is not running.
    pub fn fail_run(&self, scope: &Scope, run: i64, why: &str) -> Result<Run, StoreError> {
        require(scope, scope.role().sees_all_cases(), "end runs")?;
        if !is_text(why, 500) {
            return Err(StoreError::Invalid("a class of failure has at most 500 bytes"));
        }
        let why = why.to_owned();
        self.write(scope, move |tx| {
            keep_alive(tx, run)?;
            let summary = canonical_text(&serde_json::json!({ "failure": why }));
            end(tx, run, RunStatus::Failed, &summary)?;
            let subject = run.to_string();
            tx.audit(
                Event::new("run.fail")
                    .subject(&subject)
                    .detail("failure", why.as_str()),
            );
            find(tx.conn()?, run)?.try_into()
        })
    }

    /// Signs a finished run off, with what of it may be shown beside the runs published before. `coordinator`. Publishing twice is fine.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InvalidState`] for a run without results, and when other runs are published than
    /// `publication` was worked out beside.
    pub fn publish_run(&self, scope: &Scope, run: i64, publication: Publication) -> Result<Run, StoreError> {
        require(scope, scope.role().sees_all_cases(), "publish runs")?;
        self.write(scope, move |tx| {
            let row = find(tx.conn()?, run)?;
            if row.status != RunStatus::Finished.as_str() {
                return Err(StoreError::InvalidState("only a finished run can be published"));
            }
            if row.published_at.is_none() {
                let mut beside = publication.beside.clone();
                beside.sort_unstable();
                if published_besides(tx.conn()?, run)? != beside {
                    return Err(StoreError::InvalidState(
                        "another run was published meanwhile; publish this one again",
                    ));
                }
                insert(tx, run, &publication.results)?;
                let change = (
                    runs::published_at.eq(Some(tx.now)),
                    runs::published_by.eq(Some(tx.scope.actor().to_owned())),
                );
                on_conn!(tx.conn()?, c => diesel::update(runs::table.find(run)).set(change).execute(c))?;
                let subject = run.to_string();
                tx.audit(Event::new("run.publish").subject(&subject));
            }
            find(tx.conn()?, run)?.try_into()
        })
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn run(&self, scope: &Scope, run: i64) -> Result<Run, StoreError> {
        self.read(scope, |conn, _| find(conn, run)?.try_into())
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn list_runs(&self, scope: &Scope) -> Result<Vec<Run>, StoreError> {
        let query = runs::table.order(runs::number.desc());
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<RunRecord>(c))?)
        })?;
        rows.into_iter().map(Run::try_from).collect()
    }

    /// The newest finished run.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn latest_run(&self, scope: &Scope) -> Result<Option<Run>, StoreError> {
        let query = runs::table
            .filter(runs::status.eq(RunStatus::Finished.as_str()))
            .order(runs::number.desc());
        let row = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.first::<RunRecord>(c)).optional()?)
        })?;
        row.map(Run::try_from).transpose()
    }

    /// The published run with the highest number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn published_run(&self, scope: &Scope) -> Result<Option<Run>, StoreError> {
        let query = runs::table
            .filter(runs::published_at.is_not_null())
            .order(runs::number.desc());
        let row = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.first::<RunRecord>(c)).optional()?)
        })?;
        row.map(Run::try_from).transpose()
    }
}
