//! Tables of the pages as CSV: the numbers as their page shows them to this reader, unrounded.

use actix_web::{HttpResponse, web};
use registry_core::access::Role;
use registry_core::storage::{CaseFilter, CaseRow};
use registry_etl::quality::WorkKind;
use registry_etl::results::{By, LevelCount, Overview, Period};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{download, measure_period};
use crate::guard::{
    Allowed, Coordinates, NoQuery, ReadsPublished, ReadsRequests, ReadsResults, ReadsRuns, SeesCases, Steers,
};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::routes::results::benchmarks::Rows;
use crate::routes::results::{adherence_csv, funnel_csv, table_of, written};
use crate::routes::runs::{Told, told};
use crate::state::{AppState, blocking};
use crate::work::WaitingCase;

/// The table of a measure that is of a period.
const REASONS: &str = "reasons.csv";

/// Cases read at once.
const A_PAGE: usize = 500;

/// A table of the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Table {
    Registrations,
    Histology,
    Timing,
    Centres,
    Indicators,
    Months,
}

/// Which table of the overview, all that count cases without one; of which run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfOverview {
    table: Option<Table>,
    run: Option<i64>,
}

/// `GET /overview.csv`: cases by month, histology, timing and centre; or the indicators, or the months of
/// each centre whose months the reader may see.
pub(super) async fn overview(
    caller: Allowed<ReadsResults>,
    wanted: web::Query<OfOverview>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (run, text) = blocking(move || {
        let view = View::open(&state, &caller.scope, wanted.run)?;
        let run = view.run.number;
        if wanted.table == Some(Table::Indicators) {
            return Ok((run, indicators(&view)?));
        }
        let overview = view.overview()?;
        if wanted.table == Some(Table::Months) {
            return Ok((run, months(&overview)?));
        }
        let levels = |name: &str, levels: &[LevelCount]| -> Vec<Value> {
            let line = |level: &LevelCount| {
                json!({
                    "run": run, "table": name, "level": level.level, "cases": level.n,
                    "suppressed": level.suppressed, "as_of_run": level.as_of,
                })
            };
            levels.iter().map(line).collect()
        };
        let centres = overview.by_centre.iter().map(|centre| {
            json!({
                "run": run, "table": "centres", "level": centre.centre, "cases": centre.cases,
                "cases_last_24_months": centre.cases_last_24_months, "eligible_seen": centre.eligible_seen,
                "registered_in_those_years": centre.registered_in_those_years,
                "suppressed": centre.suppressed, "as_of_run": centre.as_of,
            })
        });
        let all = [
            (Table::Registrations, levels("registrations", &overview.accrual)),
            (Table::Histology, levels("histology", &overview.by_histology)),
            (Table::Timing, levels("timing", &overview.by_timing)),
            (Table::Centres, centres.collect()),
        ];
        let chosen = all
            .into_iter()
            .filter(|(table, _)| wanted.table.is_none_or(|one| one == *table));
        let rows: Vec<Value> = chosen.flat_map(|(_, rows)| rows).collect();
        let columns = [
            "run",
            "table",
            "level",
            "cases",
            "cases_last_24_months",
            "eligible_seen",
            "registered_in_those_years",
            "suppressed",
            "as_of_run",
        ];
        Ok((run, table_of(&columns, &rows)?))
    })
    .await?;
    Ok(download(&format!("overview-run-{run}.csv"), text))
}

/// Every month from the first of the network on, by centre.
fn months(overview: &Overview) -> Result<String, Problem> {
    let told = overview
        .by_centre
        .iter()
        .filter(|centre| !centre.months.is_empty());
    let rows = told.flat_map(|centre| {
        let row = |month: &LevelCount| {
            let n = centre.months.get(&month.level).copied().unwrap_or(0);
            vec![centre.centre.clone(), month.level.clone(), n.to_string()]
        };
        overview.accrual.iter().map(row)
    });
    written(&["centre", "month", "registered"], rows)
}

/// The measures looked at first: a line for the network and one for the reader's own centre.
pub(super) fn indicators(view: &View<'_>) -> Result<String, Problem> {
    let mut rows = Vec::new();
    for one in view.indicators()? {
        for row in one.network.iter().chain(&one.own) {
            let mut line = serde_json::to_value(row).map_err(Problem::internal)?;
            line["run"] = json!(view.run.number);
            line["title"] = json!(one.head.title);
            rows.push(line);
        }
    }
    let columns = [
        "run",
        "measure",
        "title",
        "by",
        "level",
        "period",
        "state",
        "numerator",
        "denominator",
        "rate",
        "lower",
        "upper",
        "not_assessable",
        "not_assessable_share",
        "bound_low",
        "bound_high",
        "as_of",
    ];
    table_of(&columns, &rows)
}

/// Of which diagnoses, and of which run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfMeasure {
    period: Option<Period>,
    run: Option<i64>,
}

/// `GET /measures/{measure}/{table}`: `case-mix.csv`, `funnel.csv`, `not-assessable.csv`, `breakdowns.csv`, `reasons.csv`,
/// `sensitivity.csv`. A period is of `reasons.csv`; without one it is of the page's.
pub(super) async fn of_measure(
    caller: Allowed<ReadsResults>,
    asked: web::Path<(String, String)>,
    wanted: web::Query<OfMeasure>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (measure, table) = asked.into_inner();
    if wanted.period.is_some() && table != REASONS {
        let what = format!("period: of {REASONS} only");
        return Err(Problem::with(Kind::BadQuery, what));
    }
    let (name, text) = blocking(move || {
        let view = View::open(&state, &caller.scope, wanted.run)?;
        let text = match table.as_str() {
            "case-mix.csv" => case_mix(&view, &measure)?,
            "funnel.csv" => funnel_csv(&view.measure(&measure)?.funnel)?,
            "not-assessable.csv" => not_assessable(&view, &measure)?,
            "breakdowns.csv" => breakdowns(&view, &measure)?,
            REASONS => reasons(&view, &measure, wanted.period)?,
            "sensitivity.csv" => sensitivity(&view, &measure)?,
            _ => return Err(Problem::new(Kind::NotFound)),
        };
        Ok((format!("{measure}-run-{}-{table}", view.run.number), text))
    })
    .await?;
    Ok(download(&name, text))
}

fn case_mix(view: &View<'_>, measure: &str) -> Result<String, Problem> {
    let mix = view.measure(measure)?.case_mix;
    let columns = [
        "centre",
        "units",
        "observed",
        "expected",
        "ratio",
        "lower",
        "upper",
        "shrunk",
        "shrunk_lower",
        "shrunk_upper",
    ];
    let mut centres = mix.map(|mix| mix.centres).unwrap_or_default();
    centres.sort_by(|a, b| (a.centre.len(), &a.centre).cmp(&(b.centre.len(), &b.centre)));
    table_of(&columns, &centres)
}

/// Every group of every breakdown of the page, all diagnoses.
fn breakdowns(view: &View<'_>, measure: &str) -> Result<String, Problem> {
    let mut table = view.measure(measure)?.table;
    let apart = [By::Network, By::Centre, By::HalfYear];
    let rows = &mut table.rows;
    rows.retain(|row| row.period == Period::All && !apart.contains(&row.by));
    adherence_csv(view, &table)
}

/// Centres by the share of units that cannot be assessed, with the limits around the network's.
fn not_assessable(view: &View<'_>, measure: &str) -> Result<String, Problem> {
    let columns = [
        "centre",
        "suppressed",
        "numerator",
        "denominator",
        "share",
        "limits.lower95",
        "limits.upper95",
        "limits.lower998",
        "limits.upper998",
        "position",
    ];
    let funnel = view.measure(measure)?.funnel.not_assessable_funnel;
    table_of(&columns, &funnel.points)
}

fn reasons(view: &View<'_>, measure: &str, period: Option<Period>) -> Result<String, Problem> {
    let found = view.measure(measure)?;
    let network = measure_period::headline(&found, period);
    let reasons = network.map_or(&[][..], |row| &row.not_assessable_by);
    table_of(&["reason", "element", "n"], reasons)
}

fn sensitivity(view: &View<'_>, measure: &str) -> Result<String, Problem> {
    // A measure the run has not has no table either.
    view.measure(measure)?;
    let mut rows = Vec::new();
    for analysis in view.sensitivities()? {
        let changes = analysis.comparison.measures.iter();
        for change in changes.filter(|change| change.measure == measure) {
            rows.push(json!({
                "parameter": analysis.parameter, "value": analysis.value, "base_value": analysis.base,
                "base": change.base, "other": change.other, "changed": change.changed,
                "units_changed": change.units_changed,
            }));
        }
    }
    let columns = [
        "parameter",
        "base_value",
        "value",
        "base.rate",
        "base.lower",
        "base.upper",
        "other.rate",
        "other.lower",
        "other.upper",
        "changed",
        "units_changed",
    ];
    table_of(&columns, &rows)
}

/// `GET /signals.csv`.
pub(super) async fn signals(
    caller: Allowed<Steers>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (run, text) = blocking(move || {
        let view = View::of_committee(&state, &caller.scope, None)?;
        Ok((view.run.number, crate::routes::signals::csv(&view)?))
    })
    .await?;
    Ok(download(&format!("signals-run-{run}.csv"), text))
}

/// `GET /survival/published.csv`.
pub(super) async fn published(
    _caller: Allowed<ReadsPublished>,
    wanted: web::Query<Rows>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let least = wanted.least();
    let rows = state.benchmarks.published.iter();
    let rows: Vec<_> = rows.filter(|row| row.confidence >= least).collect();
    let columns = [
        "id",
        "kind",
        "source_table",
        "topic",
        "reference",
        "year",
        "institution",
        "arm",
        "n",
        "trial_n",
        "survival_pct",
        "survival_months",
        "survival_of",
        "median_months",
        "median_of",
        "pfs_months",
        "os_months",
        "orr_pct",
        "rps_pct",
        "confidence",
        "note",
        "reading_note",
    ];
    Ok(download("published.csv", table_of(&columns, &rows)?))
}

/// `GET /cases.csv`: every case of the list.
pub(super) async fn cases(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let (mut all, mut cursor): (Vec<CaseRow>, Option<String>) = (Vec::new(), None);
        loop {
            let filter = CaseFilter::default();
            let page = state
                .store
                .list_cases(&caller.scope, &filter, cursor.as_deref(), A_PAGE)?;
            all.extend(page.items.into_iter().filter(|case| case.pseudonym.is_some()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let rows = all.iter().map(|case| {
            json!({
                "pseudonym": case.pseudonym, "centre": case.centre_id, "status": case.status.as_str(),
                "locked_through": case.locked_through, "version": case.version, "schema_version": case.schema_version,
                "histology": case.derived.histology_code, "metastatic_diagnosis": case.derived.t0,
                "errors": case.errors, "warnings": case.warnings, "created_at": case.created_at,
                "updated_at": case.updated_at,
            })
        });
        let columns = [
            "pseudonym",
            "centre",
            "histology",
            "metastatic_diagnosis",
            "status",
            "locked_through",
            "version",
            "schema_version",
            "errors",
            "warnings",
            "created_at",
            "updated_at",
        ];
        table_of(&columns, &rows.collect::<Vec<_>>())
    })
    .await?;
    Ok(download("cases.csv", text))
}

/// `GET /runs.csv`.
pub(super) async fn runs(
    caller: Allowed<ReadsRuns>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let role = caller.scope.role();
        let mut runs = state.store.list_runs(&caller.scope)?;
        runs.retain(|run| role == Role::Coordinator || run.published_at.is_some());
        let runs: Vec<Told> = runs.into_iter().map(|run| told(role, run)).collect();
        let columns = [
            "number",
            "status",
            "cutoff_date",
            "parameters.guideline_version",
            "parameters.schema_version",
            "parameters.engine_version",
            "summary.cases",
            "summary.evaluated",
            "summary.reused",
            "started_at",
            "started_by",
            "finished_at",
            "published_at",
            "published_by",
        ];
        table_of(&columns, &runs)
    })
    .await?;
    Ok(download("runs.csv", text))
}

/// `GET /requests.csv`: a researcher's own, all for the office.
pub(super) async fn requests(
    caller: Allowed<ReadsRequests>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let requests = state.store.list_data_requests(&caller.scope)?;
        let columns = [
            "request_id",
            "release_id",
            "title",
            "status",
            "filed_at",
            "filed_by",
            "asked.files",
            "asked.elements",
            "asked.contracted",
            "asked.calendar_years",
            "asked.centre_unmasked",
            "expires_on",
            "decided_at",
            "decided_by",
            "reason",
            "revoked_at",
            "revoked_by",
            "revoked_for",
            "downloads",
        ];
        table_of(&columns, &requests)
    })
    .await?;
    Ok(download("requests.csv", text))
}

/// `GET /worklist/centres.csv`: how much every centre has to do.
pub(super) async fn loads(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (run, text) = blocking(move || {
        let (run, loads) = crate::work::loads(&state, &caller.scope)?;
        let mut columns = vec!["centre".to_owned()];
        columns.extend(WorkKind::OF_RUN.map(|kind| format!("items.{}", kind.as_str())));
        columns.extend(["for_centre", "for_office", "unsettled"].map(|of| format!("queries.{of}")));
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        Ok((run.number, table_of(&columns, &loads)?))
    })
    .await?;
    Ok(download(&format!("work-of-centres-run-{run}.csv"), text))
}

/// `GET /adjudication.csv`: the cases behind every histology that waits for the committee, a line each.
pub(super) async fn adjudication(
    caller: Allowed<Coordinates>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let (_, waiting) = crate::work::adjudications(&state, &caller.scope)?;
        let rows = waiting.iter().flat_map(|one| {
            let line = |case: &WaitingCase| {
                json!({
                    "morphology": one.morphology, "term": one.term, "note": one.note, "decided": one.decided,
                    "centre": case.centre, "case": case.case,
                })
            };
            one.cases.iter().map(line)
        });
        let rows: Vec<Value> = rows.collect();
        let columns = ["morphology", "term", "note", "decided", "centre", "case"];
        table_of(&columns, &rows)
    })
    .await?;
    Ok(download("adjudication.csv", text))
}
