//! The adherence table: measures by centre, or the network by half-year, histology and so on.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::guideline::Guideline;
use registry_etl::measures::engine::COMPOSITE;
use registry_etl::results::{AdherenceRow, AdherenceTable, By, MeasureHead, Period, RateState};

use super::adherence_filters::{
    BREAKDOWNS, DETAILS, DOMAINS, Filters, GRADES, KINDS, PERIODS, SORTS, Statements,
};
use super::definition::labels;
use super::{Frame, html, words};
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{Registration, View};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "adherence.html")]
struct Page {
    frame: Frame,
    data: Option<Data>,
}

struct Data {
    /// That the run was made by another version than the one in force.
    notice: Option<String>,
    kinds: Vec<Choice>,
    domains: Vec<Choice>,
    grades: Vec<Choice>,
    bys: Vec<Choice>,
    periods: Vec<Choice>,
    details: Vec<Choice>,
    sorts: Vec<Choice>,
    /// What the address of a measure ends with, so that its page is of the same diagnoses and the same run.
    of_page: String,
    /// That a run does not hold what was asked for.
    not_held: bool,
    /// What is searched for.
    q: String,
    csv: String,
    caption: String,
    /// What the own column rests on, when not on the run of all others.
    own: String,
    /// The latest run of a centre's own cases, newer than the one shown.
    newer: Option<i64>,
    /// The run asked for, which the form keeps.
    run: String,
    suppressed: String,
    columns: Vec<Column>,
    /// Of the eligible patients seen, those registered: network first, then the columns.
    registered: Vec<Registered>,
    groups: Vec<Group>,
    width: usize,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Column {
    name: String,
    own: bool,
    /// The score card of a centre, for who may read it.
    link: Option<String>,
}

#[derive(Default)]
struct Registered {
    share: String,
    of: String,
}

struct Group {
    title: String,
    /// Uses of options: they stand behind everything that has a direction.
    options: bool,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    title: String,
    grade: String,
    /// All or none of several measures.
    composite: bool,
    /// Parameters its rate rests on that nobody has ratified.
    unratified: String,
    cells: Vec<Cell>,
}

struct Cell {
    class: &'static str,
    text: String,
    small: String,
    /// Interval and bounds, where they are asked for.
    more: Vec<String>,
    /// The interval, for who points at the cell.
    tip: String,
    /// Whether it leads to the measure: the network's and the reader's own, since a link in every cell would double the page.
    linked: bool,
}

pub(super) async fn page(
    caller: Allowed<ReadsResults>,
    filters: web::Query<Filters>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Adherence", "/adherence", &caller);
    let page = blocking(move || {
        filters.check()?;
        let view = match View::of(&state, &caller.scope, filters.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && filters.run.is_none() => {
                return Ok(Page { frame, data: None });
            }
            Err(problem) => return Err(problem),
        };
        let shown = Data {
            own: view.own_run().map_or_else(String::new, |run| {
                format!(
                    "Your own column is of run {}, with data up to {}; everything else is of the published run.",
                    run.number, run.cutoff_date
                )
            }),
            newer: view.newer()?.map(|run| run.number),
            of_page: of_page(&view, &filters),
            ..data(
                &view.adherence()?,
                &Statements::of(&view),
                &view.registration()?,
                view.other_version(),
                &filters,
                (view.own(), view.names_centres()),
                view.guideline(),
            )
        };
        Ok(Page {
            frame: frame.with_run(&view.run),
            data: Some(shown),
        })
    })
    .await?;
    html(&page)
}

fn choices(values: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let one = |(value, label): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        chosen: *value == chosen,
    };
    values.iter().map(one).collect()
}

fn data(
    table: &AdherenceTable,
    statements: &Statements,
    registration: &[Registration],
    notice: Option<String>,
    filters: &Filters,
    (own, office): (Option<&str>, bool),
    guideline: Option<&Guideline>,
) -> Data {
    let (by, period) = filters.columns();
    let full = !filters.detail.is_empty();
    let rows: HashMap<(&str, By, &str), &AdherenceRow> = table
        .rows
        .iter()
        .filter(|r| r.period == period && (r.by == by || r.by == By::Network))
        .map(|r| ((r.measure.as_str(), r.by, r.level.as_str()), r))
        .collect();
    let mut levels: Vec<&str> = rows
        .keys()
        .filter(|(_, of, _)| *of == by)
        .map(|(_, _, level)| *level)
        .collect();
    levels.sort_unstable_by_key(|l| (by == By::Centre).then_some(l.len()).map_or((0, *l), |n| (n, *l)));
    levels.dedup();
    // A composite stands behind its parts.
    let mut heads: Vec<&MeasureHead> = table.measures.iter().collect();
    heads.sort_by_key(|head| head.statement.parse::<u16>().unwrap_or(u16::MAX));
    let network = |id: &str| rows.get(&(id, By::Network, "all")).copied();
    sort(&mut heads, &filters.sort, network);
    let mut groups: Vec<Group> = Vec::new();
    for head in heads.into_iter().filter(|head| filters.keep(head, statements)) {
        let of = |by: By, level: &str| rows.get(&(head.id.as_str(), by, level)).copied();
        let utilisation = head.kind == "utilisation";
        let cell = |row: Option<&AdherenceRow>, linked: bool| Cell {
            linked: linked && row.is_some(),
            ..cell(row, utilisation, full)
        };
        let mut cells = vec![cell(of(By::Network, "all"), true)];
        cells.extend(
            levels
                .iter()
                .map(|level| cell(of(by, level), own == Some(*level))),
        );
        let row = Row {
            id: head.id.clone(),
            title: head.title.clone(),
            grade: head.grade.clone(),
            composite: head.kind == COMPOSITE,
            unratified: match guideline {
                Some(guideline) => labels(guideline, head.unratified.iter().map(String::as_str)),
                None => head.unratified.join(", "),
            },
            cells,
        };
        let kind = if utilisation {
            "use of options"
        } else {
            "adherence"
        };
        let title = format!(
            "{}: {kind}",
            words::code(head.domain.as_deref().unwrap_or_default())
        );
        match groups.iter_mut().find(|g| g.title == title) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                title,
                options: utilisation,
                rows: vec![row],
            }),
        }
    }
    groups.sort_by_key(|group| group.options);
    let share = if table.rows_total == 0 {
        0.0
    } else {
        f64::from(table.rows_suppressed) / f64::from(table.rows_total)
    };
    Data {
        notice,
        kinds: choices(&KINDS, &filters.kind),
        domains: choices(&DOMAINS, &filters.domain),
        grades: choices(&GRADES, &filters.grade),
        sorts: choices(&SORTS, &filters.sort),
        q: filters.q.clone(),
        bys: choices(&BREAKDOWNS, &filters.by),
        periods: choices(&PERIODS, &filters.period),
        details: choices(&DETAILS, &filters.detail),
        of_page: String::new(),
        not_held: filters.period_not_held(),
        csv: filters.csv(),
        own: String::new(),
        newer: None,
        run: filters.run_text(),
        caption: format!(
            "Share of assessable units; small: counted units, then units that cannot be assessed{}. {}",
            if full {
                ", the 95 % interval, and the rate if none, and if all, of those units were in the numerator"
            } else {
                ""
            },
            if period == Period::Last24Months {
                format!("Metastatic diagnosis since {}.", table.last_24_months_from)
            } else {
                "All diagnoses.".to_owned()
            }
        ),
        suppressed: match table.rows_suppressed {
            0 => format!(
                "All {} rows of this run are shown to you.{}",
                table.rows_total,
                stay(table)
            ),
            hidden => format!(
                "{hidden} of {} rows of this run are not shown to you ({}): few patients are behind them.{}",
                table.rows_total,
                words::exact_percent(share),
                stay(table)
            ),
        },
        registered: std::iter::once("all")
            .chain(levels.iter().copied())
            .map(|level| {
                let known = registration.iter().find(|row| row.level == level);
                known
                    .filter(|_| by == By::Centre || level == "all")
                    .map(registered)
                    .unwrap_or_default()
            })
            .collect(),
        width: levels.len() + 3,
        columns: levels
            .iter()
            .map(|l| Column {
                own: own == Some(*l),
                link: card(by, l, own, office),
                name: match by {
                    By::Centre => l.replace("Centre ", ""),
                    _ => words::code(l),
                },
            })
            .collect(),
        groups,
    }
}

/// What the address of a measure's page ends with. Its page knows no own rows of another run than all others': it stays with the published one.
fn of_page(view: &View<'_>, filters: &Filters) -> String {
    let period = (filters.columns().1 == Period::All).then(|| ("period", "all".to_owned()));
    let run = filters.run.filter(|_| view.own_run().is_none());
    let run = run.map(|_| ("run", view.run.number.to_string()));
    let given: Vec<(&str, String)> = period.into_iter().chain(run).collect();
    let query = serde_urlencoded::to_string(&given).unwrap_or_default();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{mark}{query}")
}

/// Where the score card of a column is, for its own people and for the coordinating office.
fn card(by: By, level: &str, own: Option<&str>, office: bool) -> Option<String> {
    match by {
        By::Centre if own == Some(level) => Some("/centre".to_owned()),
        By::Centre if office => Some(format!("/centre?centre={level}")),
        _ => None,
    }
}

/// Orders the measures by their network row; those without one come last, equal ones stay in the order of the guideline.
fn sort<'a>(heads: &mut [&MeasureHead], by: &str, network: impl Fn(&str) -> Option<&'a AdherenceRow>) {
    let value = |head: &MeasureHead| -> f64 {
        let row = network(&head.id);
        let found = match by {
            "rate" => row
                .filter(|row| row.state == RateState::Rate)
                .and_then(|row| row.rate),
            "not_assessable" => row.and_then(|row| row.not_assessable_share).map(|share| -share),
            "units" => row.and_then(|row| row.denominator).map(|n| -f64::from(n)),
            _ => Some(0.0),
        };
        found.unwrap_or(f64::INFINITY)
    };
    heads.sort_by(|a, b| value(a).total_cmp(&value(b)));
}

/// How many rows stay as an earlier run showed them, and why.
fn stay(table: &AdherenceTable) -> String {
    match table.rows.iter().filter(|row| row.as_of.is_some()).count() {
        0 => String::new(),
        rows => format!(" {rows} are as of an earlier run. {}", words::STAYS),
    }
}

fn registered(row: &Registration) -> Registered {
    match (row.registered, row.eligible_seen) {
        // No share of a whole: cases diagnosed, or seen, in other years were registered too.
        (Some(registered), Some(seen)) if registered > seen => Registered {
            share: "more than seen".to_owned(),
            of: format!("{registered} registered, {seen} seen"),
        },
        (Some(registered), Some(seen)) => Registered {
            share: words::percent(row.completeness),
            of: format!("{registered} of {seen}"),
        },
        (None, Some(seen)) => Registered {
            share: "few".to_owned(),
            of: format!("of {seen}"),
        },
        _ => Registered {
            share: "–".to_owned(),
            of: String::new(),
        },
    }
}

fn cell(row: Option<&AdherenceRow>, utilisation: bool, full: bool) -> Cell {
    let Some(row) = row else {
        return Cell {
            class: "none",
            text: "–".to_owned(),
            small: String::new(),
            more: Vec::new(),
            tip: String::new(),
            linked: false,
        };
    };
    let small = match (row.denominator, row.not_assessable) {
        (Some(d), Some(na)) => format!("{d} · {na}"),
        (Some(d), None) => format!("{d}"),
        _ => String::new(),
    };
    let small = match row.as_of {
        Some(run) => format!("{small} · run {run}"),
        None => small,
    };
    let class = match (row.state, row.rate) {
        (RateState::Suppressed, _) => "suppressed",
        (RateState::Insufficient, _) => "insufficient",
        (RateState::NotAssessable, _) => "none",
        (RateState::Rate, _) if utilisation => "use",
        (RateState::Rate, Some(rate)) if rate >= 0.9 => "q4",
        (RateState::Rate, Some(rate)) if rate >= 0.75 => "q3",
        (RateState::Rate, Some(rate)) if rate >= 0.5 => "q2",
        (RateState::Rate, _) => "q1",
    };
    let text = match row.state {
        RateState::Rate => words::percent(row.rate),
        RateState::NotAssessable => "n/a".to_owned(),
        RateState::Insufficient => "insuff.".to_owned(),
        RateState::Suppressed => "few".to_owned(),
    };
    let interval = row.rate.filter(|_| row.state == RateState::Rate);
    let interval = interval.map_or_else(String::new, |_| words::interval(row.lower, row.upper));
    let more = [interval.clone(), words::bounds(row)];
    Cell {
        class,
        text,
        small,
        more: more.into_iter().filter(|one| full && !one.is_empty()).collect(),
        tip: if full { String::new() } else { interval },
        linked: false,
    }
}
