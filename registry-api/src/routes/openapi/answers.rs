//! Shapes of bodies that have no type here: what they are is said by a JSON Schema or by the dictionary.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// A case record, as the JSON Schema of its version at `/api/v1/schemas/case/{version}` has it: that decides which other keys there are.
#[derive(ToSchema)]
pub struct CaseRecord {
    /// Version of the case schema.
    #[schema(example = "1.0.0")]
    pub schema_version: String,
    /// With `pseudonym_id`, that of the address.
    #[schema(value_type = Object)]
    pub patient: Value,
    /// Sections.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// What is changed of a case record (RFC 7396).
#[derive(ToSchema)]
pub struct CasePatch {}

/// A centre in one year: the reference table `centre` of the dictionary at `/api/v1/schemas/case/{version}/dictionary` says which keys there are.
#[derive(ToSchema)]
pub struct RowOfCentre {}

/// A JSON Schema (2020-12).
#[derive(ToSchema)]
pub struct JsonSchema {}
