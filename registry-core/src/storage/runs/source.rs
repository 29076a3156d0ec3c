//! The cases a run is made of: for every case, the version that was current at the run's watermark.

use std::collections::HashMap;

use diesel::prelude::*;
use rayon::prelude::*;

use super::evaluations::distinct;
use super::{CaseDocument, CaseHeader, CaseRef, CasesLeftOut};
use crate::access::Scope;
use crate::storage::cases::{StoredFinding, VersionRecord, load_findings, stored_status};
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Transfers;
use crate::storage::identifiers::utc;
use crate::storage::store::require;
use crate::storage::tables::{case_versions, cases};
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

/// Cases asked for by one statement.
const CASES_A_STATEMENT: usize = 1000;

/// Centre and record id.
pub(crate) struct Place<'a> {
    centre: &'a str,
    case_id: &'a str,
}

impl<'a> Place<'a> {
    pub(crate) fn of(case: &'a CaseRef) -> Self {
        Self {
            centre: &case.centre_id,
            case_id: &case.case_id,
        }
    }
}

/// The wrapped keys of these cases; erased ones are not there.
pub(crate) fn wrapped_keys(
    conn: &mut Conn,
    places: &[Place<'_>],
) -> Result<HashMap<(String, String), Vec<u8>>, StoreError> {
    let mut keys = HashMap::with_capacity(places.len());
    for some in places.chunks(CASES_A_STATEMENT) {
        let query = cases::table
            .filter(cases::centre_id.eq_any(distinct(some.iter().map(|p| p.centre))))
            .filter(cases::case_id.eq_any(distinct(some.iter().map(|p| p.case_id))))
            .filter(cases::wrapped_key.is_not_null())
            .select((
                cases::centre_id,
                cases::case_id,
                cases::wrapped_key.assume_not_null(),
            ));
        let rows = on_conn!(conn, c => query.load::<(String, String, Vec<u8>)>(c))?;
        keys.extend(rows.into_iter().map(|(centre, case, key)| ((centre, case), key)));
    }
    Ok(keys)
}

impl CaseHeader {
    fn of(row: &VersionRecord, known: &Transfers) -> Result<Self, StoreError> {
        Ok(Self {
            holders: known.holders(&row.centre_id, &row.case_id),
            case: CaseRef {
                centre_id: row.centre_id.clone(),
                case_id: row.case_id.clone(),
                version: row.version,
            },
            status: stored_status(&row.status)?,
            schema_version: row.schema_version.clone(),
            derived: row.derived(),
            submitted_at: utc(row.submitted_at),
            content_hash: hex::encode(&row.content_hash),
            errors: row.errors,
            warnings: row.warnings,
        })
    }
}

/// The columns of a header: everything but the document.
type HeaderRow = (
    (String, String, i64, String, String, Vec<u8>),
    (
        Option<String>,
        Option<String>,
        Option<String>,
        i64,
        i64,
        chrono::NaiveDateTime,
    ),
);

fn header(row: HeaderRow, known: &Transfers) -> Result<CaseHeader, StoreError> {
    let ((centre_id, case_id, version, schema_version, status, hash), rest) = row;
    let (histology_code, eligibility_class, t0, errors, warnings, submitted_at) = rest;
    Ok(CaseHeader {
        holders: known.holders(&centre_id, &case_id),
        case: CaseRef {
            centre_id,
            case_id,
            version,
        },
        status: stored_status(&status)?,
        schema_version,
        derived: crate::storage::Derived {
            histology_code,
            eligibility_class,
            t0,
        },
        submitted_at: utc(submitted_at),
        content_hash: hex::encode(hash),
        errors,
        warnings,
    })
}

/// The case versions that stood at a watermark, drafts among them, with their cases.
#[diesel::dsl::auto_type]
fn standing_at(watermark: i64) -> _ {
    case_versions::table
        .inner_join(
            cases::table.on(cases::centre_id
                .eq(case_versions::centre_id)
                .and(cases::case_id.eq(case_versions::case_id))),
        )
        .filter(case_versions::change_seq.le(watermark))
        .filter(
            case_versions::superseded_seq
                .is_null()
                .or(case_versions::superseded_seq.gt(watermark)),
        )
}

fn headers_at(
    conn: &mut Conn,
    watermark: i64,
    (centre, case_id): &(String, String),
    batch: usize,
) -> Result<Vec<CaseHeader>, StoreError> {
    let query = standing_at(watermark)
        .filter(case_versions::status.ne("draft"))
        .filter(cases::withdrawal_mode.is_null())
        .filter(
            case_versions::centre_id.gt(centre).or(case_versions::centre_id
                .eq(centre)
                .and(case_versions::case_id.gt(case_id))),
        )
        .order((case_versions::centre_id, case_versions::case_id))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select((
            (
                case_versions::centre_id,
                case_versions::case_id,
                case_versions::version,
                case_versions::schema_version,
                case_versions::status,
                case_versions::content_hash,
            ),
            (
                case_versions::histology_code,
                case_versions::eligibility_class,
                case_versions::t0,
                case_versions::errors,
                case_versions::warnings,
                case_versions::submitted_at,
            ),
        ));
    let rows = on_conn!(conn, c => query.load::<HeaderRow>(c))?;
    let known = Transfers::at(conn, watermark)?;
    rows.into_iter().map(|row| header(row, &known)).collect()
}

impl Store {
    /// Hands the headers of the case versions at `watermark` (no drafts, nothing withdrawn) to `take` in batches, by
    /// centre and case; memory stays flat.
    ///
    /// # Errors
    /// Those of `take`; [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn for_each_case_at<E: From<StoreError>>(
        &self,
        scope: &Scope,
        watermark: i64,
        batch: usize,
        mut take: impl FnMut(Vec<CaseHeader>) -> Result<(), E>,
    ) -> Result<(), E> {
        require(scope, scope.role().sees_all_cases(), "read the cases of a run")?;
        let mut after = (String::new(), String::new());
        loop {
            let headers = self.read(scope, |conn, _| headers_at(conn, watermark, &after, batch.max(1)))?;
            let Some(last) = headers.last() else {
                return Ok(());
            };
            after = (last.case.centre_id.clone(), last.case.case_id.clone());
            take(headers)?;
        }
    }

    /// How many cases had a version at `watermark` and are in no run of it: drafts, and cases withdrawn before or since, erased ones included.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn cases_left_out(&self, scope: &Scope, watermark: i64) -> Result<CasesLeftOut, StoreError> {
        require(scope, scope.role().sees_all_cases(), "read the cases of a run")?;
        let drafts = standing_at(watermark)
            .filter(cases::withdrawal_mode.is_null())
            .filter(case_versions::status.eq("draft"))
            .count();
        let withdrawn = standing_at(watermark)
            .filter(cases::withdrawal_mode.is_not_null())
            .count();
        self.read(scope, |conn, _| {
            let count = |n: i64| u64::try_from(n).unwrap_or_default();
            Ok(CasesLeftOut {
                drafts: count(on_conn!(conn, c => drafts.get_result::<i64>(c))?),
                withdrawn: count(on_conn!(conn, c => withdrawn.get_result::<i64>(c))?),
            })
        })
    }

    /// The documents of these case versions, in input order, with the holders as known at `watermark`; `None` for one that was
    /// erased or does not exist. One audit event per call.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    pub fn case_documents(
        &self,
        scope: &Scope,
        watermark: i64,
        wanted: &[CaseRef],
    ) -> Result<Vec<Option<CaseDocument>>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "read the cases of a run")?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let documents = self.read(scope, |conn, keys| {
            let places: Vec<_> = wanted.iter().map(Place::of).collect();
            let wrapped = wrapped_keys(conn, &places)?;
            let mut found = versions(conn, wanted)?;
            let known = Transfers::at(conn, watermark)?;
            let rows: Vec<_> = wanted.iter().map(|case| found.remove(case)).collect();
            let open = |(case, row): (&CaseRef, Option<VersionRecord>)| {
                let place = (case.centre_id.clone(), case.case_id.clone());
                let (Some(row), Some(wrapped)) = (row, wrapped.get(&place)) else {
                    return Ok(None);
                };
                let key = keys.open_case_key(&place.0, &place.1, wrapped)?;
                Ok(Some(CaseDocument {
                    header: CaseHeader::of(&row, &known)?,
                    document: row.open(&key)?,
                }))
            };
            let opened = wanted.par_iter().zip(rows).map(open);
            opened.collect::<Result<Vec<_>, StoreError>>()
        })?;
        self.record_reading(scope, Event::new("case.read_many").detail("cases", wanted.len()))?;
        Ok(documents)
    }

    /// The stored findings of these case versions, in input order.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`], [`StoreError::Unavailable`].
    pub fn case_findings(
        &self,
        scope: &Scope,
        wanted: &[CaseRef],
    ) -> Result<Vec<Vec<StoredFinding>>, StoreError> {
        require(scope, scope.role().sees_all_cases(), "read the cases of a run")?;
        self.read(scope, |conn, _| {
            wanted
                .iter()
                .map(|case| load_findings(conn, &case.centre_id, &case.case_id, case.version))
                .collect()
        })
    }
}

fn versions(conn: &mut Conn, wanted: &[CaseRef]) -> Result<HashMap<CaseRef, VersionRecord>, StoreError> {
    let mut found = HashMap::with_capacity(wanted.len());
    for some in wanted.chunks(CASES_A_STATEMENT) {
        let mut numbers: Vec<i64> = some.iter().map(|case| case.version).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let query = case_versions::table
            .filter(
                case_versions::centre_id.eq_any(distinct(some.iter().map(|case| case.centre_id.as_str()))),
            )
            .filter(case_versions::case_id.eq_any(distinct(some.iter().map(|case| case.case_id.as_str()))))
            .filter(case_versions::version.eq_any(numbers));
        for row in on_conn!(conn, c => query.load::<VersionRecord>(c))? {
            let case = CaseRef {
                centre_id: row.centre_id.clone(),
                case_id: row.case_id.clone(),
                version: row.version,
            };
            found.insert(case, row);
        }
    }
    Ok(found)
}
