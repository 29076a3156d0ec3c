//! Time and randomness are passed in: nothing below the binary reads the wall clock or the operating system's generator.

use chrono::{DateTime, Utc};

/// Tells the time in UTC.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;
}

/// A source of unpredictable bytes (keys, nonces, identifiers).
pub trait Entropy: Send + Sync {
    /// Fills `bytes` completely.
    fn fill(&self, bytes: &mut [u8]);
}
