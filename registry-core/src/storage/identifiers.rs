//! Record ids.
