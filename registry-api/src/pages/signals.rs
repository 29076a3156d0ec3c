//! Centres far below the network, lettered for everybody, at most ten; what was done about them, and the letter the office may look up.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::storage::{Centre, ClosedFor, RevealedFor, SignalHistory, SignalStatus, StepTaken};

use super::who::People;
use super::{Frame, Sent, html, words};
use crate::guard::{Allowed, AllowedForm, Coordinates, NoQuery, Steers};
use crate::problem::{Kind, Problem};
use crate::results::{FollowUp, Hidden, Listed, Signal, Unlisted, View};
use crate::routes::signals::{reveal_reason, status_step};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "signals.html")]
struct Page {
    frame: Frame,
    csrf: String,
    /// The reader may look up a letter.
    office: bool,
    /// What the office has just looked up.
    revealed: Option<Revealed>,
    data: Option<Data>,
}

struct Revealed {
    letter: String,
    centre: Centre,
    measure: String,
}

struct Data {
    hidden: Hidden,
    rows: Vec<(Row, Followed)>,
    /// Signals beyond those shown.
    more: usize,
    earlier: Vec<(String, Followed)>,
}

/// A signal, spoken.
pub(super) struct Row {
    pub(super) centre: String,
    pub(super) measure: String,
    pub(super) title: String,
    /// That its rate rests on a value nobody has ratified.
    pub(super) unratified: bool,
    pub(super) rate: String,
    pub(super) network: String,
    /// Counted of the network.
    pub(super) network_of: String,
    pub(super) n: String,
    pub(super) not_assessable: String,
    pub(super) bounds: String,
    pub(super) adjusted: &'static str,
    pub(super) q: String,
    pub(super) runs: u32,
}

/// How far a pair is followed up, and what may come next.
struct Followed {
    measure: String,
    letter: String,
    status: &'static str,
    history: Vec<String>,
    /// Code and words, without closing.
    next: Vec<(&'static str, &'static str)>,
    /// Reasons to close it; empty when it cannot be closed.
    closing: Vec<(&'static str, &'static str)>,
}

pub(super) fn spoken_status(status: Option<SignalStatus>) -> &'static str {
    match status {
        None => "new",
        Some(SignalStatus::Noted) => "noted",
        Some(SignalStatus::LetterSent) => "letter sent",
        Some(SignalStatus::Answered) => "answered",
        Some(SignalStatus::Closed) => "closed",
    }
}

fn spoken_closing(reason: ClosedFor) -> &'static str {
    match reason {
        ClosedFor::Explained => "patients or circumstances explain it",
        ClosedFor::DataCorrected => "data were corrected",
        ClosedFor::CareChanged => "the centre has changed its care",
        ClosedFor::NoLongerOutside => "not outside the limits any more",
    }
}

fn spoken_reveal(reason: RevealedFor) -> &'static str {
    match reason {
        RevealedFor::LetterToCentre => "to write to the centre",
        RevealedFor::DataCheck => "to look at the centre's records",
        RevealedFor::AskedByCommittee => "the committee asked",
    }
}

/// `2026-11-23: letter sent (run 3), Ida Meyer (Coordinating office)`.
fn spoken(taken: &StepTaken, people: &People) -> String {
    use registry_core::storage::SignalStep::{Closed, Revealed, Status};
    let what = match taken.step {
        Status(status) => spoken_status(Some(status)).to_owned(),
        Closed(reason) => format!("closed, {}", spoken_closing(reason)),
        Revealed(reason) => format!("letter looked up, {}", spoken_reveal(reason)),
    };
    format!(
        "{}: {what} (run {}), {}",
        taken.at.date_naive(),
        taken.run,
        people.who(&taken.by)
    )
}

fn followed(measure: &str, letter: &str, history: Option<&SignalHistory>, people: &People) -> Followed {
    let status = history.and_then(SignalHistory::status);
    let after = SignalStatus::after(status);
    let (closing, next): (Vec<_>, Vec<_>) = after
        .into_iter()
        .partition(|status| *status == SignalStatus::Closed);
    let reasons = ClosedFor::ALL.iter().filter(|_| !closing.is_empty());
    Followed {
        measure: measure.to_owned(),
        letter: letter.to_owned(),
        status: spoken_status(status),
        history: history
            .map(|history| history.steps.iter().map(|step| spoken(step, people)).collect())
            .unwrap_or_default(),
        next: next
            .into_iter()
            .map(|one| (one.as_str(), spoken_status(Some(one))))
            .collect(),
        closing: reasons.map(|one| (one.as_str(), spoken_closing(*one))).collect(),
    }
}

/// Why a letter is looked up: code and words.
fn reveal_reasons() -> Vec<(&'static str, &'static str)> {
    let all = RevealedFor::ALL.iter();
    all.map(|one| (one.as_str(), spoken_reveal(*one))).collect()
}

fn bounds() -> &'static str {
    words::BOUNDS
}

fn data(state: &AppState, view: &View<'_>) -> Result<Data, Problem> {
    let people = People::of(state)?;
    let found = FollowUp::of(view)?;
    let listed = |one: Listed| {
        let followed = followed(&one.signal.measure.id, &one.letter, one.history.as_ref(), &people);
        (row(one.signal), followed)
    };
    let earlier = |one: Unlisted| {
        let followed = followed(&one.measure, &one.letter, Some(&one.history), &people);
        (one.title.unwrap_or_default(), followed)
    };
    Ok(Data {
        hidden: found.hidden,
        rows: found.listed.into_iter().map(listed).collect(),
        more: found.more,
        earlier: found.unlisted.into_iter().map(earlier).collect(),
    })
}

pub(super) async fn page(
    caller: Allowed<Steers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Signals", "/signals", &caller);
    let page = blocking(move || {
        let mut page = Page {
            csrf: frame.csrf(),
            frame,
            office: caller.scope.role() == Role::Coordinator,
            revealed: None,
            data: None,
        };
        match View::of_committee(&state, &caller.scope, None) {
            Ok(view) => {
                let data = data(&state, &view)?;
                page.frame = page.frame.with_run(&view.run).with_hidden(data.hidden);
                page.data = Some(data);
                Ok(page)
            }
            Err(problem) if problem.kind == Kind::NotFound => Ok(page),
            Err(problem) => Err(problem),
        }
    })
    .await?;
    html(&page)
}

/// Changes the status of a signal as a form of the page says.
pub(super) async fn status(
    form: AllowedForm<Steers>,
    signal: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        blocking(move || {
            let reason = Some(form.fields.get("reason")).filter(|reason| !reason.is_empty());
            let step = status_step(form.fields.get("status"), reason)?;
            let (measure, letter) = signal.into_inner();
            View::of_committee(&state, &form.scope, None)?.set_signal_status(&measure, &letter, step)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", "/signals"))
            .finish())
    }
    .await;
    sent.answered(answer, &[("reason", "reason"), ("status", "status")], |caller| {
        self::page(caller, NoQuery, again)
    })
    .await
}

/// Looks up which centre a letter stands for, and says it on the page that answers.
pub(super) async fn reveal(
    form: AllowedForm<Coordinates>,
    signal: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let frame = Frame::answering("Signals", "/signals", &form);
        let page = blocking(move || {
            let reason = reveal_reason(form.fields.get("reason"))?;
            let (measure, letter) = signal.into_inner();
            let view = View::of_committee(&state, &form.scope, None)?;
            let centre = view.reveal_signal(&measure, &letter, reason)?;
            let data = data(&state, &view)?;
            Ok(Page {
                csrf: frame.csrf(),
                frame: frame.with_run(&view.run).with_hidden(data.hidden),
                office: true,
                revealed: Some(Revealed {
                    letter,
                    centre,
                    measure,
                }),
                data: Some(data),
            })
        })
        .await?;
        html(&page)
    }
    .await;
    sent.answered(answer, &[("", "reason")], |caller| {
        self::page(caller, NoQuery, again)
    })
    .await
}

pub(super) fn row(signal: Signal) -> Row {
    let point = signal.point;
    let share = point.not_assessable.zip(point.denominator).map(|(missing, n)| {
        let all = missing + n;
        f64::from(missing) / f64::from(all.max(1))
    });
    Row {
        centre: signal.centre,
        unratified: !signal.measure.unratified.is_empty(),
        measure: signal.measure.id,
        title: signal.measure.title,
        rate: words::percent(point.rate),
        network: words::percent(signal.target),
        network_of: signal.network.as_ref().map_or_else(String::new, words::fraction),
        n: words::count(point.denominator),
        not_assessable: words::percent(share),
        bounds: signal.own.as_ref().map_or_else(String::new, words::bounds),
        adjusted: words::position(point.position_adjusted),
        q: point.q.map_or_else(String::new, words::p_value),
        runs: signal.runs,
    }
}
