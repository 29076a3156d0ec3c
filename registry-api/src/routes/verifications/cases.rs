//! One case of a sample: entered again, compared, set back.

use actix_web::{HttpRequest, web};
use registry_core::storage::{SampledCase, Store, StoreError};
use registry_core::verification::Difference;
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, Coordinates, Json, NoQuery, SeesCases, Submits};
use crate::problem::{Kind, Problem};
use crate::routes::{Idempotent, Reply, not_found};
use crate::state::{AppState, blocking};
use crate::verification::{self, Compared};

/// A case of a sample.
#[derive(Serialize, utoipa::ToSchema)]
struct CaseOfSample<'a> {
    #[serde(flatten)]
    case: SampledCase,
    /// Once it was entered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<AgreementOfCase<'a>>,
    /// Until then: why the caller may not enter it again, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    not_by_you: Option<Option<&'static str>>,
}

/// A case of a sample: whether it was entered again, and then where the two documents differ (pointers and kinds, no values).
#[utoipa::path(get, path = "/api/v1/verifications/{verification}/cases/{pseudonym}", tag = "verifications",
    params(("verification" = String, Path,), ("pseudonym" = String, Path,)),
    responses((status = 200, description = "The case, with its agreement once it was entered again", body = CaseOfSample), (status = 404, description = "No such case in this sample here")), security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let (id, pseudonym) = path.into_inner();
    blocking(move || {
        let (case, why_not) = state
            .store
            .sampled_case(&caller.scope, &id, &pseudonym)
            .map_err(not_found)?;
        let compared = match state.store.reentered_case(&caller.scope, &id, &pseudonym) {
            Ok(reentered) => Some(Compared::of(&state, reentered)),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(not_found(error)),
        };
        let answer = CaseOfSample {
            case,
            not_by_you: compared.is_none().then_some(why_not),
            agreement: compared.as_ref().map(|compared| told(&state, compared)),
        };
        Reply::json(200, &answer)
    })
    .await
}

/// How far a case agrees, and where it does not.
pub(super) fn told<'a>(state: &AppState, compared: &'a Compared) -> AgreementOfCase<'a> {
    let comparison = &compared.comparison;
    AgreementOfCase {
        compared: comparison.compared(),
        agreeing: comparison.agreeing(),
        share: comparison.share(),
        may_be_verified: compared.may_be_verified(state),
        differences: &comparison.differences,
    }
}

/// How far a case agrees with what was entered again.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AgreementOfCase<'a> {
    compared: usize,
    agreeing: usize,
    share: Option<f64>,
    may_be_verified: bool,
    /// Pointers and kinds, no values.
    differences: &'a [Difference],
}

/// Enter a sampled case again from the source, in full and without sight of what is stored. It goes through the same checks as a submission
/// and becomes no version of the case. Once, and by somebody who entered no version of the case up to the draw.
#[utoipa::path(put, path = "/api/v1/verifications/{verification}/cases/{pseudonym}", tag = "verifications",
    params(("verification" = String, Path,), ("pseudonym" = String, Path,)),
    request_body(content = crate::routes::openapi::answers::CaseRecord, description = "The case record; see /api/v1/schemas"),
    responses((status = 201, description = "Kept, with what the checks found", body = crate::verification::Reentered), (status = 404, description = "No such case in this sample here"),
        (status = 409, description = "Entered again already, entered by the caller in the first place, or withdrawn"), (status = 422, description = "Refused, with every finding")),
    security(("key" = [])))]
pub(in crate::routes) async fn reenter(
    caller: Allowed<Submits>,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let (id, pseudonym) = path.into_inner();
    blocking(move || {
        let kept = verification::reenter(&state, &caller.scope, &id, &pseudonym, &body.value)?;
        let place = format!("/api/v1/verifications/{id}/cases/{pseudonym}");
        Ok(Reply::json(201, &kept)?.header("location", place))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ResetOfSample)]
#[serde(deny_unknown_fields)]
struct Reset {
    reason: String,
}

/// Take back what was entered again for a case: `{"reason": ".."}`. It can then be entered once more.
#[utoipa::path(post, path = "/api/v1/verifications/{verification}/cases/{pseudonym}:reset", tag = "verifications",
    params(("verification" = String, Path,), ("pseudonym" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Reset,
    responses((status = 200, description = "The case, to be entered again", body = SampledCase), (status = 404, description = "No such case in this sample"),
        (status = 409, description = "Nothing was entered again"), (status = 422, description = "Without a reason")), security(("key" = [])))]
pub(in crate::routes) async fn reset(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let reset: Reset = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"reason\": text}"))?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let (id, pseudonym) = path.into_inner();
        let case = store.reset_reentry(&caller.scope, &id, &pseudonym, &reset.reason);
        case.map_err(not_found)
    };
    Idempotent::change(idempotent, &state, &scope, change, |case| Reply::json(200, case)).await
}
