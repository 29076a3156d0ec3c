//! The annual report: one printable document about a published run, as the committee sees it whoever prints it.

mod adherence;
mod quality;
mod survival;

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_etl::results::{LevelCount, Overview};

use super::indicators::{self, Line};
use super::signals::{self, Row, spoken_status};
use super::{Frame, brief, html, words};
use crate::charts;
use crate::guard::{Allowed, ReadsRuns};
use crate::problem::{Kind, Problem};
use crate::results::{FollowUp, View};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    frame: Frame,
    data: Option<Data>,
}

struct Data {
    run: i64,
    cut_off: String,
    published: String,
    guideline: String,
    figures: Vec<brief::Figure>,
    compared: String,
    accrual: String,
    /// By year, a number for each month.
    months: Vec<(String, [String; 12])>,
    histology: Vec<(String, String)>,
    timing: Vec<(String, String)>,
    centres: Vec<[String; 5]>,
    since: String,
    bounds: &'static str,
    domains: Vec<adherence::Domain>,
    options: Vec<adherence::Domain>,
    indicators: Vec<(Line, String)>,
    /// Measure, title, chart.
    funnels: Vec<(String, String, String)>,
    /// What the addresses of the charts as files end with.
    pictures: String,
    /// A signal and its status.
    signals: Vec<(Row, &'static str)>,
    more: usize,
    /// Measure, title, letter, status: followed up and not listed.
    earlier: Vec<[String; 4]>,
    endpoints: Vec<survival::Endpoint>,
    quality: quality::Section,
    definitions: Vec<adherence::Defined>,
    suppression: Vec<String>,
    notes: Vec<String>,
}

pub(super) async fn page(
    caller: Allowed<ReadsRuns>,
    asked: web::Query<brief::Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Annual report", "/report", &caller);
    let page = blocking(move || {
        let view = match View::of_committee(&state, &caller.scope, asked.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && asked.run.is_none() => {
                return Ok(Page { frame, data: None });
            }
            Err(problem) => return Err(problem),
        };
        Ok(Page {
            data: Some(data(&state, &view)?),
            frame: frame.with_run(&view.run),
        })
    })
    .await?;
    html(&page)
}

fn data(state: &AppState, view: &View<'_>) -> Result<Data, Problem> {
    let overview = view.overview()?;
    let table = view.adherence()?;
    let (earlier, compared) = brief::earlier(view)?;
    let now = view.indicators()?;
    let followed = FollowUp::of(view)?;
    let s1 = view.survival("S1")?;
    let registration = view.registration()?;
    let (domains, options) = adherence::domains(&table);
    let mut funnels = Vec::new();
    let ids: Vec<&str> = now.iter().map(|one| one.head.id.as_str()).collect();
    let stored = view.stored_funnels(&ids)?;
    for one in &now {
        let Some(funnel) = stored.funnels.iter().find(|funnel| funnel.measure == one.head.id) else {
            continue;
        };
        let title = format!("{} {}", one.head.id, one.head.title);
        let chart = charts::funnel(funnel, None, &title);
        funnels.extend(chart.map(|svg| (one.head.id.clone(), title, svg)));
    }
    Ok(Data {
        run: view.run.number,
        cut_off: view.run.cutoff_date.to_string(),
        published: brief::published_on(view),
        guideline: view.guideline_version().to_owned(),
        figures: brief::figures(&overview, earlier.as_ref(), registration.first(), &s1),
        compared,
        accrual: brief::accrual(&overview.accrual),
        months: months(&overview.accrual),
        histology: counted(&overview.by_histology),
        timing: counted(&overview.by_timing),
        centres: centres(&overview),
        since: table.last_24_months_from.clone(),
        bounds: words::BOUNDS,
        domains,
        options,
        indicators: indicators::since(&now, earlier.as_ref().map(|run| &*run.indicators)),
        funnels,
        pictures: format!("by_letter=true&run={}", view.run.number),
        more: followed.more,
        signals: followed
            .listed
            .into_iter()
            .map(|one| {
                let status = one.history.as_ref().and_then(|history| history.status());
                (signals::row(one.signal), spoken_status(status))
            })
            .collect(),
        earlier: followed
            .unlisted
            .into_iter()
            .map(|one| {
                let status = spoken_status(one.history.status()).to_owned();
                let title = one.title.unwrap_or_default();
                [one.measure, title, format!("Centre {}", one.letter), status]
            })
            .collect(),
        endpoints: survival::endpoints(state, view)?,
        quality: quality::section(view, state.words()?)?,
        definitions: adherence::definitions(view, state.words()?),
        suppression: suppression(state, table.rows_suppressed, table.rows_total),
        notes: notes(view),
    })
}

fn counted(levels: &[LevelCount]) -> Vec<(String, String)> {
    let line = |level: &LevelCount| (words::code(&level.level), words::count(level.n));
    levels.iter().map(line).collect()
}

/// Months as a year's row: hidden counts are a dot, months without a row a dash.
fn months(accrual: &[LevelCount]) -> Vec<(String, [String; 12])> {
    let mut years: BTreeMap<&str, [String; 12]> = BTreeMap::new();
    for month in accrual {
        let Some((year, number)) = month.level.split_once('-') else {
            continue;
        };
        let cells = years
            .entry(year)
            .or_insert_with(|| std::array::from_fn(|_| "–".to_owned()));
        let at = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        if let Some(cell) = at.and_then(|at| cells.get_mut(at)) {
            *cell = month.n.map_or_else(|| "·".to_owned(), |n| n.to_string());
        }
    }
    years
        .into_iter()
        .map(|(year, cells)| (year.to_owned(), cells))
        .collect()
}

/// Centre, cases, in the last 24 months, eligible patients seen, registered of those years.
fn centres(overview: &Overview) -> Vec<[String; 5]> {
    let known = |n: Option<u32>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let line = |centre: &registry_etl::results::CentreAccrual| {
        [
            centre.centre.clone(),
            words::count(centre.cases),
            words::count(centre.cases_last_24_months),
            known(centre.eligible_seen),
            known(centre.registered_in_those_years),
        ]
    };
    overview.by_centre.iter().map(line).collect()
}

fn suppression(state: &AppState, hidden: u32, rows: u32) -> Vec<String> {
    let limits = &state.settings.disclosure;
    let share = f64::from(hidden) / f64::from(rows.max(1));
    vec![
        format!(
            "A number that rests on 1 to {} patients is not shown, nor any number from which it could be worked out.",
            limits.committee.saturating_sub(1)
        ),
        format!(
            "Of the {rows} rows of the adherence table {hidden} are hidden for these reasons ({:.0} %).",
            share * 100.0
        ),
        "Centres stand by letter; the coordinating office alone can look one up, on record.".to_owned(),
        format!(
            "Steps of a survival curve are merged until each rests on {} patients, and a curve ends when fewer are at risk.",
            limits.committee
        ),
    ]
}

/// How the numbers were made, in sentences.
fn notes(view: &View<'_>) -> Vec<String> {
    let parameter = |name: &str| {
        let found = view.run.parameters.get(name);
        found
            .and_then(serde_json::Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    vec![
        format!(
            "Run {} read every case as it stood when the run began, with events up to {}, by guideline {}, case schema {} and rule engine {}. The same run can be computed again.",
            view.run.number,
            view.run.cutoff_date,
            parameter("guideline_version"),
            parameter("schema_version"),
            parameter("engine_version")
        ),
        "A rate is the share of assessable units in which a measure was met or, for what is advised against, avoided. Units that are excluded, excepted, outside the denominator or cannot be assessed do not count; a rate is given only when at most 30 % cannot be assessed.".to_owned(),
        "Intervals of rates are 95 % Wilson intervals. Limits around the network rate are exact binomial limits, 95 % and 99.8 %; q-values are Benjamini-Hochberg over all centres and measures of the run, uses of options left out.".to_owned(),
        "Survival is Kaplan-Meier with delayed entry: prospective cases count from the day they were registered. Intervals of survival are on the log-log scale. Retrospective cases stand in sensitivity analyses only.".to_owned(),
        "The groups of a breakdown that have a curve are compared by the log-rank test, with delayed entry by the score test of the Cox model; where events compete, by Gray's test. Nothing is adjusted for, the number of breakdowns neither.".to_owned(),
        "Missing is never read as no: what was not recorded, and whose section was not closed, cannot be assessed.".to_owned(),
        "Associations among registered patients; published series are crude comparisons with other populations.".to_owned(),
    ]
}
