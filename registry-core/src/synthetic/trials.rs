//! Trials: looked for, found, entered, or sought elsewhere.

use serde_json::json;

use super::dice::after;
use super::draft::{Draft, absent};

pub(super) fn add(draft: &mut Draft) {
    let Some(screening) = draft.plan.screening else {
        return;
    };
    let mut row = json!({
        "screening_date": screening.date.to_string(),
        "outcome": screening.outcome,
        "local_trial_available": screening.local,
    });
    if let Some(enrolled) = screening.enrolled {
        row["enrolment_date"] = json!(enrolled.to_string());
        row["registry_id"] = json!("NCT00000000");
    } else if !screening.local {
        let day = after(screening.date, draft.dice.between(5, 60));
        let referred = screening.outcome != "not_screened"
            && draft.does("referred for a trial", 0.64)
            && draft.course.known(day);
        row["referred_elsewhere_date"] = if referred {
            json!(day.to_string())
        } else {
            absent("not_applicable")
        };
    }
    draft.push("trial", row);
}
