#![doc = include_str!("../README.md")]

pub mod access;
pub mod audit;
pub mod clock;
pub mod crypto;
pub mod dictionary;
pub mod exchange;
pub mod form;
pub mod guideline;
pub mod intake;
pub mod quality;
pub mod record;
pub mod rules;
pub mod storage;
pub mod synthetic;
pub mod validation;
pub mod versions;
