//! The first page: how many, from where, since when.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::{Role, Scope};
use registry_etl::results::{LevelCount, Overview};

use super::frame::start;
use super::indicators::{self, Line};
use super::{Frame, brief, html, words};
use crate::guard::{Allowed, Anyone, NoQuery, Policy, ReadsResults, Steers};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    /// Tasks that wait for the coordinating office; for it alone, and only when there are any.
    tasks: Option<i64>,
    data: Option<Data>,
    /// The reader may choose the indicators.
    steers: bool,
    /// Of the cases the reader may see.
    queries: Option<Waiting>,
}

/// Data queries as they stand now.
struct Waiting {
    unsettled: i64,
    mine: i64,
    /// Those whose turn is the reader's.
    link: &'static str,
}

struct Data {
    cases: String,
    centres: u32,
    deaths: String,
    follow_up: String,
    median: String,
    accrual_svg: String,
    accrual: Vec<(String, String)>,
    histology: Vec<(String, String)>,
    timing: Vec<(String, String)>,
    /// Measures the committee looks at first.
    indicators: Vec<Line>,
    /// The viewer's own centre, named in their heading.
    own: Option<String>,
    by_centre: Vec<CentreLine>,
}

struct CentreLine {
    centre: String,
    own: bool,
    cases: String,
    recent: String,
    eligible: String,
    registered: String,
}

pub(super) async fn page(
    caller: Allowed<Anyone>,
    _: NoQuery,
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
        let steers = Steers::ROLES.contains(&caller.scope.role());
        let view = match View::open(&state, &caller.scope, None) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound => {
                return Ok(Page {
                    frame,
                    tasks,
                    steers,
                    data: None,
                    queries,
                });
            }
            Err(problem) => return Err(problem),
        };
        let survival = view.survival("S1")?;
        let data = Data {
            indicators: indicators::lines(&view.indicators()?),
            own: view.own().map(str::to_owned),
            ..data(&view.overview()?, super::survival::median(&survival), view.own())
        };
        Ok(Page {
            frame: frame.with_run(&view.run),
            tasks,
            steers,
            data: Some(data),
            queries,
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

fn spoken(levels: &[LevelCount]) -> Vec<(String, String)> {
    levels
        .iter()
        .map(|l| (words::code(&l.level), words::dated(words::count(l.n), l.as_of)))
        .collect()
}

fn data(overview: &Overview, median: String, own: Option<&str>) -> Data {
    Data {
        cases: words::dated(words::count(overview.cases), overview.cases_as_of),
        centres: overview.centres,
        deaths: words::dated(words::count(overview.deaths), overview.deaths_as_of),
        follow_up: words::percent(overview.follow_up_completeness),
        median,
        accrual_svg: brief::every_month(&overview.accrual),
        accrual: overview
            .accrual
            .iter()
            .map(|l| (l.level.clone(), words::dated(words::count(l.n), l.as_of)))
            .collect(),
        histology: spoken(&overview.by_histology),
        timing: spoken(&overview.by_timing),
        indicators: Vec::new(),
        own: None,
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
    }
}
