//! Comparison and modelling of survival: tests, regression, competing risks, restricted means, landmarks.
//!
//! Everything starts from [`Rows`], the one place where times, event codes, entries and weights are checked; a time is in
//! whatever unit the caller keeps to. Each file names the published formulas it follows and its cost: nothing here is slower
//! than a sort, `O(n log n)`, times the number of covariates or groups squared.

pub mod aalen_johansen;
pub mod cox;
pub mod fine_gray;
pub mod gray;
pub mod input;
pub mod landmark;
pub mod logrank;
pub mod nelson_aalen;
pub mod rmst;
pub mod standardised;

pub use aalen_johansen::{Incidence, aalen_johansen};
pub use cox::{Cox, CoxModel, Ties, cox};
pub use fine_gray::{CensoringTies, FineGray, fine_gray};
pub use gray::{Gray, gray_test};
pub use input::{Columns, Groups, Rows};
pub use landmark::{Landmark, landmark};
pub use logrank::{LogRank, PairwiseLogRank, log_rank, pairwise_log_rank};
pub use nelson_aalen::{HazardStep, nelson_aalen};
pub use rmst::{Contrast, RestrictedMean, TwoGroups, restricted_mean, restricted_mean_difference};
pub use standardised::{ObservedExpected, observed_expected};
