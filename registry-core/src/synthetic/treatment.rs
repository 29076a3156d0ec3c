//! The sequence of treatments: what comes first, what follows an answer, what follows clearance.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::boards::{self, Question};
use super::dice::after;
use super::draft::{Draft, absent};
use super::plan::Approach;
use super::systemic::Sequence;
use super::{local, palliation, recurrence, surgery, systemic};

/// Lines after which hardly anybody is treated again.
const LAST_LINE: i64 = 4;

pub(super) fn add(draft: &mut Draft) {
    wait(draft);
    let Some(first) = draft.plan.first else { return };
    let given = draft.body.pointer("/systemic/0/anthracycline_cum_mg_m2");
    let mut at = Sequence {
        line: 1,
        seq: 1,
        anthracyclines: [given.and_then(Value::as_i64).unwrap_or(0), 0],
    };
    match draft.plan.approach {
        Approach::Nothing => {}
        Approach::Primary => {
            surgery::primary(draft, first);
            let next = after(first, draft.dice.between(40, 95));
            if !draft.course.known(next) {
                return;
            }
            if draft.plan.then_curative {
                curative(draft, &mut at, next);
            } else if draft.dice.chance(if draft.course.equivocal { 0.35 } else { 0.8 }) {
                lines(draft, &mut at, next, draft.plan.intent);
            }
        }
        Approach::Curative => {
            if draft.plan.combined {
                surgery::primary(draft, first);
            }
            curative(draft, &mut at, first);
        }
        Approach::Systemic => lines(draft, &mut at, first, draft.plan.intent),
        Approach::Palliative => {
            palliation::first(draft, first);
            let next = after(first, draft.dice.between(20, 60));
            if draft.dice.chance(0.5) {
                lines(draft, &mut at, next, "palliative");
            }
        }
    }
    local::embolise(draft, first);
}

/// The interval without treatment, as far as it was seen.
fn wait(draft: &mut Draft) {
    let Some(wait) = draft.plan.wait else { return };
    let course = draft.course;
    let end = match course.death {
        _ if course.known(wait.end) => json!(wait.end.to_string()),
        Some(death) => json!(death.to_string()),
        None if course.lost => absent("unknown"),
        None => absent("pending"),
    };
    draft.push(
        "observation",
        json!({
            "start_date": wait.start.to_string(),
            "end_date": end,
            "reason": wait.reason,
            "presentation_seq": 1,
        }),
    );
}

/// Local treatment of every site, then whatever follows it.
fn curative(draft: &mut Draft, at: &mut Sequence, start: NaiveDate) {
    let targets = local::index_targets(draft);
    match local::curative(draft, start, &targets) {
        Some(cleared) => recurrences(draft, at, cleared),
        None => {
            let next = after(start, draft.dice.between(75, 200));
            lines(draft, at, next, "palliative");
        }
    }
}

/// Lines one after the other, until none follows or a response opens the way to resection.
fn lines(draft: &mut Draft, at: &mut Sequence, start: NaiveDate, intent: &'static str) {
    let (mut next, mut intent) = (start, intent);
    while at.line <= LAST_LINE && draft.course.known(next) {
        if !draft.dice.chance(if at.line == 1 { 0.97 } else { 0.64 }) {
            return;
        }
        let line = systemic::line(draft, at, next, intent);
        let could = draft.disease.resectability != "unresectable" || intent == "downsizing_resection";
        // Disease that holds still under observation has shown what it is.
        let promising = line.favourable || (intent == "observe_biology" && line.controlled);
        if promising && could && resect_after_response(draft, at, next, line) {
            return;
        }
        if line.open {
            return;
        }
        next = after(line.stop, draft.dice.between(9, 45));
        intent = "palliative";
    }
}

/// The board on a good response, and the resection it may lead to; answers whether there was one.
fn resect_after_response(
    draft: &mut Draft,
    at: &mut Sequence,
    start: NaiveDate,
    line: systemic::Ended,
) -> bool {
    if !draft.does("board on a good response", 0.78) {
        return false;
    }
    let candidate = draft.dice.chance(0.75) && draft.course.ecog < 3 && at.seq == 1;
    let day = if line.open {
        let room = (draft.course.last_contact - start).num_days();
        after(start, draft.dice.between(60.min(room), room))
    } else {
        after(line.stop, draft.dice.between(-20, 20))
    };
    let question = Question::Response(candidate);
    boards::hold(draft, day, at.seq, "favourable_response", question);
    let operation = after(line.stop, draft.dice.between(24, 50));
    if !candidate || !draft.course.known(operation) {
        return false;
    }
    curative(draft, at, operation);
    true
}

/// What comes back after clearance, and what is done about it.
fn recurrences(draft: &mut Draft, at: &mut Sequence, cleared: NaiveDate) {
    let mut since = cleared;
    for seq in 2..=3 {
        let Some(back) = recurrence::found(draft, since, seq) else {
            return;
        };
        at.seq = seq;
        let date = after(back.date, draft.dice.between(18, 60));
        if !draft.course.known(date) {
            return;
        }
        match recurrence::treat(draft, &back, date) {
            recurrence::Treated::Cleared => since = date,
            recurrence::Treated::Nothing if draft.dice.chance(0.2) => return,
            recurrence::Treated::Nothing => return lines(draft, at, date, "palliative"),
            recurrence::Treated::Incompletely => {
                let next = after(date, draft.dice.between(60, 180));
                return lines(draft, at, next, "palliative");
            }
        }
    }
}
