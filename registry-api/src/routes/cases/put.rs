//! `PUT /api/v1/cases/{pseudonym}`: create or replace one case.

use actix_web::{HttpRequest, web};
use serde::Deserialize;

use super::precondition;
use crate::guard::{Allowed, Json, Submits};
use crate::problem::Problem;
use crate::routes::{Idempotent, Reply, header_text};
use crate::state::{AppState, blocking};
use crate::submission::{AnswerToRecord, Incoming, submit};

/// How to store.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Keep for the centre, out of runs.
    #[serde(default)]
    draft: bool,
    /// Answer with the assessment of the case: met, not met or not assessable, and the care gaps, those still open in time first.
    #[serde(default)]
    assess: bool,
}

/// Create or replace one case. Creating needs no header (or `If-None-Match: *`); replacing needs `If-Match`.
#[utoipa::path(put, path = "/api/v1/cases/{pseudonym}", tag = "cases",
    params(("pseudonym" = String, Path,), ("draft" = Option<bool>, Query,), ("assess" = Option<bool>, Query, description = "With the assessment of the case: lines (met, not met, or not assessable with reason and element) and care_gaps"), ("If-Match" = Option<String>, Header,),
        ("If-None-Match" = Option<String>, Header,), ("Change-Reason" = Option<String>, Header,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body(content = crate::routes::openapi::answers::CaseRecord, description = "The case record; see /api/v1/schemas"),
    responses((status = 200, description = "Replaced, or unchanged", body = AnswerToRecord), (status = 201, description = "Created", body = AnswerToRecord), (status = 409, description = "Registered elsewhere, or withdrawn"),
        (status = 412, description = "Not at the named version"), (status = 422, description = "Refused, with every finding"), (status = 428, description = "If-Match is missing")),
    security(("key" = [])))]
pub(super) async fn put(
    caller: Allowed<Submits>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    options: web::Query<Options>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let incoming = Incoming {
        pseudonym: pseudonym.into_inner(),
        precondition: precondition(&request)?,
        reason: header_text(&request, "change-reason")?,
        draft: Some(options.draft),
        assess: options.assess,
        idempotent: Idempotent::read(&request, &body.bytes)?,
        body: body.value,
    };
    blocking(move || submit(&state, &caller.scope, incoming)).await
}
