//! Why the door refuses a body.

use std::fmt;

/// Every reason, with its stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// More bytes than the limit, or more values than that many bytes allow for.
    BodyTooLarge,
    /// An array with more elements than the limit.
    TooManyItems,
    /// More nested arrays and objects than the limit.
    TooDeep,
    /// An object holds the same key twice (after unescaping).
    DuplicateKey,
    /// A control, direction-override or non-character in a string or key, raw or escaped.
    ControlCharacter,
    /// Half of a `\uD83D\uDE00` pair.
    LoneSurrogate,
    /// The text starts with a byte order mark.
    ByteOrderMark,
    /// `NaN`, `Infinity` or `-Infinity`.
    NotANumber,
    /// A number of magnitude above 2^53 - 1: a double no longer tells it from its neighbours.
    IntegerTooLarge,
    /// Something follows the document.
    TrailingBytes,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// Any other breach of RFC 8259.
    NotJson,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Refusal; 12] = [
        Refusal::BodyTooLarge,
        Refusal::TooManyItems,
        Refusal::TooDeep,
        Refusal::DuplicateKey,
        Refusal::ControlCharacter,
        Refusal::LoneSurrogate,
        Refusal::ByteOrderMark,
        Refusal::NotANumber,
        Refusal::IntegerTooLarge,
        Refusal::TrailingBytes,
        Refusal::NotUtf8,
        Refusal::NotJson,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::BodyTooLarge => "body_too_large",
            Refusal::TooManyItems => "too_many_items",
            Refusal::TooDeep => "too_deep",
            Refusal::DuplicateKey => "duplicate_key",
            Refusal::ControlCharacter => "control_character",
            Refusal::LoneSurrogate => "lone_surrogate",
            Refusal::ByteOrderMark => "byte_order_mark",
            Refusal::NotANumber => "not_a_number",
            Refusal::IntegerTooLarge => "integer_too_large",
            Refusal::TrailingBytes => "trailing_bytes",
            Refusal::NotUtf8 => "not_utf8",
            Refusal::NotJson => "not_json",
        }
    }

    /// What is wrong and what to send instead.
    pub(super) fn explanation(self) -> &'static str {
        match self {
            Refusal::BodyTooLarge => {
                "The body is larger than this service accepts, or holds more values than its size allows for."
            }
            Refusal::TooManyItems => "The array has more elements than this service takes at once.",
            Refusal::TooDeep => "Arrays and objects are nested too deeply.",
            Refusal::DuplicateKey => {
                "An object holds the same key twice; readers of JSON disagree about which one counts."
            }
            Refusal::ControlCharacter => {
                "A string holds a control character, a direction override or a Unicode non-character; \
                 send plain text without tabs and line breaks."
            }
            Refusal::LoneSurrogate => {
                "A \\u escape is half of a surrogate pair; write the character itself in UTF-8, or both halves."
            }
            Refusal::ByteOrderMark => "The body starts with a byte order mark; JSON is sent without one.",
            Refusal::NotANumber => {
                "NaN and Infinity are not JSON; leave the element out or send its absence code."
            }
            Refusal::IntegerTooLarge => {
                "A number is larger than 9007199254740991 in magnitude; readers of JSON would round it."
            }
            Refusal::TrailingBytes => "Something follows the end of the JSON document.",
            Refusal::NotUtf8 => "The body is not UTF-8.",
            Refusal::NotJson => "The body is not JSON (RFC 8259).",
        }
    }
}

/// A refusal and where it happened.
///
/// Places are counted in bytes: `offset` from 0, `line` and `column` from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct IntakeError {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, without any value of the body.
    pub message: String,
    /// Bytes before the place where reading stopped.
    pub offset: usize,
    /// Its line, from 1; 0 where no place is to blame.
    pub line: usize,
    /// Its column in bytes, from 1.
    pub column: usize,
}

impl fmt::Display for IntakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            message,
            line,
            column,
            ..
        } = self;
        match line {
            0 => f.write_str(message),
            _ => write!(f, "{message} (line {line}, column {column})"),
        }
    }
}

impl IntakeError {
    pub(super) fn at(refusal: Refusal, bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        IntakeError {
            code: refusal.code(),
            message: refusal.explanation().to_owned(),
            offset: before.len(),
            line: 1 + before.iter().filter(|b| **b == b'\n').count(),
            column: 1 + before.len() - line_start,
        }
    }

    /// The reason.
    pub fn refusal(&self) -> Refusal {
        Refusal::ALL
            .into_iter()
            .find(|r| r.code() == self.code)
            .unwrap_or(Refusal::NotJson)
    }
}
