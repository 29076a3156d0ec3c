//! Runs and releases on a real store: incremental, locked, reproducible, readable by audience.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod accounting;
mod administrative_days;
mod cases_file;
mod cut_off;
mod described;
mod endpoint_files;
mod evaluation_key;
mod fictitious;
mod incremental;
mod parquet_files;
mod registry;
mod releases;
mod results;
mod sets;
mod spooled;
mod transfer;
mod what_if;
