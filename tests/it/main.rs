//! One integration binary; the modules mirror the URL tree of the service, plus the tests that read the repository itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod accounts;
mod brief;
mod cases;
mod centres;
mod data_requests;
mod entry;
mod fhir;
mod guidelines;
mod hostile;
mod isolation;
mod layering;
mod lists;
mod oidc;
mod pages;
mod postgres;
mod quality;
mod queries;
mod redcap;
mod releases;
mod report;
mod results;
mod rules;
mod runs;
mod session;
mod signals;
mod successive;
mod tasks;
mod tidy;
mod verifications;
