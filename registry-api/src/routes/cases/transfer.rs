//! `POST /api/v1/cases/{pseudonym}:transfer`: a case changes hands.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::storage::{Precondition, Store, Transfer, TransferOutcome};
use serde::Deserialize;

use super::{not_found, precondition};
use crate::guard::{Allowed, Coordinates, Json};
use crate::problem::{Kind, Problem};
use crate::routes::{Idempotent, Reply};
use crate::state::AppState;

/// What is asked.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = TransferCase)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The centre that has it.
    from: String,
    /// The centre that takes it over.
    to: String,
    /// From this day on it is with the other centre.
    on: NaiveDate,
    reason: String,
}

/// Transfer a case to another centre, with its whole history. From `on` on it is with the other centre: what is dated before counts for
/// the earlier one in every later run. To the earlier centre there is no such case any more. Open tasks of the receiving centre are closed.
#[utoipa::path(post, path = "/api/v1/cases/{pseudonym}:transfer", tag = "cases",
    params(("pseudonym" = String, Path,), ("If-Match" = Option<String>, Header,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Asked,
    responses((status = 200, description = "Transferred; the new ETag and the number of tasks closed", body = TransferOutcome), (status = 404, description = "No such case"),
        (status = 409, description = "Not with `from`, withdrawn, `to` takes no part any more, or a run is active"), (status = 412, description = "Not at this version"),
        (status = 422, description = "Without a reason, for an unknown centre or the same one, or for a day that cannot be")), security(("key" = [])))]
pub(super) async fn transfer(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let precondition = match precondition(&request)? {
        Precondition::None => Precondition::Whatever,
        given => given,
    };
    let asked: Asked = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"from\": id, \"to\": id, \"on\": date, \"reason\": text}",
        )
    })?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let transfer = Transfer {
            pseudonym: pseudonym.into_inner(),
            from: asked.from,
            to: asked.to,
            on: asked.on,
            reason: asked.reason,
            precondition,
        };
        store.transfer_case(&caller.scope, transfer).map_err(not_found)
    };
    let told = |done: &TransferOutcome| Ok(Reply::json(200, done)?.header("etag", done.etag.clone()));
    Idempotent::change(idempotent, &state, &scope, change, told).await
}
