//! Names the reason of a refusal that serde_json can only call a syntax error.
//!
//! Runs after reading has failed, never on a sound body. It walks the tokens and reports the first thing that has a code
//! of its own; it does not check the grammar.

use super::door::{Limits, is_plain_char};
use super::refusal::Refusal;

/// The first breach with a code of its own and its offset.
pub(super) fn classify(bytes: &[u8], limits: &Limits) -> Option<(Refusal, usize)> {
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Some((Refusal::ByteOrderMark, 0));
    }
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => match string(bytes, at + 1) {
                Ok(end) => {
                    at = end;
                    continue;
                }
                Err(refused) => return refused,
            },
            b'[' | b'{' => {
                depth += 1;
                if depth > limits.max_depth {
                    return Some((Refusal::TooDeep, at));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let token = number(bytes, at);
                let text = bytes.get(at..at + token).unwrap_or_default();
                if text == b"-" && starts_not_a_number(bytes, at + 1) {
                    return Some((Refusal::NotANumber, at));
                }
                if overflows(text) {
                    return Some((Refusal::IntegerTooLarge, at));
                }
                at += token.max(1);
                continue;
            }
            _ if starts_not_a_number(bytes, at) => return Some((Refusal::NotANumber, at)),
            b'A'..=b'Z' | b'a'..=b'z' => {
                // Skip the rest of a bare word, so that no part of it is taken for a token.
                at += bytes
                    .iter()
                    .skip(at)
                    .take_while(|b| b.is_ascii_alphanumeric())
                    .count();
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The end of a string that starts at `at`, or what is wrong with it (nothing of its own when it merely does not end).
fn string(bytes: &[u8], mut at: usize) -> Result<usize, Option<(Refusal, usize)>> {
    let mut high: Option<usize> = None;
    loop {
        let Some(&byte) = bytes.get(at) else {
            return Err(high.map(|place| (Refusal::LoneSurrogate, place)));
        };
        let unit = match (byte, bytes.get(at + 1)) {
            (b'\\', Some(b'u')) => match escape(bytes, at) {
                Some(unit) => Some(unit),
                None => return Err(high.map(|place| (Refusal::LoneSurrogate, place))),
            },
            _ => None,
        };
        match (high, unit) {
            (Some(_), Some(0xDC00..=0xDFFF)) => high = None,
            (Some(place), _) => return Err(Some((Refusal::LoneSurrogate, place))),
            (None, Some(0xD800..=0xDBFF)) => high = Some(at),
            (None, Some(0xDC00..=0xDFFF)) => return Err(Some((Refusal::LoneSurrogate, at))),
            (None, Some(code)) => {
                if !char::from_u32(code).is_some_and(is_plain_char) {
                    return Err(Some((Refusal::ControlCharacter, at)));
                }
            }
            (None, None) => {}
        }
        match byte {
            b'\\' if unit.is_some() => at += 6,
            b'\\' => at += 2,
            b'"' => return Ok(at + 1),
            0..=0x1F | 0x7F => return Err(Some((Refusal::ControlCharacter, at))),
            _ => at += 1,
        }
    }
}

/// The code unit of `\uXXXX` at `at`.
fn escape(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(at + 2..at + 6)?).ok()?;
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

fn number(bytes: &[u8], at: usize) -> usize {
    bytes
        .iter()
        .skip(at)
        .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .count()
}

/// Whether a number token is too large for a double.
fn overflows(token: &[u8]) -> bool {
    std::str::from_utf8(token)
        .ok()
        .and_then(|t| t.parse::<f64>().ok())
        .is_some_and(f64::is_infinite)
}

fn starts_not_a_number(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.starts_with(b"NaN") || rest.starts_with(b"Infinity")
}
