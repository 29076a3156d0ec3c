//! The primary, its operation, pathology, and earlier treatment.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};
use super::push;

pub(super) fn add(body: &mut Value, course: &Course, dice: &mut Dice) {
    let mut primary = json!({
        "icdo_morphology": course.histology.morphology,
        "icdo_topography": "C48.0",
        "arises_from_teratoma": false,
        "organ_of_origin": "retroperitoneal_soft_tissue",
        "fnclcc_grade": course.grade,
        "size_mm": dice.between(45, 380),
        "side": dice.pick(&[("left", 48), ("right", 48), ("midline", 4)]),
        "tumour_rupture": dice.chance(0.06),
        "multifocal": dice.chance(0.08),
        "diagnosis_date": course.diagnosis.to_string(),
        "diagnosis_basis": "histology",
        "diagnosed_at_sarcoma_centre": dice.chance(0.55),
        "tissue_available": if dice.chance(0.9) { "yes" } else { "no" },
    });
    match course.resection {
        Some(resection) => {
            let completion = after(resection, dice.between(0, 60)).min(after(course.t0, -1));
            let completeness = dice.pick(&[("R0", 45), ("R1", 45), ("R2", 10)]);
            primary["resection_status"] = json!("resected");
            primary["definitive_resection_date"] = json!(resection.to_string());
            primary["completeness"] = json!(completeness);
            primary["treatment_completion_date"] = json!(completion.to_string());
            operation(body, course, resection, completeness, dice);
        }
        None => {
            let reason = if course.synchronous {
                "confirmed_metastases"
            } else {
                "patient_choice"
            };
            primary["resection_status"] = json!("not_resected");
            primary["withheld_reason"] = json!(reason);
        }
    }
    body["primary"] = primary;
    if dice.chance(0.07) {
        let before = after(course.diagnosis, -dice.between(400, 4000));
        push(
            body,
            "prior_malignancy",
            json!({
                "icd10_code": dice.pick(&[("C50", 4), ("C61", 3), ("C18", 3), ("C44", 2)]),
                "diagnosis_date": before.format("%Y").to_string(),
                "status": "remission",
                "relevant": dice.chance(0.7),
            }),
        );
    }
    earlier_treatment(body, course, dice);
}

fn operation(
    body: &mut Value,
    course: &Course,
    date: chrono::NaiveDate,
    completeness: &str,
    dice: &mut Dice,
) {
    let status = dice.pick(&[
        ("obtained", 86),
        ("requested_not_received", 6),
        ("unobtainable_attempt_documented", 5),
        ("not_requested", 3),
    ]);
    let mut row = json!({
        "operation_id": "OP1",
        "date": date.to_string(),
        "indication": "primary",
        "completeness": completeness,
        "clavien_dindo": dice.pick(&[("0", 60), ("I", 15), ("II", 15), ("IIIa", 6), ("IIIb", 4)]),
        "operative_report_status": status,
        "resection_extent_understood": status == "obtained" && dice.chance(0.95),
    });
    if status == "obtained" {
        let obtained = after(course.t0, dice.between(0, 12)).min(course.last_contact);
        row["report_obtained_date"] = json!(obtained.to_string());
    }
    push(body, "prior_operation", row);
}

/// Radiotherapy or chemotherapy around the primary, in a minority.
fn earlier_treatment(body: &mut Value, course: &Course, dice: &mut Dice) {
    let Some(resection) = course.resection else { return };
    if dice.chance(0.22) {
        let start = after(resection, -dice.between(45, 60));
        push(
            body,
            "radiotherapy",
            json!({
                "rt_id": "RT0",
                "start_date": start.to_string(),
                "end_date": after(start, 35).to_string(),
                "intent": "preoperative",
                "total_dose_gy": 50.4,
                "fractions": 28,
                "volumes_documented": dice.chance(0.9),
                "field_boundaries_documented": dice.chance(0.85),
                "source_record_status": "complete",
            }),
        );
    }
    if course.grade == 3 && dice.chance(0.2) {
        let start = after(resection, -dice.between(80, 100));
        push(
            body,
            "systemic",
            json!({
                "line_id": "S0",
                "setting": "neoadjuvant_primary",
                "agents": ["doxorubicin", "ifosfamide"],
                "regimen": "doxorubicin and ifosfamide, 3 cycles",
                "dose_recorded": dice.chance(0.92),
                "anthracycline_cum_mg_m2": 225,
                "ifosfamide_schedule": "standard",
                "ifosfamide_g_m2_cycle": 9,
                "start_date": start.to_string(),
                "stop_date": after(start, 60).to_string(),
                "best_response": dice.pick(&[("SD", 7), ("PR", 3)]),
                "stable_months": 3,
                "ctcae_max_grade": dice.between(1, 3),
                "stop_reason": "completed",
                "in_trial": false,
                "delivered_at": "specialised_centre",
                "source_record_status": "complete",
            }),
        );
    }
}
