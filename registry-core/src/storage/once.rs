//! A change that is made once for an idempotency key, whatever it is: the answer is kept in the transaction of the change itself, so that no
//! kill between the two makes a repeat do it again.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use super::idempotency::{self, Answer, Idempotency};
use super::transaction::Tx;
use super::{Store, StoreError};
use crate::access::Scope;

/// What a store does around the transaction of its one change.
pub(crate) trait Around: Send + Sync {
    /// Refuses when the key has its answer already.
    fn before(&self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    /// Keeps the answer to the outcome; `events`: where the trail stood before.
    fn after(&self, tx: &mut Tx<'_>, outcome: &dyn Any, events: usize) -> Result<(), StoreError>;
}

/// The answer that was there already, as the last attempt found it.
type Found = Arc<Mutex<Option<Answer>>>;

struct Remembering<T> {
    given: Idempotency<T>,
    found: Found,
}

impl<T: 'static> Around for Remembering<T> {
    fn before(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        // A commit may be tried again: what a failed attempt found does not count.
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        *found = None;
        *found = idempotency::answered(tx, &self.given.key, &self.given.fingerprint)?;
        match *found {
            None => Ok(()),
            Some(_) => Err(StoreError::InvalidState("this was done and answered before")),
        }
    }

    fn after(&self, tx: &mut Tx<'_>, outcome: &dyn Any, events: usize) -> Result<(), StoreError> {
        let outcome = outcome.downcast_ref::<T>().ok_or_else(|| {
            StoreError::Internal("a change answers with another type than its key was given for".to_owned())
        })?;
        let answer = (self.given.render)(outcome);
        // Whose case it is, as the change's own event says: erasure takes the answer along.
        let case_id = tx.case_since(events);
        idempotency::remember(tx, &self.given, answer, case_id)
    }
}

/// A store whose next change is made once for a key.
pub struct Once {
    store: Store,
    found: Found,
}

impl Once {
    /// The store to make the change with. The one change of outcome `T`; reading is free, another change is refused.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The answer given before, when the change was refused ([`StoreError::InvalidState`]) because it was made already.
    pub fn replayed(&self) -> Option<Answer> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store {
    /// The answer kept under a key, for a request that is the same. A look before the work; [`Once`] looks again in the change's transaction.
    ///
    /// # Errors
    /// [`StoreError::IdempotencyInFlight`], [`StoreError::IdempotencyReused`].
    pub fn answer_before(
        &self,
        scope: &Scope,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<Option<Answer>, StoreError> {
        let key = key.to_owned();
        self.write(scope, move |tx| idempotency::answered(tx, &key, &fingerprint))
    }

    /// A store whose next change keeps its answer under the key.
    pub fn once<T: 'static>(&self, given: Idempotency<T>) -> Once {
        let found = Found::default();
        let around = Remembering {
            given,
            found: found.clone(),
        };
        Once {
            store: self.with(Arc::new(around)),
            found,
        }
    }
}
