//! What an event of the audit trail says, for a person: its action in words beside the code, and its facts.

use registry_core::access::Role;
use serde_json::Value;

use super::frame::role_name;
use super::words;

/// Every action the registry records, and what was done.
const ACTIONS: [(&str, &str); 69] = [
    ("case.create", "Case entered"),
    ("case.replace", "Case changed"),
    ("case.read", "Case read"),
    ("case.read_many", "Cases read"),
    ("case.verify", "Case verified against its source"),
    ("case.lock", "Case locked"),
    ("case.unlock", "Case unlocked"),
    ("case.transfer", "Case transferred"),
    ("case.withdraw", "Consent withdrawn"),
    ("case.reuse_ended", "Research reuse taken back"),
    ("centre.create", "Centre added"),
    ("centre.change", "Centre changed"),
    ("centre.year", "Year of a centre entered"),
    ("data_request.file", "Data request filed"),
    ("data_request.approve", "Data request approved"),
    ("data_request.decline", "Data request declined"),
    ("data_request.revoke", "Data request revoked"),
    ("data_request.build", "Bundle of a data request built"),
    ("data_request.download", "Bundle of a data request downloaded"),
    ("export.canonical", "Cases taken home"),
    ("finding.answer", "Finding answered"),
    ("indicators.choose", "Indicators chosen"),
    ("job.start", "Import begun"),
    ("job.end", "Import ended"),
    ("job.report", "Report of an import read"),
    ("key.create", "Key made"),
    ("key.rotate", "Key replaced by a successor"),
    ("key.revoke", "Key revoked"),
    ("mapping.put", "Mapping kept"),
    ("master_key.rotate", "Master key replaced"),
    ("person.invite", "Person invited"),
    ("person.enrol", "Account set up"),
    ("person.bind", "Account bound to a provider"),
    ("person.assign", "Role or centre changed"),
    ("person.reset", "Account reset"),
    ("person.disable", "Account disabled"),
    ("person.change_password", "Password changed"),
    ("person.renew_recovery_codes", "Recovery codes renewed"),
    ("person.recovery_code_used", "Recovery code used"),
    ("person.sign_in_failed", "Sign-in refused"),
    ("query.raise", "Query raised"),
    ("query.message", "Message in a query"),
    ("query.close", "Query closed"),
    ("query.reopen", "Query reopened"),
    ("query.follow", "Query followed a new version"),
    ("query.read", "Query read"),
    ("query.list", "Queries read"),
    ("release.begin", "Release begun"),
    ("release.freeze", "Release frozen"),
    ("release.fail", "Release came to nothing"),
    ("release.download", "Release downloaded"),
    ("run.start", "Run started"),
    ("run.add_result", "Result added to a run"),
    ("run.finish", "Run finished"),
    ("run.fail", "Run failed"),
    ("run.publish", "Run published"),
    ("session.begin", "Signed in"),
    ("session.end", "Signed out"),
    ("session.end_all", "Signed out everywhere"),
    ("sign_in_link.create", "Sign-in link made"),
    ("signal.status", "Signal followed up"),
    ("signal.reveal", "Letter of a centre looked up"),
    ("task.open", "Task opened"),
    ("task.close", "Task closed"),
    ("verification.draw", "Sample drawn"),
    ("verification.reenter", "Case entered again"),
    ("verification.reset", "Second entry set back"),
    ("verification.compare", "Second entry compared"),
    ("worklist.read", "Worklist read"),
];

/// What was done; the code spelled out where nobody has said.
pub(super) fn action(code: &str) -> String {
    let known = ACTIONS.iter().find(|(action, _)| *action == code);
    known.map_or_else(
        || words::code(&code.replace('.', " ")),
        |(_, said)| (*said).to_owned(),
    )
}

/// The coded facts of an event, name by name.
pub(super) fn facts(details: &Value) -> Vec<(String, String)> {
    let facts = details.as_object().into_iter().flatten();
    facts
        .map(|(name, value)| (words::code(name), fact(value)))
        .collect()
}

fn fact(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(all) => all.iter().map(fact).collect::<Vec<_>>().join(", "),
        Value::Object(_) => {
            let inner = facts(value).into_iter();
            inner
                .map(|(name, value)| format!("{name} {value}"))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Value::String(text) => match text.parse::<Role>() {
            Ok(role) => role_name(role).to_owned(),
            // A code, not an id or a date.
            Err(_) if text.contains('_') && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => {
                text.replace('_', " ")
            }
            Err(_) => text.clone(),
        },
        Value::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_spoken() {
        assert_eq!(action("case.replace"), "Case changed");
        assert_eq!(action("moon.turn_around"), "Moon turn around");
        let details = json!({
            "role": "centre_lead", "dry_run": false, "reason": "letter_to_centre", "id": "2026-2_a", "files": ["case.csv", "x"], "none": null
        });
        let told = facts(&details);
        let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            told,
            [
                ("Dry run", "no"),
                ("Files", "case.csv, x"),
                ("Id", "2026-2_a"),
                ("None", "none"),
                ("Reason", "letter to centre"),
                ("Role", "Centre lead"),
            ]
        );
    }
}
