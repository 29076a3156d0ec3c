//! Guideline measures over cases: one case becomes a [`CaseEvaluation`], all cases of a run become an adherence table.
//!
//! | file | holds |
//! |---|---|
//! | `engine` | one case document through edit checks and guideline |
//! | `evaluation` | outcomes and facts of one case, and the payload they are stored as |
//! | `columns` | the cases of a run, column by column |
//! | `tally` | polars: counts per measure and level |
//! | `adherence` | rates, intervals and bounds on top of the counts |
//! | `funnels` | centres around the network rate |
//! | `placement` | one measure's centres around a target: exact, and allowing for overdispersion |
//! | `summaries` | overview and data quality |

pub mod adherence;
pub mod columns;
pub mod engine;
pub mod evaluation;
pub mod funnels;
pub mod placement;
pub mod summaries;
mod tally;

pub use adherence::adherence_table;
pub use columns::{CaseColumns, Window};
pub use engine::{Engine, EngineError};
pub use evaluation::{CaseEvaluation, CaseFacts, PayloadError, UnitResult};
pub use funnels::funnels;
pub use summaries::{overview, quality};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
