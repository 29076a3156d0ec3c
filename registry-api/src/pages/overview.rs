//! The first page: how many, from where, since when.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::{Role, Scope};
use registry_etl::disclosure::{self, Audience};
use registry_etl::results::{LevelCount, Overview};
use serde::Deserialize;

use super::frame::start;
use super::indicators::{self, Line};
use super::of_run::OfRun;
use super::{Frame, brief, html, words};
use crate::guard::{Allowed, Anyone, Policy, ReadsResults, ReadsRuns, Steers};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, View};
use crate::state::{AppState, blocking};

/// Months of the table by centre.
const MONTHS: usize = 12;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    /// Tasks that wait for the coordinating office; for it alone, and only when there are any.
    tasks: Option<i64>,
    of_run: OfRun,
    data: Option<Data>,
    /// The reader may choose the indicators.
    steers: bool,
    /// Of the cases the reader may see.
    queries: Option<Waiting>,
    /// Of all centres, for a reader who sees no case.
    queries_of_all: Option<String>,
}

/// Data queries as they stand now.
struct Waiting {
    unsettled: i64,
    mine: i64,
    /// Those whose turn is the reader's.
    link: &'static str,
}

struct Data {
    figures: Vec<brief::Figure>,
    /// The run published before, and in words what the numbers are compared with.
    compared: String,
    /// The reader may open the brief.
    brief: bool,
    accrual_svg: String,
    accrual: Vec<(String, String)>,
    by_month: ByMonth,
    /// The reader is told of no centre's months.
    months_hidden: bool,
    histology: Vec<(String, String)>,
    timing: Vec<(String, String)>,
    /// Measures the committee looks at first.
    /// Each with how far the network's rate has moved.
    indicators: Vec<(Line, String)>,
    bounds: &'static str,
    /// The viewer's own centre, named in their heading.
    own: Option<String>,
    by_centre: Vec<CentreLine>,
}

/// Registrations by month and centre, the last months.
#[derive(Default)]
struct ByMonth {
    months: Vec<String>,
    /// The network, then the centres whose months the reader may see: name, whether the reader's own, a number a month.
    rows: Vec<(String, bool, Vec<String>)>,
}

struct CentreLine {
    centre: String,
    own: bool,
    cases: String,
    recent: String,
    eligible: String,
    registered: String,
}

/// Which run; without a number the published one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    run: Option<i64>,
}

pub(super) async fn page(
    caller: Allowed<Anyone>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let home = start(caller.scope.role());
    if home != "/" {
        return Ok(HttpResponse::SeeOther()
            .insert_header(("location", home))
            .finish());
    }
    let caller = caller.also::<ReadsResults>()?;
    let frame = Frame::of("Overview", "/", &caller);
    let page = blocking(move || {
        let tasks = match caller.scope.role() {
            Role::Coordinator => Some(state.store.open_tasks(&caller.scope)?).filter(|open| *open > 0),
            _ => None,
        };
        let queries = waiting(&state, &caller.scope)?;
        let queries_of_all = of_all(&state, &caller.scope)?;
        let steers = Steers::ROLES.contains(&caller.scope.role());
        let view = match View::open(&state, &caller.scope, asked.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && asked.run.is_none() => {
                return Ok(Page {
                    frame,
                    of_run: OfRun(None),
                    tasks,
                    steers,
                    data: None,
                    queries,
                    queries_of_all,
                });
            }
            Err(problem) => return Err(problem),
        };
        let (data, hidden) = data(&view, ReadsRuns::ROLES.contains(&caller.scope.role()))?;
        Ok(Page {
            frame: frame.with_run(&view.run).with_hidden(hidden),
            of_run: OfRun(asked.run),
            tasks,
            steers,
            data: Some(data),
            queries,
            queries_of_all,
        })
    })
    .await?;
    html(&page)
}

fn waiting(state: &AppState, scope: &Scope) -> Result<Option<Waiting>, Problem> {
    if !scope.role().sees_cases() {
        return Ok(None);
    }
    let (mut unsettled, mut for_centre, mut for_office) = (0, 0, 0);
    for centre in state.store.queries_waiting(scope)?.values() {
        unsettled += centre.unsettled;
        for_centre += centre.for_centre;
        for_office += centre.for_office;
    }
    let (mine, link) = if scope.role().needs_centre() {
        (for_centre, "/queries?waits_for=centre")
    } else {
        (for_office, "/queries?waits_for=office")
    };
    Ok(Some(Waiting {
        unsettled,
        mine,
        link,
    }))
}

/// Of all centres together, as the committee may see it: a number that names nobody, and none when few patients are behind it.
fn of_all(state: &AppState, scope: &Scope) -> Result<Option<String>, Problem> {
    if scope.role().sees_cases() {
        return Ok(None);
    }
    let counted = state.store.queries_of_all(&Scope::system("overview"))?;
    let whole = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    let (n, cases) = (whole(counted.unsettled), whole(counted.cases));
    let limits = crate::runs::thresholds(state);
    Ok(Some(
        match disclosure::told(n, cases, &Audience::Committee, &limits) {
            Some(0) => "Data queries of all centres: none is open.".to_owned(),
            Some(n) => format!("Data queries of all centres: {n} not settled."),
            None => "Data queries of all centres: number not shown, few patients are behind it.".to_owned(),
        },
    ))
}

fn spoken(levels: &[LevelCount]) -> Vec<(String, String)> {
    levels
        .iter()
        .map(|l| (words::code(&l.level), words::dated(words::count(l.n), l.as_of)))
        .collect()
}

/// Nothing where no centre's months are told: to the committee, or of a run that did not count them.
fn by_month(overview: &Overview, own: Option<&str>) -> ByMonth {
    if overview.by_centre.iter().all(|centre| centre.months.is_empty()) {
        return ByMonth::default();
    }
    let from = overview.accrual.len().saturating_sub(MONTHS);
    let last = overview.accrual.get(from..).unwrap_or_default();
    let network = last
        .iter()
        .map(|month| words::dated(words::count(month.n), month.as_of));
    let mut rows = vec![("Network".to_owned(), false, network.collect())];
    rows.extend(overview.by_centre.iter().map(|centre| {
        let n = |month: &LevelCount| centre.months.get(&month.level).copied().unwrap_or(0).to_string();
        let is_own = own == Some(centre.centre.as_str());
        (centre.centre.clone(), is_own, last.iter().map(n).collect())
    }));
    ByMonth {
        months: last.iter().map(|month| month.level.clone()).collect(),
        rows,
    }
}

/// What the page shows, and how much of it is hidden.
fn data(view: &View<'_>, brief: bool) -> Result<(Data, Hidden), Problem> {
    let (overview, own) = (view.overview()?, view.own());
    let (earlier, compared) = brief::earlier(view)?;
    let now = view.indicators()?;
    let registration = view.registration()?;
    let survival = view.survival("S1")?;
    let mut figures = brief::figures(&overview, earlier.as_ref(), registration.first(), &survival);
    // A centre reads how complete its own registration is in the table of centres; it is not told of all others.
    figures.retain(|figure| own.is_none() || figure.name != brief::REGISTERED);
    let hidden = Hidden::of_overview(&overview).and(indicators::hidden(&now));
    let data = Data {
        figures,
        compared,
        brief,
        accrual_svg: brief::every_month(&overview.accrual),
        accrual: overview
            .accrual
            .iter()
            .map(|l| (l.level.clone(), words::dated(words::count(l.n), l.as_of)))
            .collect(),
        by_month: by_month(&overview, own),
        months_hidden: own.is_none() && !view.names_centres(),
        histology: spoken(&overview.by_histology),
        timing: spoken(&overview.by_timing),
        indicators: indicators::since(&now, earlier.as_ref().map(|run| &*run.indicators)),
        bounds: words::BOUNDS,
        own: own.map(str::to_owned),
        by_centre: overview
            .by_centre
            .iter()
            .map(|c| CentreLine {
                own: own == Some(c.centre.as_str()),
                centre: c.centre.clone(),
                cases: words::dated(words::count(c.cases), c.as_of),
                recent: words::count(c.cases_last_24_months),
                eligible: c.eligible_seen.map_or_else(|| "–".to_owned(), |n| n.to_string()),
                registered: c
                    .registered_in_those_years
                    .map_or_else(|| "–".to_owned(), |n| n.to_string()),
            })
            .collect(),
    };
    Ok((data, hidden))
}
