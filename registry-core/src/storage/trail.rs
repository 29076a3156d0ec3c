//! Reading and checking the audit trail.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::cases::{load_case_anywhere, open_reason};
use super::centres::stored_json;
use super::connection::{Conn, on_conn};
use super::keyring::{CaseKey, Keyring};
use super::page::place;
use super::store::require;
use super::tables::{audit_events, audit_head};
use super::transaction::{Event, EventRow};
use super::{Page, Store, StoreError};
use crate::access::Scope;
use crate::audit::{ChainHead, ChainReport, ChainVerifier, ChainedEvent, TamperKind, Tampered};

/// Filters of the list of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who acted.
    pub actor: Option<String>,
    /// What was done (`case.put`, `key.create`, ..).
    pub action: Option<String>,
    /// Centre concerned.
    pub centre: Option<String>,
    /// Case concerned.
    pub case_id: Option<String>,
    /// At or after.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// One event as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditEvent)]
pub struct AuditRow {
    /// Place in the chain, from 1.
    pub seq: i64,
    /// When (UTC).
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What.
    pub action: String,
    /// Centre concerned.
    pub centre_id: Option<String>,
    /// Case concerned.
    pub case_id: Option<String>,
    /// What else it concerns (a key id, a run number).
    pub subject: Option<String>,
    /// Version before.
    pub old_version: Option<i64>,
    /// Version after.
    pub new_version: Option<i64>,
    /// Why; `None` when none was given or the case it belongs to is erased.
    pub reason: Option<String>,
    /// A reason was given and cannot be read any more (the case is erased) or not in this role.
    pub reason_sealed: bool,
    /// The request.
    pub request_id: Option<String>,
    /// Further facts, a JSON object (keyed hashes, counts; never values).
    pub details: serde_json::Value,
    /// Hash of this event (hexadecimal).
    pub hash: String,
}

/// Events read at a time.
const BATCH: i64 = 1000;

fn shown(
    conn: &mut Conn,
    keys: &Keyring,
    cache: &mut HashMap<String, Option<CaseKey>>,
    row: EventRow,
) -> Result<AuditRow, StoreError> {
    let ChainedEvent { seq, event, hash, .. } = row.into();
    let mut reason = None;
    let mut reason_sealed = false;
    if let Some(stored) = &event.reason {
        if let (Some(centre), Some(case_id)) = (&event.centre_id, &event.case_id) {
            if !cache.contains_key(case_id) {
                // An event keeps the centre of its day; the case may have been transferred since.
                let case = load_case_anywhere(conn, case_id)?;
                let key = case
                    .filter(|case| case.wrapped_key.is_some())
                    .map(|case| case.key(keys));
                cache.insert(case_id.clone(), key.transpose()?);
            }
            let key = cache.get(case_id).and_then(Option::as_ref);
            reason = open_reason(key, centre, case_id, stored);
        } else {
            reason = Some(stored.clone());
        }
        reason_sealed = reason.is_none();
    }
    Ok(AuditRow {
        seq,
        at: event.at,
        actor: event.actor,
        role: event.role,
        action: event.action,
        centre_id: event.centre_id,
        case_id: event.case_id,
        subject: event.subject,
        old_version: event.old_version,
        new_version: event.new_version,
        reason,
        reason_sealed,
        request_id: event.request_id,
        details: stored_json(&event.details)?,
        hash: hex::encode(hash),
    })
}

impl Store {
    /// Events, newest first. `coordinator`, `admin`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]; [`StoreError::BadCursor`] for a cursor that is none.
    pub fn list_audit(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<AuditRow>, StoreError> {
        require(scope, scope.role().administers(), "read the audit trail")?;
        let before = place(cursor)?
            .map(|place| place.parse::<i64>().map_err(|_| StoreError::BadCursor))
            .transpose()?;
        // Reasons given with a case are the case's: a role that sees no case does not read them (SQLite has no policies).
        let reads_reasons = scope.role().sees_all_cases();
        self.read(scope, |conn, keys| {
            let rows = on_conn!(conn, c => {
                let mut query = audit_events::table
                    .order(audit_events::seq.desc())
                    .limit(Page::<AuditRow>::fetch(limit))
                    .into_boxed();
                if let Some(actor) = &filter.actor {
                    query = query.filter(audit_events::actor.eq(actor));
                }
                if let Some(action) = &filter.action {
                    query = query.filter(audit_events::action.eq(action));
                }
                if let Some(centre) = &filter.centre {
                    query = query.filter(audit_events::centre_id.eq(centre));
                }
                if let Some(case_id) = &filter.case_id {
                    query = query.filter(audit_events::case_id.eq(case_id));
                }
                if let Some(since) = filter.since {
                    query = query.filter(audit_events::at.ge(since.naive_utc()));
                }
                if let Some(until) = filter.until {
                    query = query.filter(audit_events::at.lt(until.naive_utc()));
                }
                if let Some(before) = before {
                    query = query.filter(audit_events::seq.lt(before));
                }
                query.load::<EventRow>(c)
            })?;
            let page = Page::cut(rows, limit, |row| row.seq.to_string());
            let mut cache = HashMap::new();
            let mut items = Vec::with_capacity(page.items.len());
            for row in page.items {
                let mut row = shown(conn, keys, &mut cache, row)?;
                if !reads_reasons && row.case_id.is_some() && row.reason.take().is_some() {
                    row.reason_sealed = true;
                }
                items.push(row);
            }
            Ok(Page {
                items,
                next: page.next,
            })
        })
    }

    /// The recorded head, to be noted outside the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Tampered`] when the head is not one that this registry wrote.
    pub fn audit_head(&self) -> Result<ChainHead, StoreError> {
        self.read(&Scope::system("audit"), recorded_head)
    }

    /// Checks the whole chain against the recorded head and one noted earlier, in constant memory.
    ///
    /// # Errors
    /// [`StoreError::Tampered`] says at which event it breaks and how.
    pub fn verify_audit(&self, anchor: Option<ChainHead>) -> Result<ChainReport, StoreError> {
        self.read(&Scope::system("audit"), |conn, keys| {
            let mut verifier = ChainVerifier::new(anchor);
            let mut last: Option<i64> = None;
            loop {
                let rows = on_conn!(conn, c => {
                    let mut query = audit_events::table.order(audit_events::seq).limit(BATCH).into_boxed();
                    if let Some(last) = last {
                        query = query.filter(audit_events::seq.gt(last));
                    }
                    query.load::<EventRow>(c)
                })?;
                let Some(end) = rows.last().map(|row| row.seq) else {
                    break;
                };
                last = Some(end);
                for row in rows {
                    verifier.next(&row.into())?;
                }
            }
            let head = recorded_head(conn, keys)?;
            Ok(verifier.finish(&head)?)
        })
    }

    /// Records that something was read or exported that no other method records (`release.download`, `export.csv`, ..).
    /// `details` is a JSON object of counts and names, never values.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: do not hand the data out then.
    pub fn record_access(
        &self,
        scope: &Scope,
        action: &str,
        subject: Option<&str>,
        details: serde_json::Value,
    ) -> Result<(), StoreError> {
        let mut event = Event::new(action);
        event.subject = subject;
        match details {
            serde_json::Value::Object(object) => event.details = object,
            serde_json::Value::Null => {}
            _ => return Err(StoreError::Invalid("details of an event are an object")),
        }
        self.record_reading(scope, event)
    }
}

fn recorded_head(conn: &mut Conn, keys: &Keyring) -> Result<ChainHead, StoreError> {
    let query = audit_head::table.select((audit_head::seq, audit_head::hash, audit_head::mac));
    let (seq, hash, mac) = on_conn!(conn, c => query.first::<(i64, Vec<u8>, Vec<u8>)>(c))
        .optional()?
        .ok_or(StoreError::Tampered(Tampered {
            seq: 0,
            kind: TamperKind::Head,
        }))?;
    if !keys.head_is_ours(seq, &hash, &mac) {
        return Err(StoreError::Tampered(Tampered {
            seq,
            kind: TamperKind::Head,
        }));
    }
    Ok(ChainHead {
        seq,
        hash: hex::encode(hash),
    })
}
