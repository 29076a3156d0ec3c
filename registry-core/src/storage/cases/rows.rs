//! Rows of the case tables.
