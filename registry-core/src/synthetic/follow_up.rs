//! Contacts, surveillance, palliative care, quality of life, and the end.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};
use super::push;

pub(super) fn add(body: &mut Value, course: &Course, dice: &mut Dice) {
    if dice.chance(0.55) {
        let referral = after(course.t0, dice.between(5, 120));
        if course.known(referral) {
            push(
                body,
                "palliative_care",
                json!({
                    "referral_date": referral.to_string(),
                    "first_contact_date": after(referral, 14).min(course.last_contact).to_string(),
                    "outcome": "seen",
                    "setting": "outpatient",
                }),
            );
        }
    }
    for months in [0, 3, 6, 12] {
        let date = after(course.t0.max(course.registration), months * 30);
        if course.known(date) && dice.chance(0.5) {
            push(
                body,
                "pro",
                json!({
                    "date": date.to_string(),
                    "instrument": "eortc_qlq_c30",
                    "summary_score": dice.between(45, 95),
                    "global_health": dice.between(35, 95),
                    "timepoint": if months == 0 { "baseline" } else { "follow_up" },
                }),
            );
        }
    }
    scans(body, course, dice);
    let mut contact = course.registration.max(course.t0);
    while contact < course.last_contact {
        push(
            body,
            "followup",
            json!({
                "date": contact.to_string(),
                "vital_status": "alive",
                "disease_status": dice.pick(&[("stable", 5), ("progressing", 3), ("responding", 2)]),
            }),
        );
        contact = after(contact, dice.between(80, 130));
    }
    let last = match course.death {
        Some(death) => json!({
            "date": death.to_string(),
            "vital_status": "dead",
            "death_date": death.to_string(),
            "cause_of_death": dice.pick(&[("sarcoma", 88), ("treatment", 3), ("other_cancer", 2), ("other", 7)]),
            "disease_status": {"absent": "not_applicable"},
        }),
        None => json!({
            "date": course.last_contact.to_string(),
            "vital_status": if course.lost { "lost" } else { "alive" },
            "disease_status": if course.lost { json!({"absent": "unknown"}) } else { json!("stable") },
        }),
    };
    push(body, "followup", last);
}

/// Computed tomography every three or four months, for as long as the patient is seen.
fn scans(body: &mut Value, course: &Course, dice: &mut Dice) {
    let mut date = after(course.by(95), dice.between(0, 20));
    while date < course.last_contact {
        push(
            body,
            "imaging",
            json!({
                "date": date.to_string(),
                "modality": "ct",
                "region": ["chest", "abdomen", "pelvis"],
                "contrast": "iv_single_phase",
                "purpose": if course.first_treatment.is_some() { "response" } else { "surveillance" },
                "indication": "routine_none",
                "result": dice.pick(&[("stable", 5), ("progression", 3), ("response", 2)]),
            }),
        );
        date = after(date, dice.between(80, 125));
    }
}
