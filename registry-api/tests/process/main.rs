//! What only the whole process can show: its start, its signals, its death; and the table of its routes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod catalogue;
mod demo;
mod disk;
mod funnel;
mod import;
mod imports;
mod kill;
mod metrics;
mod pseudonymise;
mod publish;
mod release;
mod roles;
mod routes;
mod rules;
mod schema;
mod signals;
mod start;
mod support;
mod survival;
