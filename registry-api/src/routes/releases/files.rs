//! The bytes of a release: manifest, one file, the whole bundle; each with its digest, whole or a range.

use actix_web::web;
use registry_core::access::Scope;
use registry_core::storage::Release;
use serde_json::json;

use super::super::frozen::Frozen;
use crate::guard::{Allowed, Coordinates, ReadsReleases};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

/// What the release holds: files, rows, columns, SHA-256, versions, and what is withheld.
#[utoipa::path(get, path = "/api/v1/releases/{id}/manifest.json", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The manifest, as it is in the bundle"), (status = 404, description = "No such release")), security(("key" = [])))]
pub(in crate::routes) async fn manifest(
    caller: Allowed<ReadsReleases>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    one_file(caller.scope, id.into_inner(), "manifest.json".to_owned(), state).await
}

/// One file of the release. For the coordinating office: a researcher's files come through a data request.
#[utoipa::path(get, path = "/api/v1/releases/{id}/files/{name}", tag = "releases", params(("id" = String, Path,), ("name" = String, Path,)),
    responses((status = 200, description = "The file"), (status = 206, description = "The range asked for"), (status = 404, description = "No such release or file"),
        (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn file(
    caller: Allowed<Coordinates>,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    let (id, name) = path.into_inner();
    one_file(caller.scope, id, name, state).await
}

async fn one_file(
    scope: Scope,
    id: String,
    name: String,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (release, path) = crate::releases::bundle(&state, &scope, &id)?;
        let file = Frozen::entry(&path, &name, &release.manifest)?;
        downloaded(&state, &scope, &release, &name, file.length())?;
        Ok(file)
    })
    .await
}

/// A download in the trail.
fn downloaded(
    state: &AppState,
    scope: &Scope,
    release: &Release,
    file: &str,
    bytes: u64,
) -> Result<(), Problem> {
    let details = json!({ "file": file, "bytes": bytes });
    Ok(state
        .store
        .record_access(scope, "release.download", Some(&release.release_id), details)?)
}

/// The whole release as a zip. For the coordinating office: a researcher's bundle comes through a data request.
#[utoipa::path(get, path = "/api/v1/releases/{id}/bundle.zip", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The bundle"), (status = 206, description = "The range asked for"), (status = 404, description = "No such release"),
        (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn bundle(
    caller: Allowed<Coordinates>,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (release, path) = crate::releases::bundle(&state, &caller.scope, &id)?;
        let name = format!("rps-registry-{}.zip", release.release_id);
        let file = Frozen::bundle(path, release.bytes, &release.sha256, name)?;
        downloaded(&state, &caller.scope, &release, "bundle.zip", file.length())?;
        Ok(file)
    })
    .await
}
