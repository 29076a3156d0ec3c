//! `/api/v1/survival/{endpoint}/centres`: centres by deaths observed over expected.

use actix_web::{HttpRequest, web};
use registry_etl::results::{CentreComparison, RunIdentity};
use serde::Serialize;

use super::csv::{chosen, only_of_a_table};
use super::survival::Table;
use super::{OfRun, survival_table};
use crate::guard::{Allowed, ReadsPublished};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::routes::Reply;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};

/// Centres by deaths observed over expected.
#[derive(Serialize, utoipa::ToSchema)]
struct CentresOfEndpoint<'a> {
    endpoint: &'a str,
    run: &'a RunIdentity,
    centres: &'a CentreComparison,
}

/// Deaths observed over those a Cox model without centres expects, around 1, with exact Poisson limits and ratios shrunk by
/// empirical Bayes; small centres stand together. `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/survival/{endpoint}/centres", tag = "results", params(("endpoint" = String, Path,), ("run" = Option<i64>, Query,),
        ("columns" = Option<String>, Query, description = "of a table: names separated by commas")),
    responses((status = 200, description = "endpoint, run, centres: the model, limits and points", body = CentresOfEndpoint), (status = 404, description = "No such endpoint, or one whose centres are not compared")), security(("key" = [])))]
pub(crate) async fn centres(
    caller: Allowed<ReadsPublished>,
    request: HttpRequest,
    endpoint: web::Path<String>,
    wanted: web::Query<OfRun>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    only_of_a_table(wanted.columns.as_deref(), as_csv)?;
    blocking(move || {
        let definition = state.endpoints.iter().find(|one| one.id == *endpoint);
        let definition = definition.ok_or(Problem::new(Kind::NotFound))?;
        let result = View::open(&state, &caller.scope, wanted.run)?.survival(&definition.id)?;
        let Some(found) = &result.centres else {
            let compared = state.endpoints.iter().filter(|one| one.centres);
            let compared: Vec<&str> = compared.map(|one| one.id.as_str()).collect();
            let why = format!("centres are compared for: {}", compared.join(", "));
            return Err(Problem::with(Kind::NotFound, why));
        };
        if as_csv {
            let table = survival_table(&result, Table::Centres, false)?;
            let table = chosen(table, wanted.columns.as_deref())?;
            return Ok(Reply::text("text/csv; charset=utf-8", table));
        }
        let answer = CentresOfEndpoint {
            endpoint: &result.endpoint,
            run: &result.run,
            centres: found,
        };
        Reply::json(200, &answer)
    })
    .await
}
