//! The rule language against its golden files and, construct by construct, against its definition.

mod closure;
mod corpus;
mod dates;
mod examples;
mod faults;
mod golden;
mod information;
mod leaves;
mod outcomes;
mod properties;
mod replay;
mod support;
