//! The charts of the pages as files for slides: SVG, drawn from what this reader's page shows. A PNG is made of it by the page's script.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{brief, survival};
use crate::charts;
use crate::guard::{Allowed, ReadsPublished, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::state::{AppState, blocking};

/// Which chart of the kind.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    measure: Option<String>,
    endpoint: Option<String>,
    stratum: Option<String>,
    landmark: Option<u32>,
    /// Which chart of the survival page, from 0 in its order.
    part: Option<usize>,
}

impl Asked {
    fn measure(&self) -> Result<&str, Problem> {
        let missing = || Problem::with(Kind::BadQuery, "measure: which one");
        self.measure.as_deref().ok_or_else(missing)
    }
}

/// What is of registrations or measures, and so for those alone who read them.
const OF_RESULTS: [&str; 5] = [
    "registrations.svg",
    "registrations.csv",
    "funnel.svg",
    "not-assessable.svg",
    "trend.svg",
];

/// `GET /charts/{name}`: `registrations.svg`, `funnel.svg`, `not-assessable.svg`, `trend.svg`, `survival.svg`, `registrations.csv`.
pub(super) async fn show(
    caller: Allowed<ReadsPublished>,
    name: web::Path<String>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    if OF_RESULTS.contains(&name.as_str()) {
        caller.clone().also::<ReadsResults>()?;
    }
    let (file, media_type, body) = blocking(move || {
        let view = View::open(&state, &caller.scope, None)?;
        if name.as_str() == "registrations.csv" {
            return registrations(&view);
        }
        let kind = name.strip_suffix(".svg").ok_or(Problem::new(Kind::NotFound))?;
        let (of, chart) = chart(&state, &view, kind, &asked)?;
        // A chart with nothing to draw is no chart.
        let chart = chart.ok_or(Problem::new(Kind::NotFound))?;
        let file = format!("{kind}{of}-run-{}.svg", view.run.number);
        Ok((file, "image/svg+xml", charts::standalone(&chart)))
    })
    .await?;
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("content-disposition", format!("attachment; filename=\"{file}\"")))
        .body(body))
}

/// Name, media type and content of a file.
type File = (String, &'static str, String);

fn registrations(view: &View<'_>) -> Result<File, Problem> {
    let overview = view.overview()?;
    let rows = overview.accrual.iter().map(|month| {
        let n = month.n.map(|n| n.to_string()).unwrap_or_default();
        let hidden = if month.n.is_none() { "few_patients" } else { "" };
        vec![month.level.clone(), n, hidden.to_owned()]
    });
    let text = crate::routes::results::written(&["month", "registered", "suppressed"], rows)?;
    let file = format!("registrations-run-{}.csv", view.run.number);
    Ok((file, "text/csv; charset=utf-8", text))
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
    Ok(match kind {
        "registrations" => (String::new(), Some(brief::every_month(&view.overview()?.accrual))),
        "funnel" => {
            let (of, found) = of_measure()?;
            let title = format!("{} by centre", found.head.title);
            (of, charts::funnel(&found.funnel, view.own(), &title))
        }
        "not-assessable" => {
            let (of, found) = of_measure()?;
            let title = format!("{}: what cannot be assessed, by centre", found.head.title);
            let funnel = &found.funnel.not_assessable_funnel;
            (of, charts::not_assessable(funnel, view.own(), &title))
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
        _ => return Err(Problem::new(Kind::NotFound)),
    })
}
