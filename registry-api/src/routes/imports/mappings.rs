//! `/api/v1/imports/mappings`: how a centre's own REDCap project is read.

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::storage::MappingInfo;
use serde::Serialize;

use crate::guard::{Allowed, NoQuery, RawBody, Submits};
use crate::imports;
use crate::problem::{Kind, Problem};
use crate::routes::{Asked, Reply, Since};
use crate::state::{AppState, blocking};

/// A page of mappings.
#[derive(Serialize, utoipa::ToSchema)]
struct Mappings {
    mappings: Vec<MappingInfo>,
    next: Option<String>,
}

/// A mapping that is kept.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KeptMapping)]
struct Kept<'a> {
    /// Its name.
    mapping: &'a str,
}

/// The centre's mappings: names, by whom, since when.
#[utoipa::path(get, path = "/api/v1/imports/mappings", tag = "imports", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "The mappings", body = Mappings)), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<Submits>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let mut mappings = state.store.list_mappings(&caller.scope)?;
        mappings.retain(|mapping| since.takes(&[Some(mapping.updated_at)]));
        let id = |mapping: &MappingInfo| mapping.name.clone();
        since.page(&asked, mappings, id, |mappings, next| Mappings { mappings, next })
    })
    .await
}

/// One mapping (TOML).
#[utoipa::path(get, path = "/api/v1/imports/mappings/{name}", tag = "imports", params(("name" = String, Path,)),
    responses((status = 200, description = "The mapping", content_type = "application/toml"), (status = 404, description = "No such mapping")),
    security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<Submits>,
    _: NoQuery,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let text = state.store.mapping(&caller.scope, &name)?;
        Ok(Reply::text("application/toml", text))
    })
    .await
}

/// Keep a mapping (TOML) under a name, in place of an earlier one. Refused with all its problems.
#[utoipa::path(put, path = "/api/v1/imports/mappings/{name}", tag = "imports", params(("name" = String, Path,)),
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "Kept", body = Kept), (status = 422, description = "The mapping does not fit the dictionary")),
    security(("key" = [])))]
pub(in crate::routes) async fn put(
    caller: Allowed<Submits>,
    name: web::Path<String>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    blocking(move || {
        keep(&state, &caller.scope, &name, &body.bytes)?;
        Reply::json(200, &Kept { mapping: &name })
    })
    .await
}

/// Keeps a mapping that fits the dictionary.
///
/// # Errors
/// [`Kind::InvalidValue`] with all its problems, or a name that is none.
pub(crate) fn keep(state: &AppState, scope: &Scope, name: &str, file: &[u8]) -> Result<(), Problem> {
    let text = std::str::from_utf8(file)
        .map_err(|_| Problem::with(Kind::InvalidValue, "a mapping is UTF-8 text (TOML)"))?;
    imports::mapping(&state.schemas, text).map_err(|why| Problem::with(Kind::InvalidValue, why))?;
    Ok(state.store.put_mapping(scope, name, text)?)
}
