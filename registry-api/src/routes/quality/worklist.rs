//! `GET /api/v1/worklist`: care that can still be given in time, overdue contacts, what keeps measures from being assessed, values pending too long, open sections.

use actix_web::{HttpRequest, web};
use chrono::NaiveDate;
use registry_core::access::Scope;
use registry_core::form::Words;
use registry_core::storage::QueriesWaiting;
use registry_etl::quality::{Unlock, WorkKind};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use crate::guard::{Allowed, SeesCases};
use crate::problem::Problem;
use crate::routes::Reply;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};
use crate::work::{CentreLoad, CentreWork, Work, loads};

/// Which items, and in which order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[serde(default, deserialize_with = "given")]
    pub centre: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub kind: Option<WorkKind>,
    /// Pseudonym.
    #[serde(default, deserialize_with = "given")]
    pub case: Option<String>,
    /// A measure, an element, a section or a phase; also the section of an element. By its code, or by some of its words.
    #[serde(default, deserialize_with = "given")]
    pub what: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub sort: Option<Sort>,
}

/// A form sends what was left empty; it asks for nothing.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(field: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(field)?;
    if text.is_empty() {
        return Ok(None);
    }
    T::deserialize(text.into_deserializer()).map(Some)
}

/// What items are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Most measures first, then most units: what is worth most.
    Measures,
    /// Longest overdue or pending first.
    Days,
    /// The nearest last day first.
    Until,
    Case,
    What,
}

impl Sort {
    /// Every order, with its code and name.
    pub const ALL: [(Sort, &'static str, &'static str); 5] = [
        (Sort::Measures, "measures", "Measures unlocked"),
        (Sort::Days, "days", "Days"),
        (Sort::Until, "until", "Last day in time"),
        (Sort::Case, "case", "Case"),
        (Sort::What, "what", "Subject"),
    ];
}

/// The items of a list that are wanted, in the wanted order; without one as the list has them, by kind.
pub fn chosen<'a>(work: &'a CentreWork, wanted: &Wanted, called: Words<'_>) -> Vec<Work<'a>> {
    let about = |work: &Work<'_>, wanted: &str| {
        let what = work.item.what.as_str();
        what == wanted || what.split('.').next() == Some(wanted)
    };
    let asked = wanted
        .what
        .as_deref()
        .map(str::trim)
        .filter(|what| !what.is_empty());
    // A code is that code only; anything else is looked for in what the page says.
    let is_code = asked.is_some_and(|asked| work.items().any(|one| about(&one, asked)));
    let said = asked.unwrap_or_default().to_lowercase();
    let matches = |work: &Work<'_>| {
        wanted.kind.is_none_or(|kind| work.item.kind == kind)
            && wanted.case.as_deref().is_none_or(|case| work.case == case)
            && asked.is_none_or(|asked| match is_code {
                true => about(work, asked),
                false => subject(work, called).to_lowercase().contains(&said),
            })
    };
    let mut items: Vec<Work<'_>> = work.items().filter(matches).collect();
    match wanted.sort {
        None => {}
        Some(Sort::Measures) => {
            items.sort_by_key(|work| std::cmp::Reverse((work.item.measures, work.item.units)));
        }
        Some(Sort::Days) => items.sort_by_key(|work| std::cmp::Reverse(work.item.days)),
        Some(Sort::Until) => items.sort_by_key(|work| work.item.until.unwrap_or(NaiveDate::MAX)),
        Some(Sort::Case) => items.sort_by(|a, b| a.case.cmp(b.case)),
        Some(Sort::What) => items.sort_by(|a, b| a.item.what.cmp(&b.item.what)),
    }
    items
}

/// What an item is about, in words: a measure's title, a phase, an element or a section.
pub fn subject(work: &Work<'_>, called: Words<'_>) -> String {
    let item = work.item;
    match item.kind {
        WorkKind::CareGap => item.why.clone(),
        WorkKind::FollowUp => item.what.replace('_', " "),
        WorkKind::Error | WorkKind::Element | WorkKind::Pending | WorkKind::Section => {
            called.place(&item.what)
        }
    }
}

/// One line per item.
///
/// # Errors
/// None in practice.
pub fn csv(items: &[Work<'_>]) -> Result<String, Problem> {
    let header = [
        "kind",
        "case",
        "what",
        "why",
        "pointer",
        "since",
        "days",
        "measures",
        "units",
        "until",
        "unlocks",
        "changed_since_run",
    ];
    let rows = items.iter().map(|work| {
        let item = work.item;
        vec![
            item.kind.as_str().to_owned(),
            work.case.to_owned(),
            item.what.clone(),
            item.why.clone(),
            item.pointer.clone().unwrap_or_default(),
            item.since.map(|day| day.to_string()).unwrap_or_default(),
            item.days.map(|days| days.to_string()).unwrap_or_default(),
            item.measures.to_string(),
            item.units.to_string(),
            item.until.map(|day| day.to_string()).unwrap_or_default(),
            work.unlocks.join(" "),
            work.changed_since_run.to_string(),
        ]
    });
    written(&header, rows)
}

/// How many data queries of a centre wait, as they stand now.
///
/// # Errors
/// The database does not answer.
pub fn waiting(state: &AppState, scope: &Scope, centre: &str) -> Result<QueriesWaiting, Problem> {
    Ok(state
        .store
        .queries_waiting(scope)?
        .remove(centre)
        .unwrap_or_default())
}

/// What one centre has to do; without a centre named by the coordinating office, how much each has.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Worklist)]
#[serde(untagged)]
enum ToDo<'a> {
    Items(WorkOfCentre<'a>),
    Loads(LoadOfCentres),
}

/// What a centre has to do.
#[derive(Serialize, utoipa::ToSchema)]
struct WorkOfCentre<'a> {
    run: i64,
    cut_off: NaiveDate,
    centre: &'a str,
    queries: QueriesWaiting,
    /// Elements and sections over all its cases, with what each would unlock.
    unlocks: &'a [Unlock],
    items: Vec<Work<'a>>,
}

/// How much every centre has to do.
#[derive(Serialize, utoipa::ToSchema)]
struct LoadOfCentres {
    run: i64,
    cut_off: NaiveDate,
    centres: Vec<CentreLoad>,
}

/// What a centre has to do. As of today: what the guideline asks for and can still be done in time (`until` is the last day, where it is known), and every error that stands. On
/// the latest run: contacts overdue in the patient's phase, elements and open sections with the measures they stand
/// in the way of, values pending too long. The coordinating office names a centre; without one it reads how much each has.
#[utoipa::path(get, path = "/api/v1/worklist", tag = "quality",
    params(("centre" = Option<String>, Query, description = "For the coordinating office"),
        ("kind" = Option<String>, Query, description = "care_gap, error, follow_up, element, pending or section"), ("case" = Option<String>, Query, description = "Pseudonym"),
        ("what" = Option<String>, Query, description = "Measure, element, section or phase, by its code; what is no code of the list is looked for in its words"), ("sort" = Option<String>, Query, description = "measures, days, until, case or what")),
    responses((status = 200, description = "run, centre, queries: how many data queries wait now, and for whom, unlocks: elements and sections over all cases, items, each with the measures it `unlocks` and whether the case has `changed_since_run`; `Accept: text/csv` for the items as a table", body = ToDo), (status = 404, description = "No run yet, or no such centre for this caller")), security(("key" = [])))]
pub(in crate::routes) async fn list(
    caller: Allowed<SeesCases>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    blocking(move || {
        let scope = &caller.scope;
        if wanted.centre.is_none() && !scope.role().needs_centre() {
            let (run, centres) = loads(&state, scope)?;
            let answer = LoadOfCentres {
                run: run.number,
                cut_off: run.cutoff_date,
                centres,
            };
            return Reply::json(200, &ToDo::Loads(answer));
        }
        let work = CentreWork::open(&state, scope, wanted.centre.as_deref())?;
        let items = chosen(&work, &wanted, state.words()?);
        let queries = waiting(&state, scope, &work.centre)?;
        if as_csv {
            let name = format!(
                "attachment; filename=\"worklist-{}-run-{}.csv\"",
                work.centre, work.run.number
            );
            return Ok(
                Reply::text("text/csv; charset=utf-8", csv(&items)?).header("content-disposition", name)
            );
        }
        let answer = WorkOfCentre {
            run: work.run.number,
            cut_off: work.run.cutoff_date,
            centre: &work.centre,
            queries,
            unlocks: &work.list.unlocks,
            items,
        };
        Reply::json(200, &ToDo::Items(answer))
    })
    .await
}
