//! The rule language: small, typed, three-valued. Edit checks and guideline measures are written in it.

mod calendar;
mod checks;
pub(crate) mod compile;
mod error;
pub(crate) mod evaluate;
pub(crate) mod files;
mod parse;
mod print;
pub(crate) mod program;
mod range;
pub(crate) mod source;
pub mod syntax;
mod token;
mod unknown;

pub use crate::validation::Severity;
pub use checks::{Check, CheckSet, EvaluatedBy, FiredCheck};
pub use compile::{Parameter, ParameterValue};
pub use error::{RuleError, RuleErrors};
pub use parse::parse;
pub use program::Table;
pub use range::{Range, Scalar};
pub use source::{At, Fault, Source};
pub use unknown::{Place, Reason, SectionSet, Truth, Unknown};
