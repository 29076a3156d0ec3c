//! Local treatment of metastatic disease: which, of what, and whether it cleared everything.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::dice::after;
use super::draft::{Draft, absent};
use super::{assessment, boards, imaging, palliation, surgery};

/// A site to treat.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) seq: i64,
    pub(super) lesion: String,
    pub(super) site: &'static str,
}

/// The sites of the index presentation.
pub(super) fn index_targets(draft: &Draft) -> Vec<Target> {
    draft
        .disease
        .lesions
        .iter()
        .map(|lesion| Target {
            seq: 1,
            lesion: lesion.id.clone(),
            site: lesion.site,
        })
        .collect()
}

/// Treats one site after the other, with a board before; answers the day on which no known disease was left.
pub(super) fn curative(draft: &mut Draft, start: NaiveDate, targets: &[Target]) -> Option<NaiveDate> {
    let first = targets.first()?;
    boards::surgical(draft, start, first.seq);
    assessment::before(draft, start);
    imaging::before_local(draft, start, targets);
    // Most plans treat every site; some stop after the one that matters.
    let all = targets.len() == 1 || draft.dice.chance(0.75);
    let cleared = all && draft.dice.chance(0.86);
    let treated = if all { targets.len() } else { 1 };
    let mut date = start;
    for (n, target) in targets.iter().take(treated).enumerate() {
        if n > 0 {
            date = after(date, draft.dice.between(25, 60));
            if !draft.course.known(date) {
                return None;
            }
        }
        one(draft, date, target, cleared && n + 1 == treated);
    }
    cleared.then_some(date)
}

/// One site, resected or destroyed.
fn one(draft: &mut Draft, date: NaiveDate, target: &Target, cleared: bool) {
    let weak = u32::from(draft.course.lung_compromised);
    let choices: &[(&str, u32)] = match target.site {
        "lung" => &[
            ("metastasectomy", 58 - 30 * weak),
            ("sbrt", 22),
            ("mwa", 10 + 14 * weak),
            ("rfa", 6),
            ("cryoablation", 4),
        ],
        "liver" => &[("metastasectomy", 52), ("mwa", 30), ("rfa", 8), ("sbrt", 10)],
        "bone" | "brain" => &[("sbrt", 1)],
        _ => &[("metastasectomy", 1)],
    };
    let modality = draft.dice.pick(choices);
    if modality == "metastasectomy" {
        surgery::metastasectomy(draft, date, target, "curative", cleared);
    } else {
        destroy(draft, date, target, modality, cleared);
    }
}

/// Ablation or stereotactic radiotherapy with curative intent.
pub(super) fn destroy(draft: &mut Draft, date: NaiveDate, target: &Target, modality: &str, cleared: bool) {
    let mut row = row(draft, date, target, modality, "curative");
    row["all_disease_cleared"] = json!(cleared);
    if modality == "sbrt" {
        row["approach"] = json!("external_beam");
        row["completeness"] = absent("not_applicable");
        let course = palliation::radiotherapy(draft, date, ("ablative", 48.0, 4), None);
        row["rt_id"] = json!(course);
    } else {
        row["approach"] = json!("percutaneous");
        let complete = cleared || draft.dice.chance(0.8);
        row["completeness"] = json!(if complete {
            "ablation_complete"
        } else {
            "ablation_incomplete"
        });
    }
    draft.push("local_treatment", row);
}

/// Ablation of a recurrence: the modality by site.
pub(super) fn ablate(draft: &mut Draft, date: NaiveDate, target: &Target) -> bool {
    let modality = match target.site {
        "lung" => draft.dice.pick(&[("sbrt", 5), ("mwa", 4), ("cryoablation", 1)]),
        "liver" => draft.dice.pick(&[("mwa", 7), ("rfa", 2), ("sbrt", 1)]),
        _ => "sbrt",
    };
    let cleared = draft.dice.chance(0.5);
    assessment::before(draft, date);
    destroy(draft, date, target, modality, cleared);
    cleared
}

/// Embolisation of a liver full of disease, in a minority.
pub(super) fn embolise(draft: &mut Draft, first: NaiveDate) {
    if !draft.disease.bulky_liver() || !draft.custom("embolisation", 0.24) {
        return;
    }
    let date = after(first, draft.dice.between(25, 100));
    let Some(liver) = index_targets(draft)
        .into_iter()
        .find(|target| target.site == "liver")
    else {
        return;
    };
    if !draft.course.known(date) {
        return;
    }
    let modality = draft.dice.pick(&[("tace", 6), ("tae", 4)]);
    let mut row = row(draft, date, &liver, modality, "control_progressing_focus");
    row["approach"] = json!("endovascular");
    row["completeness"] = absent("not_applicable");
    row["all_disease_cleared"] = json!(false);
    draft.push("local_treatment", row);
}

/// What every local treatment tells.
pub(super) fn row(
    draft: &mut Draft,
    date: NaiveDate,
    target: &Target,
    modality: &str,
    intent: &str,
) -> Value {
    let course = draft.course;
    let dead = course.death.is_some_and(|death| death <= after(date, 90));
    let pending = course.death.is_none() && course.last_contact < after(date, 90);
    json!({
        "tx_id": draft.name("T", "local_treatment"),
        "date": date.to_string(),
        "presentation_seq": target.seq,
        "modality": modality,
        "site": target.site,
        "lesion_id": [target.lesion],
        "intent": intent,
        "clavien_dindo": draft.dice.pick(&[("0", 58), ("I", 18), ("II", 15), ("IIIa", 5), ("IIIb", 3), ("IVa", 1)]),
        "death_within_90d": if pending { absent("pending") } else { json!(dead) },
        "delivered_at": if draft.does("local treatment at the specialised centre", 0.93) { "specialised_centre" } else { "local_centre" },
        "in_trial": false,
    })
}
