//! Who is in a survival endpoint, from when, until when: dates of a case become subjects, and every case that does not
//! is counted under the first reason that applies.

pub mod endpoint;
pub mod facts;
pub mod overall_survival;
pub mod settle;

pub use facts::{RecordedDate, SurvivalFacts};
pub use overall_survival::overall_survival;
pub use settle::{DateReading, LeftOut, Settled, settle};
