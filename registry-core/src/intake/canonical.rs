//! One spelling of a document, for hashing, comparing and storing.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The document with sorted keys (by their UTF-8 bytes) and without white space.
///
/// Equal values give equal bytes, for serde_json keeps members in the order of their keys (its feature `preserve_order` is off, which a
/// test holds). Numbers and escapes are as serde_json writes them: integers in decimal, others in the shortest form that reads back the
/// same, of characters only those escaped that RFC 8259 wants escaped, in the form of RFC 8785; [`parse`](super::parse) has already turned
/// whole doubles into integers.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    write(value)
}

/// A case record as it is stored and hashed: as [`to_bytes`], without the members that are null. Null is missing, so that a record with a
/// null and one without the key are the same content. A null in an array, which has its place there, is kept.
pub fn record_to_bytes(record: &Value) -> Vec<u8> {
    write(&WithoutNulls(record))
}

fn write(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    // A value has no key but text, and a vector takes every byte: there is nothing that could fail.
    let written = serde_json::to_writer(&mut bytes, value);
    debug_assert!(written.is_ok());
    bytes
}

/// A value whose members that are null are left out, at every depth.
struct WithoutNulls<'a>(&'a Value);

impl Serialize for WithoutNulls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let kept = members.iter().filter(|(_, inner)| !inner.is_null());
                serializer.collect_map(kept.map(|(key, inner)| (key, WithoutNulls(inner))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(WithoutNulls)),
            other => other.serialize(serializer),
        }
    }
}
