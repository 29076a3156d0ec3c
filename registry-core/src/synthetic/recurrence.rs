//! Disease that comes back after everything had been cleared: further presentations and what is done about them.

use chrono::NaiveDate;
use serde_json::json;

use super::boards::{self, Question};
use super::dice::after;
use super::draft::{Draft, absent};
use super::local::{self, Target};
use super::{assessment, biopsies, surgery};

/// A further presentation.
pub(super) struct Recurrence {
    pub(super) date: NaiveDate,
    target: Target,
    /// How many of high grade, high volume and an interval below a year.
    adverse: usize,
    /// Several masses within the abdomen.
    multifocal: bool,
}

/// How a recurrence was treated locally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treated {
    Cleared,
    Incompletely,
    Nothing,
}

/// The recurrence after a clearance, if anybody lived to see it.
pub(super) fn found(draft: &mut Draft, cleared: NaiveDate, seq: i64) -> Option<Recurrence> {
    // Kind disease stays away longer.
    let mean = 110.0 + 480.0 * draft.course.biology;
    let date = after(cleared, 70 + draft.dice.exponential(mean));
    if !draft.course.known(date) {
        return None;
    }
    let site = draft.disease.lesions.first().map_or("lung", |lesion| lesion.site);
    let few = draft.dice.chance(0.76);
    let count = if few {
        draft.dice.between(1, 3)
    } else {
        draft.dice.between(4, 14)
    };
    let largest = if few {
        draft.dice.between(6, 45)
    } else {
        draft.dice.between(12, 90)
    };
    let early = date < after(cleared, 366);
    let adverse = [draft.course.grade == 3, count > 3 || largest > 50, early];
    let adverse = adverse.into_iter().filter(|feature| *feature).count();
    let multifocal = count > 1 && matches!(site, "peritoneum" | "retroperitoneum");
    rows(draft, date, seq, site, (count, largest));
    let target = Target {
        seq,
        lesion: format!("R{seq}"),
        site,
    };
    if draft.does("board on recurrence", 0.9) {
        let justified = adverse >= 2 && draft.does("repeat resection justified", 0.6);
        let day = after(date, draft.dice.between(4, 15));
        boards::hold(draft, day, seq, "relapse", Question::Recurrence(justified));
    }
    biopsies::recurrence(draft, date, &target);
    Some(Recurrence {
        date,
        target,
        adverse,
        multifocal,
    })
}

fn rows(draft: &mut Draft, date: NaiveDate, seq: i64, site: &str, (count, largest): (i64, i64)) {
    let abdominal = matches!(site, "peritoneum" | "retroperitoneum");
    let pattern = if abdominal && count > 1 {
        "multifocal_intraabdominal"
    } else {
        "distant"
    };
    let resectability = draft.dice.pick(if count <= 3 {
        &[("resectable", 6), ("borderline", 3), ("unresectable", 1)]
    } else {
        &[("resectable", 1), ("borderline", 3), ("unresectable", 6)]
    });
    let row = json!({
        "seq": seq,
        "date_detected": date.to_string(),
        "detection_basis": draft.dice.pick(&[("imaging", 96), ("clinical", 4)]),
        "referral_date": date.to_string(),
        "referral_declined": false,
        "emergency_treatment": false,
        "timing": "metachronous",
        "disease_pattern": pattern,
        "equivocal_only": false,
        "total_lesion_count": count,
        "largest_size_mm": largest,
        "resectability": resectability,
        "disease_tempo": draft.dice.pick(&[("indolent", 2), ("intermediate", 5), ("aggressive", 3)]),
        "neurovascular_clarification_needed": false,
        "staging_exception": [],
        "downsizing_goal": "none",
        "curative_plan_all_sites": draft.dice.chance(0.3),
    });
    draft.push("presentation", row);
    let mut lesion = json!({
        "lesion_id": format!("R{seq}"),
        "presentation_seq": seq,
        "site": site,
        "status": draft.dice.pick(&[("suspected", 7), ("confirmed", 3)]),
        "count": count,
        "largest_mm": largest,
        "laterality_vs_primary": draft.dice.pick(&[("ipsilateral", 6), ("contralateral", 3), ("midline", 1)]),
        "solitary": count == 1,
        "widespread": false,
        "radiographic_pattern": draft.dice.pick(&[("typical", 88), ("atypical", 8), ("equivocal", 4)]),
        "unusual_location": draft.dice.chance(0.03),
        "nature_uncertain": draft.dice.chance(0.08),
        "burden_definition_needed": draft.dice.chance(0.15),
        "tissue_proven": false,
    });
    if site == "liver" {
        lesion["organ_involvement_pct"] = json!(draft.dice.between(1, 30));
    }
    draft.push("lesion", lesion);
    let row = json!({
        "date": date.to_string(),
        "type": "recurrence_after_clearance",
        "basis": draft.dice.pick(&[("recist", 8), ("histology", 2)]),
        "presentation_seq": seq,
        "site": [site],
    });
    draft.push("progression", row);
}

/// Another resection where the features allow it, ablation, or neither.
pub(super) fn treat(draft: &mut Draft, back: &Recurrence, date: NaiveDate) -> Treated {
    let again = match back.adverse {
        0 => 0.6,
        1 => 0.45,
        2 => 0.2,
        _ => 0.05,
    };
    let again = if back.multifocal { again * 0.3 } else { again };
    if draft.course.ecog < 3 && draft.custom("repeat resection", again) && operable(back) {
        boards::surgical(draft, date, back.target.seq);
        assessment::before(draft, date);
        let cleared = draft.dice.chance(0.72);
        surgery::metastasectomy(draft, date, &back.target, "curative", cleared);
        return if cleared {
            Treated::Cleared
        } else {
            Treated::Incompletely
        };
    }
    if draft.custom("ablation of recurrence", 0.34) {
        return if local::ablate(draft, date, &back.target) {
            Treated::Cleared
        } else {
            Treated::Incompletely
        };
    }
    if draft.dice.chance(0.12) {
        let row = json!({
            "start_date": date.to_string(),
            "end_date": absent("unknown"),
            "reason": "limited_disease",
            "presentation_seq": back.target.seq,
        });
        draft.push("observation", row);
        return Treated::Nothing;
    }
    Treated::Nothing
}

/// Bone and brain are irradiated, not resected again.
fn operable(back: &Recurrence) -> bool {
    !matches!(back.target.site, "bone" | "brain")
}
