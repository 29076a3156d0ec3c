//! What a centre has to do; for the coordinating office also how much each centre has.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::access::Scope;
use registry_core::form::Words;
use registry_etl::quality::{Unlock, WorkKind};

use super::{Frame, download, html, words};
use crate::explanation::reason;
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::quality::worklist::{Sort, Wanted, chosen, subject, waiting};
use crate::state::{AppState, blocking};
use crate::work::{CentreLoad, CentreWork, Work, loads};

/// Items shown; the table for download has all.
const MOST_SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "worklist.html")]
struct Page {
    frame: Frame,
    /// How much every centre has, for the coordinating office that named none.
    loads: Option<Vec<Load>>,
    list: Option<List>,
    /// Queries of the centre that wait now.
    queries: Option<Waiting>,
}

struct Waiting {
    centre: i64,
    office: i64,
    /// Where they are listed, but for whose turn it is.
    link: String,
}

struct Load {
    centre: String,
    counts: Vec<usize>,
    queries: i64,
}

struct List {
    centre: String,
    /// Whether the centre has to be named in addresses.
    named: bool,
    kinds: Vec<Choice>,
    sorts: Vec<Choice>,
    case: String,
    what: String,
    csv: String,
    unlocks: Vec<Unlocks>,
    rows: Vec<Row>,
    found: usize,
    /// Items there are without a filter.
    all: usize,
    /// The last day of the run's data.
    cut_off: String,
}

struct Choice {
    value: &'static str,
    label: String,
    chosen: bool,
}

struct Unlocks {
    what: String,
    kind: &'static str,
    measures: u32,
    units: u32,
    cases: u32,
    query: String,
}

struct Row {
    kind: &'static str,
    case: String,
    what: String,
    why: String,
    /// Of a care gap, the measure.
    measure: Option<String>,
    since: String,
    days: String,
    until: String,
    measures: u32,
    units: u32,
    /// Ids of those measures.
    unlocks: String,
    /// The case has a newer version than the run judged.
    changed: bool,
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Worklist", "/worklist", &caller);
    let page = blocking(move || {
        let scope = &caller.scope;
        let office = !scope.role().needs_centre();
        let nothing = |frame| Page {
            frame,
            loads: None,
            list: None,
            queries: None,
        };
        if office && wanted.centre.is_none() {
            return match loads(&state, scope) {
                Ok((run, all)) => Ok(Page {
                    loads: Some(all.into_iter().map(load).collect()),
                    ..nothing(frame.with_run(&run))
                }),
                Err(problem) if problem.kind == Kind::NotFound => Ok(nothing(frame)),
                Err(problem) => Err(problem),
            };
        }
        let own = scope.centre().filter(|_| !office);
        let queries = wanted
            .centre
            .as_deref()
            .or(own)
            .filter(|centre| scope.covers(centre));
        let queries = queries
            .map(|centre| of_centre(&state, scope, centre))
            .transpose()?;
        if state.store.latest_run(scope)?.is_none() {
            return Ok(Page {
                queries,
                ..nothing(frame)
            });
        }
        let work = CentreWork::open(&state, scope, wanted.centre.as_deref())?;
        let list = list(&work, &wanted, office, state.words()?);
        Ok(Page {
            queries,
            frame: frame.with_run(&work.run),
            loads: None,
            list: Some(list),
        })
    })
    .await?;
    html(&page)
}

/// The items as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<SeesCases>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        let work = CentreWork::open(&state, &caller.scope, wanted.centre.as_deref())?;
        let text = crate::routes::quality::worklist::csv(&chosen(&work, &wanted, state.words()?))?;
        Ok((
            format!("worklist-{}-run-{}.csv", work.centre, work.run.number),
            text,
        ))
    })
    .await?;
    Ok(download(&name, text))
}

fn of_centre(state: &AppState, scope: &Scope, centre: &str) -> Result<Waiting, Problem> {
    let now = waiting(state, scope, centre)?;
    Ok(Waiting {
        centre: now.for_centre,
        office: now.for_office,
        link: format!("/queries?centre={centre}&waits_for="),
    })
}

fn load(load: CentreLoad) -> Load {
    let count = |kind: &WorkKind| load.items.get(kind.as_str()).copied().unwrap_or(0);
    Load {
        counts: WorkKind::OF_RUN.iter().map(count).collect(),
        queries: load.queries.for_centre,
        centre: load.centre,
    }
}

fn list(work: &CentreWork, wanted: &Wanted, office: bool, called: Words<'_>) -> List {
    let items = chosen(work, wanted, called);
    let any = |label: &str, chosen| Choice {
        value: "",
        label: label.to_owned(),
        chosen,
    };
    let kinds = WorkKind::ALL.map(|kind| Choice {
        value: kind.as_str(),
        label: name(kind).to_owned(),
        chosen: wanted.kind == Some(kind),
    });
    let sorts = Sort::ALL.map(|(sort, value, label)| Choice {
        value,
        label: label.to_owned(),
        chosen: wanted.sort == Some(sort),
    });
    List {
        csv: address("/worklist.csv", wanted, None),
        kinds: std::iter::once(any("Everything", wanted.kind.is_none()))
            .chain(kinds)
            .collect(),
        sorts: std::iter::once(any("Kind", wanted.sort.is_none()))
            .chain(sorts)
            .collect(),
        case: wanted.case.clone().unwrap_or_default(),
        what: wanted.what.clone().unwrap_or_default(),
        unlocks: work
            .list
            .unlocks
            .iter()
            .filter(|u| u.measures > 0)
            .map(|u| unlocks(u, wanted, called))
            .collect(),
        found: items.len(),
        all: work.items().count(),
        cut_off: work.run.cutoff_date.to_string(),
        rows: items
            .iter()
            .take(MOST_SHOWN)
            .map(|work| row(work, called))
            .collect(),
        centre: work.centre.clone(),
        named: office,
    }
}

/// The page with other filters, so that every view has an address.
fn address(path: &str, wanted: &Wanted, what: Option<(&str, WorkKind)>) -> String {
    let kind = what.map(|(_, kind)| kind).or(wanted.kind);
    let what = what.map(|(what, _)| what).or(wanted.what.as_deref());
    let sort = Sort::ALL.iter().find(|(sort, ..)| wanted.sort == Some(*sort));
    let parts = [
        ("centre", wanted.centre.as_deref()),
        ("kind", kind.map(WorkKind::as_str)),
        ("case", wanted.case.as_deref()),
        ("what", what),
        ("sort", sort.map(|(_, code, _)| *code)),
    ];
    let given: Vec<(&str, &str)> = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
        .collect();
    // Texts always encode.
    format!(
        "{path}?{}",
        serde_urlencoded::to_string(given).unwrap_or_default()
    )
}

fn unlocks(unlock: &Unlock, wanted: &Wanted, called: Words<'_>) -> Unlocks {
    Unlocks {
        what: called.place(&unlock.what),
        kind: name(unlock.kind),
        measures: unlock.measures,
        units: unlock.units,
        cases: unlock.cases,
        query: address("/worklist", wanted, Some((&unlock.what, unlock.kind))),
    }
}

fn row(work: &Work<'_>, called: Words<'_>) -> Row {
    let item = work.item;
    // Which row is meant: the third examination, not only the element.
    let number = item.pointer.as_deref().and_then(|pointer| {
        let row = pointer.split('/').nth(2)?.parse::<usize>().ok()?;
        Some(format!("{} {}", called.row(entity_of(pointer)), row + 1))
    });
    let of_row = |text: String| match &number {
        Some(number) => format!("{text} ({number})"),
        None => text,
    };
    Row {
        kind: name(item.kind),
        case: work.case.to_owned(),
        measure: (item.kind == WorkKind::CareGap).then(|| item.what.clone()),
        what: match item.kind {
            WorkKind::FollowUp => words::code(&item.what),
            _ => of_row(subject(work, called)),
        },
        why: match item.kind {
            WorkKind::CareGap => "can still be done in time".to_owned(),
            WorkKind::Section | WorkKind::Element => {
                let reasons: Vec<&str> = item.why.split(", ").map(reason).collect();
                reasons.join(", ")
            }
            WorkKind::Error | WorkKind::FollowUp | WorkKind::Pending => item.why.clone(),
        },
        since: item.since.map(|day| day.to_string()).unwrap_or_default(),
        days: item.days.map(|days| days.to_string()).unwrap_or_default(),
        until: match (item.kind, item.until) {
            (WorkKind::CareGap, None) => "not known".to_owned(),
            (_, day) => day.map(|day| day.to_string()).unwrap_or_default(),
        },
        measures: item.measures,
        units: item.units,
        unlocks: work.unlocks.join(", "),
        changed: work.changed_since_run,
    }
}

fn entity_of(pointer: &str) -> &str {
    pointer.split('/').nth(1).unwrap_or_default()
}

fn name(kind: WorkKind) -> &'static str {
    match kind {
        WorkKind::CareGap => "Still in time",
        WorkKind::Error => "Error",
        WorkKind::FollowUp => "Contact overdue",
        WorkKind::Element => "Element",
        WorkKind::Pending => "Pending value",
        WorkKind::Section => "Open section",
    }
}
