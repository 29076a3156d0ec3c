use actix_web::web;
use registry_etl::benchmarks::{Comparison, Confidence, Published};
use registry_etl::cohorts::definition::Stratum;
use serde::{Deserialize, Serialize};

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

/// The published series, and what they may be compared with.
#[derive(Serialize, utoipa::ToSchema)]
struct Benchmarks<'a> {
    published: Vec<&'a Published>,
    comparisons: &'a [Comparison],
    /// Rows left out for low confidence.
    hidden: usize,
}

/// The published series, and beside which estimate of the registry each may stand.
#[utoipa::path(get, path = "/api/v1/benchmarks", tag = "results",
    params(("low_confidence" = Option<bool>, Query, description = "true: also rows that may have been misread in the source"),),
    responses((status = 200, description = "published, comparisons, hidden: rows left out for low confidence", body = Benchmarks)), security(("key" = [])))]
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
    let comparisons = &all.comparisons;
    Reply::json(
        200,
        &Benchmarks {
            published,
            comparisons,
            hidden,
        },
    )
}

/// Published rows that may stand beside a group of an endpoint.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PublishedBeside)]
pub(super) struct Beside<'a> {
    group: &'a str,
    caveat: &'a str,
    /// None: nothing was published of such patients.
    published: Vec<&'a Published>,
    /// Where the rows are of a part of another group.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<PartOfGroup<'a>>,
}

/// The levels of another group's breakdown that rows stand beside.
#[derive(Serialize, utoipa::ToSchema)]
struct PartOfGroup<'a> {
    of: &'a str,
    by: Stratum,
    levels: &'a [String],
}

/// What stands beside an endpoint's estimates: per group its published rows (none: no benchmark) and what to keep in mind.
pub(super) fn of_endpoint<'a>(state: &'a AppState, endpoint: &str) -> Vec<Beside<'a>> {
    let groups = state
        .benchmarks
        .comparisons
        .iter()
        .filter(|one| one.endpoint == endpoint);
    groups
        .filter_map(|one| {
            let (published, caveat) = state
                .benchmarks
                .beside(endpoint, &one.group, Confidence::Medium)?;
            let part = one.of.as_deref().zip(one.by).map(|(of, by)| PartOfGroup {
                of,
                by,
                levels: &one.levels,
            });
            Some(Beside {
                group: &one.group,
                caveat,
                published,
                part,
            })
        })
        .collect()
}
