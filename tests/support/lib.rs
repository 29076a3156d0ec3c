//! What the integration tests share: where the repository is, and (module by module) how to start the service and talk to it.

pub mod client;
pub mod database;
pub mod records;
pub mod repository;
pub mod service;
