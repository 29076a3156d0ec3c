//! The reader behind the door: serde_json's tokenizer with a visitor that refuses what it would let pass.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::classify;
use super::refusal::{IntakeError, Refusal};

/// The largest integer a double tells from all its neighbours, 2^53 - 1.
const LARGEST_EXACT: u64 = 9_007_199_254_740_991;

/// Bytes of a limit for each value: the fewest that records as they are sent have are about ten. What is denser would take many times its size
/// in memory.
const BYTES_OF_A_VALUE: usize = 6;
/// Values that an object counts as: what it takes in memory beside what it holds.
const VALUES_OF_AN_OBJECT: usize = 6;
/// Values that a body of any size may hold.
const VALUES_ANYWHERE: usize = 1000;

/// How much a body may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes. It may hold one value for every six of them.
    pub max_bytes: usize,
    /// Most arrays and objects inside one another.
    pub max_depth: usize,
    /// Most elements of the document, where it is an array: a batch.
    pub max_items: usize,
    /// Texts may hold anything: for a table whose cells are judged one by one.
    pub any_text: bool,
}

impl Limits {
    /// Nesting allowed anywhere.
    pub const DEPTH: usize = 64;

    /// Limits with this many bytes and the usual depth.
    pub fn bytes(max_bytes: usize) -> Self {
        Limits {
            max_bytes,
            max_depth: Self::DEPTH,
            max_items: usize::MAX,
            any_text: false,
        }
    }
}

impl Default for Limits {
    /// One case: 2 MiB, 64 levels. A complete course of ten years is about 60 KB.
    fn default() -> Self {
        Limits::bytes(2 * 1024 * 1024)
    }
}

/// Reads one JSON document.
///
/// A number without fraction is read as an integer, however it is spelled (`1.0`, `1e2`), so that equal documents
/// are equal values.
///
/// # Errors
/// The first breach, see [`Refusal`]. The message and the place tell what is wrong; no value is repeated.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, IntakeError> {
    if bytes.len() > limits.max_bytes {
        return Err(IntakeError::at(Refusal::BodyTooLarge, bytes, limits.max_bytes));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // What comes before the broken character may already be refused for a reason of its own.
            let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let refusal = match classify::classify(sound, limits) {
                Some((reason, offset)) if reason != Refusal::NotJson => (reason, offset),
                _ => (Refusal::NotUtf8, error.valid_up_to()),
            };
            return Err(IntakeError::at(refusal.0, bytes, refusal.1));
        }
    };
    let refusal = Cell::new(None);
    let values_left = Cell::new(VALUES_ANYWHERE.saturating_add(limits.max_bytes / BYTES_OF_A_VALUE));
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Strict {
        depth_left: limits.max_depth,
        max_items: limits.max_items,
        any_text: limits.any_text,
        values_left: &values_left,
        refusal: &refusal,
    }
    .deserialize(&mut reader);
    let error = match read {
        Ok(value) => match reader.end() {
            Ok(()) => return Ok(value),
            Err(error) => {
                refusal.set(Some(Refusal::TrailingBytes));
                error
            }
        },
        Err(error) => error,
    };
    let offset = offset_of(bytes, error.line(), error.column());
    Err(match refusal.get() {
        Some(reason) => IntakeError::at(reason, bytes, offset),
        None => match classify::classify(bytes, limits) {
            Some((reason, place)) => IntakeError::at(reason, bytes, place),
            None => IntakeError::at(Refusal::NotJson, bytes, offset),
        },
    })
}

/// Refuses a document of more bytes than a record may have, as it is written without spaces: one of many, or one put together here.
///
/// # Errors
/// [`Refusal::BodyTooLarge`] with the limit, without a place.
pub fn within(document: Value, max_bytes: usize) -> Result<Value, IntakeError> {
    let mut room = Room(max_bytes);
    match serde_json::to_writer(&mut room, &document) {
        Ok(()) => Ok(document),
        Err(_) => Err(IntakeError {
            message: format!(
                "The record as a whole is larger than {max_bytes} bytes, written without spaces."
            ),
            line: 0,
            ..IntakeError::at(Refusal::BodyTooLarge, &[], 0)
        }),
    }
}

/// Takes so many bytes and keeps none.
struct Room(usize);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Bytes before a place that serde_json gives as line (from 1) and column (bytes read of that line).
fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        _ => bytes
            .iter()
            .enumerate()
            .filter(|(_, b)| **b == b'\n')
            .nth(line - 2)
            .map_or(bytes.len(), |(i, _)| i + 1),
    };
    (start + column.saturating_sub(1)).min(bytes.len())
}

/// Whether text may stand in a case: nothing that is invisible, reorders what is shown, or breaks a line.
pub(crate) fn is_plain(text: &str) -> bool {
    let printable = |byte: u8| (0x20..0x7f).contains(&byte);
    text.bytes().all(printable) || text.chars().all(is_plain_char)
}

pub(super) fn is_plain_char(c: char) -> bool {
    let code = u32::from(c);
    let non_character = (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE;
    let reorders = matches!(code, 0x061C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069);
    let breaks_line = matches!(code, 0x2028 | 0x2029);
    let byte_order_mark = code == 0xFEFF;
    !(c.is_control() || non_character || reorders || breaks_line || byte_order_mark)
}

/// Reads any value and refuses, setting the reason aside, because serde's errors carry text only.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth_left: usize,
    max_items: usize,
    any_text: bool,
    values_left: &'a Cell<usize>,
    refusal: &'a Cell<Option<Refusal>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&self, reason: Refusal) -> E {
        self.refusal.set(Some(reason));
        E::custom(reason.code())
    }

    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Strict {
                depth_left,
                max_items: usize::MAX,
                ..*self
            }),
            None => Err(self.refuse(Refusal::TooDeep)),
        }
    }

    fn take<E: serde::de::Error>(&self, values: usize) -> Result<(), E> {
        let left = self.values_left.get().checked_sub(values);
        self.values_left
            .set(left.ok_or_else(|| self.refuse(Refusal::BodyTooLarge))?);
        Ok(())
    }

    fn text<E: serde::de::Error>(&self, text: &str) -> Result<(), E> {
        if self.any_text || is_plain(text) {
            Ok(())
        } else {
            Err(self.refuse(Refusal::ControlCharacter))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > LARGEST_EXACT {
            return Err(self.refuse(Refusal::IntegerTooLarge));
        }
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > LARGEST_EXACT {
            return Err(self.refuse(Refusal::IntegerTooLarge));
        }
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let magnitude = value.abs();
        // Exact: 2^53 - 1 is a double, and so is every integer below it.
        if magnitude.is_nan() || magnitude > LARGEST_EXACT as f64 {
            return Err(self.refuse(Refusal::IntegerTooLarge));
        }
        let number = if value.fract() == 0.0 {
            whole(value)
        } else {
            Number::from_f64(value).ok_or_else(|| E::custom("a finite number"))?
        };
        Ok(Value::Number(number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.text(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            self.take(1)?;
            if items.len() == self.max_items {
                return Err(self.refuse(Refusal::TooManyItems));
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        self.take(VALUES_OF_AN_OBJECT)?;
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.text(&key)?;
            let Entry::Vacant(place) = object.entry(key) else {
                return Err(self.refuse(Refusal::DuplicateKey));
            };
            self.take(1)?;
            place.insert(map.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

/// The integer a whole double of magnitude below 2^53 stands for; -0.0 is 0.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller has checked that the value is whole and below 2^53"
)]
fn whole(value: f64) -> Number {
    Number::from(value as i64)
}
