//! One integration binary; the modules mirror the URL tree of the service, plus the tests that read the repository itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod accounts;
mod administration;
mod attack;
mod audit;
mod behind;
mod brief;
mod browser;
mod cases;
mod centre;
mod centres;
mod configuration;
mod data_requests;
mod denominators;
mod downloads;
mod entry;
mod every_page;
mod fhir;
mod guidelines;
mod hostile;
mod imports;
mod isolation;
mod layering;
mod letters;
mod lists;
mod oidc;
mod openapi;
mod own_files;
mod pages;
mod palette;
mod picker;
mod postgres;
mod quality;
mod queries;
mod read_only;
mod redcap;
mod refusals;
mod release_pages;
mod releases;
mod report;
mod results;
mod rules;
mod runs;
mod session;
mod shapes;
mod signals;
mod successive;
mod tasks;
mod tidy;
mod verifications;
