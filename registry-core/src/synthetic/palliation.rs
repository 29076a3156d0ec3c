//! Symptoms, radiotherapy against them, and palliative care.

use chrono::NaiveDate;
use serde_json::json;

use super::dice::after;
use super::draft::{Draft, absent};
use super::local::{self, Target};

/// Symptoms of the disease, over its whole course.
pub(super) fn add(draft: &mut Draft) {
    let course = draft.course;
    if draft.dice.chance(0.42) {
        let onset = after(course.t0, -draft.dice.between(0, 20));
        let first = draft.plan.first;
        symptom(draft, onset, first);
    }
    // Later ones, oftener in those who die of the disease.
    let mut onset = after(course.t0, 60 + draft.dice.exponential(200.0));
    for _ in 0..2 {
        if !course.known(onset) || !draft.dice.chance(if course.death.is_some() { 0.62 } else { 0.3 }) {
            return;
        }
        symptom(draft, onset, None);
        onset = after(onset, 60 + draft.dice.exponential(150.0));
    }
}

/// One symptom; radiotherapy against it where that helps, not before the first treatment planned.
fn symptom(draft: &mut Draft, onset: NaiveDate, not_before: Option<NaiveDate>) {
    let lung = u32::from(draft.disease.has("lung"));
    let bone = u32::from(draft.disease.has("bone"));
    let kind = draft.dice.pick(&[
        ("pain", 50 + 20 * bone),
        ("dyspnoea_post_obstructive", 3 + 10 * lung),
        ("spinal_compression", 2 + 15 * bone),
        ("mass_effect", 16),
        ("bowel_obstruction", 12),
        ("bleeding", 5),
    ]);
    let grade = draft.dice.pick(&[(1, 3), (2, 5), (3, 4)]);
    let wanted = match kind {
        "pain" => 0.3,
        "dyspnoea_post_obstructive" => 0.38,
        "spinal_compression" => 0.6,
        _ => 0.02,
    };
    let wanted = grade >= 2 && draft.custom("radiotherapy for symptoms", wanted);
    let mut row = json!({
        "onset_date": onset.to_string(),
        "type": kind,
        "ctcae_grade": grade,
    });
    if grade >= 2 {
        row["rt_suitable"] = json!(if wanted || draft.dice.chance(0.5) {
            "suitable"
        } else {
            "unsuitable"
        });
    }
    draft.push("symptom", row);
    let days = draft.dice.between(3, 30);
    let date = after(onset, days).max(not_before.unwrap_or(onset));
    if wanted
        && date <= after(onset, 40)
        && draft.course.known(date)
        && draft.plan.first.is_some_and(|f| f <= date)
    {
        irradiate(draft, date, kind);
    }
}

/// Palliative radiotherapy as the first treatment.
pub(super) fn first(draft: &mut Draft, date: NaiveDate) {
    let kind = draft
        .dice
        .pick(&[("pain", 7), ("bleeding", 2), ("bowel_obstruction", 1)]);
    if kind == "pain" {
        let onset = after(date, -draft.dice.between(2, 30)).max(draft.course.t0);
        let row = json!({ "onset_date": onset.to_string(), "type": "pain", "ctcae_grade": 2, "rt_suitable": "suitable" });
        draft.push("symptom", row);
    }
    irradiate(draft, date, kind);
}

fn irradiate(draft: &mut Draft, date: NaiveDate, kind: &str) {
    let scheme = draft.dice.pick(&[
        (("palliative", 20.0, 5), 5),
        (("palliative", 8.0, 1), 4),
        (("palliative", 30.0, 10), 2),
    ]);
    let course = radiotherapy(draft, date, scheme, Some(kind));
    let Some(lesion) = draft.disease.lesions.first() else {
        return;
    };
    let target = Target {
        seq: 1,
        lesion: lesion.id.clone(),
        site: lesion.site,
    };
    let mut row = local::row(draft, date, &target, "palliative_rt", "symptom_palliation");
    row["approach"] = json!("external_beam");
    row["completeness"] = absent("not_applicable");
    row["all_disease_cleared"] = json!(false);
    row["symptom_indication"] = json!(match kind {
        "pain" | "bleeding" => kind,
        "bowel_obstruction" => "obstruction",
        _ => "other",
    });
    row["rt_id"] = json!(course);
    draft.push("local_treatment", row);
}

/// One course of radiotherapy; answers its name.
pub(super) fn radiotherapy(
    draft: &mut Draft,
    start: NaiveDate,
    (intent, dose, fractions): (&str, f64, i64),
    symptom: Option<&str>,
) -> String {
    let name = draft.name("RT", "radiotherapy");
    let end = after(start, fractions * 7 / 5);
    let mut row = json!({
        "rt_id": name,
        "start_date": start.to_string(),
        "end_date": if draft.course.known(end) { json!(end.to_string()) } else { absent("unknown") },
        "intent": intent,
        "total_dose_gy": dose,
        "fractions": fractions,
        "volumes_documented": draft.dice.chance(0.95),
        "field_boundaries_documented": draft.dice.chance(0.9),
    });
    if let Some(symptom) = symptom {
        row["symptom_type"] = json!(symptom);
    }
    draft.push("radiotherapy", row);
    name
}

/// Palliative care: early, later, declined, or expressly not asked for.
pub(super) fn care(draft: &mut Draft) {
    let course = draft.course;
    let base = course.t0.max(course.referral);
    let (referral, outcome) = if draft.does("early palliative care", 0.66) {
        let day = after(base, draft.dice.between(0, 50));
        (
            day,
            draft
                .dice
                .pick(&[("seen", 90), ("referred_waiting", 6), ("declined_by_patient", 7)]),
        )
    } else {
        let day = after(base, draft.dice.between(60, 300));
        (
            day,
            draft
                .dice
                .pick(&[("seen", 45), ("not_referred", 25), ("never", 30)]),
        )
    };
    if !course.known(referral) || outcome == "never" {
        return;
    }
    let mut row = json!({ "outcome": outcome, "referral_date": referral.to_string() });
    match outcome {
        "seen" => {
            let contact = after(referral, draft.dice.between(1, 21)).min(course.last_contact);
            row["first_contact_date"] = json!(contact.to_string());
            row["setting"] =
                json!(
                    draft
                        .dice
                        .pick(&[("outpatient", 6), ("inpatient", 2), ("home", 1), ("hospice", 1)])
                );
        }
        "not_referred" => row["referral_date"] = serde_json::Value::Null,
        _ => row["first_contact_date"] = absent("not_applicable"),
    }
    draft.push("palliative_care", row);
}
