//! `/fhir/MeasureReport`: summaries of a run through disclosure control, individual reports of a case for those who may read it.

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_etl::results::{By, Period};
use serde::Deserialize;

use super::{Form, acceptable, page, resource};
use crate::fhir::bundle::{Address, Window, searchset};
use crate::fhir::individual::{Individuals, places};
use crate::fhir::measure::edition;
use crate::fhir::names;
use crate::fhir::summary::{Summaries, Summary};
use crate::guard::{Allowed, ReadsResults, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::routes::cases::not_found;
use crate::routes::{Reply, assess};
use crate::state::{AppState, blocking};

/// Whose results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Network,
    Centre,
}

/// Which reports, and the page wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Wanted {
    measure: Option<String>,
    #[serde(alias = "subject:identifier")]
    subject: Option<String>,
    run: Option<i64>,
    by: Option<Level>,
    centre: Option<String>,
    period: Option<Period>,
    _count: Option<usize>,
    cursor: Option<String>,
    _format: Option<String>,
}

impl Wanted {
    /// The rows the adherence endpoint would choose.
    fn takes(&self, of: &Summary<'_>) -> bool {
        let (by, period) = (of.row.by, of.row.period);
        let is_centre = by == By::Centre;
        let level = self.by.is_none_or(|by| (by == Level::Centre) == is_centre);
        let centre = self.centre.as_ref();
        let centre = centre.is_none_or(|c| is_centre && of.row.level == *c);
        // Without a period asked for, one row per level: all cases for the network, 24 months for a centre.
        let period = match self.period {
            Some(wanted) => period == wanted,
            None => is_centre == (period == Period::Last24Months),
        };
        level && centre && period
    }

    /// The pseudonym of the subject.
    ///
    /// # Errors
    /// [`Kind::BadQuery`] together with what belongs to a run, [`Kind::NotFound`] for an identifier of another system.
    fn pseudonym(&self) -> Result<Option<String>, Problem> {
        let Some(subject) = &self.subject else {
            return Ok(None);
        };
        if self.run.is_some() || self.by.is_some() || self.centre.is_some() || self.period.is_some() {
            return Err(Problem::with(
                Kind::BadQuery,
                "reports of a case are as of its submission: no run, by, centre or period",
            ));
        }
        match subject.split_once('|') {
            None => Ok(Some(subject.clone())),
            Some(("" | "urn:rps-registry:pseudonym", pseudonym)) => Ok(Some(pseudonym.to_owned())),
            Some(_) => Err(Problem::new(Kind::NotFound)),
        }
    }
}

/// Reports of a run (the published one unless told otherwise), or with a subject those of one case.
#[utoipa::path(get, path = "/fhir/MeasureReport", operation_id = "search_measure_reports", tag = "fhir",
    params(("measure" = Option<String>, Query, description = "Address, resource id, or the registry's own id"),
        ("subject" = Option<String>, Query, description = "A pseudonym, for individual reports; also as subject:identifier"),
        ("run" = Option<i64>, Query,), ("by" = Option<String>, Query, description = "network or centre"), ("centre" = Option<String>, Query,),
        ("period" = Option<String>, Query, description = "all or last24_months"),
        ("_count" = Option<usize>, Query,), ("cursor" = Option<String>, Query,), ("_format" = Option<String>, Query,)),
    responses((status = 200, description = "Bundle of MeasureReport (FHIR R4)"), (status = 400, description = "OperationOutcome: a parameter cannot be used"),
        (status = 404, description = "OperationOutcome: no such run, measure or case for this caller")), security(("key" = [])))]
pub(in crate::routes) async fn search(
    caller: Allowed<ReadsResults>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    acceptable(&request, wanted._format.as_deref())?;
    let window = Window::read(wanted._count, wanted.cursor.as_deref())?;
    let address = Address::of(&state, &request);
    if let Some(pseudonym) = wanted.pseudonym()? {
        let caller = caller.also::<SeesCases>()?;
        return blocking(move || of_case(&state, &caller.scope, &pseudonym, &wanted, window, &address)).await;
    }
    blocking(move || of_run(&state, &caller.scope, &wanted, window, &address)).await
}

fn of_run(
    state: &AppState,
    scope: &Scope,
    wanted: &Wanted,
    window: Window,
    address: &Address,
) -> Result<Reply, Problem> {
    let view = View::open(state, scope, wanted.run)?;
    let table = view.adherence()?;
    let summaries = summaries(&view, &table);
    let mut found: Vec<Summary<'_>> = summaries.all().collect();
    if let Some(asked) = &wanted.measure {
        let edition = summaries.edition();
        if !table.measures.iter().any(|m| edition.is(asked, &m.id)) {
            return Err(Problem::new(Kind::NotFound));
        }
        found.retain(|of| edition.is(asked, &of.head.id));
    }
    found.retain(|of| wanted.takes(of));
    // The pages of one list are of one run, whatever is published in between.
    let address = address.with("run", &table.run.run.to_string());
    Ok(page(searchset(&address, window, &found, |of| {
        summaries.json(*of)
    })))
}

fn summaries<'a>(view: &'a View<'_>, table: &'a registry_etl::results::AdherenceTable) -> Summaries<'a> {
    Summaries {
        table,
        finished_at: view.run.finished_at,
        own: view.own(),
        ids: view.names_centres(),
    }
}

fn of_case(
    state: &AppState,
    scope: &Scope,
    pseudonym: &str,
    wanted: &Wanted,
    window: Window,
    address: &Address,
) -> Result<Reply, Problem> {
    with_case(state, scope, pseudonym, |case| {
        let Some(case) = case else {
            return Ok(page(searchset(address, window, &[], |()| {
                serde_json::Value::Null
            })));
        };
        let mut found: Vec<_> = places(case.guideline).collect();
        if let Some(asked) = &wanted.measure {
            found.retain(|place| edition(case.guideline).is(asked, place.id));
            if found.is_empty() {
                return Err(Problem::new(Kind::NotFound));
            }
        }
        Ok(page(searchset(address, window, &found, |place| {
            case.json(*place)
        })))
    })
}

/// A case of the scope with its assessment; `None` when its schema version has no guideline in force.
fn with_case(
    state: &AppState,
    scope: &Scope,
    pseudonym: &str,
    work: impl FnOnce(Option<&Individuals<'_>>) -> Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    let stored = state.store.get_case(scope, pseudonym).map_err(not_found)?;
    let Some(assessed) = assess(state, &stored)? else {
        return work(None);
    };
    work(Some(&Individuals {
        stored: &stored,
        pseudonym,
        guideline: assessed.guideline,
        results: &assessed.results,
        now: state.ports.clock.now(),
    }))
}

/// One report.
#[utoipa::path(get, path = "/fhir/MeasureReport/{id}", operation_id = "read_measure_report", tag = "fhir", params(("id" = String, Path,), ("_format" = Option<String>, Query,)),
    responses((status = 200, description = "MeasureReport (FHIR R4)"), (status = 404, description = "OperationOutcome: no such report for this caller")),
    security(("key" = [])))]
pub(in crate::routes) async fn read(
    caller: Allowed<ReadsResults>,
    request: HttpRequest,
    id: web::Path<String>,
    form: web::Query<Form>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    acceptable(&request, form._format.as_deref())?;
    let nothing = || Problem::new(Kind::NotFound);
    if let Some((measure, pseudonym)) = names::case_of(&id) {
        let (caller, measure) = (caller.also::<SeesCases>()?, measure.to_owned());
        return blocking(move || {
            with_case(&state, &caller.scope, &pseudonym, |case| {
                let case = case.ok_or_else(nothing)?;
                let place = places(case.guideline).find(|place| place.id == measure);
                place.map(|place| resource(&case.json(place))).ok_or_else(nothing)
            })
        })
        .await;
    }
    let run = id.strip_prefix("run-").and_then(|rest| rest.split('-').next());
    let run: i64 = run.and_then(|run| run.parse().ok()).ok_or_else(nothing)?;
    blocking(move || {
        let view = View::open(&state, &caller.scope, Some(run))?;
        let table = view.adherence()?;
        let summaries = summaries(&view, &table);
        let found = summaries.all().find(|of| summaries.id(*of) == *id);
        found.map(|of| resource(&summaries.json(of))).ok_or_else(nothing)
    })
    .await
}
