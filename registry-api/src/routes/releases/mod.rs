//! `/api/v1/releases`: frozen data, by checksum.

mod files;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::storage::Release;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Endpoint, Idempotent, Reply, Since, guarded};
use crate::guard::{Allowed, Coordinates, Json, NoQuery, ReadsReleases};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) use files::Form;
pub(super) use files::{__path_bundle, __path_fictitious, __path_file, __path_manifest};
pub(super) use files::{bundle, fictitious, file, manifest};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/releases", list),
        guarded(Method::POST, "/api/v1/releases", create),
        // Before the addresses of releases by their id.
        guarded(Method::GET, "/api/v1/releases/synthetic/bundle.zip", fictitious),
        guarded(Method::GET, "/api/v1/releases/{id}", show),
        guarded(Method::GET, "/api/v1/releases/{id}/manifest.json", manifest),
        guarded(Method::GET, "/api/v1/releases/{id}/files/{name}", file),
        guarded(Method::GET, "/api/v1/releases/{id}/bundle.zip", bundle),
    ]
}

/// A release without its manifest, which has an address of its own.
fn head(release: &Release) -> Value {
    let id = &release.release_id;
    json!({
        "release": id,
        "run": release.run,
        "title": release.title,
        "sha256": release.sha256,
        "bytes": release.bytes,
        "cases": release.manifest.get("cases"),
        "created_at": release.created_at,
        "created_by": release.created_by,
        "manifest": format!("/api/v1/releases/{id}/manifest.json"),
        "bundle": format!("/api/v1/releases/{id}/bundle.zip"),
    })
}

/// All releases, newest first.
#[utoipa::path(get, path = "/api/v1/releases", tag = "releases", params(("updated_since" = Option<String>, Query,)), responses((status = 200, description = "releases")), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<ReadsReleases>,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let mut releases = state.store.list_releases(&caller.scope)?;
        releases.retain(|release| since.takes(&[Some(release.created_at)]));
        Reply::json(
            200,
            &json!({ "releases": releases.iter().map(head).collect::<Vec<_>>() }),
        )
    })
    .await
}

/// One release.
#[utoipa::path(get, path = "/api/v1/releases/{id}", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The release"), (status = 404, description = "No such release")), security(("key" = [])))]
pub(super) async fn show(
    caller: Allowed<ReadsReleases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || Reply::json(200, &head(&state.store.release(&caller.scope, &id)?))).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    run: i64,
    release: Option<String>,
    title: Option<String>,
}

/// Freeze a finished run: one CSV per entity, adherence per unit, dictionary, manifest, in one zip.
#[utoipa::path(post, path = "/api/v1/releases", tag = "releases", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body(content = serde_json::Value, description = "{run, release?: id, title?}; without an id it is `run-<number>`"),
    responses((status = 201, description = "Frozen"), (status = 404, description = "No such run"), (status = 409, description = "The id is taken, or the run has no results")), security(("key" = [])))]
pub(super) async fn create(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let wanted: Wanted = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"run\": number, \"release\"?: id, \"title\"?: text}",
        )
    })?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    Idempotent::once(idempotent, &state, &scope, move || {
        let id = wanted.release.unwrap_or_else(|| format!("run-{}", wanted.run));
        let title = wanted.title.unwrap_or_else(|| format!("Run {}", wanted.run));
        let release = crate::releases::freeze(&shared, &caller.scope, wanted.run, &id, &title)?;
        Ok(Reply::json(201, &head(&release))?.header("location", format!("/api/v1/releases/{id}")))
    })
    .await
}
