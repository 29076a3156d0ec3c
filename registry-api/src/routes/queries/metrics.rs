//! `GET /api/v1/queries/metrics`: how many queries a centre has, and how soon they were answered and closed.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_etl::quality::{CentreQueries, QueryFigures, query_metrics};
use serde::Serialize;

use crate::guard::{Allowed, NoQuery, SeesCases};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};

/// The own centre; for the coordinating office all together and each.
///
/// # Errors
/// The database does not answer.
pub fn levels(state: &AppState, scope: &Scope) -> Result<Vec<CentreQueries>, Problem> {
    let centres: Vec<String> = match scope.centre().filter(|_| scope.role().needs_centre()) {
        Some(own) => vec![own.to_owned()],
        None => state
            .store
            .list_centres(scope)?
            .into_iter()
            .map(|centre| centre.centre_id)
            .collect(),
    };
    let times = state.store.query_times(scope)?;
    let mut levels = query_metrics(&times, &centres, state.ports.clock.now());
    if scope.role().needs_centre() {
        levels.retain(|level| level.centre.is_some());
    }
    Ok(levels)
}

/// One line per centre and check; the line without a check has all of the centre.
///
/// # Errors
/// None in practice.
pub fn csv(levels: &[CentreQueries]) -> Result<String, Problem> {
    let header = [
        "centre",
        "of",
        "rule",
        "raised",
        "open",
        "answered",
        "closed",
        "reopened",
        "answers",
        "median_days_to_answer",
        "p90_days_to_answer",
        "closings",
        "median_days_to_close",
        "p90_days_to_close",
        "oldest_open_days",
    ];
    let mut rows = Vec::new();
    for level in levels {
        let centre = level.centre.as_deref().unwrap_or("all");
        rows.push(line(centre, "asked", "", &level.asked));
        for by in &level.by_rule {
            let of = if by.rule.is_some() { "rule" } else { "people" };
            rows.push(line(
                centre,
                of,
                by.rule.as_deref().unwrap_or_default(),
                &by.figures,
            ));
        }
        rows.push(line(centre, "questions", "", &level.questions));
    }
    written(&header, rows.into_iter())
}

fn line(centre: &str, of: &str, rule: &str, figures: &QueryFigures) -> Vec<String> {
    let counts = [
        figures.raised,
        figures.open,
        figures.answered,
        figures.closed,
        figures.reopened,
    ];
    let mut row = vec![centre.to_owned(), of.to_owned(), rule.to_owned()];
    row.extend(counts.map(|n| n.to_string()));
    for days in [figures.days_to_answer, figures.days_to_close] {
        row.push(days.map_or(0, |days| days.n).to_string());
        row.push(days.map(|days| days.median.to_string()).unwrap_or_default());
        row.push(days.map(|days| days.p90.to_string()).unwrap_or_default());
    }
    row.push(
        figures
            .oldest_open_days
            .map(|days| days.to_string())
            .unwrap_or_default(),
    );
    row
}

/// How many queries there are, and how soon they were answered and closed.
#[derive(Serialize, utoipa::ToSchema)]
struct QueryMetrics {
    as_of: NaiveDate,
    levels: Vec<CentreQueries>,
}

/// Queries of the own centre; for the coordinating office of all centres together (`centre` is null) and of each: counts by state, days to the
/// first answer and to closing (median, 90th percentile), the age of the longest open one, by check; and what the centre asked the office.
#[utoipa::path(get, path = "/api/v1/queries/metrics", tag = "queries",
    responses((status = 200, description = "as_of, levels; `Accept: text/csv` for a table", body = QueryMetrics)), security(("key" = [])))]
pub(in crate::routes) async fn metrics(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    blocking(move || {
        let levels = levels(&state, &caller.scope)?;
        if as_csv {
            return Ok(Reply::text("text/csv; charset=utf-8", csv(&levels)?).header(
                "content-disposition",
                "attachment; filename=\"query-metrics.csv\"",
            ));
        }
        let as_of = state.ports.clock.now().date_naive();
        Reply::json(200, &QueryMetrics { as_of, levels })
    })
    .await
}
