//! `/api/v1/jobs`: how far the centre's jobs are, and what they report; the coordinating office reads those of every centre.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use registry_core::storage::Job;
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, NoQuery, SeesCases};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::state::{AppState, blocking};

/// Jobs on a page.
const PAGE: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Options {
    cursor: Option<String>,
    /// With a sign of life at this instant or later.
    updated_since: Option<DateTime<Utc>>,
}

/// A page of jobs; the next by the `Link` header.
#[derive(Serialize, utoipa::ToSchema)]
struct Jobs {
    jobs: Vec<Job>,
}

/// The centre's jobs, newest first; those of every centre for the coordinating office.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "imports", params(("updated_since" = Option<String>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, description = "Jobs", body = Jobs)), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    options: web::Query<Options>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let page = blocking(move || {
        let cursor = options.cursor.as_deref();
        let since = options.updated_since;
        Ok(state.store.list_jobs_since(&caller.scope, since, cursor, PAGE)?)
    })
    .await?;
    Ok(Reply::json(200, &Jobs { jobs: page.items })?.next_page(&request, page.next.as_deref()))
}

/// One job: state, counts, why it failed.
#[utoipa::path(get, path = "/api/v1/jobs/{job}", tag = "imports", params(("job" = String, Path,)),
    responses((status = 200, description = "The job", body = Job), (status = 404, description = "No such job")), security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    job: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || Reply::json(200, &state.store.job(&caller.scope, &job)?)).await
}

/// The report so far, a line per finding: case, severity, code, place (file, line, column), message. Of an import, a line of severity `info`
/// follows for each case: its code says what became of it (`created`, `changed`, `unchanged`, `refused`), or would in a dry run. Of a batch,
/// a line per item, with its answer.
#[utoipa::path(get, path = "/api/v1/jobs/{job}/report", tag = "imports", params(("job" = String, Path,)),
    responses((status = 200, description = "The report", content_type = "application/x-ndjson"), (status = 404, description = "No such job")),
    security(("key" = [])))]
pub(in crate::routes) async fn report(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    job: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let job = job.into_inner();
    let read = move |part: i64| {
        let (state, scope, job) = (state.clone(), caller.scope.clone(), job.clone());
        blocking(move || Ok(state.store.job_report(&scope, &job, part)?))
    };
    // The first part before the answer begins, so that another centre's job is a problem and not half an answer.
    let first = read(1).await?;
    let begun: Option<(Result<Option<String>, Problem>, i64)> = Some((Ok(first), 1));
    let parts = futures_util::stream::unfold((begun, read), |(at, read)| async move {
        match at? {
            // A part that cannot be read breaks the answer off: what was sent must not look like all there is.
            (Err(problem), _) => Some((Err(std::io::Error::other(problem.to_string())), (None, read))),
            (Ok(None), _) => None,
            (Ok(Some(lines)), part) => {
                let next = (read(part + 1).await, part + 1);
                Some((Ok(web::Bytes::from(lines)), (Some(next), read)))
            }
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(parts))
}
