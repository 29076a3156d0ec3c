//! `POST /api/v1/cases/{pseudonym}:withdraw`: withdrawal of consent.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::storage::{Precondition, Withdraw, WithdrawOutcome, WithdrawalMode};
use serde::Deserialize;

use super::not_found;
use crate::guard::{Allowed, Json, SeesCases};
use crate::problem::{Kind, Problem};
use crate::releases::discard_with;
use crate::routes::{Idempotent, Reply};
use crate::state::{AppState, blocking};
use crate::submission::{Dated, Withdrawn, told_withdrawal, withdrawn};

/// What is asked.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = Withdraw)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// `no_further_use` or `erase`.
    #[schema(value_type = String, example = "erase")]
    mode: WithdrawalMode,
    /// When consent was withdrawn.
    date: NaiveDate,
    /// `patient_asked`, `representative_asked`, `no_valid_consent`, `entered_in_error` or `authority_decided`: kept after an erasure. Other
    /// words are sealed with the case, and an erasure takes them along.
    reason: Option<String>,
    /// The centre, when a coordinator asks.
    centre: Option<String>,
}

/// Withdraw consent: `no_further_use` leaves every later run and release; `erase` destroys the case's key.
#[utoipa::path(post, path = "/api/v1/cases/{pseudonym}:withdraw", tag = "cases",
    params(("pseudonym" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Asked,
    responses((status = 200, description = "Withdrawn; lists the releases that held the case", body = Withdrawn), (status = 404, description = "No such case here")), security(("key" = [])))]
pub(super) async fn withdraw(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let asked: Asked = serde_json::from_value(body.value).map_err(|_| {
        Problem::with(
            Kind::InvalidValue,
            "send {\"mode\": \"no_further_use\" or \"erase\", \"date\": date, \"reason\"?: text, \"centre\"?: id}",
        )
    })?;
    let dated = Dated::Sent(asked.date);
    blocking(move || {
        let withdraw = Withdraw {
            pseudonym: pseudonym.into_inner(),
            centre: asked.centre.or_else(|| caller.scope.centre().map(str::to_owned)),
            mode: asked.mode,
            date: asked.date,
            reason: asked.reason,
            document: None,
            precondition: Precondition::Whatever,
            idempotency: idempotent
                .map(|given| given.with_answer(move |outcome: &WithdrawOutcome| withdrawn(outcome, dated))),
        };
        let outcome = state.store.withdraw(&caller.scope, withdraw).map_err(not_found)?;
        discard_with(&state, &outcome.case_id);
        told_withdrawal(outcome, dated)
    })
    .await
}
