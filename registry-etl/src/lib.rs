#![doc = include_str!("../README.md")]

pub mod benchmarks;
pub mod cohorts;
pub mod disclosure;
pub mod measures;
pub mod quality;
pub mod releases;
pub mod results;
pub mod runs;
pub mod statistics;
