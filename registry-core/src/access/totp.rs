//! Time-based one-time codes (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, as authenticator apps expect.

use std::fmt;

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::crypto::same_bytes;

const STEP_SECONDS: i64 = 30;
const DIGITS: u32 = 6;
const SECRET_BYTES: usize = 20;

/// The secret that a person's authenticator app shares with the registry: 160 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_BYTES]);

impl TotpSecret {
    /// From bytes; `None` when there are not 20.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it is typed into an app: 32 characters of Base32.
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As apps read it: `otpauth://totp/..`. `login` must need no escaping in a URI.
    pub fn uri(&self, login: &str) -> String {
        let secret = self.base32();
        format!("otpauth://totp/RPS%20registry:{login}?secret={secret}&issuer=RPS%20registry")
    }

    /// The time step whose code this is: the present one or a neighbour (clocks differ), later than `used`.
    pub(crate) fn matching_step(&self, code: &str, now: DateTime<Utc>, used: Option<i64>) -> Option<i64> {
        let present = step_of(now);
        [present, present - 1, present + 1]
            .into_iter()
            .filter(|step| used.is_none_or(|used| *step > used))
            .find(|step| same_bytes(truncated(&self.0, *step, DIGITS).as_bytes(), code.as_bytes()))
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(redacted)")
    }
}

/// The code that an app shows at `now`: six digits.
pub fn code_at(secret: &TotpSecret, now: DateTime<Utc>) -> String {
    truncated(&secret.0, step_of(now), DIGITS)
}

/// Steps since 1970.
fn step_of(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(STEP_SECONDS)
}

/// HOTP (RFC 4226, 5.3): dynamic truncation of HMAC-SHA-1 over the step.
fn truncated(secret: &[u8; SECRET_BYTES], step: i64, digits: u32) -> String {
    // Zero-padding a key shorter than the block changes nothing (RFC 2104).
    let mut block = hmac::digest::Key::<Hmac<Sha1>>::default();
    block[..SECRET_BYTES].copy_from_slice(secret);
    let mut mac = <Hmac<Sha1> as KeyInit>::new(&block);
    mac.update(&step.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(hash[19] & 0x0f);
    let word = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:0width$}", word % 10u32.pow(digits), width = digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1.
    #[test]
    fn agrees_with_rfc_6238() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(
                truncated(b"12345678901234567890", seconds / STEP_SECONDS, 8),
                code
            );
        }
    }

    #[test]
    fn a_code_is_good_within_a_step_and_never_for_a_step_used() {
        let secret = TotpSecret(*b"12345678901234567890");
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        let code = code_at(&secret, at(59));
        assert_eq!(code, "287082");
        assert_eq!(secret.matching_step(&code, at(59), None), Some(1));
        assert_eq!(secret.matching_step(&code, at(89), None), Some(1));
        assert_eq!(secret.matching_step(&code, at(29), None), Some(1));
        assert_eq!(secret.matching_step(&code, at(90), None), None);
        assert_eq!(secret.matching_step(&code, at(59), Some(1)), None);
        assert_eq!(secret.matching_step("", at(59), None), None);
    }

    #[test]
    fn the_secret_is_shown_in_base32_and_never_in_debug_output() {
        let secret = TotpSecret(*b"12345678901234567890");
        assert_eq!(secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(format!("{secret:?}"), "TotpSecret(redacted)");
    }
}
