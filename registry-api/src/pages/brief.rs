//! The quarterly brief: two printed pages about the published run, as the committee sees it whoever prints it.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::form::Words;
use registry_etl::results::{LevelCount, Overview, Quality, SurvivalResult};
use serde::Deserialize;

use super::indicators::{self, Line, points, signed};
use super::signals::{self, Row};
use super::{Frame, download, html, survival, tables, words};
use crate::charts;
use crate::explanation::reason;
use crate::guard::{Allowed, ReadsRuns};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, IndicatorResult, Registration, View};
use crate::state::{AppState, blocking};

/// Months of the chart of registrations.
const MONTHS: usize = 24;
/// Elements named as what costs most.
const LACKING: usize = 3;

/// The figure of how complete registration is.
pub(super) const REGISTERED: &str = "Registered of eligible patients seen";

#[derive(Template)]
#[template(path = "brief.html")]
struct Page {
    frame: Frame,
    data: Option<Data>,
}

struct Data {
    run: i64,
    cut_off: String,
    published: String,
    /// The run compared with, or why none is.
    compared: String,
    figures: Vec<Figure>,
    accrual: String,
    indicators: Vec<(Line, String)>,
    bounds: &'static str,
    signals: Vec<Row>,
    more: usize,
    /// Years, alive, interval, at risk.
    landmarks: Vec<[String; 4]>,
    counted: String,
    curve: Option<String>,
    no_curve: &'static str,
    quality: String,
}

pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) small: String,
}

/// What is read of the run published before.
pub(super) struct Earlier {
    overview: Overview,
    /// None when another version of the guideline defined them.
    pub(super) indicators: Vec<IndicatorResult>,
}

/// Which run; without a number the one published last.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) run: Option<i64>,
}

pub(super) async fn page(
    caller: Allowed<ReadsRuns>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Quarterly brief", "/brief", &caller);
    let page = blocking(move || {
        let view = match View::of_committee(&state, &caller.scope, asked.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && asked.run.is_none() => {
                return Ok(Page { frame, data: None });
            }
            Err(problem) => return Err(problem),
        };
        let (data, hidden) = data(&view, state.words()?)?;
        Ok(Page {
            data: Some(data),
            frame: frame.with_run(&view.run).with_hidden(hidden),
        })
    })
    .await?;
    html(&page)
}

/// Its indicators as CSV, as the committee sees them whoever asks.
pub(super) async fn csv(
    caller: Allowed<ReadsRuns>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (run, text) = blocking(move || {
        let view = View::of_committee(&state, &caller.scope, asked.run)?;
        Ok((view.run.number, tables::indicators(&view)?))
    })
    .await?;
    Ok(download(&format!("indicators-run-{run}.csv"), text))
}

/// What the brief says, and how much of it is hidden.
fn data(view: &View<'_>, called: Words<'_>) -> Result<(Data, Hidden), Problem> {
    let now = view.indicators()?;
    let overview = view.overview()?;
    let (earlier, compared) = earlier(view)?;
    let found = view.signals()?;
    let result = view.survival("S1")?;
    let curve = survival::primary(&result);
    let registration = view.registration()?;
    let whole = [overview.cases.is_none(), overview.deaths.is_none()];
    let hidden = Hidden::of(whole)
        .and(Hidden::of_levels(last_months(&overview.accrual)))
        .and(indicators::hidden(&now));
    let data = Data {
        run: view.run.number,
        cut_off: view.run.cutoff_date.to_string(),
        published: published_on(view),
        compared,
        figures: figures(&overview, earlier.as_ref(), registration.first(), &result),
        accrual: accrual(&overview.accrual),
        indicators: indicators::since(&now, earlier.as_ref().map(|run| &*run.indicators)),
        bounds: words::SMALL_BOUNDS,
        more: found.total - found.shown.len(),
        signals: found.shown.into_iter().map(signals::row).collect(),
        landmarks: landmarks(&result),
        counted: curve.map_or_else(String::new, |curve| {
            format!(
                "{} patients, {} deaths.",
                words::count(curve.patients),
                words::count(curve.events)
            )
        }),
        curve: curve
            .filter(|curve| survival::shown(curve))
            .map(|curve| charts::survival(&[("All", curve)], "Survival from metastatic diagnosis")),
        no_curve: curve.map_or("There is no estimate.", |curve| {
            survival::why_no_curve(curve.state)
        }),
        quality: quality(&view.quality()?, called),
    };
    Ok((data, hidden))
}

/// The day the run was published.
pub(super) fn published_on(view: &View<'_>) -> String {
    let at = view.run.published_at;
    at.map_or_else(String::new, |at| at.date_naive().to_string())
}

/// The run published before, and in words what the brief is compared with.
pub(super) fn earlier(view: &View<'_>) -> Result<(Option<Earlier>, String), Problem> {
    let Some(before) = view.before()? else {
        let first = "This is the first published run: there is nothing to compare it with.";
        return Ok((None, first.to_owned()));
    };
    let same = before.guideline_version() == view.guideline_version();
    let indicators = if same { before.indicators()? } else { Vec::new() };
    let mut compared = format!(
        "Changes are against run {}, the one published before, with data up to {}; they stand only where both runs show a value of their own.",
        before.run.number, before.run.cutoff_date
    );
    if !same {
        compared
            .push_str(" Measures are not compared: that run was made by another version of the guideline.");
    }
    let overview = before.overview()?;
    Ok((Some(Earlier { overview, indicators }), compared))
}

pub(super) fn figures(
    now: &Overview,
    earlier: Option<&Earlier>,
    registered: Option<&Registration>,
    survival: &SurvivalResult,
) -> Vec<Figure> {
    let then = earlier.map(|earlier| &earlier.overview);
    // A number as of an earlier run is not the earlier run's own: what changed since is not known from it.
    let counted = |of: fn(&Overview) -> Option<u32>, as_of: fn(&Overview) -> Option<i64>, unit: &str| {
        let own = then.filter(|then| as_of(then).is_none());
        let both = of(now).zip(own.and_then(of));
        match (both, as_of(now)) {
            (_, Some(run)) => format!("as of run {run}: changed by few since, or not at all"),
            (Some((now, then)), None) => signed(i64::from(now) - i64::from(then), unit),
            (None, None) => String::new(),
        }
    };
    let completeness = now
        .follow_up_completeness
        .zip(then.and_then(|then| then.follow_up_completeness));
    let seen = registered.and_then(|network| network.registered.zip(network.eligible_seen));
    vec![
        Figure {
            name: "Cases",
            value: words::count(now.cases),
            small: counted(
                |overview| overview.cases,
                |overview| overview.cases_as_of,
                "cases",
            ),
        },
        Figure {
            name: "Centres",
            value: now.centres.to_string(),
            small: counted(|overview| Some(overview.centres), |_| None, "centres"),
        },
        Figure {
            name: REGISTERED,
            value: seen.map_or_else(|| "–".to_owned(), |(n, of)| format!("{n} of {of}")),
            small: if seen.is_some() {
                String::new()
            } else {
                "not known, or not shown, for every centre".to_owned()
            },
        },
        Figure {
            name: "Deaths",
            value: words::count(now.deaths),
            small: counted(
                |overview| overview.deaths,
                |overview| overview.deaths_as_of,
                "deaths",
            ),
        },
        Figure {
            name: "Completeness of follow-up",
            value: words::percent(now.follow_up_completeness),
            small: followed(survival, completeness),
        },
        Figure {
            name: "Median survival (S1)",
            value: survival::median(survival),
            small: match survival::primary(survival).map_or_else(String::new, survival::median_interval) {
                interval if interval.is_empty() => interval,
                interval => format!("95 % interval {interval}"),
            },
        },
    ]
}

/// Of how many patients, and how far it has moved.
fn followed(survival: &SurvivalResult, both: Option<(f64, f64)>) -> String {
    // The same patients as those of S1; a curve that stays as of an earlier run is of others.
    let stays = survival.part_as_of("curves/primary/all/all").is_some();
    let curve = survival::primary(survival).filter(|_| !stays);
    let of = curve
        .and_then(|curve| curve.patients)
        .map(|n| format!("of {n} patients"));
    let moved = both.map(|(now, then)| points(now, then));
    of.into_iter().chain(moved).collect::<Vec<_>>().join(", ")
}

/// The last months as bars.
pub(super) fn accrual(months: &[LevelCount]) -> String {
    every_month(last_months(months))
}

fn last_months(months: &[LevelCount]) -> &[LevelCount] {
    let from = months.len().saturating_sub(MONTHS);
    months.get(from..).unwrap_or_default()
}

/// Registrations as bars.
pub(super) fn every_month(months: &[LevelCount]) -> String {
    let bars = months.iter().map(|month| (month.level.clone(), month.n));
    let bars: Vec<(String, Option<u32>)> = bars.collect();
    charts::bars(&bars, "Registrations by month", "registered")
}

/// Survival at whole years with its interval, and how many are at risk then.
fn landmarks(result: &SurvivalResult) -> Vec<[String; 4]> {
    let curve = survival::primary(result);
    let years = [
        ("1 year", 12.0),
        ("2 years", 24.0),
        ("3 years", 36.0),
        ("5 years", 60.0),
    ];
    let at = |(name, months): (&'static str, f64)| {
        let value = curve.and_then(|curve| {
            let mut landmarks = curve.landmarks.iter();
            landmarks.find(|landmark| (landmark.months - months).abs() < 0.01)
        });
        let interval = value.map(|value| words::interval(value.lower, value.upper));
        [
            name.to_owned(),
            words::percent(value.and_then(|value| value.survival)),
            interval.unwrap_or_default(),
            value.map_or_else(|| "–".to_owned(), |value| words::count(value.at_risk)),
        ]
    };
    years.map(at).into()
}

/// One paragraph on how far the numbers can be relied on.
pub(super) fn quality(quality: &Quality, called: Words<'_>) -> String {
    let network = &quality.network;
    let share = match network.not_assessable_share {
        Some(share) => format!(
            "{:.0} % of all units cannot be assessed, all measures together.",
            share * 100.0
        ),
        None => "The share of units that cannot be assessed is not shown.".to_owned(),
    };
    let errors = match (network.cases_with_errors, network.cases) {
        (Some(n), Some(of)) => format!("{n} of {of} cases have an element kept out by an error."),
        _ => "How many cases have an element kept out by an error is not shown.".to_owned(),
    };
    let lacking: Vec<String> = network
        .lacking
        .iter()
        .take(LACKING)
        .map(|lacking| {
            let element = lacking.element.as_deref();
            let element = element.map_or("no element in particular".to_owned(), |path| called.place(path));
            format!("{element} ({}, {} units)", reason(&lacking.reason), lacking.n)
        })
        .collect();
    let lacking = if lacking.is_empty() {
        String::new()
    } else {
        format!(" What costs most: {}.", lacking.join("; "))
    };
    format!("{share} {errors}{lacking}")
}
