//! THE verdict on a case: schema, derivation and edit checks, the same for a dry run, a submission, a batch and a re-run.

mod acceptance;
mod attestation;
mod breach;
mod document;
mod explain;
mod finding;
mod fired;
mod form;
mod formats;
mod gaps;
mod identity;
mod imprecise;
mod judge;
mod lock;
mod place;
mod pseudonym;
mod schema;
mod verdict;
mod words;

pub use attestation::open_sections;
pub use breach::code;
pub use document::Document;
pub use finding::{Finding, MAX_FINDINGS, Severity};
pub use gaps::{CareGap, GapState};
pub use judge::{Judge, JudgeError};
pub use pseudonym::may_be_repeated;
pub use schema::{SchemaCompileError, SchemaValidator};
pub use verdict::{Assessment, Derived, Envelope, Formerly, UnattestedSection, Verdict};
