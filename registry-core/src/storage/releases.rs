//! Frozen releases: what was frozen, from which run, with which checksum.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// What was frozen.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRelease {
    /// Stable id chosen by the coordinating office (`2026-2`): 1 to 32 of `A-Z a-z 0-9 - _ .`.
    pub release_id: String,
    /// The run it was made from (finished).
    pub run: i64,
    /// Title.
    pub title: String,
    /// The manifest (files, rows, columns, SHA-256, versions).
    pub manifest: Value,
    /// SHA-256 of the bundle (hexadecimal).
    pub sha256: String,
    /// Length of the bundle in bytes.
    pub bytes: i64,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Release {
    /// Id.
    pub release_id: String,
    /// The run it was made from.
    pub run: i64,
    /// Title.
    pub title: String,
    /// The manifest.
    pub manifest: Value,
    /// SHA-256 of the bundle (hexadecimal).
    pub sha256: String,
    /// Length of the bundle in bytes.
    pub bytes: i64,
    /// When frozen.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
}

use super::{Store, StoreError};
use crate::access::Scope;
impl Store {
    /// Records a frozen release. `coordinator`.
    pub fn create_release(&self, scope: &Scope, release: NewRelease) -> Result<Release, StoreError> {
        todo!()
    }
    /// One release.
    pub fn release(&self, scope: &Scope, release_id: &str) -> Result<Release, StoreError> {
        todo!()
    }
    /// All releases, newest first.
    pub fn list_releases(&self, scope: &Scope) -> Result<Vec<Release>, StoreError> {
        todo!()
    }
    /// The releases whose run held this case.
    pub fn releases_with_case(&self, scope: &Scope, case_id: &str) -> Result<Vec<String>, StoreError> {
        todo!()
    }
}
