//! The store on both databases. PostgreSQL is found through `REGISTRY_TEST_POSTGRES` (a superuser's URL); each test makes
//! its own database there. Without it those tests are skipped with a message, and fail when `CI=true`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod again;
mod audit;
mod backup;
mod cases;
mod columns;
mod committee;
mod concurrency;
mod credentials;
mod data_requests;
mod equivalence;
mod faults;
mod findings;
mod freezings;
mod idempotency;
mod isolation;
mod jobs;
mod kill;
mod migrations;
mod people;
mod pseudonyms;
mod queries;
mod runs;
mod secrecy;
mod support;
mod transfer;
mod verifications;
mod withdrawal;
