//! The chain and its verification.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event::ChainedEvent;

/// Place and hash of the last event: note it outside the database, so that a chain cut short is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChainHead {
    /// Number of events.
    pub seq: i64,
    /// Hash of the last one (hexadecimal).
    pub hash: String,
}

impl ChainHead {
    /// The hash that the first event follows.
    pub fn genesis() -> [u8; 32] {
        Sha256::digest(b"rps-registry audit chain v1").into()
    }
}

/// `<number of events>:<hash>`, as it is noted outside.
impl fmt::Display for ChainHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// The text is not a head of a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write <number of events>:<hash>, as a verification showed it")]
pub struct NotAHead;

impl FromStr for ChainHead {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (seq, hash) = text.trim().split_once(':').ok_or(NotAHead)?;
        let hash = hash.to_ascii_lowercase();
        if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAHead);
        }
        Ok(Self {
            seq: seq.parse().map_err(|_| NotAHead)?,
            hash,
        })
    }
}

/// What a verification that found nothing wrong saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// Events checked.
    pub events: i64,
    /// The head.
    pub head: ChainHead,
}

/// What is wrong with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TamperKind {
    /// The row's content does not give its hash.
    Changed,
    /// One or more rows are missing before this one.
    Missing,
    /// The row does not follow the one before it (inserted or reordered).
    OutOfPlace,
    /// The chain ends before the recorded or the anchored head.
    Truncated,
    /// The recorded head is not the registry's own, or not the last event.
    Head,
    /// The anchored head is not part of this chain: it was rewritten.
    Rewritten,
}

impl TamperKind {
    fn explain(self) -> &'static str {
        match self {
            TamperKind::Changed => "its content was changed",
            TamperKind::Missing => "events before it are missing",
            TamperKind::OutOfPlace => "it does not follow the event before it (inserted or reordered)",
            TamperKind::Truncated => "the chain was cut short after it",
            TamperKind::Head => "the recorded head of the chain is not its last event",
            TamperKind::Rewritten => "it is not the event that was anchored: the chain was rewritten",
        }
    }
}

/// The chain does not verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit chain: event {seq}: {}", .kind.explain())]
pub struct Tampered {
    /// First event at which it does not verify.
    pub seq: i64,
    /// What is wrong.
    pub kind: TamperKind,
}

/// Checks events one after another, in the order of their numbers; needs constant memory.
#[derive(Clone, Debug)]
pub struct ChainVerifier {
    seq: i64,
    hash: Vec<u8>,
    anchor: Option<ChainHead>,
}

impl ChainVerifier {
    /// Starts at the beginning of the chain; `anchor` is a head noted earlier outside the database.
    pub fn new(anchor: Option<ChainHead>) -> Self {
        Self {
            seq: 0,
            hash: ChainHead::genesis().to_vec(),
            anchor,
        }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// [`Tampered`] at the first event that does not fit.
    pub fn next(&mut self, row: &ChainedEvent) -> Result<(), Tampered> {
        let expected = self.seq + 1;
        let tampered = |kind| Err(Tampered { seq: row.seq, kind });
        if row.seq > expected {
            return tampered(TamperKind::Missing);
        }
        if row.seq < expected {
            return tampered(TamperKind::OutOfPlace);
        }
        if row.event.hash_after(&row.previous, row.seq).as_slice() != row.hash {
            return tampered(TamperKind::Changed);
        }
        if row.previous != self.hash {
            return tampered(TamperKind::OutOfPlace);
        }
        if let Some(anchor) = &self.anchor
            && anchor.seq == row.seq
            && anchor.hash != hex::encode(&row.hash)
        {
            return tampered(TamperKind::Rewritten);
        }
        self.seq = row.seq;
        self.hash.clone_from(&row.hash);
        Ok(())
    }

    /// Ends at `head`, the head recorded beside the chain.
    ///
    /// # Errors
    /// [`Tampered`] when the chain ends before the recorded or the anchored head, or elsewhere.
    pub fn finish(self, head: &ChainHead) -> Result<ChainReport, Tampered> {
        let anchored = self.anchor.as_ref().map_or(0, |anchor| anchor.seq);
        if self.seq < head.seq || self.seq < anchored {
            return Err(Tampered {
                seq: self.seq,
                kind: TamperKind::Truncated,
            });
        }
        if self.seq != head.seq || hex::encode(&self.hash) != head.hash {
            return Err(Tampered {
                seq: self.seq,
                kind: TamperKind::Head,
            });
        }
        Ok(ChainReport {
            events: self.seq,
            head: head.clone(),
        })
    }
}
