//! The adherence table: measures by centre, half-year or histology.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::guideline::{Guideline, Measure};
use registry_etl::results::{AdherenceRow, AdherenceTable, By, Period, RateState};
use serde::Deserialize;

use super::{Frame, html, words};
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "adherence.html")]
struct Page {
    frame: Frame,
    data: Option<Data>,
}

struct Data {
    kinds: Vec<Choice>,
    domains: Vec<Choice>,
    bys: Vec<Choice>,
    csv: String,
    caption: String,
    suppressed: String,
    columns: Vec<Column>,
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
}

struct Group {
    title: String,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    title: String,
    grade: String,
    unratified: bool,
    cells: Vec<Cell>,
}

struct Cell {
    class: &'static str,
    text: String,
    small: String,
    tip: String,
}

/// Filters of the page; an empty one filters nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filters {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    by: String,
}

pub(super) async fn page(
    caller: Allowed<ReadsResults>,
    filters: web::Query<Filters>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Adherence", "/adherence", &caller);
    let page = blocking(move || {
        let view = match View::open(&state, &caller.scope, None) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound => return Ok(Page { frame, data: None }),
            Err(problem) => return Err(problem),
        };
        let guideline = state.judge.guidelines(&state.schemas.current().version).first();
        let data = data(&view.adherence()?, guideline, &filters, view.own());
        Ok(Page {
            frame: frame.with_run(&view.run),
            data: Some(data),
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

fn data(table: &AdherenceTable, guideline: Option<&Guideline>, filters: &Filters, own: Option<&str>) -> Data {
    let (by, period) = match filters.by.as_str() {
        "half_year" => (By::HalfYear, Period::All),
        "histology" => (By::Histology, Period::All),
        _ => (By::Centre, Period::Last24Months),
    };
    let mut levels: Vec<&str> = table
        .rows
        .iter()
        .filter(|r| r.by == by && r.period == period)
        .map(|r| r.level.as_str())
        .collect();
    levels.sort_unstable_by_key(|l| (l.len(), *l));
    levels.dedup();
    let network = if by == By::Centre {
        Period::Last24Months
    } else {
        Period::All
    };
    let mut groups: Vec<Group> = Vec::new();
    for head in &table.measures {
        let measure = guideline.and_then(|g| g.measure(&head.id)).map(|(_, m)| m);
        let domain = measure.and_then(|m| m.domain.as_deref()).unwrap_or_default();
        if (!filters.kind.is_empty() && filters.kind != head.kind)
            || (!filters.domain.is_empty() && filters.domain != domain)
        {
            continue;
        }
        let of = |by: By, period: Period, level: &str| {
            table
                .rows
                .iter()
                .find(|r| r.measure == head.id && r.by == by && r.period == period && r.level == level)
        };
        let utilisation = head.kind == "utilisation";
        let mut cells = vec![cell(of(By::Network, network, "all"), utilisation)];
        cells.extend(
            levels
                .iter()
                .map(|level| cell(of(by, period, level), utilisation)),
        );
        let row = Row {
            id: head.id.clone(),
            title: head.title.clone(),
            grade: head.grade.clone(),
            unratified: measure
                .zip(guideline)
                .is_some_and(|(m, g)| !unratified(g, m).is_empty()),
            cells,
        };
        let kind = if utilisation {
            "use of options"
        } else {
            "adherence"
        };
        let title = format!("{}: {kind}", words::code(domain));
        match groups.iter_mut().find(|g| g.title == title) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                title,
                rows: vec![row],
            }),
        }
    }
    let share = if table.rows_total == 0 {
        0.0
    } else {
        f64::from(table.rows_suppressed) / f64::from(table.rows_total)
    };
    Data {
        kinds: choices(
            &[
                ("", "All kinds"),
                ("adherence", "Adherence"),
                ("avoidance", "Avoidance"),
                ("documentation", "Documentation"),
                ("utilisation", "Use of options"),
            ],
            &filters.kind,
        ),
        domains: choices(
            &[
                ("", "All domains"),
                ("assessment", "Assessment"),
                ("imaging", "Imaging"),
            ],
            &filters.domain,
        ),
        bys: choices(
            &[
                ("", "Centres, last 24 months"),
                ("half_year", "Half-years, network"),
                ("histology", "Histology, network"),
            ],
            &filters.by,
        ),
        csv: format!(
            "/api/v1/adherence?by={}",
            match by {
                By::HalfYear => "half_year",
                By::Histology => "histology",
                _ => "centre",
            }
        ),
        caption: format!(
            "Share of assessable units; small: counted units, then units that cannot be assessed. {}",
            if by == By::Centre {
                format!("Metastatic diagnosis since {}.", table.last_24_months_from)
            } else {
                "All diagnoses.".to_owned()
            }
        ),
        suppressed: format!(
            "{} of {} rows of this run are not shown to you ({:.0} %).",
            table.rows_suppressed,
            table.rows_total,
            share * 100.0
        ),
        width: levels.len() + 3,
        columns: levels
            .iter()
            .map(|l| Column {
                own: own == Some(*l),
                name: if by == By::Histology {
                    l.to_uppercase()
                } else {
                    l.replace("Centre ", "")
                },
            })
            .collect(),
        groups,
    }
}

/// Parameters of a measure that the committee has not ratified.
pub(super) fn unratified<'a>(guideline: &'a Guideline, measure: &'a Measure) -> Vec<&'a str> {
    measure
        .parameters
        .iter()
        .filter(|name| {
            guideline
                .parameters
                .get(*name)
                .is_some_and(|p| p.basis == "assumption")
        })
        .map(String::as_str)
        .collect()
}

fn cell(row: Option<&AdherenceRow>, utilisation: bool) -> Cell {
    let Some(row) = row else {
        return Cell {
            class: "none",
            text: "–".to_owned(),
            small: String::new(),
            tip: "no unit".to_owned(),
        };
    };
    let small = match (row.denominator, row.not_assessable) {
        (Some(d), Some(na)) => format!("{d} · {na}"),
        (Some(d), None) => format!("{d}"),
        _ => String::new(),
    };
    let tip = format!(
        "{}: {}, {} cannot be assessed, 95 % interval {}",
        row.level,
        words::fraction(row),
        words::count(row.not_assessable),
        words::interval(row.lower, row.upper)
    );
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
    Cell {
        class,
        text,
        small,
        tip,
    }
}
