//! Guideline measures over cases: one case becomes a [`CaseEvaluation`], all cases of a run become an adherence table.
//!
//! | file | holds |
//! |---|---|
//! | `engine` | one case document through edit checks and guideline |
//! | `holding` | which centre each part of a transferred case counts for |
//! | `read_case` | a case as the measures see it |
//! | `evaluation` | outcomes and facts of one case, and the payload they are stored as |
//! | `columns` | the cases of a run, column by column |
//! | `tally` | polars: counts per measure and level |
//! | `adherence` | rates, intervals and bounds on top of the counts |
//! | `family` | the tests of a run that are corrected together |
//! | `funnels` | centres around the network rate |
//! | `placement` | one measure's centres around a target: exact, and allowing for overdispersion |
//! | `summaries` | overview and data quality |
//! | `deaths` | deaths of all cases, and by centre |
//! | `case_mix` | observed over expected, given age, histology and timing |
//! | `half_years` | what counts for each centre by half-year |
//! | `tertiles` | centres by volume |
//! | `trend` | half-years with limits |

pub mod adherence;
pub mod case_mix;
pub mod columns;
mod deaths;
pub mod engine;
pub mod evaluation;
pub mod family;
pub mod funnels;
mod half_years;
mod holding;
pub mod placement;
mod read_case;
mod rows;
pub mod summaries;
mod tally;
pub mod tertiles;
pub mod trend;

pub use adherence::adherence_table;
pub use case_mix::{case_mix, visible_case_mix};
pub use columns::{CaseColumns, Window};
pub use engine::{Engine, EngineError};
pub use evaluation::{CaseEvaluation, CaseFacts, PayloadError, SomeOutcomes, UnitResult, half_year_of};
pub use family::Family;
pub use funnels::{far_above, far_above_in, funnels, funnels_within, position_of};
pub use half_years::half_years;
pub use holding::Shares;
pub use read_case::ReadCase;
pub(crate) use summaries::MOST_MONTHS;
pub use summaries::{left_out_of_survival, overview, quality};
pub use tertiles::{metastasectomy_tertiles, volume_tertiles};
pub use trend::{trend, trend_around};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
#[cfg(test)]
mod tests_transfer;
