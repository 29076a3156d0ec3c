//! Database errors become one of ours. Messages are classified, never passed on: they may hold values.

use diesel::result::{DatabaseErrorKind, Error};

use super::error::{Outage, StoreError};

/// What SQLite and PostgreSQL say, and what it means. First match wins; compared in lower case.
const SAID: &[(&str, Outage)] = &[
    ("database is locked", Outage::Locked),
    ("database table is locked", Outage::Locked),
    ("canceling statement due to lock timeout", Outage::Locked),
    ("readonly database", Outage::ReadOnly),
    ("read-only", Outage::ReadOnly),
    ("database or disk is full", Outage::Full),
    ("no space left", Outage::Full),
    ("disk quota", Outage::Full),
    // What SQLite says when the file may not grow (EFBIG, EDQUOT).
    ("disk i/o error", Outage::Full),
    ("file size limit", Outage::Full),
    ("unable to open database", Outage::Missing),
    ("file is not a database", Outage::Damaged),
    ("malformed", Outage::Damaged),
    ("no such table", Outage::NotMigrated),
    ("no such column", Outage::NotMigrated),
    ("remaining connection slots", Outage::Busy),
    ("too many clients", Outage::Busy),
    ("too many connections", Outage::Busy),
    ("terminating connection", Outage::Unreachable),
    ("server closed the connection", Outage::Unreachable),
    ("no connection to the server", Outage::Unreachable),
    ("connection to server", Outage::Unreachable),
    ("connection not open", Outage::Unreachable),
    ("could not connect", Outage::Unreachable),
    ("could not receive data", Outage::Unreachable),
    ("could not send data", Outage::Unreachable),
    ("connection refused", Outage::Unreachable),
    ("connection reset", Outage::Unreachable),
    ("broken pipe", Outage::Unreachable),
    ("ssl connection has been closed", Outage::Unreachable),
    ("the database system is", Outage::Unreachable),
    ("eof detected", Outage::Unreachable),
];

/// Reads a message's meaning.
pub(crate) fn outage_of(message: &str) -> Option<Outage> {
    let message = message.to_lowercase();
    if message.contains("does not exist") && (message.contains("relation") || message.contains("column")) {
        return Some(Outage::NotMigrated);
    }
    SAID.iter()
        .find(|(said, _)| message.contains(said))
        .map(|(_, outage)| *outage)
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::NotFound => StoreError::NotFound,
            Error::DatabaseError(kind, information) => {
                match kind {
                    DatabaseErrorKind::ClosedConnection => {
                        return StoreError::Unavailable(Outage::Unreachable);
                    }
                    DatabaseErrorKind::ReadOnlyTransaction => {
                        return StoreError::Unavailable(Outage::ReadOnly);
                    }
                    DatabaseErrorKind::SerializationFailure => {
                        return StoreError::Unavailable(Outage::Locked);
                    }
                    _ => {}
                }
                match outage_of(information.message()) {
                    Some(outage) => StoreError::Unavailable(outage),
                    None => StoreError::Internal(format!(
                        "{kind:?} in {} {}",
                        information.table_name().unwrap_or("an unnamed table"),
                        information.constraint_name().unwrap_or_default()
                    )),
                }
            }
            Error::DeserializationError(_) => StoreError::Internal("a stored row does not read".to_owned()),
            Error::SerializationError(_) => StoreError::Internal("a value does not write".to_owned()),
            Error::BrokenTransactionManager => StoreError::Unavailable(Outage::Unreachable),
            _ => StoreError::Internal("unexpected database error".to_owned()),
        }
    }
}
