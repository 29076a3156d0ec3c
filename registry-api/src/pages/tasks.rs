//! Tasks of the coordinating office: pseudonyms sent by one centre and held by another, with the forms to transfer the case or to close
//! the task; and withdrawn cases, with the releases and requests that held them.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::{Role, Scope};
use registry_core::storage::{
    HeldBy, HeldWithdrawn, Precondition, Recipient, Task, Transfer, WithdrawalMode,
};

use super::case::{self, gone};
use super::who::People;
use super::{Frame, Sent, html};
use crate::guard::{Allowed, AllowedForm, Coordinates, NoQuery};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// Tasks a page shows: the oldest open ones first.
const MOST: usize = 500;
/// Withdrawn cases a page shows: the last ones first.
const MOST_WITHDRAWN: usize = 200;

#[derive(Template)]
#[template(path = "tasks.html")]
struct Page {
    frame: Frame,
    csrf: String,
    today: String,
    open: Vec<Line>,
    closed: Vec<Line>,
    /// More tasks than are shown.
    more: bool,
    /// Withdrawn cases that had left the registry.
    held: Vec<Withdrawn>,
    /// Withdrawn cases that had not.
    unheld: usize,
    /// More withdrawals than are looked at.
    more_withdrawn: bool,
}

/// A withdrawn case, and where it had gone.
struct Withdrawn {
    pseudonym: Option<String>,
    record: String,
    centre: String,
    on: String,
    mode: &'static str,
    releases: Vec<String>,
    recipients: Vec<Recipient>,
}

impl Withdrawn {
    fn of(case: HeldWithdrawn, people: &People) -> Self {
        Self {
            pseudonym: case.pseudonym,
            record: case.case_id,
            centre: case.centre_id,
            on: case.date.to_string(),
            mode: match case.mode {
                Some(WithdrawalMode::NoFurtherUse) => "no further use",
                Some(WithdrawalMode::Erase) => "erased",
                None => "no research reuse; the case stays in the registry",
            },
            releases: case.releases,
            recipients: case
                .recipients
                .into_iter()
                .map(|one| Recipient {
                    filed_by: people.who(&one.filed_by),
                    ..one
                })
                .collect(),
        }
    }
}

struct Line {
    id: String,
    pseudonym: Option<String>,
    sender: String,
    holder: Option<String>,
    occurrences: i64,
    since: String,
    closed: String,
    by: String,
    resolution: String,
}

impl Line {
    fn of(task: Task, people: &People) -> Self {
        Self {
            id: task.task_id,
            pseudonym: task.pseudonym,
            sender: task.centre_id,
            holder: task.held_by,
            occurrences: task.occurrences,
            since: task.opened_at.format("%Y-%m-%d").to_string(),
            closed: task
                .closed_at
                .map(|at| at.format("%Y-%m-%d").to_string())
                .unwrap_or_default(),
            by: task.closed_by.map(|by| people.who(&by)).unwrap_or_default(),
            resolution: task.resolution.unwrap_or_default(),
        }
    }
}

pub(super) async fn page(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Tasks", "/tasks", &caller);
    let page = blocking(move || {
        let open = state.store.list_tasks(&caller.scope, true, None, MOST)?;
        let all = state.store.list_tasks(&caller.scope, false, None, MOST)?;
        let closed = all.items.into_iter().filter(|task| task.closed_at.is_some());
        let limit = i64::try_from(MOST_WITHDRAWN + 1).unwrap_or(i64::MAX);
        let mut withdrawn = state.store.withdrawn_and_held(&caller.scope, limit)?;
        let more_withdrawn = withdrawn.len() > MOST_WITHDRAWN;
        withdrawn.truncate(MOST_WITHDRAWN);
        let (held, unheld): (Vec<_>, Vec<_>) = withdrawn
            .into_iter()
            .partition(|case| !case.releases.is_empty() || !case.recipients.is_empty());
        let people = People::of(&state)?;
        Ok(Page {
            csrf: frame.who.as_ref().map(|w| w.csrf.clone()).unwrap_or_default(),
            frame,
            today: state.ports.clock.now().date_naive().to_string(),
            more: open.next.is_some() || all.next.is_some(),
            held: held
                .into_iter()
                .map(|case| Withdrawn::of(case, &people))
                .collect(),
            unheld: unheld.len(),
            more_withdrawn,
            closed: closed.rev().map(|task| Line::of(task, &people)).collect(),
            open: open
                .items
                .into_iter()
                .map(|task| Line::of(task, &people))
                .collect(),
        })
    })
    .await?;
    html(&page)
}

/// Closes a task with what came of it.
pub(super) async fn close(
    form: AllowedForm<Coordinates>,
    task: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        blocking(move || {
            let resolution = form.fields.get("resolution");
            Ok(state.store.close_task(&form.scope, &task, resolution)?)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", "/tasks"))
            .finish())
    }
    .await;
    sent.answered(answer, &[("", "resolution")], |caller| {
        page(caller, NoQuery, again)
    })
    .await
}

/// Transfers the case of the form and leads to its page.
pub(super) async fn transfer(
    form: AllowedForm<Coordinates>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let case = pseudonym.to_string();
    let answer: Result<HttpResponse, Problem> = async move {
        let page = format!("/cases/{pseudonym}");
        blocking(move || {
            let fields = &form.fields;
            let on = fields.get("on").parse().map_err(|_| {
                Problem::with(
                    Kind::InvalidValue,
                    "The transfer needs the day from which on the case is with the other centre (YYYY-MM-DD).",
                )
            })?;
            let precondition = match fields.get("etag") {
                "" => Precondition::Whatever,
                etag => Precondition::IfMatch(vec![etag.to_owned()]),
            };
            let asked = Transfer {
                pseudonym: pseudonym.into_inner(),
                from: fields.get("from").to_owned(),
                to: fields.get("to").to_owned(),
                on,
                reason: fields.get("reason").to_owned(),
                precondition,
            };
            state.store.transfer_case(&form.scope, asked).map_err(gone)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", page))
            .finish())
    }
    .await;
    let at = [("why", "reason"), ("day", "on"), ("centre", "to")];
    // The form of a task names no version of the case; the one of the case's page does.
    if sent.field("etag").is_empty() {
        sent.answered(answer, &at, |caller| self::page(caller, NoQuery, again))
            .await
    } else {
        let case = web::Path::from(case);
        sent.answered(answer, &at, |caller| case::page(caller, case, NoQuery, again))
            .await
    }
}

/// What the page of a case says about its centres, and whether the reader may transfer it.
pub(super) struct Hands {
    /// Centre, from, until, why; empty for a case that has been with one centre only.
    pub(super) holders: Vec<(String, String, String, String)>,
    /// Centres it may be transferred to; empty for everybody but the coordinating office.
    pub(super) centres: Vec<(String, String)>,
}

impl Hands {
    pub(super) fn of(
        state: &AppState,
        scope: &Scope,
        held: Vec<HeldBy>,
        holder: &str,
    ) -> Result<Self, Problem> {
        let date = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let line = |held: HeldBy| {
            let reason = held.reason.unwrap_or_default();
            (held.centre, date(held.since), date(held.until), reason)
        };
        let holders = if held.len() > 1 {
            held.into_iter().map(line).collect()
        } else {
            Vec::new()
        };
        let mut centres = Vec::new();
        if scope.role() == Role::Coordinator {
            let all = state.store.list_centres(scope)?.into_iter();
            let others = all.filter(|centre| centre.active && centre.centre_id != holder);
            centres.extend(others.map(|centre| (centre.centre_id, centre.name)));
        }
        Ok(Self { holders, centres })
    }
}
