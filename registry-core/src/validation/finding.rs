//! What is said about a case: one finding per broken rule and place, never with the value found there.

use serde::{Deserialize, Serialize};

/// Most findings listed in a verdict; the rest is counted.
pub const MAX_FINDINGS: usize = 200;

/// What a finding does to the case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The case is refused.
    Reject,
    /// The case is stored; the elements the check blocks stay out of measures and survival until corrected.
    Error,
    /// The case is stored and queried; nothing is blocked.
    Warning,
}

impl Severity {
    /// As written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Reject => "reject",
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }

    /// The severity of this spelling.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "reject" => Some(Severity::Reject),
            "error" => Some(Severity::Error),
            "warning" => Some(Severity::Warning),
            _ => None,
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// Stable code: of the schema (`not_in_code_list`), or the edit check's id (`E-011`).
    pub code: String,
    /// What it does to the case.
    pub severity: Severity,
    /// RFC 6901 pointer into the document as sent; empty for the whole document.
    pub pointer: String,
    /// Id of the edit check, none for a schema finding.
    pub rule: Option<String>,
    /// Version of the edit check.
    pub rule_version: Option<String>,
    /// What is wrong and what is allowed, in words. Names no value of the document.
    pub message: String,
    /// Elements the rule read, `entity.element`, sorted.
    pub elements: Vec<String>,
    /// SHA-256 (hex) over the rule and the canonical elements it read: the same finding keeps it when rows move.
    pub identity: String,
}
