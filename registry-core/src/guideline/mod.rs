//! Guideline measures: what is asked, of whom, and what the answer is for one case.

mod measure;
mod outcome;

pub use measure::{MeasureInfo, MeasureKind};
pub use outcome::{Outcome, Step, UnitOutcome};
