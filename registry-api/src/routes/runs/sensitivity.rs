//! `/api/v1/runs/{run}/sensitivity`: the run's measures with other values of a parameter.

use actix_web::{HttpRequest, web};
use registry_etl::results::Sensitivity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::number;
use crate::guard::{Allowed, Coordinates, Json, NoQuery, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::routes::{Idempotent, Reply};
use crate::state::{AppState, blocking};

/// Analyses of a run.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Sensitivities)]
struct Analyses {
    run: i64,
    sensitivity: Vec<Sensitivity>,
}

/// Analyses computed so far: per measure the counts and rate with the run's value and with the other.
#[utoipa::path(get, path = "/api/v1/runs/{run}/sensitivity", tag = "runs", params(("run" = i64, Path,)),
    responses((status = 200, description = "The analyses", body = Analyses), (status = 404, description = "No such run")), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<ReadsResults>,
    _: NoQuery,
    run: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let number = number(&run)?;
    blocking(move || {
        let view = View::open(&state, &caller.scope, Some(number))?;
        let answer = Analyses {
            run: number,
            sensitivity: view.sensitivities()?,
        };
        Reply::json(200, &answer)
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewSensitivity)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Of the guideline.
    parameter: String,
    /// Of the type of the parameter.
    #[schema(value_type = Value)]
    value: Value,
}

/// Compute a run's measures with another value of a parameter. The result stays with the run; the same again answers it.
#[utoipa::path(post, path = "/api/v1/runs/{run}/sensitivity", tag = "runs", params(("run" = i64, Path,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body = Wanted,
    responses((status = 200, description = "The analysis", body = Sensitivity), (status = 404, description = "No such run"),
        (status = 422, description = "No such parameter, or a value of another type")), security(("key" = [])))]
pub(in crate::routes) async fn compute(
    caller: Allowed<Coordinates>,
    request: HttpRequest,
    run: web::Path<String>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let number = number(&run)?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let wanted: Wanted = serde_json::from_value(body.value)
        .map_err(|_| Problem::with(Kind::InvalidValue, "send {\"parameter\": name, \"value\": value}"))?;
    let (scope, shared) = (caller.scope.clone(), state.clone());
    Idempotent::once(idempotent, &state, &scope, move || {
        let run = shared.store.run(&caller.scope, number)?;
        let parameter = wanted.parameter.as_str();
        let found =
            crate::runs::sensitivity(&shared, &caller.scope, &run, parameter, &wanted.value, |_, _| {})?;
        Reply::json(200, &found)
    })
    .await
}
