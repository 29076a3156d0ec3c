//! Source-data verification: samples of cases, and what another person entered again from the source.
//!
//! A draw notes the version every sampled case is at. What is entered again is no version of the case: it is sealed with the case's key beside
//! it, goes with its erasure, and is read for comparing only.

mod draw;
mod reenter;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::cases::CaseStatus;
use super::cases::rows::{self, CaseRecord as StoredRecord, load_version, unpack};
use super::connection::{Conn, on_conn};
use super::holders::ANOTHER;
use super::identifiers::utc;
use super::keyring::CaseKey;
use super::store::require;
use super::tables::{cases, verification_cases, verifications};
use super::transaction::{Event, Tx};
use super::{Store, StoreError};
use crate::access::{Role, Scope};
use crate::crypto::Label;
use crate::verification::sample;

/// What to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVerification {
    /// Decides the order of the cases (1 to 64 visible ASCII characters); one is made when none is given.
    pub seed: Option<String>,
    /// Share of every centre's cases, above 0 and up to 1, with four decimals at most; rounded up to whole cases.
    pub share: f64,
    /// Cases first stored up to this day (UTC).
    pub through: NaiveDate,
}

/// A draw.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Verification {
    /// Id (UUIDv7).
    pub verification_id: String,
    /// The seed: with the same cases it gives the same sample.
    pub seed: String,
    /// Share of every centre's cases.
    pub share: f64,
    /// Cases first stored up to this day.
    pub through: NaiveDate,
    /// When.
    pub drawn_at: DateTime<Utc>,
    /// By whom.
    pub drawn_by: String,
    /// Cases of the sample within the scope, those withdrawn since left out.
    pub cases: u64,
    /// How many of them were entered again.
    pub reentered: u64,
}

/// A case of a sample. Holds nothing of what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SampledCase {
    /// Centre.
    pub centre_id: String,
    /// Pseudonym.
    pub pseudonym: String,
    /// The version it was at when it was drawn.
    pub version: i64,
    /// Where the case is in its life now.
    pub status: CaseStatus,
    /// When it was entered again.
    pub reentered_at: Option<DateTime<Utc>>,
    /// By whom.
    pub reentered_by: Option<String>,
}

/// A case of a sample that was entered again, with both documents as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ReenteredCase {
    /// Which.
    pub case: SampledCase,
    /// The version that was current at the draw.
    pub stored: Value,
    /// What was entered again.
    pub reentered: Value,
}

#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = verifications)]
struct DrawRecord {
    verification_id: String,
    seed: String,
    share: i64,
    through: NaiveDate,
    drawn_at: NaiveDateTime,
    drawn_by: String,
}

/// A case of a draw as it is kept.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = verification_cases, treat_none_as_default_value = false)]
pub(crate) struct CaseRecord {
    pub(crate) centre_id: String,
    pub(crate) verification_id: String,
    pub(crate) case_id: String,
    pub(crate) version: i64,
    pub(crate) document: Option<Vec<u8>>,
    pub(crate) reentered_at: Option<NaiveDateTime>,
    pub(crate) reentered_by: Option<String>,
}

/// Sampled cases of a page of reading.
const BATCH: usize = 50;

fn label(record: &CaseRecord) -> Label {
    Label::new("re-entry")
        .with(record.centre_id.as_bytes())
        .with(record.verification_id.as_bytes())
        .with(record.case_id.as_bytes())
}

/// What was entered again; `None` when nothing was.
pub(crate) fn opened_reentry(key: &CaseKey, record: &CaseRecord) -> Result<Option<Value>, StoreError> {
    let Some(sealed) = &record.document else {
        return Ok(None);
    };
    let unreadable = || StoreError::Unreadable(record.case_id.clone());
    let packed = key.open(&label(record), &record.case_id, sealed)?;
    let plain = unpack(&packed).ok_or_else(unreadable)?;
    serde_json::from_slice(&plain).map(Some).map_err(|_| unreadable())
}

/// The samples' rows of a case go with it to another centre, what was entered again sealed for its new place; who entered it stays in the
/// trail.
pub(crate) fn transfer(
    tx: &mut Tx<'_>,
    case: &StoredRecord,
    to: &str,
    key: &CaseKey,
) -> Result<(), StoreError> {
    let query = verification_cases::table
        .filter(verification_cases::centre_id.eq(&case.centre_id))
        .filter(verification_cases::case_id.eq(&case.case_id));
    for record in on_conn!(tx.conn()?, c => query.load::<CaseRecord>(c))? {
        let mut moved = CaseRecord {
            centre_id: to.to_owned(),
            ..record.clone()
        };
        moved.reentered_by = record.reentered_by.as_ref().map(|_| ANOTHER.to_owned());
        if let Some(sealed) = &record.document {
            let packed = key.open(&label(&record), &record.case_id, sealed)?;
            moved.document = Some(key.seal(tx.entropy, &label(&moved), &moved.case_id, &packed)?);
        }
        let place =
            verification_cases::table.find((&record.centre_id, &record.verification_id, &record.case_id));
        let change = (
            verification_cases::centre_id.eq(&moved.centre_id),
            verification_cases::document.eq(&moved.document),
            verification_cases::reentered_by.eq(&moved.reentered_by),
        );
        on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
    }
    Ok(())
}

/// Who may know of draws: who sees cases, and the committee.
fn require_reader(scope: &Scope) -> Result<(), StoreError> {
    let may = scope.role().sees_cases() || scope.role() == Role::Committee;
    require(scope, may, "read verifications")
}

fn load_draw(conn: &mut Conn, verification: &str) -> Result<DrawRecord, StoreError> {
    let query = verifications::table.find(verification);
    Ok(on_conn!(conn, c => query.first::<DrawRecord>(c))?)
}

fn load_sampled(
    conn: &mut Conn,
    centre: &str,
    verification: &str,
    case_id: &str,
) -> Result<CaseRecord, StoreError> {
    let query = verification_cases::table.find((centre, verification, case_id));
    Ok(on_conn!(conn, c => query.first::<CaseRecord>(c))?)
}

fn sampled(record: &CaseRecord, case: StoredRecord) -> Result<SampledCase, StoreError> {
    Ok(SampledCase {
        status: case.status()?,
        centre_id: case.centre_id,
        // Erasure takes the row of the sample along.
        pseudonym: case.pseudonym.unwrap_or_default(),
        version: record.version,
        reentered_at: record.reentered_at.map(utc),
        reentered_by: record.reentered_by.clone(),
    })
}

/// How many cases of a draw the scope sees that are not withdrawn, and how many of them were entered again.
fn progress(conn: &mut Conn, scope: &Scope, verification: &str) -> Result<(u64, u64), StoreError> {
    if !scope.role().sees_cases() {
        return Ok((0, 0));
    }
    let centre = scope.centre().map(str::to_owned);
    let rows = on_conn!(conn, c => {
        let mut query = verification_cases::table
            .inner_join(cases::table.on(
                cases::centre_id.eq(verification_cases::centre_id).and(cases::case_id.eq(verification_cases::case_id)),
            ))
            .filter(verification_cases::verification_id.eq(verification))
            .filter(cases::withdrawal_mode.is_null())
            .select(verification_cases::reentered_at.is_not_null())
            .into_boxed();
        if let Some(centre) = &centre {
            query = query.filter(verification_cases::centre_id.eq(centre));
        }
        query.load::<bool>(c)
    })?;
    let done = rows.iter().filter(|done| **done).count();
    Ok((rows.len() as u64, done as u64))
}

impl DrawRecord {
    fn with(self, (cases, reentered): (u64, u64)) -> Verification {
        Verification {
            verification_id: self.verification_id,
            seed: self.seed,
            share: self.share as f64 / sample::WHOLE as f64,
            through: self.through,
            drawn_at: utc(self.drawn_at),
            drawn_by: self.drawn_by,
            cases,
            reentered,
        }
    }
}

impl Store {
    /// The draws, newest first, with the scope's own cases counted; the committee, which sees no case, reads none counted.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn list_verifications(&self, scope: &Scope) -> Result<Vec<Verification>, StoreError> {
        require_reader(scope)?;
        self.read(scope, |conn, _| {
            let query = verifications::table.order(verifications::verification_id.desc());
            let draws = on_conn!(conn, c => query.load::<DrawRecord>(c))?;
            draws
                .into_iter()
                .map(|draw| {
                    let progress = progress(conn, scope, &draw.verification_id)?;
                    Ok(draw.with(progress))
                })
                .collect()
        })
    }

    /// One draw, with the scope's own cases counted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Forbidden`].
    pub fn verification(&self, scope: &Scope, verification: &str) -> Result<Verification, StoreError> {
        require_reader(scope)?;
        self.read(scope, |conn, _| {
            let draw = load_draw(conn, verification)?;
            let progress = progress(conn, scope, verification)?;
            Ok(draw.with(progress))
        })
    }

    /// The cases of a draw within the scope, by centre and record; those withdrawn since are left out.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown draw; [`StoreError::Forbidden`] for a role that sees no case.
    pub fn sampled_cases(&self, scope: &Scope, verification: &str) -> Result<Vec<SampledCase>, StoreError> {
        require(scope, scope.role().sees_cases(), "read sampled cases")?;
        let rows = self.read(scope, |conn, _| {
            load_draw(conn, verification)?;
            sample_rows(conn, scope, verification, None)
        })?;
        rows.into_iter()
            .map(|(record, case)| sampled(&record, case))
            .collect()
    }

    /// Every case of a draw within the scope that was entered again and is not withdrawn, with both documents. Audited once.
    ///
    /// # Errors
    /// As [`Store::sampled_cases`], and what `each` answers.
    pub fn for_each_reentered<E: From<StoreError>>(
        &self,
        scope: &Scope,
        verification: &str,
        mut each: impl FnMut(ReenteredCase) -> Result<(), E>,
    ) -> Result<(), E> {
        require(scope, scope.role().sees_cases(), "compare sampled cases")?;
        let (mut after, mut count) = (Some((String::new(), String::new())), 0_u64);
        while let Some((centre, case_id)) = after {
            let (cases, last) = self.read(scope, |conn, keys| {
                load_draw(conn, verification)?;
                let rows = sample_rows(conn, scope, verification, Some((&centre, &case_id)))?;
                let last = rows
                    .last()
                    .map(|(record, _)| (record.centre_id.clone(), record.case_id.clone()));
                let mut cases = Vec::new();
                for (record, case) in rows {
                    let key = case.key(keys)?;
                    if let Some(reentered) = opened_reentry(&key, &record)? {
                        cases.push(ReenteredCase {
                            stored: load_version(conn, &case, record.version)?.open(&key)?,
                            case: sampled(&record, case)?,
                            reentered,
                        });
                    }
                }
                Ok((cases, last))
            })?;
            count += cases.len() as u64;
            for case in cases {
                each(case)?;
            }
            after = last;
        }
        let event = Event::new("verification.compare")
            .subject(verification)
            .detail("cases", count);
        Ok(self.record_reading(scope, event)?)
    }

    /// One case of a draw that was entered again, with both documents. Audited as a reading of the case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case that is not of the draw or not entered again; [`StoreError::Withdrawn`].
    pub fn reentered_case(
        &self,
        scope: &Scope,
        verification: &str,
        pseudonym: &str,
    ) -> Result<ReenteredCase, StoreError> {
        let (case_id, found) = self.read(scope, |conn, keys| {
            let case = rows::current(super::cases::locate(conn, keys, scope, pseudonym)?)?;
            let record = load_sampled(conn, &case.centre_id, verification, &case.case_id)?;
            let key = case.key(keys)?;
            let reentered = opened_reentry(&key, &record)?.ok_or(StoreError::NotFound)?;
            let stored = load_version(conn, &case, record.version)?.open(&key)?;
            let case_id = case.case_id.clone();
            Ok((
                case_id,
                ReenteredCase {
                    case: sampled(&record, case)?,
                    stored,
                    reentered,
                },
            ))
        })?;
        let event = Event::new("verification.compare")
            .case(&found.case.centre_id, &case_id)
            .subject(verification)
            .versions(None, Some(found.case.version));
        self.record_reading(scope, event)?;
        Ok(found)
    }
}

/// Rows of a draw that the scope sees, with their cases: all, or a batch behind a centre and a record.
fn sample_rows(
    conn: &mut Conn,
    scope: &Scope,
    verification: &str,
    after: Option<(&str, &str)>,
) -> Result<Vec<(CaseRecord, StoredRecord)>, StoreError> {
    let own = scope
        .role()
        .needs_centre()
        .then(|| scope.centre().unwrap_or_default());
    Ok(on_conn!(conn, c => {
        let mut query = verification_cases::table
            .inner_join(cases::table.on(
                cases::centre_id.eq(verification_cases::centre_id).and(cases::case_id.eq(verification_cases::case_id)),
            ))
            .filter(verification_cases::verification_id.eq(verification))
            .filter(cases::withdrawal_mode.is_null())
            .order((verification_cases::centre_id, verification_cases::case_id))
            .select((verification_cases::all_columns, cases::all_columns))
            .into_boxed();
        if let Some(own) = own {
            query = query.filter(verification_cases::centre_id.eq(own));
        }
        if let Some((centre, case_id)) = after {
            query = query
                .filter(verification_cases::centre_id.gt(centre).or(
                    verification_cases::centre_id.eq(centre).and(verification_cases::case_id.gt(case_id)),
                ))
                .limit(BATCH as i64);
        }
        query.load::<(CaseRecord, StoredRecord)>(c)
    })?)
}
