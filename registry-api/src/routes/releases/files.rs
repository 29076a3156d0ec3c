//! The bytes of a release: manifest, one file, the whole bundle; each with its digest, whole or a range.

use actix_web::web;
use registry_core::access::{Role, Scope};
use registry_core::storage::Release;
use registry_etl::releases::{Manifest, ManifestOutline};
use serde::Deserialize;
use serde_json::json;

use super::super::frozen::Frozen;
use crate::guard::{Allowed, Coordinates, NoQuery, Reader, ReadsReleases};
use crate::problem::Problem;
use crate::state::{AppState, blocking};

/// The manifest as it is in the bundle, or its outline.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "either is served as it is kept; this says what it may be"
)]
enum ManifestOrOutline {
    Manifest(Box<Manifest>),
    Outline(Box<ManifestOutline>),
}

/// What the release holds: files, columns, versions, and what is withheld. To the coordinating office as it is in the bundle; to researchers
/// without rows, bytes and digests, by which two releases would tell of single patients: the manifest of an approved request is its own.
#[utoipa::path(get, path = "/api/v1/releases/{id}/manifest.json", tag = "releases", params(("id" = String, Path,)),
    responses((status = 200, description = "The manifest, or for a researcher its outline", body = ManifestOrOutline), (status = 404, description = "No such release"), (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn manifest(
    caller: Allowed<ReadsReleases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    const NAME: &str = "manifest.json";
    let id = id.into_inner();
    if caller.scope.role() == Role::Coordinator {
        return one_file(caller.scope, id, NAME.to_owned(), Form::PLAIN, state).await;
    }
    blocking(move || {
        let release = state.store.release(&caller.scope, &id)?;
        let manifest = Manifest::deserialize(&release.manifest).map_err(Problem::internal)?;
        let around = crate::releases::around(&state, &caller.scope, &release)?;
        let all = state.store.list_releases(&caller.scope)?;
        let cases = crate::releases::cases_about(&state, &all);
        let cases = cases.get(&release.release_id).copied().flatten();
        let outline = manifest.outline(cases, around);
        let mut bytes = serde_json::to_vec_pretty(&outline).map_err(Problem::internal)?;
        bytes.push(b'\n');
        let file = Frozen::document(NAME, bytes);
        downloaded(&state, &caller.scope, &release, NAME, file.length())?;
        Ok(file)
    })
    .await
}

/// In which form a file is asked for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Form {
    variant: Option<Variant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Variant {
    Excel,
}

impl Form {
    /// As it is in the bundle.
    pub(in crate::routes) const PLAIN: Self = Self { variant: None };

    /// The file in this form.
    ///
    /// # Errors
    /// Another form of what is no table.
    pub(in crate::routes) fn of(self, file: Frozen) -> Result<Frozen, Problem> {
        match self.variant {
            Some(Variant::Excel) => file.for_excel(),
            None => Ok(file),
        }
    }
}

/// One file of the release; `cases.parquet` is the table `cases.csv` as Parquet. For the coordinating office: a researcher's files come through
/// a data request.
#[utoipa::path(get, path = "/api/v1/releases/{id}/files/{name}", tag = "releases", params(("id" = String, Path,), ("name" = String, Path,),
        ("variant" = Option<String>, Query, description = "excel: a CSV file with byte order mark and semicolons, without formulas; no digest, no ranges")),
    responses((status = 200, description = "The file"), (status = 206, description = "The range asked for"), (status = 404, description = "No such release or file"), (status = 422, description = "A form that the file does not have"),
        (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn file(
    caller: Allowed<Coordinates>,
    path: web::Path<(String, String)>,
    form: web::Query<Form>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    let (id, name) = path.into_inner();
    one_file(caller.scope, id, name, form.into_inner(), state).await
}

async fn one_file(
    scope: Scope,
    id: String,
    name: String,
    form: Form,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (release, path) = crate::releases::bundle(&state, &scope, &id)?;
        let file = form.of(Frozen::entry(&path, &name, &release.manifest)?)?;
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
    _: NoQuery,
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

/// A release of fictitious cases with the files and columns of any other, for everyone: to write an analysis before access. Needs no credentials;
/// requests without any are counted against their address.
#[utoipa::path(get, path = "/api/v1/releases/synthetic/bundle.zip", tag = "releases",
    responses((status = 200, description = "The bundle; title, README, manifest and citation say that it is fictitious"), (status = 206, description = "The range asked for"),
        (status = 429, description = "Asked for too often")))]
pub(in crate::routes) async fn fictitious(
    // Whoever asks is counted, also under credentials that are none.
    _: Reader,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (path, bytes, sha256) = crate::releases::fictitious_bundle(&state)?;
        Frozen::bundle(path, bytes, &sha256, "rps-registry-synthetic.zip".to_owned())
    })
    .await
}
