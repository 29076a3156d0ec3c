//! The score card of a centre against the network: for its own people, and any centre's for the coordinating office.

pub(in crate::pages) mod over_time;
mod table;

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Scope;
use registry_core::form::Words;
use registry_core::guideline::MeasureKind;
use registry_core::storage::{CaseRow, CaseStatus, Letter};
use registry_etl::quality::WorkKind;
use registry_etl::results::completeness::{NETWORK, Timeliness};
use registry_etl::results::{Completeness, Position};
use serde::Deserialize;

use super::adherence_filters::DOMAINS;
use super::indicators::{self, Numbers};
use super::of_run::OfRun;
use super::signals::spoken_status;
use super::{Frame, download, html, words};
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::{Card, Domain, Pooled, Standing, View, Which};
use crate::state::{AppState, blocking};
use crate::work::{Outlook, centre_of};

#[derive(Template)]
#[template(path = "centre.html")]
struct Page {
    frame: Frame,
    /// Centres to choose from, for the coordinating office that named none: id and name.
    centres: Option<Vec<(String, String)>>,
    centre: String,
    /// Whether the centre has to be named in addresses.
    named: bool,
    /// A run of the own cases that is newer than the one shown.
    newer: Option<i64>,
    /// That own numbers are of a newer run than the network's.
    own_run: Option<String>,
    data: Option<Data>,
}

struct Data {
    csv: String,
    since: String,
    bounds: &'static str,
    /// Name, own value, network's.
    figures: Vec<[String; 3]>,
    work: Vec<Todo>,
    indicators: Vec<Line>,
    domains: Vec<DomainLine>,
    over_time: Option<over_time::Section>,
    sections: Vec<[String; 5]>,
    far_below: Vec<Line>,
    letters: Vec<LetterLine>,
}

/// Something to do, with where it is listed.
struct Todo {
    name: &'static str,
    count: String,
    link: String,
}

/// A measure, spoken.
struct Line {
    id: String,
    link: String,
    title: String,
    unratified: bool,
    own: Numbers,
    network: Numbers,
    position: &'static str,
    /// Outside the limits: drawn out.
    outside: bool,
}

struct DomainLine {
    name: String,
    link: String,
    measures: String,
    own: Together,
    network: Together,
    expected: String,
    outside: String,
}

/// Units of several measures, spoken.
struct Together {
    rate: String,
    interval: String,
    counted: String,
    not_assessable: String,
    bounds: String,
}

struct LetterLine {
    measure: String,
    run: i64,
    sent: String,
    status: &'static str,
}

/// Which centre, and of which run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    centre: Option<String>,
    run: Option<Which>,
}

impl Wanted {
    /// For the pages of measures, which know no own rows of another run than all others'.
    fn of_run(&self) -> OfRun {
        match self.run {
            Some(Which::Number(number)) => OfRun(Some(number)),
            Some(Which::Latest) | None => OfRun(None),
        }
    }

    /// The same at another address.
    fn at(&self, path: &str) -> String {
        let run = match self.run {
            None => None,
            Some(Which::Latest) => Some("latest".to_owned()),
            Some(Which::Number(number)) => Some(number.to_string()),
        };
        let parts = [("centre", self.centre.clone()), ("run", run)];
        let given: Vec<(&str, String)> = parts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let query = serde_urlencoded::to_string(given).unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{path}{mark}{query}")
    }
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Score card", "/centre", &caller);
    let page = blocking(move || {
        let scope = &caller.scope;
        let office = !scope.role().needs_centre();
        let mut page = Page {
            frame,
            centres: None,
            centre: String::new(),
            named: office,
            newer: None,
            own_run: None,
            data: None,
        };
        if office && wanted.centre.is_none() {
            let all = state.store.list_centres(scope)?.into_iter();
            page.centres = Some(all.map(|centre| (centre.centre_id, centre.name)).collect());
            return Ok(page);
        }
        page.centre = centre_of(&state, scope, wanted.centre.as_deref())?;
        let view = match View::of(&state, scope, wanted.run) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound && wanted.run.is_none() => {
                page.newer = state.store.latest_run(scope)?.map(|run| run.number);
                return Ok(page);
            }
            Err(problem) => return Err(problem),
        };
        page.newer = view.newer()?.map(|run| run.number);
        page.own_run = view.own_run().map(|run| own_run(&view, run.number));
        page.data = Some(data(&state, scope, &view, &page.centre, &wanted)?);
        page.frame = page.frame.with_run(&view.run);
        Ok(page)
    })
    .await?;
    html(&page)
}

/// The card as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        let centre = centre_of(&state, &caller.scope, wanted.centre.as_deref())?;
        let view = View::of(&state, &caller.scope, wanted.run)?;
        let text = table::csv(&view, &centre, &view.card(&centre)?)?;
        Ok((format!("card-{centre}-run-{}.csv", view.run.number), text))
    })
    .await?;
    Ok(download(&name, text))
}

fn own_run(view: &View<'_>, own: i64) -> String {
    if view.tells_own_only() {
        format!(
            "Your own numbers are of run {own}, which is not published: nothing is told of the network yet."
        )
    } else {
        format!(
            "Your own numbers are of run {own}, which is not published; the network's, and completeness, are of run {}.",
            view.run.number
        )
    }
}

fn data(
    state: &AppState,
    scope: &Scope,
    view: &View<'_>,
    centre: &str,
    wanted: &Wanted,
) -> Result<Data, Problem> {
    let card = view.card(centre)?;
    let levels = view.completeness()?;
    let name = view.name_of(centre);
    let own = levels.iter().find(|level| level.level == name);
    let network = levels
        .iter()
        .find(|level| level.level == NETWORK && !view.tells_own_only());
    let far_below = card.measures.iter().filter(|one| {
        one.position == Some(Position::Below998) && one.head.kind != MeasureKind::Utilisation.as_str()
    });
    let of_run = wanted.of_run();
    let letters = state.store.letters_to(scope, centre)?;
    Ok(Data {
        csv: wanted.at("/centre.csv"),
        since: card.recent_from.clone(),
        bounds: words::BOUNDS,
        figures: figures(view, &name, own, network)?,
        work: work(state, scope, centre)?,
        indicators: card.indicators.iter().map(|(one, _)| line(one, of_run)).collect(),
        domains: card.domains.iter().map(|one| domain(one, of_run)).collect(),
        over_time: card
            .over_time
            .as_ref()
            .map(|of| over_time::section(of, of_run, wanted.at("/centre/over-time.svg"))),
        sections: sections(own, network, state.words()?),
        far_below: far_below.map(|one| line(one, of_run)).collect(),
        letters: letters.into_iter().map(letter).collect(),
    })
}

fn line(one: &Standing, of_run: OfRun) -> Line {
    Line {
        id: one.head.id.clone(),
        link: format!("/measures/{}{}", one.head.id, of_run.only()),
        title: one.head.title.clone(),
        unratified: !one.head.unratified.is_empty(),
        own: indicators::numbers(one.own.as_ref()),
        network: indicators::numbers(one.network.as_ref()),
        position: match one.position {
            None => "no rate to place",
            position => words::position(position),
        },
        outside: one.position.is_some_and(|position| position != Position::Within),
    }
}

fn domain(of: &Domain, of_run: OfRun) -> DomainLine {
    DomainLine {
        name: words::code(&of.domain),
        link: if DOMAINS.iter().any(|(code, _)| *code == of.domain) {
            format!("/adherence?domain={}{}", of.domain, of_run.more())
        } else {
            format!("/adherence{}", of_run.only())
        },
        measures: format!("{} of {}", of.compared, of.measures),
        own: together(of.own),
        network: together(of.network),
        expected: words::percent(of.expected),
        outside: format!("{} below, {} above", of.below, of.above),
    }
}

fn together(of: Pooled) -> Together {
    let bounds = of.bounds().filter(|_| of.denominator > 0);
    Together {
        rate: words::percent(of.rate),
        interval: words::interval(of.lower, of.upper),
        counted: match of.denominator {
            0 => "–".to_owned(),
            n => format!("{} of {n}", of.numerator),
        },
        not_assessable: match of.denominator {
            0 => "–".to_owned(),
            _ => words::count(of.not_assessable),
        },
        bounds: words::interval(bounds.map(|(low, _)| low), bounds.map(|(_, high)| high)),
    }
}

fn letter(of: Letter) -> LetterLine {
    LetterLine {
        measure: of.measure,
        run: of.run,
        sent: of.sent_at.date_naive().to_string(),
        status: spoken_status(Some(of.status)),
    }
}

/// The first numbers: own, and the network's beside it.
fn figures(
    view: &View<'_>,
    name: &str,
    own: Option<&Completeness>,
    network: Option<&Completeness>,
) -> Result<Vec<[String; 3]>, Problem> {
    let quality = view.quality()?;
    let of_own = quality.centres.iter().find(|centre| centre.centre == name);
    let registration = view.registration()?;
    let registered = registration.iter().find(|row| row.level == name);
    let registered = registered.and_then(|row| row.registered.zip(row.eligible_seen));
    let share =
        |share: Option<f64>| share.map_or_else(|| "not shown".to_owned(), |s| words::percent(Some(s)));
    let follow_up = |level: Option<&Completeness>| share(level.and_then(|level| level.follow_up.index));
    let followed = own.and_then(|own| own.follow_up.patients);
    let followed = followed.map_or_else(String::new, |n| format!("of {n} patients, "));
    let days = |level: Option<&Completeness>| {
        level.map_or_else(|| "not shown".to_owned(), |level| median(&level.registration))
    };
    Ok(vec![
        [
            "Cases".to_owned(),
            words::count(of_own.and_then(|centre| centre.cases)),
            format!("network {}", words::count(quality.network.cases)),
        ],
        [
            "Registered of eligible patients seen".to_owned(),
            registered.map_or_else(|| "not known".to_owned(), |(n, of)| format!("{n} of {of}")),
            String::new(),
        ],
        [
            "Units that cannot be assessed".to_owned(),
            share(of_own.and_then(|centre| centre.not_assessable_share)),
            format!("network {}", share(quality.network.not_assessable_share)),
        ],
        [
            "Completeness of follow-up".to_owned(),
            follow_up(own),
            format!("{followed}network {}", follow_up(network)),
        ],
        [
            "Diagnosis to first submission".to_owned(),
            days(own),
            format!("network {}, medians", days(network)),
        ],
    ])
}

fn median(times: &Timeliness) -> String {
    match (times.suppressed, times.median) {
        (Some(_), _) => "not shown".to_owned(),
        (None, Some(days)) => format!("{days:.0} days"),
        (None, None) => "–".to_owned(),
    }
}

/// What waits for the centre, with where it is listed.
fn work(state: &AppState, scope: &Scope, centre: &str) -> Result<Vec<Todo>, Problem> {
    let office = !scope.role().needs_centre();
    let at = |path: &str| {
        if office {
            format!("{path}&centre={centre}")
        } else {
            path.to_owned()
        }
    };
    let outlook = Outlook::of(state, scope, centre)?;
    let of_kind = |kind: WorkKind, name, count: usize| Todo {
        name,
        count: count.to_string(),
        link: at(&format!("/worklist?kind={}", kind.as_str())),
    };
    let gaps = "Care that can still be given in time";
    let mut todo = vec![of_kind(WorkKind::CareGap, gaps, outlook.care_gaps)];
    if let Some(overdue) = outlook.overdue {
        todo.push(of_kind(WorkKind::FollowUp, "Contacts overdue", overdue));
    }
    let cases = outlook.cases;
    let sum = |of: fn(&CaseRow) -> i64| cases.iter().map(of).sum::<i64>();
    todo.push(Todo {
        name: "Findings: errors, warnings",
        count: format!("{}, {}", sum(|case| case.errors), sum(|case| case.warnings)),
        link: at("/cases?has_findings=true"),
    });
    let queries = state
        .store
        .queries_waiting(scope)?
        .remove(centre)
        .unwrap_or_default();
    todo.push(Todo {
        name: "Queries to answer",
        count: queries.for_centre.to_string(),
        link: at("/queries?waits_for=centre"),
    });
    let drafts = cases
        .iter()
        .filter(|case| case.status == CaseStatus::Draft)
        .count();
    if drafts > 0 {
        todo.push(Todo {
            name: "Drafts, in no run",
            count: drafts.to_string(),
            link: at("/cases?status=draft"),
        });
    }
    Ok(todo)
}

/// Section, completeness of the centre and the network, median days to submission of both.
fn sections(
    own: Option<&Completeness>,
    network: Option<&Completeness>,
    called: Words<'_>,
) -> Vec<[String; 5]> {
    let share = |level: Option<&Completeness>, section: &str| {
        let mut of = level?.sections.iter();
        let found = of.find(|found| found.section == section)?;
        Some(match (found.answers.suppressed, found.answers.counts) {
            (Some(_), _) => "not shown".to_owned(),
            (None, None) => words::percent(found.answers.known_share),
            (None, Some(counts)) => format!(
                "{} ({} of {})",
                words::percent(found.answers.known_share),
                counts.known,
                counts.expected() - counts.not_applicable
            ),
        })
    };
    let days = |level: Option<&Completeness>, section: &str| {
        let mut of = level?.timeliness.iter();
        of.find(|times| times.section == section).map(median)
    };
    let nothing = || "–".to_owned();
    let names = own.or(network).map(|level| level.sections.as_slice());
    let row = |section: &str| {
        [
            called.entity(section),
            share(own, section).unwrap_or_else(nothing),
            share(network, section).unwrap_or_else(nothing),
            days(own, section).unwrap_or_else(nothing),
            days(network, section).unwrap_or_else(nothing),
        ]
    };
    let names = names.unwrap_or_default().iter();
    names.map(|found| row(&found.section)).collect()
}
