//! What a centre leaves blank: missing leaves, explicit unknowns, partial dates, sections without attestation.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::Dice;
use super::{CohortPlan, Quality, SyntheticCentre, push};

/// Leaves that may be left blank or answered with `unknown`, by entity, and how readily: what a tumour board fills in
/// on the spot is seldom lacking, what somebody has to go and look for often is.
const MAY_LACK: &[(&str, f64, &[&str])] = &[
    (
        "primary",
        1.0,
        &[
            "fnclcc_grade",
            "size_mm",
            "side",
            "tumour_rupture",
            "tissue_available",
            "diagnosed_at_sarcoma_centre",
        ],
    ),
    ("prior_operation", 1.0, &["clavien_dindo"]),
    ("presentation", 1.0, &["referral_declined"]),
    (
        "presentation",
        0.25,
        &[
            "neurovascular_clarification_needed",
            "disease_tempo",
            "resectability",
            "equivocal_only",
            "curative_plan_all_sites",
            "largest_size_mm",
        ],
    ),
    (
        "lesion",
        0.25,
        &[
            "nature_uncertain",
            "burden_definition_needed",
            "radiographic_pattern",
            "largest_mm",
            "unusual_location",
            "laterality_vs_primary",
        ],
    ),
    ("imaging", 1.0, &["contrast", "indication", "result", "purpose"]),
    (
        "biopsy",
        1.0,
        &["image_guidance", "expert_sarcoma_radiologist", "result"],
    ),
    (
        "mdt",
        1.0,
        &["disciplines", "plan_factors", "intent", "options_considered"],
    ),
    (
        "mdt",
        0.4,
        &[
            "prognostic_factors",
            "complete_resection_likelihood",
            "prior_surgery_reviewed",
            "clearance_plan",
        ],
    ),
    (
        "assessment",
        1.0,
        &[
            "ecog",
            "pain_nrs",
            "nutrition_risk",
            "comorbidity_score",
            "function_assessed",
        ],
    ),
    ("symptom", 0.5, &["ctcae_grade"]),
    (
        "systemic",
        1.0,
        &["ctcae_max_grade", "delivered_at", "dose_recorded"],
    ),
    ("radiotherapy", 1.0, &["total_dose_gy", "fractions"]),
    (
        "local_treatment",
        1.0,
        &[
            "counselled_morbidity",
            "delivered_at",
            "lung_optimisation",
            "surgeon_mis_expertise",
        ],
    ),
    ("trial", 0.5, &["local_trial_available"]),
];

/// Every section that can be attested, and how readily its attestation is forgotten: treatment is closed first.
const SECTIONS: &[(&str, f64)] = &[
    ("prior_malignancy", 0.2),
    ("prior_operation", 1.0),
    ("pathology_review", 1.0),
    ("molecular_test", 1.0),
    ("prior_imaging_review", 1.0),
    ("lesion", 0.1),
    ("imaging", 1.0),
    ("biopsy", 1.0),
    ("biopsy_decision", 1.0),
    ("assessment", 1.0),
    ("symptom", 1.0),
    ("mdt", 1.0),
    ("goals_of_care", 1.0),
    ("palliative_care", 1.0),
    ("local_treatment", 0.15),
    ("systemic", 0.3),
    ("radiotherapy", 0.3),
    ("observation", 0.35),
    ("progression", 1.0),
    ("trial", 1.0),
    ("pro", 1.0),
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
        Quality::Poor => 0.32,
    };
    for (entity, readily, elements) in MAY_LACK {
        let blank = blank * readily;
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
        Quality::Poor => (0.75, 0.82),
    };
    let forgotten = if dice.chance(half_done) { forgotten } else { 0.0 };
    // A dead patient's record is complete for good; a living one's through the day it was last sent, or the last visit.
    let through = if course.death.is_some() || (!course.lost && !dice.chance(0.02)) {
        course.submitted_at.date_naive()
    } else {
        course.last_contact
    };
    let through = if course.death.is_some() {
        plan.as_of
    } else {
        through
    };
    for (section, readily) in SECTIONS {
        if dice.chance(forgotten * readily) {
            continue;
        }
        let empty = body.get(*section).is_none();
        let status = if empty && dice.chance(0.8) {
            json!({ "section": section, "status": "none_ever" })
        } else {
            json!({ "section": section, "status": "complete_through", "complete_through": through.to_string() })
        };
        push(body, "section_attestation", status);
    }
}
