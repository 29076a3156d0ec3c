use actix_web::web;
use registry_etl::benchmarks::{Confidence, Published};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::guard::{Allowed, ReadsPublished};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::state::AppState;

/// Which rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    #[serde(default)]
    low_confidence: bool,
}

impl Rows {
    /// Rows of low confidence are hidden unless asked for.
    pub(crate) fn least(&self) -> Confidence {
        if self.low_confidence {
            Confidence::Low
        } else {
            Confidence::Medium
        }
    }
}

/// The published series, and beside which estimate of the registry each may stand.
#[utoipa::path(get, path = "/api/v1/benchmarks", tag = "results",
    params(("low_confidence" = Option<bool>, Query, description = "true: also rows that may have been misread in the source"),),
    responses((status = 200, description = "published, comparisons, hidden: rows left out for low confidence")), security(("key" = [])))]
pub(crate) async fn list(
    _caller: Allowed<ReadsPublished>,
    wanted: web::Query<Rows>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let least = wanted.least();
    let all = &state.benchmarks;
    let published: Vec<&Published> = all
        .published
        .iter()
        .filter(|row| row.confidence >= least)
        .collect();
    let hidden = all.published.len() - published.len();
    Reply::json(
        200,
        &json!({ "published": published, "comparisons": all.comparisons, "hidden": hidden }),
    )
}

/// What stands beside an endpoint's estimates: per group its published rows (none: no benchmark) and what to keep in mind.
pub(super) fn of_endpoint(state: &AppState, endpoint: &str) -> Vec<Value> {
    let groups = state
        .benchmarks
        .comparisons
        .iter()
        .filter(|one| one.endpoint == endpoint);
    groups
        .filter_map(|one| {
            let (rows, caveat) = state
                .benchmarks
                .beside(endpoint, &one.group, Confidence::Medium)?;
            let mut told = json!({ "group": one.group, "caveat": caveat, "published": rows });
            if let (Some(of), Some(by)) = (&one.of, one.by) {
                told["part"] = json!({ "of": of, "by": by, "levels": one.levels });
            }
            Some(told)
        })
        .collect()
}
