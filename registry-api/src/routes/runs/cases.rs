//! `GET /api/v1/runs/{run}/measures/{measure}/cases`: the own cases behind a measure's number.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::guideline::Outcome;
use registry_etl::disclosure::Audience;
use registry_etl::results::{AdherenceRow, By, Period};
use registry_etl::runs::Reader;
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::{Behind, UnitBehind, from_run, run_of_own};
use crate::routes::Reply;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};
use crate::work::centre_of;

/// Which of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Wanted {
    centre: Option<String>,
    period: Option<Period>,
    outcome: Option<String>,
}

/// One line per unit.
///
/// # Errors
/// None in practice.
pub fn csv<'a>(units: impl Iterator<Item = &'a UnitBehind>) -> Result<String, Problem> {
    let header = [
        "case",
        "version",
        "unit_index",
        "outcome",
        "reason",
        "element",
        "half_year",
    ];
    let rows = units.map(|unit| {
        vec![
            unit.case.clone(),
            unit.version.to_string(),
            unit.unit_index.to_string(),
            unit.outcome.as_str().to_owned(),
            unit.reason.unwrap_or_default().to_owned(),
            unit.element.clone().unwrap_or_default(),
            unit.half_year.clone().unwrap_or_default(),
        ]
    });
    written(&header, rows)
}

/// The own cases behind a measure's number.
#[derive(Serialize, utoipa::ToSchema)]
struct CasesBehind<'a> {
    run: i64,
    cut_off: NaiveDate,
    centre: &'a str,
    measure: &'a str,
    period: Period,
    last_24_months_from: &'a str,
    /// Units that count for the centre on cases it holds no more, or that were withdrawn since.
    not_listed: u32,
    cases: Vec<&'a UnitBehind>,
}

/// A centre's own cases behind a measure's number: unit by unit met, not met, not assessable (with reason and element), excepted, excluded, or outside
/// the denominator. `{run}` is a number, `published` or `latest`: a centre reads published runs and the latest one. `not_listed` are units the run
/// counts for the centre on cases it holds no more, or that were withdrawn since. `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/runs/{run}/measures/{measure}/cases", tag = "runs",
    params(("run" = String, Path, description = "a number, published or latest"), ("measure" = String, Path,),
        ("centre" = Option<String>, Query, description = "For the coordinating office"), ("period" = Option<String>, Query, description = "last24_months (without it) or all"),
        ("outcome" = Option<String>, Query, description = "as MET, NOT_MET, NOT_ASSESSABLE")),
    responses((status = 200, description = "run, cut_off, centre, measure, period, last_24_months_from, not_listed, cases", body = CasesBehind), (status = 404, description = "No such run, measure or centre for this caller"), (status = 422, description = "The coordinating office names no centre")), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    let (asked, measure) = path.into_inner();
    blocking(move || {
        let scope = &caller.scope;
        let outcome = wanted.outcome.as_deref().map(outcome).transpose()?;
        let centre = centre_of(&state, scope, wanted.centre.as_deref())?;
        let run = run_of_own(&state, scope, &asked)?;
        let period = wanted.period.unwrap_or(Period::Last24Months);
        let behind = Behind::of(&state, scope, &run, &centre, &measure, period)?;
        let is_wanted = |unit: &&UnitBehind| outcome.is_none_or(|outcome| unit.outcome == outcome);
        let units = behind.units.iter().filter(is_wanted);
        if as_csv {
            let name = format!(
                "attachment; filename=\"cases-{measure}-{centre}-run-{}.csv\"",
                run.number
            );
            return Ok(
                Reply::text("text/csv; charset=utf-8", csv(units)?).header("content-disposition", name)
            );
        }
        // The own row is exact before its centre, whoever reads it for the centre.
        let reader = Reader::new(&state.store, scope, &run);
        let table = reader
            .adherence(&Audience::Centre(centre.clone()))
            .map_err(from_run)?;
        let own = |row: &&AdherenceRow| {
            row.measure == measure && row.by == By::Centre && row.level == centre && row.period == period
        };
        let answer = CasesBehind {
            run: run.number,
            cut_off: run.cutoff_date,
            centre: &centre,
            measure: &measure,
            period,
            last_24_months_from: &behind.recent_from,
            not_listed: behind.left_out(table.rows.iter().find(own)),
            cases: units.collect(),
        };
        Reply::json(200, &answer)
    })
    .await
}

fn outcome(text: &str) -> Result<Outcome, Problem> {
    Outcome::from_code(text).ok_or_else(|| {
        let all = Outcome::ALL.map(Outcome::as_str).join(", ");
        Problem::with(Kind::BadQuery, format!("outcome: one of {all}"))
    })
}
