//! The list of data queries with its filters in the address, the same as a table, and how soon queries are answered and closed.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use registry_core::form::Words;
use registry_core::storage::{DataQuery, QuerySide, QueryState, RaisedBy};
use registry_etl::quality::{CentreQueries, Days, QueryFigures};

use super::checks::{CheckLink, said_when_it_fires};
use super::{Frame, download, html};
use crate::guard::{Allowed, NoQuery, SeesCases};
use crate::problem::Problem;
use crate::routes::queries::list::{Askers, States, Wanted, csv as table, every};
use crate::routes::queries::metrics::{csv as metrics_table, levels};
use crate::state::{AppState, blocking};

/// Queries on one page.
const A_PAGE: usize = 100;

#[derive(Template)]
#[template(path = "queries.html")]
struct Page {
    frame: Frame,
    /// Reads the queries of every centre.
    office: bool,
    states: Vec<Choice>,
    askers: Vec<Choice>,
    turns: Vec<Choice>,
    wanted: Wanted,
    /// What the field was given.
    element: String,
    /// Subjects of the queries shown, to choose from.
    subjects: BTreeSet<String>,
    csv: String,
    rows: Vec<Line>,
    next: Option<String>,
}

struct Choice {
    value: &'static str,
    label: &'static str,
    chosen: bool,
}

/// A query as a line of a list.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) case: String,
    pub(super) centre: String,
    pub(super) state: &'static str,
    pub(super) question: String,
    /// The check that asks.
    pub(super) check: CheckLink,
    /// Where in the case.
    pub(super) about: String,
    pub(super) asked_by: &'static str,
    pub(super) turn: &'static str,
    pub(super) since: String,
    pub(super) days: i64,
}

impl Line {
    pub(super) fn of(state: &AppState, called: Words<'_>, query: DataQuery, now: DateTime<Utc>) -> Self {
        let since = match query.state {
            QueryState::Open => query.asked_at,
            QueryState::Answered => query.answered_at.unwrap_or(query.asked_at),
            QueryState::Closed => query.closed_at.unwrap_or(query.updated_at),
        };
        Self {
            state: query.state.as_str(),
            check: CheckLink::of(state, query.rule.as_deref().unwrap_or_default()),
            about: about(&query, called),
            asked_by: asker(query.raised_by),
            turn: query.waits_for.map(turn).unwrap_or_default(),
            since: since.date_naive().to_string(),
            days: (now.date_naive() - since.date_naive()).num_days(),
            id: query.id,
            case: query.case,
            centre: query.centre,
            question: query.question,
        }
    }
}

/// Where in the case a query is about: a place, or elements.
pub(super) fn about(query: &DataQuery, called: Words<'_>) -> String {
    match query.pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
        Some(pointer) => called.at(pointer),
        None => {
            let elements = query.elements.iter().map(|path| called.place(path));
            elements.collect::<Vec<_>>().join("; ")
        }
    }
}

pub(super) fn asker(raised: RaisedBy) -> &'static str {
    match raised {
        RaisedBy::Rule => "Edit check",
        RaisedBy::Office => "Coordinating office",
        RaisedBy::Centre => "Centre",
    }
}

pub(super) fn turn(side: QuerySide) -> &'static str {
    match side {
        QuerySide::Centre => "Centre",
        QuerySide::Office => "Coordinating office",
    }
}

/// The address of a view with the same filters.
fn address(path: &str, wanted: &Wanted, cursor: Option<&str>) -> String {
    let state = States::ALL.iter().find(|(one, ..)| wanted.state == Some(*one));
    let asker = Askers::ALL
        .iter()
        .find(|(one, ..)| wanted.raised_by == Some(*one));
    let since = wanted.updated_since.map(|at| at.to_rfc3339());
    let waits_for = wanted.waits_for.map(|side| match side {
        QuerySide::Centre => "centre",
        QuerySide::Office => "office",
    });
    let parts = [
        ("centre", wanted.centre.as_deref()),
        ("case", wanted.case.as_deref()),
        ("state", state.map(|(_, code, _)| *code)),
        ("raised_by", asker.map(|(_, code, _)| *code)),
        ("waits_for", waits_for),
        ("rule", wanted.rule.as_deref()),
        ("element", wanted.element.as_deref()),
        ("updated_since", since.as_deref()),
        ("cursor", cursor),
    ];
    let given: Vec<(&str, &str)> = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    // Texts always encode.
    format!(
        "{path}?{}",
        serde_urlencoded::to_string(given).unwrap_or_default()
    )
}

/// The code of the section or element that is called so; what is called otherwise is taken for a code, which has no blank.
fn code_of(state: &AppState, said: String) -> Result<String, Problem> {
    let called = state.words()?;
    let wanted = said.trim().to_lowercase();
    let entities = state.schemas.current().dictionary.entities.iter();
    let mut paths = entities.flat_map(|entity| {
        let of = entity.elements.iter();
        let elements = of.map(|element| format!("{}.{}", entity.name, element.name));
        std::iter::once(entity.name.clone()).chain(elements)
    });
    let found = paths.find(|path| called.place(path).to_lowercase() == wanted);
    let code = |letter: char| if letter.is_ascii_graphic() { letter } else { '_' };
    Ok(found.unwrap_or_else(|| said.trim().chars().map(code).collect()))
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Queries", "/queries", &caller);
    let mut wanted = wanted.into_inner();
    // What waits comes first; all of them are one choice away.
    let element = wanted.element.clone().unwrap_or_default();
    let chosen = *wanted.state.get_or_insert(States::Unsettled);
    let page = blocking(move || {
        let scope = &caller.scope;
        wanted.element = wanted.element.map(|said| code_of(&state, said)).transpose()?;
        let cursor = wanted.cursor.as_deref();
        let listed = state
            .store
            .list_queries(scope, &wanted.filter(), cursor, A_PAGE)?;
        let (now, called) = (state.ports.clock.now(), state.words()?);
        let about = listed.items.iter().flat_map(|query| &query.elements);
        let subjects = about.map(|path| called.place(path)).collect();
        let any = |label, chosen| Choice {
            value: "",
            label,
            chosen,
        };
        let states = States::ALL.map(|(one, value, label)| Choice {
            value,
            label,
            chosen: one == chosen,
        });
        let askers = Askers::ALL.map(|(one, value, label)| Choice {
            value,
            label,
            chosen: wanted.raised_by == Some(one),
        });
        let turns = [
            ("centre", turn(QuerySide::Centre), QuerySide::Centre),
            ("office", turn(QuerySide::Office), QuerySide::Office),
        ]
        .map(|(value, label, side)| Choice {
            value,
            label,
            chosen: wanted.waits_for == Some(side),
        });
        let anybody = any("Anybody", wanted.raised_by.is_none());
        let either = any("Either", wanted.waits_for.is_none());
        Ok(Page {
            frame,
            office: !scope.role().needs_centre(),
            states: states.into(),
            askers: std::iter::once(anybody).chain(askers).collect(),
            turns: std::iter::once(either).chain(turns).collect(),
            csv: address("/queries.csv", &wanted, None),
            next: listed.next.map(|next| address("/queries", &wanted, Some(&next))),
            rows: listed
                .items
                .into_iter()
                .map(|query| Line::of(&state, called, query, now))
                .collect(),
            subjects,
            element,
            wanted,
        })
    })
    .await?;
    html(&page)
}

/// Every query of the view as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || table(&every(&state, &caller.scope, &wanted.filter())?)).await?;
    Ok(download("queries.csv", text))
}

#[derive(Template)]
#[template(path = "query_metrics.html")]
struct MetricsPage {
    frame: Frame,
    office: bool,
    as_of: String,
    centres: Vec<Figures>,
    by_rule: Vec<Figures>,
    questions: Vec<Figures>,
}

struct Figures {
    name: String,
    /// What the check looks at; of a check.
    says: String,
    link: String,
    raised: usize,
    open: usize,
    answered: usize,
    closed: usize,
    reopened: usize,
    to_answer: String,
    to_close: String,
    oldest: String,
}

impl Figures {
    fn of(name: String, link: String, figures: &QueryFigures) -> Self {
        Self {
            name,
            says: String::new(),
            link,
            raised: figures.raised,
            open: figures.open,
            answered: figures.answered,
            closed: figures.closed,
            reopened: figures.reopened,
            to_answer: spread(figures.days_to_answer),
            to_close: spread(figures.days_to_close),
            oldest: figures
                .oldest_open_days
                .map_or_else(|| "–".to_owned(), |days| days.to_string()),
        }
    }
}

/// `6 (21), n 14`: median, 90th percentile, of how many.
fn spread(days: Option<Days>) -> String {
    days.map_or_else(
        || "–".to_owned(),
        |days| format!("{:.0} ({:.0}), n {}", days.median, days.p90, days.n),
    )
}

pub(super) async fn metrics(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("How soon queries are settled", "/queries", &caller);
    let page = blocking(move || {
        let all = levels(&state, &caller.scope)?;
        let office = !caller.scope.role().needs_centre();
        let line = |level: &CentreQueries, figures: &QueryFigures| {
            let (name, link) = match &level.centre {
                Some(centre) => (centre.clone(), format!("/queries?centre={centre}")),
                None => ("All centres".to_owned(), "/queries".to_owned()),
            };
            Figures::of(name, link, figures)
        };
        let rules = all.first().map(|level| &level.by_rule[..]).unwrap_or_default();
        let by_rule = rules.iter().map(|by| {
            let (name, link) = match &by.rule {
                Some(rule) => (rule.clone(), format!("/queries?rule={rule}&state=all")),
                None => (
                    "Asked by people".to_owned(),
                    "/queries?raised_by=office&state=all".to_owned(),
                ),
            };
            let says = by.rule.as_deref().and_then(|id| said_when_it_fires(&state, id));
            Figures {
                says: says.unwrap_or_default(),
                ..Figures::of(name, link, &by.figures)
            }
        });
        Ok(MetricsPage {
            frame,
            office,
            as_of: state.ports.clock.now().date_naive().to_string(),
            centres: all.iter().map(|level| line(level, &level.asked)).collect(),
            by_rule: by_rule.collect(),
            questions: all
                .iter()
                .filter(|level| level.questions.raised > 0)
                .map(|level| line(level, &level.questions))
                .collect(),
        })
    })
    .await?;
    html(&page)
}

/// The figures as CSV, for the link on the page.
pub(super) async fn metrics_csv(
    caller: Allowed<SeesCases>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || metrics_table(&levels(&state, &caller.scope)?)).await?;
    Ok(download("query-metrics.csv", text))
}
