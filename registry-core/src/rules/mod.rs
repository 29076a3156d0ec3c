//! The rule language: small, typed, three-valued. Edit checks and guideline measures are written in it.

mod error;
mod unknown;

pub use error::{RuleError, RuleErrors};
pub use unknown::{Place, Reason, Truth, Unknown};
