//! Keyed hashes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA-256 over length-prefixed fields.
pub(crate) struct Keyed(Hmac<Sha256>);

impl Keyed {
    /// Starts a hash for `purpose`.
    pub(crate) fn new(key: &[u8; 32], purpose: &str) -> Self {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&(*key).into_block());
        mac.update(&field_length(purpose.as_bytes()));
        mac.update(purpose.as_bytes());
        Self(mac)
    }

    /// Adds one field.
    pub(crate) fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update(&field_length(bytes));
        self.0.update(bytes);
        self
    }

    /// The 32 bytes.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

/// Fields are length-prefixed so that two of them cannot be shifted against each other.
fn field_length(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_be_bytes()
}

/// An HMAC key block: the 32-byte key, zero-padded to SHA-256's block (RFC 2104).
trait IntoBlock {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoBlock for [u8; 32] {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(&self);
        block
    }
}

/// Equality in time that does not depend on where the first difference is.
pub(crate) fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0u8, |seen, (a, b)| seen | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231_case_2_style_vector() {
        // RFC 4231, test case 1: key = 20 x 0x0b, data = "Hi There"; zero-padding the key does not change HMAC.
        let mut key = [0u8; 32];
        key[..20].fill(0x0b);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&key.into_block());
        mac.update(b"Hi There");
        assert_eq!(
            hex::encode(mac.finalize().into_bytes()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn fields_cannot_be_shifted() {
        let key = [7u8; 32];
        let one = Keyed::new(&key, "p").field(b"ab").field(b"c").finish();
        let two = Keyed::new(&key, "p").field(b"a").field(b"bc").finish();
        assert_ne!(one, two);
    }

    #[test]
    fn equality_is_by_content_and_length() {
        assert!(same_bytes(b"abc", b"abc"));
        assert!(!same_bytes(b"abc", b"abd"));
        assert!(!same_bytes(b"abc", b"abcd"));
    }
}
