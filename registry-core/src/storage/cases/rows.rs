//! Rows of the case tables, and how a document is packed.

use std::io::{Read, Write};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::Value;

use super::etag::etag;
use super::{CaseRow, CaseStatus, Derived, StoredFinding, StoredSeverity, Withdrawal, WithdrawalMode};
use crate::intake::canonical;
use crate::storage::StoreError;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::identifiers::utc;
use crate::storage::keyring::{CaseKey, Keyring};
use crate::storage::tables::{case_versions, cases, findings, pseudonym_claims};

/// The current state of a case.
#[derive(Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = cases, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct CaseRecord {
    pub(crate) centre_id: String,
    pub(crate) case_id: String,
    pub(crate) pseudonym: Option<String>,
    pub(crate) status: String,
    pub(crate) locked_through: Option<NaiveDate>,
    pub(crate) version: i64,
    pub(crate) state: i64,
    pub(crate) schema_version: String,
    pub(crate) histology_code: Option<String>,
    pub(crate) eligibility_class: Option<String>,
    pub(crate) t0: Option<String>,
    pub(crate) errors: i64,
    pub(crate) warnings: i64,
    pub(crate) wrapped_key: Option<Vec<u8>>,
    pub(crate) created_at: NaiveDateTime,
    pub(crate) updated_at: NaiveDateTime,
    pub(crate) withdrawal_mode: Option<String>,
    pub(crate) withdrawn_on: Option<NaiveDate>,
    pub(crate) reuse_ended_on: Option<NaiveDate>,
}

/// One version of a case.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = case_versions, treat_none_as_default_value = false)]
pub(crate) struct VersionRecord {
    pub(crate) centre_id: String,
    pub(crate) case_id: String,
    pub(crate) version: i64,
    pub(crate) schema_version: String,
    pub(crate) status: String,
    pub(crate) document: Option<Vec<u8>>,
    pub(crate) content_hash: Vec<u8>,
    pub(crate) histology_code: Option<String>,
    pub(crate) eligibility_class: Option<String>,
    pub(crate) t0: Option<String>,
    pub(crate) errors: i64,
    pub(crate) warnings: i64,
    pub(crate) submitted_at: NaiveDateTime,
    pub(crate) actor: String,
    pub(crate) reason: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) change_seq: i64,
    pub(crate) superseded_seq: Option<i64>,
}

/// One finding of one version.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = findings, treat_none_as_default_value = false)]
pub(crate) struct FindingRecord {
    pub(crate) centre_id: String,
    pub(crate) case_id: String,
    pub(crate) version: i64,
    pub(crate) position: i32,
    pub(crate) identity: String,
    pub(crate) code: String,
    pub(crate) severity: String,
    pub(crate) rule: Option<String>,
    pub(crate) rule_version: Option<String>,
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) elements: String,
    /// Since which event the version, judged again, no longer fires it.
    pub(crate) dropped_seq: Option<i64>,
}

pub(crate) fn stored_status(text: &str) -> Result<CaseStatus, StoreError> {
    CaseStatus::parse(text).ok_or_else(|| StoreError::Internal("a stored status is unknown".to_owned()))
}

impl CaseRecord {
    pub(crate) fn etag(&self) -> String {
        etag(&self.case_id, self.version, self.state)
    }

    pub(crate) fn status(&self) -> Result<CaseStatus, StoreError> {
        stored_status(&self.status)
    }

    pub(crate) fn withdrawal(&self) -> Option<Withdrawal> {
        let mode = match self.withdrawal_mode.as_deref()? {
            "erase" => WithdrawalMode::Erase,
            _ => WithdrawalMode::NoFurtherUse,
        };
        Some(Withdrawal {
            mode,
            date: self.withdrawn_on?,
        })
    }

    /// The case's data key; [`StoreError::Withdrawn`] once it is destroyed.
    pub(crate) fn key(&self, keys: &Keyring) -> Result<CaseKey, StoreError> {
        let wrapped = self
            .wrapped_key
            .as_deref()
            .ok_or(StoreError::Withdrawn { erased: true })?;
        keys.open_case_key(&self.centre_id, &self.case_id, wrapped)
    }
}

impl TryFrom<CaseRecord> for CaseRow {
    type Error = StoreError;

    fn try_from(row: CaseRecord) -> Result<Self, StoreError> {
        Ok(Self {
            status: row.status()?,
            etag: row.etag(),
            withdrawal: row.withdrawal(),
            case_id: row.case_id,
            centre_id: row.centre_id,
            pseudonym: row.pseudonym,
            locked_through: row.locked_through,
            version: row.version,
            schema_version: row.schema_version,
            derived: Derived {
                histology_code: row.histology_code,
                eligibility_class: row.eligibility_class,
                t0: row.t0,
            },
            errors: row.errors,
            warnings: row.warnings,
            created_at: utc(row.created_at),
            updated_at: utc(row.updated_at),
        })
    }
}

impl VersionRecord {
    pub(crate) fn derived(&self) -> Derived {
        Derived {
            histology_code: self.histology_code.clone(),
            eligibility_class: self.eligibility_class.clone(),
            t0: self.t0.clone(),
        }
    }

    /// The document, opened and unpacked.
    pub(crate) fn open(&self, key: &CaseKey) -> Result<Value, StoreError> {
        let sealed = self
            .document
            .as_deref()
            .ok_or(StoreError::Withdrawn { erased: true })?;
        let packed = key.open_document(&self.centre_id, &self.case_id, self.version, sealed)?;
        let plain = unpack(&packed).ok_or_else(|| StoreError::Unreadable(self.case_id.clone()))?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Unreadable(self.case_id.clone()))
    }
}

impl FindingRecord {
    pub(crate) fn of(case: &CaseRecord, position: usize, finding: &StoredFinding) -> Self {
        Self {
            centre_id: case.centre_id.clone(),
            case_id: case.case_id.clone(),
            version: case.version,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            identity: finding.identity.clone(),
            code: finding.code.clone(),
            severity: finding.severity.as_str().to_owned(),
            rule: finding.rule.clone(),
            rule_version: finding.rule_version.clone(),
            pointer: finding.pointer.clone(),
            message: finding.message.clone(),
            elements: serde_json::to_string(&finding.elements).unwrap_or_else(|_| "[]".to_owned()),
            dropped_seq: None,
        }
    }
}

impl TryFrom<FindingRecord> for StoredFinding {
    type Error = StoreError;

    fn try_from(row: FindingRecord) -> Result<Self, StoreError> {
        let broken = || StoreError::Internal("a stored finding does not read".to_owned());
        Ok(Self {
            severity: StoredSeverity::from_code(&row.severity).ok_or_else(broken)?,
            elements: serde_json::from_str(&row.elements).map_err(|_| broken())?,
            identity: row.identity,
            code: row.code,
            pointer: row.pointer,
            rule: row.rule,
            rule_version: row.rule_version,
            message: row.message,
        })
    }
}

/// Where a pseudonym is registered: `(centre, case id)`.
pub(crate) fn claim_of(
    conn: &mut Conn,
    keys: &Keyring,
    pseudonym: &str,
) -> Result<Option<(String, String)>, StoreError> {
    claim_by_mac(conn, &keys.pseudonym_mac(pseudonym))
}

/// The same by the keyed hash of the pseudonym.
pub(crate) fn claim_by_mac(conn: &mut Conn, mac: &[u8]) -> Result<Option<(String, String)>, StoreError> {
    let query = pseudonym_claims::table
        .find(mac)
        .select((pseudonym_claims::centre_id, pseudonym_claims::case_id));
    Ok(on_conn!(conn, c => query.first::<(String, String)>(c)).optional()?)
}

/// The current row of a case.
pub(crate) fn load_case(
    conn: &mut Conn,
    centre: &str,
    case_id: &str,
) -> Result<Option<CaseRecord>, StoreError> {
    let query = cases::table.find((centre, case_id));
    Ok(on_conn!(conn, c => query.first::<CaseRecord>(c)).optional()?)
}

/// The current row of a case, whichever centre holds it now.
pub(crate) fn load_case_anywhere(conn: &mut Conn, case_id: &str) -> Result<Option<CaseRecord>, StoreError> {
    let query = cases::table.filter(cases::case_id.eq(case_id));
    Ok(on_conn!(conn, c => query.first::<CaseRecord>(c)).optional()?)
}

/// A case that is not withdrawn.
pub(crate) fn current(case: CaseRecord) -> Result<CaseRecord, StoreError> {
    match case.withdrawal() {
        None => Ok(case),
        Some(withdrawal) => Err(StoreError::Withdrawn {
            erased: withdrawal.mode == WithdrawalMode::Erase,
        }),
    }
}

/// One version of a case.
pub(crate) fn load_version(
    conn: &mut Conn,
    case: &CaseRecord,
    version: i64,
) -> Result<VersionRecord, StoreError> {
    let query = case_versions::table.find((&case.centre_id, &case.case_id, version));
    Ok(on_conn!(conn, c => query.first::<VersionRecord>(c))?)
}

/// The findings of one version, in the order of the verdict.
pub(crate) fn load_findings(
    conn: &mut Conn,
    centre: &str,
    case_id: &str,
    version: i64,
) -> Result<Vec<StoredFinding>, StoreError> {
    let rows = finding_records(conn, centre, case_id, version)?.into_iter();
    let stand = rows.filter(|row| row.dropped_seq.is_none());
    stand.map(StoredFinding::try_from).collect()
}

/// The rows of the findings of one version, those dropped when it was judged again among them.
pub(crate) fn finding_records(
    conn: &mut Conn,
    centre: &str,
    case_id: &str,
    version: i64,
) -> Result<Vec<FindingRecord>, StoreError> {
    let query = findings::table
        .filter(findings::centre_id.eq(centre))
        .filter(findings::case_id.eq(case_id))
        .filter(findings::version.eq(version))
        .order(findings::position);
    Ok(on_conn!(conn, c => query.load::<FindingRecord>(c))?)
}

/// A document ready to be stored: canonical bytes without nulls, and the same compressed. The hash of its content is of these bytes.
pub(crate) struct Packed {
    pub(crate) canonical: Vec<u8>,
    pub(crate) compressed: Vec<u8>,
}

impl Packed {
    pub(crate) fn new(document: &Value) -> Result<Self, StoreError> {
        let canonical = canonical::record_to_bytes(document);
        let mut encoder = ZlibEncoder::new(Vec::with_capacity(canonical.len() / 4), Compression::fast());
        let compressed = encoder
            .write_all(&canonical)
            .and_then(|()| encoder.finish())
            .map_err(|_| StoreError::Internal("compressing a document".to_owned()))?;
        Ok(Self {
            canonical,
            compressed,
        })
    }
}

/// The bytes that were packed; `None` when they are not what [`Packed`] makes.
pub(crate) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut plain).ok()?;
    Some(plain)
}
