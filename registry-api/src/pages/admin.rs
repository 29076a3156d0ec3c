//! Where an administrator starts: centres and keys as they stand, and where each is changed.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use registry_core::storage::KeyInfo;

use super::{Frame, html};
use crate::guard::{Administers, Allowed, NoQuery};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "admin.html")]
struct Page {
    frame: Frame,
    /// Id, name, whether it takes part.
    centres: Vec<(String, String, &'static str)>,
    keys: Vec<Key>,
}

struct Key {
    prefix: String,
    label: String,
    role: String,
    centre: String,
    made: String,
    ends: String,
    state: &'static str,
}

pub(super) async fn page(
    caller: Allowed<Administers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Administration", "/admin", &caller);
    let page = blocking(move || {
        let now = state.ports.clock.now();
        let centres = state
            .store
            .list_centres(&caller.scope)?
            .into_iter()
            .map(|centre| {
                let takes_part = if centre.active { "yes" } else { "no" };
                (centre.centre_id, centre.name, takes_part)
            });
        let keys = state.store.list_keys(&caller.scope)?;
        Ok(Page {
            frame,
            centres: centres.collect(),
            keys: keys.into_iter().map(|key| line(key, now)).collect(),
        })
    })
    .await?;
    html(&page)
}

fn line(key: KeyInfo, now: DateTime<Utc>) -> Key {
    Key {
        state: match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now => "ended",
            _ => "in use",
        },
        prefix: key.prefix,
        label: key.label,
        role: key.role.to_string(),
        centre: key.centre.unwrap_or_default(),
        made: format!("{} by {}", key.created_at.date_naive(), key.created_by),
        ends: key
            .expires_at
            .map_or_else(|| "never".to_owned(), |end| end.date_naive().to_string()),
    }
}
