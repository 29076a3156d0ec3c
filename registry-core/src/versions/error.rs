//! What can be wrong with the files under `schema/`. Found at start-up; nothing is served with a broken schema.

use std::path::PathBuf;

use super::checks::{HOW, is_check};
use crate::dictionary::{CodeListError, DictionaryError};

/// Why the schema files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file that must exist does not.
    #[error("schema/{0} is missing")]
    NoFile(String),
    /// A file is not UTF-8.
    #[error("schema/{0} is not UTF-8")]
    NotText(String),
    /// A file is not JSON.
    #[error("schema/{path} is not JSON: {source}")]
    Json {
        /// File below `schema/`.
        path: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A file is not TOML, or lacks a key.
    #[error("schema/{path}: {source}")]
    Toml {
        /// File below `schema/`.
        path: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A code list cannot be used.
    #[error("schema/{path}: {source}")]
    CodeList {
        /// File below `schema/`.
        path: String,
        /// Why.
        source: CodeListError,
    },
    /// The entity files do not make a dictionary.
    #[error("case schema {version}: {source}")]
    Dictionary {
        /// Version of the case schema.
        version: String,
        /// Why.
        source: DictionaryError,
    },
    /// An `$id` is not what the file's place says.
    #[error("schema/{path}: `$id` must be `{expected}`")]
    Identifier {
        /// File below `schema/`.
        path: String,
        /// The identifier of a file in this place.
        expected: String,
    },
    /// A published file has changed.
    #[error(
        "schema/{path} is published and has changed: catalog.toml says sha256 {listed}, the file has {actual}. \
         A published file is frozen; put the change into a new version{}",
        if is_check(path) { HOW } else { "" }
    )]
    Changed {
        /// File below `schema/`.
        path: String,
        /// Digest in the catalogue.
        listed: String,
        /// Digest of the file.
        actual: String,
    },
    /// A file of a published version is not in the catalogue.
    #[error(
        "schema/{path} belongs to a published version but has no [[file]] entry in catalog.toml (sha256 {actual})"
    )]
    Unlisted {
        /// File below `schema/`.
        path: String,
        /// Digest of the file.
        actual: String,
    },
    /// The step from the version before does not lead to this one.
    #[error("schema/{path}: {why}")]
    Upgrade {
        /// File below `schema/`.
        path: String,
        /// What it leaves over.
        why: String,
    },
    /// The catalogue contradicts itself.
    #[error("schema/catalog.toml: {0}")]
    Catalogue(String),
    /// The policy of locks cannot be used.
    #[error("schema/quality/lock.toml: {0}")]
    Lock(String),
    /// Value set H cannot be used.
    #[error("schema/codelists/histology.json: {0}")]
    Histology(String),
}
