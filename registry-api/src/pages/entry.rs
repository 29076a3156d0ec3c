//! The entry form: a case typed in by hand. The page holds no data; its script reads the form and the case from the API and
//! saves through the same `PUT` as everybody else.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Scope;

use super::case::gone;
use super::{Frame, html};
use crate::guard::{Allowed, NoQuery, Submits};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "entry.html")]
pub(super) struct Page {
    frame: Frame,
    heading: String,
    /// Version of the case schema the form follows.
    version: String,
    /// The version a stored case was sent in, where it is another one.
    sent_in: Option<String>,
    centre: String,
    /// The case to correct; none for a new one.
    pseudonym: Option<String>,
    /// The case to enter again from its source; none otherwise.
    again: Option<Again>,
    csrf: String,
}

/// Where what is entered again goes, and the page that then shows how far it agrees.
struct Again {
    route: String,
    pseudonym: String,
    back: String,
}

impl Page {
    fn new(caller: &Allowed<Submits>, heading: String, version: String, pseudonym: Option<String>) -> Self {
        let frame = Frame::of(&heading, "/cases", caller);
        let centre = caller.scope.centre().unwrap_or_default();
        Self {
            heading,
            pseudonym,
            ..Self::blank(frame, centre, version)
        }
    }

    fn blank(frame: Frame, centre: &str, version: String) -> Self {
        Self {
            csrf: frame.who.as_ref().map(|who| who.csrf.clone()).unwrap_or_default(),
            frame,
            heading: String::new(),
            version,
            sent_in: None,
            centre: centre.to_owned(),
            pseudonym: None,
            again: None,
        }
    }
}

/// A blank form for a case of a sample, in the newest version of the schema whatever the stored one is in. Reads nothing of it.
pub(super) fn again(frame: Frame, scope: &Scope, version: String, id: &str, pseudonym: &str) -> Page {
    Page {
        heading: format!("Enter {pseudonym} again"),
        again: Some(Again {
            route: format!("/api/v1/verifications/{id}/cases/{pseudonym}"),
            pseudonym: pseudonym.to_owned(),
            back: format!("/verification/{id}/{pseudonym}"),
        }),
        ..Page::blank(frame, scope.centre().unwrap_or_default(), version)
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

/// A stored case, in the newest version of the schema whatever it was sent in: saved, it is kept in that one.
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
        let sent_in = stored.schema_version;
        let form = state.schemas.form_of(&sent_in).unwrap_or(&sent_in).to_owned();
        Ok(Page {
            sent_in: (form != sent_in).then_some(sent_in),
            ..Page::new(&caller, heading, form, Some(pseudonym))
        })
    })
    .await?;
    html(&page)
}
