//! `POST /api/v1/cases:validate`: the verdict of a submission, nothing stored.

use actix_web::web;
use registry_core::access::Scope;
use registry_core::intake::ndjson::Item;
use registry_core::record::CentreTable;
use serde_json::{Value, json};

use crate::guard::{Allowed, RawBody, Submits};
use crate::parallel::in_order;
use crate::problem::Problem;
use crate::routes::Reply;
use crate::routes::cases::batch::items;
use crate::state::{AppState, blocking};
use crate::submission::judge;

/// Judge one record or many (a JSON array, or NDJSON) as a submission would be judged now.
#[utoipa::path(post, path = "/api/v1/cases:validate", tag = "cases",
    request_body(content = serde_json::Value, description = "A record, an array of records, or NDJSON"),
    responses((status = 200, description = "A verdict per item, in input order")), security(("key" = [])))]
pub(super) async fn validate(
    caller: Allowed<Submits>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    blocking(move || {
        let centres = state.centre_table()?;
        let results = in_order(items(&body, &state.settings.limits)?, |item| {
            verdict(&state, &caller.scope, item, &centres)
        });
        Reply::json(200, &json!({ "results": results }))
    })
    .await
}

/// The verdict on one item, as answered.
pub(in crate::routes) fn verdict(
    state: &AppState,
    scope: &Scope,
    item: Item,
    centres: &CentreTable,
) -> Value {
    match item.document {
        Err(error) => {
            let problem = Problem::from(error);
            json!({ "line": item.line, "accepted": false, "findings": [], "problem": problem.body() })
        }
        Ok(document) => {
            let verdict = judge(state, scope, &document, centres);
            json!({
                "line": item.line,
                "case": document.pointer("/patient/pseudonym_id").and_then(Value::as_str),
                "accepted": !verdict.rejected(),
                "findings": verdict.findings,
                "further_findings": verdict.further_findings,
                "derived": verdict.derived,
                "not_attested": verdict.unattested,
            })
        }
    }
}
