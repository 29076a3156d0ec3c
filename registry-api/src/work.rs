//! The worklist of a centre and the histologies that wait for the committee: on the latest run, with the pseudonyms of those who may know
//! them. Care that can still be given in time is of today and of the cases as they stand now.

mod care_gaps;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use registry_core::access::Scope;
use registry_core::storage::{CaseFilter, CaseRow, QueriesWaiting, Run, StoredFinding};
use registry_core::versions::{Adjudication, EligibilityClass};
use registry_etl::measures::Engine;
use registry_etl::quality::{WorkItem, WorkKind, Worklist};
use registry_etl::results::WorkLoads;
use registry_etl::runs::Reader;
use serde::Serialize;
use serde_json::json;

pub use care_gaps::CareGapsKnown;

use crate::problem::{Kind, Problem};
use crate::results::from_run;
use crate::runs::engine_of;
use crate::state::AppState;

/// Cases of a list read together.
const PAGE: usize = 500;

/// The work of one centre, on the latest run: its own cases need no publication.
pub struct CentreWork {
    pub run: Run,
    pub centre: String,
    pub list: Worklist,
    /// Pseudonyms by record id.
    pub pseudonyms: HashMap<String, String>,
    /// Newest versions by record id.
    versions: HashMap<String, i64>,
    /// Ids of the measures, in the order of the run's guideline.
    measures: Vec<String>,
}

/// An item with the case as its centre calls it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Work<'a> {
    pub case: &'a str,
    /// Ids of the measures it stands in the way of.
    pub unlocks: Vec<&'a str>,
    /// The case has another version than the one the run judged: it may be done already.
    pub changed_since_run: bool,
    #[serde(flatten)]
    pub item: &'a WorkItem,
}

impl CentreWork {
    /// The work of the caller's own centre, or of the centre the coordinating office asks for.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a centre that is none or another's, and before the first run; [`Kind::InvalidState`] for a run by a guideline
    /// version that is not here any more.
    pub fn open(state: &AppState, scope: &Scope, asked: Option<&str>) -> Result<Self, Problem> {
        let centre = &centre_of(state, scope, asked)?;
        let run = latest(state, scope)?;
        let engine = engine_of(state, &run)?;
        let rows = cases_of(state, scope, Some(centre))?;
        let mut work = Self::of(state, scope, (&run, &engine), (centre, &rows))?;
        let mut open = care_gaps::open(state, scope, centre, &rows)?;
        open.extend(errors(state, scope, centre)?);
        open.append(&mut work.list.items);
        work.list.items = open;
        let cases: BTreeSet<&str> = work.list.items.iter().map(|item| item.case_id.as_str()).collect();
        let details = json!({ "centre": centre, "run": run.number, "cases": cases.len() });
        state
            .store
            .record_access(scope, "worklist.read", Some(centre), details)?;
        Ok(work)
    }

    fn of(
        state: &AppState,
        scope: &Scope,
        (run, engine): (&Run, &Engine),
        (centre, rows): (&str, &[CaseRow]),
    ) -> Result<Self, Problem> {
        let pseudonyms = named(rows);
        let guideline = engine.guideline().map_err(Problem::internal)?;
        let reader = Reader::new(&state.store, scope, run);
        let mut list = reader.worklist(engine, centre).map_err(from_run)?;
        // Withdrawn since the run.
        list.items.retain(|item| pseudonyms.contains_key(&item.case_id));
        Ok(Self {
            run: run.clone(),
            centre: centre.to_owned(),
            list,
            pseudonyms,
            versions: rows
                .iter()
                .map(|row| (row.case_id.clone(), row.version))
                .collect(),
            measures: guideline
                .measures
                .iter()
                .map(|measure| measure.id.clone())
                .collect(),
        })
    }

    /// The items, with the case as its centre calls it.
    pub fn items(&self) -> impl Iterator<Item = Work<'_>> {
        self.list.items.iter().filter_map(|item| {
            let case = self.pseudonyms.get(&item.case_id)?;
            let newest = self.versions.get(&item.case_id);
            let ids = item
                .waiting
                .iter()
                .filter_map(|at| self.measures.get(usize::from(*at)));
            Some(Work {
                case,
                unlocks: ids.map(String::as_str).collect(),
                changed_since_run: item.judged_version.is_some_and(|judged| newest != Some(&judged)),
                item,
            })
        })
    }
}

/// What edit checks of severity error say of a centre's cases as they stand now.
fn errors(state: &AppState, scope: &Scope, centre: &str) -> Result<Vec<WorkItem>, Problem> {
    let item = |(case_id, finding): (String, StoredFinding)| WorkItem {
        kind: WorkKind::Error,
        case_id,
        what: element_of(&finding),
        why: format!("{}: {}", finding.code, finding.message),
        pointer: Some(finding.pointer).filter(|pointer| !pointer.is_empty()),
        since: None,
        days: None,
        until: None,
        measures: 0,
        units: 0,
        waiting: Vec::new(),
        judged_version: None,
    };
    Ok(state
        .store
        .errors_of(scope, centre)?
        .into_iter()
        .map(item)
        .collect())
}

/// What a finding is about: the element or section its pointer leads to, else the first it read.
fn element_of(finding: &StoredFinding) -> String {
    let mut steps = finding.pointer.split('/').skip(1);
    let section = steps.next().filter(|section| !section.is_empty());
    let element = steps.find(|step| step.parse::<usize>().is_err());
    match (section, element) {
        (Some(section), Some(element)) => format!("{section}.{element}"),
        (Some(section), None) => section.to_owned(),
        (None, _) => finding.elements.first().cloned().unwrap_or_default(),
    }
}

/// Items of one kind per centre; care gaps are asked of the cases of one centre at a time.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CentreLoad {
    pub centre: String,
    /// Data queries as they stand now; the rest is of the run, cases withdrawn since included.
    pub queries: QueriesWaiting,
    pub items: BTreeMap<&'static str, usize>,
}

/// How much work every centre has, as the run counted it; for the coordinating office.
///
/// # Errors
/// [`Kind::NotFound`] before the first run.
pub fn loads(state: &AppState, scope: &Scope) -> Result<(Run, Vec<CentreLoad>), Problem> {
    let run = latest(state, scope)?;
    let counted = Counted::of(state, scope, &run)?;
    let mut all = Vec::new();
    let mut waiting = state.store.queries_waiting(scope)?;
    for centre in state.store.list_centres(scope)? {
        let items = counted.items(&centre.centre_id)?;
        let of_kind = |kind: &WorkKind| (kind.as_str(), items.get(kind.as_str()).copied().unwrap_or(0));
        all.push(CentreLoad {
            queries: waiting.remove(&centre.centre_id).unwrap_or_default(),
            centre: centre.centre_id,
            items: WorkKind::OF_RUN.iter().map(of_kind).collect(),
        });
    }
    Ok((run, all))
}

/// How much waits for one centre.
pub struct Outlook {
    /// Care that can still be given in time, today.
    pub care_gaps: usize,
    /// Contacts overdue, as the latest run counted them; `None` for a run by a guideline version that is not here any more.
    pub overdue: Option<usize>,
    /// Its cases as they stand now, withdrawn ones not.
    pub cases: Vec<CaseRow>,
}

impl Outlook {
    /// Of a centre, by its id ([`centre_of`]).
    ///
    /// # Errors
    /// [`Kind::NotFound`] before the first run.
    pub fn of(state: &AppState, scope: &Scope, centre: &str) -> Result<Self, Problem> {
        let run = latest(state, scope)?;
        let items = match Counted::of(state, scope, &run)?.items(centre) {
            Ok(items) => Some(items),
            Err(problem) if problem.kind == Kind::InvalidState => None,
            Err(problem) => return Err(problem),
        };
        let overdue = |items: BTreeMap<String, usize>| {
            let overdue = items.get(WorkKind::FollowUp.as_str());
            overdue.copied().unwrap_or_default()
        };
        let cases = cases_of(state, scope, Some(centre))?;
        Ok(Self {
            care_gaps: care_gaps::open(state, scope, centre, &cases)?.len(),
            overdue: items.map(overdue),
            cases,
        })
    }
}

/// How many items of which kind a run found.
struct Counted<'a> {
    state: &'a AppState,
    scope: &'a Scope,
    run: &'a Run,
    /// None of a run that did not keep it.
    kept: Option<WorkLoads>,
}

impl<'a> Counted<'a> {
    fn of(state: &'a AppState, scope: &'a Scope, run: &'a Run) -> Result<Self, Problem> {
        let kept = Reader::new(&state.store, scope, run).work_loads();
        Ok(Self {
            state,
            scope,
            run,
            kept: kept.map_err(from_run)?,
        })
    }

    /// The items of a centre by kind; those that were not kept are counted.
    fn items(&self, centre: &str) -> Result<BTreeMap<String, usize>, Problem> {
        let Self {
            state, scope, run, ..
        } = *self;
        if let Some(kept) = &self.kept {
            return Ok(kept.centres.get(centre).cloned().unwrap_or_default());
        }
        let engine = engine_of(state, run)?;
        let rows = cases_of(state, scope, Some(centre))?;
        let work = CentreWork::of(state, scope, (run, &engine), (centre, &rows))?;
        let mut items = BTreeMap::new();
        for item in &work.list.items {
            *items.entry(item.kind.as_str().to_owned()).or_default() += 1;
        }
        Ok(items)
    }
}

/// A histology that waits for the committee.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = WaitingHistology)]
pub struct Waiting {
    pub morphology: String,
    /// In words, where value set H knows the code.
    pub term: Option<String>,
    pub note: Option<String>,
    /// Centre and pseudonym of every case of the run.
    pub cases: Vec<WaitingCase>,
    /// Decided already: the next run counts by it.
    pub decided: bool,
}

/// One case behind it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CaseOfHistology)]
pub struct WaitingCase {
    pub centre: String,
    pub case: String,
}

/// What waits on the latest run (none yet: nothing), and what has been decided.
///
/// # Errors
/// The database does not answer.
pub fn adjudications(state: &AppState, scope: &Scope) -> Result<(Option<Run>, Vec<Waiting>), Problem> {
    let Some(run) = state.store.latest_run(scope)? else {
        return Ok((None, Vec::new()));
    };
    let pseudonyms = named(&cases_of(state, scope, None)?);
    let histology = state.schemas.histology();
    let undecided = Reader::new(&state.store, scope, &run)
        .undecided()
        .map_err(from_run)?;
    let waiting = undecided.into_iter().map(|found| {
        let entry = histology.entry(&found.morphology);
        let cases = found.cases.into_iter().filter_map(|case| {
            Some(WaitingCase {
                case: pseudonyms.get(&case.case_id)?.clone(),
                centre: case.centre_id,
            })
        });
        Waiting {
            cases: cases.collect(),
            term: entry.map(|entry| entry.term.clone()),
            note: entry.and_then(|entry| entry.note.clone()),
            decided: histology.decision(&found.morphology).is_some(),
            morphology: found.morphology,
        }
    });
    let waiting: Vec<Waiting> = waiting.filter(|waiting| !waiting.cases.is_empty()).collect();
    let cases: usize = waiting.iter().map(|waiting| waiting.cases.len()).sum();
    let details = json!({ "run": run.number, "cases": cases });
    state
        .store
        .record_access(scope, "adjudication.read", None, details)?;
    Ok((Some(run), waiting))
}

/// A decision of the committee on a histology.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = DecisionOnHistology)]
pub struct Decided<'a> {
    morphology: &'a str,
    eligibility_class: EligibilityClass,
    histology_code: Option<&'a str>,
    /// Day.
    decided: String,
    by: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Adjudication> for Decided<'a> {
    fn from(decision: &'a Adjudication) -> Self {
        Self {
            morphology: &decision.morphology,
            eligibility_class: decision.eligibility_class,
            histology_code: decision.histology_code.as_deref(),
            decided: decision.decided.to_string(),
            by: &decision.by,
            reason: &decision.reason,
        }
    }
}

fn latest(state: &AppState, scope: &Scope) -> Result<Run, Problem> {
    let run = state.store.latest_run(scope)?;
    run.ok_or_else(|| Problem::with(Kind::NotFound, "no run has been made yet"))
}

fn is_centre(state: &AppState, centre: &str) -> Result<bool, Problem> {
    let all = state.store.list_centres(&Scope::system("worklist"))?;
    Ok(all.iter().any(|known| known.centre_id == centre))
}

/// The caller's own centre, or the one the coordinating office names.
///
/// # Errors
/// [`Kind::InvalidValue`] when the office names none; [`Kind::NotFound`] for a centre that is none or another's.
pub fn centre_of(state: &AppState, scope: &Scope, asked: Option<&str>) -> Result<String, Problem> {
    let own = scope.centre().filter(|_| scope.role().needs_centre());
    let centre = asked
        .or(own)
        .ok_or_else(|| Problem::with(Kind::InvalidValue, "name a centre: ?centre="))?;
    if !scope.covers(centre) || !is_centre(state, centre)? {
        return Err(Problem::new(Kind::NotFound));
    }
    Ok(centre.to_owned())
}

/// Every case of a centre, or of all, as lists show them; withdrawn ones not.
///
/// # Errors
/// The database does not answer.
pub fn cases_of(state: &AppState, scope: &Scope, centre: Option<&str>) -> Result<Vec<CaseRow>, Problem> {
    let filter = CaseFilter {
        centre: centre.map(str::to_owned),
        ..CaseFilter::default()
    };
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = state.store.list_cases(scope, &filter, cursor.as_deref(), PAGE)?;
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// Pseudonyms by record id.
pub fn named(rows: &[CaseRow]) -> HashMap<String, String> {
    let named = rows.iter();
    named
        .filter_map(|row| Some((row.case_id.clone(), row.pseudonym.clone()?)))
        .collect()
}
