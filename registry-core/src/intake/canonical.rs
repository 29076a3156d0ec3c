//! One spelling of a document, for hashing, comparing and storing.

use serde_json::Value;

/// The document with sorted keys (by their UTF-8 bytes) and without white space.
///
/// Equal values give equal bytes, whatever order the parser kept. Numbers are written as serde_json writes them: integers
/// in decimal, others in the shortest form that reads back the same; [`parse`](super::parse) has already turned whole
/// doubles into integers.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write(value, Nulls::Kept, &mut bytes);
    bytes
}

/// A case record as it is stored and hashed: as [`to_bytes`], without the members that are null. Null is missing, so that a record with a
/// null and one without the key are the same content. A null in an array, which has its place there, is kept.
pub fn record_to_bytes(record: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write(record, Nulls::Missing, &mut bytes);
    bytes
}

/// What a member that is null becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nulls {
    Kept,
    Missing,
}

fn write(value: &Value, nulls: Nulls, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.extend_from_slice(b"null"),
        Value::Bool(true) => bytes.extend_from_slice(b"true"),
        Value::Bool(false) => bytes.extend_from_slice(b"false"),
        Value::Number(number) => bytes.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_text(text, bytes),
        Value::Array(items) => {
            bytes.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    bytes.push(b',');
                }
                write(item, nulls, bytes);
            }
            bytes.push(b']');
        }
        Value::Object(object) => {
            let kept = |(_, inner): &(&String, &Value)| nulls == Nulls::Kept || !inner.is_null();
            let mut entries: Vec<_> = object.iter().filter(kept).collect();
            entries.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            bytes.push(b'{');
            for (i, (key, inner)) in entries.into_iter().enumerate() {
                if i > 0 {
                    bytes.push(b',');
                }
                write_text(key, bytes);
                bytes.push(b':');
                write(inner, nulls, bytes);
            }
            bytes.push(b'}');
        }
    }
}

/// Escapes what RFC 8259 wants escaped and nothing else, in the form of RFC 8785.
fn write_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(b'"');
    for c in text.chars() {
        match c {
            '"' => bytes.extend_from_slice(b"\\\""),
            '\\' => bytes.extend_from_slice(b"\\\\"),
            '\u{8}' => bytes.extend_from_slice(b"\\b"),
            '\t' => bytes.extend_from_slice(b"\\t"),
            '\n' => bytes.extend_from_slice(b"\\n"),
            '\u{c}' => bytes.extend_from_slice(b"\\f"),
            '\r' => bytes.extend_from_slice(b"\\r"),
            c if c < ' ' => bytes.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes.push(b'"');
}
