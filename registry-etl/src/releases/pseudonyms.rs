//! Pseudonyms of a release.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key that makes the pseudonyms of a release; kept by the coordinating office, never part of a release.
#[derive(Clone)]
pub struct ReleaseKey([u8; 32]);

impl std::fmt::Debug for ReleaseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReleaseKey(..)")
    }
}

impl ReleaseKey {
    /// Takes 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA-256 over length-prefixed parts, the first `bytes` bytes in hexadecimal.
    fn mark(&self, parts: &[&str], bytes: usize) -> String {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        hex::encode(&mac.finalize().into_bytes()[..bytes])
    }

    /// The key of a line of data requests: the same patient under every release of the line, unlinkable to any other.
    #[must_use]
    pub fn of_request(&self, line: &str) -> Self {
        let mut bytes = [0; 32];
        let text = self.mark(&["data request", line], 32);
        // 32 bytes in hexadecimal: they fit.
        hex::decode_to_slice(text, &mut bytes).ok();
        Self(bytes)
    }

    /// A patient: `P` and 16 hexadecimal digits of the record id.
    pub(super) fn patient(&self, case_id: &str) -> String {
        format!("P{}", self.mark(&["patient", case_id], 8))
    }

    /// A centre: `C` and 8 hexadecimal digits.
    pub(super) fn centre(&self, centre_id: &str) -> String {
        format!("C{}", self.mark(&["centre", centre_id], 4))
    }

    /// A key within a record (a lesion, a course of radiotherapy): what a centre wrote there may say more than it should.
    pub(super) fn within(&self, case_id: &str, element: &str, value: &str) -> String {
        format!("K{}", self.mark(&["within", case_id, element, value], 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkable_under_one_key_only_and_never_shown() {
        let (one, other) = (ReleaseKey::new([1; 32]), ReleaseKey::new([2; 32]));
        assert_eq!(one.patient("a"), one.patient("a"));
        assert_ne!(one.patient("a"), other.patient("a"));
        assert_ne!(one.patient("a"), one.patient("b"));
        assert_ne!(one.patient("a")[1..9], one.centre("a")[1..9]);
        assert_ne!(
            one.within("a", "lesion_id", "L1"),
            one.within("b", "lesion_id", "L1")
        );
        assert_eq!(one.patient("a").len(), 17);
        assert_eq!(format!("{one:?}"), "ReleaseKey(..)");
        let (first, second) = (one.of_request("r1"), one.of_request("r2"));
        assert_eq!(first.patient("a"), one.of_request("r1").patient("a"));
        assert_ne!(first.patient("a"), second.patient("a"));
        assert_ne!(first.patient("a"), one.patient("a"));
        assert_ne!(first.patient("a"), other.of_request("r1").patient("a"));
    }
}
