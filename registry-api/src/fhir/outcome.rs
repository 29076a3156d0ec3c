//! A problem as `OperationOutcome`: what every error answer below `/fhir/` is.

use serde_json::{Value, json};

use crate::problem::{Kind, Problem};

/// The problem's stable code, its title and, unless the service failed, what to do about it.
pub fn of(problem: &Problem, request_id: &str) -> Value {
    let kind = problem.kind;
    let mut issue = json!({
        "severity": "error",
        "code": issue_type(kind),
        "details": {
            "coding": [{ "system": "urn:rps-registry:problem", "code": kind.code(), "display": kind.title() }],
            "text": kind.title(),
        },
    });
    if let Some(detail) = problem.detail.as_deref().filter(|_| kind.status() != 500) {
        issue["diagnostics"] = json!(detail);
    }
    let mut outcome = json!({ "resourceType": "OperationOutcome", "issue": [issue] });
    if !request_id.is_empty() {
        outcome["id"] = json!(request_id);
    }
    outcome
}

/// HL7's kind of issue.
fn issue_type(kind: Kind) -> &'static str {
    match kind.status() {
        400 => "invalid",
        401 => "login",
        403 => "forbidden",
        404 => "not-found",
        405 | 406 | 415 => "not-supported",
        408 => "timeout",
        409 | 412 => "conflict",
        410 => "deleted",
        413 => "too-long",
        422 => "business-rule",
        428 => "required",
        429 => "throttled",
        503 => "transient",
        507 => "no-store",
        _ => "exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_opaque_and_everything_else_says_why() {
        let failed = of(&Problem::with(Kind::Internal, "a secret"), "r-1");
        assert!(!failed.to_string().contains("secret"), "{failed}");
        assert_eq!(failed["issue"][0]["code"], "exception");
        assert_eq!(failed["id"], "r-1");
        let wrong = of(&Problem::with(Kind::BadQuery, "centre: no such centre"), "");
        assert_eq!(wrong["issue"][0]["diagnostics"], "centre: no such centre");
        assert_eq!(wrong["issue"][0]["details"]["coding"][0]["code"], "bad_query");
        assert!(wrong.get("id").is_none());
    }

    #[test]
    fn only_a_failure_of_the_service_is_an_exception() {
        for kind in Kind::ALL {
            assert_eq!(
                issue_type(*kind) == "exception",
                *kind == Kind::Internal,
                "{}",
                kind.code()
            );
        }
    }
}
