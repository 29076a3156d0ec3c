//! The audit trail: every change and every reading of a case, in a SHA-256 hash chain.
//!
//! Each event's hash covers its canonical row and the hash before it; change, deletion, insertion and reordering break
//! the chain. The head (number and hash of the last event) is kept beside it under a keyed hash and can be anchored
//! outside: a chain cut short or rewritten as a whole does not reach it.

mod chain;
mod event;

pub use chain::{ChainHead, ChainReport, ChainVerifier, NotAHead, TamperKind, Tampered};
pub use event::{AuditEvent, ChainedEvent};
