//! The rule language against its golden files and, construct by construct, against its definition.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bad;
mod closure;
mod composites;
mod corpus;
mod dates;
mod examples;
mod faults;
mod faulty_files;
mod figures;
mod golden;
mod indicators;
mod information;
mod leaves;
mod outcomes;
mod properties;
mod replay;
mod rests;
mod support;
