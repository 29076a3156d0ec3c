//! Idempotency: the same key and the same request has one effect and one answer.

use serde::{Deserialize, Serialize};

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
pub type Render<T> = Box<dyn Fn(&T) -> Answer + Send>;

/// An idempotency key with the request it came with.
pub struct Idempotency<T> {
    /// The key as sent (1 to 255 visible ASCII characters).
    pub key: String,
    /// SHA-256 over method, path and body. Kept as a keyed hash only.
    pub fingerprint: [u8; 32],
    /// Makes the answer that is stored in the same transaction as the effect.
    pub render: Render<T>,
}

/// What [`super::Store::claim`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is claimed: do the work, then [`super::Store::answer_claim`] (or [`super::Store::release_claim`] when it failed).
    Proceed,
    /// The work was done before: send this, with `Idempotent-Replayed: true`.
    Replay(Answer),
}

use super::{Store, StoreError};
use crate::access::Scope;
impl Store {
    /// Claims a key for work that is not one transaction (batches, imports, administration).
    pub fn claim(&self, scope: &Scope, key: &str, fingerprint: [u8; 32]) -> Result<Claim, StoreError> {
        todo!()
    }
    /// Stores the answer of claimed work.
    pub fn answer_claim(&self, scope: &Scope, key: &str, answer: &Answer) -> Result<(), StoreError> {
        todo!()
    }
    /// Gives a claim back after a failure, so that a retry starts afresh.
    pub fn release_claim(&self, scope: &Scope, key: &str) -> Result<(), StoreError> {
        todo!()
    }
    /// Deletes records older than they are kept. Returns how many.
    pub fn purge_idempotency(&self) -> Result<usize, StoreError> {
        todo!()
    }
}
