//! Idempotency: the same key and the same request has one effect and one answer.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::on_conn;
use super::identifiers::is_visible;
use super::tables::idempotency;
use super::transaction::Tx;
use super::{Store, StoreError};
use crate::access::Scope;
use crate::crypto::{Label, same_bytes};

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers that belong to the answer (`ETag`, `Location`, ..).
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

/// Turns an outcome into the answer to store. May be called again when a commit is tried again.
pub type Render<T> = Box<dyn Fn(&T) -> Answer + Send + Sync>;

/// An idempotency key with the request it came with.
pub struct Idempotency<T> {
    /// The key as sent (1 to 255 visible ASCII characters).
    pub key: String,
    /// SHA-256 over method, path and body. Kept as a keyed hash only.
    pub fingerprint: [u8; 32],
    /// Makes the answer that is stored in the same transaction as the effect.
    pub render: Render<T>,
}

/// A claim that is held. Who lost it to somebody else after the lease has one that is good for nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    key: String,
    /// When it was claimed: no two claims of a key are of one instant.
    since: NaiveDateTime,
}

/// What [`super::Store::claim`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is claimed: do the work, with [`super::Store::renew_claim`] more often than the lease is long, then
    /// [`super::Store::answer_claim`] (or [`super::Store::release_claim`] when it failed).
    Proceed(Held),
    /// The work was done before: send this, with `Idempotent-Replayed: true`.
    Replay(Answer),
}

/// What the first request with a key left: its outcome and its answer.
#[derive(Serialize, Deserialize)]
pub(crate) struct Earlier<T> {
    pub(crate) outcome: T,
    pub(crate) answer: Answer,
}

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = idempotency, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Record {
    centre_id: String,
    actor: String,
    idempotency_key: String,
    fingerprint: Vec<u8>,
    answer: Option<Vec<u8>>,
    case_id: Option<String>,
    claimed_at: NaiveDateTime,
    expires_at: NaiveDateTime,
}

/// Whose key it is: keys of different centres and actors never meet.
fn owner(scope: &Scope) -> (&str, &str) {
    (scope.centre().unwrap_or("-"), scope.actor())
}

fn label(scope: &Scope, key: &str) -> Label {
    let (centre, actor) = owner(scope);
    Label::new("answer")
        .with(centre.as_bytes())
        .with(actor.as_bytes())
        .with(key.as_bytes())
}

fn check_key(key: &str) -> Result<(), StoreError> {
    if is_visible(key, 255) {
        Ok(())
    } else {
        Err(StoreError::Invalid(
            "an idempotency key has 1 to 255 visible ASCII characters",
        ))
    }
}

/// The record of this key that is still in force, checked against the request.
fn find(tx: &mut Tx<'_>, key: &str, fingerprint: &[u8; 32]) -> Result<Option<Record>, StoreError> {
    check_key(key)?;
    let scope = tx.scope.clone();
    let (centre, actor) = owner(&scope);
    let query = idempotency::table.find((centre, actor, key));
    let found = on_conn!(tx.conn()?, c => query.first::<Record>(c)).optional()?;
    let Some(record) = found.filter(|record| record.expires_at > tx.now) else {
        return Ok(None);
    };
    if !same_bytes(&record.fingerprint, &tx.keys.fingerprint(fingerprint)) {
        return Err(StoreError::IdempotencyReused);
    }
    Ok(Some(record))
}

fn opened<T: serde::de::DeserializeOwned>(tx: &Tx<'_>, key: &str, sealed: &[u8]) -> Result<T, StoreError> {
    let unreadable = || StoreError::Internal("a stored answer does not read".to_owned());
    let plain = tx
        .keys
        .registry()
        .open(&label(&tx.scope, key), sealed)
        .map_err(|_| unreadable())?;
    serde_json::from_slice(&plain).map_err(|_| unreadable())
}

fn sealed<T: Serialize>(tx: &Tx<'_>, key: &str, content: &T) -> Result<Vec<u8>, StoreError> {
    let failed = || StoreError::Internal("sealing an answer".to_owned());
    let plain = serde_json::to_vec(content).map_err(|_| failed())?;
    tx.keys
        .registry()
        .seal(tx.entropy, &label(&tx.scope, key), &plain)
        .map_err(|_| failed())
}

fn write(tx: &mut Tx<'_>, record: &Record) -> Result<(), StoreError> {
    let place = idempotency::table.find((&record.centre_id, &record.actor, &record.idempotency_key));
    on_conn!(tx.conn()?, c => {
        if diesel::update(place).set(record).execute(c)? == 0 {
            diesel::insert_into(idempotency::table).values(record).execute(c)?;
        }
    });
    Ok(())
}

fn in_flight(tx: &Tx<'_>, until: NaiveDateTime) -> StoreError {
    let seconds = (until - tx.now).num_seconds() + 1;
    StoreError::IdempotencyInFlight { seconds }
}

/// The answer to an earlier request with this key; `None` when this one is the first.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    key: &str,
    fingerprint: &[u8; 32],
) -> Result<Option<Answer>, StoreError> {
    match find(tx, key, fingerprint)? {
        None => Ok(None),
        Some(Record {
            answer: None,
            expires_at,
            ..
        }) => Err(in_flight(tx, expires_at)),
        Some(Record {
            answer: Some(answer), ..
        }) => {
            let earlier: Earlier<serde_json::Value> = opened(tx, key, &answer)?;
            Ok(Some(earlier.answer))
        }
    }
}

/// What an earlier request with this key did; `None` when this one is the first.
pub(crate) fn earlier<T, O: serde::de::DeserializeOwned>(
    tx: &mut Tx<'_>,
    given: &Idempotency<T>,
) -> Result<Option<Earlier<O>>, StoreError> {
    match find(tx, &given.key, &given.fingerprint)? {
        None => Ok(None),
        Some(Record {
            answer: None,
            expires_at,
            ..
        }) => Err(in_flight(tx, expires_at)),
        Some(Record {
            answer: Some(answer), ..
        }) => opened(tx, &given.key, &answer).map(Some),
    }
}

/// Keeps outcome and answer, in the transaction of the effect.
pub(crate) fn keep<T: Serialize>(
    tx: &mut Tx<'_>,
    given: &Idempotency<T>,
    outcome: &T,
    case_id: Option<&str>,
) -> Result<(), StoreError> {
    let answer = (given.render)(outcome);
    store(
        tx,
        given,
        &Earlier { outcome, answer },
        case_id.map(str::to_owned),
    )
}

/// Keeps an answer alone, in the transaction of the effect.
pub(crate) fn remember<T>(
    tx: &mut Tx<'_>,
    given: &Idempotency<T>,
    answer: Answer,
    case_id: Option<String>,
) -> Result<(), StoreError> {
    let outcome = serde_json::Value::Null;
    store(tx, given, &Earlier { outcome, answer }, case_id)
}

fn store<T, O: Serialize>(
    tx: &mut Tx<'_>,
    given: &Idempotency<T>,
    earlier: &Earlier<O>,
    case_id: Option<String>,
) -> Result<(), StoreError> {
    let content = sealed(tx, &given.key, earlier)?;
    let (centre, actor) = owner(&tx.scope);
    let record = Record {
        centre_id: centre.to_owned(),
        actor: actor.to_owned(),
        idempotency_key: given.key.clone(),
        fingerprint: tx.keys.fingerprint(&given.fingerprint).to_vec(),
        answer: Some(content),
        case_id,
        claimed_at: tx.now,
        expires_at: tx.now + tx.limits.idempotency_kept,
    };
    write(tx, &record)
}

/// Refuses when the claim is answered, or somebody else's by now.
fn require_held(tx: &mut Tx<'_>, held: &Held) -> Result<(), StoreError> {
    let scope = tx.scope.clone();
    let (centre, actor) = owner(&scope);
    let claim = idempotency::table
        .find((centre, actor, &held.key))
        .filter(idempotency::claimed_at.eq(held.since))
        .filter(idempotency::answer.is_null())
        .count();
    match on_conn!(tx.conn()?, c => claim.get_result::<i64>(c))? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

impl Store {
    /// Claims a key for work that is not one transaction (batches, imports, administration). A claim whose worker died
    /// is free again after the lease.
    ///
    /// # Errors
    /// [`StoreError::IdempotencyInFlight`], [`StoreError::IdempotencyReused`].
    pub fn claim(&self, scope: &Scope, key: &str, fingerprint: [u8; 32]) -> Result<Claim, StoreError> {
        let key = key.to_owned();
        self.write(scope, move |tx| match answered(tx, &key, &fingerprint)? {
            Some(answer) => Ok(Claim::Replay(answer)),
            None => {
                let (centre, actor) = owner(&tx.scope);
                let record = Record {
                    centre_id: centre.to_owned(),
                    actor: actor.to_owned(),
                    idempotency_key: key.clone(),
                    fingerprint: tx.keys.fingerprint(&fingerprint).to_vec(),
                    answer: None,
                    case_id: None,
                    claimed_at: tx.now,
                    expires_at: tx.now + tx.limits.lease,
                };
                write(tx, &record)?;
                Ok(Claim::Proceed(Held {
                    key: key.clone(),
                    since: tx.now,
                }))
            }
        })
    }

    /// A sign of life of claimed work: the lease begins anew.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the claim is lost.
    pub fn renew_claim(&self, scope: &Scope, held: &Held) -> Result<(), StoreError> {
        let held = held.clone();
        self.write(scope, move |tx| {
            require_held(tx, &held)?;
            let until = idempotency::expires_at.eq(tx.now + tx.limits.lease);
            let scope = tx.scope.clone();
            let (centre, actor) = owner(&scope);
            let place = idempotency::table.find((centre, actor, &held.key));
            on_conn!(tx.conn()?, c => diesel::update(place).set(until).execute(c))?;
            Ok(())
        })
    }

    /// Stores the answer of claimed work.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the claim is lost.
    pub fn answer_claim(&self, scope: &Scope, held: &Held, answer: &Answer) -> Result<(), StoreError> {
        let (held, answer) = (held.clone(), answer.clone());
        self.write(scope, move |tx| {
            require_held(tx, &held)?;
            let earlier = Earlier {
                outcome: serde_json::Value::Null,
                answer: answer.clone(),
            };
            let content = sealed(tx, &held.key, &earlier)?;
            let change = (
                idempotency::answer.eq(Some(content)),
                idempotency::expires_at.eq(tx.now + tx.limits.idempotency_kept),
            );
            let scope = tx.scope.clone();
            let (centre, actor) = owner(&scope);
            let place = idempotency::table.find((centre, actor, &held.key));
            on_conn!(tx.conn()?, c => diesel::update(place).set(change).execute(c))?;
            Ok(())
        })
    }

    /// Gives a claim back after a failure, so that a retry starts afresh. One that is answered, or somebody else's by now, stays.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the claim then ends with its lease.
    pub fn release_claim(&self, scope: &Scope, held: &Held) -> Result<(), StoreError> {
        let held = held.clone();
        self.write(scope, move |tx| {
            match require_held(tx, &held) {
                Err(StoreError::NotFound) => return Ok(()),
                other => other?,
            }
            let scope = tx.scope.clone();
            let (centre, actor) = owner(&scope);
            let place = idempotency::table.find((centre, actor, &held.key));
            on_conn!(tx.conn()?, c => diesel::delete(place).execute(c))?;
            Ok(())
        })
    }

    /// How long a claim, a job or a run without a sign of life stays its owner's.
    pub fn lease(&self) -> std::time::Duration {
        self.inner.context.dialer().limits().lease
    }

    /// Deletes records older than they are kept. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn purge_idempotency(&self) -> Result<usize, StoreError> {
        self.write(&Scope::system("housekeeping"), |tx| {
            let old = idempotency::table.filter(idempotency::expires_at.le(tx.now));
            Ok(on_conn!(tx.conn()?, c => diesel::delete(old).execute(c))?)
        })
    }
}
