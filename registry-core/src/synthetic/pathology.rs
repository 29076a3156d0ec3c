//! Second reading of the primary, and its molecular confirmation.

use serde_json::json;

use super::draft::Draft;

pub(super) fn add(draft: &mut Draft) {
    let course = draft.course;
    if draft.does("second pathology review", 0.87) {
        let row = json!({
            "date": draft.day(24).to_string(),
            "specimen": if course.resection.is_some() { "primary_resection" } else { "primary_biopsy" },
            "expert_sarcoma_pathologist": draft.does("expert pathologist", 0.97),
            "is_second_review": true,
            "review_icdo_morphology": course.histology.morphology,
            "discordance": draft.dice.pick(&[("none", 90), ("minor", 8), ("major", 2)]),
        });
        draft.push("pathology_review", row);
    }
    let target = match course.histology.code {
        "ddlps" | "wdlps" => "mdm2_cdk4_12q",
        "sft" => "nab2_stat6",
        "ss" => "ss18",
        "imt" => "alk",
        _ => return,
    };
    if draft.does("molecular confirmation", 0.87) {
        let row = json!({
            "date": draft.day(24).to_string(),
            "target": target,
            "method": if target == "nab2_stat6" { "ihc" } else { "fish" },
            "result": draft.dice.pick(&[("positive", 96), ("indeterminate", 3), ("failed", 1)]),
        });
        draft.push("molecular_test", row);
    }
}
