//! `/api/v1/audit`: the trail and the head of its chain.

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use registry_core::audit::ChainHead;
use registry_core::storage::{AuditFilter, AuditRow};
use serde::{Deserialize, Serialize};

use super::{Endpoint, Reply, guarded};
use crate::guard::{Allowed, ReadsAudit};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![guarded(Method::GET, "/api/v1/audit", list)]
}

/// Filters and the page wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    actor: Option<String>,
    action: Option<String>,
    centre: Option<String>,
    case_id: Option<String>,
    /// `updated_since` is what every list calls it; an event is never changed.
    #[serde(alias = "updated_since")]
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// A page of events, and the head of the chain to note outside.
#[derive(Serialize, utoipa::ToSchema)]
struct Audit {
    events: Vec<AuditRow>,
    next: Option<String>,
    head: ChainHead,
}

/// Events, newest first, and the chain head to note outside.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(("actor" = Option<String>, Query,), ("action" = Option<String>, Query,), ("centre" = Option<String>, Query,), ("case_id" = Option<String>, Query,),
        ("since" = Option<String>, Query, description = "Also as updated_since"), ("until" = Option<String>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "events, next, head", body = Audit)), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<ReadsAudit>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let wanted = wanted.into_inner();
    let limit = wanted.limit.unwrap_or(100);
    if limit == 0 || limit > 1000 {
        return Err(Problem::with(Kind::BadQuery, "limit: 1 to 1000"));
    }
    let filter = AuditFilter {
        actor: wanted.actor,
        action: wanted.action,
        centre: wanted.centre,
        case_id: wanted.case_id,
        since: wanted.since,
        until: wanted.until,
    };
    let (page, head) = blocking(move || {
        let page = state
            .store
            .list_audit(&caller.scope, &filter, wanted.cursor.as_deref(), limit)?;
        Ok((page, state.store.audit_head()?))
    })
    .await?;
    let next = page.next.clone();
    let answer = Audit {
        events: page.items,
        next: page.next,
        head,
    };
    Ok(Reply::json(200, &answer)?.next_page(&request, next.as_deref()))
}
