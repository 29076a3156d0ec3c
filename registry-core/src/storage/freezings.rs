//! Releases being frozen: which, how far, and why one could not be. Kept in the database, so that every process that shares it can tell.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::connection::on_conn;
use super::identifiers::{is_name, is_text, utc};
use super::runs::RunStatus;
use super::store::require;
use super::tables::{freezings, releases, runs};
use super::transaction::{Event, Tx};
use super::{Store, StoreError};
use crate::access::Scope;

/// How long one that came to nothing is told of.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FreezingState {
    /// Under way.
    Running,
    /// Came to nothing.
    Failed,
    /// No sign of life for longer than the lease: the service was stopped.
    Interrupted,
}

/// A release that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freezing {
    /// Id of the release.
    pub release_id: String,
    /// The run it is made from.
    pub run: i64,
    /// Its title.
    pub title: String,
    /// How it is doing.
    pub state: FreezingState,
    /// Cases that are in the bundle.
    pub done: i64,
    /// Cases there are; 0 before they are counted.
    pub total: i64,
    /// Why it failed.
    pub problem: Option<String>,
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// Who wants it.
    pub started_by: String,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = freezings, treat_none_as_default_value = false)]
struct Record {
    release_id: String,
    run: i64,
    title: String,
    done: i64,
    total: i64,
    problem: Option<String>,
    started_at: NaiveDateTime,
    started_by: String,
    told_at: NaiveDateTime,
}

impl Record {
    fn state(&self, now: NaiveDateTime, lease: Duration) -> FreezingState {
        match self.problem {
            Some(_) => FreezingState::Failed,
            None if self.told_at + lease <= now => FreezingState::Interrupted,
            None => FreezingState::Running,
        }
    }

    fn at(self, now: NaiveDateTime, lease: Duration) -> Freezing {
        Freezing {
            state: self.state(now, lease),
            release_id: self.release_id,
            run: self.run,
            title: self.title,
            done: self.done,
            total: self.total,
            problem: self.problem,
            started_at: utc(self.started_at),
            started_by: self.started_by,
        }
    }
}

/// The release is recorded: nothing is left to be told of its making.
pub(crate) fn done(tx: &mut Tx<'_>, release_id: &str) -> Result<(), StoreError> {
    let place = freezings::table.find(release_id.to_owned());
    on_conn!(tx.conn()?, c => diesel::delete(place).execute(c))?;
    Ok(())
}

impl Store {
    /// Notes that a release of a finished run is being made; one of the same id that came to nothing is forgotten. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an id or a title that no release can have; [`StoreError::NotFound`] for an unknown run;
    /// [`StoreError::InvalidState`] for a run without results, or while the release is being frozen; [`StoreError::Duplicate`] for a known id.
    pub fn begin_freezing(
        &self,
        scope: &Scope,
        release_id: &str,
        run: i64,
        title: &str,
    ) -> Result<Freezing, StoreError> {
        require(scope, scope.role().sees_all_cases(), "freeze releases")?;
        if !is_name(release_id) {
            return Err(StoreError::Invalid(
                "a release id has 1 to 32 of A-Z a-z 0-9 - _ .",
            ));
        }
        if title.trim().is_empty() || !is_text(title, 500) {
            return Err(StoreError::Invalid("a title has 1 to 500 bytes, without NUL"));
        }
        let (release_id, title) = (release_id.to_owned(), title.trim().to_owned());
        self.write(scope, move |tx| {
            let status = runs::table.find(run).select(runs::status);
            if on_conn!(tx.conn()?, c => status.first::<String>(c))? != RunStatus::Finished.as_str() {
                return Err(StoreError::InvalidState("a release needs a finished run"));
            }
            let known = releases::table.find(&release_id).count();
            if on_conn!(tx.conn()?, c => known.get_result::<i64>(c))? > 0 {
                return Err(StoreError::Duplicate("release"));
            }
            let (now, lease) = (tx.now, tx.limits.lease);
            let place = freezings::table.find(&release_id);
            let earlier = on_conn!(tx.conn()?, c => place.first::<Record>(c)).optional()?;
            if earlier.is_some_and(|earlier| earlier.state(now, lease) == FreezingState::Running) {
                return Err(StoreError::InvalidState("this release is being frozen"));
            }
            let over = freezings::table.filter(
                freezings::release_id
                    .eq(&release_id)
                    .or(freezings::told_at.le(now - KEPT)),
            );
            on_conn!(tx.conn()?, c => diesel::delete(over).execute(c))?;
            let row = Record {
                release_id: release_id.clone(),
                run,
                title: title.clone(),
                done: 0,
                total: 0,
                problem: None,
                started_at: now,
                started_by: tx.scope.actor().to_owned(),
                told_at: now,
            };
            on_conn!(tx.conn()?, c => diesel::insert_into(freezings::table).values(&row).execute(c))?;
            tx.audit(
                Event::new("release.begin")
                    .subject(&release_id)
                    .detail("run", run),
            );
            Ok(row.at(now, lease))
        })
    }

    /// How many cases are in the bundle, of how many; also its sign of life.
    ///
    /// # Errors
    /// [`StoreError::InvalidState`] when nothing of this id is being frozen.
    pub fn tell_freezing(
        &self,
        scope: &Scope,
        release_id: &str,
        done: i64,
        total: i64,
    ) -> Result<(), StoreError> {
        require(scope, scope.role().sees_all_cases(), "freeze releases")?;
        let release_id = release_id.to_owned();
        self.write(scope, move |tx| {
            let news = (
                freezings::done.eq(done),
                freezings::total.eq(total),
                freezings::told_at.eq(tx.now),
            );
            let place = freezings::table
                .filter(freezings::release_id.eq(&release_id))
                .filter(freezings::problem.is_null());
            match on_conn!(tx.conn()?, c => diesel::update(place).set(news).execute(c))? {
                0 => Err(StoreError::InvalidState("the release is not being frozen")),
                _ => Ok(()),
            }
        })
    }

    /// Notes that a release came to nothing, and why; nothing to do when it is recorded meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a problem of more than 2,000 bytes.
    pub fn fail_freezing(&self, scope: &Scope, release_id: &str, problem: &str) -> Result<(), StoreError> {
        require(scope, scope.role().sees_all_cases(), "freeze releases")?;
        if !is_text(problem, 2000) {
            return Err(StoreError::Invalid("a problem has at most 2,000 bytes"));
        }
        let (release_id, problem) = (release_id.to_owned(), problem.to_owned());
        self.write(scope, move |tx| {
            let news = (
                freezings::problem.eq(Some(problem.as_str())),
                freezings::told_at.eq(tx.now),
            );
            let place = freezings::table.find(&release_id);
            if on_conn!(tx.conn()?, c => diesel::update(place).set(news).execute(c))? > 0 {
                tx.audit(Event::new("release.fail").subject(&release_id));
            }
            Ok(())
        })
    }

    /// Releases that are being frozen or came to nothing in the last month, newest first. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn list_freezings(&self, scope: &Scope) -> Result<Vec<Freezing>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see releases being frozen")?;
        let (now, lease) = self.now_and_lease();
        let query = freezings::table
            .filter(freezings::told_at.gt(now - KEPT))
            .order((freezings::started_at.desc(), freezings::release_id));
        let rows = self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<Record>(c))?))?;
        Ok(rows.into_iter().map(|row| row.at(now, lease)).collect())
    }
}
