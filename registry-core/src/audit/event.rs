//! One event and its canonical bytes.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// One event before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When (UTC, whole microseconds).
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What, as `thing.verb`.
    pub action: String,
    /// Centre concerned.
    pub centre_id: Option<String>,
    /// Case concerned.
    pub case_id: Option<String>,
    /// What else it concerns.
    pub subject: Option<String>,
    /// Version before.
    pub old_version: Option<i64>,
    /// Version after.
    pub new_version: Option<i64>,
    /// Why: plain text, or `sealed:<Base64>` under the case's key, so that erasure takes it along.
    pub reason: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// Further facts as canonical JSON.
    pub details: String,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEvent {
    /// Place, from 1, without gaps.
    pub seq: i64,
    /// The event.
    pub event: AuditEvent,
    /// Hash of the event before (32 bytes).
    pub previous: Vec<u8>,
    /// Hash of this event (32 bytes).
    pub hash: Vec<u8>,
}

impl AuditEvent {
    /// SHA-256 over the length-prefixed fields in a fixed order, after the previous hash and the place.
    pub fn hash_after(&self, previous: &[u8], seq: i64) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut field = |bytes: Option<&[u8]>| match bytes {
            None => digest.update([0u8]),
            Some(bytes) => {
                digest.update([1u8]);
                digest.update((bytes.len() as u64).to_be_bytes());
                digest.update(bytes);
            }
        };
        field(Some(b"rps-registry audit event v1"));
        field(Some(previous));
        field(Some(&seq.to_be_bytes()));
        field(Some(&self.at.timestamp_micros().to_be_bytes()));
        for text in [&self.actor, &self.role, &self.action] {
            field(Some(text.as_bytes()));
        }
        for text in [&self.centre_id, &self.case_id, &self.subject] {
            field(text.as_deref().map(str::as_bytes));
        }
        for version in [self.old_version, self.new_version] {
            field(version.map(i64::to_be_bytes).as_ref().map(|b| b.as_slice()));
        }
        for text in [&self.reason, &self.request_id] {
            field(text.as_deref().map(str::as_bytes));
        }
        field(Some(self.details.as_bytes()));
        digest.finalize().into()
    }
}
