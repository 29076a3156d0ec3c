//! Replays the estimators against results of R (`survival`, `cmprsk`) and of published interval formulas.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod casemix;
mod centre_comparison;
mod centres;
mod cohort;
mod comparisons;
mod competing;
mod coverage;
mod cox;
mod expected;
mod immortal;
mod properties;
mod proportions;
mod reference;
mod survival;
