//! The strict door: every byte of JSON from outside comes through here, once.
//!
//! What two readers of JSON could understand differently is refused, each with a code of its own, so that the
//! document judged is the document stored, on both databases. No message repeats a value.

pub mod canonical;
mod classify;
mod door;
pub mod ndjson;
mod refusal;

pub(crate) use door::is_plain;
pub use door::{Limits, parse, within};
pub use refusal::{IntakeError, Refusal};
