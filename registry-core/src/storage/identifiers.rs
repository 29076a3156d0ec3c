//! Record ids and times, from the clock and the entropy that were passed in.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};

use crate::clock::{Clock, Entropy};

/// A UUIDv7: ordered by time of making.
pub(crate) fn new_id(now: NaiveDateTime, entropy: &dyn Entropy) -> String {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.and_utc().timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

/// Now, in whole microseconds: what both databases keep.
pub(crate) fn now(clock: &dyn Clock) -> NaiveDateTime {
    clock.now().trunc_subsecs(6).naive_utc()
}

/// A stored time as UTC.
pub(crate) fn utc(time: NaiveDateTime) -> DateTime<Utc> {
    time.and_utc()
}

/// A short name that both databases, URLs and file names take: 1 to 32 of `A-Z a-z 0-9 - _ .`.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// The id of a centre, as cases name it: 1 to 32 of `A-Z a-z 0-9 - _`, the first a letter or a digit.
pub(crate) fn is_centre_id(text: &str) -> bool {
    is_name(text) && !text.contains('.') && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// 1 to `longest` visible ASCII characters.
pub(crate) fn is_visible(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Text that both databases keep: no NUL, at most `longest` bytes.
pub(crate) fn is_text(text: &str, longest: usize) -> bool {
    text.len() <= longest && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::is_centre_id;

    /// As `mdt.centre_id` of the case schema has it.
    #[test]
    fn a_centre_has_an_id_that_cases_can_name() {
        let longest = "C".repeat(32);
        for id in ["C01", "it-09", "9_a", longest.as_str()] {
            assert!(is_centre_id(id), "{id}");
        }
        for id in ["", "A.1", "..", "_", "-x", "C 1", "Ü1", &"C".repeat(33)] {
            assert!(!is_centre_id(id), "{id}");
        }
    }
}
