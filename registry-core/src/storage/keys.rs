//! API keys: made once, shown once, kept as SHA-256.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::access::{Role, Token};

/// What a key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What it is for (`nightly push`), shown in lists.
    pub label: String,
    /// The role it carries.
    pub role: Role,
    /// The centre, for a role of one centre.
    pub centre: Option<String>,
    /// When it ends; `None` never (for the demo only: give keys an end).
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// Id (UUIDv7).
    pub key_id: String,
    /// The part of the key that may be shown.
    pub prefix: String,
    /// What it is for.
    pub label: String,
    /// The role it carries.
    pub role: Role,
    /// The centre, for a role of one centre.
    pub centre: Option<String>,
    /// Made when.
    pub created_at: DateTime<Utc>,
    /// Made by.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Replaced by this key (rotation).
    pub replaced_by: Option<String>,
}

/// A key just made: the only time its text exists.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    /// As lists show it.
    pub info: KeyInfo,
    /// The whole key, to be shown once.
    pub key: Token,
}

use super::{Store, StoreError};
use crate::access::Scope;
impl Store {
    /// Makes a key; its text is in the answer and nowhere else.
    pub fn create_key(&self, scope: &Scope, key: NewKey) -> Result<CreatedKey, StoreError> {
        todo!()
    }
    /// Makes a successor with the same role and centre; the old key ends after `overlap`.
    pub fn rotate_key(
        &self,
        scope: &Scope,
        key_id: &str,
        overlap: chrono::Duration,
    ) -> Result<CreatedKey, StoreError> {
        todo!()
    }
    /// Revokes a key, effective at the next request. Revoking twice is fine.
    pub fn revoke_key(&self, scope: &Scope, key_id: &str) -> Result<KeyInfo, StoreError> {
        todo!()
    }
    /// All keys, oldest first.
    pub fn list_keys(&self, scope: &Scope) -> Result<Vec<KeyInfo>, StoreError> {
        todo!()
    }
    /// Turns a presented bearer key into a scope.
    pub fn authenticate(&self, bearer: &str) -> Result<Scope, StoreError> {
        todo!()
    }
}
