//! The entry form: a case typed in by hand. The page holds no data; its script reads the form and the case from the API and
//! saves through the same `PUT` as everybody else.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::case::gone;
use super::{Frame, html};
use crate::guard::{Allowed, NoQuery, Submits};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "entry.html")]
struct Page {
    frame: Frame,
    heading: String,
    /// Version of the case schema the form follows.
    version: String,
    centre: String,
    /// The case to correct; none for a new one.
    pseudonym: Option<String>,
    csrf: String,
}

impl Page {
    fn new(caller: &Allowed<Submits>, heading: String, version: String, pseudonym: Option<String>) -> Self {
        let frame = Frame::of(&heading, "/cases", caller);
        let csrf = frame.who.as_ref().map(|who| who.csrf.clone()).unwrap_or_default();
        Self {
            csrf,
            frame,
            heading,
            version,
            centre: caller.scope.centre().unwrap_or_default().to_owned(),
            pseudonym,
        }
    }
}

/// A new case, in the newest active version of the schema.
pub(super) async fn new(
    caller: Allowed<Submits>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let version = state.schemas.current().version.clone();
    html(&Page::new(&caller, "Enter a case".to_owned(), version, None))
}

/// A stored case, in the version it was sent in.
pub(super) async fn edit(
    caller: Allowed<Submits>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let pseudonym = pseudonym.into_inner();
    let page = blocking(move || {
        let stored = state.store.get_case(&caller.scope, &pseudonym).map_err(gone)?;
        let heading = format!("Correct {pseudonym}");
        Ok(Page::new(
            &caller,
            heading,
            stored.schema_version,
            Some(pseudonym),
        ))
    })
    .await?;
    html(&page)
}
