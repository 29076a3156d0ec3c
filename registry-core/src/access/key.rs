//! API keys and other bearer secrets: shown once, kept as SHA-256 only.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::Entropy;
use crate::crypto::same_bytes;

const SCHEME: &str = "rps";
const PREFIX_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// A secret text that is shown once and never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// 256 random bits as URL-safe text.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut secret = [0u8; SECRET_BYTES];
        entropy.fill(&mut secret);
        Self(URL_SAFE_NO_PAD.encode(secret))
    }

    /// A secret made elsewhere.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// The text to hand to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// SHA-256 of a presented secret: what the database keeps.
pub(crate) fn at_rest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The text is not an API key of this registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key: expected rps_<prefix>_<secret>")]
pub struct KeyParseError;

/// An API key in full: `rps_<12 hex digits>_<43 URL-safe characters>`. The prefix finds the row, the secret proves it.
#[derive(Clone)]
pub struct ApiKey {
    prefix: String,
    secret: String,
}

impl ApiKey {
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut prefix = [0u8; PREFIX_BYTES];
        entropy.fill(&mut prefix);
        Self {
            prefix: hex::encode(prefix),
            secret: Token::random(entropy).0,
        }
    }

    /// Reads a presented key.
    ///
    /// # Errors
    /// [`KeyParseError`] when the shape is wrong; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, KeyParseError> {
        let rest = text
            .strip_prefix(SCHEME)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(KeyParseError)?;
        let (prefix, secret) = rest.split_once('_').ok_or(KeyParseError)?;
        let well_formed = prefix.len() == PREFIX_BYTES * 2
            && prefix.bytes().all(|b| b.is_ascii_hexdigit())
            && URL_SAFE_NO_PAD
                .decode(secret)
                .is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
        well_formed
            .then(|| Self {
                prefix: prefix.to_owned(),
                secret: secret.to_owned(),
            })
            .ok_or(KeyParseError)
    }

    /// The part that may be shown and logged.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The whole key, to hand to its owner once.
    pub fn reveal(&self) -> Token {
        Token(format!("{SCHEME}_{}_{}", self.prefix, self.secret))
    }

    pub(crate) fn at_rest(&self) -> Vec<u8> {
        at_rest(&self.secret)
    }

    pub(crate) fn matches(&self, stored: &[u8]) -> bool {
        same_bytes(&self.at_rest(), stored)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({SCHEME}_{}_redacted)", self.prefix)
    }
}
