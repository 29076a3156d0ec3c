//! Completeness and timeliness: sections (or the elements of one) by centre as a heat map, over time, and how soon events are reported.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::form::Words;
use registry_etl::results::completeness::{Answers, NETWORK, Timeliness};
use registry_etl::results::{Completeness, Suppression};
use serde::Deserialize;

use super::quality_over_time::{OverTime, over_time};
use super::{Frame, download, html, silence, words};
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, View};
use crate::routes::quality::completeness::{Wanted, levels};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "quality.html")]
struct Page {
    frame: Frame,
    data: Option<Data>,
}

struct Data {
    silence: silence::Section,
    sections: Vec<(String, String, bool)>,
    /// The section whose elements are shown.
    section: Option<String>,
    csv: String,
    /// What the forms of levels and of the measure keep of the other's choice.
    kept_of_levels: Vec<(&'static str, String)>,
    kept_of_measure: Vec<(&'static str, String)>,
    /// What addresses of files end with when the page is of another run than the published one.
    of_run: String,
    and_run: String,
    /// Name, whether the reader's own, and where it stands alone beside the network.
    columns: Vec<(String, bool, Option<String>)>,
    follow_up: Vec<Cell>,
    registration: Vec<Cell>,
    rows: Vec<Row>,
    /// The network, and the centre that is chosen or the reader's own.
    over_time: Vec<OverTime>,
    times: Vec<Times>,
    /// Centres to choose from; none for a reader who sees only one.
    centres: Vec<(String, bool)>,
}

struct Row {
    name: String,
    link: Option<String>,
    note: &'static str,
    cells: Vec<Cell>,
}

#[derive(Default)]
struct Cell {
    text: String,
    small: String,
    class: &'static str,
    tip: String,
}

struct Times {
    section: String,
    level: String,
    rows: String,
    lower: String,
    median: String,
    upper: String,
}

/// What the page takes: the levels of its tables, and the measure of its funnel.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    centre: Option<String>,
    section: Option<String>,
    run: Option<i64>,
    measure: Option<String>,
}

impl Asked {
    /// What was asked for besides: the fields that a form or a link of the page keeps.
    fn besides(&self, own: &[&str]) -> Vec<(&'static str, String)> {
        let all = [
            ("centre", self.centre.clone()),
            ("section", self.section.clone()),
            ("run", self.run.map(|run| run.to_string())),
            ("measure", self.measure.clone()),
        ];
        let given = all
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
        given.filter(|(name, _)| !own.contains(name)).collect()
    }

    /// An address with what was asked for besides.
    fn at(&self, path: &str, own: &[&str]) -> String {
        let query = serde_urlencoded::to_string(self.besides(own)).unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{path}{mark}{query}")
    }
}

pub(super) async fn page(
    caller: Allowed<ReadsResults>,
    asked: web::Query<Asked>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Data quality", "/quality", &caller);
    let page = blocking(move || {
        let asked = asked.into_inner();
        let wanted = Wanted {
            centre: asked.centre.clone().filter(|centre| !centre.is_empty()),
            section: asked.section.clone(),
            run: asked.run,
        };
        let measure = asked.measure.as_deref().filter(|measure| !measure.is_empty());
        let view = match View::open(&state, &caller.scope, wanted.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && wanted.run.is_none() => {
                return Ok(Page { frame, data: None });
            }
            Err(problem) => return Err(problem),
        };
        let all = view.completeness()?;
        let silence = silence::section(&state, &caller.scope, &view, measure)?;
        let mut shown = levels(
            &view,
            &Wanted {
                centre: None,
                ..wanted.clone()
            },
        )?;
        if let Some(centre) = &wanted.centre {
            // A centre stands beside the network.
            shown.retain(|level| level.level == NETWORK || level.level == *centre);
            if !shown.iter().any(|level| level.level == *centre) {
                return Err(Problem::new(Kind::NotFound));
            }
        }
        let elements = wanted.section.as_ref().is_some_and(|section| !section.is_empty());
        let hidden = Hidden::of_completeness(&shown, elements).and(silence.hidden);
        let data = data(
            &all,
            &shown,
            (&asked, &wanted),
            view.own(),
            silence,
            state.words()?,
        );
        Ok(Page {
            frame: frame.with_run(&view.run).with_hidden(hidden),
            data: Some(data),
        })
    })
    .await?;
    html(&page)
}

/// The levels as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<ReadsResults>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let text = blocking(move || {
        let view = View::open(&state, &caller.scope, wanted.run)?;
        crate::routes::quality::completeness::csv(&levels(&view, &wanted)?)
    })
    .await?;
    Ok(download("completeness.csv", text))
}

fn data(
    all: &[Completeness],
    shown: &[Completeness],
    (asked, wanted): (&Asked, &Wanted),
    own: Option<&str>,
    silence: silence::Section,
    called: Words<'_>,
) -> Data {
    let section = wanted.section.clone().filter(|section| !section.is_empty());
    let names: BTreeSet<&str> = all
        .iter()
        .flat_map(|level| level.sections.iter().map(|found| found.section.as_str()))
        .collect();
    let choices = names.iter().map(|name| {
        let chosen = section.as_deref() == Some(*name);
        ((*name).to_owned(), called.entity(name), chosen)
    });
    let centres: Vec<&str> = all.iter().map(|level| level.level.as_str()).collect();
    let drawn = wanted.centre.as_deref().or(own);
    let rows = match &section {
        Some(_) => element_rows(shown, called),
        None => section_rows(shown, &names, asked, called),
    };
    Data {
        silence,
        sections: choices.collect(),
        csv: asked.at("/quality.csv", &["measure"]),
        kept_of_levels: asked.besides(&["centre", "section"]),
        kept_of_measure: asked.besides(&["measure"]),
        of_run: wanted.run.map_or_else(String::new, |run| format!("?run={run}")),
        and_run: wanted.run.map_or_else(String::new, |run| format!("&run={run}")),
        centres: centres
            .into_iter()
            .filter(|level| *level != NETWORK && all.len() > 2)
            .map(|level| (level.to_owned(), wanted.centre.as_deref() == Some(level)))
            .collect(),
        columns: shown
            .iter()
            .map(|level| {
                let name = if level.level == NETWORK {
                    "Network"
                } else {
                    &level.level
                };
                let alone = Asked {
                    centre: Some(level.level.clone()),
                    ..asked.clone()
                };
                let several = shown.len() > 2 && level.level != NETWORK;
                (
                    name.to_owned(),
                    own == Some(level.level.as_str()),
                    several.then(|| alone.at("/quality", &[])),
                )
            })
            .collect(),
        follow_up: shown.iter().map(follow_up).collect(),
        registration: shown.iter().map(|level| days(&level.registration)).collect(),
        rows,
        over_time: shown
            .iter()
            .filter(|level| level.level == NETWORK || drawn == Some(level.level.as_str()))
            .map(|level| over_time(level, called))
            .filter(|one| !one.trends.is_empty())
            .collect(),
        times: times(shown, called),
        section,
    }
}

fn section_rows(
    shown: &[Completeness],
    names: &BTreeSet<&str>,
    asked: &Asked,
    called: Words<'_>,
) -> Vec<Row> {
    let link = |section: &str| {
        let of = Asked {
            section: Some(section.to_owned()),
            ..asked.clone()
        };
        of.at("/quality", &[])
    };
    let row = |name: &&str| Row {
        name: called.entity(name),
        link: Some(link(name)),
        note: "",
        cells: shown
            .iter()
            .map(|level| {
                let found = level.sections.iter().find(|section| section.section == *name);
                found.map(|section| {
                    let mut cell = share(&section.answers);
                    if let Some(closed) = section.closed_share {
                        cell.small = format!("{} closed", words::percent(Some(closed)));
                    }
                    cell
                })
            })
            .map(Option::unwrap_or_default)
            .collect(),
    };
    names.iter().map(row).collect()
}

fn element_rows(shown: &[Completeness], called: Words<'_>) -> Vec<Row> {
    let mut elements: BTreeMap<&str, &str> = BTreeMap::new();
    for element in shown.iter().flat_map(|level| &level.elements) {
        elements.insert(&element.element, &element.requirement);
    }
    let row = |(element, requirement): (&str, &str)| Row {
        name: called.element(element),
        link: None,
        note: if requirement == "C" { "where asked for" } else { "" },
        cells: shown
            .iter()
            .map(|level| {
                let found = level.elements.iter().find(|found| found.element == element);
                found.map(|found| share(&found.answers)).unwrap_or_default()
            })
            .collect(),
    };
    elements.into_iter().map(row).collect()
}

/// The share with a value as a coloured cell, with the counts where the viewer gets them.
fn share(answers: &Answers) -> Cell {
    let class = match (answers.suppressed, answers.known_share) {
        (Some(_), _) => "suppressed",
        (None, None) => "none",
        (None, Some(share)) if share >= 0.9 => "q4",
        (None, Some(share)) if share >= 0.75 => "q3",
        (None, Some(share)) if share >= 0.5 => "q2",
        (None, Some(_)) => "q1",
    };
    let small = answers.counts.map(|counts| {
        let possible = counts.expected() - counts.not_applicable;
        format!("{} of {possible}", counts.known)
    });
    let tip = answers.counts.map(|c| {
        format!(
            "missing {}, unknown {}, not done {}, not applicable {}, pending {}, withheld {}",
            c.missing, c.unknown, c.not_done, c.not_applicable, c.pending, c.withheld
        )
    });
    let answered = || format!("answered {}", words::percent(answers.answered_share));
    Cell {
        text: text(words::percent(answers.known_share), answers.suppressed),
        small: small.unwrap_or_default(),
        class,
        tip: tip.unwrap_or_else(|| {
            if answers.suppressed.is_some() {
                String::new()
            } else {
                answered()
            }
        }),
    }
}

fn follow_up(level: &Completeness) -> Cell {
    let index = &level.follow_up;
    Cell {
        text: text(words::percent(index.index), index.suppressed),
        small: index
            .patients
            .map(|n| format!("{n} patients"))
            .unwrap_or_default(),
        class: if index.suppressed.is_some() {
            "suppressed"
        } else {
            ""
        },
        tip: String::new(),
    }
}

fn days(times: &Timeliness) -> Cell {
    let written = |days: Option<f64>| days.map(|days| format!("{days:.0}")).unwrap_or_default();
    let median = times
        .median
        .map_or_else(|| "–".to_owned(), |days| format!("{days:.0} d"));
    let between = format!(
        "{} to {}",
        written(times.lower_quartile),
        written(times.upper_quartile)
    );
    Cell {
        text: text(median, times.suppressed),
        small: if times.median.is_some() {
            between
        } else {
            String::new()
        },
        class: if times.suppressed.is_some() {
            "suppressed"
        } else {
            ""
        },
        tip: String::new(),
    }
}

pub(super) fn text(shown: String, suppressed: Option<Suppression>) -> String {
    if suppressed.is_some() {
        "not shown".to_owned()
    } else {
        shown
    }
}

fn times(shown: &[Completeness], called: Words<'_>) -> Vec<Times> {
    let written = |days: Option<f64>| days.map_or_else(|| "–".to_owned(), |days| format!("{days:.0}"));
    let line = |level: &Completeness, times: &Timeliness| Times {
        section: called.entity(&times.section),
        level: if level.level == NETWORK {
            "Network".to_owned()
        } else {
            level.level.clone()
        },
        rows: times.rows.map(|rows| rows.to_string()).unwrap_or_default(),
        lower: written(times.lower_quartile),
        median: text(written(times.median), times.suppressed),
        upper: written(times.upper_quartile),
    };
    shown
        .iter()
        .flat_map(|level| level.timeliness.iter().map(move |times| line(level, times)))
        .collect()
}
