//! Observation, and lines of systemic therapy in order.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};
use super::{SyntheticCentre, local, push};

const FIRST_LINES: &[(&[&str], u32)] = &[
    (&["doxorubicin"], 4),
    (&["doxorubicin", "ifosfamide"], 3),
    (&["doxorubicin", "dacarbazine"], 3),
    (&["gemcitabine", "docetaxel"], 1),
];
const LATER_LINES: &[(&[&str], u32)] = &[
    (&["trabectedin"], 4),
    (&["pazopanib"], 3),
    (&["gemcitabine", "docetaxel"], 3),
    (&["eribulin"], 2),
    (&["ifosfamide"], 2),
];

pub(super) fn add(body: &mut Value, course: &Course, centre: &SyntheticCentre, dice: &mut Dice) {
    let Some(first) = course.first_treatment else {
        if course.known(after(course.t0, 60)) && dice.chance(0.6) {
            push(
                body,
                "observation",
                json!({
                    "start_date": after(course.t0, 20).to_string(),
                    "end_date": after(course.t0, 60).to_string(),
                    "reason": dice.pick(&[("indolent_disease", 4), ("patient_choice", 3), ("unfit", 3)]),
                    "presentation_seq": 1,
                }),
            );
        }
        return;
    };
    let mut next = first;
    if dice.chance(0.27) {
        let cleared = local::treat(body, course, centre, next, dice);
        if cleared {
            local::recurrence(body, course, centre, next, dice);
        }
        next = after(next, dice.between(60, 200));
    }
    let mut doxorubicin = if body.pointer("/systemic/0").is_some() {
        225
    } else {
        0
    };
    for line in 1..=4 {
        if !course.known(next) || !dice.chance(if line == 1 { 0.92 } else { 0.62 }) {
            break;
        }
        next = systemic_line(body, course, centre, (line, &mut doxorubicin), next, dice);
    }
}

/// One line; answers the day from which a next one could begin.
fn systemic_line(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    (line, doxorubicin): (i64, &mut i64),
    start: chrono::NaiveDate,
    dice: &mut Dice,
) -> chrono::NaiveDate {
    let agents = dice.pick(if line == 1 { FIRST_LINES } else { LATER_LINES });
    let stop = after(start, dice.between(40, 60) + dice.exponential(110.0));
    let ongoing = !course.known(stop);
    let response = dice.pick(&[("PR", 2), ("SD", 4), ("PD", 4)]);
    let mut row = json!({
        "line_id": format!("S{line}"),
        "setting": "metastatic",
        "line_number": line,
        "intent": dice.pick(&[("palliative", 7), ("downsizing_resection", 2), ("downsizing_symptom", 1)]),
        "agents": agents,
        "regimen": agents.join(" and "),
        "dose_recorded": dice.chance(0.95),
        "start_date": start.to_string(),
        "best_response": if ongoing { json!({"absent": "pending"}) } else { json!(response) },
        "ctcae_max_grade": dice.between(1, 4),
        "in_trial": false,
        "delivered_at": if dice.chance(0.8) { "specialised_centre" } else { "local_centre" },
    });
    if ongoing {
        row["stop_date"] = json!({"absent": "pending"});
        row["stop_reason"] = json!(if course.death.is_some() {
            "death"
        } else {
            "ongoing"
        });
        if let Some(death) = course.death {
            row["stop_date"] = json!(death.to_string());
            row["best_response"] = json!("NE");
        }
    } else {
        row["stop_date"] = json!(stop.to_string());
        row["stop_reason"] = json!(if response == "PD" {
            "progression"
        } else {
            "completed"
        });
        if response == "PD" {
            row["progression_date"] = json!(stop.to_string());
        }
        if response == "SD" {
            row["stable_months"] = json!(((stop - start).num_days() / 30).max(1));
        }
    }
    if agents.contains(&"doxorubicin") {
        // Lifetime dose: what was given around the primary counts.
        *doxorubicin += dice.between(1, if *doxorubicin == 0 { 6 } else { 3 }) * 75;
        row["anthracycline_cum_mg_m2"] = json!(*doxorubicin);
    } else if line == 1 {
        row["refused_anthracycline"] = json!(dice.chance(0.3));
    }
    if agents.contains(&"ifosfamide") {
        row["ifosfamide_schedule"] = json!("standard");
        row["ifosfamide_g_m2_cycle"] = json!(9);
    }
    push(body, "systemic", row);
    if !ongoing && dice.chance(0.08) {
        push(
            body,
            "imaging",
            json!({
                "date": after(start, 42).min(stop).to_string(),
                "modality": "fdg_pet_ct",
                "region": ["whole_body"],
                "contrast": "none",
                "diagnostic_ct_component": false,
                "purpose": "response",
                "indication": "response_evaluation",
                "result": "stable",
            }),
        );
    }
    if !ongoing && response == "PD" {
        push(
            body,
            "progression",
            json!({
                "date": stop.to_string(),
                "type": "progression",
                "basis": "recist",
                "presentation_seq": 1,
                "site": [body["lesion"][0]["site"].as_str().unwrap_or("lung")],
            }),
        );
        if dice.chance(centre.adherence) {
            super::work_up::board(body, course, centre, after(stop, 10), (1, "progression"), dice);
        }
    }
    after(stop, dice.between(7, 40))
}
