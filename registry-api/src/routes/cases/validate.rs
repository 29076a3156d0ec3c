//! `POST /api/v1/cases:validate`: the verdict of a submission and what would become of it, nothing stored.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::intake::ndjson::Item;
use registry_core::storage::{Foreseen, Precondition, PutCase, StoreError};
use registry_core::validation::Verdict;
use serde_json::{Value, json};

use super::batch::{Sent, items, pseudonym, refusal};
use crate::guard::{Allowed, RawBody, Submits};
use crate::parallel::in_order;
use crate::problem::Problem;
use crate::routes::{Reply, header_text};
use crate::state::{AppState, blocking};
use crate::submission::{judge, to_store, told};

/// Judge one record or many (a JSON array, or NDJSON; items as `:batch` takes them) as a submission would be judged now. `would_be` says what
/// the store would make of it (`new`, `changed`, `unchanged`), `refusal` why it would not take it.
#[utoipa::path(post, path = "/api/v1/cases:validate", tag = "cases",
    params(("Change-Reason" = Option<String>, Header, description = "As the submission would have it")),
    request_body(content = crate::routes::openapi::answers::CaseRecord, description = "A record, an array of records, or NDJSON"),
    responses((status = 200, description = "A verdict per item, in input order")), security(("key" = [])))]
pub(super) async fn validate(
    caller: Allowed<Submits>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let reason = header_text(&request, "change-reason")?;
    blocking(move || {
        let items = items(&body, &state.settings.limits)?;
        let results = verdicts(&state, &caller.scope, items, reason.as_deref())?;
        Reply::json(200, &json!({ "results": results }))
    })
    .await
}

/// An item with its verdict, and what the store would be given.
enum Judged {
    /// Unreadable, or refused: there is nothing to store.
    Said(Value),
    Sound(Box<(usize, Verdict, PutCase)>),
}

/// The verdicts on items, as answered.
pub(in crate::routes) fn verdicts(
    state: &AppState,
    scope: &Scope,
    items: Vec<Item>,
    reason: Option<&str>,
) -> Result<Vec<Value>, Problem> {
    let centres = state.centre_table()?;
    let judged = in_order(items, |item| {
        let read = item.document.map_err(Problem::from).and_then(Sent::read);
        let sent = match read {
            Ok(sent) => sent,
            Err(problem) => {
                return Judged::Said(
                    json!({ "line": item.line, "accepted": false, "findings": [], "problem": problem.body() }),
                );
            }
        };
        let verdict = judge(state, scope, &sent.document, &centres);
        if verdict.rejected() || verdict.withdrawal {
            let name = pseudonym(&sent.document);
            return Judged::Said(said(item.line, name, &verdict, &BTreeSet::new()));
        }
        let put = to_store(state, sent.incoming(reason), &verdict);
        Judged::Sound(Box::new((item.line, verdict, put)))
    });
    let (mut places, mut puts) = (Vec::with_capacity(judged.len()), Vec::new());
    for one in judged {
        places.push(match one {
            Judged::Said(value) => Err(value),
            Judged::Sound(sound) => {
                let (line, verdict, put) = *sound;
                let (name, precondition) = (put.pseudonym.clone(), put.precondition.clone());
                puts.push(put);
                Ok((line, verdict, name, precondition))
            }
        });
    }
    let mut foreseen = state.store.foresee(scope, puts)?.into_iter();
    let told = places.into_iter().map(|place| match place {
        Err(value) => value,
        Ok((line, verdict, name, precondition)) => {
            let expected = foreseen.next().unwrap_or(Err(StoreError::NotFound));
            would_be(line, &name, &verdict, expected, &precondition)
        }
    });
    Ok(told.collect())
}

fn would_be(
    line: usize,
    name: &str,
    verdict: &Verdict,
    expected: Result<(Foreseen, BTreeSet<String>), StoreError>,
    precondition: &Precondition,
) -> Value {
    match expected {
        Ok((foreseen, answered)) => {
            let mut value = said(line, Some(name), verdict, &answered);
            value["would_be"] = json!(foreseen);
            value
        }
        Err(error) => {
            let mut value = said(line, Some(name), verdict, &BTreeSet::new());
            value["refusal"] = refusal(error, precondition).body();
            value
        }
    }
}

fn said(line: usize, name: Option<&str>, verdict: &Verdict, answered: &BTreeSet<String>) -> Value {
    json!({
        "line": line,
        "case": name,
        "accepted": !verdict.rejected(),
        "findings": told(verdict, answered),
        "further_findings": verdict.further_findings,
        "derived": verdict.derived,
        "not_attested": verdict.unattested,
    })
}
