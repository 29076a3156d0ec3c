//! The primary, its operation, what was had before, and earlier treatment.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::dice::after;
use super::draft::Draft;

pub(super) fn add(draft: &mut Draft) {
    let course = draft.course;
    let mut primary = json!({
        "icdo_morphology": course.histology.morphology,
        "icdo_topography": "C48.0",
        "arises_from_teratoma": false,
        "organ_of_origin": "retroperitoneal_soft_tissue",
        "fnclcc_grade": course.grade,
        "size_mm": draft.dice.between(45, 380),
        "side": draft.dice.pick(&[("left", 48), ("right", 48), ("midline", 4)]),
        "tumour_rupture": draft.dice.chance(0.06),
        "multifocal": draft.dice.chance(0.08),
        "diagnosis_date": course.diagnosis.to_string(),
        "diagnosis_basis": if draft.dice.chance(0.97) { "histology" } else { "imaging_only" },
        "diagnosed_at_sarcoma_centre": draft.dice.chance(0.55),
        "tissue_available": if draft.dice.chance(0.9) { "yes" } else { "no" },
    });
    match (course.resection, draft.plan.primary_resection()) {
        (Some(resection), _) => {
            let completion = after(resection, draft.dice.between(0, 60)).min(after(course.t0, -1));
            let completeness = resected(draft, &mut primary, resection, completion);
            operation(draft, resection, completeness);
        }
        (None, Some(resection)) => {
            resected(draft, &mut primary, resection, resection);
        }
        (None, None) => left_in_place(draft, &mut primary),
    }
    draft.body["primary"] = primary;
    if let Some(relevant) = course.prior_malignancy {
        let before = after(course.diagnosis, -draft.dice.between(400, 4000));
        let code = if relevant {
            draft.dice.pick(&[("C50", 4), ("C61", 3), ("C18", 3)])
        } else {
            "C44"
        };
        let row = json!({
            "icd10_code": code,
            "diagnosis_date": before.format("%Y").to_string(),
            "status": "remission",
            "relevant": relevant,
        });
        draft.push("prior_malignancy", row);
    }
    draft.body["hereditary"] = match course.syndrome {
        Some(syndrome) => json!({ "syndrome": syndrome, "basis": "clinical_criteria" }),
        None => json!({ "syndrome": "none_known" }),
    };
    earlier_treatment(draft);
}

fn resected(
    draft: &mut Draft,
    primary: &mut Value,
    resection: NaiveDate,
    completion: NaiveDate,
) -> &'static str {
    let completeness = draft.dice.pick(&[("R0", 47), ("R1", 46), ("R2", 7)]);
    primary["resection_status"] = json!("resected");
    primary["definitive_resection_date"] = json!(resection.to_string());
    primary["completeness"] = json!(completeness);
    primary["treatment_completion_date"] = json!(completion.to_string());
    completeness
}

/// The primary that was not resected, and why.
fn left_in_place(draft: &mut Draft, primary: &mut Value) {
    let course = draft.course;
    let reason = if course.equivocal && course.synchronous {
        if !draft.does("primary not withheld for equivocal lesions", 0.78) {
            "equivocal_metastases"
        } else {
            draft.dice.pick(&[
                ("unfit", 4),
                ("patient_choice", 3),
                ("planned", 3),
                ("unresectable", 2),
            ])
        }
    } else if course.synchronous {
        draft
            .dice
            .pick(&[("confirmed_metastases", 7), ("unresectable", 2), ("unfit", 1)])
    } else {
        draft
            .dice
            .pick(&[("patient_choice", 3), ("unfit", 2), ("unresectable", 5)])
    };
    match reason {
        "planned" | "unresectable" => primary["resection_status"] = json!(reason),
        _ => {
            primary["resection_status"] = json!("not_resected");
            primary["withheld_reason"] = json!(reason);
        }
    }
}

fn operation(draft: &mut Draft, date: NaiveDate, completeness: &str) {
    let status = if draft.does("operative report obtained", 0.88) {
        "obtained"
    } else {
        draft.dice.pick(&[
            ("requested_not_received", 5),
            ("unobtainable_attempt_documented", 3),
            ("not_requested", 3),
        ])
    };
    let mut row = json!({
        "operation_id": "OP1",
        "date": date.to_string(),
        "indication": "primary",
        "completeness": completeness,
        "clavien_dindo": draft.dice.pick(&[("0", 60), ("I", 15), ("II", 15), ("IIIa", 6), ("IIIb", 4)]),
        "operative_report_status": status,
        "resection_extent_understood": status == "obtained" && draft.dice.chance(0.97),
    });
    if status == "obtained" {
        let obtained = after(draft.course.t0, draft.dice.between(0, 12)).min(draft.course.last_contact);
        row["report_obtained_date"] = json!(obtained.to_string());
    }
    draft.push("prior_operation", row);
}

/// How well an outside hospital's record was obtained.
fn source(draft: &mut Draft) -> &'static str {
    draft.dice.pick(&[
        ("complete", 80),
        ("partial", 10),
        ("unobtainable_attempt_documented", 7),
        ("not_requested", 3),
    ])
}

/// Radiotherapy or chemotherapy around the primary, in a minority.
fn earlier_treatment(draft: &mut Draft) {
    let course = draft.course;
    let Some(resection) = course.resection else { return };
    if draft.dice.chance(0.24) {
        let start = after(resection, -draft.dice.between(45, 60));
        let source = source(draft);
        let whole = source == "complete";
        let row = json!({
            "rt_id": draft.name("RT", "radiotherapy"),
            "start_date": start.to_string(),
            "end_date": after(start, 35).to_string(),
            "intent": "preoperative",
            "total_dose_gy": 50.4,
            "fractions": 28,
            "volumes_documented": whole || draft.dice.chance(0.4),
            "field_boundaries_documented": whole && draft.does("radiation field known", 0.93),
            "source_record_status": source,
        });
        draft.push("radiotherapy", row);
    }
    if draft.dice.chance(if course.grade == 3 { 0.34 } else { 0.1 }) {
        let start = after(resection, -draft.dice.between(80, 100));
        let source = source(draft);
        let whole = source == "complete";
        let row = json!({
            "line_id": "S0",
            "setting": "neoadjuvant_primary",
            "agents": ["doxorubicin", "ifosfamide"],
            "regimen": "doxorubicin and ifosfamide, 3 cycles",
            "dose_recorded": whole && draft.does("earlier doses known", 0.95),
            "anthracycline_cum_mg_m2": 225,
            "ifosfamide_schedule": "standard",
            "ifosfamide_g_m2_cycle": 9,
            "start_date": start.to_string(),
            "stop_date": after(start, 60).to_string(),
            "best_response": draft.dice.pick(&[("SD", 7), ("PR", 3)]),
            "stable_months": 3,
            "ctcae_max_grade": draft.dice.between(1, 3),
            "stop_reason": "completed",
            "in_trial": false,
            "delivered_at": "specialised_centre",
            "source_record_status": source,
        });
        draft.push("systemic", row);
    }
}
