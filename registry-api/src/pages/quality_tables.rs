//! Tables of the data quality page as CSV that are not of completeness.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{download, silence};
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::state::{AppState, blocking};

/// Of which run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    run: Option<i64>,
}

/// `GET /quality/{table}`: `silence.csv` (what cannot be assessed, by centre), `checks.csv` (findings by check, as they stand now and so of no run).
pub(super) async fn show(
    caller: Allowed<ReadsResults>,
    name: web::Path<String>,
    of: web::Query<Of>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (file, text) = blocking(move || match name.as_str() {
        "silence.csv" => {
            let view = View::open(&state, &caller.scope, of.run)?;
            let name = format!("silence-run-{}.csv", view.run.number);
            Ok((name, silence::centres_table(&view)?))
        }
        "checks.csv" if of.run.is_none() => {
            let checks = silence::checks(&state, &caller.scope)?;
            Ok((name.into_inner(), silence::checks_table(&checks)?))
        }
        _ => Err(Problem::new(Kind::NotFound)),
    })
    .await?;
    Ok(download(&file, text))
}
