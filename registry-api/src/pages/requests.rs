//! Data requests: what a researcher picks from the dictionary of a release, asks and may download, and what waits for the coordinating office.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::{Role, Scope};
use registry_core::storage::{DataAccess, DataRequest, NewDataRequest, Release, RequestStatus};
use serde::Deserialize;

use super::picker::{Picked, Picker};
use super::refused::told;
use super::who::People;
use super::{Frame, Sent, html};
use crate::guard::{Allowed, AllowedForm, Coordinates, Fields, FilesRequests, NoQuery, ReadsRequests};
use crate::problem::{Kind, Problem};
use crate::routes::data_requests::{approve_request, file_request};
use crate::state::{AppState, blocking};

const TITLE: &str = "Data requests";
/// Names that a row shows without being opened.
const IN_SIGHT: usize = 6;

#[derive(Template)]
#[template(path = "requests.html")]
struct Page {
    frame: Frame,
    csrf: String,
    today: String,
    /// The reader decides.
    office: bool,
    /// The one release whose requests the office looks at.
    only: Option<String>,
    /// Releases that can be asked of; for a researcher.
    releases: Vec<(String, String)>,
    rows: Vec<Row>,
    /// For a researcher, when there is a release.
    ask: Option<Ask>,
}

/// The form that asks, as far as it is filled in.
struct Ask {
    filled: Filled,
    picker: Picker,
}

/// A request as pages show it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) purpose: String,
    pub(super) release: String,
    pub(super) filed: String,
    pub(super) by: String,
    pub(super) asked: Named,
    pub(super) opened: Option<Named>,
    pub(super) state: String,
    /// What the office can open of it, while it waits.
    pub(super) waits: Option<DataAccess>,
    pub(super) open: bool,
    pub(super) downloads: i64,
    /// The first of the requests whose pseudonyms it has.
    line: String,
    /// What else is open to its filer while it waits: what the two hold together is in one hand. For the office.
    pub(super) beside: Vec<Beside>,
    /// Its bundle held a case that has been withdrawn since; for the office.
    pub(super) held: bool,
}

/// Another open request of the same filer.
pub(super) struct Beside {
    pub(super) title: String,
    pub(super) release: String,
    pub(super) opened: Named,
    /// Under the same pseudonyms.
    pub(super) joined: bool,
}

/// What is asked or opened: all of it, in short where it is much, and the options.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) short: Option<String>,
    pub(super) names: String,
    pub(super) options: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    release: Option<String>,
}

/// `/extracts`: researchers ask for them on `/requests`, the office makes what they are taken from on `/releases`.
pub(super) async fn extracts(caller: Allowed<ReadsRequests>, _: NoQuery) -> HttpResponse {
    let place = match caller.scope.role() {
        Role::Coordinator => "/releases",
        _ => "/requests",
    };
    HttpResponse::SeeOther()
        .insert_header(("location", place))
        .finish()
}

pub(super) async fn page(
    caller: Allowed<ReadsRequests>,
    query: web::Query<Query>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(TITLE, "/requests", &caller);
    let release = query.into_inner().release.unwrap_or_default();
    let filled = Filled {
        release,
        ..Filled::default()
    };
    html(&blocking(move || read(&state, &caller.scope, frame, filled)).await?)
}

fn read(state: &AppState, scope: &Scope, frame: Frame, filled: Filled) -> Result<Page, Problem> {
    let today = state.ports.clock.now().date_naive();
    let office = scope.role() == Role::Coordinator;
    let requests = state.store.list_data_requests(scope)?.into_iter();
    let people = People::of(state)?;
    let mut rows: Vec<Row> = requests.map(|one| row(one, today, &people)).collect();
    let releases = state.store.list_releases(scope)?;
    if !filled.release.is_empty() && !releases.iter().any(|one| one.release_id == filled.release) {
        return Err(Problem::new(Kind::NotFound));
    }
    let mut page = Page {
        csrf: frame.csrf(),
        frame,
        today: today.to_string(),
        office,
        only: None,
        releases: Vec::new(),
        rows: Vec::new(),
        ask: None,
    };
    if office {
        put_beside(&mut rows);
        let held = state.store.requests_holding_withdrawn(scope)?;
        rows.iter_mut().for_each(|row| row.held = held.contains(&row.id));
        page.only = Some(filled.release).filter(|release| !release.is_empty());
        rows.retain(|row| page.only.as_ref().is_none_or(|only| row.release == *only));
    } else {
        page.ask = ask(state, &releases, filled)?;
        page.releases = releases
            .into_iter()
            .map(|one| (one.release_id, one.title))
            .collect();
    }
    page.rows = rows;
    Ok(page)
}

/// Puts what is open to its filer beside each request that waits.
fn put_beside(rows: &mut [Row]) {
    for at in 0..rows.len() {
        let Some(row) = rows.get(at).filter(|row| row.waits.is_some()) else {
            continue;
        };
        let others = rows.iter().filter(|one| one.open && one.by == row.by);
        let beside: Vec<Beside> = others
            .map(|one| Beside {
                title: one.title.clone(),
                release: one.release.clone(),
                opened: one.opened.as_ref().unwrap_or(&one.asked).clone(),
                joined: one.line == row.line,
            })
            .collect();
        if let Some(row) = rows.get_mut(at) {
            row.beside = beside;
        }
    }
}

/// The form for the release that is chosen, or the newest.
fn ask(state: &AppState, releases: &[Release], mut filled: Filled) -> Result<Option<Ask>, Problem> {
    let chosen = releases.iter().find(|one| one.release_id == filled.release);
    let Some(release) = chosen.or(releases.first()) else {
        return Ok(None);
    };
    filled.release.clone_from(&release.release_id);
    Ok(Some(Ask {
        picker: Picker::of(state, release, &filled.picked)?,
        filled,
    }))
}

pub(super) fn row(request: DataRequest, today: chrono::NaiveDate, people: &People) -> Row {
    let open = request.open_on(today).is_some();
    let last = request
        .expires_on
        .map(|last| last.to_string())
        .unwrap_or_default();
    let state = match request.status {
        RequestStatus::Submitted => "waits for the coordinating office".to_owned(),
        RequestStatus::Approved if open => format!("open through {last}"),
        RequestStatus::Approved => format!("ended on {last}"),
        RequestStatus::Declined => format!("declined: {}", request.reason.unwrap_or_default()),
        RequestStatus::Revoked => format!("revoked: {}", request.revoked_for.unwrap_or_default()),
    };
    Row {
        asked: named(&request.asked),
        opened: request
            .approved
            .as_ref()
            .filter(|opened| **opened != request.asked)
            .map(named),
        waits: Some(request.asked).filter(|_| request.status == RequestStatus::Submitted),
        id: request.request_id,
        title: request.title,
        purpose: request.purpose,
        release: request.release_id,
        filed: request.filed_at.date_naive().to_string(),
        by: people.who(&request.filed_by),
        state,
        open,
        downloads: request.downloads,
        line: request.line,
        beside: Vec::new(),
        held: false,
    }
}

/// What is asked or opened, in words.
fn named(access: &DataAccess) -> Named {
    let all: Vec<&str> = access
        .files
        .iter()
        .chain(&access.elements)
        .map(String::as_str)
        .collect();
    let options = [
        (access.contracted, "under contract"),
        (access.calendar_years, "calendar years in bands"),
        (access.centre_unmasked, "centres by their id"),
    ];
    let options: Vec<&str> = options
        .iter()
        .filter(|option| option.0)
        .map(|option| option.1)
        .collect();
    let counted = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    Named {
        short: (all.len() > IN_SIGHT).then(|| {
            let (files, elements) = (access.files.len(), access.elements.len());
            format!("{}, {}", counted(files, "file"), counted(elements, "element"))
        }),
        names: all.join(", "),
        options: options.join(", "),
    }
}

/// What stands in the form.
#[derive(Debug, Default)]
struct Filled {
    release: String,
    title: String,
    purpose: String,
    continues: String,
    asked: DataAccess,
    picked: Picked,
}

/// What is ticked in a form.
fn ticked(fields: &Fields) -> DataAccess {
    let once = |name| {
        let all: BTreeSet<&String> = fields.all(name).iter().collect();
        all.into_iter().cloned().collect()
    };
    let option = |name| !fields.get(name).is_empty();
    DataAccess {
        files: once("files"),
        elements: once("elements"),
        contracted: option("contracted"),
        calendar_years: option("calendar_years"),
        centre_unmasked: option("centre_unmasked"),
    }
}

impl Filled {
    fn of(fields: &Fields) -> Self {
        let text = |name| fields.get(name).to_owned();
        let asked = ticked(fields);
        Self {
            release: text("release"),
            title: text("title"),
            purpose: text("purpose"),
            continues: text("continues"),
            picked: Picked {
                files: asked.files.iter().cloned().collect(),
                elements: asked.elements.iter().cloned().collect(),
                search: text("q"),
            },
            asked,
        }
    }

    fn request(&self) -> NewDataRequest {
        NewDataRequest {
            release_id: self.release.clone(),
            title: self.title.clone(),
            purpose: self.purpose.clone(),
            continues: Some(self.continues.clone()).filter(|id| !id.is_empty()),
            asked: self.asked.clone(),
        }
    }
}

fn back() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", "/requests"))
        .finish()
}

/// Files a request from the page's form, or shows the form again: with what its search finds, or with why it could not be filed. What was
/// filled in and picked stays.
pub(super) async fn file(
    form: AllowedForm<FilesRequests>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let fields = form.fields.clone();
    let again = blocking(move || {
        let frame = Frame::answering(TITLE, "/requests", &form);
        let filled = Filled::of(&form.fields);
        let refused = if form.fields.get("step") == "look" {
            None
        } else {
            match file_request(&state, &form.scope, filled.request()) {
                Ok(_) => return Ok(None),
                Err(problem) if problem.kind == Kind::InvalidValue => Some(problem),
                Err(other) => return Err(other),
            }
        };
        Ok(Some((read(&state, &form.scope, frame, filled)?, refused)))
    })
    .await?;
    let Some((page, refused)) = again else {
        return Ok(back());
    };
    let answer = html(&page)?;
    let Some(problem) = refused else { return Ok(answer) };
    // A request names files or elements by ticking them: that is about no field in particular.
    let problem = problem.about(&[("title", "title")]);
    match told(answer, &fields, &problem).await {
        Some(page) => Ok(page),
        None => Err(problem),
    }
}

/// Approves what is ticked of what was asked, declines or revokes, as the form says.
pub(super) async fn decide(
    form: AllowedForm<Coordinates>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        blocking(move || {
            let (scope, fields) = (&form.scope, &form.fields);
            let reason = fields.get("reason");
            match fields.get("step") {
                "approve" => {
                    let last = fields.get("expires_on").parse().map_err(|_| {
                        Problem::with(
                            Kind::InvalidValue,
                            "The approval needs its last day (YYYY-MM-DD).",
                        )
                    })?;
                    let opened = ticked(fields);
                    approve_request(&state, scope, &id, Some(opened), last)
                }
                "decline" => Ok(state.store.decline_data_request(scope, &id, reason)?),
                "revoke" => Ok(state.store.revoke_data_request(scope, &id, reason)?),
                _ => Err(Problem::with(
                    Kind::InvalidValue,
                    "step: approve, decline or revoke",
                )),
            }
        })
        .await?;
        Ok(back())
    }
    .await;
    sent.answered(
        answer,
        &[
            ("reason", "reason"),
            ("approval lasts", "expires_on"),
            ("last day", "expires_on"),
            ("approval", "files"),
        ],
        |caller| page(caller, web::Query(Query::default()), again),
    )
    .await
}
