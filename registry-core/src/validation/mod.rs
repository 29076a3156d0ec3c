//! THE verdict on a case: schema, derivation and edit checks, the same for a dry run, a submission, a batch and a re-run.

mod finding;
mod verdict;

pub use finding::{Finding, MAX_FINDINGS, Severity};
pub use verdict::{Derived, Envelope, UnattestedSection, Verdict};
