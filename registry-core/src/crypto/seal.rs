//! Authenticated encryption of one value.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};

use super::Keyed;
use crate::clock::Entropy;

const NONCE_BYTES: usize = 12;

/// The ciphertext does not open: another key, another place, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this key in this place")]
pub(crate) struct Unreadable;

/// What is sealed and where it belongs: becomes the additional data of the cipher.
pub(crate) struct Label(Vec<u8>);

impl Label {
    pub(crate) fn new(purpose: &str) -> Self {
        Self(Vec::with_capacity(96)).with(purpose.as_bytes())
    }

    #[must_use]
    pub(crate) fn with(mut self, part: &[u8]) -> Self {
        self.0.extend((part.len() as u64).to_be_bytes());
        self.0.extend(part);
        self
    }
}

/// A 256-bit key that seals values.
#[derive(Clone)]
pub(crate) struct SealingKey([u8; 32]);

impl SealingKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0u8; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A keyed hash under this key.
    pub(crate) fn keyed(&self, purpose: &str) -> Keyed {
        Keyed::new(&self.0, purpose)
    }

    /// `nonce || ciphertext || tag`.
    pub(crate) fn seal(
        &self,
        entropy: &dyn Entropy,
        label: &Label,
        plain: &[u8],
    ) -> Result<Vec<u8>, Unreadable> {
        let mut nonce = [0u8; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let sealed = self
            .cipher()
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &label.0,
                },
            )
            .map_err(|_| Unreadable)?;
        let mut out = Vec::with_capacity(NONCE_BYTES + sealed.len());
        out.extend(nonce);
        out.extend(sealed);
        Ok(out)
    }

    /// The plain bytes, if key, label and bytes are the ones that were sealed.
    pub(crate) fn open(&self, label: &Label, sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Unreadable)?;
        self.cipher()
            .decrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: body,
                    aad: &label.0,
                },
            )
            .map_err(|_| Unreadable)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(self.0))
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (i, b) in bytes.iter_mut().enumerate() {
                *b = i as u8;
            }
        }
    }

    #[test]
    fn opens_only_with_the_same_key_place_and_bytes() {
        let key = SealingKey::new([1; 32]);
        let here = Label::new("document").with(b"c01").with(b"1");
        let sealed = key.seal(&Counting, &here, b"plain").expect("seals");
        assert_eq!(key.open(&here, &sealed).expect("opens"), b"plain");
        assert_eq!(SealingKey::new([2; 32]).open(&here, &sealed), Err(Unreadable));
        let elsewhere = Label::new("document").with(b"c01").with(b"2");
        assert_eq!(key.open(&elsewhere, &sealed), Err(Unreadable));
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(key.open(&here, &changed), Err(Unreadable), "byte {position}");
            assert_eq!(key.open(&here, &sealed[..position]), Err(Unreadable));
        }
    }
}
