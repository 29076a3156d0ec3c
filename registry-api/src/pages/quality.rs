//! Completeness and timeliness: sections (or the elements of one) by centre as a heat map, what is opened over time, and how soon events are
//! reported.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::form::Words;
use registry_etl::results::Completeness;
use registry_etl::results::completeness::NETWORK;
use registry_etl::results::over_time::Part;
use serde::Deserialize;

use super::quality_cells::{Cell, Times, days, follow_up, share, times};
use super::quality_over_time::{Opened, OverTime, over_time};
use super::{Frame, download, html, silence, words};
use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::{Hidden, View};
use crate::routes::quality::completeness::{self, Wanted, narrow};
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
    /// What is opened, by half-year.
    csv_over_time: Option<String>,
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
    link: String,
    opened: bool,
    note: &'static str,
    cells: Vec<Cell>,
}

/// What there is to choose from.
struct Choices {
    /// Code and name, by code.
    sections: BTreeMap<String, String>,
    /// None for a reader who sees only one.
    centres: Vec<String>,
}

impl Choices {
    fn among(all: &[Completeness], called: Words<'_>) -> Self {
        let sections = all.iter().flat_map(|level| &level.sections);
        let sections: BTreeSet<&String> = sections.map(|found| &found.section).collect();
        let centres = all.iter().map(|level| &level.level);
        let centres = centres.filter(|level| *level != NETWORK && all.len() > 2);
        Self {
            sections: sections
                .into_iter()
                .map(|code| (code.clone(), called.entity(code)))
                .collect(),
            centres: centres.cloned().collect(),
        }
    }
}

/// What the page takes: the levels of its tables, and the measure of its funnel.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    centre: Option<String>,
    section: Option<String>,
    /// The element that is opened; its section is, too.
    element: Option<String>,
    run: Option<i64>,
    measure: Option<String>,
}

impl Asked {
    /// What was asked for besides: the fields that a form or a link of the page keeps.
    fn besides(&self, own: &[&str]) -> Vec<(&'static str, String)> {
        let all = [
            ("centre", self.centre.clone()),
            ("section", self.section.clone()),
            ("element", self.element.clone()),
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
        let mut asked = asked.into_inner();
        asked.element = asked.element.filter(|element| !element.is_empty());
        if let Some((section, _)) = asked
            .element
            .as_deref()
            .and_then(|element| element.split_once('.'))
        {
            asked.section = Some(section.to_owned());
        }
        let wanted = Wanted {
            centre: asked.centre.clone().filter(|centre| !centre.is_empty()),
            section: asked.section.clone().filter(|section| !section.is_empty()),
            run: asked.run,
            ..Wanted::default()
        };
        let measure = asked.measure.as_deref().filter(|measure| !measure.is_empty());
        let view = match View::open(&state, &caller.scope, wanted.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && wanted.run.is_none() => {
                return Ok(Page { frame, data: None });
            }
            Err(problem) => return Err(problem),
        };
        let mut shown = view.completeness()?;
        let choices = Choices::among(&shown, state.words()?);
        let silence = silence::section(&state, &caller.scope, &view, measure)?;
        let of_all = Wanted {
            centre: None,
            ..wanted.clone()
        };
        narrow(&mut shown, &of_all);
        if let Some(centre) = &wanted.centre {
            // A centre stands beside the network.
            shown.retain(|level| level.level == NETWORK || level.level == *centre);
            if !shown.iter().any(|level| level.level == *centre) {
                return Err(Problem::new(Kind::NotFound));
            }
        }
        let known = |element: &String| {
            let elements = shown.iter().flat_map(|level| &level.elements);
            elements.into_iter().any(|one| one.element == *element)
        };
        if asked.element.as_ref().is_some_and(|element| !known(element)) {
            return Err(Problem::new(Kind::NotFound));
        }
        let trends = trends(&view, &shown, (&asked, &wanted), state.words()?)?;
        let hidden = Hidden::of_completeness(&shown, wanted.section.is_some()).and(silence.hidden);
        let of_trends = trends
            .iter()
            .flat_map(|one| &one.trends)
            .map(|trend| trend.hidden);
        let hidden = of_trends.fold(hidden, Hidden::and);
        let data = data(
            (choices, &shown),
            (&asked, &wanted),
            view.own(),
            silence,
            trends,
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
        completeness::csv(&completeness::all(&state, &view, &wanted)?)
    })
    .await?;
    Ok(download("completeness.csv", text))
}

/// The network, and the centre that is chosen or the reader's own, over time: as a whole, or what is opened.
fn trends(
    view: &View<'_>,
    shown: &[Completeness],
    (asked, wanted): (&Asked, &Wanted),
    called: Words<'_>,
) -> Result<Vec<OverTime>, Problem> {
    let opened = match (&asked.element, &wanted.section) {
        (Some(element), _) => Some(Opened::Element(element)),
        (None, Some(section)) => Some(Opened::Section(section)),
        (None, None) => None,
    };
    let part = Part {
        section: wanted.section.as_deref(),
        element: asked.element.as_deref(),
    };
    let drawn = wanted.centre.as_deref().or(view.own());
    let mut all = Vec::new();
    for level in shown {
        if level.level != NETWORK && drawn != Some(level.level.as_str()) {
            continue;
        }
        let halves = match opened {
            Some(_) => view.completeness_over_time(Some(&level.level), part)?,
            None => Vec::new(),
        };
        all.push(over_time(level, halves.first(), opened, called));
    }
    all.retain(|one| !one.trends.is_empty());
    Ok(all)
}

fn data(
    (choices, shown): (Choices, &[Completeness]),
    (asked, wanted): (&Asked, &Wanted),
    own: Option<&str>,
    silence: silence::Section,
    over_time: Vec<OverTime>,
    called: Words<'_>,
) -> Data {
    let section = wanted.section.clone();
    let rows = match &section {
        Some(_) => element_rows(shown, asked, called),
        None => section_rows(shown, &choices.sections, asked),
    };
    Data {
        silence,
        sections: choices
            .sections
            .into_iter()
            .map(|(code, name)| {
                let chosen = section.as_deref() == Some(code.as_str());
                (code, name, chosen)
            })
            .collect(),
        csv: asked.at("/quality.csv", &["measure", "element"]),
        csv_over_time: section.is_some().then(|| {
            let rest = asked.at("/quality.csv", &["measure"]);
            format!("{rest}&by=half_year")
        }),
        kept_of_levels: asked.besides(&["centre", "section", "element"]),
        kept_of_measure: asked.besides(&["measure"]),
        of_run: wanted.run.map_or_else(String::new, |run| format!("?run={run}")),
        and_run: wanted.run.map_or_else(String::new, |run| format!("&run={run}")),
        centres: choices
            .centres
            .into_iter()
            .map(|centre| {
                let chosen = wanted.centre.as_deref() == Some(centre.as_str());
                (centre, chosen)
            })
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
        over_time,
        times: times(shown, called),
        section,
    }
}

fn section_rows(shown: &[Completeness], sections: &BTreeMap<String, String>, asked: &Asked) -> Vec<Row> {
    let link = |section: &str| {
        let of = Asked {
            section: Some(section.to_owned()),
            element: None,
            ..asked.clone()
        };
        of.at("/quality", &[])
    };
    let row = |(code, name): (&String, &String)| Row {
        name: name.clone(),
        link: link(code),
        opened: false,
        note: "",
        cells: shown
            .iter()
            .map(|level| {
                let found = level.sections.iter().find(|section| section.section == *code);
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
    sections.iter().map(row).collect()
}

fn element_rows(shown: &[Completeness], asked: &Asked, called: Words<'_>) -> Vec<Row> {
    let link = |element: &str| {
        let of = Asked {
            element: Some(element.to_owned()),
            ..asked.clone()
        };
        format!("{}#over-time", of.at("/quality", &[]))
    };
    let mut elements: BTreeMap<&str, &str> = BTreeMap::new();
    for element in shown.iter().flat_map(|level| &level.elements) {
        elements.insert(&element.element, &element.requirement);
    }
    let row = |(element, requirement): (&str, &str)| Row {
        name: called.element(element),
        link: link(element),
        opened: asked.element.as_deref() == Some(element),
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
