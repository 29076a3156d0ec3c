//! The JSON Schema of one version, compiled once. Nothing is fetched: all documents are registered beforehand.

use std::sync::Arc;

use jsonschema::{Draft, Registry, Validator};
use serde_json::Value;

use super::breach::Breach;
use super::formats;
use crate::dictionary::Dictionary;
use crate::versions::{CaseSchema, SchemaStore};

/// Breaches that are put in words: far more than a person reads, and no body makes the service write for ever.
const MOST_BREACHES: usize = 5_000;

/// Why a version's schema cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("case schema {version}: {reason}")]
pub struct SchemaCompileError {
    /// Version of the case schema.
    pub version: String,
    /// What the validator says: an unknown format, a `$ref` to nowhere, a malformed keyword.
    pub reason: String,
}

/// The compiled schema of one version.
#[derive(Debug)]
pub struct SchemaValidator {
    validator: Validator,
    pub(super) dictionary: Arc<Dictionary>,
}

impl SchemaValidator {
    /// Compiles the schema of one version against the code lists of the store.
    ///
    /// # Errors
    /// A document that is not a schema, a reference to a document the store does not have, a format nobody knows.
    pub fn compile(case_schema: &CaseSchema, store: &SchemaStore) -> Result<Self, SchemaCompileError> {
        let fail = |reason: String| SchemaCompileError {
            version: case_schema.version.clone(),
            reason,
        };
        let mut registry = Registry::new();
        for document in case_schema.documents.values() {
            let id = document.get("$id").and_then(Value::as_str).unwrap_or_default();
            registry = registry
                .add(id, document.clone())
                .map_err(|e| fail(e.to_string()))?;
        }
        for list in store.codelists() {
            let path = format!("codelists/{}.json", list.name);
            let document = store.files().json(&path).map_err(|e| fail(e.to_string()))?;
            registry = registry
                .add(format!("urn:rps-registry:codelist:{}", list.name), document)
                .map_err(|e| fail(e.to_string()))?;
        }
        let registry = registry.prepare().map_err(|e| fail(e.to_string()))?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&registry)
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_format("partial-date", formats::is_partial_date)
            .with_format("date", formats::is_date)
            .with_format("date-time", formats::is_date_time)
            .with_format("uuid", formats::is_uuid)
            .build(&case_schema.root)
            .map_err(|e| fail(e.to_string()))?;
        Ok(SchemaValidator {
            validator,
            dictionary: Arc::clone(&case_schema.dictionary),
        })
    }

    /// Whether the body keeps to the schema. The fast path: no error is built.
    pub fn is_valid(&self, body: &Value) -> bool {
        self.validator.is_valid(body)
    }

    /// Every breach of the schema, each place and code once; beyond [`MOST_BREACHES`] they are counted only.
    pub(super) fn breaches(&self, body: &Value) -> (Vec<Breach>, usize) {
        let (mut breaches, mut further) = (Vec::new(), 0);
        if self.is_valid(body) {
            return (breaches, further);
        }
        for error in self.validator.iter_errors(body) {
            let room = MOST_BREACHES.saturating_sub(breaches.len());
            further += match room {
                0 => super::explain::weight(&error),
                _ => super::explain::explain(&error, &self.dictionary, &mut breaches, room),
            };
        }
        (breaches, further)
    }
}
