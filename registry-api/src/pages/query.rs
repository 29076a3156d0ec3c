//! One data query: what is asked, what was said and done, and the forms of what the reader may do; and raising one from a case's page.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::storage::{QueryAction, QueryClosing, QueryEntry, QueryMove, QueryStep, QueryThread};

use super::case::{self, gone};
use super::checks::CheckLink;
use super::queries::{about, asker, turn};
use super::who::People;
use super::{Frame, Sent, html};
use crate::guard::{Allowed, AllowedForm, NoQuery, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::queries::raise::{Question, ask};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "query.html")]
struct Page {
    frame: Frame,
    csrf: String,
    id: String,
    case: String,
    centre: String,
    state: &'static str,
    question: String,
    check: CheckLink,
    about: String,
    asked_by: &'static str,
    standing: String,
    entries: Vec<Entry>,
    forms: Vec<Form>,
}

struct Entry {
    what: &'static str,
    who: String,
    at: String,
    text: Option<String>,
}

struct Form {
    action: &'static str,
    label: &'static str,
    button: &'static str,
    required: bool,
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Query", "/queries", &caller);
    let page = blocking(move || {
        let thread = state.store.query(&caller.scope, &id).map_err(gone)?;
        shown(&state, frame, thread)
    })
    .await?;
    html(&page)
}

fn shown(state: &AppState, frame: Frame, thread: QueryThread) -> Result<Page, Problem> {
    let QueryThread {
        query, history, may, ..
    } = thread;
    let standing = match (query.waits_for, query.closing) {
        (Some(side), _) => format!("Waits for: {}.", turn(side).to_lowercase()),
        (None, Some(QueryClosing::Accepted)) => "Settled: the answer was accepted.".to_owned(),
        (None, Some(QueryClosing::TakenBack)) => "Taken back by who asked.".to_owned(),
        (None, Some(QueryClosing::Resolved)) => "Settled: the case no longer fires the check.".to_owned(),
        (None, Some(QueryClosing::ConsentWithdrawn)) => "Closed: consent was withdrawn.".to_owned(),
        (None, None) => String::new(),
    };
    let answers = query
        .waits_for
        .is_some_and(|side| side == query.raised_by.answers());
    let forms = may.into_iter().map(|action| match action {
        QueryAction::Message => Form {
            action: action.as_str(),
            label: "Message",
            button: "Send",
            required: true,
        },
        QueryAction::Close if answers => Form {
            action: action.as_str(),
            label: "Why it is no longer asked",
            button: "Take back",
            required: true,
        },
        QueryAction::Close => Form {
            action: action.as_str(),
            label: "Remark (may be left empty)",
            button: "Accept and close",
            required: false,
        },
        QueryAction::Reopen => Form {
            action: action.as_str(),
            label: "What the answer lacks",
            button: "Reopen",
            required: true,
        },
    });
    let people = People::of(state)?;
    Ok(Page {
        csrf: frame.who.as_ref().map(|who| who.csrf.clone()).unwrap_or_default(),
        frame,
        state: query.state.as_str(),
        check: CheckLink::of(state, query.rule.as_deref().unwrap_or_default()),
        about: about(&query, state.words()?),
        asked_by: asker(query.raised_by),
        standing,
        entries: history.into_iter().map(|one| entry(one, &people)).collect(),
        forms: forms.collect(),
        id: query.id,
        case: query.case,
        centre: query.centre,
        question: query.question,
    })
}

fn entry(entry: QueryEntry, people: &People) -> Entry {
    let what = match entry.step {
        QueryStep::Raised => "Asked",
        QueryStep::Message => "Added",
        QueryStep::Answered => "Answered",
        QueryStep::Accepted => "Accepted and closed",
        QueryStep::TakenBack => "Taken back",
        QueryStep::Resolved => "Closed: a later version no longer fires the check",
        QueryStep::ConsentWithdrawn => "Closed: consent was withdrawn",
        QueryStep::Reopened => "Reopened",
        QueryStep::CameBack => "Open again: a later version fires the check once more",
    };
    let role = match entry.role.as_str() {
        "submitter" => "Data manager",
        "centre_lead" => "Centre lead",
        "coordinator" => "Coordinating office",
        _ => "Registry",
    };
    let who = match people.name(&entry.actor) {
        Some(name) => format!("{role} ({name})"),
        None => role.to_owned(),
    };
    Entry {
        what,
        who,
        at: entry.at.format("%Y-%m-%d %H:%M UTC").to_string(),
        text: entry.text,
    }
}

fn to(page: String) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", page))
        .finish()
}

/// Does what a form of the query's page asks for.
pub(super) async fn step(
    form: AllowedForm<SeesCases>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let query = id.to_string();
    let answer: Result<HttpResponse, Problem> = async move {
        let action = QueryAction::parse(form.fields.get("action"))
            .ok_or_else(|| Problem::with(Kind::InvalidValue, "action: message, close or reopen"))?;
        let page = format!("/queries/{id}");
        blocking(move || {
            let asked = QueryMove {
                action,
                text: Some(form.fields.get("text").to_owned()),
                idempotency: None,
            };
            state.store.move_query(&form.scope, &id, asked).map_err(gone)
        })
        .await?;
        Ok(to(page))
    }
    .await;
    sent.answered(answer, &[("", "text")], |caller| {
        self::page(caller, NoQuery, web::Path::from(query), again)
    })
    .await
}

/// Raises a query from the page of its case.
pub(super) async fn raise(
    form: AllowedForm<SeesCases>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let case = pseudonym.to_string();
    let answer: Result<HttpResponse, Problem> = async move {
        let thread = blocking(move || {
            let given =
                |name: &str| Some(form.fields.get(name).trim().to_owned()).filter(|text| !text.is_empty());
            let (element, pointer) = match given("about") {
                Some(place) if place.starts_with('/') => (None, Some(place)),
                element => (element, None),
            };
            let question = Question {
                case: pseudonym.into_inner(),
                text: form.fields.get("text").to_owned(),
                pointer,
                element,
                rule: given("rule"),
            };
            ask(&state, &form.scope, question, None)
        })
        .await?;
        Ok(to(format!("/queries/{}", thread.query.id)))
    }
    .await;
    sent.answered(
        answer,
        &[
            ("pointer", "about"),
            ("element", "about"),
            ("rule", "rule"),
            ("check", "rule"),
            ("text", "text"),
            ("what is asked", "text"),
        ],
        |caller| case::page(caller, web::Path::from(case), NoQuery, again),
    )
    .await
}
