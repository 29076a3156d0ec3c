//! What the integration tests share: where the repository is, and (module by module) how to start the service and talk to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

pub mod client;
pub mod database;
pub mod records;
pub mod repository;
pub mod service;
pub mod shapes;
pub mod skip;
