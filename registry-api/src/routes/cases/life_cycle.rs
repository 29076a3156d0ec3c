//! `:verify`, `:lock`, `:unlock`: the steps of a case's life.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::storage::{CaseRow, LifeCycle, Store};
use serde::Deserialize;

use super::not_found;
use crate::guard::{Allowed, Json, LeadsCentre, RawBody};
use crate::problem::{Kind, Problem};
use crate::routes::{Idempotent, Reply, header_text};
use crate::state::AppState;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Lock)]
#[serde(deny_unknown_fields)]
struct Lock {
    /// The last day that is frozen.
    through: NaiveDate,
}

async fn step(
    caller: Allowed<LeadsCentre>,
    request: HttpRequest,
    pseudonym: String,
    state: web::Data<AppState>,
    step: LifeCycle,
    body: &[u8],
) -> Result<Reply, Problem> {
    let reason = header_text(&request, "change-reason")?;
    let idempotent = Idempotent::read(&request, body)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let moved = store.move_case(&caller.scope, &pseudonym, step, reason.as_deref());
        moved.map_err(not_found)
    };
    let told = |row: &CaseRow| Ok(Reply::json(200, row)?.header("etag", row.etag.clone()));
    Idempotent::change(idempotent, &state, &scope, change, told).await
}

/// A submitted case has been checked against its source.
#[utoipa::path(post, path = "/api/v1/cases/{pseudonym}:verify", tag = "cases",
    params(("pseudonym" = String, Path,), ("Change-Reason" = Option<String>, Header,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, description = "Verified", body = CaseRow), (status = 409, description = "Not in a state to be verified")), security(("key" = [])))]
pub(super) async fn verify(
    caller: Allowed<LeadsCentre>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    step(
        caller,
        request,
        pseudonym.into_inner(),
        state,
        LifeCycle::Verify,
        &body.bytes,
    )
    .await
}

/// Freeze a case through a date: `{"through": "2026-06-30"}`; needs a `Change-Reason`.
#[utoipa::path(post, path = "/api/v1/cases/{pseudonym}:lock", tag = "cases",
    params(("pseudonym" = String, Path,), ("Change-Reason" = String, Header,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Lock,
    responses((status = 200, description = "Locked", body = CaseRow), (status = 409, description = "Not in a state to be locked"), (status = 422, description = "Without a reason, for a day to come, or the idempotency key was used with another request")), security(("key" = [])))]
pub(super) async fn lock(
    caller: Allowed<LeadsCentre>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let lock: Lock = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"through\": date}"))?;
    step(
        caller,
        request,
        pseudonym.into_inner(),
        state,
        LifeCycle::Lock {
            through: lock.through,
        },
        &body.bytes,
    )
    .await
}

/// Open a locked case again; needs a `Change-Reason`.
#[utoipa::path(post, path = "/api/v1/cases/{pseudonym}:unlock", tag = "cases",
    params(("pseudonym" = String, Path,), ("Change-Reason" = String, Header,), ("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 200, description = "Verified again", body = CaseRow), (status = 422, description = "Without a reason")), security(("key" = [])))]
pub(super) async fn unlock(
    caller: Allowed<LeadsCentre>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    step(
        caller,
        request,
        pseudonym.into_inner(),
        state,
        LifeCycle::Unlock,
        &body.bytes,
    )
    .await
}
