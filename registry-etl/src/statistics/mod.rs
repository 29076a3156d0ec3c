//! Estimators: small functions, the formula and its source on top of each file, replayed against R and published
//! formulas in `tests/`.
//!
//! Input errors are errors, never silently repaired: a negative, infinite or missing time, an entry at or after the
//! exit, an empty group, more successes than trials.

mod beta;
pub mod casemix;
mod cholesky;
pub mod clustered;
pub mod difference;
pub mod funnel;
mod gamma;
pub mod kaplan_meier;
pub mod kappa;
pub mod logistic;
pub mod multiplicity;
pub mod normal;
pub mod overdispersion;
pub mod poisson;
pub mod proportion;
pub mod ratio;
mod root;
pub mod shrinkage;
pub mod survival;
pub mod trend;

pub use casemix::{CaseMix, CentreRatio, indirect_standardisation};
pub use clustered::{ClusteredStep, clustered};
pub use difference::{Difference, two_proportions};
pub use funnel::{BinomialLimits, exact_limits};
pub use kaplan_meier::{Band, Curve, Subject, kaplan_meier, kaplan_meier_of, reverse_kaplan_meier};
pub use kappa::kappa;
pub use logistic::{Logistic, logistic};
pub use multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
pub use overdispersion::{Overdispersion, RatioSpread, Scale, overdispersion, spread_of_ratios};
pub use poisson::{PoissonLimits, poisson_limits};
pub use proportion::{Interval, clopper_pearson, jeffreys, mid_p, wilson};
pub use shrinkage::{BinaryCount, Shrunk, ShrunkRatio, shrink, shrink_binary};
pub use trend::{Trend, TrendGroup, cochran_armitage};

/// Why an estimate cannot be computed from what was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    #[error("no subject: an empty group has no estimate")]
    Empty,
    #[error("subject {index}: the {what} time is not a finite number of at least 0")]
    Time { index: usize, what: &'static str },
    #[error("subject {index}: entry is not before exit; settle entries while building the cohort")]
    EntryNotBeforeExit { index: usize },
    #[error("subject {index}: a weight must be a finite number above 0")]
    Weight { index: usize },
    #[error("subject {index}: the event code is neither 0 nor 1")]
    EventCode { index: usize },
    #[error("columns have different lengths ({times} times, {events} events)")]
    Lengths { times: usize, events: usize },
    #[error("row {index}: the event code is not a whole number from 0 to {causes}")]
    StateCode { index: usize, causes: usize },
    #[error("there is no event {cause} among the codes")]
    Cause { cause: usize },
    #[error("{found} {what} for {rows} rows")]
    ColumnLength {
        what: &'static str,
        found: usize,
        rows: usize,
    },
    #[error("group {group} has no subject: an empty group has no estimate")]
    EmptyGroup { group: usize },
    #[error("row {index}: the group is none of those declared")]
    UnknownGroup { index: usize },
    #[error("a comparison of two groups needs exactly two")]
    TwoGroups,
    #[error("{what} does not take delayed entry: {why}")]
    DelayedEntryRefused { what: &'static str, why: &'static str },
    #[error("{what} does not take case weights")]
    WeightsRefused { what: &'static str },
    #[error("the power of the weights is a finite number of at least 0")]
    Rho,
    #[error("a horizon or landmark is a finite number above 0")]
    Horizon,
    #[error("the horizon lies past the last observed time of a group")]
    HorizonBeyond,
    #[error("there is no event: nothing to estimate from")]
    NoEvent,
    #[error("a confidence level lies strictly between 0 and 1")]
    Level,
    #[error("a quantile lies strictly between 0 and 1")]
    Quantile,
    #[error("more successes than trials")]
    MoreThanTrials,
    #[error("a target proportion lies between 0 and 1")]
    Target,
    #[error("an expected count is a finite number above 0")]
    Expected,
    #[error("p-value {index} is not a number between 0 and 1")]
    PValue { index: usize },
    #[error("variation between groups needs at least two of them")]
    OneGroup,
    #[error("there is no variation to estimate from")]
    NoVariation,
    #[error("rows of different lengths, or not as many as outcomes")]
    Columns,
    #[error("row {index}: a covariate or score is not a finite number")]
    Covariate { index: usize },
    #[error("a covariate is constant or follows from the others: leave one out")]
    Collinear,
    #[error("the covariates tell the outcomes apart (separation): there is no finite estimate")]
    Separation,
    #[error("the estimate did not converge")]
    NotConverged,
}
