//! Encryption of what is stored: a master key wraps one data key per case; the data key seals the case's documents.
//!
//! - AES-256-GCM with a random 96-bit nonce in front of the ciphertext; the additional data names what is sealed
//!   (purpose, centre, case, version), so that a ciphertext moved to another row does not open.
//! - Hashes that outlive a case (audit trail, idempotency) are HMAC-SHA-256 under a key that is destroyed with it:
//!   after erasure nothing is left that a guessed document could be compared with.
//! - Pseudonyms are made with a key the registry does not have; the code is here for the trusted party's command.

mod keyed;
mod master;
mod pseudonym;
mod seal;

pub use master::{MasterKey, MasterKeyError};
pub use pseudonym::{IdentifierError, IdentifierKind, NoKey, PseudonymKey};

pub(crate) use keyed::{Keyed, same_bytes};
pub(crate) use seal::{Label, SealingKey};
