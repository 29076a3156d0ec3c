//! One case of a sample: the blank form for somebody else, then what differs.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::form::Words;
use registry_core::storage::{CaseStatus, StoreError};
use registry_core::verification::{Difference, Kind as Became};
use serde_json::Value;

use crate::guard::{Allowed, AllowedForm, Coordinates, NoQuery, Policy, SeesCases, Submits};
use crate::pages::case::gone;
use crate::pages::who::People;
use crate::pages::{Frame, Sent, entry, html, versions, words};
use crate::problem::Problem;
use crate::state::{AppState, blocking};
use crate::verification::Compared;

#[derive(Template)]
#[template(path = "verification_case.html")]
struct Page {
    frame: Frame,
    csrf: String,
    id: String,
    pseudonym: String,
    centre: String,
    /// Why nobody, or not the reader, enters it again now.
    waiting: Option<String>,
    compared: Option<Shown>,
    /// Whether the reader may set back what was entered again.
    office: bool,
    may_enter: bool,
}

/// What the address answers.
enum Answer {
    Blank(entry::Page),
    Shown(Page),
}

struct Shown {
    reentered: String,
    by: String,
    version: i64,
    agreeing: usize,
    compared: usize,
    share: String,
    limit: String,
    enough: bool,
    /// The case is submitted, and so waits to be verified.
    open: bool,
    /// Whether the two values stand beside each other: for the centre only.
    values: bool,
    differences: Vec<Line>,
}

struct Line {
    element: String,
    /// Which row, by what it says; where values are shown.
    row: String,
    how: &'static str,
    stored: String,
    stored_at: String,
    reentered: String,
    reentered_at: String,
}

pub(in crate::pages) async fn page(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (id, pseudonym) = path.into_inner();
    let frame = Frame::of(&pseudonym, "/verification", &caller);
    let answer = blocking(move || {
        let scope = &caller.scope;
        let may_enter = Submits::ROLES.contains(&scope.role());
        let (case, why_not) = state.store.sampled_case(scope, &id, &pseudonym).map_err(gone)?;
        let compared = match state.store.reentered_case(scope, &id, &pseudonym) {
            Ok(reentered) => {
                let (stored, again) = (reentered.stored.clone(), reentered.reentered.clone());
                let compared = Compared::of(&state, reentered);
                Some(shown(
                    &state,
                    &compared,
                    (&stored, &again),
                    may_enter,
                    state.words()?,
                    &People::of(&state)?,
                ))
            }
            Err(StoreError::NotFound) if may_enter && why_not.is_none() => {
                let version = state.schemas.current().version.clone();
                let blank = entry::again(frame, scope, version, &id, &pseudonym);
                return Ok(Answer::Blank(blank));
            }
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(gone(error)),
        };
        let waiting = match (&compared, why_not) {
            (Some(_), _) => None,
            // Who could not enter it in any case is not told why they may not.
            (None, Some(why)) if may_enter => Some(sentence(why)),
            (None, _) => Some("Nobody has entered this case again so far.".to_owned()),
        };
        Ok(Answer::Shown(Page {
            csrf: frame.who.as_ref().map(|who| who.csrf.clone()).unwrap_or_default(),
            frame,
            centre: case.centre_id,
            id,
            pseudonym,
            waiting,
            compared,
            office: scope.role() == Role::Coordinator,
            may_enter,
        }))
    })
    .await?;
    match answer {
        Answer::Blank(page) => html(&page),
        Answer::Shown(page) => html(&page),
    }
}

/// Sets back what was entered again, with the reason of the form.
pub(in crate::pages) async fn reset(
    form: AllowedForm<Coordinates>,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let at = path.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        let (id, pseudonym) = path.into_inner();
        let page = format!("/verification/{id}/{pseudonym}");
        blocking(move || {
            let reason = form.fields.get("reason");
            state
                .store
                .reset_reentry(&form.scope, &id, &pseudonym, reason)
                .map_err(gone)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", page))
            .finish())
    }
    .await;
    sent.answered(answer, &[("reason", "reason")], |caller| {
        self::page(caller, NoQuery, web::Path::from(at), again)
    })
    .await
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn shown(
    state: &AppState,
    compared: &Compared,
    documents: (&Value, &Value),
    values: bool,
    called: Words<'_>,
    people: &People,
) -> Shown {
    let (case, comparison) = (&compared.case, &compared.comparison);
    Shown {
        reentered: case
            .reentered_at
            .map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string())
            .unwrap_or_default(),
        by: case
            .reentered_by
            .as_deref()
            .map(|actor| people.who(actor))
            .unwrap_or_default(),
        version: case.version,
        agreeing: comparison.agreeing(),
        compared: comparison.compared(),
        share: comparison
            .share()
            .map_or_else(|| "–".to_owned(), words::exact_percent),
        limit: format!("{} %", (state.verifier.verify_from() * 10_000.0).round() / 100.0),
        enough: compared.may_be_verified(state),
        open: case.status == CaseStatus::Submitted,
        values,
        differences: comparison
            .differences
            .iter()
            .map(|difference| line(difference, documents, values, called))
            .collect(),
    }
}

fn line(difference: &Difference, documents: (&Value, &Value), values: bool, called: Words<'_>) -> Line {
    let spoken = versions::line(difference, documents, called);
    let at = |pointer: &Option<String>| pointer.as_deref().map(|at| called.at(at)).unwrap_or_default();
    let same_words = values && difference.kind == Became::Values && spoken.before == spoken.after;
    let shown = |text: String| if values { text } else { String::new() };
    Line {
        element: called.place(&difference.element),
        row: shown(spoken.row),
        how: match difference.kind {
            // The same label, given to different rows.
            Became::Values if same_words => "lead to different rows",
            kind => how(kind),
        },
        stored: shown(spoken.before),
        stored_at: at(&difference.stored),
        reentered: shown(spoken.after),
        reentered_at: at(&difference.reentered),
    }
}

fn how(kind: Became) -> &'static str {
    match kind {
        Became::Equal | Became::SameAbsence | Became::BothMissing => "agree",
        Became::Values => "two values",
        Became::ValueAbsence => "a value, and a reason why there is none",
        Became::Absences => "two reasons why there is none",
        Became::ValueMissing => "a value in one only",
        Became::AbsenceMissing => "a reason why there is none in one only",
        Became::RowMissing => "a row in one only",
    }
}
