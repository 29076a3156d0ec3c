//! Local treatment of metastatic disease, and what follows when it cleared everything.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};
use super::{SyntheticCentre, push};

/// Treats the first lesion; answers whether no known disease is left.
pub(super) fn treat(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    date: NaiveDate,
    dice: &mut Dice,
) -> bool {
    let site = site_of_first_lesion(body);
    if course.ecog >= 3 || course.widespread {
        palliative_radiotherapy(body, course, centre, date, &site, dice);
        return false;
    }
    let modality = match site.as_str() {
        "lung" => dice.pick(&[("metastasectomy", 6), ("sbrt", 3), ("rfa", 1)]),
        "liver" => dice.pick(&[("metastasectomy", 5), ("mwa", 3), ("sbrt", 1)]),
        "bone" => "sbrt",
        _ => "metastasectomy",
    };
    let cleared = dice.chance(0.6);
    let mut row = row(course, centre, date, modality, &site, dice);
    row["intent"] = json!("curative");
    row["all_disease_cleared"] = json!(cleared);
    match modality {
        "metastasectomy" => {
            let approach = match site.as_str() {
                "lung" => dice.pick(&[("vats", 6), ("open", 4)]),
                "liver" => dice.pick(&[("open", 6), ("laparoscopic", 3), ("robotic", 1)]),
                _ => "open",
            };
            let residual = if cleared { 0 } else { 6 };
            row["approach"] = json!(approach);
            row["completeness"] = json!(dice.pick(&[("R0", 66), ("R1", 28), ("R2", residual)]));
            row["counselled_morbidity"] = json!(dice.chance(0.7 + 0.28 * centre.adherence));
            row["primary_cleared_same_operation"] = json!({"absent": "not_applicable"});
            if approach != "open" {
                row["converted"] = json!(dice.chance(0.05));
                row["surgeon_mis_expertise"] = json!(dice.chance(0.9));
            }
            if site == "lung" {
                lung(&mut row, course, date, dice);
            }
        }
        "sbrt" => {
            row["approach"] = json!("external_beam");
            row["completeness"] = json!({"absent": "not_applicable"});
            row["rt_id"] = json!("RT1");
            radiotherapy(body, "RT1", date, ("ablative", 48.0, 4), "none", dice);
        }
        _ => {
            row["approach"] = json!("percutaneous");
            row["completeness"] = json!(if cleared {
                "ablation_complete"
            } else {
                "ablation_incomplete"
            });
        }
    }
    push(body, "local_treatment", row);
    if dice.chance(centre.adherence) {
        let day = after(date, -7).max(course.t0);
        super::work_up::board(body, course, centre, day, (1, "other"), dice);
    }
    cleared
}

/// What every local treatment tells.
fn row(
    course: &Course,
    centre: &SyntheticCentre,
    date: NaiveDate,
    modality: &str,
    site: &str,
    dice: &mut Dice,
) -> Value {
    let soon_dead = course.death.is_some_and(|death| death <= after(date, 90));
    let pending = course.death.is_none() && course.last_contact < after(date, 90);
    json!({
        "tx_id": "T1",
        "date": date.to_string(),
        "presentation_seq": 1,
        "modality": modality,
        "site": site,
        "lesion_id": ["L1"],
        "clavien_dindo": dice.pick(&[("0", 6), ("I", 2), ("II", 2), ("IIIa", 1)]),
        "death_within_90d": if pending { json!({"absent": "pending"}) } else { json!(soon_dead) },
        "delivered_at": if dice.chance(0.7 + 0.28 * centre.adherence) { "specialised_centre" } else { "local_centre" },
        "in_trial": false,
    })
}

fn lung(row: &mut Value, course: &Course, date: NaiveDate, dice: &mut Dice) {
    let tested = dice.chance(0.92);
    let smoking = dice.pick(&[("never", 6), ("former", 3), ("current", 1)]);
    row["planned_extensive"] = json!(tested && dice.chance(0.3));
    row["lung_optimisation"] = json!(dice.pick(&[("done", 6), ("not_needed", 3), ("not_done", 1)]));
    row["pft_status"] = json!(if tested { "done" } else { "not_done" });
    if tested {
        row["pft_date"] = json!(after(date, -14).max(course.t0).to_string());
    }
    row["smoking_status"] = json!(smoking);
    row["smoking_cessation_date"] = match smoking {
        "former" => json!(after(date, -dice.between(300, 6000)).format("%Y").to_string()),
        "current" => json!({"absent": "not_applicable"}),
        _ => return,
    };
}

fn palliative_radiotherapy(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    date: NaiveDate,
    site: &str,
    dice: &mut Dice,
) {
    let mut row = row(course, centre, date, "palliative_rt", site, dice);
    row["approach"] = json!("external_beam");
    row["intent"] = json!("symptom_palliation");
    row["symptom_indication"] = json!(dice.pick(&[("pain", 7), ("bleeding", 2), ("obstruction", 1)]));
    row["completeness"] = json!({"absent": "not_applicable"});
    row["all_disease_cleared"] = json!(false);
    row["rt_id"] = json!("RT1");
    push(body, "local_treatment", row);
    let symptom = dice.pick(&[("pain", 7), ("bleeding", 2), ("bowel_obstruction", 1)]);
    radiotherapy(body, "RT1", date, ("palliative", 20.0, 5), symptom, dice);
}

fn radiotherapy(
    body: &mut Value,
    id: &str,
    start: NaiveDate,
    (intent, dose, fractions): (&str, f64, i64),
    symptom: &str,
    dice: &mut Dice,
) {
    let mut row = json!({
        "rt_id": id,
        "start_date": start.to_string(),
        "end_date": {"absent": "unknown"},
        "intent": intent,
        "total_dose_gy": dose,
        "fractions": fractions,
        "volumes_documented": dice.chance(0.95),
        "field_boundaries_documented": dice.chance(0.9),
    });
    if intent == "palliative" {
        row["symptom_type"] = json!(symptom);
    }
    push(body, "radiotherapy", row);
}

/// Recurrence after everything had been cleared: a second presentation, if the patient lived to see it.
pub(super) fn recurrence(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    cleared: NaiveDate,
    dice: &mut Dice,
) {
    let date = after(cleared, 90 + dice.exponential(240.0));
    if !course.known(date) {
        return;
    }
    let site = site_of_first_lesion(body);
    let pattern = if matches!(site.as_str(), "peritoneum" | "retroperitoneum") {
        "multifocal_intraabdominal"
    } else {
        "distant"
    };
    push(
        body,
        "presentation",
        json!({
            "seq": 2,
            "date_detected": date.to_string(),
            "detection_basis": "imaging",
            "referral_date": date.to_string(),
            "referral_declined": false,
            "emergency_treatment": false,
            "timing": "metachronous",
            "disease_pattern": pattern,
            "equivocal_only": false,
            "total_lesion_count": dice.between(3, 12),
            "largest_size_mm": dice.between(60, 110),
            "resectability": dice.pick(&[("resectable", 2), ("borderline", 3), ("unresectable", 5)]),
            "disease_tempo": dice.pick(&[("indolent", 2), ("intermediate", 5), ("aggressive", 3)]),
            "neurovascular_clarification_needed": false,
            "staging_exception": [],
            "downsizing_goal": "none",
            "curative_plan_all_sites": dice.chance(0.2),
        }),
    );
    push(
        body,
        "lesion",
        json!({
            "lesion_id": "R1",
            "presentation_seq": 2,
            "site": site,
            "status": "suspected",
            "count": dice.between(1, 3),
            "largest_mm": dice.between(8, 55),
            "laterality_vs_primary": {"absent": "unknown"},
            "solitary": false,
            "widespread": false,
            "radiographic_pattern": "typical",
            "unusual_location": false,
            "nature_uncertain": false,
            "burden_definition_needed": false,
            "tissue_proven": false,
        }),
    );
    if site == "liver"
        && let Some(lesion) = body["lesion"].as_array_mut().and_then(|rows| rows.last_mut())
    {
        lesion["organ_involvement_pct"] = json!(dice.between(2, 30));
    }
    push(
        body,
        "progression",
        json!({
            "date": date.to_string(),
            "type": "recurrence_after_clearance",
            "basis": "recist",
            "presentation_seq": 2,
            "site": [site],
        }),
    );
    if dice.chance(centre.adherence) {
        super::work_up::board(body, course, centre, after(date, 12), (2, "relapse"), dice);
    }
}

fn site_of_first_lesion(body: &Value) -> String {
    body.pointer("/lesion/0/site")
        .and_then(Value::as_str)
        .unwrap_or("lung")
        .to_owned()
}
