//! One query: its history, and what people do to it.

use actix_web::{HttpRequest, web};
use registry_core::storage::{Idempotency, QueryAction, QueryEntry, QueryMove, QueryThread};
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, Json, NoQuery, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::cases::not_found;
use crate::routes::{Idempotent, Reply};
use crate::state::{AppState, blocking};

/// The answer to whoever changed a query, or the one given before.
pub(super) fn reply(thread: &QueryThread, status: u16) -> Result<Reply, Problem> {
    if let Some(answer) = &thread.replay {
        return Ok(Reply::replayed(answer.clone()));
    }
    let address = format!("/api/v1/queries/{}", thread.query.id);
    Ok(Reply::json(status, thread)?.header("location", address))
}

/// The idempotency key as the store takes it: the answer is kept in the transaction of the change.
pub(super) fn stored(given: Option<Idempotent>, status: u16) -> Option<Idempotency<QueryThread>> {
    given.map(|given| given.with_answer(move |thread| reply(thread, status)))
}

/// A query with what was said and done, and what the caller may do now (`may`).
#[utoipa::path(get, path = "/api/v1/queries/{id}", tag = "queries", params(("id" = String, Path,)),
    responses((status = 200, description = "The query with history and may", body = QueryThread), (status = 404, description = "No such query here")), security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let thread = state.store.query(&caller.scope, &id).map_err(not_found)?;
        Reply::json(200, &thread)
    })
    .await
}

/// What was said and done about a query, oldest first.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = QueryMessages)]
struct Messages {
    messages: Vec<QueryEntry>,
}

/// What was said and done, oldest first.
#[utoipa::path(get, path = "/api/v1/queries/{id}/messages", tag = "queries", params(("id" = String, Path,)),
    responses((status = 200, description = "messages: position, step, actor, role, at, text", body = Messages), (status = 404, description = "No such query here")), security(("key" = [])))]
pub(in crate::routes) async fn messages(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let thread = state.store.query(&caller.scope, &id).map_err(not_found)?;
        Reply::json(
            200,
            &Messages {
                messages: thread.history,
            },
        )
    })
    .await
}

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = QueryMessage)]
#[serde(deny_unknown_fields)]
struct Said {
    text: Option<String>,
}

async fn step(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    id: String,
    state: web::Data<AppState>,
    action: QueryAction,
    body: Json,
) -> Result<Reply, Problem> {
    let said: Said = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"text\": text}"))?;
    let asked = QueryMove {
        action,
        text: said.text,
        idempotency: stored(Idempotent::read(&request, &body.bytes)?, 200),
    };
    blocking(move || {
        let thread = state
            .store
            .move_query(&caller.scope, &id, asked)
            .map_err(not_found)?;
        reply(&thread, 200)
    })
    .await
}

/// Say something: `{"text": ".."}`. Of who is asked it is the answer, which on an edit check's query also answers its finding.
#[utoipa::path(post, path = "/api/v1/queries/{id}/messages", tag = "queries",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)), request_body = Said,
    responses((status = 200, description = "The query with history and may", body = QueryThread), (status = 404, description = "No such query here"),
        (status = 409, description = "Not now: the detail says what can be done"), (status = 422, description = "Without words")), security(("key" = [])))]
pub(in crate::routes) async fn message(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    step(
        caller,
        request,
        id.into_inner(),
        state,
        QueryAction::Message,
        body,
    )
    .await
}

/// Settle an answered query: `{}` or `{"text": ".."}`. An unanswered one is taken back by who asked, with a word why.
#[utoipa::path(post, path = "/api/v1/queries/{id}:close", tag = "queries",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)), request_body = Said,
    responses((status = 200, description = "The query with history and may", body = QueryThread), (status = 404, description = "No such query here"),
        (status = 409, description = "Not now: the detail says what can be done"), (status = 422, description = "Unanswered, and without words")), security(("key" = [])))]
pub(in crate::routes) async fn close(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    step(caller, request, id.into_inner(), state, QueryAction::Close, body).await
}

/// Ask again: `{"text": ".."}` says what the answer lacks. The finding of an edit check's query is open again, too.
#[utoipa::path(post, path = "/api/v1/queries/{id}:reopen", tag = "queries",
    params(("id" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)), request_body = Said,
    responses((status = 200, description = "The query with history and may", body = QueryThread), (status = 404, description = "No such query here"),
        (status = 409, description = "Not now: the detail says what can be done"), (status = 422, description = "Without words")), security(("key" = [])))]
pub(in crate::routes) async fn reopen(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    step(caller, request, id.into_inner(), state, QueryAction::Reopen, body).await
}
