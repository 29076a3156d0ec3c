//! One transaction.
