//! `/api/v1/tasks`: what the coordinating office has to sort out.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use registry_core::storage::{Store, Task};
use serde::{Deserialize, Serialize};

use super::{Endpoint, Idempotent, Reply, guarded};
use crate::guard::{Allowed, Coordinates, Json};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// Largest page.
const LARGEST: usize = 500;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/tasks", list),
        guarded(Method::POST, "/api/v1/tasks/{task}:close", close),
    ]
}

/// Which tasks, and the page wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    state: Option<State>,
    updated_since: Option<DateTime<Utc>>,
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    All,
}

/// A page of tasks.
#[derive(Serialize, utoipa::ToSchema)]
struct Tasks {
    tasks: Vec<Task>,
    /// How many are open.
    open: i64,
    next: Option<String>,
}

/// Open tasks, oldest first: which centre sent a pseudonym, which centre holds it, how often, since when. `state=all` gives the closed ones too.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks",
    params(("state" = Option<String>, Query, description = "`open` (without it) or `all`"), ("updated_since" = Option<String>, Query, description = "Opened or closed at this instant or later"), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "tasks, open (their number), next", body = Tasks), (status = 400, description = "A filter cannot be used")), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let wanted = wanted.into_inner();
    let limit = wanted.limit.unwrap_or(100);
    if limit == 0 || limit > LARGEST {
        return Err(Problem::with(Kind::BadQuery, format!("limit: 1 to {LARGEST}")));
    }
    let open_only = wanted.state != Some(State::All);
    let (page, open) = blocking(move || {
        let cursor = wanted.cursor.as_deref();
        let page =
            state
                .store
                .list_tasks_since(&caller.scope, open_only, wanted.updated_since, cursor, limit)?;
        Ok((page, state.store.open_tasks(&caller.scope)?))
    })
    .await?;
    let next = page.next.clone();
    let answer = Tasks {
        tasks: page.items,
        open,
        next: page.next,
    };
    Ok(Reply::json(200, &answer)?.next_page(&request, next.as_deref()))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = CloseTask)]
#[serde(deny_unknown_fields)]
struct Close {
    /// What came of it.
    resolution: String,
}

/// Close a task with what came of it: `{"resolution": ".."}`. A transfer closes the tasks of the centre that takes over by itself.
#[utoipa::path(post, path = "/api/v1/tasks/{task}:close", tag = "tasks",
    params(("task" = String, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Close,
    responses((status = 200, description = "The task, closed", body = Task), (status = 404, description = "No such task"), (status = 409, description = "Closed before"),
        (status = 422, description = "Without a resolution")), security(("key" = [])))]
pub(super) async fn close(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    task: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let close: Close = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"resolution\": text}"))?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let change = move |store: &Store| {
        let closed = store.close_task(&caller.scope, &task, &close.resolution);
        closed.map_err(Problem::from)
    };
    Idempotent::change(idempotent, &state, &scope, change, |closed| {
        Reply::json(200, closed)
    })
    .await
}
