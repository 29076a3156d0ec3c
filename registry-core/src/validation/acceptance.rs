//! Whether the version a body names is accepted, and for how long (E-001).

use chrono::NaiveDate;
use serde_json::Value;

use super::breach::code;
use super::identity::identity_of;
use super::{Finding, Judge, Severity};
use crate::versions::{CaseSchema, Status};

/// The check that a case schema version is accepted; it needs the running service and so is made here.
const VERSION_CHECK: &str = "E-001";

impl Judge {
    /// Why a body is refused whose version is not among the accepted ones.
    pub(super) fn version_refused(&self, body: &Value, today: NaiveDate) -> Finding {
        let named = body
            .get("schema_version")
            .and_then(Value::as_str)
            .and_then(|version| self.store().case_schema(version));
        let (code, message) = match named {
            Some(schema) if !schema.accepted_on(today) => (
                code::RETIRED_SCHEMA_VERSION,
                format!(
                    "This version of the case schema was accepted through {}. {}",
                    schema.accepted_through.as_deref().unwrap_or("an unknown day"),
                    self.way_out()
                ),
            ),
            Some(schema) if schema.status == Status::Retired => (
                code::RETIRED_SCHEMA_VERSION,
                format!(
                    "This version of the case schema was retired on {}. {}",
                    schema.retired.as_deref().unwrap_or("an unknown day"),
                    self.way_out()
                ),
            ),
            _ => {
                let accepted = self.accepted_on(today).collect::<Vec<_>>().join(", ");
                (
                    code::UNSUPPORTED_SCHEMA_VERSION,
                    format!("This version of the case schema is not accepted. Accepted: {accepted}."),
                )
            }
        };
        Finding {
            rule: Some(VERSION_CHECK.to_owned()),
            ..self.of_the_version(VERSION_CHECK, code, Severity::Reject, message, body)
        }
    }

    /// The warning about a version that will not be accepted for long.
    pub(super) fn version_deprecated(&self, schema: &CaseSchema, body: &Value) -> Option<Finding> {
        (schema.status == Status::Deprecated).then(|| {
            let message = format!(
                "This version of the case schema is accepted through {}. {}",
                schema.accepted_through.as_deref().unwrap_or("an unknown day"),
                self.way_out()
            );
            let code = code::DEPRECATED_SCHEMA_VERSION;
            self.of_the_version(code, code, Severity::Warning, message, body)
        })
    }

    /// What to send instead, and where it says what to change.
    fn way_out(&self) -> String {
        let current = &self.store().current().version;
        format!(
            "Send version {current}: GET /api/v1/schemas/case/{current}; what has changed: GET /api/v1/schemas/case/{current}/changes."
        )
    }

    fn of_the_version(
        &self,
        rule: &str,
        code: &str,
        severity: Severity,
        message: String,
        body: &Value,
    ) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            pointer: "/schema_version".to_owned(),
            rule: None,
            rule_version: None,
            message,
            elements: vec!["record.schema_version".to_owned()],
            identity: identity_of(rule, "record.schema_version", body.get("schema_version")),
        }
    }
}
