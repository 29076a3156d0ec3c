//! `/api/v1/adherence`, `/survival`, `/quality`: results of a run, through disclosure control; `/benchmarks`: what was published.

pub mod benchmarks;
pub mod centres;
mod csv;
pub mod survival;
mod survival_csv;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use registry_etl::cohorts::Definition;
use registry_etl::results::{
    AdherenceRow, AdherenceTable, By, CaseMix, Funnel, Period, RunIdentity, SurvivalResult, Trend,
};
use serde::{Deserialize, Serialize};

use super::{Endpoint, Reply, guarded, wants_csv};
use crate::guard::{Allowed, NoQuery, ReadsPublished, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{Registration, View, Which};
use crate::state::{AppState, blocking};

pub use csv::adherence as adherence_csv;
pub(crate) use csv::funnel as funnel_csv;
pub(crate) use csv::{table_of, written};
use survival::Curves;
pub use survival_csv::survival as survival_table;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/adherence", adherence),
        guarded(Method::GET, "/api/v1/adherence/{measure}/funnel", funnel),
        guarded(Method::GET, "/api/v1/survival", survival_endpoints),
        guarded(Method::GET, "/api/v1/survival/{endpoint}", survival_endpoint),
        guarded(
            Method::GET,
            "/api/v1/survival/{endpoint}/centres",
            centres::centres,
        ),
        guarded(Method::GET, "/api/v1/benchmarks", benchmarks::list),
        guarded(Method::GET, "/api/v1/quality", quality),
    ]
}

/// Which rows of the adherence table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    measure: Option<String>,
    by: Option<By>,
    centre: Option<String>,
    period: Option<Period>,
    run: Option<Which>,
    /// Of a table, separated by commas.
    columns: Option<String>,
}

impl Wanted {
    /// Refuses a breakdown of the last 24 months: the network and its centres alone are counted over them.
    fn check(&self) -> Result<(), Problem> {
        let whole = |by| matches!(by, By::Network | By::Centre);
        match self.by {
            Some(by) if !whole(by) && self.period == Some(Period::Last24Months) => Err(Problem::with(
                Kind::BadQuery,
                format!(
                    "period: by={} is counted over all diagnoses only; last24_months goes with by=network or by=centre",
                    by.as_str()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// The rows, and beside them how many of the patients seen they can speak for.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Adherence)]
struct Shown {
    #[serde(flatten)]
    table: AdherenceTable,
    registration: Vec<Registration>,
    /// The run the caller's own rows are of, when another than `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_run: Option<i64>,
}

/// Which run, and of a table which columns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfRun {
    run: Option<i64>,
    columns: Option<String>,
}

/// Numerators, denominators, rates, intervals, not assessable and bounds; `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/adherence", tag = "results",
    params(("measure" = Option<String>, Query,), ("by" = Option<String>, Query, description = "network, centre, half_year, year, histology, timing, organ, volume_tertile or stratum"),
        ("centre" = Option<String>, Query,), ("period" = Option<String>, Query, description = "all or last24_months; last24_months of the network and of centres only (400 with another by)"), ("run" = Option<String>, Query, description = "a number; or latest: a centre's own rows by the newest finished run, all others by the published one"),
        ("columns" = Option<String>, Query, description = "of a table: names separated by commas")),
    responses((status = 200, description = "run, measures, rows, registration: registered against eligible patients seen; own_run: the run of the own rows, when another", body = Shown), (status = 404, description = "No such run, measure or centre for this viewer")), security(("key" = [])))]
pub(super) async fn adherence(
    caller: Allowed<ReadsResults>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    csv::only_of_a_table(wanted.columns.as_deref(), as_csv)?;
    wanted.check()?;
    blocking(move || {
        let view = View::of(&state, &caller.scope, wanted.run)?;
        let mut table = view.adherence()?;
        if let Some(id) = &wanted.measure {
            table.measures.retain(|m| m.id == *id);
            if table.measures.is_empty() {
                return Err(Problem::new(Kind::NotFound));
            }
        }
        let mut registration = view.registration()?;
        if let Some(centre) = &wanted.centre {
            let of_it = |row: &AdherenceRow| row.by == By::Centre && row.level == *centre;
            let known = table.rows.iter().any(of_it) || registration.iter().any(|row| row.level == *centre);
            // A centre without a case in the run, asked for by itself or by the office.
            let there = || match caller.scope.centre() {
                Some(own) => own == centre,
                None => {
                    caller.scope.role().administers() && state.store.centre(&caller.scope, centre).is_ok()
                }
            };
            if !known && !there() {
                return Err(Problem::with(Kind::NotFound, "no such centre for this viewer"));
            }
        }
        table.rows.retain(|row| {
            wanted.measure.as_ref().is_none_or(|m| row.measure == *m)
                && wanted.by.is_none_or(|by| row.by == by)
                && wanted.period.is_none_or(|p| row.period == p)
                && wanted
                    .centre
                    .as_ref()
                    .is_none_or(|c| row.by == By::Centre && row.level == *c)
        });
        // Without a period asked for, one row per level: all cases for the network, 24 months for a centre.
        if wanted.period.is_none() {
            table
                .rows
                .retain(|row| (row.by == By::Centre) == (row.period == Period::Last24Months));
        }
        if as_csv {
            let text = csv::chosen(csv::adherence(&view, &table)?, wanted.columns.as_deref())?;
            let name = format!("attachment; filename=\"adherence-run-{}.csv\"", table.run.run);
            return Ok(Reply::text("text/csv; charset=utf-8", text).header("content-disposition", name));
        }
        registration.retain(|row| wanted.centre.as_ref().is_none_or(|centre| row.level == *centre));
        let own_run = view.own_run().map(|run| run.number);
        Reply::json(
            200,
            &Shown {
                table,
                registration,
                own_run,
            },
        )
    })
    .await
}

/// Centres around the network rate, and the measure over time.
#[derive(Serialize, utoipa::ToSchema)]
struct FunnelOfMeasure<'a> {
    run: &'a RunIdentity,
    last_24_months_from: &'a str,
    /// Parameters its rate rests on that neither the source fixes nor the committee has ratified.
    unratified: &'a [String],
    /// Pairs of centre and measure that were looked at together.
    family: u32,
    funnel: &'a Funnel,
    trend: &'a Trend,
    case_mix: Option<&'a CaseMix>,
}

/// Centres around the network rate with 95 and 99.8 % limits; `Accept: text/csv` for a table of the centres.
#[utoipa::path(get, path = "/api/v1/adherence/{measure}/funnel", tag = "results", params(("measure" = String, Path,), ("run" = Option<i64>, Query,),
        ("columns" = Option<String>, Query, description = "of a table: names separated by commas")),
    responses((status = 200, description = "The funnel (target, limits, points), the trend over half-years, and centres given their case mix", body = FunnelOfMeasure), (status = 404, description = "No such measure")), security(("key" = [])))]
pub(super) async fn funnel(
    caller: Allowed<ReadsResults>,
    request: HttpRequest,
    measure: web::Path<String>,
    wanted: web::Query<OfRun>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    csv::only_of_a_table(wanted.columns.as_deref(), as_csv)?;
    blocking(move || {
        let found = View::open(&state, &caller.scope, wanted.run)?.measure(&measure)?;
        if as_csv {
            let text = csv::chosen(csv::funnel(&found.funnel)?, wanted.columns.as_deref())?;
            return Ok(Reply::text("text/csv; charset=utf-8", text));
        }
        let answer = FunnelOfMeasure {
            run: &found.funnels.run,
            last_24_months_from: &found.funnels.last_24_months_from,
            unratified: &found.head.unratified,
            family: found.funnels.family,
            funnel: &found.funnel,
            trend: &found.trend,
            case_mix: found.case_mix.as_ref(),
        };
        Reply::json(200, &answer)
    })
    .await
}

/// The survival endpoints.
#[derive(Serialize, utoipa::ToSchema)]
struct Endpoints<'a> {
    endpoints: &'a [Definition],
}

/// The survival endpoints, as defined: origin, event, strata, what to keep in mind.
#[utoipa::path(get, path = "/api/v1/survival", tag = "results",
    responses((status = 200, description = "endpoints", body = Endpoints)), security(("key" = [])))]
pub(super) async fn survival_endpoints(
    _caller: Allowed<ReadsPublished>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    Reply::json(
        200,
        &Endpoints {
            endpoints: &state.endpoints,
        },
    )
}

/// An endpoint, and beside it what was published.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Survival)]
struct Estimated<'a> {
    definition: Definition,
    #[serde(flatten)]
    result: SurvivalResult,
    benchmarks: Vec<benchmarks::Beside<'a>>,
}

/// Curves or cumulative incidence with interval and at-risk table, shares or changes, comparisons from a landmark, models, the flow of
/// exclusions, and published rows to set beside them; `Accept: text/csv` for a table.
#[utoipa::path(get, path = "/api/v1/survival/{endpoint}", tag = "results", params(("endpoint" = String, Path,), ("stratum" = Option<String>, Query, description = "only this breakdown; a treatment after the origin with a landmark"),
        ("landmark" = Option<u32>, Query, description = "6 or 12 months: grouped by what had been done by then, counted from then"),
        ("table" = Option<String>, Query, description = "of a CSV: curves, summary, at_risk, flow, tests or centres"), ("run" = Option<i64>, Query,),
        ("columns" = Option<String>, Query, description = "of a table: names separated by commas")),
    responses((status = 200, description = "The endpoint", body = Estimated), (status = 404, description = "No such endpoint or stratum"), (status = 422, description = "A comparison that immortal time would mislead")), security(("key" = [])))]
pub(super) async fn survival_endpoint(
    caller: Allowed<ReadsPublished>,
    request: HttpRequest,
    endpoint: web::Path<String>,
    wanted: web::Query<Curves>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    csv::only_of_a_table(wanted.columns.as_deref(), as_csv)?;
    blocking(move || {
        let definition = state.endpoints.iter().find(|one| one.id == *endpoint);
        let definition = definition.ok_or(Problem::new(Kind::NotFound))?;
        wanted.check(definition)?;
        let mut result = View::open(&state, &caller.scope, wanted.run)?.survival(&endpoint)?;
        wanted.keep(&mut result);
        if as_csv {
            let table = survival_table(&result, wanted.table, wanted.landmark.is_some())?;
            let table = csv::chosen(table, wanted.columns.as_deref())?;
            Ok(Reply::text("text/csv; charset=utf-8", table))
        } else {
            let definition = definition.clone();
            let benchmarks = benchmarks::of_endpoint(&state, &definition.endpoint);
            let estimated = Estimated {
                definition,
                result,
                benchmarks,
            };
            Reply::json(200, &estimated)
        }
    })
    .await
}

/// Which run, the latest of the own cases included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfAnyRun {
    run: Option<Which>,
}

/// Not-assessable shares, records with errors and the elements that cost most, per centre.
#[utoipa::path(get, path = "/api/v1/quality", tag = "results", params(("run" = Option<String>, Query, description = "a number; or latest: a centre's own line by the newest finished run, the network's by the published one")),
    responses((status = 200, description = "network, centres", body = registry_etl::results::Quality)), security(("key" = [])))]
pub(super) async fn quality(
    caller: Allowed<ReadsResults>,
    wanted: web::Query<OfAnyRun>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || Reply::json(200, &View::of(&state, &caller.scope, wanted.run)?.quality()?)).await
}
