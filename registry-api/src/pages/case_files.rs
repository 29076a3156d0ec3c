//! The course of a case as files: its picture, and its dated events as CSV.

use actix_web::{HttpResponse, web};

use super::case::gone;
use super::course::{Event, course};
use super::download;
use crate::charts::{self, Timeline};
use crate::guard::{Allowed, NoQuery, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::results::written;
use crate::state::{AppState, blocking};

/// The course of the current version, read as the page of the case reads it.
async fn read(
    caller: Allowed<SeesCases>,
    pseudonym: &str,
    state: web::Data<AppState>,
) -> Result<(Timeline, Vec<Event>), Problem> {
    let pseudonym = pseudonym.to_owned();
    blocking(move || {
        let stored = state.store.get_case(&caller.scope, &pseudonym).map_err(gone)?;
        let newest = state.schemas.newest(&stored.document, &stored.schema_version);
        Ok(course(&newest, state.words()?))
    })
    .await
}

/// `GET /cases/{pseudonym}/course.svg`.
pub(super) async fn picture(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (timeline, _) = read(caller, &pseudonym, state).await?;
    let chart = charts::timeline(&timeline, "Course of the disease").ok_or(Problem::new(Kind::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("content-disposition", "attachment; filename=\"course.svg\""))
        .body(charts::standalone(&chart)))
}

/// `GET /cases/{pseudonym}/course.csv`.
pub(super) async fn table(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (_, events) = read(caller, &pseudonym, state).await?;
    let rows = events
        .into_iter()
        .map(|(date, until, kind, what)| vec![date, until, kind.to_owned(), what]);
    Ok(download(
        "course.csv",
        written(&["date", "until", "kind", "what"], rows)?,
    ))
}
