//! One writing transaction: the connection, the time, the keys, and the tail of the audit chain.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::connection::{Conn, on_conn};
use super::error::{Outage, StoreError};
use super::identifiers::utc;
use super::keyring::Keyring;
use super::tables::{audit_events, audit_head};
use crate::access::{Role, Scope};
use crate::audit::{AuditEvent, ChainHead, ChainedEvent};
use crate::clock::Entropy;

/// What a piece of work does its work with.
pub(crate) struct Tx<'a> {
    pub(crate) conn: &'a mut Conn,
    pub(crate) now: NaiveDateTime,
    pub(crate) keys: &'a Keyring,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) scope: Scope,
    pub(crate) tail: &'a mut Tail,
    pub(crate) limits: Limits,
}

/// Spans of time that the settings give.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) idempotency_kept: std::time::Duration,
    pub(crate) lease: std::time::Duration,
    pub(crate) session_idle: std::time::Duration,
    pub(crate) session_absolute: std::time::Duration,
}

/// What an event concerns; the rest comes from the transaction's scope and time.
#[derive(Default)]
pub(crate) struct Event<'a> {
    pub(crate) action: &'a str,
    pub(crate) centre: Option<&'a str>,
    pub(crate) case_id: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) old_version: Option<i64>,
    pub(crate) new_version: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) details: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(action: &'a str) -> Self {
        Self {
            action,
            ..Self::default()
        }
    }

    pub(crate) fn centre(mut self, centre: &'a str) -> Self {
        self.centre = Some(centre);
        self
    }

    pub(crate) fn case(mut self, centre: &'a str, case_id: &'a str) -> Self {
        self.centre = Some(centre);
        self.case_id = Some(case_id);
        self
    }

    pub(crate) fn subject(mut self, subject: &'a str) -> Self {
        self.subject = Some(subject);
        self
    }

    pub(crate) fn versions(mut self, old: Option<i64>, new: Option<i64>) -> Self {
        self.old_version = old;
        self.new_version = new;
        self
    }

    pub(crate) fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    pub(crate) fn detail(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn by(self, scope: &Scope, at: NaiveDateTime) -> AuditEvent {
        let sorted: std::collections::BTreeMap<_, _> = self.details.into_iter().collect();
        AuditEvent {
            at: utc(at),
            actor: scope.actor().to_owned(),
            role: scope.role().as_str().to_owned(),
            action: self.action.to_owned(),
            centre_id: self.centre.or(scope.centre()).map(str::to_owned),
            case_id: self.case_id.map(str::to_owned),
            subject: self.subject.map(str::to_owned),
            old_version: self.old_version,
            new_version: self.new_version,
            reason: self.reason,
            request_id: scope.request_id().map(str::to_owned),
            details: serde_json::to_string(&sorted).unwrap_or_else(|_| "{}".to_owned()),
        }
    }
}

impl Tx<'_> {
    /// Puts an event at the end of the chain; it is written with the transaction. Returns its number.
    pub(crate) fn audit(&mut self, event: Event<'_>) -> i64 {
        let event = event.by(&self.scope, self.now);
        self.tail.push(event)
    }

    /// Runs bookkeeping that the scope itself may not see (PostgreSQL row-level security), then steps back.
    pub(crate) fn as_registry<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        set_context(self.conn, Role::System, None)?;
        let result = work(self);
        let scope = self.scope.clone();
        match set_context(self.conn, scope.role(), scope.centre()) {
            Ok(()) => result,
            // After a failed statement PostgreSQL refuses everything until the savepoint: the first error counts.
            Err(error) => result.and(Err(error)),
        }
    }
}

/// Tells PostgreSQL whose rows may be seen until the transaction ends.
pub(crate) fn set_context(conn: &mut Conn, role: Role, centre: Option<&str>) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => diesel::sql_query(
            "SELECT set_config('registry.role', $1, true), set_config('registry.centre', $2, true)",
        )
        .bind::<diesel::sql_types::Text, _>(role.as_str())
        .bind::<diesel::sql_types::Text, _>(centre.unwrap_or_default())
        .execute(c)
        .map(|_| ())
        .map_err(StoreError::from),
    }
}

/// The end of the audit chain, with the events that this transaction adds.
pub(crate) struct Tail {
    seq: i64,
    hash: Vec<u8>,
    added: Vec<ChainedEvent>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub(crate) struct EventRow {
    pub(crate) seq: i64,
    at: NaiveDateTime,
    actor: String,
    role: String,
    action: String,
    centre_id: Option<String>,
    case_id: Option<String>,
    subject: Option<String>,
    old_version: Option<i64>,
    new_version: Option<i64>,
    reason: Option<String>,
    request_id: Option<String>,
    details: String,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl From<ChainedEvent> for EventRow {
    fn from(chained: ChainedEvent) -> Self {
        let event = chained.event;
        Self {
            seq: chained.seq,
            at: event.at.naive_utc(),
            actor: event.actor,
            role: event.role,
            action: event.action,
            centre_id: event.centre_id,
            case_id: event.case_id,
            subject: event.subject,
            old_version: event.old_version,
            new_version: event.new_version,
            reason: event.reason,
            request_id: event.request_id,
            details: event.details,
            previous_hash: chained.previous,
            hash: chained.hash,
        }
    }
}

impl From<EventRow> for ChainedEvent {
    fn from(row: EventRow) -> Self {
        Self {
            seq: row.seq,
            event: AuditEvent {
                at: utc(row.at),
                actor: row.actor,
                role: row.role,
                action: row.action,
                centre_id: row.centre_id,
                case_id: row.case_id,
                subject: row.subject,
                old_version: row.old_version,
                new_version: row.new_version,
                reason: row.reason,
                request_id: row.request_id,
                details: row.details,
            },
            previous: row.previous_hash,
            hash: row.hash,
        }
    }
}

/// Events inserted by one statement: 15 columns each, below SQLite's 32,766 parameters.
const EVENTS_A_STATEMENT: usize = 500;

impl Tail {
    /// Reads the head and, on PostgreSQL, locks it until the transaction ends: one writer at a time, no fork.
    pub(crate) fn lock(conn: &mut Conn) -> Result<Self, StoreError> {
        let query = audit_head::table.select((audit_head::seq, audit_head::hash));
        let (seq, hash) = match conn {
            Conn::Sqlite(c) => query.first::<(i64, Vec<u8>)>(c),
            Conn::Postgres(c) => query.for_update().first::<(i64, Vec<u8>)>(c),
        }
        .optional()?
        .ok_or(StoreError::Unavailable(Outage::NotMigrated))?;
        Ok(Self {
            seq,
            hash,
            added: Vec::new(),
        })
    }

    pub(crate) fn push(&mut self, event: AuditEvent) -> i64 {
        self.seq += 1;
        let hash = event.hash_after(&self.hash, self.seq).to_vec();
        let previous = std::mem::replace(&mut self.hash, hash.clone());
        self.added.push(ChainedEvent {
            seq: self.seq,
            event,
            previous,
            hash,
        });
        self.seq
    }

    /// Where the chain stands, to come back to with [`Tail::forget_after`].
    pub(crate) fn mark(&self) -> usize {
        self.added.len()
    }

    /// Drops the events added after `mark`: their work was undone.
    pub(crate) fn forget_after(&mut self, mark: usize) {
        if let Some(first) = self.added.get(mark) {
            self.seq = first.seq - 1;
            self.hash.clone_from(&first.previous);
            self.added.truncate(mark);
        }
    }

    pub(crate) fn is_unchanged(&self) -> bool {
        self.added.is_empty()
    }

    /// Writes the added events and the new head.
    pub(crate) fn write(self, conn: &mut Conn, keys: &Keyring) -> Result<ChainHead, StoreError> {
        let head = ChainHead {
            seq: self.seq,
            hash: hex::encode(&self.hash),
        };
        if self.added.is_empty() {
            return Ok(head);
        }
        set_context(conn, Role::System, None)?;
        let rows: Vec<EventRow> = self.added.into_iter().map(EventRow::from).collect();
        for some in rows.chunks(EVENTS_A_STATEMENT) {
            on_conn!(conn, c => diesel::insert_into(audit_events::table).values(some.iter().collect::<Vec<_>>()).execute(c))?;
        }
        let mac = keys.head_mac(self.seq, &self.hash).to_vec();
        on_conn!(conn, c => diesel::update(audit_head::table)
            .set((
                audit_head::seq.eq(self.seq),
                audit_head::hash.eq(&self.hash),
                audit_head::mac.eq(&mac),
            ))
            .execute(c))?;
        Ok(head)
    }
}
