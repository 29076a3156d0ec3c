//! Keys in use.
