//! The master key: read from a file by the binary, never stored, never printed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::SealingKey;
use crate::clock::Entropy;

/// Why a text is not a master key. The text is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// Neither hexadecimal nor Base64.
    #[error(
        "the master key is neither 64 hexadecimal digits nor 44 characters of Base64; make one with `openssl rand -hex 32`"
    )]
    Encoding,
    /// Decodes to another length than 32 bytes.
    #[error("the master key has {0} bytes, expected 32; make one with `openssl rand -hex 32`")]
    Length(usize),
    /// All bytes are the same: surely a placeholder.
    #[error("the master key is a repeated byte: replace the placeholder with `openssl rand -hex 32`")]
    Placeholder,
}

/// 256 bits that wrap the data key of every case. Losing it loses every document; leaking it opens every backup.
#[derive(Clone)]
pub struct MasterKey {
    key: SealingKey,
    id: String,
}

impl MasterKey {
    /// Takes 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"rps-registry master key id v1");
        digest.update(bytes);
        Self {
            id: hex::encode(&digest.finalize()[..8]),
            key: SealingKey::new(bytes),
        }
    }

    /// Makes a new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0u8; 32];
        entropy.fill(&mut bytes);
        Self::from_bytes(bytes)
    }

    /// Reads the content of a key file: 64 hexadecimal digits or Base64 of 32 bytes, white space around it ignored.
    ///
    /// # Errors
    /// [`MasterKeyError`] says what is wrong without repeating the text.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let bytes = if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            hex::decode(text).map_err(|_| MasterKeyError::Encoding)?
        } else {
            STANDARD.decode(text).map_err(|_| MasterKeyError::Encoding)?
        };
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|bytes: Vec<u8>| MasterKeyError::Length(bytes.len()))?;
        if bytes.iter().all(|b| *b == bytes[0]) {
            return Err(MasterKeyError::Placeholder);
        }
        Ok(Self::from_bytes(bytes))
    }

    /// The content of a key file (hexadecimal, one line).
    pub fn to_file_content(&self) -> String {
        format!("{}\n", hex::encode(self.key.bytes()))
    }

    /// Names the key without giving it away: 16 hexadecimal digits of a hash.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn key(&self) -> &SealingKey {
        &self.key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_encodings_to_the_same_key() {
        let bytes: [u8; 32] = std::array::from_fn(|i| i as u8);
        let hexadecimal = MasterKey::parse(&format!(" {}\n", hex::encode(bytes))).expect("hex");
        let base64 = MasterKey::parse(&STANDARD.encode(bytes)).expect("base64");
        assert_eq!(hexadecimal.id(), base64.id());
        assert_eq!(
            MasterKey::parse(&hexadecimal.to_file_content())
                .expect("round trip")
                .id(),
            base64.id()
        );
    }

    #[test]
    fn refuses_what_is_no_key_without_repeating_it() {
        assert_eq!(MasterKey::parse("hunter2!").err(), Some(MasterKeyError::Encoding));
        assert_eq!(
            MasterKey::parse("AAECAw==").err(),
            Some(MasterKeyError::Length(4))
        );
        assert_eq!(
            MasterKey::parse(&"00".repeat(32)).err(),
            Some(MasterKeyError::Placeholder)
        );
    }

    #[test]
    fn debug_shows_the_id_only() {
        let key = MasterKey::from_bytes(std::array::from_fn(|i| i as u8));
        assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
    }
}
