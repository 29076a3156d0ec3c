//! A case as files: the picture of its course, and its tables as CSV.

use actix_web::{HttpResponse, web};

use super::case::{assessment, gone};
use super::course::{Event, course};
use super::download;
use crate::charts::{self, Timeline};
use crate::guard::{Allowed, NoQuery, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::assess;
use crate::routes::results::{table_of, written};
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

/// `GET /cases/{pseudonym}/findings.csv`: every finding of every version, with its life and its answer.
pub(super) async fn findings(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let found = state.store.findings(&caller.scope, &pseudonym).map_err(gone)?;
        let columns = [
            "severity",
            "code",
            "pointer",
            "message",
            "state",
            "first_version",
            "last_version",
            "answer.reason",
            "answer.actor",
            "answer.answered_at",
        ];
        table_of(&columns, &found)
    })
    .await?;
    Ok(download("findings.csv", text))
}

/// `GET /cases/{pseudonym}/assessment.csv`: every unit that a measure applies to, with what decided.
pub(super) async fn assessed(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let stored = state.store.get_case(&caller.scope, &pseudonym).map_err(gone)?;
        let lines = match assess(&state, &stored)? {
            Some(of) => assessment(&of, state.words()?),
            None => Vec::new(),
        };
        let rows = lines.into_iter().map(|one| {
            let unit = one.unit.unwrap_or_default();
            vec![
                one.id,
                one.title,
                unit,
                one.grade,
                one.outcome.to_owned(),
                one.because,
            ]
        });
        written(&["measure", "title", "unit", "grade", "outcome", "because"], rows)
    })
    .await?;
    Ok(download("assessment.csv", text))
}

/// `GET /cases/{pseudonym}/versions.csv`.
pub(super) async fn versions(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let versions = state.store.versions(&caller.scope, &pseudonym).map_err(gone)?;
        let columns = [
            "version",
            "submitted_at",
            "actor",
            "status",
            "schema_version",
            "errors",
            "warnings",
            "reason",
        ];
        table_of(&columns, &versions)
    })
    .await?;
    Ok(download("versions.csv", text))
}
