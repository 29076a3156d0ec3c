//! Operations: metastasectomy, the primary found together with its metastases, and palliative surgery.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::dice::after;
use super::draft::{Draft, absent};
use super::local::{self, Target};

/// Resects the metastases of one site.
pub(super) fn metastasectomy(
    draft: &mut Draft,
    date: NaiveDate,
    target: &Target,
    intent: &str,
    cleared: bool,
) {
    let mut row = local::row(draft, date, target, "metastasectomy", intent);
    row["all_disease_cleared"] = json!(cleared);
    let minimally = match target.site {
        "lung" => 0.6,
        "liver" => 0.34,
        "soft_tissue" | "subcutaneous" => 0.01,
        _ => 0.08,
    };
    let programme = if draft.centre.minimally_invasive {
        1.0
    } else {
        0.35
    };
    let approach = match target.site {
        _ if !draft.dice.chance(minimally * programme) => "open",
        "lung" => "vats",
        _ => draft.dice.pick(&[("laparoscopic", 7), ("robotic", 3)]),
    };
    row["approach"] = json!(approach);
    if approach != "open" {
        row["converted"] = json!(draft.dice.chance(0.05));
        row["surgeon_mis_expertise"] = json!(draft.does("expert in minimally invasive surgery", 0.93));
    }
    let residual = if cleared || intent == "curative" && target.site == "lung" {
        0
    } else {
        14
    };
    row["completeness"] = json!(draft.dice.pick(&[("R0", 62), ("R1", 28), ("R2", residual)]));
    row["counselled_morbidity"] = json!(draft.does("morbidity discussed", 0.9));
    row["primary_cleared_same_operation"] = match draft.plan.combined && draft.plan.first == Some(date) {
        true => json!(true),
        false if draft.course.synchronous && draft.plan.primary_resection().is_none() => json!(false),
        false => absent("not_applicable"),
    };
    match intent {
        "symptom_palliation" => row["symptom_indication"] = json!(symptom(draft)),
        _ => row["symptom_indication"] = json!("none"),
    }
    if target.site == "lung" {
        lung(draft, &mut row, date);
    }
    draft.push("local_treatment", row);
}

fn symptom(draft: &mut Draft) -> &'static str {
    draft
        .dice
        .pick(&[("obstruction", 5), ("pain", 3), ("bleeding", 1), ("other", 1)])
}

/// Lung function and smoking before an operation of the lung.
fn lung(draft: &mut Draft, row: &mut Value, date: NaiveDate) {
    let extensive = draft.dice.chance(0.36);
    let tested = if extensive {
        draft.does("lung function before extensive resection", 0.94)
    } else {
        draft.does("lung function before resection", 0.75)
    };
    row["planned_extensive"] = json!(extensive);
    row["lung_optimisation"] = json!(if draft.does("lung function optimised", 0.88) {
        draft.dice.pick(&[("done", 6), ("not_needed", 4)])
    } else {
        "not_done"
    });
    row["pft_status"] = json!(if tested { "done" } else { "not_done" });
    if tested {
        let fresh = draft.dice.chance(0.95);
        let before = if fresh {
            draft.dice.between(3, 60)
        } else {
            draft.dice.between(95, 150)
        };
        row["pft_date"] = json!(after(date, -before).to_string());
    }
    let smoking = draft
        .dice
        .pick(&[("never", 50), ("former", 36), ("quitting", 14)]);
    let stopped = smoking == "quitting" && draft.does("smoking stopped", 0.78);
    row["smoking_status"] = json!(match smoking {
        "quitting" if stopped => "former",
        "quitting" => "current",
        other => other,
    });
    row["smoking_cessation_date"] = match (smoking, stopped) {
        ("former", _) if draft.dice.chance(0.5) => absent("not_applicable"),
        ("former", _) => json!(after(date, -draft.dice.between(400, 6000)).to_string()),
        (_, true) => {
            // The odd one stops too late.
            let late = draft.dice.chance(0.15);
            let days = draft
                .dice
                .between(if late { 3 } else { 22 }, if late { 20 } else { 90 });
            json!(after(date, -days).to_string())
        }
        ("quitting", false) => absent("not_applicable"),
        _ => return,
    };
}

/// Resection of the primary after metastatic disease was found with it.
pub(super) fn primary(draft: &mut Draft, date: NaiveDate) {
    let target = Target {
        seq: 1,
        lesion: "L1".to_owned(),
        site: "retroperitoneum",
    };
    let mut row = local::row(draft, date, &target, "primary_resection", "curative");
    row["lesion_id"] = json!([]);
    row["approach"] = json!("open");
    row["all_disease_cleared"] = json!(false);
    row["completeness"] = draft.body["primary"]["completeness"].clone();
    draft.push("local_treatment", row);
}

/// Operations that multifocal abdominal disease brings: for obstruction, pain or bleeding; seldom HIPEC.
pub(super) fn abdominal(draft: &mut Draft) {
    let disease = draft.disease;
    let from = draft.plan.first.unwrap_or(after(draft.course.t0, 30));
    if !disease.multifocal() {
        return;
    }
    let Some(lesion) = disease.lesions.first() else {
        return;
    };
    let target = Target {
        seq: 1,
        lesion: lesion.id.clone(),
        site: lesion.site,
    };
    let date = after(from, draft.dice.between(12, 330));
    if draft.course.known(date) && draft.custom("palliative surgery", 0.24) {
        if draft.dice.chance(0.65) {
            palliative(draft, date, &target);
        } else {
            metastasectomy(draft, date, &target, "symptom_palliation", false);
        }
    }
    let date = after(from, draft.dice.between(40, 150));
    if draft.course.known(date) && draft.custom("hyperthermic chemotherapy", 0.045) {
        let mut row = local::row(draft, date, &target, "hipec", "control_progressing_focus");
        row["approach"] = json!("open");
        row["completeness"] = json!(draft.dice.pick(&[("R1", 5), ("R2", 5)]));
        row["all_disease_cleared"] = json!(false);
        row["in_trial"] = json!(draft.dice.chance(0.3));
        draft.push("local_treatment", row);
    }
}

fn palliative(draft: &mut Draft, date: NaiveDate, target: &Target) {
    let mut row = local::row(draft, date, target, "palliative_surgery", "symptom_palliation");
    row["approach"] = json!("open");
    row["all_disease_cleared"] = json!(false);
    row["completeness"] = json!(draft.dice.pick(&[("R2", 8), ("R1", 2)]));
    row["symptom_indication"] = json!(symptom(draft));
    draft.push("local_treatment", row);
}
