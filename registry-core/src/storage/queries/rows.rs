//! Rows of the queries' tables, and their words, sealed with the case's key.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::steps::Standing;
use super::{QueryClosing, QueryEntry, QueryState, QueryStep, RaisedBy};
use crate::access::Role;
use crate::crypto::Label;
use crate::storage::StoreError;
use crate::storage::cases::CaseRecord;
use crate::storage::connection::{Conn, on_conn};
use crate::storage::holders::Authors;
use crate::storage::identifiers::utc;
use crate::storage::keyring::CaseKey;
use crate::storage::tables::{queries, query_messages};
use crate::storage::transaction::Tx;

/// Who acts when nobody does.
pub(super) const REGISTRY: &str = "registry";

#[derive(Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = queries, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct QueryRecord {
    pub(super) centre_id: String,
    pub(super) query_id: String,
    pub(super) case_id: String,
    pub(super) raised: String,
    pub(super) identity: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) rule_version: Option<String>,
    pub(super) pointer: Option<String>,
    pub(super) elements: String,
    pub(super) version: i64,
    pub(super) last_version: Option<i64>,
    pub(super) state: String,
    pub(super) reopened: i64,
    pub(super) opened_at: NaiveDateTime,
    pub(super) opened_by: String,
    pub(super) asked_at: NaiveDateTime,
    pub(super) answered_at: Option<NaiveDateTime>,
    pub(super) closed_at: Option<NaiveDateTime>,
    pub(super) closed_by: Option<String>,
    pub(super) closing: Option<String>,
    pub(super) messages: i64,
    pub(super) updated_at: NaiveDateTime,
}

#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = query_messages, treat_none_as_default_value = false)]
pub(crate) struct MessageRecord {
    pub(super) centre_id: String,
    pub(super) query_id: String,
    pub(super) position: i64,
    pub(super) step: String,
    pub(super) actor: String,
    pub(super) role: String,
    pub(super) at: NaiveDateTime,
    pub(super) words: Option<Vec<u8>>,
}

pub(super) fn read<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| StoreError::Internal("a stored query does not read".to_owned()))
}

fn label(query: &QueryRecord, position: i64) -> Label {
    Label::new("query")
        .with(query.centre_id.as_bytes())
        .with(query.case_id.as_bytes())
        .with(query.query_id.as_bytes())
        .with(&position.to_be_bytes())
}

impl QueryRecord {
    pub(super) fn state(&self) -> Result<QueryState, StoreError> {
        read(&self.state, QueryState::parse)
    }

    pub(super) fn raised(&self) -> Result<RaisedBy, StoreError> {
        read(&self.raised, RaisedBy::parse)
    }

    pub(super) fn closing(&self) -> Result<Option<QueryClosing>, StoreError> {
        let closing = self.closing.as_deref();
        closing.map(|text| read(text, QueryClosing::parse)).transpose()
    }

    pub(super) fn elements(&self) -> Result<Vec<String>, StoreError> {
        read(&self.elements, |text| serde_json::from_str(text).ok())
    }

    /// What is to be known for the next step.
    pub(super) fn standing(&self) -> Result<Standing, StoreError> {
        let raised = self.raised()?;
        Ok(Standing {
            state: self.state()?,
            raised,
            closing: self.closing()?,
            fires: raised == RaisedBy::Rule && self.last_version.is_none(),
        })
    }

    pub(super) fn open_again(&mut self, now: NaiveDateTime) {
        self.state = QueryState::Open.as_str().to_owned();
        self.reopened += 1;
        self.asked_at = now;
        self.answered_at = None;
        self.closed_at = None;
        self.closed_by = None;
        self.closing = None;
    }

    pub(super) fn close(&mut self, now: NaiveDateTime, by: &str, why: QueryClosing) {
        self.state = QueryState::Closed.as_str().to_owned();
        self.closed_at = Some(now);
        self.closed_by = Some(by.to_owned());
        self.closing = Some(why.as_str().to_owned());
    }

    pub(super) fn answer(&mut self, now: NaiveDateTime) {
        self.state = QueryState::Answered.as_str().to_owned();
        self.answered_at.get_or_insert(now);
    }

    /// The next entry of its history, by whoever acts in this transaction.
    pub(super) fn entry(
        &mut self,
        tx: &Tx<'_>,
        step: QueryStep,
        words: Option<(&CaseKey, &str)>,
    ) -> Result<MessageRecord, StoreError> {
        let mut entry = self.entry_of_the_registry(tx.now, step);
        entry.actor = tx.scope.actor().to_owned();
        entry.role = tx.scope.role().as_str().to_owned();
        if let Some((key, words)) = words {
            let label = label(self, entry.position);
            entry.words = Some(key.seal(tx.entropy, &label, &self.case_id, words.as_bytes())?);
        }
        Ok(entry)
    }

    /// The next entry of its history, by nobody.
    pub(super) fn entry_of_the_registry(&mut self, now: NaiveDateTime, step: QueryStep) -> MessageRecord {
        self.messages += 1;
        self.updated_at = now;
        MessageRecord {
            centre_id: self.centre_id.clone(),
            query_id: self.query_id.clone(),
            position: self.messages,
            step: step.as_str().to_owned(),
            actor: REGISTRY.to_owned(),
            role: "system".to_owned(),
            at: now,
            words: None,
        }
    }
}

impl MessageRecord {
    pub(super) fn open(&self, query: &QueryRecord, key: &CaseKey) -> Result<Option<String>, StoreError> {
        let Some(sealed) = &self.words else {
            return Ok(None);
        };
        let plain = key.open(&label(query, self.position), &query.case_id, sealed)?;
        let text = String::from_utf8(plain).map_err(|_| StoreError::Unreadable(query.case_id.clone()))?;
        Ok(Some(text))
    }

    pub(super) fn shown(
        &self,
        query: &QueryRecord,
        key: &CaseKey,
        authors: &Authors<'_>,
    ) -> Result<QueryEntry, StoreError> {
        let by_centre = self.role.parse().is_ok_and(Role::needs_centre);
        Ok(QueryEntry {
            position: self.position,
            step: read(&self.step, QueryStep::parse)?,
            actor: match by_centre {
                true => authors.shown(self.actor.clone(), self.at),
                false => self.actor.clone(),
            },
            role: self.role.clone(),
            at: utc(self.at),
            text: self.open(query, key)?,
        })
    }
}

/// Brings rows up to their records and adds to their histories.
pub(super) fn write(
    tx: &mut Tx<'_>,
    changed: &[QueryRecord],
    entries: &[MessageRecord],
) -> Result<(), StoreError> {
    on_conn!(tx.conn()?, c => {
        for query in changed {
            diesel::update(queries::table.find((&query.centre_id, &query.query_id))).set(query).execute(c)?;
        }
        if !entries.is_empty() {
            diesel::insert_into(query_messages::table).values(entries).execute(c)?;
        }
    });
    Ok(())
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &[QueryRecord]) -> Result<(), StoreError> {
    if !new.is_empty() {
        on_conn!(tx.conn()?, c => diesel::insert_into(queries::table).values(new).execute(c))?;
    }
    Ok(())
}

/// The history of a query, oldest first.
pub(super) fn messages(conn: &mut Conn, query: &QueryRecord) -> Result<Vec<MessageRecord>, StoreError> {
    let all = query_messages::table
        .filter(query_messages::centre_id.eq(&query.centre_id))
        .filter(query_messages::query_id.eq(&query.query_id))
        .order(query_messages::position);
    Ok(on_conn!(conn, c => all.load::<MessageRecord>(c))?)
}

/// Every query of a case.
pub(super) fn of_case(conn: &mut Conn, centre: &str, case_id: &str) -> Result<Vec<QueryRecord>, StoreError> {
    let all = queries::table
        .filter(queries::centre_id.eq(centre))
        .filter(queries::case_id.eq(case_id))
        .order((queries::opened_at, queries::query_id));
    Ok(on_conn!(conn, c => all.load::<QueryRecord>(c))?)
}

/// The queries of a case go with it to another centre, what was said sealed for its new place.
pub(crate) fn transfer(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    to: &str,
    key: &CaseKey,
) -> Result<(), StoreError> {
    for query in of_case(tx.conn()?, &case.centre_id, &case.case_id)? {
        let moved = QueryRecord {
            centre_id: to.to_owned(),
            ..query.clone()
        };
        let mut said = messages(tx.conn()?, &query)?;
        for message in &mut said {
            let label = label(&moved, message.position);
            let words = message.open(&query, key)?;
            let seal = |words: String| key.seal(tx.entropy, &label, &moved.case_id, words.as_bytes());
            message.words = words.map(seal).transpose()?;
        }
        let place = queries::table.find((&query.centre_id, &query.query_id));
        on_conn!(tx.conn()?, c => {
            diesel::update(place).set(queries::centre_id.eq(to)).execute(c)?;
            for message in &said {
                let place = query_messages::table.find((&query.centre_id, &query.query_id, message.position));
                let change = (query_messages::centre_id.eq(to), query_messages::words.eq(&message.words));
                diesel::update(place).set(change).execute(c)?;
            }
        });
    }
    Ok(())
}

/// Deletes the queries of a case with everything said.
pub(crate) fn forget(conn: &mut Conn, centre: &str, case_id: &str) -> Result<(), StoreError> {
    let ids = queries::table
        .filter(queries::centre_id.eq(centre))
        .filter(queries::case_id.eq(case_id));
    on_conn!(conn, c => {
        let said = query_messages::table
            .filter(query_messages::centre_id.eq(centre))
            .filter(query_messages::query_id.eq_any(ids.select(queries::query_id)));
        diesel::delete(said).execute(c)?;
        diesel::delete(ids).execute(c)?;
    });
    Ok(())
}

/// The queries of a case for the canonical export, their words opened.
pub(crate) fn exported(
    conn: &mut Conn,
    case: &CaseRecord,
    key: Option<&CaseKey>,
) -> Result<Vec<Value>, StoreError> {
    let mut all = Vec::new();
    for query in of_case(conn, &case.centre_id, &case.case_id)? {
        let time = |at: NaiveDateTime| utc(at).to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let mut said = Vec::new();
        for message in messages(conn, &query)? {
            let words = key.map(|key| message.open(&query, key)).transpose()?.flatten();
            said.push(json!({
                "position": message.position, "step": message.step, "actor": message.actor, "role": message.role,
                "at": time(message.at), "words": words,
            }));
        }
        all.push(json!({
            "centre_id": query.centre_id, "query_id": query.query_id, "case_id": query.case_id, "raised": query.raised,
            "identity": query.identity, "rule": query.rule, "rule_version": query.rule_version, "pointer": query.pointer,
            "elements": query.elements()?, "version": query.version, "last_version": query.last_version,
            "state": query.state, "reopened": query.reopened, "opened_at": time(query.opened_at),
            "opened_by": query.opened_by, "asked_at": time(query.asked_at), "answered_at": query.answered_at.map(time),
            "closed_at": query.closed_at.map(time), "closed_by": query.closed_by, "closing": query.closing,
            "updated_at": time(query.updated_at), "messages": said,
        }));
    }
    Ok(all)
}
