//! Delivery of an approved request: manifest, one file, the bundle; every download is counted and in the trail, a `HEAD` is none.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_core::access::Scope;

use super::super::frozen::Frozen;
use super::super::releases::Form;
use crate::guard::{Allowed, NoQuery, ReadsRequests};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// What the bundle of the request holds, and how its groups of patients came out.
#[utoipa::path(get, path = "/api/v1/data-requests/{id}/manifest.json", tag = "data requests", params(("id" = String, Path,)),
    responses((status = 200, description = "The manifest, as it is in the bundle", body = registry_etl::releases::Manifest), (status = 403, description = "The request is not open"),
        (status = 404, description = "No such request"), (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn manifest(
    caller: Allowed<ReadsRequests>,
    request: HttpRequest,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    let (id, plain) = (id.into_inner(), Form::PLAIN);
    let asked = (caller.scope, id, "manifest.json".to_owned());
    one_file(asked, plain, takes(&request), state).await
}

/// One file of the request's bundle; `cases.parquet` is the table `cases.csv` as Parquet.
#[utoipa::path(get, path = "/api/v1/data-requests/{id}/files/{name}", tag = "data requests", params(("id" = String, Path,), ("name" = String, Path,),
        ("variant" = Option<String>, Query, description = "excel: a CSV file with byte order mark and semicolons, without formulas; no digest, no ranges")),
    responses((status = 200, description = "The file"), (status = 206, description = "The range asked for"), (status = 403, description = "The request is not open"),
        (status = 404, description = "No such request or file"), (status = 422, description = "A form that the file does not have"), (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn file(
    caller: Allowed<ReadsRequests>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: web::Query<Form>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    let (id, name) = path.into_inner();
    one_file(
        (caller.scope, id, name),
        form.into_inner(),
        takes(&request),
        state,
    )
    .await
}

/// Whether the file itself is asked for, which counts as a download, or what stands about it in the head alone.
fn takes(request: &HttpRequest) -> bool {
    request.method() != Method::HEAD
}

/// `asked`: who asks, the request, and the name of the file.
async fn one_file(
    (scope, id, name): (Scope, String, String),
    form: Form,
    taken: bool,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    blocking(move || {
        let (request, bundle, path) = crate::releases::request_bundle(&state, &scope, &id)?;
        let file = form.of(Frozen::entry(&path, &name, &bundle.manifest)?)?;
        if taken {
            count(&state, &scope, &request.request_id, &name)?;
        }
        Ok(file)
    })
    .await
}

/// Everything that was approved, as a zip.
#[utoipa::path(get, path = "/api/v1/data-requests/{id}/bundle.zip", tag = "data requests", params(("id" = String, Path,)),
    responses((status = 200, description = "The bundle"), (status = 206, description = "The range asked for"), (status = 403, description = "The request is not open"),
        (status = 404, description = "No such request"), (status = 410, description = "Cannot be built again as it was")), security(("key" = [])))]
pub(in crate::routes) async fn bundle(
    caller: Allowed<ReadsRequests>,
    request: HttpRequest,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Frozen, Problem> {
    let taken = takes(&request);
    blocking(move || {
        let (request, bundle, path) = crate::releases::request_bundle(&state, &caller.scope, &id)?;
        let name = format!("rps-registry-{}-{}.zip", request.release_id, request.request_id);
        let file = Frozen::bundle(path, bundle.bytes, &bundle.sha256, name)?;
        if taken {
            count(&state, &caller.scope, &request.request_id, "bundle.zip")?;
        }
        Ok(file)
    })
    .await
}

/// Counts the download; a request that was closed meanwhile says so.
fn count(state: &AppState, scope: &Scope, request: &str, file: &str) -> Result<(), Problem> {
    let counted: Result<(), Problem> = state
        .store
        .count_download(scope, request, file)
        .map_err(Problem::from);
    counted.map_err(|problem| match problem.kind {
        Kind::InvalidState => Problem::new(Kind::RequestNotOpen),
        _ => problem,
    })
}
