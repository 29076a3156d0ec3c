//! Results of a newly published run beside those of the runs published before.
//!
//! What may not be shown anew ([`successive`]) stays as it was shown last, said to be of that run; where it was not shown before it is
//! hidden. Earlier runs are all other published ones; what stays is of one with a lower number.

mod adherence;
mod bounds;
mod numbers;
mod parts;
mod points;
mod successive;
mod summaries;
mod survival;
mod together;

pub use adherence::adherence_beside;
pub use summaries::{overview_beside, quality_beside};
pub use survival::survival_beside;

/// A result as computed, and as the audience sees it: of an earlier run as published, of the new one as it may see it alone.
#[derive(Debug, Clone)]
pub struct Published<T> {
    pub exact: T,
    pub shown: T,
}
