//! The part of a score card about the last half-years: a line for each indicator, all of them together, and the chart of those.

use actix_web::{HttpResponse, web};
use registry_etl::results::Trend;

use super::{Wanted, words};
use crate::charts;
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::{HalfYear, OverTime, View};
use crate::state::{AppState, blocking};
use crate::work::centre_of;

/// What stands under the heading.
pub(super) struct Section {
    pub(super) half_years: Vec<String>,
    /// All indicators together, by half-year: own, small. None where the network's rate of them is not told.
    pub(super) together: Vec<[String; 2]>,
    /// Measure, title, cells: own, small.
    pub(super) rows: Vec<(String, String, Vec<[String; 2]>)>,
    pub(super) chart: Option<String>,
    /// Where it is as a file.
    pub(super) picture: String,
}

/// `picture`: where the chart is as a file.
pub(super) fn section(of: &OverTime, picture: String) -> Section {
    let cell = |half: &HalfYear| {
        let n = half.own.denominator;
        let own = if n == 0 {
            "–".to_owned()
        } else {
            format!("{} of {n}", half.own.numerator)
        };
        let network = half
            .network
            .map(|rate| format!("network {}", words::percent(Some(rate))));
        [own, network.unwrap_or_default()]
    };
    Section {
        half_years: of.half_years.clone(),
        rows: of
            .lines
            .iter()
            .map(|(head, cells)| {
                let cells = cells.iter().map(cell).collect();
                (head.id.clone(), head.title.clone(), cells)
            })
            .collect(),
        together: match &of.trend {
            Some(trend) => of.half_years.iter().map(|half| together(trend, half)).collect(),
            None => Vec::new(),
        },
        chart: chart(of),
        picture,
    }
}

fn chart(of: &OverTime) -> Option<String> {
    let trend = of.trend.as_ref()?;
    charts::trend(trend, "All indicators together, own rate by half-year")
}

/// The counts of a half-year of the chart, and the 95 % limits around the network's rate.
fn together(trend: &Trend, half: &str) -> [String; 2] {
    let Some(point) = trend.points.iter().find(|point| point.level == half) else {
        return ["–".to_owned(), String::new()];
    };
    let limits = point.limits;
    let counts = match (point.numerator, point.denominator) {
        (Some(n), Some(of)) if of > 0 => format!("{n} of {of}"),
        _ => "–".to_owned(),
    };
    let limits = limits.map(|l| format!("limits {}", words::interval(Some(l.lower95), Some(l.upper95))));
    [counts, limits.unwrap_or_default()]
}

/// The chart of the card as a file.
pub(in crate::pages) async fn picture(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, chart) = blocking(move || {
        let centre = centre_of(&state, &caller.scope, wanted.centre.as_deref())?;
        let view = View::of(&state, &caller.scope, wanted.run)?;
        let chart = view.card(&centre)?.over_time.as_ref().and_then(chart);
        let run = view.own_run().unwrap_or(&view.run).number;
        let chart = chart.ok_or(Problem::new(Kind::NotFound))?;
        Ok((format!("over-time-{centre}-run-{run}.svg"), chart))
    })
    .await?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("content-disposition", format!("attachment; filename=\"{name}\"")))
        .body(charts::standalone(&chart)))
}
