//! A breach of the schema: a place, a stable code, and what is allowed there.

use std::cmp::Ordering;
use std::collections::HashSet;

/// The stable codes of schema findings.
pub mod code {
    /// A property no schema has.
    pub const UNKNOWN_PROPERTY: &str = "unknown_property";
    /// Another JSON type than the element's.
    pub const WRONG_TYPE: &str = "wrong_type";
    /// A code outside the element's code list.
    pub const NOT_IN_CODE_LIST: &str = "not_in_code_list";
    /// An absence code the element does not accept.
    pub const ABSENCE_NOT_ALLOWED: &str = "absence_not_allowed";
    /// Something without which the row or the case means nothing.
    pub const REQUIRED: &str = "required";
    /// Not a date, year, instant or identifier.
    pub const BAD_FORMAT: &str = "bad_format";
    /// Fewer rows than a case has.
    pub const TOO_FEW_ROWS: &str = "too_few_rows";
    /// More rows than the registry takes.
    pub const TOO_MANY_ROWS: &str = "too_many_rows";
    /// A text over its length.
    pub const TOO_LONG: &str = "too_long";
    /// A text that is not spelled as the element wants it, the empty text included.
    pub const PATTERN: &str = "pattern";
    /// A number outside what the schema allows.
    pub const OUT_OF_RANGE: &str = "out_of_range";
    /// A pseudonym that reads as a name, a record number or a date of birth.
    pub const IDENTIFYING_PSEUDONYM: &str = "identifying_pseudonym";
    /// The same member twice in a set.
    pub const DUPLICATE_MEMBER: &str = "duplicate_member";
    /// Set by the service: the envelope, the centre table, a derived element.
    pub const SERVER_SET: &str = "server_set";
    /// A version that is not accepted.
    pub const UNSUPPORTED_SCHEMA_VERSION: &str = "unsupported_schema_version";
    /// A version that was accepted once.
    pub const RETIRED_SCHEMA_VERSION: &str = "retired_schema_version";
    /// A version that will not be accepted for long.
    pub const DEPRECATED_SCHEMA_VERSION: &str = "deprecated_schema_version";
    /// A breach of a schema keyword that has no code of its own.
    pub const SCHEMA: &str = "schema";
}

/// A breach of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) code: &'static str,
    /// RFC 6901 pointer into the body.
    pub(super) pointer: String,
    pub(super) message: String,
    /// The element concerned, `entity.element`, or the entity.
    pub(super) element: Option<String>,
}

/// Puts breaches into the order of place and code and drops repetitions. A value of the wrong JSON type breaks other
/// keywords, too; only the type is told.
pub(super) fn sort(breaches: &mut Vec<Breach>) {
    let mistyped: HashSet<String> = breaches
        .iter()
        .filter(|b| b.code == code::WRONG_TYPE)
        .map(|b| b.pointer.clone())
        .collect();
    breaches.retain(|b| b.code == code::WRONG_TYPE || !mistyped.contains(&b.pointer));
    breaches.sort_by(|a, b| {
        compare_pointers(&a.pointer, &b.pointer)
            .then_with(|| a.code.cmp(b.code))
            .then_with(|| a.message.cmp(&b.message))
    });
    breaches.dedup_by(|a, b| a.pointer == b.pointer && a.code == b.code);
}

/// Order of places: row 2 before row 10.
pub(super) fn compare_pointers(a: &str, b: &str) -> Ordering {
    let mut left = a.split('/');
    let mut right = b.split('/');
    loop {
        let (l, r) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) => (l, r),
        };
        let order = match (l.parse::<u32>(), r.parse::<u32>()) {
            (Ok(l), Ok(r)) => l.cmp(&r),
            _ => l.cmp(r),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// `pointer` with one more token.
pub(super) fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
