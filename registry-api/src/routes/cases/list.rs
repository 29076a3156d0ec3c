//! `GET /api/v1/cases`: one page of the cases within the scope.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use registry_core::storage::{CaseFilter, CaseRow, CaseStatus};
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::Reply;
use crate::state::{AppState, blocking};

/// Largest page.
const LARGEST: usize = 500;

/// Filters and the page wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    centre: Option<String>,
    status: Option<String>,
    histology: Option<String>,
    updated_since: Option<DateTime<Utc>>,
    has_findings: Option<bool>,
    has_errors: Option<bool>,
    #[serde(default)]
    include_withdrawn: bool,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// A page of cases.
#[derive(Serialize, utoipa::ToSchema)]
struct Cases {
    cases: Vec<CaseRow>,
    next: Option<String>,
}

/// One page of cases, oldest first; `Link: rel="next"` leads on.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases",
    params(("centre" = Option<String>, Query,), ("status" = Option<String>, Query,), ("histology" = Option<String>, Query,), ("updated_since" = Option<String>, Query,),
        ("has_findings" = Option<bool>, Query,), ("has_errors" = Option<bool>, Query,), ("include_withdrawn" = Option<bool>, Query,), ("cursor" = Option<String>, Query,), ("limit" = Option<usize>, Query,)),
    responses((status = 200, description = "cases, next", body = Cases), (status = 400, description = "A filter cannot be used")), security(("key" = [])))]
pub(super) async fn list(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let wanted = wanted.into_inner();
    let limit = wanted.limit.unwrap_or(100);
    if limit == 0 || limit > LARGEST {
        return Err(Problem::with(Kind::BadQuery, format!("limit: 1 to {LARGEST}")));
    }
    let status =
        match wanted.status.as_deref() {
            None => None,
            Some(text) => Some(CaseStatus::parse(text).ok_or_else(|| {
                Problem::with(Kind::BadQuery, "status: draft, submitted, verified or locked")
            })?),
        };
    let filter = CaseFilter {
        centre: wanted.centre,
        status,
        histology: wanted.histology,
        updated_since: wanted.updated_since,
        has_findings: wanted.has_findings,
        has_errors: wanted.has_errors,
        include_withdrawn: wanted.include_withdrawn,
    };
    let page = blocking(move || {
        Ok(state
            .store
            .list_cases(&caller.scope, &filter, wanted.cursor.as_deref(), limit)?)
    })
    .await?;
    let next = page.next.clone();
    let answer = Cases {
        cases: page.items,
        next: page.next,
    };
    Ok(Reply::json(200, &answer)?.next_page(&request, next.as_deref()))
}
