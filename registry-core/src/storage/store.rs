//! The store itself: opening, migrating, asking whether it is there.

use std::sync::Arc;

use super::error::StoreError;
use super::options::StoreOptions;
use crate::clock::{Clock, Entropy};
use crate::crypto::MasterKey;

/// The registry's memory. Cheap to clone; all clones share connections and the writer.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: StoreOptions,
}

impl Store {
    /// Opens the database. On a migrated database the master key is checked; on an empty one call [`Store::migrate`] next.
    pub fn open(
        options: StoreOptions,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let _ = (key, clock, entropy);
        Ok(Self {
            inner: Arc::new(Inner { options }),
        })
    }
    /// Applies the pending migrations, each in a transaction of its own (PostgreSQL: needs the owner's URL). Returns their names.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }
    /// Reverts every migration, newest first. For tests and for taking a registry down: everything is gone.
    pub fn revert_all(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }
    /// True when exactly this program's migrations are applied.
    pub fn is_migrated(&self) -> Result<bool, StoreError> {
        todo!()
    }
    /// Asks the database for a sign of life.
    pub fn ping(&self) -> Result<(), StoreError> {
        let _ = &self.inner.options;
        todo!()
    }
    /// Rewraps every case key under `new`, in one transaction. Afterwards only `new` opens the database. Returns the number of keys.
    pub fn rotate_master_key(
        &self,
        scope: &crate::access::Scope,
        new: MasterKey,
    ) -> Result<usize, StoreError> {
        let _ = (scope, new);
        todo!()
    }
}
