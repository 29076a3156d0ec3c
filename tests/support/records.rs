//! Case records to send: the published examples, under any pseudonym.

use crate::repository::root;
use serde_json::{Value, json};

/// The patient of the paper's Figure 1 as a complete submission, under `pseudonym`.
pub fn figure_1(pseudonym: &str) -> Value {
    example("figure-1", pseudonym)
}

/// A published valid example (`schema/examples/1.0.0/valid/<name>.json`) under `pseudonym`.
pub fn example(name: &str, pseudonym: &str) -> Value {
    let path = root().join(format!("schema/examples/1.0.0/valid/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut body: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    body["patient"]["pseudonym_id"] = json!(pseudonym);
    body
}

/// The body that withdraws consent: nothing but the version, the pseudonym and the consent.
pub fn withdrawal(pseudonym: &str) -> Value {
    json!({
        "schema_version": "1.0.0",
        "patient": { "pseudonym_id": pseudonym },
        "consent": { "status": "withdrawn", "withdrawal_date": "2026-11-01" },
    })
}
