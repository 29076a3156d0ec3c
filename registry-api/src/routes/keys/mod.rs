//! `/api/v1/keys`: made once, shown once, ended at the next request.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, Duration, Utc};
use registry_core::access::Role;
use registry_core::storage::{CreatedKey, KeyInfo, NewKey, Store};
use serde::{Deserialize, Serialize};

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded};
use crate::guard::{Administers, Allowed, Json, RawBody};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/keys", list),
        guarded(Method::POST, "/api/v1/keys", create),
        guarded(Method::POST, "/api/v1/keys/{key_id}:rotate", rotate),
        guarded(Method::POST, "/api/v1/keys/{key_id}:revoke", revoke),
    ]
}

/// A page of keys.
#[derive(Serialize, utoipa::ToSchema)]
struct Keys {
    keys: Vec<KeyInfo>,
    next: Option<String>,
}

/// A key just made: the only time its text exists.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = MadeKey)]
struct Shown<'a> {
    key: &'a str,
    info: &'a KeyInfo,
}

fn shown_once(made: &CreatedKey) -> Result<Reply, Problem> {
    let shown = Shown {
        key: made.key.reveal(),
        info: &made.info,
    };
    Reply::json(201, &shown)
}

/// All keys, without their secret.
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)), responses((status = 200, description = "Keys", body = Keys)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<Administers>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut keys = state.store.list_keys(&caller.scope)?;
        keys.retain(|key| since.takes(&[Some(key.created_at), key.revoked_at]));
        let id = |key: &KeyInfo| key.key_id.clone();
        since.page(&asked, keys, id, |keys, next| Keys { keys, next })
    })
    .await
}

/// What a key is to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewKey)]
#[serde(deny_unknown_fields)]
struct Wanted {
    label: String,
    #[schema(value_type = String, example = "submitter")]
    role: Role,
    centre: Option<String>,
    /// Without it a year from now.
    expires_at: Option<DateTime<Utc>>,
}

/// Make a key. Its text is in this answer and nowhere else, so this request is never replayed. Without `expires_at` it ends after a year.
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys",
    request_body = Wanted,
    responses((status = 201, description = "The key, shown once", body = Shown), (status = 422, description = "Role and centre do not fit")), security(("key" = [])))]
pub(super) async fn create(
    caller: Allowed<Administers>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let wanted: Wanted = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"label\": text, \"role\": role, \"centre\"?: id, \"expires_at\"?: instant}",
        )
    })?;
    blocking(move || {
        let expires_at = wanted
            .expires_at
            .or_else(|| Some(state.ports.clock.now() + Duration::days(365)));
        let key = NewKey {
            label: wanted.label,
            role: wanted.role,
            centre: wanted.centre,
            expires_at,
        };
        let made = state.store.create_key(&caller.scope, key)?;
        shown_once(&made)
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = RotateKey)]
#[serde(deny_unknown_fields)]
struct Overlap {
    /// How long the old key is good beside the new one.
    overlap_hours: u32,
}

/// Make a successor; the old key ends after `overlap_hours`. Its text is in this answer and nowhere else, so this request is never replayed.
#[utoipa::path(post, path = "/api/v1/keys/{key_id}:rotate", tag = "keys", params(("key_id" = String, Path,)),
    request_body = Overlap,
    responses((status = 201, description = "The new key, shown once", body = Shown), (status = 404, description = "No such key")), security(("key" = [])))]
pub(super) async fn rotate(
    caller: Allowed<Administers>,
    key_id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let overlap: Overlap = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"overlap_hours\": number}"))?;
    blocking(move || {
        let made = state.store.rotate_key(
            &caller.scope,
            &key_id,
            Duration::hours(overlap.overlap_hours.into()),
        )?;
        shown_once(&made)
    })
    .await
}

/// Revoke a key, effective at the next request.
#[utoipa::path(post, path = "/api/v1/keys/{key_id}:revoke", tag = "keys", params(("key_id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, description = "Revoked", body = KeyInfo), (status = 404, description = "No such key")), security(("key" = [])))]
pub(super) async fn revoke(
    caller: Allowed<Administers>,
    request: HttpRequest,
    key_id: web::Path<String>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| Ok(store.revoke_key(&caller.scope, &key_id)?);
    Idempotent::change(idempotent, &state, &scope, change, |key| Reply::json(200, key)).await
}
