//! What is wrong with a file, and where, without repeating what stands there.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[schema(as = PlaceInFile)]
pub struct Place {
    /// Name of the file.
    #[schema(value_type = String)]
    pub file: Arc<str>,
    /// Line, from 1; of a JSON file the item.
    pub line: u64,
    /// Number of the column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        match &self.name {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// Something that keeps a file or one of its cases from being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {code}: {message}")]
pub struct Complaint {
    /// Stable code.
    pub code: &'static str,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Complaint {
    pub(super) fn new(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            place,
            message: message.into(),
        }
    }
}
