//! Lines of systemic therapy: which drugs, how long, with what answer.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use super::dice::after;
use super::draft::{Draft, absent};
use super::{assessment, boards, imaging};

/// Where the patient is in the sequence of lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    /// Number of the next line.
    pub(super) line: i64,
    /// The presentation being treated.
    pub(super) seq: i64,
    /// Cumulative doxorubicin, then epirubicin, in mg/m2: what was given around the primary counts.
    pub(super) anthracyclines: [i64; 2],
}

/// How a line ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) stop: NaiveDate,
    /// Regression, or stable disease for more than half a year.
    pub(super) favourable: bool,
    /// It did not end in progression.
    pub(super) controlled: bool,
    /// It had not ended on the last day anything is known.
    pub(super) open: bool,
}

type Regimens = &'static [(&'static [&'static str], u32)];

const OLARATUMAB_FROM: (i32, u32) = (2016, 11);
const OLARATUMAB_UNTIL: (i32, u32) = (2019, 3);

/// Drugs of a line, by what it is for and what the tumour is known to answer to.
fn agents(draft: &mut Draft, line: i64, intent: &str, start: NaiveDate) -> &'static [&'static str] {
    let code = draft.course.histology.code;
    if line > 1 {
        return draft.dice.pick(later(code));
    }
    if draft.course.contraindication != "none" && draft.dice.chance(0.85) {
        return draft.dice.pick(match code {
            "sft" | "pecoma" | "imt" | "lms" => later(code),
            _ => &[
                (&["gemcitabine", "docetaxel"], 5),
                (&["trabectedin"], 3),
                (&["gemcitabine"], 2),
                (&["ifosfamide"], 2),
            ],
        });
    }
    if intent.starts_with("downsizing") {
        let combined = draft.custom("combination to shrink", 0.6);
        return match (combined, code) {
            (false, _) => draft
                .dice
                .pick(&[(&["doxorubicin"], 7), (&["gemcitabine", "docetaxel"], 1)]),
            (true, "lms" | "sft") if draft.does("dacarbazine as partner", 0.8) => {
                &["doxorubicin", "dacarbazine"]
            }
            _ => draft.dice.pick(&[
                (&["doxorubicin", "ifosfamide"], 8),
                (&["epirubicin", "ifosfamide"], 3),
            ]),
        };
    }
    if !draft.does("anthracycline first", 0.91) {
        return draft.dice.pick(&[
            (&["gemcitabine", "docetaxel"], 6),
            (&["trabectedin"], 2),
            (&["gemcitabine"], 2),
        ]);
    }
    let month = (start.year(), start.month());
    if month >= OLARATUMAB_FROM && month <= OLARATUMAB_UNTIL && draft.custom("olaratumab", 0.33) {
        return &["doxorubicin", "olaratumab"];
    }
    let dacarbazine = if matches!(code, "lms" | "sft") { 3 } else { 0 };
    draft.dice.pick(&[
        (&["doxorubicin"], 8),
        (&["epirubicin"], 1),
        (&["doxorubicin", "ifosfamide"], 2),
        (&["doxorubicin", "dacarbazine"], dacarbazine),
        (&["gemcitabine", "docetaxel"], 1),
    ])
}

fn later(code: &str) -> Regimens {
    match code {
        "ddlps" | "wdlps" => &[
            (&["trabectedin"], 30),
            (&["eribulin"], 26),
            (&["ifosfamide"], 20),
            (&["gemcitabine", "docetaxel"], 12),
            (&["gemcitabine"], 5),
            (&["other"], 9),
        ],
        "lms" => &[
            (&["trabectedin"], 32),
            (&["pazopanib"], 23),
            (&["gemcitabine", "docetaxel"], 12),
            (&["gemcitabine", "dacarbazine"], 10),
            (&["dacarbazine"], 10),
            (&["ifosfamide"], 5),
            (&["other"], 8),
        ],
        "sft" => &[
            (&["pazopanib"], 30),
            (&["temozolomide", "bevacizumab"], 18),
            (&["sunitinib"], 12),
            (&["trabectedin"], 15),
            (&["dacarbazine"], 12),
            (&["gemcitabine", "docetaxel"], 8),
            (&["other"], 5),
        ],
        "ss" => &[
            (&["ifosfamide"], 50),
            (&["pazopanib"], 28),
            (&["gemcitabine", "docetaxel"], 8),
            (&["trabectedin"], 14),
        ],
        "pecoma" => &[
            (&["sirolimus"], 45),
            (&["everolimus"], 14),
            (&["temsirolimus"], 4),
            (&["pazopanib"], 17),
            (&["gemcitabine"], 20),
        ],
        "imt" => &[
            (&["crizotinib"], 42),
            (&["other_alk_inhibitor"], 15),
            (&["pazopanib"], 20),
            (&["ifosfamide"], 23),
        ],
        _ => &[
            (&["pazopanib"], 32),
            (&["gemcitabine", "docetaxel"], 24),
            (&["ifosfamide"], 20),
            (&["trabectedin"], 15),
            (&["other"], 9),
        ],
    }
}

/// Schedule and grams per square metre and cycle.
fn ifosfamide(draft: &mut Draft, alone: bool) -> (&'static str, i64) {
    match draft.course.histology.code {
        _ if !alone => ("standard", 9),
        "ss" => draft.dice.pick(&[
            (("high_dose", 12), 45),
            (("infusional_14d", 14), 25),
            (("standard", 9), 30),
        ]),
        "ddlps" | "mpnst" => draft.dice.pick(&[
            (("infusional_14d", 14), 40),
            (("high_dose", 12), 20),
            (("standard", 9), 40),
        ]),
        _ => draft.dice.pick(&[(("standard", 9), 8), (("high_dose", 12), 2)]),
    }
}

/// One line from `start`.
pub(super) fn line(draft: &mut Draft, at: &mut Sequence, start: NaiveDate, intent: &str) -> Ended {
    let course = draft.course;
    if at.line == 1 || draft.dice.chance(0.55) {
        assessment::before(draft, start);
    }
    let screened = draft.plan.screening.and_then(|screening| screening.enrolled);
    let in_trial = at.line == 1 && screened.is_some_and(|day| day <= start && start <= after(day, 60));
    let agents: &[&str] = if in_trial {
        draft.dice.pick(&[
            (&["doxorubicin", "investigational"] as &[&str], 4),
            (&["investigational"], 6),
        ])
    } else {
        agents(draft, at.line, intent, start)
    };
    let combined = agents.len() > 1;
    let response = draft.dice.pick(&if at.line == 1 {
        [
            ("CR", 1),
            ("PR", if combined { 27 } else { 16 }),
            ("SD", 40),
            ("PD", 39),
        ]
    } else {
        [("CR", 0), ("PR", 9), ("SD", 38), ("PD", 53)]
    });
    let days = match response {
        "PD" => draft.dice.between(42, 100),
        "SD" => draft.dice.between(80, 150) + draft.dice.exponential(70.0),
        _ => draft.dice.between(110, 240),
    };
    let stop = after(start, days);
    let open = !course.known(stop);
    let known_days = (stop.min(course.last_contact) - start).num_days();
    // Before it ends a line is as good as its first scans.
    let answer = match (open, course.death) {
        (false, _) => json!(response),
        _ if known_days >= 56 && draft.dice.chance(0.95) => {
            json!(if response == "PD" { "SD" } else { response })
        }
        (true, Some(_)) => json!("NE"),
        (true, None) => absent("pending"),
    };
    let mut row = json!({
        "line_id": format!("S{}", at.line),
        "setting": "metastatic",
        "line_number": at.line,
        "intent": intent,
        "agents": agents,
        "regimen": agents.join(" and "),
        "dose_recorded": draft.dice.chance(0.95),
        "start_date": start.to_string(),
        "best_response": answer,
        "ctcae_max_grade": draft.dice.pick(&[(1, 2), (2, 4), (3, 4), (4, 1)]),
        "in_trial": in_trial,
        "delivered_at": if draft.custom("systemic therapy at the specialised centre", 0.78) { "specialised_centre" } else { "local_centre" },
    });
    let long = answer == "SD" && known_days > 200;
    if answer == "SD" {
        row["stable_months"] = json!((known_days / 30).max(1));
    }
    end(&mut row, course.death, stop, response, open);
    doses(draft, &mut row, at, agents);
    if at.line == 1
        && !["doxorubicin", "epirubicin"]
            .iter()
            .any(|drug| agents.contains(drug))
    {
        row["refused_anthracycline"] = json!(draft.dice.chance(0.2));
    }
    draft.push("systemic", row);
    at.line += 1;
    if !open {
        imaging::response(draft, start, stop);
        if response == "PD" {
            progression(draft, stop, at.seq);
        }
    }
    Ended {
        stop,
        controlled: response != "PD",
        favourable: answer == "CR" || answer == "PR" || long,
        open,
    }
}

fn end(row: &mut Value, death: Option<NaiveDate>, stop: NaiveDate, response: &str, open: bool) {
    match (open, death) {
        (true, Some(death)) => {
            row["stop_date"] = json!(death.to_string());
            row["stop_reason"] = json!("death");
        }
        (true, None) => {
            row["stop_date"] = absent("pending");
            row["stop_reason"] = json!("ongoing");
        }
        (false, _) => {
            row["stop_date"] = json!(stop.to_string());
            row["stop_reason"] = json!("completed");
            if response == "PD" {
                row["stop_reason"] = json!("progression");
                row["progression_date"] = json!(stop.to_string());
            }
        }
    }
}

fn doses(draft: &mut Draft, row: &mut Value, at: &mut Sequence, agents: &[&str]) {
    for (n, (drug, cycle)) in [("doxorubicin", 75), ("epirubicin", 100)].into_iter().enumerate() {
        if agents.contains(&drug) {
            // Lifetime dose: what was given before counts, and leaves room for less.
            let cycles = if at.anthracyclines[n] == 0 { 6 } else { 3 };
            at.anthracyclines[n] += draft.dice.between(1, cycles) * cycle;
            row["anthracycline_cum_mg_m2"] = json!(at.anthracyclines[n]);
        }
    }
    if agents.contains(&"ifosfamide") {
        let (schedule, grams) = ifosfamide(draft, agents.len() == 1);
        row["ifosfamide_schedule"] = json!(schedule);
        row["ifosfamide_g_m2_cycle"] = json!(grams);
    }
}

fn progression(draft: &mut Draft, date: NaiveDate, seq: i64) {
    let site = draft.disease.lesions.first().map_or("lung", |lesion| lesion.site);
    let row = json!({
        "date": date.to_string(),
        "type": "progression",
        "basis": draft.dice.pick(&[("recist", 9), ("clinical", 1)]),
        "presentation_seq": seq,
        "site": [site],
    });
    draft.push("progression", row);
    if draft.does("board after progression", 0.85) {
        let day = after(date, draft.dice.between(2, 7));
        boards::hold(draft, day, seq, "progression", boards::Question::General);
    }
}
