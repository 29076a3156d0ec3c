//! Encryption of what is stored: a master key wraps one data key per case; the data key seals the case's documents.
//!
//! - AES-256-GCM with a random 96-bit nonce in front of the ciphertext; the additional data names what is sealed
//!   (purpose, centre, case, version), so that a ciphertext moved to another row does not open.
//! - Hashes that outlive a case (audit trail, idempotency) are HMAC-SHA-256 under a key that is destroyed with it:
//!   after erasure nothing is left that a guessed document could be compared with.

mod keyed;
mod master;
mod seal;

pub use master::{MasterKey, MasterKeyError};

pub(crate) use keyed::{Keyed, same_bytes};
pub(crate) use seal::{Label, SealingKey};
