//! One writing transaction: the connection, the time, the keys, and the tail of the audit chain.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::cases::rows::claim_of;
use super::centres::require_active;
use super::connection::{Conn, on_conn};
use super::error::{Outage, StoreError};
use super::filed::{Filed, Known, NewCase};
use super::identifiers::{self, utc};
use super::keyring::Keyring;
use super::tables::{audit_events, audit_head};
use crate::access::{Role, Scope};
use crate::audit::{AuditEvent, ChainHead, ChainedEvent};
use crate::clock::{Clock, Entropy};

/// What a piece of work does its work with.
pub(crate) struct Tx<'a> {
    conn: &'a mut Conn,
    pub(crate) now: NaiveDateTime,
    pub(crate) keys: &'a Keyring,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) scope: Scope,
    pub(crate) limits: Limits,
    ledger: &'a mut Ledger,
    levels: Vec<Level>,
}

/// What the pieces of one transaction share: the audit chain they extend, the new cases they file, what was looked up.
pub(crate) struct Ledger {
    pub(crate) tail: Tail,
    pub(crate) filed: Filed,
    pub(crate) known: Known,
    /// Why the transaction as a whole cannot go on, whatever a piece makes of it.
    pub(crate) broken: Option<StoreError>,
}

impl Ledger {
    /// Locks the end of the audit chain ([`Tail::lock`]).
    pub(crate) fn begin(conn: &mut Conn) -> Result<Self, StoreError> {
        Ok(Self {
            tail: Tail::lock(conn)?,
            filed: Filed::default(),
            known: Known::default(),
            broken: None,
        })
    }

    /// Writes what is still to be written: cases, events, the new head.
    pub(crate) fn write(mut self, conn: &mut Conn, keys: &Keyring) -> Result<(), StoreError> {
        let all = self.filed.mark();
        self.filed.write(conn, keys, all)?;
        self.tail.write(conn, keys).map(|_| ())
    }
}

/// A part of a transaction that can be undone on its own. Its savepoint is made when the first statement needs it:
/// a part that only files a new case costs no round trip.
struct Level {
    /// Cases filed before it began.
    cases: usize,
    open: bool,
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

impl<'a> Tx<'a> {
    pub(crate) fn new(
        conn: &'a mut Conn,
        keys: &'a Keyring,
        (clock, entropy): (&dyn Clock, &'a dyn Entropy),
        scope: Scope,
        limits: Limits,
        ledger: &'a mut Ledger,
    ) -> Self {
        Self {
            conn,
            now: identifiers::now(clock),
            keys,
            entropy,
            scope,
            limits,
            ledger,
            levels: Vec::new(),
        }
    }

    /// The connection, with everything filed so far written, inside the savepoints of the levels begun.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn, StoreError> {
        if let Err(error) = self.reach() {
            self.ledger.broken.get_or_insert_with(|| error.clone());
            return Err(error);
        }
        Ok(self.conn)
    }

    fn reach(&mut self) -> Result<(), StoreError> {
        for depth in 0..self.levels.len() {
            if self.levels[depth].open {
                continue;
            }
            let earlier = self.levels[depth].cases;
            self.ledger.filed.write(self.conn, self.keys, earlier)?;
            let context = self.context();
            self.conn.run(&format!("SAVEPOINT level_{depth}; {context}"))?;
            self.levels[depth].open = true;
        }
        let all = self.ledger.filed.mark();
        if self.ledger.filed.write(self.conn, self.keys, all)? {
            let context = self.context();
            self.conn.run(&context)?;
        }
        Ok(())
    }

    fn context(&self) -> String {
        context(self.conn, self.scope.role().as_str(), self.scope.centre())
    }

    /// Does `work` so that its failure undoes it and nothing else.
    pub(crate) fn nested<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let depth = self.levels.len();
        let (events, cases) = (self.ledger.tail.mark(), self.ledger.filed.mark());
        self.levels.push(Level { cases, open: false });
        let result = work(self);
        // What panicked inside may have left deeper levels behind.
        let open = self.levels.get(depth).is_some_and(|level| level.open);
        self.levels.truncate(depth);
        let ended = match &result {
            Err(StoreError::Unavailable(_)) => return result,
            Ok(_) if open => self.conn.run(&format!("RELEASE SAVEPOINT level_{depth}")),
            // Rolling back brings back the context of the moment before, which may be that of filing.
            Err(_) if open => self.conn.run(&format!(
                "ROLLBACK TO SAVEPOINT level_{depth}; RELEASE SAVEPOINT level_{depth}; {}",
                self.context()
            )),
            _ => Ok(()),
        };
        if let Err(error) = ended {
            self.ledger.broken.get_or_insert(error);
        }
        if result.is_err() {
            self.ledger.tail.forget_after(events);
            self.ledger.filed.forget_after(cases);
            self.ledger.known.forget();
        }
        result
    }

    /// Puts an event at the end of the chain; it is written with the transaction. Returns its number.
    pub(crate) fn audit(&mut self, event: Event<'_>) -> i64 {
        let event = event.by(&self.scope, self.now);
        self.append(event)
    }

    /// [`Tx::audit`] of an event made elsewhere.
    pub(crate) fn append(&mut self, event: AuditEvent) -> i64 {
        self.ledger.tail.push(event)
    }

    /// How many events the transaction has so far; see [`Tx::case_since`].
    pub(crate) fn events(&self) -> usize {
        self.ledger.tail.mark()
    }

    /// The case that the events since then are about; none when they are about none.
    pub(crate) fn case_since(&self, events: usize) -> Option<String> {
        let since = self.ledger.tail.added.get(events..).unwrap_or_default();
        since.iter().find_map(|chained| chained.event.case_id.clone())
    }

    /// Files a new case: written together with those of other pieces, at the latest when the transaction ends.
    pub(crate) fn file(&mut self, new: NewCase) -> Result<(), StoreError> {
        self.ledger.known.claimed(self.keys, &new.case);
        self.ledger.filed.push(new);
        if self.ledger.filed.is_full() {
            self.conn()?;
        }
        Ok(())
    }

    /// Where a pseudonym is registered: `(centre, case id)`.
    pub(crate) fn claim_of(&mut self, pseudonym: &str) -> Result<Option<(String, String)>, StoreError> {
        let keys = self.keys;
        match self.ledger.known.claim(&keys.pseudonym_mac(pseudonym)) {
            Some(claim) => Ok(claim),
            None => claim_of(self.conn()?, keys, pseudonym),
        }
    }

    /// Refuses a centre that is not known or does not take part any more.
    pub(crate) fn require_active(&mut self, centre: &str) -> Result<(), StoreError> {
        match self.ledger.known.is_active(centre) {
            Some(true) => Ok(()),
            _ => require_active(self.conn()?, centre),
        }
    }

    /// Runs bookkeeping that the scope itself may not see (PostgreSQL row-level security), then steps back.
    pub(crate) fn as_registry<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        set_context(self.conn()?, Role::System, None)?;
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
    let context = context(conn, role.as_str(), centre);
    if context.is_empty() {
        Ok(())
    } else {
        conn.run(&context)
    }
}

/// The statement that does it, nothing on SQLite. As text: one round trip, and it can follow another statement.
pub(super) fn context(conn: &Conn, role: &str, centre: Option<&str>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match conn {
        Conn::Sqlite(_) => String::new(),
        Conn::Postgres(_) => format!(
            "SELECT set_config('registry.role', {}, true), set_config('registry.centre', {}, true)",
            quoted(role),
            quoted(centre.unwrap_or_default())
        ),
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
