//! What a centre leaves blank: missing leaves, explicit unknowns, partial dates, sections without attestation.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::Dice;
use super::{CohortPlan, Quality, SyntheticCentre, push};

/// Leaves that may be left blank or answered with `unknown`, by entity.
const MAY_LACK: &[(&str, &[&str])] = &[
    (
        "primary",
        &[
            "fnclcc_grade",
            "size_mm",
            "side",
            "tissue_available",
            "diagnosed_at_sarcoma_centre",
        ],
    ),
    ("prior_operation", &["clavien_dindo"]),
    (
        "presentation",
        &[
            "referral_declined",
            "neurovascular_clarification_needed",
            "disease_tempo",
            "resectability",
            "equivocal_only",
        ],
    ),
    (
        "lesion",
        &[
            "nature_uncertain",
            "burden_definition_needed",
            "radiographic_pattern",
            "largest_mm",
            "unusual_location",
        ],
    ),
    ("imaging", &["contrast", "indication", "result", "purpose"]),
    ("mdt", &["disciplines", "plan_factors", "intent"]),
    (
        "assessment",
        &["ecog", "pain_nrs", "nutrition_risk", "comorbidity_score"],
    ),
    ("systemic", &["ctcae_max_grade", "delivered_at", "dose_recorded"]),
    ("radiotherapy", &["total_dose_gy", "fractions"]),
];

/// Every section that can be attested.
const SECTIONS: &[&str] = &[
    "prior_malignancy",
    "prior_operation",
    "pathology_review",
    "molecular_test",
    "prior_imaging_review",
    "lesion",
    "imaging",
    "biopsy",
    "biopsy_decision",
    "assessment",
    "symptom",
    "mdt",
    "goals_of_care",
    "palliative_care",
    "local_treatment",
    "systemic",
    "radiotherapy",
    "observation",
    "progression",
    "trial",
    "pro",
];

pub(super) fn apply(
    body: &mut Value,
    plan: &CohortPlan,
    course: &Course,
    centre: &SyntheticCentre,
    dice: &mut Dice,
) {
    let blank = match centre.quality {
        Quality::Good => 0.015,
        Quality::Middling => 0.05,
        Quality::Poor => 0.3,
    };
    for (entity, elements) in MAY_LACK {
        match body.get_mut(*entity) {
            Some(Value::Array(rows)) => rows.iter_mut().for_each(|row| lack(row, elements, blank, dice)),
            Some(row @ Value::Object(_)) => lack(row, elements, blank, dice),
            _ => {}
        }
    }
    if dice.chance(0.03) {
        let month = course.diagnosis.format("%Y-%m").to_string();
        body["primary"]["diagnosis_date"] = json!(month);
    }
    if dice.chance(0.02)
        && let Some(board) = body.pointer_mut("/mdt/0")
        && let Some(day) = board["date"].as_str().map(|d| d[..7].to_owned())
    {
        board["date"] = json!(day);
    }
    attest(body, plan, course, centre, dice);
}

/// Blanks an element, or says that it was looked for and not found.
fn lack(row: &mut Value, elements: &[&str], p: f64, dice: &mut Dice) {
    let Some(fields) = row.as_object_mut() else { return };
    for element in elements {
        if fields.contains_key(*element) && dice.chance(p) {
            if dice.chance(0.4) {
                fields.insert((*element).to_owned(), json!({"absent": "unknown"}));
            } else {
                fields.remove(*element);
            }
        }
    }
}

/// Sections are closed record by record: whoever closes one closes them all, bar the record left half done.
fn attest(body: &mut Value, plan: &CohortPlan, course: &Course, centre: &SyntheticCentre, dice: &mut Dice) {
    let (half_done, forgotten) = match centre.quality {
        Quality::Good => (0.012, 0.4),
        Quality::Middling => (0.035, 0.4),
        Quality::Poor => (0.6, 0.7),
    };
    let forgotten = if dice.chance(half_done) { forgotten } else { 0.0 };
    // A dead patient's record is complete for good; a living one's through the day it was last sent, or the last visit.
    let through = if course.death.is_some() || (!course.lost && !dice.chance(0.08)) {
        course.submitted_at.date_naive()
    } else {
        course.last_contact
    };
    let through = if course.death.is_some() {
        plan.as_of
    } else {
        through
    };
    for section in SECTIONS {
        if dice.chance(forgotten) {
            continue;
        }
        let empty = body.get(*section).is_none();
        let status = if empty && dice.chance(0.5) {
            json!({ "section": section, "status": "none_ever" })
        } else {
            json!({ "section": section, "status": "complete_through", "complete_through": through.to_string() })
        };
        push(body, "section_attestation", status);
    }
}
