//! What the coordinating office does with a request.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_core::storage::{DataAccess, DataRequest, Recipient, Store, StoreError};
use registry_etl::releases::quasi_identifiers;
use serde::{Deserialize, Serialize};

use super::super::{Idempotent, Reply};
use super::{Shown, reply};
use crate::guard::{Allowed, Coordinates, Json, NoQuery};
use crate::problem::{Kind, Problem};
use crate::releases::approved;
use crate::state::{AppState, blocking};

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Approval)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// Last day (UTC) on which the bundle is handed out.
    expires_on: NaiveDate,
    /// Without it, all that was asked.
    access: Option<DataAccess>,
}

/// Open what was asked, or less, through a day (UTC).
#[utoipa::path(post, path = "/api/v1/data-requests/{id}:approve", tag = "data requests",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Approval,
    responses((status = 200, description = "The request, approved", body = Shown), (status = 404, description = "No such request"), (status = 409, description = "Decided before, or to be joined with what an earlier request of the same pseudonyms opened"),
        (status = 422, description = "More than was asked, or a day that is past")), security(("key" = [])))]
pub(in crate::routes) async fn approve(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let approval: Approval = serde_json::from_value(body.value).map_err(|_| {
        let shape = "send {\"expires_on\": \"YYYY-MM-DD\", \"access\"?: what is opened}";
        Problem::with(Kind::InvalidValue, shape)
    })?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let (scope, shared, asked_of) = (caller.scope.clone(), state.clone(), state.clone());
    let change = move |_: &Store| {
        let Approval { expires_on, access } = approval;
        approve_request(&asked_of, &caller.scope, &id, access, expires_on)
    };
    Idempotent::change(idempotent, &state, &scope, change, move |approved| {
        reply(&shared, approved)
    })
    .await
}

/// Approves a request, in whole without `access`, after a look at what its filer has under the same pseudonyms.
///
/// # Errors
/// [`Kind::InvalidState`] where two bundles would be joined into groups smaller than either has; the store's.
pub(crate) fn approve_request(
    state: &AppState,
    scope: &Scope,
    id: &str,
    access: Option<DataAccess>,
    expires_on: NaiveDate,
) -> Result<DataRequest, Problem> {
    let request = state.store.data_request(scope, id)?;
    let access = access.unwrap_or_else(|| request.asked.clone());
    not_to_be_joined(state, scope, &request, &access)?;
    Ok(state.store.approve_data_request(scope, id, access, expires_on)?)
}

/// Requests that continue each other have the same pseudonyms, so that the quasi-identifiers of one join those of the other, and groups are as
/// large as each bundle wants them in each bundle only. Without a contract there is one set of quasi-identifiers to all of them.
fn not_to_be_joined(
    state: &AppState,
    scope: &Scope,
    request: &DataRequest,
    access: &DataAccess,
) -> Result<(), Problem> {
    if access.contracted {
        return Ok(());
    }
    let today = state.ports.clock.now().date_naive();
    let dictionary = &state.schemas.current().dictionary;
    let of = |access: &DataAccess| Ok::<_, Problem>(quasi_identifiers(dictionary, &approved("", access))?);
    let own = of(access)?;
    for other in state.store.list_data_requests(scope)? {
        let same_line = other.line == request.line && other.request_id != request.request_id;
        // What was never opened, or closed before anything was built of it, is in nobody's hands.
        let out = other.bundle.is_some() || other.open_on(today).is_some();
        let Some(opened) = other.approved.as_ref().filter(|_| same_line && out) else {
            continue;
        };
        let theirs = of(opened)?;
        if opened.contracted || theirs != own {
            let named = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>().join(", ");
            return Err(Problem::with(
                Kind::InvalidState,
                format!(
                    "request {} was opened {} with {}, and this one would have {} under the same pseudonyms: joined, groups of patients would be \
                     smaller than either bundle has them. Approve it under contract, with the same of these columns, or have it filed again with new \
                     pseudonyms",
                    other.request_id,
                    if opened.contracted {
                        "under contract"
                    } else {
                        "without a contract"
                    },
                    named(&theirs),
                    named(&own),
                ),
            ));
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = EndOfRequest)]
#[serde(deny_unknown_fields)]
struct Because {
    /// Read by whoever asked.
    reason: String,
}

/// What ends a request: scope, request, reason.
type Ending = fn(&Store, &Scope, &str, &str) -> Result<DataRequest, StoreError>;

async fn close(
    ending: Ending,
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let because: Because = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"reason\": text}"))?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    let change = move |store: &Store| {
        let ended = ending(store, &caller.scope, &id, &because.reason);
        ended.map_err(Problem::from)
    };
    Idempotent::change(idempotent, &state, &scope, change, move |ended| {
        reply(&shared, ended)
    })
    .await
}

/// Decline a request with a reason.
#[utoipa::path(post, path = "/api/v1/data-requests/{id}:decline", tag = "data requests",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Because,
    responses((status = 200, description = "The request, declined", body = Shown), (status = 404, description = "No such request"), (status = 409, description = "Decided before"),
        (status = 422, description = "Without a reason")), security(("key" = [])))]
pub(in crate::routes) async fn decline(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    close(Store::decline_data_request, caller, request, id, state, body).await
}

/// Decline a request with a reason: `:decline` by the name it has in the contract.
#[utoipa::path(post, path = "/api/v1/data-requests/{id}:reject", tag = "data requests",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Because,
    responses((status = 200, description = "The request, declined", body = Shown), (status = 404, description = "No such request"), (status = 409, description = "Decided before"),
        (status = 422, description = "Without a reason")), security(("key" = [])))]
pub(in crate::routes) async fn reject(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    close(Store::decline_data_request, caller, request, id, state, body).await
}

/// Close an approved request with a reason, effective at the next download.
#[utoipa::path(post, path = "/api/v1/data-requests/{id}:revoke", tag = "data requests",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Because,
    responses((status = 200, description = "The request, revoked", body = Shown), (status = 404, description = "No such request"), (status = 409, description = "Not approved"),
        (status = 422, description = "Without a reason")), security(("key" = [])))]
pub(in crate::routes) async fn revoke(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    close(Store::revoke_data_request, caller, request, id, state, body).await
}

/// Who holds data of a record.
#[derive(Serialize, utoipa::ToSchema)]
struct Recipients<'a> {
    record_id: &'a str,
    /// Ids of releases that hold it.
    releases: Vec<String>,
    recipients: Vec<Recipient>,
}

/// Which releases were made of a record, and whose delivered bundles held it; also after its withdrawal or erasure.
#[utoipa::path(get, path = "/api/v1/withdrawals/{record}/recipients", tag = "data requests", params(("record" = String, Path, description = "Record id"),),
    responses((status = 200, description = "record_id, releases, recipients; empty for a record that nobody held", body = Recipients)), security(("key" = [])))]
pub(in crate::routes) async fn recipients(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    record: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let releases = state.store.releases_of_record(&caller.scope, &record)?;
        let recipients = state.store.recipients_of(&caller.scope, &record)?;
        let answer = Recipients {
            record_id: record.as_str(),
            releases,
            recipients,
        };
        Reply::json(200, &answer)
    })
    .await
}
