//! `/api/v1/cases`

mod assessment;
mod batch;
mod door;
mod findings;
mod lock;
mod pages;
mod patch;
mod put;
mod refusals;
mod transfer;
mod verdicts;
mod versions;
mod withdraw;
