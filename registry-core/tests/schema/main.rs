//! From bytes to verdict: the door, the schema store, the dictionary and the judge, on the schema as published.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod body;
mod check_examples;
mod check_thresholds;
mod check_versions;
mod checks;
mod dictionary;
mod door;
mod examples;
mod form;
mod gaps;
mod identity;
mod judge;
mod lock;
mod mutations;
mod publication;
mod quality;
mod store;
mod upgrades;
mod verification;
