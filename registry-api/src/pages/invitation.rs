//! A one-time link of the coordinating office: the person sets a password and an authenticator app, and gets recovery codes.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use qrcode::QrCode;
use registry_core::access::Token;
use registry_core::storage::{Enrolment, StoreError};
use serde::Deserialize;

use super::error::sentence;
use super::frame::start;
use super::sign_in::{begun, no_such_link};
use super::{Frame, html};
use crate::guard::OpenForm;
use crate::problem::Problem;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "invitation.html")]
struct Page {
    frame: Frame,
    token: String,
    login: String,
    name: String,
    /// The second factor's secret, in groups of four.
    secret: String,
    uri: String,
    picture: Option<Picture>,
    refused: Option<String>,
    /// What people call the provider with which they may sign in instead.
    provider: Option<String>,
}

/// A QR code: modules a side with the quiet zone, and the dark ones as an SVG path.
struct Picture {
    side: usize,
    path: String,
}

/// Light modules around a QR code (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

impl Picture {
    fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let width = code.width();
        let dark = code.to_colors().into_iter().enumerate();
        let dark = dark.filter(|(_, color)| *color == qrcode::Color::Dark);
        let path = dark.map(|(at, _)| {
            let (x, y) = (at % width + QUIET_ZONE, at / width + QUIET_ZONE);
            format!("M{x} {y}h1v1h-1z")
        });
        Some(Self {
            side: width + 2 * QUIET_ZONE,
            path: path.collect(),
        })
    }
}

impl Page {
    fn of(state: &AppState, token: String, enrolment: Enrolment, refused: Option<String>) -> Self {
        let uri = enrolment.secret.uri(&enrolment.login);
        Self {
            frame: Frame::bare("Set up your account"),
            secret: in_groups(&enrolment.secret.base32()),
            picture: Picture::of(&uri),
            login: enrolment.login,
            name: enrolment.name,
            token,
            uri,
            refused,
            provider: state.settings.oidc.shown(),
        }
    }
}

/// Four characters, a blank, four characters.
fn in_groups(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// Recovery codes, the only time they are shown.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub(super) struct Codes {
    pub(super) frame: Frame,
    pub(super) codes: Vec<String>,
    /// Where to go on.
    pub(super) next: &'static str,
}

/// As they are written down.
pub(super) fn shown(codes: &[Token]) -> Vec<String> {
    codes.iter().map(|code| in_groups(code.reveal())).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    token: String,
}

/// What is to be set up. Changes nothing.
pub(super) async fn page(
    link: web::Query<Link>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let token = link.into_inner().token;
    let page = blocking(move || {
        let enrolment = state.store.enrolment(&token)?;
        Ok(Page::of(&state, token, enrolment, None))
    });
    html(&page.await.map_err(no_such_link)?)
}

/// Sets the account up and signs in, or shows the page again with what is wrong.
pub(super) async fn accept(
    form: OpenForm,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    state.limiter.check_sign_in(&state.client_address(&request))?;
    let fields = form.0;
    let work = state.clone();
    let outcome = blocking(move || {
        let (token, password) = (fields.get("token"), fields.get("password"));
        let refused = if password == fields.get("again") {
            match work.store.enrol_person(token, password, fields.get("code")) {
                Ok(enrolled) => return Ok(Ok(enrolled)),
                Err(StoreError::Weak(weakness)) => weakness.to_string(),
                Err(StoreError::Invalid(why)) => why.to_owned(),
                Err(other) => return Err(other.into()),
            }
        } else {
            "the two passwords are not the same".to_owned()
        };
        let enrolment = work.store.enrolment(token)?;
        Ok(Err(Page::of(
            &work,
            token.to_owned(),
            enrolment,
            sentence(&refused),
        )))
    });
    match outcome.await.map_err(no_such_link)? {
        Ok(enrolled) => {
            let cookie = begun(&state, &request, &enrolled.session).await?;
            let session = &enrolled.session.session;
            let mut page = html(&Codes {
                frame: Frame::within("Your recovery codes", "", session),
                codes: shown(&enrolled.recovery_codes),
                next: start(session.scope.role()),
            })?;
            page.add_cookie(&cookie).map_err(Problem::internal)?;
            Ok(page)
        }
        Err(again) => {
            let mut page = html(&again)?;
            *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 has 21 modules a side; its three finder patterns begin with seven dark ones.
    #[test]
    fn a_picture_has_its_quiet_zone_and_finder_patterns() {
        let picture = Picture::of("A").expect("a code");
        assert_eq!(picture.side, 21 + 8);
        for (x, y) in [(4, 4), (10, 4), (18, 4), (24, 4), (4, 24), (10, 24)] {
            assert!(picture.path.contains(&format!("M{x} {y}h1v1h-1z")), "{x} {y}");
        }
        assert!(!picture.path.contains("M11 4h1"));
    }
}
