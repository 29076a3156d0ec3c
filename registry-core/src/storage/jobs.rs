//! Jobs: long work that a centre hands in (an import), how far it is, what it reports.
//!
//! A job is its centre's; the coordinating office reads those of every centre. A job is not resumed: the same files handed in again leave what was stored as it is and go on with the rest.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::centres::stored_json;
use super::connection::on_conn;
use super::identifiers::{is_text, new_id, utc};
use super::page::place;
use super::store::require;
use super::tables::{job_reports, jobs};
use super::transaction::{Event, Tx};
use super::{Page, Store, StoreError};
use crate::access::Scope;
use crate::crypto::Label;

/// How long a job and its report are kept after its end.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What was made of the cases of a job so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobCounts {
    /// Cases there are.
    pub total: u64,
    /// Stored for the first time; of a dry run: would be stored.
    pub created: u64,
    /// Stored as a new version.
    pub changed: u64,
    /// As they were.
    pub unchanged: u64,
    /// Not stored; the report says why.
    pub refused: u64,
}

impl JobCounts {
    /// Cases dealt with.
    pub fn done(&self) -> u64 {
        self.created + self.changed + self.unchanged + self.refused
    }
}

/// How a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Under way.
    Running,
    /// Came to its end; single cases may have been refused.
    Done,
    /// Could not go on; what was stored before stays.
    Failed,
    /// No sign of life for longer than the lease: the service was stopped.
    Interrupted,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Job {
    /// Id (UUIDv7).
    pub job_id: String,
    /// Whose cases.
    pub centre_id: String,
    /// What it is: `import` or `batch`.
    pub kind: String,
    /// Judges everything, stores nothing.
    pub dry_run: bool,
    /// How it is doing.
    pub state: JobState,
    /// How far it is.
    pub counts: JobCounts,
    /// Why it failed.
    pub problem: Option<String>,
    /// Who handed it in.
    pub actor: String,
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// Until when.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
struct JobRecord {
    centre_id: String,
    job_id: String,
    kind: String,
    dry_run: bool,
    state: String,
    counts: String,
    problem: Option<String>,
    actor: String,
    started_at: NaiveDateTime,
    told_at: NaiveDateTime,
    ended_at: Option<NaiveDateTime>,
}

impl JobRecord {
    fn at(self, now: NaiveDateTime, lease: Duration) -> Result<Job, StoreError> {
        Ok(Job {
            state: match self.state.as_str() {
                "done" => JobState::Done,
                "failed" => JobState::Failed,
                _ if self.told_at + lease <= now => JobState::Interrupted,
                _ => JobState::Running,
            },
            counts: serde_json::from_value(stored_json(&self.counts)?)
                .map_err(|_| StoreError::Internal("the counts of a job do not read".to_owned()))?,
            job_id: self.job_id,
            centre_id: self.centre_id,
            kind: self.kind,
            dry_run: self.dry_run,
            problem: self.problem,
            actor: self.actor,
            started_at: utc(self.started_at),
            ended_at: self.ended_at.map(utc),
        })
    }
}

fn label(centre: &str, job_id: &str, part: i64) -> Label {
    Label::new("job report")
        .with(centre.as_bytes())
        .with(job_id.as_bytes())
        .with(&part.to_be_bytes())
}

/// The centre of somebody who submits.
pub(crate) fn centre_of(scope: &Scope) -> Result<String, StoreError> {
    const ACTION: &str = "hand in work of a centre";
    require(scope, scope.role().needs_centre(), ACTION)?;
    scope.centre().map(str::to_owned).ok_or(StoreError::Forbidden {
        role: scope.role().as_str(),
        action: ACTION,
    })
}

/// Whose jobs somebody reads: their centre's, or those of every centre (`None`) where they see every case.
fn read_by(scope: &Scope) -> Result<Option<String>, StoreError> {
    if scope.role().sees_all_cases() {
        return Ok(None);
    }
    centre_of(scope).map(Some)
}

fn counts_text(counts: &JobCounts) -> Result<String, StoreError> {
    serde_json::to_string(counts).map_err(|_| StoreError::Internal("counts of a job".to_owned()))
}

/// Changes a running job of the caller's centre.
fn change(tx: &mut Tx<'_>, centre: &str, job_id: &str, counts: &JobCounts) -> Result<(), StoreError> {
    let place = jobs::table
        .filter(jobs::centre_id.eq(centre))
        .filter(jobs::job_id.eq(job_id))
        .filter(jobs::state.eq("running"));
    let news = (jobs::counts.eq(counts_text(counts)?), jobs::told_at.eq(tx.now));
    match on_conn!(tx.conn()?, c => diesel::update(place).set(news).execute(c))? {
        0 => Err(StoreError::InvalidState("the job is not running any more")),
        _ => Ok(()),
    }
}

impl Store {
    /// Notes work of the caller's centre that begins.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] without a centre; [`StoreError::InvalidState`] while another job of the centre gives signs of life.
    pub fn start_job(
        &self,
        scope: &Scope,
        kind: &'static str,
        dry_run: bool,
        total: u64,
    ) -> Result<Job, StoreError> {
        let centre = centre_of(scope)?;
        let counts = JobCounts {
            total,
            ..JobCounts::default()
        };
        self.write(scope, move |tx| {
            let others = jobs::table
                .filter(jobs::centre_id.eq(&centre))
                .filter(jobs::state.eq("running"))
                .filter(jobs::told_at.gt(tx.now - tx.limits.lease))
                .count();
            if on_conn!(tx.conn()?, c => others.get_result::<i64>(c))? > 0 {
                return Err(StoreError::InvalidState(
                    "another job of the centre is under way: wait for its end",
                ));
            }
            let row = JobRecord {
                centre_id: centre.clone(),
                job_id: new_id(tx.now, tx.entropy),
                kind: kind.to_owned(),
                dry_run,
                state: "running".to_owned(),
                counts: counts_text(&counts)?,
                problem: None,
                actor: tx.scope.actor().to_owned(),
                started_at: tx.now,
                told_at: tx.now,
                ended_at: None,
            };
            on_conn!(tx.conn()?, c => diesel::insert_into(jobs::table).values(&row).execute(c))?;
            tx.audit(
                Event::new("job.start")
                    .centre(&centre)
                    .subject(&row.job_id)
                    .detail("kind", kind)
                    .detail("dry_run", dry_run),
            );
            row.at(tx.now, tx.limits.lease)
        })
    }

    /// How far a job is, with the lines its report gains (JSON, one a line); also its sign of life.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when the job is not running any more.
    pub fn tell_job(
        &self,
        scope: &Scope,
        job_id: &str,
        counts: JobCounts,
        lines: &str,
    ) -> Result<(), StoreError> {
        let (centre, job_id, lines) = (centre_of(scope)?, job_id.to_owned(), lines.to_owned());
        self.write(scope, move |tx| {
            change(tx, &centre, &job_id, &counts)?;
            if lines.is_empty() {
                return Ok(());
            }
            let parts = job_reports::table
                .filter(job_reports::centre_id.eq(&centre))
                .filter(job_reports::job_id.eq(&job_id))
                .select(diesel::dsl::max(job_reports::part));
            let last = on_conn!(tx.conn()?, c => parts.first::<Option<i64>>(c))?;
            let part = last.unwrap_or(0) + 1;
            let sealed = tx
                .keys
                .registry()
                .seal(tx.entropy, &label(&centre, &job_id, part), lines.as_bytes())
                .map_err(|_| StoreError::Internal("sealing a report".to_owned()))?;
            let row = (
                job_reports::centre_id.eq(&centre),
                job_reports::job_id.eq(&job_id),
                job_reports::part.eq(part),
                job_reports::lines.eq(sealed),
            );
            on_conn!(tx.conn()?, c => diesel::insert_into(job_reports::table).values(row).execute(c))?;
            Ok(())
        })
    }

    /// Ends a job; `problem` when it could not go on.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when it is not running any more.
    pub fn end_job(
        &self,
        scope: &Scope,
        job_id: &str,
        counts: JobCounts,
        problem: Option<&str>,
    ) -> Result<(), StoreError> {
        let centre = centre_of(scope)?;
        let (job_id, problem) = (job_id.to_owned(), problem.map(str::to_owned));
        if problem.as_ref().is_some_and(|text| !is_text(text, 2000)) {
            return Err(StoreError::Invalid("a problem has at most 2,000 bytes"));
        }
        self.write(scope, move |tx| {
            change(tx, &centre, &job_id, &counts)?;
            let state = if problem.is_some() { "failed" } else { "done" };
            let end = (
                jobs::state.eq(state),
                jobs::problem.eq(&problem),
                jobs::ended_at.eq(Some(tx.now)),
            );
            let place = jobs::table.find((&centre, &job_id));
            on_conn!(tx.conn()?, c => diesel::update(place).set(end).execute(c))?;
            tx.audit(
                Event::new("job.end")
                    .centre(&centre)
                    .subject(&job_id)
                    .detail("state", state)
                    .detail("created", counts.created)
                    .detail("changed", counts.changed)
                    .detail("refused", counts.refused),
            );
            Ok(())
        })
    }

    /// One job of the caller's centre; of any centre for roles that see every case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for another centre's.
    pub fn job(&self, scope: &Scope, job_id: &str) -> Result<Job, StoreError> {
        let centre = read_by(scope)?;
        let row = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let mut query = jobs::table.filter(jobs::job_id.eq(job_id)).into_boxed();
                if let Some(centre) = &centre {
                    query = query.filter(jobs::centre_id.eq(centre));
                }
                query.first::<JobRecord>(c)
            })?)
        })?;
        let (now, lease) = self.now_and_lease();
        row.at(now, lease)
    }

    /// Jobs of the caller's centre, newest first; of every centre for roles that see every case.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] for roles that see no case; [`StoreError::BadCursor`].
    pub fn list_jobs(
        &self,
        scope: &Scope,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Job>, StoreError> {
        self.list_jobs_since(scope, None, cursor, limit)
    }

    /// [`Store::list_jobs`], those that gave a sign of life at an instant or later.
    ///
    /// # Errors
    /// As [`Store::list_jobs`].
    pub fn list_jobs_since(
        &self,
        scope: &Scope,
        updated_since: Option<DateTime<Utc>>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Job>, StoreError> {
        let centre = read_by(scope)?;
        let before = place(cursor)?;
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => {
                let mut query = jobs::table
                    .order(jobs::job_id.desc())
                    .limit(Page::<Job>::fetch(limit))
                    .into_boxed();
                if let Some(centre) = &centre {
                    query = query.filter(jobs::centre_id.eq(centre));
                }
                if let Some(since) = updated_since {
                    query = query.filter(jobs::told_at.ge(since.naive_utc()));
                }
                if let Some(before) = &before {
                    query = query.filter(jobs::job_id.lt(before));
                }
                query.load::<JobRecord>(c)
            })?)
        })?;
        let page = Page::cut(rows, limit, |row| row.job_id.clone());
        let (now, lease) = self.now_and_lease();
        let items = page.items.into_iter().map(|row| row.at(now, lease));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// A part of a job's report (from 1); `None` after the last. Audited: the lines name cases.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for another centre's job; [`StoreError::Unreadable`].
    pub fn job_report(&self, scope: &Scope, job_id: &str, part: i64) -> Result<Option<String>, StoreError> {
        let job = self.job(scope, job_id)?;
        let place = job_reports::table
            .find((&job.centre_id, &job.job_id, part))
            .select(job_reports::lines);
        let lines = self.read(scope, |conn, keys| {
            let sealed = on_conn!(conn, c => place.first::<Vec<u8>>(c)).optional()?;
            let Some(sealed) = sealed else { return Ok(None) };
            let unreadable = || StoreError::Unreadable(job.job_id.clone());
            let plain = keys
                .registry()
                .open(&label(&job.centre_id, &job.job_id, part), &sealed)
                .map_err(|_| unreadable())?;
            String::from_utf8(plain).map(Some).map_err(|_| unreadable())
        })?;
        if part == 1 && lines.is_some() {
            self.record_reading(scope, Event::new("job.report").subject(job_id))?;
        }
        Ok(lines)
    }

    pub(super) fn now_and_lease(&self) -> (NaiveDateTime, Duration) {
        let context = &self.inner.context;
        let now = super::identifiers::now(context.clock.as_ref());
        (now, context.dialer().limits().lease)
    }

    /// Deletes jobs that ended, or gave their last sign of life, longer ago than they are kept. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn purge_jobs(&self) -> Result<usize, StoreError> {
        self.write(&Scope::system("housekeeping"), |tx| {
            let until = tx.now - KEPT;
            let old = jobs::table.filter(jobs::told_at.le(until));
            let ids = on_conn!(tx.conn()?, c => old.select(jobs::job_id).load::<String>(c))?;
            let reports = job_reports::table.filter(job_reports::job_id.eq_any(&ids));
            on_conn!(tx.conn()?, c => diesel::delete(reports).execute(c))?;
            let gone = jobs::table.filter(jobs::job_id.eq_any(&ids));
            Ok(on_conn!(tx.conn()?, c => diesel::delete(gone).execute(c))?)
        })
    }
}

/// Reports name cases: those of these centres go when a case that they hold or held is erased.
pub(crate) fn forget_reports(tx: &mut Tx<'_>, centres: &[String]) -> Result<(), StoreError> {
    let reports = job_reports::table.filter(job_reports::centre_id.eq_any(centres));
    on_conn!(tx.conn()?, c => diesel::delete(reports).execute(c))?;
    Ok(())
}
