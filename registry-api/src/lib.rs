#![doc = include_str!("../README.md")]

pub mod at_work;
pub mod charts;
pub mod cli;
pub mod explanation;
pub mod fhir;
pub mod guard;
mod imports;
pub mod oidc;
pub mod pages;
mod parallel;
pub mod ports;
pub mod problem;
pub mod releases;
pub mod results;
pub mod routes;
pub mod runs;
pub mod schedule;
pub mod settings;
pub mod startup;
pub mod state;
pub mod submission;
mod verification;
pub mod work;
