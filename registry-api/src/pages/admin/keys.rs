//! API keys from the page's forms: made, rotated, revoked. A key is in the answer that makes it and nowhere else.

use actix_web::{HttpResponse, web};
use chrono::Duration;
use registry_core::access::Role;
use registry_core::storage::{CreatedKey, NewKey};

use super::{Made, TITLE, read, to};
use crate::guard::{Administers, AllowedForm, Fields, NoQuery};
use crate::pages::{Frame, Sent, html};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// Longest life of a key made here, days: ten years.
const LONGEST_DAYS: i64 = 3650;
/// Longest time that a key and its successor are both good, hours: thirty days.
const LONGEST_OVERLAP: i64 = 720;

/// A whole number of a field, up to `most`.
fn number(fields: &Fields, name: &str, label: &str, least: i64, most: i64) -> Result<i64, Problem> {
    let number: Option<i64> = fields.get(name).trim().parse().ok();
    number.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        let what = format!("{label}: a whole number from {least} to {most}.");
        Problem::with(Kind::InvalidValue, what)
    })
}

/// The page with a key just made.
async fn with_key(
    form: AllowedForm<Administers>,
    state: web::Data<AppState>,
    make: impl FnOnce(&AppState, &AllowedForm<Administers>) -> Result<(CreatedKey, Option<String>), Problem>
    + Send
    + 'static,
) -> Result<HttpResponse, Problem> {
    let page = blocking(move || {
        let (made, earlier_ends) = make(&state, &form)?;
        let made = Made {
            secret: made.key.reveal().to_owned(),
            label: made.info.label,
            earlier_ends,
        };
        let frame = Frame::within(TITLE, "/admin", &form.session);
        read(&state, &form.scope, frame, Some(made))
    });
    html(&page.await?)
}

/// Makes a key and shows it.
pub(in crate::pages) async fn create(
    form: AllowedForm<Administers>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        with_key(form, state, |state, form| {
            let fields = &form.fields;
            let role: Role = fields
                .get("role")
                .parse()
                .map_err(|_| Problem::with(Kind::InvalidValue, "Role: choose one of the list."))?;
            // A centre that was chosen beside a role of no centre does not count.
            let centre =
                Some(fields.get("centre")).filter(|centre| role.needs_centre() && !centre.is_empty());
            let days = number(fields, "days", "Days until it ends", 1, LONGEST_DAYS)?;
            let key = NewKey {
                label: fields.get("label").trim().to_owned(),
                role,
                centre: centre.map(str::to_owned),
                expires_at: Some(state.ports.clock.now() + Duration::days(days)),
            };
            Ok((state.store.create_key(&form.scope, key)?, None))
        })
        .await
    }
    .await;
    sent.answered(
        answer,
        &[
            ("label", "label"),
            ("Days", "days"),
            ("year 10000", "days"),
            ("entre", "centre"),
            ("Role", "role"),
            ("role", "role"),
        ],
        |caller| super::page(caller, NoQuery, again),
    )
    .await
}

/// Makes a successor and shows it; the key it replaces is good for some hours more.
pub(in crate::pages) async fn rotate(
    form: AllowedForm<Administers>,
    key: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let answer: Result<HttpResponse, Problem> = async move {
        with_key(form, state, move |state, form| {
            let hours = number(
                &form.fields,
                "overlap_hours",
                "Hours both are good",
                0,
                LONGEST_OVERLAP,
            )?;
            let made = state
                .store
                .rotate_key(&form.scope, &key, Duration::hours(hours))?;
            let all = state.store.list_keys(&form.scope)?;
            let earlier = all.into_iter().find(|one| one.key_id == *key);
            let end = earlier.and_then(|one| one.expires_at);
            Ok((made, end.map(|end| end.format("%Y-%m-%d %H:%M UTC").to_string())))
        })
        .await
    }
    .await;
    sent.answered(
        answer,
        &[("overlap", "overlap_hours"), ("Hours", "overlap_hours")],
        |caller| super::page(caller, NoQuery, again),
    )
    .await
}

/// Revokes a key: it is refused at its next request.
pub(in crate::pages) async fn revoke(
    form: AllowedForm<Administers>,
    key: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    blocking(move || Ok(state.store.revoke_key(&form.scope, &key)?)).await?;
    Ok(to("/admin"))
}
