//! `/api/v1/cases/{pseudonym}/findings`: what the checks say, with the life of each finding, and the centre's answers to warnings.

use actix_web::{HttpRequest, web};
use registry_core::storage::{FindingState, LivingFinding, Store};
use serde::{Deserialize, Serialize};

use super::not_found;
use crate::guard::{Allowed, Json, SeesCases, Submits};
use crate::problem::{Kind, Problem};
use crate::routes::{Idempotent, Reply};
use crate::state::{AppState, blocking};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    state: Option<Wanted>,
}

/// Which findings to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Open,
    Answered,
    Resolved,
    /// With those that later versions resolved.
    All,
}

impl Wanted {
    fn takes(wanted: Option<Self>, finding: &LivingFinding) -> bool {
        match wanted {
            None => finding.state != FindingState::Resolved,
            Some(Wanted::All) => true,
            Some(Wanted::Open) => finding.state == FindingState::Open,
            Some(Wanted::Answered) => finding.state == FindingState::Answered,
            Some(Wanted::Resolved) => finding.state == FindingState::Resolved,
        }
    }
}

/// The findings of a case.
#[derive(Serialize, utoipa::ToSchema)]
struct Findings {
    findings: Vec<LivingFinding>,
}

/// The findings of the current version, one of each identity: open, or answered by the centre. `state=resolved|all` gives the earlier ones.
#[utoipa::path(get, path = "/api/v1/cases/{pseudonym}/findings", tag = "cases",
    params(("pseudonym" = String, Path,), ("state" = Option<String>, Query, description = "`open`, `answered`, `resolved` or `all`; without it what the current version fires")),
    responses((status = 200, description = "Findings, each with state, first_version, last_version and its answer", body = Findings), (status = 404, description = "No such case here")), security(("key" = [])))]
pub(super) async fn findings(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    filter: web::Query<Filter>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let mut findings = state
            .store
            .findings(&caller.scope, &pseudonym)
            .map_err(not_found)?;
        findings.retain(|finding| Wanted::takes(filter.state, finding));
        Reply::json(200, &Findings { findings })
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = AnswerToFinding)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// Why the warning stands.
    reason: String,
}

/// Say why a warning stands: `{"reason": ".."}`. It counts no longer until an element it rests on changes.
#[utoipa::path(post, path = "/api/v1/cases/{pseudonym}/findings/{identity}:answer", tag = "cases",
    params(("pseudonym" = String, Path,), ("identity" = String, Path, description = "Of the finding"), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Answer,
    responses((status = 200, description = "The finding, answered", body = LivingFinding), (status = 404, description = "No such case here, or its current version does not fire the finding"),
        (status = 409, description = "An error is corrected, not answered"), (status = 422, description = "Without a reason")), security(("key" = [])))]
pub(super) async fn answer(
    caller: Allowed<Submits>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let answer: Answer = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"reason\": text}"))?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let (pseudonym, identity) = path.into_inner();
        let finding = store.answer_finding(&caller.scope, &pseudonym, &identity, &answer.reason);
        finding.map_err(not_found)
    };
    Idempotent::change(idempotent, &state, &scope, change, |finding| {
        Reply::json(200, finding)
    })
    .await
}
