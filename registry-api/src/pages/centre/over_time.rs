//! The part of a score card about the last half-years: a line for each indicator, all of them together, and the chart of those.

use actix_web::{HttpResponse, web};
use registry_etl::results::{HalfYearCounts, Trend};

use super::{OfRun, Wanted, words};
use crate::charts;
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::{HalfYear, OverTime, Pooled, View};
use crate::state::{AppState, blocking};
use crate::work::centre_of;

/// What stands under the heading.
pub(super) struct Section {
    pub(super) half_years: Vec<String>,
    /// All indicators together, by half-year. None where the network's rate of them is not told.
    pub(super) together: Vec<Cell>,
    pub(super) rows: Vec<Line>,
    pub(super) chart: Option<String>,
    /// Where it is as a file.
    pub(super) picture: String,
}

/// An indicator by half-year.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) link: String,
    pub(super) title: String,
    pub(super) unratified: bool,
    pub(super) cells: Vec<Cell>,
}

/// The own counts of a half-year, and in small what stands beside them.
pub(super) struct Cell {
    pub(super) own: String,
    pub(super) small: Vec<String>,
}

/// `picture`: where the chart is as a file.
pub(super) fn section(of: &OverTime, of_run: OfRun, picture: String) -> Section {
    let one = |half: &HalfYear| {
        let network = half
            .network
            .map(|rate| format!("network {}", words::percent(Some(rate))));
        cell(half.own, network)
    };
    // Of all indicators, half-year by half-year.
    let lacking = |at: usize| {
        let of = of.lines.iter().filter_map(|(_, cells)| cells.get(at));
        of.map(|half| half.own.not_assessable).sum()
    };
    Section {
        half_years: of.half_years.clone(),
        rows: of
            .lines
            .iter()
            .map(|(head, cells)| Line {
                link: format!("/measures/{}{}", head.id, of_run.only()),
                id: head.id.clone(),
                title: head.title.clone(),
                unratified: !head.unratified.is_empty(),
                cells: cells.iter().map(one).collect(),
            })
            .collect(),
        together: match &of.trend {
            Some(trend) => of
                .half_years
                .iter()
                .enumerate()
                .map(|(at, half)| together(trend, half, lacking(at)))
                .collect(),
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

/// Met of assessable units, with what cannot be assessed and what the rate would be at worst and at best.
fn cell(own: HalfYearCounts, beside: Option<String>) -> Cell {
    let n = own.denominator;
    let lacking = own.not_assessable;
    let bounds = Pooled::of(own.numerator, n, Some(lacking)).bounds();
    let bounds = words::interval(bounds.map(|(low, _)| low), bounds.map(|(_, high)| high));
    let missing = (n + lacking > 0).then(|| format!("{lacking} not assessable"));
    // Without such a unit both bounds are the rate, and without another they are nothing and all.
    let bounds = Some(bounds).filter(|_| lacking > 0 && n > 0);
    Cell {
        own: if n == 0 {
            "–".to_owned()
        } else {
            format!("{} of {n}", own.numerator)
        },
        small: missing.into_iter().chain(bounds).chain(beside).collect(),
    }
}

/// The counts of a half-year of the chart, and the 95 % limits around the network's rate.
fn together(trend: &Trend, half: &str, lacking: u32) -> Cell {
    let point = trend.points.iter().find(|point| point.level == half);
    let own = HalfYearCounts {
        numerator: point.and_then(|point| point.numerator).unwrap_or_default(),
        denominator: point.and_then(|point| point.denominator).unwrap_or_default(),
        not_assessable: lacking,
    };
    let limits = point.and_then(|point| point.limits);
    let limits = limits.map(|l| format!("limits {}", words::interval(Some(l.lower95), Some(l.upper95))));
    cell(own, limits)
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
