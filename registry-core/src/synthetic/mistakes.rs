//! The few records that contradict themselves or look odd: about one in fifty breaks a check of severity `error`, as
//! many again earn a warning. The generator knows which mistake it makes; what a check says of it is the check's affair.

use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};

pub(super) fn make(body: &mut Value, course: &Course, dice: &mut Dice) {
    if dice.chance(0.018) {
        contradiction(body, course, dice);
    } else if dice.chance(0.03) {
        oddity(body, course, dice);
    }
}

/// Breaks one check of severity `error`.
fn contradiction(body: &mut Value, course: &Course, dice: &mut Dice) {
    let primary = &mut body["primary"];
    match dice.between(0, 4) {
        0 if course.resection.is_some() => {
            // The curative treatment ended before the operation it includes.
            let early = course.resection.map(|day| after(day, -12).to_string());
            primary["treatment_completion_date"] = json!(early);
        }
        1 if course.resection.is_some() => {
            primary["completeness"] = Value::Null;
        }
        2 => primary["icdo_topography"] = json!("C49.2"),
        3 => {
            let other = if course.synchronous {
                "metachronous"
            } else {
                "synchronous"
            };
            body["presentation"][0]["timing"] = json!(other);
        }
        _ => body["patient"]["birth_year"] = json!(1890),
    }
}

/// Earns one warning.
fn oddity(body: &mut Value, course: &Course, dice: &mut Dice) {
    let primary = &mut body["primary"];
    match (dice.between(0, 2), course.histology.code) {
        (0, _) if course.resection.is_some() => primary["completeness"] = json!({"absent": "unknown"}),
        (1, "wdlps") => primary["icdo_morphology"] = json!("8850/1"),
        _ => primary["icdo_topography"] = json!(dice.pick(&[("C48.8", 2), ("C49.4", 1)])),
    }
}
