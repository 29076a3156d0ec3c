//! Who is in a survival endpoint, from when, until when: dates of a case become subjects, and every case that does not
//! is counted under the first reason that applies.

mod adjusted;
mod by_centre;
pub mod centres;
mod change;
pub mod course;
mod covariates;
pub mod dataset;
pub mod definition;
pub mod endpoint;
pub mod estimate;
pub mod facts;
mod incidence;
pub mod landmark;
mod log_rank;
mod proportion;
mod relative;
mod repeats;
pub mod settle;
mod strata;
mod summary;
mod units;

pub use course::CourseFacts;
pub use definition::{Definition, DefinitionError, definitions};
pub use estimate::estimate;
pub use facts::{RecordedDate, SurvivalFacts};
pub use relative::days_between;
pub use settle::{DateReading, LeftOut, Settled, settle};
pub use summary::CaseSummary;
pub use units::{Cohort, Transferred};

/// Id of overall survival from the metastatic diagnosis, of all cases.
pub const OVERALL: &str = "S1";

/// Level of a case whose stratifier is not recorded: its own level, never dropped.
pub const NOT_RECORDED: &str = "not_recorded";
