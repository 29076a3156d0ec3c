//! Biopsies, and the decisions for and against them.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::dice::after;
use super::disease::Lesion;
use super::draft::{Draft, absent};
use super::local::Target;

/// The biopsy of the primary and those of the index presentation.
pub(super) fn add(draft: &mut Draft) {
    primary(draft);
    for lesion in &draft.disease.lesions {
        of_lesion(draft, lesion);
    }
}

/// The biopsy that made the diagnosis of the primary.
fn primary(draft: &mut Draft) {
    if !draft.dice.chance(0.75) {
        return;
    }
    let date = draft.course.diagnosis;
    let mut row = needle(draft, "primary", date, "initial biopsy with a core needle", 0.95);
    place(draft, &mut row, "retroperitoneum");
    row["purpose"] = json!(["initial_diagnosis"]);
    let aspirated = row["technique"] == "fna";
    draft.push("biopsy", row);
    // An aspirate beside a core of the same mass is no fault.
    if aspirated && draft.dice.chance(0.3) {
        let mut row = needle(draft, "primary", date, "core beside the aspirate", 0.999);
        place(draft, &mut row, "retroperitoneum");
        row["purpose"] = json!(["initial_diagnosis"]);
        draft.push("biopsy", row);
    }
}

/// Whether and how a lesion of the index presentation was sampled, and what was decided about it.
fn of_lesion(draft: &mut Draft, lesion: &Lesion) {
    let course = draft.course;
    let context = course.prior_malignancy == Some(true) || course.syndrome.is_some();
    let directed = lesion.pattern == "atypical" || lesion.unusual || context;
    let contralateral = draft.disease.solitary && lesion.laterality == "contralateral";
    let done = match lesion.site {
        _ if lesion.proven => true,
        _ if contralateral => draft.does("contralateral mass proven", 0.86),
        _ if directed => draft.does("atypical lesion proven", 0.78),
        "soft_tissue" | "subcutaneous" => draft.custom("soft tissue lesion sampled", 0.48),
        _ if lesion.pattern == "equivocal" => draft.custom("equivocal lesion sampled", 0.45),
        "lung" => draft.custom("lung lesion sampled", 0.2),
        "brain" => false,
        "peritoneum" | "retroperitoneum" if draft.disease.widespread => {
            draft.custom("widespread disease sampled", 0.32)
        }
        "peritoneum" | "retroperitoneum" => draft.custom("abdominal mass sampled", 0.42),
        _ => draft.custom("lesion sampled", 0.36),
    };
    let date = if lesion.proven { course.t0 } else { draft.day(21) };
    decision(draft, &lesion.id, date, done, directed || contralateral);
    if done {
        let recurrent = course.abdominal && !course.synchronous && !lesion.proven && draft.dice.chance(0.55);
        sample(draft, &lesion.id, lesion.site, date, recurrent);
    }
}

/// Sampling of disease that came back.
pub(super) fn recurrence(draft: &mut Draft, found: NaiveDate, target: &Target) {
    let date = after(found, draft.dice.between(3, 15));
    if !draft.course.known(date) {
        return;
    }
    let done = draft.custom("recurrence sampled", 0.32);
    decision(draft, &target.lesion, date, done, false);
    if done {
        sample(draft, &target.lesion, target.site, date, true);
    }
}

fn decision(draft: &mut Draft, lesion: &str, date: NaiveDate, done: bool, directed: bool) {
    let considered = draft.does("biopsy considered", 0.8);
    if !considered && !draft.dice.chance(0.3) {
        return;
    }
    let mut row = json!({
        "lesion_id": lesion,
        "date": date.to_string(),
        "decision": match (done, considered) {
            (true, _) => "performed",
            (false, true) => "considered_not_done",
            (false, false) => "not_considered",
        },
    });
    if !done && considered {
        let not_needed = if directed { 3 } else { 14 };
        let reasons = [
            ("not_needed", not_needed),
            ("not_feasible", 3),
            ("unsafe", 1),
            ("patient_declined", 1),
        ];
        row["reason"] = json!(draft.dice.pick(&reasons));
    }
    draft.push("biopsy_decision", row);
}

fn sample(draft: &mut Draft, lesion: &str, site: &str, date: NaiveDate, recurrent: bool) {
    let core = if recurrent {
        draft.centre.custom("core needle for a recurrence", 0.74)
    } else {
        draft.centre.share("core needle", 0.94)
    };
    let mut row = if draft.dice.chance(0.07) {
        open(draft, lesion, date, site)
    } else {
        let core = draft.dice.chance(core);
        let mut row = with_needle(draft, lesion, date, core);
        place(draft, &mut row, site);
        row
    };
    let mut purpose = vec![if recurrent {
        "confirm_recurrence"
    } else {
        "confirm_metastasis"
    }];
    if draft.custom("tissue for research", 0.12) {
        purpose.push(draft.dice.pick(&[("banking", 5), ("molecular", 3), ("trial", 2)]));
    }
    row["purpose"] = json!(purpose);
    draft.push("biopsy", row);
}

fn needle(draft: &mut Draft, lesion: &str, date: NaiveDate, act: &str, core: f64) -> Value {
    let core = draft.does(act, core);
    with_needle(draft, lesion, date, core)
}

fn with_needle(draft: &mut Draft, lesion: &str, date: NaiveDate, core: bool) -> Value {
    let mut row = json!({
        "biopsy_id": draft.name("B", "biopsy"),
        "lesion_id": lesion,
        "date": date.to_string(),
        "technique": if core { "core_needle" } else { "fna" },
        "expert_sarcoma_radiologist": draft.does("expert radiologist", 0.9),
        "result": draft.dice.pick(&[("sarcoma_concordant", 94), ("inadequate", 4), ("benign", 2)]),
    });
    if core {
        let large = draft.does("large gauge", 0.9);
        let enough = draft.does("four cores", 0.88);
        row["gauge"] = json!(if large {
            draft.dice.pick(&[(14, 4), (16, 6)])
        } else {
            18
        });
        row["core_count"] = json!(if enough {
            draft.dice.between(4, 8)
        } else {
            draft.dice.between(1, 3)
        });
    } else {
        row["gauge"] = json!(22);
        row["core_count"] = absent("not_applicable");
    }
    row
}

/// Where the needle went, how it was guided, and by which way it came.
fn place(draft: &mut Draft, row: &mut Value, site: &str) {
    let (region, guidance) = region(site);
    let unguided = region == "retroperitoneum_abdomen" && !draft.does("image guidance", 0.96);
    row["target_region"] = json!(region);
    row["image_guidance"] = json!(if unguided { "none" } else { guidance });
    let abdominal = region == "retroperitoneum_abdomen";
    let crossed = abdominal && !draft.does("peritoneum not crossed", 0.89);
    row["route"] = json!(match (crossed, abdominal) {
        (true, _) => "transperitoneal",
        (_, true) => "retroperitoneal",
        _ => "other_percutaneous",
    });
    if crossed {
        row["transperitoneal_reason"] = json!(
            draft
                .dice
                .pick(&[("no_safe_alternative", 3), ("none_documented", 7)])
        );
    }
}

fn open(draft: &mut Draft, lesion: &str, date: NaiveDate, site: &str) -> Value {
    let (region, _) = region(site);
    let technique = if region == "retroperitoneum_abdomen" {
        "laparoscopic"
    } else {
        draft.dice.pick(&[("open", 5), ("excisional", 5)])
    };
    json!({
        "biopsy_id": draft.name("B", "biopsy"),
        "lesion_id": lesion,
        "date": date.to_string(),
        "technique": technique,
        "gauge": absent("not_applicable"),
        "core_count": absent("not_applicable"),
        "image_guidance": absent("not_applicable"),
        "target_region": region,
        "route": "surgical",
        "expert_sarcoma_radiologist": absent("not_applicable"),
        "result": "sarcoma_concordant",
    })
}

fn region(site: &str) -> (&'static str, &'static str) {
    match site {
        "lung" => ("lung", "ct"),
        "liver" => ("liver", "us"),
        "bone" => ("bone", "ct"),
        "soft_tissue" | "subcutaneous" => ("soft_tissue", "us"),
        "peritoneum" | "retroperitoneum" => ("retroperitoneum_abdomen", "ct"),
        _ => ("other", "ct"),
    }
}
