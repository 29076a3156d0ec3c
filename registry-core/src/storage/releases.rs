//! Frozen releases: what was frozen, from which run, with which checksum.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::cases::taken_back;
use super::centres::{canonical_text, stored_json};
use super::connection::{Conn, on_conn};
use super::freezings;
use super::identifiers::{is_name, is_text, utc};
use super::runs::RunStatus;
use super::store::require;
use super::tables::{cases, delivered_cases, released_cases, releases, run_evaluations, runs};
use super::transaction::Event;
use super::{Store, StoreError};
use crate::access::Scope;

/// Cases asked for in one statement.
const CASES_A_STATEMENT: usize = 500;

/// What was frozen.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRelease {
    /// Stable id chosen by the coordinating office (`2026-2`): 1 to 32 of `A-Z a-z 0-9 - _ .`.
    pub release_id: String,
    /// The run it was made from (finished).
    pub run: i64,
    /// Title.
    pub title: String,
    /// The manifest (files, rows, columns, SHA-256, versions).
    pub manifest: Value,
    /// SHA-256 of the bundle (hexadecimal).
    pub sha256: String,
    /// Length of the bundle in bytes.
    pub bytes: i64,
    /// Record ids of the cases it holds.
    pub cases: Vec<String>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Release {
    /// Id.
    pub release_id: String,
    /// The run it was made from.
    pub run: i64,
    /// Title.
    pub title: String,
    /// The manifest.
    pub manifest: Value,
    /// SHA-256 of the bundle (hexadecimal).
    pub sha256: String,
    /// Length of the bundle in bytes.
    pub bytes: i64,
    /// When frozen.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = releases)]
struct ReleaseRecord {
    release_id: String,
    run: i64,
    title: String,
    manifest: String,
    sha256: String,
    bytes: i64,
    created_at: NaiveDateTime,
    created_by: String,
}

impl TryFrom<ReleaseRecord> for Release {
    type Error = StoreError;

    fn try_from(row: ReleaseRecord) -> Result<Self, StoreError> {
        Ok(Self {
            manifest: stored_json(&row.manifest)?,
            release_id: row.release_id,
            run: row.run,
            title: row.title,
            sha256: row.sha256,
            bytes: row.bytes,
            created_at: utc(row.created_at),
            created_by: row.created_by,
        })
    }
}

/// The releases whose run held the case, by id.
pub(crate) fn with_case(conn: &mut Conn, centre: &str, case_id: &str) -> Result<Vec<String>, StoreError> {
    let query = releases::table
        .inner_join(run_evaluations::table.on(run_evaluations::run.eq(releases::run)))
        .filter(run_evaluations::centre_id.eq(centre))
        .filter(run_evaluations::case_id.eq(case_id))
        .order(releases::release_id)
        .select(releases::release_id);
    Ok(on_conn!(conn, c => query.load::<String>(c))?)
}

/// Bundles that hold a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Releases, by id.
    pub releases: Vec<String>,
    /// Data requests, by id.
    pub requests: Vec<String>,
}

/// Refuses a bundle with a case that was taken back while the bundle was built: read when the building began, it went in.
pub(crate) fn refuse_withdrawn(conn: &mut Conn, case_ids: &[String]) -> Result<(), StoreError> {
    for some in case_ids.chunks(CASES_A_STATEMENT) {
        let usable = cases::table
            .filter(cases::case_id.eq_any(some))
            .filter(diesel::dsl::not(taken_back()))
            .count();
        if on_conn!(conn, c => usable.get_result::<i64>(c))? != some.len() as i64 {
            return Err(StoreError::InvalidState(
                "a case, or consent to its reuse, was withdrawn while the bundle was built; build it again",
            ));
        }
    }
    Ok(())
}

impl Store {
    /// Records a frozen release. `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a known id, [`StoreError::NotFound`] for an unknown run,
    /// [`StoreError::InvalidState`] for a run without results, or a case withdrawn meanwhile.
    pub fn create_release(&self, scope: &Scope, release: NewRelease) -> Result<Release, StoreError> {
        require(scope, scope.role().sees_all_cases(), "freeze releases")?;
        if !is_name(&release.release_id) {
            return Err(StoreError::Invalid(
                "a release id has 1 to 32 of A-Z a-z 0-9 - _ .",
            ));
        }
        if !is_text(&release.title, 500) {
            return Err(StoreError::Invalid("a title has at most 500 bytes"));
        }
        self.write(scope, move |tx| {
            let status = runs::table.find(release.run).select(runs::status);
            if on_conn!(tx.conn()?, c => status.first::<String>(c))? != RunStatus::Finished.as_str() {
                return Err(StoreError::InvalidState("a release needs a finished run"));
            }
            let known = releases::table.find(&release.release_id).count();
            if on_conn!(tx.conn()?, c => known.get_result::<i64>(c))? > 0 {
                return Err(StoreError::Duplicate("release"));
            }
            refuse_withdrawn(tx.conn()?, &release.cases)?;
            let row = ReleaseRecord {
                release_id: release.release_id.clone(),
                run: release.run,
                title: release.title.clone(),
                manifest: canonical_text(&release.manifest),
                sha256: release.sha256.clone(),
                bytes: release.bytes,
                created_at: tx.now,
                created_by: tx.scope.actor().to_owned(),
            };
            on_conn!(tx.conn()?, c => diesel::insert_into(releases::table).values(&row).execute(c))?;
            for some in release.cases.chunks(CASES_A_STATEMENT) {
                let held = |case: &String| {
                    (
                        released_cases::case_id.eq(case.clone()),
                        released_cases::release_id.eq(row.release_id.clone()),
                    )
                };
                let rows: Vec<_> = some.iter().map(held).collect();
                on_conn!(tx.conn()?, c => diesel::insert_into(released_cases::table).values(rows).execute(c))?;
            }
            freezings::done(tx, &row.release_id)?;
            tx.audit(
                Event::new("release.freeze")
                    .subject(&row.release_id)
                    .detail("run", row.run)
                    .detail("sha256", row.sha256.as_str()),
            );
            row.try_into()
        })
    }

    /// One release.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn release(&self, scope: &Scope, release_id: &str) -> Result<Release, StoreError> {
        let query = releases::table.find(release_id);
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.first::<ReleaseRecord>(c))?)
        })?
        .try_into()
    }

    /// All releases, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn list_releases(&self, scope: &Scope) -> Result<Vec<Release>, StoreError> {
        let query = releases::table.order((releases::created_at.desc(), releases::release_id.desc()));
        let rows = self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.load::<ReleaseRecord>(c))?)
        })?;
        rows.into_iter().map(Release::try_from).collect()
    }

    /// Whether a case of the release, or consent to its reuse, has been withdrawn since. The registry itself and `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn release_holds_withdrawn(&self, scope: &Scope, release_id: &str) -> Result<bool, StoreError> {
        require(scope, scope.role().sees_all_cases(), "look into releases")?;
        let withdrawn = released_cases::table
            .inner_join(cases::table.on(cases::case_id.eq(released_cases::case_id)))
            .filter(released_cases::release_id.eq(release_id))
            .filter(taken_back())
            .count();
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => withdrawn.get_result::<i64>(c))? > 0)
        })
    }

    /// The releases that hold a case withdrawn since, by id. The registry itself and `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn releases_holding_withdrawn(&self, scope: &Scope) -> Result<Vec<String>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "look into releases")?;
        let query = released_cases::table
            .inner_join(cases::table.on(cases::case_id.eq(released_cases::case_id)))
            .filter(taken_back())
            .order(released_cases::release_id)
            .select(released_cases::release_id)
            .distinct();
        self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<String>(c))?))
    }

    /// The bundles that hold a case, by its record id. The registry itself and `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn bundles_with(&self, scope: &Scope, case_id: &str) -> Result<Holding, StoreError> {
        require(scope, scope.role().sees_all_cases(), "look into releases")?;
        let frozen = released_cases::table
            .filter(released_cases::case_id.eq(case_id))
            .order(released_cases::release_id)
            .select(released_cases::release_id);
        let delivered = delivered_cases::table
            .filter(delivered_cases::case_id.eq(case_id))
            .order(delivered_cases::request_id)
            .select(delivered_cases::request_id);
        self.read(scope, |conn, _| {
            Ok(Holding {
                releases: on_conn!(conn, c => frozen.load::<String>(c))?,
                requests: on_conn!(conn, c => delivered.load::<String>(c))?,
            })
        })
    }

    /// The releases whose run held this case, by id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the scope does not cover the centre.
    pub fn releases_with_case(
        &self,
        scope: &Scope,
        centre_id: &str,
        case_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        if !scope.covers(centre_id) {
            return Err(StoreError::NotFound);
        }
        self.read(scope, |conn, _| with_case(conn, centre_id, case_id))
    }

    /// The releases whose run held the record, at whichever centre it is now, by id. `coordinator`. Also after its erasure.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn releases_of_record(&self, scope: &Scope, case_id: &str) -> Result<Vec<String>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "see who held a case")?;
        let query = releases::table
            .inner_join(run_evaluations::table.on(run_evaluations::run.eq(releases::run)))
            .filter(run_evaluations::case_id.eq(case_id))
            .order(releases::release_id)
            .select(releases::release_id)
            .distinct();
        self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<String>(c))?))
    }
}
