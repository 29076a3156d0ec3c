//! The charts of the pages as files for slides: SVG, drawn from what this reader's page shows. A PNG is made of it by the page's script.

use actix_web::{HttpResponse, web};
use registry_etl::results::OverTime;
use registry_etl::results::completeness::{NETWORK, PeriodBy};
use registry_etl::results::over_time::Part;
use serde::Deserialize;

use super::{brief, quality_over_time as over_time, silence, survival};
use crate::charts;
use crate::guard::{Allowed, ReadsPublished, ReadsResults, ReadsRuns, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::routes::results::written;
use crate::state::{AppState, blocking};

/// Which chart of the kind, of which run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    measure: Option<String>,
    endpoint: Option<String>,
    stratum: Option<String>,
    landmark: Option<u32>,
    /// Which chart of the survival page, from 0 in its order.
    part: Option<usize>,
    /// A section of the record, or an element of one.
    section: Option<String>,
    element: Option<String>,
    /// Periods of completeness.
    by: Option<PeriodBy>,
    /// A centre as the page names it, or `all`.
    centre: Option<String>,
    run: Option<i64>,
    /// As the committee sees a published run, whoever asks: the charts of the brief and of the report.
    #[serde(default)]
    by_letter: bool,
}

impl Asked {
    fn measure(&self) -> Result<&str, Problem> {
        given("measure", &self.measure)
    }
}

fn given<'a>(name: &str, value: &'a Option<String>) -> Result<&'a str, Problem> {
    let missing = || Problem::with(Kind::BadQuery, format!("{name}: which one"));
    value.as_deref().ok_or_else(missing)
}

/// Kinds that have their numbers as CSV here; the others have them behind the link beside the chart.
const TABLES: [&str; 3] = ["registrations", "silence", "findings"];

/// What is of registrations, measures or data quality, and so for those alone who read them.
const OF_RESULTS: [&str; 10] = [
    "registrations",
    "recent-registrations",
    "funnel",
    "not-assessable",
    "trend",
    "completeness",
    "registration-days",
    "reporting-days",
    "silence",
    "findings",
];

/// `GET /charts/{name}`: `registrations.svg`, `recent-registrations.svg`, `funnel.svg`, `not-assessable.svg`, `trend.svg`, `survival.svg`,
/// `completeness.svg`, `registration-days.svg`, `reporting-days.svg`, `silence.svg`, `findings.svg`; `registrations.csv`, `silence.csv`,
/// `findings.csv`.
pub(super) async fn show(
    caller: Allowed<ReadsPublished>,
    name: web::Path<String>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let kind = name.split('.').next().unwrap_or_default();
    if OF_RESULTS.contains(&kind) {
        caller.clone().also::<ReadsResults>()?;
    }
    let scope = match (asked.by_letter, kind) {
        (true, _) => caller.also::<ReadsRuns>()?.scope,
        (false, "findings") => caller.also::<SeesCases>()?.scope,
        (false, _) => caller.scope,
    };
    let (file, media_type, body) = blocking(move || {
        let view = if asked.by_letter {
            View::of_committee(&state, &scope, asked.run)?
        } else {
            View::open(&state, &scope, asked.run)?
        };
        let run = view.run.number;
        if let Some(kind) = name.strip_suffix(".csv").filter(|kind| TABLES.contains(kind)) {
            let table = match kind {
                "registrations" => registrations(&view)?,
                "silence" => silence::half_years(&view)?,
                _ => silence::findings_table(&silence::months(&state, &scope)?)?,
            };
            return Ok((format!("{kind}-run-{run}.csv"), "text/csv; charset=utf-8", table));
        }
        let kind = name.strip_suffix(".svg").ok_or(Problem::new(Kind::NotFound))?;
        let (of, chart) = if kind == "findings" {
            (
                String::new(),
                silence::findings_chart(&silence::months(&state, &scope)?),
            )
        } else {
            chart(&state, &view, kind, &asked)?
        };
        // A chart with nothing to draw is no chart.
        let chart = chart.ok_or(Problem::new(Kind::NotFound))?;
        let file = format!("{kind}{of}-run-{run}.svg");
        Ok((file, "image/svg+xml", charts::standalone(&chart)))
    })
    .await?;
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("content-disposition", format!("attachment; filename=\"{file}\"")))
        .body(body))
}

fn registrations(view: &View<'_>) -> Result<String, Problem> {
    let overview = view.overview()?;
    let rows = overview.accrual.iter().map(|month| {
        let n = month.n.map(|n| n.to_string()).unwrap_or_default();
        let hidden = if month.n.is_none() { "few_patients" } else { "" };
        let as_of = month.as_of.map(|run| run.to_string()).unwrap_or_default();
        vec![month.level.clone(), n, hidden.to_owned(), as_of]
    });
    written(&["month", "registered", "suppressed", "as_of_run"], rows)
}

/// What the file's name says besides the kind, and the chart.
fn chart(
    state: &AppState,
    view: &View<'_>,
    kind: &str,
    asked: &Asked,
) -> Result<(String, Option<String>), Problem> {
    let of_measure = || -> Result<_, Problem> {
        let measure = view.measure(asked.measure()?)?;
        Ok((format!("-{}", measure.head.id), measure))
    };
    // What the committee holds has no own centre.
    let own = view.own().filter(|_| !asked.by_letter);
    Ok(match kind {
        "registrations" => (String::new(), Some(brief::every_month(&view.overview()?.accrual))),
        "recent-registrations" => (String::new(), Some(brief::accrual(&view.overview()?.accrual))),
        "funnel" => {
            let (of, found) = of_measure()?;
            let title = format!("{} by centre", found.head.title);
            (of, charts::funnel(&found.funnel, own, &title))
        }
        "not-assessable" => {
            let (of, found) = of_measure()?;
            let title = format!("{}: what cannot be assessed, by centre", found.head.title);
            let funnel = &found.funnel.not_assessable_funnel;
            (of, charts::not_assessable(funnel, own, &title))
        }
        "trend" => {
            let (of, found) = of_measure()?;
            let title = format!("{} over time", found.head.title);
            (of, charts::trend(&found.trend, &title))
        }
        "survival" => {
            let which = survival::Asked::of(&asked.endpoint, &asked.stratum, asked.landmark);
            let (id, charts) = survival::drawn(state, view, &which)?;
            let part = asked.part.unwrap_or(0);
            (format!("-{id}-{part}"), charts.into_iter().nth(part).flatten())
        }
        "silence" => (String::new(), silence::trend_of(&view.silence()?)),
        "reporting-days" => {
            let section = given("section", &asked.section)?;
            let halves = halves(view, asked)?;
            let chart = over_time::section_days_chart(&halves, section, state.words()?);
            (String::new(), chart)
        }
        "completeness" if asked.element.is_some() => {
            let element = given("element", &asked.element)?;
            let chart = over_time::element_chart(&halves(view, asked)?, element, state.words()?);
            (String::new(), chart)
        }
        "completeness" | "registration-days" => {
            let wanted = asked.centre.as_deref().unwrap_or(NETWORK);
            let levels = view.completeness()?;
            let level = levels.iter().find(|level| level.level == wanted);
            let level = level.ok_or(Problem::new(Kind::NotFound))?;
            if kind == "registration-days" {
                (String::new(), over_time::days_chart(level))
            } else {
                let section = given("section", &asked.section)?;
                let by = asked.by.unwrap_or(PeriodBy::HalfYear);
                (
                    format!("-{}", by.as_str()),
                    over_time::section_chart(level, section, by, state.words()?),
                )
            }
        }
        _ => return Err(Problem::new(Kind::NotFound)),
    })
}

/// The level asked for by half-year: of the section, or the element.
fn halves(view: &View<'_>, asked: &Asked) -> Result<OverTime, Problem> {
    let wanted = asked.centre.as_deref().unwrap_or(NETWORK);
    let part = Part {
        section: asked.section.as_deref(),
        element: asked.element.as_deref(),
    };
    let found = view.completeness_over_time(Some(wanted), part)?;
    found.into_iter().next().ok_or(Problem::new(Kind::NotFound))
}
