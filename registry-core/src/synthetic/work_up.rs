//! Presentation, lesions, imaging, boards, pathology and assessment around metastatic diagnosis.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use super::course::Course;
use super::dice::{Dice, after};
use super::{SyntheticCentre, push};

pub(super) fn add(body: &mut Value, course: &Course, centre: &SyntheticCentre, dice: &mut Dice) {
    let sites = sites(course.abdominal, dice);
    let pattern = match (course.abdominal, sites.len()) {
        (true, 1) => "multifocal_intraabdominal",
        (true, _) => "both",
        (false, _) => "distant",
    };
    presentation(body, course, pattern, dice);
    for (n, site) in sites.iter().enumerate() {
        lesion(body, course, n, site, dice);
    }
    let scan_end = course.work_up_end(60);
    let day = |dice: &mut Dice| {
        after(
            course.t0,
            dice.between(0, (scan_end - course.t0).num_days().clamp(0, 24)),
        )
    };
    staging(body, course, centre, &sites, day, dice);
    if dice.chance(centre.adherence + 0.12) {
        board(body, course, centre, day(dice), (1, "first_metastatic"), dice);
    } else if course.known(after(course.t0, 150)) {
        board(body, course, centre, after(course.t0, 150), (1, "other"), dice);
    }
    if dice.chance(centre.adherence) {
        push(
            body,
            "prior_imaging_review",
            json!({
                "presentation_seq": 1,
                "date": day(dice).to_string(),
                "initial_imaging": dice.pick(&[("reviewed", 95), ("not_reviewed", 3), ("unobtainable_attempt_documented", 2)]),
                "course_imaging": dice.pick(&[("reviewed", 94), ("not_reviewed", 4), ("unobtainable_attempt_documented", 2)]),
                "postop_baseline": if course.resection.is_some() { json!(dice.pick(&[("reviewed", 93), ("not_reviewed", 7)])) } else { json!({"absent": "not_applicable"}) },
            }),
        );
    }
    pathology(body, course, centre, day, dice);
    super::tissue::add(body, course, centre, &sites, dice);
    assessment(body, course, day(dice), dice);
    if dice.chance(0.4) {
        push(
            body,
            "symptom",
            json!({
                "onset_date": after(course.t0, -dice.between(0, 20)).to_string(),
                "type": dice.pick(&[("pain", 6), ("mass_effect", 2), ("bowel_obstruction", 1), ("bleeding", 1)]),
                "ctcae_grade": dice.between(1, 3),
            }),
        );
    }
    if dice.chance(centre.adherence) {
        push(
            body,
            "goals_of_care",
            json!({
                "date": day(dice).to_string(),
                "documented": true,
                "priority": dice.pick(&[("longevity", 5), ("function", 3), ("comfort", 1), ("mixed", 2)]),
            }),
        );
    }
    if dice.chance(0.35) {
        let outcome = dice.pick(&[
            ("enrolled", 2),
            ("ineligible", 4),
            ("no_trial_available", 3),
            ("eligible_declined", 1),
        ]);
        let screened = day(dice);
        let mut row = json!({ "screening_date": screened.to_string(), "outcome": outcome, "local_trial_available": outcome != "no_trial_available" });
        if outcome == "enrolled" {
            row["enrolment_date"] = json!(after(screened, 7).min(course.last_contact).to_string());
            row["registry_id"] = json!("NCT00000000");
        } else {
            row["referred_elsewhere_date"] = json!({"absent": "not_applicable"});
        }
        push(body, "trial", row);
    }
}

fn sites(abdominal: bool, dice: &mut Dice) -> Vec<&'static str> {
    let mut sites = if abdominal {
        vec![dice.pick(&[("peritoneum", 7), ("retroperitoneum", 5)])]
    } else {
        vec![dice.pick(&[("lung", 60), ("liver", 25), ("bone", 8), ("soft_tissue", 7)])]
    };
    if dice.chance(0.42) {
        let more = dice.pick(&[
            ("lung", 4),
            ("liver", 4),
            ("bone", 4),
            ("soft_tissue", 3),
            ("subcutaneous", 1),
            ("brain", 3),
        ]);
        if !sites.contains(&more) {
            sites.push(more);
        }
    }
    sites
}

fn presentation(body: &mut Value, course: &Course, pattern: &str, dice: &mut Dice) {
    let count = dice.between(1, 14);
    push(
        body,
        "presentation",
        json!({
            "seq": 1,
            "date_detected": course.t0.to_string(),
            "detection_basis": dice.pick(&[("imaging", 90), ("biopsy", 6), ("clinical", 4)]),
            "referral_date": course.referral.to_string(),
            "referral_declined": dice.chance(0.01),
            "emergency_treatment": dice.chance(0.02),
            "timing": if course.synchronous { "synchronous" } else { "metachronous" },
            "disease_pattern": pattern,
            "equivocal_only": course.equivocal,
            "total_lesion_count": count + 6,
            "largest_size_mm": dice.between(90, 160),
            "resectability": if course.widespread { "unresectable" } else { dice.pick(&[("resectable", 4), ("borderline", 3), ("unresectable", 3)]) },
            "delay_risk_to_resectability": dice.pick(&[("unlikely", 8), ("likely", 2)]),
            "disease_tempo": dice.pick(&[("indolent", 2), ("intermediate", 5), ("aggressive", 3)]),
            "neurovascular_clarification_needed": course.neurovascular,
            "staging_exception": if dice.chance(0.04) { json!(["egfr_low"]) } else { json!([]) },
            "downsizing_goal": dice.pick(&[("none", 6), ("symptom_relief", 2), ("possible_resection", 2)]),
            "curative_plan_all_sites": dice.chance(0.3),
        }),
    );
}

fn lesion(body: &mut Value, course: &Course, n: usize, site: &str, dice: &mut Dice) {
    let widespread = n == 0 && course.widespread;
    let count = if widespread { 3 } else { dice.between(1, 3) };
    let mut row = json!({
        "lesion_id": format!("L{}", n + 1),
        "presentation_seq": 1,
        "site": site,
        "status": dice.pick(&[("suspected", 6), ("confirmed", 4)]),
        "count": count,
        "largest_mm": dice.between(6, 85),
        "laterality_vs_primary": dice.pick(&[("ipsilateral", 5), ("contralateral", 3), ("midline", 2)]),
        "solitary": false,
        "widespread": widespread,
        "radiographic_pattern": if course.equivocal { "equivocal" } else { dice.pick(&[("typical", 84), ("atypical", 12), ("equivocal", 4)]) },
        "unusual_location": dice.chance(0.06),
        "nature_uncertain": dice.chance(0.15),
        "burden_definition_needed": dice.chance(0.2),
        "tissue_proven": false,
    });
    if site == "liver" {
        row["organ_involvement_pct"] = json!(dice.between(2, 45));
    }
    push(body, "lesion", row);
}

fn scan(
    body: &mut Value,
    date: NaiveDate,
    modality: &str,
    region: &[&str],
    contrast: &str,
    indication: &str,
) {
    let mut row = json!({
        "date": date.to_string(),
        "modality": modality,
        "region": region,
        "contrast": contrast,
        "purpose": "staging",
        "indication": indication,
        "result": "new_disease",
    });
    if modality == "fdg_pet_ct" {
        row["diagnostic_ct_component"] = json!(region.contains(&"whole_body"));
    }
    push(body, "imaging", row);
}

fn staging(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    sites: &[&str],
    day: impl Fn(&mut Dice) -> NaiveDate,
    dice: &mut Dice,
) {
    let done = (centre.adherence + 0.15).min(0.98);
    if dice.chance(done) {
        scan(
            body,
            day(dice),
            "ct",
            &["chest"],
            "iv_single_phase",
            "routine_none",
        );
    }
    if dice.chance(done) {
        let contrast = if dice.chance(0.93) {
            "iv_single_phase"
        } else {
            "none"
        };
        scan(
            body,
            day(dice),
            "ct",
            &["abdomen", "pelvis"],
            contrast,
            "routine_none",
        );
    }
    if sites.contains(&"liver") && dice.chance(0.6) {
        scan(
            body,
            day(dice),
            "mri",
            &["liver"],
            "gadolinium",
            "liver_characterisation",
        );
    }
    if sites.contains(&"brain") && dice.chance(done) {
        scan(
            body,
            day(dice),
            "mri",
            &["brain"],
            "gadolinium",
            "suspected_brain",
        );
    }
    if (sites.contains(&"soft_tissue") || sites.contains(&"subcutaneous")) && dice.chance(centre.adherence) {
        scan(
            body,
            day(dice),
            "mri",
            &["soft_tissue"],
            "gadolinium",
            "suspected_soft_tissue",
        );
    }
    if sites.contains(&"bone") && dice.chance(0.6) {
        scan(
            body,
            day(dice),
            "bone_scan",
            &["whole_body"],
            "none",
            "suspected_bone",
        );
    }
    if dice.chance(if course.neurovascular {
        0.75 * centre.adherence
    } else {
        0.03
    }) {
        scan(
            body,
            day(dice),
            "mri",
            &["abdomen"],
            "gadolinium",
            "neurovascular",
        );
    }
    // The unindicated scans that statement 10 advises against, more of them where adherence is low.
    if dice.chance(0.05 + 0.4 * (1.0 - centre.adherence)) {
        scan(
            body,
            day(dice),
            "fdg_pet_ct",
            &["whole_body"],
            "iv_single_phase",
            "routine_none",
        );
    } else if dice.chance(if course.equivocal { 0.55 } else { 0.12 }) {
        scan(
            body,
            day(dice),
            "fdg_pet_ct",
            &["whole_body"],
            "none",
            "equivocal_other_imaging",
        );
    }
    if course.histology.code == "sft" && dice.chance(0.5) {
        scan(
            body,
            day(dice),
            "bone_scan",
            &["whole_body"],
            "none",
            "suspected_bone",
        );
    }
}

pub(super) fn board(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    date: NaiveDate,
    (seq, trigger): (i64, &str),
    dice: &mut Dice,
) {
    if !course.known(date) {
        return;
    }
    // A centre without sarcoma accreditation takes half its patients to the board of one that has it.
    let host = if centre.specialised || dice.chance(0.5) {
        centre.id.as_str()
    } else {
        "C01"
    };
    let mut disciplines = vec!["surgical_oncology", "medical_oncology", "radiology", "pathology"];
    if dice.chance(centre.adherence) {
        disciplines.push("radiation_oncology");
    }
    push(
        body,
        "mdt",
        json!({
            "date": date.to_string(),
            "centre_id": host,
            "presentation_seq": seq,
            "trigger": trigger,
            "disciplines": disciplines,
            "intent": dice.pick(&[("palliative", 6), ("curative", 3), ("surveillance", 1)]),
            "options_considered": ["systemic", "resection"],
            "plan_factors": ["disease_biology", "performance_status", "likelihood_of_benefit", "treatment_risk", "patient_preference", "goals_of_care"],
            "prognostic_factors": ["disease_volume", "disease_free_interval"],
            "complete_resection_likelihood": dice.pick(&[("likely", 3), ("uncertain", 4), ("unlikely", 3)]),
            "prior_surgery_reviewed": dice.chance(0.9),
            "clearance_plan": "partial",
            "acceptable_morbidity": dice.chance(0.85),
            "resection_candidate_after_response": dice.chance(0.3),
            "repeat_resection_justification": {"absent": "not_applicable"},
        }),
    );
}

fn pathology(
    body: &mut Value,
    course: &Course,
    centre: &SyntheticCentre,
    day: impl Fn(&mut Dice) -> NaiveDate,
    dice: &mut Dice,
) {
    if dice.chance(centre.adherence) {
        push(
            body,
            "pathology_review",
            json!({
                "date": day(dice).to_string(),
                "specimen": if course.resection.is_some() { "primary_resection" } else { "primary_biopsy" },
                "expert_sarcoma_pathologist": dice.chance(0.95),
                "is_second_review": true,
                "review_icdo_morphology": course.histology.morphology,
                "discordance": dice.pick(&[("none", 90), ("minor", 8), ("major", 2)]),
            }),
        );
    }
    let target = match course.histology.code {
        "ddlps" | "wdlps" => "mdm2_cdk4_12q",
        "sft" => "nab2_stat6",
        "ss" => "ss18",
        "imt" => "alk",
        _ => return,
    };
    if dice.chance(centre.adherence) {
        push(
            body,
            "molecular_test",
            json!({
                "date": day(dice).to_string(),
                "target": target,
                "method": if target == "nab2_stat6" { "ihc" } else { "fish" },
                "result": dice.pick(&[("positive", 97), ("indeterminate", 3)]),
            }),
        );
    }
}

fn assessment(body: &mut Value, course: &Course, date: NaiveDate, dice: &mut Dice) {
    let aged = date.year() - course.birth_year >= 70;
    push(
        body,
        "assessment",
        json!({
            "date": date.to_string(),
            "ecog": course.ecog,
            "symptoms_recorded": dice.chance(0.93),
            "comorbidity_instrument": "cci",
            "comorbidity_score": dice.between(0, 6),
            "geriatric_instrument": if aged { json!(dice.pick(&[("g8", 6), ("cga", 3)])) } else { json!({"absent": "not_applicable"}) },
            "nutrition_instrument": "must",
            "nutrition_risk": dice.pick(&[("low", 6), ("moderate", 3), ("high", 1)]),
            "function_assessed": "adl",
            "cardiac_sequelae": "none",
            "renal_sequelae": "none",
            "egfr_ml_min": dice.between(45, 110),
            "other_sequelae_reviewed": true,
            "pain_nrs": dice.between(0, 4),
            "disability_recorded": true,
            "anthracycline_contraindication": dice.pick(&[("none", 92), ("cardiac", 6), ("other", 2)]),
        }),
    );
}
