#![doc = include_str!("../README.md")]

pub mod charts;
pub mod cli;
pub mod guard;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod settings;
pub mod startup;
