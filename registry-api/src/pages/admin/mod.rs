//! Where an administrator starts: keys and centres as they stand, and the forms that change them.

pub(super) mod centres;
pub(super) mod keys;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use registry_core::access::{Role, Scope};
use registry_core::storage::KeyInfo;

use super::frame::role_name;
use super::who::People;
use super::{Frame, html};
use crate::guard::{Administers, Allowed, NoQuery};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

const TITLE: &str = "Administration";

#[derive(Template)]
#[template(path = "admin.html")]
struct Page {
    frame: Frame,
    csrf: String,
    /// A key just made, shown this once.
    made: Option<Made>,
    centres: Vec<Centre>,
    keys: Vec<Key>,
    /// Value and name.
    roles: Vec<(&'static str, &'static str)>,
}

/// A key just made.
struct Made {
    label: String,
    secret: String,
    /// When the key it replaces stops working.
    earlier_ends: Option<String>,
}

struct Centre {
    id: String,
    name: String,
    country: String,
    active: bool,
    /// Years of its table: first and last.
    years: String,
}

struct Key {
    id: String,
    prefix: String,
    label: String,
    role: &'static str,
    centre: String,
    made: String,
    ends: String,
    state: &'static str,
    /// Can be revoked.
    in_use: bool,
    /// Can get a successor.
    rotatable: bool,
}

pub(super) async fn page(
    caller: Allowed<Administers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(TITLE, "/admin", &caller);
    html(&blocking(move || read(&state, &caller.scope, frame, None)).await?)
}

fn read(state: &AppState, scope: &Scope, frame: Frame, made: Option<Made>) -> Result<Page, Problem> {
    let now = state.ports.clock.now();
    let people = People::of(state)?;
    let years = state.store.centre_years(scope, None)?;
    let of = |id: &str| {
        let mut years = years.iter().filter(|row| row.centre_id == id).map(|row| row.year);
        match (years.next(), years.next_back()) {
            (None, _) => "none".to_owned(),
            (Some(only), None) => only.to_string(),
            (Some(first), Some(last)) => format!("{first} to {last}"),
        }
    };
    let centres = state.store.list_centres(scope)?.into_iter().map(|centre| Centre {
        years: of(&centre.centre_id),
        id: centre.centre_id,
        name: centre.name,
        country: centre.country.unwrap_or_default(),
        active: centre.active,
    });
    let keys = state.store.list_keys(scope)?;
    Ok(Page {
        csrf: frame.csrf(),
        frame,
        made,
        centres: centres.collect(),
        keys: keys.into_iter().map(|key| line(key, now, &people)).collect(),
        roles: Role::GRANTABLE
            .map(|role| (role.as_str(), role_name(role)))
            .to_vec(),
    })
}

fn line(key: KeyInfo, now: DateTime<Utc>, people: &People) -> Key {
    let ended = key.expires_at.is_some_and(|end| end <= now);
    let in_use = key.revoked_at.is_none() && !ended;
    Key {
        state: match (key.revoked_at, ended, &key.replaced_by) {
            (Some(_), ..) => "revoked",
            (None, true, _) => "ended",
            (None, false, Some(_)) => "in use, replaced",
            (None, false, None) => "in use",
        },
        in_use,
        rotatable: in_use && key.replaced_by.is_none(),
        id: key.key_id,
        prefix: key.prefix,
        label: key.label,
        role: role_name(key.role),
        centre: key.centre.unwrap_or_default(),
        made: format!(
            "{} by {}",
            key.created_at.date_naive(),
            people.who(&key.created_by)
        ),
        ends: key
            .expires_at
            .map_or_else(|| "never".to_owned(), |end| end.date_naive().to_string()),
    }
}

/// Leads to a page of the administration.
fn to(page: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", page))
        .finish()
}
