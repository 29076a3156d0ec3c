//! Contacts, quality of life, and the end.

use serde_json::json;

use super::dice::after;
use super::draft::{Draft, absent};

pub(super) fn add(draft: &mut Draft) {
    let course = draft.course;
    for months in [0, 3, 6, 12] {
        let date = after(course.t0.max(course.registration), months * 30);
        if course.known(date) && draft.dice.chance(0.5) {
            let row = json!({
                "date": date.to_string(),
                "instrument": "eortc_qlq_c30",
                "summary_score": draft.dice.between(45, 95),
                "global_health": draft.dice.between(35, 95),
                "timepoint": if months == 0 { "baseline" } else { "follow_up" },
            });
            draft.push("pro", row);
        }
    }
    let mut contact = course.registration.max(course.t0);
    while contact < course.last_contact {
        let row = json!({
            "date": contact.to_string(),
            "vital_status": "alive",
            "disease_status": draft.dice.pick(&[("stable", 5), ("progressing", 3), ("responding", 2)]),
        });
        draft.push("followup", row);
        contact = after(contact, draft.dice.between(80, 130));
    }
    let last = match course.death {
        Some(death) => json!({
            "date": death.to_string(),
            "vital_status": "dead",
            "death_date": death.to_string(),
            "cause_of_death": draft.dice.pick(&[("sarcoma", 88), ("treatment", 3), ("other_cancer", 2), ("other", 7)]),
            "disease_status": absent("not_applicable"),
        }),
        None => json!({
            "date": course.last_contact.to_string(),
            "vital_status": if course.lost { "lost" } else { "alive" },
            "disease_status": if course.lost { absent("unknown") } else { json!("stable") },
        }),
    };
    draft.push("followup", last);
}

/// Earlier imaging fetched and read again.
pub(super) fn imaging_history(draft: &mut Draft) {
    if !draft.does("imaging history reviewed", 0.88) {
        return;
    }
    let row = json!({
        "presentation_seq": 1,
        "date": draft.day(24).to_string(),
        "initial_imaging": draft.dice.pick(&[("reviewed", 95), ("not_reviewed", 3), ("unobtainable_attempt_documented", 2)]),
        "course_imaging": draft.dice.pick(&[("reviewed", 94), ("not_reviewed", 4), ("unobtainable_attempt_documented", 2)]),
        "postop_baseline": if draft.course.resection.is_some() {
            json!(draft.dice.pick(&[("reviewed", 93), ("not_reviewed", 7)]))
        } else {
            absent("not_applicable")
        },
    });
    draft.push("prior_imaging_review", row);
}
