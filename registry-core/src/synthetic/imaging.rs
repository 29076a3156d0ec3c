//! Imaging: staging, work-up before local treatment, equivocal lesions looked at again, response and surveillance.

use chrono::NaiveDate;
use serde_json::json;

use super::dice::after;
use super::draft::Draft;
use super::local::Target;

/// One study.
struct Study {
    modality: &'static str,
    region: &'static [&'static str],
    contrast: &'static str,
    purpose: &'static str,
    indication: &'static str,
    result: &'static str,
}

const TRUNK: &[&str] = &["chest", "abdomen", "pelvis"];

fn push(draft: &mut Draft, date: NaiveDate, study: &Study) {
    if !draft.course.known(date) {
        return;
    }
    let mut row = json!({
        "date": date.to_string(),
        "modality": study.modality,
        "region": study.region,
        "contrast": study.contrast,
        "purpose": study.purpose,
        "indication": study.indication,
        "result": study.result,
    });
    if study.modality == "fdg_pet_ct" {
        row["diagnostic_ct_component"] = json!(study.contrast != "none");
    }
    draft.push("imaging", row);
}

fn staging_study(
    draft: &mut Draft,
    modality: &'static str,
    region: &'static [&'static str],
    contrast: &'static str,
    indication: &'static str,
) {
    let date = draft.day(24);
    let study = Study {
        modality,
        region,
        contrast,
        purpose: "staging",
        indication,
        result: "new_disease",
    };
    push(draft, date, &study);
}

/// The studies of the index presentation.
pub(super) fn staging(draft: &mut Draft) {
    let (course, disease) = (draft.course, draft.disease);
    if draft.does("chest staged", 0.95) {
        staging_study(draft, "ct", &["chest"], "iv_single_phase", "routine_none");
    }
    if draft.does("abdomen staged", 0.95) {
        let contrast = if draft.does("contrast", 0.95) {
            draft.dice.pick(&[("iv_single_phase", 85), ("iv_triphasic", 15)])
        } else {
            "none"
        };
        staging_study(draft, "ct", &["abdomen", "pelvis"], contrast, "routine_none");
    }
    if disease.has("liver") && draft.custom("liver imaging", 0.5) {
        staging_study(draft, "mri", &["liver"], "gadolinium", "liver_characterisation");
    }
    if disease.has("brain") && draft.does("brain imaging", 0.92) {
        staging_study(draft, "mri", &["brain"], "gadolinium", "suspected_brain");
    }
    if (disease.has("soft_tissue") || disease.has("subcutaneous")) && draft.does("soft tissue imaging", 0.88)
    {
        staging_study(
            draft,
            "mri",
            &["soft_tissue"],
            "gadolinium",
            "suspected_soft_tissue",
        );
    }
    if disease.has("bone") && draft.custom("bone imaging", 0.55) {
        staging_study(draft, "bone_scan", &["whole_body"], "none", "suspected_bone");
    }
    if course.neurovascular && draft.custom("neurovascular imaging", 0.6) {
        staging_study(draft, "mri", &["abdomen"], "gadolinium", "neurovascular");
    }
    // The unindicated study that statement 10 advises against.
    if !draft.does("no PET without indication", 0.965) {
        staging_study(
            draft,
            "fdg_pet_ct",
            &["whole_body"],
            "iv_single_phase",
            "routine_none",
        );
    }
    let equivocal = disease.lesions.iter().any(|lesion| lesion.pattern == "equivocal");
    if equivocal && draft.custom("PET for equivocal lesions", 0.42) {
        let date = after(course.t0, draft.dice.between(3, 55));
        let study = Study {
            modality: "fdg_pet_ct",
            region: &["whole_body"],
            contrast: "none",
            purpose: "problem_solving",
            indication: "equivocal_other_imaging",
            result: "indeterminate",
        };
        push(draft, date, &study);
    } else if draft.dice.chance(0.06) {
        staging_study(
            draft,
            "fdg_pet_ct",
            &["whole_body"],
            "none",
            "equivocal_other_imaging",
        );
    }
    if course.histology.code == "sft" && draft.custom("bone imaging in SFT", 0.5) {
        staging_study(draft, "bone_scan", &["whole_body"], "none", "suspected_bone");
    }
    if course.equivocal && draft.does("equivocal lesions imaged again", 0.78) {
        let date = after(course.t0, draft.dice.between(32, 96));
        let study = Study {
            modality: "ct",
            region: TRUNK,
            contrast: "iv_single_phase",
            purpose: "clarify_equivocal",
            indication: "equivocal_other_imaging",
            result: "indeterminate",
        };
        push(draft, date, &study);
    }
}

/// The work-up of statement 27 before definitive treatment of the lung.
pub(super) fn before_local(draft: &mut Draft, start: NaiveDate, targets: &[Target]) {
    if !targets.iter().any(|target| target.site == "lung") {
        return;
    }
    let day = |draft: &mut Draft| {
        let day = after(start, -draft.dice.between(2, 40));
        day.max(draft.course.t0).min(start)
    };
    if draft.does("abdomen before lung treatment", 0.85) {
        let study = Study {
            modality: "ct",
            region: &["abdomen", "pelvis"],
            contrast: "iv_single_phase",
            purpose: "pre_local_treatment",
            indication: "lung_treatment_workup",
            result: "stable",
        };
        let date = day(draft);
        push(draft, date, &study);
    }
    if draft.does("bone scan or PET before lung treatment", 0.68) {
        let modality = draft.dice.pick(&[("fdg_pet_ct", 8), ("bone_scan", 2)]);
        let study = Study {
            modality,
            region: &["whole_body"],
            contrast: "none",
            purpose: "pre_local_treatment",
            indication: "lung_treatment_workup",
            result: "stable",
        };
        let date = day(draft);
        push(draft, date, &study);
    }
}

/// PET to see whether a line works, in a few.
pub(super) fn response(draft: &mut Draft, start: NaiveDate, stop: NaiveDate) {
    if !draft.custom("PET for response", 0.09) {
        return;
    }
    let date = after(start, draft.dice.between(40, 70)).min(stop);
    let study = Study {
        modality: "fdg_pet_ct",
        region: &["whole_body"],
        contrast: "none",
        purpose: "response",
        indication: "response_evaluation",
        result: "stable",
    };
    push(draft, date, &study);
}

/// Computed tomography every three or four months, for as long as the patient is seen; at longer intervals where the
/// centre is slack.
pub(super) fn surveillance(draft: &mut Draft) {
    let course = draft.course;
    let regular = draft.does("surveillance", 0.86);
    let purpose = if draft.plan.first.is_some() {
        "response"
    } else {
        "surveillance"
    };
    let mut date = after(course.t0, draft.dice.between(80, 120));
    while date < course.last_contact {
        let result = draft
            .dice
            .pick(&[("stable", 5), ("progression", 3), ("response", 2)]);
        let study = Study {
            modality: "ct",
            region: TRUNK,
            contrast: "iv_single_phase",
            purpose,
            indication: "routine_none",
            result,
        };
        push(draft, date, &study);
        let (low, high) = if regular { (75, 130) } else { (150, 330) };
        date = after(date, draft.dice.between(low, high));
    }
}
