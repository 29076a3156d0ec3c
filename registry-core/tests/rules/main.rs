//! The rule language against its golden files and, construct by construct, against its definition.

mod golden;
mod replay;
mod support;
