//! `/api/v1/data-requests`: what researchers ask of a release, what the coordinating office opens, and its delivery.

mod decide;
mod deliver;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::access::{Role, Scope};
use registry_core::storage::{DataAccess, DataRequest, NewDataRequest, Store};
use registry_etl::releases::unanswerable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Asked, Endpoint, Idempotent, Reply, Since, guarded, readable};
use crate::guard::{Allowed, FilesRequests, Json, NoQuery, ReadsRequests};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(crate) use decide::approve_request;
pub(super) use decide::{__path_approve, __path_decline, __path_recipients, __path_reject, __path_revoke};
pub(super) use decide::{approve, decline, recipients, reject, revoke};
pub(super) use deliver::{__path_bundle, __path_file, __path_manifest};
pub(super) use deliver::{bundle, file, manifest};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/data-requests", list),
        guarded(Method::POST, "/api/v1/data-requests", create),
        guarded(Method::GET, "/api/v1/data-requests/{id}", show),
        guarded(Method::POST, "/api/v1/data-requests/{id}:approve", approve),
        guarded(Method::POST, "/api/v1/data-requests/{id}:decline", decline),
        guarded(Method::POST, "/api/v1/data-requests/{id}:reject", reject),
        guarded(Method::POST, "/api/v1/data-requests/{id}:revoke", revoke),
        readable("/api/v1/data-requests/{id}/manifest.json", manifest),
        readable("/api/v1/data-requests/{id}/files/{name}", file),
        readable("/api/v1/data-requests/{id}/bundle.zip", bundle),
        guarded(Method::GET, "/api/v1/withdrawals/{record}/recipients", recipients),
    ]
}

/// A request as it is answered: what is stored, and whether it is open today.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DataRequestShown)]
struct Shown {
    #[serde(flatten)]
    request: DataRequest,
    open: bool,
    /// Addresses.
    manifest: String,
    bundle: String,
    /// Of the bundle, once it was delivered.
    sha256: Option<String>,
    /// To whoever filed an open request: the key to read it as a REDCap project.
    #[serde(skip_serializing_if = "Option::is_none")]
    redcap_token: Option<String>,
}

impl Shown {
    fn of(request: DataRequest, today: NaiveDate) -> Self {
        let id = &request.request_id;
        Self {
            open: request.open_on(today).is_some(),
            manifest: format!("/api/v1/data-requests/{id}/manifest.json"),
            bundle: format!("/api/v1/data-requests/{id}/bundle.zip"),
            sha256: request.bundle.as_ref().map(|bundle| bundle.sha256.clone()),
            redcap_token: None,
            request,
        }
    }
}

/// A page of requests.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DataRequests)]
struct Requests {
    requests: Vec<Shown>,
    next: Option<String>,
}

fn reply(state: &AppState, request: &DataRequest) -> Result<Reply, Problem> {
    let today = state.ports.clock.now().date_naive();
    Reply::json(200, &Shown::of(request.clone(), today))
}

/// The requests, newest first: a researcher's own, all for the office.
#[utoipa::path(get, path = "/api/v1/data-requests", tag = "data requests", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "requests", body = Requests)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<ReadsRequests>,
    request: HttpRequest,
    since: web::Query<Since>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let asked = Asked::of(&request);
    blocking(move || {
        let today = state.ports.clock.now().date_naive();
        let mut requests = state.store.list_data_requests(&caller.scope)?;
        requests.retain(|one| since.takes(&[Some(one.filed_at), one.decided_at, one.revoked_at]));
        let requests = requests.into_iter().map(|one| Shown::of(one, today)).collect();
        let id = |one: &Shown| one.request.request_id.clone();
        since.page(&asked, requests, id, |requests, next| Requests { requests, next })
    })
    .await
}

/// One request; another researcher's is no such request.
#[utoipa::path(get, path = "/api/v1/data-requests/{id}", tag = "data requests", params(("id" = String, Path,)),
    responses((status = 200, description = "The request", body = Shown), (status = 404, description = "No such request")), security(("key" = [])))]
pub(super) async fn show(
    caller: Allowed<ReadsRequests>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let request = state.store.data_request(&caller.scope, &id)?;
        let today = state.ports.clock.now().date_naive();
        let mut told = Shown::of(request, today);
        // The filer's own way to read it as a REDCap project; nobody else needs it.
        if caller.scope.role() == Role::Researcher && told.open {
            let token = state.release_key.token_of_request(&told.request.request_id);
            told.redcap_token = Some(token.as_str().to_owned());
        }
        Reply::json(200, &told)
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewDataRequest)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Id of the release.
    release: String,
    title: String,
    purpose: String,
    /// An earlier request, whose pseudonyms it shares.
    continues: Option<String>,
    #[serde(default)]
    /// By name; a file of an entity stands for its open elements.
    files: Vec<String>,
    #[serde(default)]
    /// `entity.element`, those that need approval.
    elements: Vec<String>,
    #[serde(default)]
    contracted: bool,
    #[serde(default)]
    calendar_years: bool,
    #[serde(default)]
    centre_unmasked: bool,
}

/// What a request and an approval look like.
const SHAPE: &str = "send {\"release\": id, \"title\": text, \"purpose\": text, \"files\": [name], \"elements\": [\"entity.element\"], \
    \"contracted\"?: bool, \"calendar_years\"?: bool, \"centre_unmasked\"?: bool, \"continues\"?: id of an earlier request}";

/// Ask for files and elements of a release. Files by name (an entity's file stands for its open elements), elements that need approval by name.
#[utoipa::path(post, path = "/api/v1/data-requests", tag = "data requests", params(("Idempotency-Key" = Option<String>, Header,)),
    request_body = Wanted,
    responses((status = 201, description = "Filed", body = Shown), (status = 404, description = "No such release or earlier request"), (status = 422, description = "Asks for what no bundle holds")), security(("key" = [])))]
pub(super) async fn create(
    caller: Allowed<FilesRequests>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let wanted: Wanted =
        serde_json::from_value(body.value).map_err(|_| Problem::with(Kind::InvalidValue, SHAPE))?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    let asked_of = state.clone();
    let change = move |store: &Store| {
        let new = NewDataRequest {
            release_id: wanted.release,
            title: wanted.title,
            purpose: wanted.purpose,
            continues: wanted.continues,
            asked: DataAccess {
                files: wanted.files,
                elements: wanted.elements,
                contracted: wanted.contracted,
                calendar_years: wanted.calendar_years,
                centre_unmasked: wanted.centre_unmasked,
            },
        };
        check_request(&asked_of, &caller.scope, &new)?;
        let filed = store.file_data_request(&caller.scope, new);
        filed.map_err(Problem::from)
    };
    let told = move |filed: &DataRequest| {
        let today = shared.ports.clock.now().date_naive();
        let address = format!("/api/v1/data-requests/{}", filed.request_id);
        Ok(Reply::json(201, &Shown::of(filed.clone(), today))?.header("location", address))
    };
    Idempotent::change(idempotent, &state, &scope, change, told).await
}

/// Files a request after a look at what it asks for.
///
/// # Errors
/// [`Kind::InvalidValue`] names the places that ask for what no bundle holds; the store's.
pub(crate) fn file_request(
    state: &AppState,
    scope: &Scope,
    new: NewDataRequest,
) -> Result<DataRequest, Problem> {
    check_request(state, scope, &new)?;
    Ok(state.store.file_data_request(scope, new)?)
}

fn check_request(state: &AppState, scope: &Scope, new: &NewDataRequest) -> Result<(), Problem> {
    let release = state.store.release(scope, &new.release_id)?;
    let files = release.manifest.get("files").and_then(Value::as_array);
    let name = |file: &Value| file.get("name").and_then(Value::as_str).map(str::to_owned);
    let files: Vec<String> = files.into_iter().flatten().filter_map(name).collect();
    let dictionary = &state.schemas.current().dictionary;
    let wrong = unanswerable(dictionary, &files, (&new.asked.files, &new.asked.elements));
    if !wrong.is_empty() {
        let told: Vec<String> = wrong
            .iter()
            .take(20)
            .map(|(place, why)| format!("{place}: {why}"))
            .collect();
        return Err(Problem::with(Kind::InvalidValue, told.join("; ")));
    }
    Ok(())
}
