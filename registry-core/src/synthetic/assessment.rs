//! Evaluations of the patient, and what the patient wants.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use super::dice::after;
use super::draft::{Draft, absent};

/// The evaluation of the index presentation, and the first talk about goals of care.
pub(super) fn index(draft: &mut Draft) {
    if draft.does("evaluated before treatment", 0.98) {
        let day = draft.day(24);
        let ecog = draft.course.ecog;
        evaluate(draft, day, ecog);
    }
    if draft.does("goals of care before treatment", 0.87) {
        let day = draft.day(24);
        goals(draft, day);
    } else if draft.dice.chance(0.4) {
        let late = after(draft.course.t0, draft.dice.between(80, 200));
        if draft.course.known(late) {
            goals(draft, late);
        }
    }
}

fn goals(draft: &mut Draft, date: NaiveDate) {
    let row = json!({
        "date": date.to_string(),
        "documented": true,
        "priority": draft.dice.pick(&[("longevity", 48), ("function", 27), ("comfort", 6), ("mixed", 19)]),
    });
    draft.push("goals_of_care", row);
}

/// The evaluation before a later treatment, unless one of the last five weeks will do.
pub(super) fn before(draft: &mut Draft, treatment: NaiveDate) {
    let last = draft
        .body
        .pointer("/assessment")
        .and_then(Value::as_array)
        .and_then(|rows| rows.last())
        .and_then(|row| row["date"].as_str()?.parse::<NaiveDate>().ok());
    let fresh = last.is_some_and(|last| last >= after(treatment, -35) && last <= treatment);
    if fresh || !draft.does("evaluated before each treatment", 0.92) {
        return;
    }
    let ecog = (draft.course.ecog + draft.dice.pick(&[(0, 7), (1, 3)])).min(2);
    let day = after(treatment, -draft.dice.between(1, 20)).max(draft.course.t0);
    evaluate(draft, day, ecog);
}

/// Towards the end most are unfit, and some say that comfort comes first.
pub(super) fn towards_the_end(draft: &mut Draft) {
    let Some(death) = draft.course.death else { return };
    let day = after(death, -draft.dice.between(10, 60));
    if day <= after(draft.course.t0, 90) {
        return;
    }
    if draft.dice.chance(0.4) {
        let ecog = draft.dice.pick(&[(2, 2), (3, 5), (4, 3)]);
        evaluate(draft, day, ecog);
    }
    if draft.dice.chance(0.35) {
        let row = json!({ "date": day.to_string(), "documented": true, "priority": "comfort" });
        draft.push("goals_of_care", row);
    }
}

/// A value, or the answer that it was not looked at.
fn looked_at(draft: &mut Draft, act: &str, share: f64, value: Value) -> Value {
    if draft.does(act, share) {
        value
    } else {
        absent("not_done")
    }
}

fn evaluate(draft: &mut Draft, date: NaiveDate, ecog: i64) {
    let course = draft.course;
    let aged = date.year() - course.birth_year >= 69;
    let score = json!(draft.dice.between(0, 6));
    let risk = json!(draft.dice.pick(&[("low", 6), ("moderate", 3), ("high", 1)]));
    let function = json!(draft.dice.pick(&[("adl", 6), ("iadl", 3), ("gait_grip", 1)]));
    let geriatric = json!(draft.dice.pick(&[("g8", 6), ("cga", 3)]));
    let pain = json!(draft.dice.between(0, 4));
    let comorbidity = draft.does("comorbidity", 0.93);
    let nutrition = draft.does("nutrition", 0.89);
    let mut row = json!({
        "date": date.to_string(),
        "ecog": ecog,
        "symptoms_recorded": draft.does("symptoms recorded", 0.93),
        "comorbidity_instrument": if comorbidity { json!("cci") } else { absent("not_done") },
        "comorbidity_score": if comorbidity { score } else { absent("not_done") },
        "geriatric_instrument": if aged { looked_at(draft, "geriatric index", 0.82, geriatric) } else { absent("not_applicable") },
        "nutrition_instrument": if nutrition { json!("must") } else { absent("not_done") },
        "nutrition_risk": if nutrition { risk } else { absent("not_done") },
        "function_assessed": looked_at(draft, "function", 0.93, function),
        "cardiac_sequelae": looked_at(draft, "heart", 0.95, json!("none")),
        "renal_sequelae": looked_at(draft, "kidney", 0.96, json!("none")),
        "egfr_ml_min": draft.dice.between(45, 110),
        "other_sequelae_reviewed": draft.does("sequelae", 0.93),
        "pain_nrs": looked_at(draft, "pain", 0.95, pain),
        "disability_recorded": draft.does("disability", 0.94),
        "anthracycline_contraindication": course.contraindication,
    });
    if course.contraindication == "cardiac" {
        row["cardiac_sequelae"] = json!("cardiomyopathy");
        row["lvef_pct"] = json!(draft.dice.between(50, 54));
    }
    if draft.disease.has("lung") {
        lung_function(draft, &mut row);
    }
    draft.push("assessment", row);
}

/// The clinician's word, or the two measurements it would rest on.
fn lung_function(draft: &mut Draft, row: &mut Value) {
    let compromised = draft.course.lung_compromised;
    if draft.dice.chance(0.7) {
        row["lung_function_compromised"] = json!(compromised);
    } else {
        let (low, high) = if compromised { (35, 58) } else { (62, 105) };
        row["fev1_pct_pred"] = json!(draft.dice.between(low, high));
        row["dlco_pct_pred"] = json!(draft.dice.between(low, high));
    }
}
