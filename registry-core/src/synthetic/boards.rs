//! Tumour boards: who sat there, what was weighed, what was planned.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::dice::after;
use super::draft::{Draft, absent};

/// What a board was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// What to do, resection not being asked for.
    General,
    /// Whether and how to resect metastases.
    Resection,
    /// What to do about disease that came back; `true` when another resection was argued for against adverse features.
    Recurrence(bool),
    /// Whether a response opens the way to resection, and whether it does.
    Response(bool),
}

/// The first board: in the work-up, or late, or never.
pub(super) fn first(draft: &mut Draft) {
    if draft.does("board before treatment", 0.94) {
        let trigger = draft.dice.pick(&[("first_metastatic", 8), ("new_referral", 2)]);
        let day = draft.day(26);
        hold(draft, day, 1, trigger, Question::General);
    } else {
        let late = after(draft.course.t0, 150);
        hold(draft, late, 1, "other", Question::General);
    }
}

/// The board before an operation or ablation of metastases.
pub(super) fn surgical(draft: &mut Draft, operation: NaiveDate, seq: i64) {
    if draft.does("board before resection", 0.95) {
        let day = after(operation, -draft.dice.between(2, 13));
        let day = day.max(draft.course.t0).min(operation);
        hold(draft, day, seq, "other", Question::Resection);
    }
}

/// One board; none when nobody lived to see it.
pub(super) fn hold(draft: &mut Draft, date: NaiveDate, seq: i64, trigger: &str, question: Question) {
    if !draft.course.known(date) {
        return;
    }
    // A centre without sarcoma accreditation takes half its patients to the board of one that has it.
    let own = draft.centre.specialised || draft.dice.chance(0.5);
    let host = if own { draft.centre.id.as_str() } else { "C01" };
    let mut disciplines = vec!["surgical_oncology", "medical_oncology", "radiology"];
    for (discipline, share) in [("pathology", 0.96), ("radiation_oncology", 0.88)] {
        if draft.does(discipline, share) {
            disciplines.push(discipline);
        }
    }
    let mut row = json!({
        "date": date.to_string(),
        "centre_id": host,
        "presentation_seq": seq,
        "trigger": trigger,
        "disciplines": disciplines,
        "intent": match question {
            Question::Resection => draft.dice.pick(&[("curative", 9), ("undecided", 1)]),
            _ => draft.dice.pick(&[("palliative", 6), ("curative", 2), ("surveillance", 1), ("undecided", 1)]),
        },
        "options_considered": options(draft, question),
        "plan_factors": plan_factors(draft),
    });
    weighed(draft, &mut row, question);
    draft.push("mdt", row);
}

fn options(draft: &mut Draft, question: Question) -> Vec<&'static str> {
    let mut options = vec!["systemic"];
    let (resection, ablation) = match question {
        Question::General => (draft.dice.chance(0.5), draft.dice.chance(0.15)),
        Question::Resection => (true, draft.dice.chance(0.4)),
        Question::Recurrence(_) => (
            draft.dice.chance(0.7),
            draft.does("ablation considered for recurrence", 0.76),
        ),
        Question::Response(_) => (true, draft.dice.chance(0.3)),
    };
    if resection {
        options.push("resection");
    }
    if ablation {
        options.push(draft.dice.pick(&[("ablation", 6), ("sbrt", 4)]));
    }
    for option in ["trial", "observation"] {
        if draft.dice.chance(0.3) {
            options.push(option);
        }
    }
    options
}

/// All six factors, or all but one or two.
fn plan_factors(draft: &mut Draft) -> Vec<&'static str> {
    let mut factors = vec![
        "disease_biology",
        "performance_status",
        "likelihood_of_benefit",
        "treatment_risk",
        "patient_preference",
        "goals_of_care",
    ];
    if !draft.does("plan weighs every factor", 0.82) {
        factors.retain(|factor| *factor != "patient_preference");
        if draft.dice.chance(0.6) {
            factors.retain(|factor| *factor != "goals_of_care");
        }
    }
    factors
}

/// What is asked only where resection is.
fn weighed(draft: &mut Draft, row: &mut Value, question: Question) {
    let resection = matches!(question, Question::Resection | Question::Recurrence(_));
    for element in [
        "prognostic_factors",
        "prior_surgery_reviewed",
        "clearance_plan",
        "acceptable_morbidity",
    ] {
        row[element] = absent("not_applicable");
    }
    row["complete_resection_likelihood"] = absent("not_done");
    row["resection_candidate_after_response"] = match question {
        Question::Response(candidate) => json!(candidate),
        _ => absent("not_applicable"),
    };
    row["repeat_resection_justification"] = match question {
        Question::Recurrence(justified) => json!(justified),
        _ => absent("not_applicable"),
    };
    if !resection {
        return;
    }
    let treated = draft
        .body
        .get("systemic")
        .and_then(Value::as_array)
        .is_some_and(|lines| lines.iter().any(|line| line["setting"] == "metastatic"));
    let mut factors = Vec::new();
    if draft.does("disease volume weighed", 0.89) {
        factors.push("disease_volume");
    }
    if draft.does("disease-free interval weighed", 0.87) {
        factors.push("disease_free_interval");
    }
    if treated && draft.does("systemic response weighed", 0.84) {
        factors.push("systemic_response");
    }
    row["prognostic_factors"] = json!(factors);
    if draft.does("likelihood of complete resection judged", 0.9) {
        row["complete_resection_likelihood"] =
            json!(
                draft
                    .dice
                    .pick(&[("likely", 6), ("uncertain", 3), ("unlikely", 1)])
            );
    }
    row["prior_surgery_reviewed"] = json!(draft.does("prior surgery reviewed", 0.9));
    row["clearance_plan"] = json!(if draft.does("clearance of every site planned", 0.9) {
        draft
            .dice
            .pick(&[("resect_all", 7), ("resect_plus_ablate_all", 3)])
    } else {
        "partial"
    });
    row["acceptable_morbidity"] = json!(draft.does("morbidity acceptable", 0.94));
}
