//! Data requests: what a researcher asked and may download, and what waits for the coordinating office.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Role;
use registry_core::storage::{DataAccess, DataRequest, NewDataRequest, RequestStatus};

use super::{Frame, html};
use crate::guard::{Allowed, AllowedForm, Coordinates, Fields, FilesRequests, NoQuery, ReadsRequests};
use crate::problem::{Kind, Problem};
use crate::routes::data_requests::file_request;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "requests.html")]
struct Page {
    frame: Frame,
    csrf: String,
    today: String,
    /// The reader decides.
    office: bool,
    /// Releases that can be asked of; for a researcher.
    releases: Vec<(String, String)>,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    title: String,
    purpose: String,
    release: String,
    filed: String,
    by: String,
    asked: String,
    opened: Option<String>,
    state: String,
    waits: bool,
    open: bool,
    downloads: i64,
}

pub(super) async fn page(
    caller: Allowed<ReadsRequests>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Data requests", "/requests", &caller);
    let page = blocking(move || {
        let today = state.ports.clock.now().date_naive();
        let office = caller.scope.role() == Role::Coordinator;
        let requests = state.store.list_data_requests(&caller.scope)?;
        let releases = if office {
            Vec::new()
        } else {
            state.store.list_releases(&caller.scope)?
        };
        Ok(Page {
            csrf: frame.csrf(),
            frame,
            today: today.to_string(),
            office,
            releases: releases
                .into_iter()
                .map(|one| (one.release_id, one.title))
                .collect(),
            rows: requests.into_iter().map(|one| row(one, today)).collect(),
        })
    })
    .await?;
    html(&page)
}

fn row(request: DataRequest, today: chrono::NaiveDate) -> Row {
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
        asked: words(&request.asked),
        opened: request
            .approved
            .as_ref()
            .filter(|opened| **opened != request.asked)
            .map(words),
        waits: request.status == RequestStatus::Submitted,
        id: request.request_id,
        title: request.title,
        purpose: request.purpose,
        release: request.release_id,
        filed: request.filed_at.date_naive().to_string(),
        by: request.filed_by,
        state,
        open,
        downloads: request.downloads,
    }
}

/// What is asked or opened, in words.
fn words(access: &DataAccess) -> String {
    let mut parts: Vec<String> = access.files.iter().chain(&access.elements).cloned().collect();
    let options = [
        (access.contracted, "under contract"),
        (access.calendar_years, "calendar years in bands"),
        (access.centre_unmasked, "centres by their id"),
    ];
    parts.extend(
        options
            .iter()
            .filter(|option| option.0)
            .map(|option| option.1.to_owned()),
    );
    parts.join(", ")
}

/// Names in a text field, separated by blanks, commas or lines.
fn names(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || c == ',');
    parts.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn access(fields: &Fields) -> DataAccess {
    let ticked = |name| !fields.get(name).is_empty();
    DataAccess {
        files: names(fields.get("files")),
        elements: names(fields.get("elements")),
        contracted: ticked("contracted"),
        calendar_years: ticked("calendar_years"),
        centre_unmasked: ticked("centre_unmasked"),
    }
}

fn back() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", "/requests"))
        .finish()
}

/// Files a request from the page's form.
pub(super) async fn file(
    form: AllowedForm<FilesRequests>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    blocking(move || {
        let fields = &form.fields;
        let new = NewDataRequest {
            release_id: fields.get("release").to_owned(),
            title: fields.get("title").to_owned(),
            purpose: fields.get("purpose").to_owned(),
            continues: Some(fields.get("continues").to_owned()).filter(|id| !id.is_empty()),
            asked: access(fields),
        };
        file_request(&state, &form.scope, new)
    })
    .await?;
    Ok(back())
}

/// Approves what was asked, declines or revokes, as the form says.
pub(super) async fn decide(
    form: AllowedForm<Coordinates>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
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
                let asked = state.store.data_request(scope, &id)?.asked;
                Ok(state.store.approve_data_request(scope, &id, asked, last)?)
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
