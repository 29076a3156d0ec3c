//! Biopsies, and the decisions for and against them.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};
use super::{SyntheticCentre, push};

pub(super) fn add(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    sites: &[&str],
    dice: &mut Dice,
) {
    primary(body, course, centre, dice);
    let Some(site) = sites.first() else { return };
    let end = course.work_up_end(60);
    let date = after(
        course.t0,
        dice.between(0, (end - course.t0).num_days().clamp(0, 20)),
    );
    // Typical lung nodules are seldom sampled; an equivocal lesion usually is.
    let wanted = match (*site, course.equivocal) {
        (_, true) => 0.7,
        ("lung", _) => 0.25,
        _ => 0.5,
    };
    let done = dice.chance(wanted);
    if dice.chance(centre.adherence) {
        let mut decision = json!({
            "lesion_id": "L1",
            "date": date.to_string(),
            "decision": if done { "performed" } else { "considered_not_done" },
        });
        if !done {
            decision["reason"] =
                json!(dice.pick(&[("not_needed", 6), ("not_feasible", 2), ("patient_declined", 1)]));
        }
        push(body, "biopsy_decision", decision);
    }
    if !done {
        return;
    }
    let (region, guidance) = match *site {
        "lung" => ("lung", "ct"),
        "liver" => ("liver", "us"),
        "bone" => ("bone", "ct"),
        "soft_tissue" | "subcutaneous" => ("soft_tissue", "us"),
        "peritoneum" | "retroperitoneum" => ("retroperitoneum_abdomen", "ct"),
        _ => ("other", "ct"),
    };
    let route = if region == "retroperitoneum_abdomen" {
        dice.pick(&[("retroperitoneal", 85), ("transperitoneal", 15)])
    } else {
        "other_percutaneous"
    };
    let mut row = needle("B1", "L1", date, centre, dice);
    row["target_region"] = json!(region);
    row["image_guidance"] = json!(guidance);
    row["route"] = json!(route);
    row["purpose"] = json!(["confirm_metastasis"]);
    if route == "transperitoneal" {
        row["transperitoneal_reason"] =
            json!(dice.pick(&[("no_safe_alternative", 8), ("none_documented", 2)]));
    }
    push(body, "biopsy", row);
}

/// The biopsy that made the diagnosis of the primary.
fn primary(body: &mut Value, course: &Course, centre: &SyntheticCentre, dice: &mut Dice) {
    if !dice.chance(0.75) {
        return;
    }
    let mut row = needle("B0", "primary", course.diagnosis, centre, dice);
    row["target_region"] = json!("retroperitoneum_abdomen");
    row["image_guidance"] = json!("ct");
    row["route"] = json!("retroperitoneal");
    row["purpose"] = json!(["initial_diagnosis"]);
    push(body, "biopsy", row);
}

fn needle(
    id: &str,
    lesion: &str,
    date: chrono::NaiveDate,
    centre: &SyntheticCentre,
    dice: &mut Dice,
) -> Value {
    let core = dice.chance(0.6 + 0.38 * centre.adherence);
    let mut row = json!({
        "biopsy_id": id,
        "lesion_id": lesion,
        "date": date.to_string(),
        "technique": if core { "core_needle" } else { "fna" },
        "expert_sarcoma_radiologist": dice.chance(0.5 + 0.45 * centre.adherence),
        "result": dice.pick(&[("sarcoma_concordant", 94), ("inadequate", 4), ("benign", 2)]),
    });
    if core {
        row["gauge"] = json!(dice.pick(&[(14, 4), (16, 4), (18, 2)]));
        row["core_count"] = json!(dice.between(2, 8));
    } else {
        row["gauge"] = json!(22);
        row["core_count"] = json!({"absent": "not_applicable"});
    }
    row
}
