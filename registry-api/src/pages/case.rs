//! One case: its course, findings, assessment and versions.

use actix_web::{HttpResponse, web};
use askama::Template;
use registry_core::dictionary::{Entity, EntityKind};
use registry_core::form::Words;
use registry_core::guideline::{Measure, MeasureKind, Outcome, UnitOutcome};
use registry_core::storage::{
    CaseStatus, FindingState, LivingFinding, QueryFilter, QueryState, StoreError, StoredCase, VersionRow,
};
use registry_core::validation::{CareGap, GapState, Severity};
use serde_json::Value;

use super::checks::CheckLink;
use super::course::{Event, course};
use super::life_cycle::Stage;
use super::queries::Line;
use super::tasks::Hands;
use super::who::People;
use super::{Frame, Sent, html, withdrawal, words};
use crate::charts;
use crate::explanation::{StepInWords, reason};
use crate::guard::{Allowed, AllowedForm, NoQuery, Policy, SeesCases, Submits};
use crate::problem::{Kind, Problem};
use crate::routes::queries::list::every;
use crate::routes::{Assessed, assess};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "case.html")]
struct Page {
    frame: Frame,
    csrf: String,
    may_enter: bool,
    stage: Stage,
    /// Why consent can be withdrawn: code and words.
    reasons: Vec<(&'static str, &'static str)>,
    hands: Hands,
    today: String,
    etag: String,
    /// Not settled, then settled.
    queries: [Vec<Line>; 2],
    may_ask: bool,
    /// What a query may be about: section, its rows and elements, each with the place it is sent as.
    about: Vec<(String, Vec<(String, String)>)>,
    /// Checks that fire here: id and message.
    rules: Vec<(String, String)>,
    c: Shown,
}

struct Shown {
    pseudonym: String,
    centre: String,
    status: String,
    version: i64,
    summary: String,
    timeline: Option<String>,
    events: Vec<Event>,
    findings: Vec<FindingLine>,
    resolved: Vec<FindingLine>,
    gaps: Vec<Gap>,
    assessment: Vec<Assessment>,
    versions: Vec<(i64, String, String, String, i64, i64, String)>,
}

/// What a line of the page is put into words with.
struct Said<'a> {
    state: &'a AppState,
    people: People,
    called: Words<'a>,
}

struct FindingLine {
    severity: &'static str,
    check: CheckLink,
    /// Where in the case; nothing for the whole of it.
    place: String,
    message: String,
    identity: String,
    /// Since which version, or from which to which.
    versions: String,
    /// Why it stands and who said so.
    answer: Option<(String, String)>,
    answerable: bool,
}

impl FindingLine {
    fn of(found: LivingFinding, may_answer: bool, said: &Said<'_>) -> Self {
        let LivingFinding { finding, state, .. } = found;
        Self {
            severity: finding.severity.as_str(),
            versions: match state {
                FindingState::Resolved if found.first_version == found.last_version => {
                    format!("version {}", found.first_version)
                }
                FindingState::Resolved => {
                    format!("versions {} to {}", found.first_version, found.last_version)
                }
                _ => format!("since version {}", found.first_version),
            },
            answerable: may_answer && state == FindingState::Open && finding.severity == Severity::Warning,
            answer: found.answer.map(|a| {
                (
                    a.reason,
                    format!("{}, {}", said.people.who(&a.actor), a.answered_at.date_naive()),
                )
            }),
            check: CheckLink::of(said.state, &finding.code),
            place: said.called.at(&finding.pointer),
            message: finding.message,
            identity: finding.identity,
        }
    }
}

pub(super) struct Assessment {
    /// Measure and unit, unique on the page.
    anchor: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) unit: Option<String>,
    pub(super) grade: String,
    pub(super) outcome: &'static str,
    class: &'static str,
    pub(super) because: String,
    steps: Vec<StepInWords>,
    dates: String,
}

/// A care gap: measure, title, unit, what is to be done about it.
struct Gap {
    anchor: String,
    id: String,
    title: String,
    unit: Option<String>,
    class: &'static str,
    state: String,
}

pub(super) async fn page(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(&pseudonym, "/cases", &caller);
    let may_enter = Submits::ROLES.contains(&caller.scope.role());
    let page = blocking(move || {
        let stored = state.store.get_case(&caller.scope, &pseudonym).map_err(gone)?;
        let versions = state.store.versions(&caller.scope, &pseudonym).map_err(gone)?;
        let findings = state.store.findings(&caller.scope, &pseudonym).map_err(gone)?;
        let life = state.store.life_of(&caller.scope, &pseudonym).map_err(gone)?;
        let held = state.store.holders(&caller.scope, &pseudonym).map_err(gone)?;
        let now = state.ports.clock.now();
        let today = now.date_naive();
        let of_case = QueryFilter {
            case: Some(pseudonym.clone()),
            ..QueryFilter::default()
        };
        let queries = every(&state, &caller.scope, &of_case)?.into_iter();
        let called = state.words()?;
        let (settled, waiting): (Vec<_>, Vec<_>) = queries.partition(|q| q.state == QueryState::Closed);
        Ok(Page {
            queries: [waiting, settled].map(|all| {
                all.into_iter()
                    .map(|q| Line::of(&state, called, q, now))
                    .collect()
            }),
            about: elements(&state, &stored)?,
            rules: rules(&findings),
            may_ask: stored.row.withdrawal.is_none() && stored.row.status != CaseStatus::Draft,
            hands: Hands::of(&state, &caller.scope, held, &stored.row.centre_id)?,
            today: today.to_string(),
            etag: stored.row.etag.clone(),
            stage: Stage::of(&stored.row, &life, caller.scope.role(), today),
            c: shown(&state, &stored, versions, findings, may_enter)?,
            csrf: frame.who.as_ref().map(|w| w.csrf.clone()).unwrap_or_default(),
            frame,
            may_enter: may_enter && stored.row.withdrawal.is_none(),
            reasons: withdrawal::reasons(),
        })
    })
    .await?;
    html(&page)
}

/// Keeps why a warning stands, from the form beside it.
pub(super) async fn answer(
    form: AllowedForm<Submits>,
    pseudonym: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::of(&form);
    let again = state.clone();
    let case = pseudonym.to_string();
    let answer: Result<HttpResponse, Problem> = async move {
        let page = format!("/cases/{pseudonym}#findings");
        blocking(move || {
            let (identity, reason) = (form.fields.get("identity"), form.fields.get("reason"));
            state
                .store
                .answer_finding(&form.scope, &pseudonym, identity, reason)
                .map_err(gone)
        })
        .await?;
        Ok(HttpResponse::SeeOther()
            .insert_header(("location", page))
            .finish())
    }
    .await;
    sent.answered(answer, &[("", "reason")], |caller| {
        self::page(caller, web::Path::from(case), NoQuery, again)
    })
    .await
}

/// A section with its places: pointer and words.
type Places = (String, Vec<(String, String)>);

/// Sections of the case that have something, with their rows and elements, as a query may be about them.
fn elements(state: &AppState, stored: &StoredCase) -> Result<Vec<Places>, Problem> {
    let schema = state.schemas.case_schema(&stored.schema_version);
    let dictionary = &schema.unwrap_or_else(|| state.schemas.current()).dictionary;
    // The document is in the version it was sent in: so are its places, and the words for its codes.
    let called = match state.forms.words(dictionary) {
        Some(called) => called,
        None => state.words()?,
    };
    let cases = dictionary
        .entities
        .iter()
        .filter(|one| one.kind == EntityKind::Case);
    let section = |entity: &Entity| {
        let name = entity.name.as_str();
        let mut places = vec![(name.to_owned(), "the section as a whole".to_owned())];
        let rows = stored.document.get(name).and_then(Value::as_array);
        for (at, row) in rows.into_iter().flatten().enumerate() {
            let gist = called.gist(name, row);
            places.push((format!("/{name}/{at}"), format!("row {}: {gist}", at + 1)));
        }
        let elements = entity.elements.iter();
        places.extend(elements.map(|element| {
            let path = format!("{name}.{}", element.name);
            (path.clone(), called.element(&path))
        }));
        (called.entity(name), places)
    };
    Ok(cases.map(section).collect())
}

/// The checks that fire on the case now, and what each says.
fn rules(findings: &[LivingFinding]) -> Vec<(String, String)> {
    let firing = findings
        .iter()
        .filter(|found| found.state != FindingState::Resolved);
    let mut rules: Vec<(String, String)> = firing
        .map(|found| (found.finding.code.clone(), found.finding.message.clone()))
        .collect();
    rules.sort();
    rules.dedup_by(|a, b| a.0 == b.0);
    rules
}

pub(super) fn gone(error: StoreError) -> Problem {
    match error {
        StoreError::Withdrawn { .. } => Problem::new(Kind::NotFound),
        other => other.into(),
    }
}

fn shown(
    state: &AppState,
    stored: &StoredCase,
    versions: Vec<VersionRow>,
    findings: Vec<LivingFinding>,
    may_answer: bool,
) -> Result<Shown, Problem> {
    let (resolved, current): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|found| found.state == FindingState::Resolved);
    let called = state.words()?;
    let said = Said {
        state,
        people: People::of(state)?,
        called,
    };
    let lines = |found: Vec<LivingFinding>| {
        found
            .into_iter()
            .map(|found| FindingLine::of(found, may_answer, &said))
            .collect()
    };
    let newest = state.schemas.newest(&stored.document, &stored.schema_version);
    let (timeline, events) = course(&newest, called);
    let assessed = assess(state, stored)?;
    let pseudonym = stored.row.pseudonym.clone().unwrap_or_default();
    let histology = stored.derived.histology_code.as_deref().map_or_else(
        || "Histology not derivable".to_owned(),
        |code| called.value("primary.histology_code", &code.into()),
    );
    let t0 = stored
        .derived
        .t0
        .clone()
        .unwrap_or_else(|| "an unknown date".to_owned());
    Ok(Shown {
        timeline: charts::timeline(&timeline, "Course of the disease"),
        events,
        centre: stored.row.centre_id.clone(),
        status: words::code(stored.row.status.as_str()),
        version: stored.version,
        summary: format!("{histology}, metastatic or multifocal disease first found {t0}."),
        findings: lines(current),
        resolved: lines(resolved),
        gaps: assessed.as_ref().map(|of| gaps(of, called)).unwrap_or_default(),
        assessment: assessed
            .as_ref()
            .map(|of| assessment(of, called))
            .unwrap_or_default(),
        versions: versions
            .into_iter()
            .map(|v| {
                let stored = v.submitted_at.format("%Y-%m-%d %H:%M UTC").to_string();
                (
                    v.version,
                    stored,
                    said.people.who(&v.actor),
                    v.schema_version,
                    v.errors,
                    v.warnings,
                    v.reason.unwrap_or_default(),
                )
            })
            .collect(),
        pseudonym,
    })
}

/// Every unit that a measure applies to, with the grounds; what does not apply is left out.
pub(super) fn assessment(assessed: &Assessed<'_>, called: Words<'_>) -> Vec<Assessment> {
    let explained = assessed.explained();
    let mut lines = Vec::new();
    for result in &assessed.results {
        if result.outcome == Outcome::NotInDenom {
            continue;
        }
        let Some(measure) = assessed.guideline.measures.get(usize::from(result.measure)) else {
            lines.extend(summary(assessed, result));
            continue;
        };
        let Some(explanation) = explained.of(result.measure, result.unit_index) else {
            continue;
        };
        let (spoken, class) = words::outcome(result.outcome, measure.kind == MeasureKind::Avoidance);
        lines.push(Assessment {
            anchor: anchor(measure, result.unit_index),
            id: measure.id.clone(),
            title: measure.title.clone(),
            unit: unit(measure, result.unit_index),
            grade: measure.grade.clone(),
            outcome: spoken,
            class,
            because: explained.because_in_words(&explanation, called),
            steps: explained.steps(&explanation, called),
            dates: explained.dates(&explanation, called),
        });
    }
    lines
}

/// An all-or-none summary of a unit, and which of its parts decided.
fn summary(assessed: &Assessed<'_>, result: &UnitOutcome) -> Option<Assessment> {
    let guideline = assessed.guideline;
    let at = usize::from(result.measure).checked_sub(guideline.measures.len())?;
    let composite = guideline.composites.get(at)?;
    let deciding: Vec<&str> = assessed
        .results
        .iter()
        .filter(|part| composite.parts.contains(&part.measure))
        .filter(|part| (part.unit_index, part.outcome) == (result.unit_index, result.outcome))
        .filter_map(|part| Some(guideline.measures.get(usize::from(part.measure))?.id.as_str()))
        .collect();
    let deciding = deciding.join(", ");
    let (outcome, class) = words::outcome(result.outcome, false);
    let unit_entity = guideline.parts(composite).next()?.unit_entity.as_ref();
    Some(Assessment {
        anchor: format!("m{}-{}", composite.id, result.unit_index),
        id: composite.id.clone(),
        title: composite.title.clone(),
        unit: unit_entity.map(|_| format!("{} {}", words::unit(&composite.unit), result.unit_index + 1)),
        grade: composite.grade.clone(),
        outcome,
        class,
        because: match result.outcome {
            Outcome::Met => "All or none: every part that applies is met.".to_owned(),
            Outcome::NotMet => format!("All or none: not met is {deciding}."),
            Outcome::NotAssessable => {
                format!("All or none: {deciding} cannot be assessed, the others do not decide.")
            }
            _ => format!("All or none: no part applies ({deciding})."),
        },
        steps: Vec::new(),
        dates: String::new(),
    })
}

fn anchor(measure: &Measure, index: u32) -> String {
    format!("m{}-{index}", measure.id)
}

fn unit(measure: &Measure, index: u32) -> Option<String> {
    measure
        .unit_entity
        .as_ref()
        .map(|_| format!("{} {}", words::unit(&measure.unit), index + 1))
}

/// What the guideline asks for and the record does not show.
fn gaps(assessed: &Assessed<'_>, called: Words<'_>) -> Vec<Gap> {
    let gap = |gap: &CareGap| {
        let measure = assessed.guideline.measures.get(usize::from(gap.result.measure))?;
        let (class, state) = match gap.state {
            GapState::OpenThrough(Some(day)) => ("in", format!("still in time through {day}")),
            GapState::OpenThrough(None) => ("in", "still in time".to_owned()),
            GapState::Past => ("out", "not done in time".to_owned()),
            GapState::NotRecorded => {
                let element = gap.result.element.as_deref();
                let element = element.map_or_else(|| "something".to_owned(), |path| called.place(path));
                let code = gap.result.reason.map_or("missing", |reason| reason.as_str());
                ("unknown", format!("{element} is {}", reason(code)))
            }
        };
        Some(Gap {
            anchor: anchor(measure, gap.result.unit_index),
            id: measure.id.clone(),
            title: measure.title.clone(),
            unit: unit(measure, gap.result.unit_index),
            class,
            state,
        })
    };
    assessed.gaps.iter().filter_map(gap).collect()
}
