//! `GET /api/v1/cases/{pseudonym}/assessment`: what the guideline says of this very case, and why.

use actix_web::web;
use chrono::NaiveDate;
use registry_core::guideline::{Guideline, UnitOutcome};
use registry_core::record::Record;
use registry_core::storage::StoredCase;
use registry_core::validation::{CareGap, Envelope, GapState};
use registry_core::versions::SchemaStore;
use registry_etl::measures::engine::COMPOSITE;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::not_found;
use crate::explanation::{Explained, ToldExplanation};
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::routes::Reply;
use crate::state::{AppState, blocking};

/// What to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Only this measure, or this all-or-none summary.
    measure: Option<String>,
    /// With the steps that were judged, the elements they read and the dates of the windows.
    #[serde(default)]
    explain: bool,
}

/// A stored case as the guideline in force sees it, as of its submission.
pub struct Assessed<'a> {
    pub guideline: &'a Guideline,
    /// Of its measures, then of its all-or-none summaries.
    pub results: Vec<UnitOutcome>,
    pub record: Record,
    /// The document with envelope and derived elements in place.
    pub document: Value,
    schemas: &'a SchemaStore,
    sent_in: String,
    /// What is not met and can perhaps still be.
    pub gaps: Vec<CareGap>,
}

impl Assessed<'_> {
    /// Explains its results.
    pub fn explained(&self) -> Explained<'_> {
        Explained {
            guideline: self.guideline,
            record: &self.record,
            document: &self.document,
            schemas: self.schemas,
            sent_in: &self.sent_in,
        }
    }
}

fn envelope(stored: &StoredCase) -> Envelope {
    Envelope {
        record_id: stored.row.case_id.parse().unwrap_or_default(),
        centre_id: stored.row.centre_id.clone(),
        submitted_at: stored.submitted_at,
        data_cutoff_date: stored.submitted_at.date_naive(),
    }
}

/// Assesses a stored case; `None` when its schema version has no guideline in force.
///
/// # Errors
/// The database does not answer.
pub fn assess<'a>(state: &'a AppState, stored: &StoredCase) -> Result<Option<Assessed<'a>>, Problem> {
    let (envelope, centres) = (envelope(stored), state.centre_table()?);
    let judge = &state.judge;
    let Some(guideline) = judge.in_force(&stored.schema_version) else {
        return Ok(None);
    };
    let Some((record, document)) = judge.read(&stored.document, &envelope, &centres) else {
        return Ok(None);
    };
    let mut results = guideline.evaluate(&record);
    // A summary asks for nothing that its parts do not ask for.
    let gaps = judge.care_gaps(&stored.document, &envelope, &centres, &results);
    results.extend(guideline.composite_outcomes(&results));
    Ok(Some(Assessed {
        gaps,
        guideline,
        results,
        record,
        document: document.to_value(),
        schemas: &state.schemas,
        sent_in: stored.schema_version.clone(),
    }))
}

/// A measure on one unit of a case.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AssessmentLine<'a> {
    guideline: &'a str,
    guideline_version: &'a str,
    measure: &'a str,
    /// Number of the statement.
    statement: u16,
    title: &'a str,
    level_and_grade: &'a str,
    /// `composite` for an all-or-none summary.
    kind: &'static str,
    unit: &'a str,
    /// Measures of an all-or-none summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<&'a str>>,
    /// Row of the unit; 0 for the patient.
    unit_index: u32,
    /// `MET`, `NOT_MET`, `USED`, `NOT_USED`, `NOT_ASSESSABLE`, `EXCLUDED`, `EXCEPTED` or `NOT_IN_DENOM`.
    outcome: &'static str,
    /// Why it cannot be assessed or does not count.
    reason: Option<&'static str>,
    /// The element that is missing.
    element: Option<String>,
    /// With `explain=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ToldExplanation>,
    /// Of a care gap: `open`, `past` or `not_recorded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// Of an open care gap: the last day that still counts, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_time_through: Option<NaiveDate>,
}

/// What the guideline says of a case.
#[derive(Serialize, utoipa::ToSchema)]
struct Assessment<'a> {
    /// Of the case.
    version: i64,
    assessed_as_of: NaiveDate,
    assessment: Vec<AssessmentLine<'a>>,
    care_gaps: Vec<AssessmentLine<'a>>,
}

fn line<'a>(guideline: &'a Guideline, outcome: &UnitOutcome) -> Option<AssessmentLine<'a>> {
    let at = usize::from(outcome.measure);
    let line = AssessmentLine {
        guideline: &guideline.id,
        guideline_version: &guideline.version,
        measure: "",
        statement: 0,
        title: "",
        level_and_grade: "",
        kind: COMPOSITE,
        unit: "",
        parts: None,
        unit_index: outcome.unit_index,
        outcome: outcome.outcome.as_str(),
        reason: outcome.reason.map(|r| r.as_str()),
        element: outcome.element.clone(),
        explanation: None,
        state: None,
        in_time_through: None,
    };
    if let Some(measure) = guideline.measures.get(at) {
        return Some(AssessmentLine {
            measure: &measure.id,
            statement: measure.statement,
            title: &measure.title,
            level_and_grade: &measure.grade,
            kind: measure.kind.as_str(),
            unit: &measure.unit,
            ..line
        });
    }
    let composite = guideline.composites.get(at - guideline.measures.len())?;
    let parts = guideline.parts(composite).map(|part| part.id.as_str());
    Some(AssessmentLine {
        measure: &composite.id,
        statement: composite.statement,
        title: &composite.title,
        level_and_grade: &composite.grade,
        unit: &composite.unit,
        parts: Some(parts.collect()),
        ..line
    })
}

/// What a guideline says of a case, as answered: a line per measure and unit of `results`, then per all-or-none summary and unit.
pub fn lines<'a>(guideline: &'a Guideline, results: &[UnitOutcome]) -> Vec<AssessmentLine<'a>> {
    let composites = guideline.composite_outcomes(results);
    let all = results.iter().chain(&composites);
    all.filter_map(|result| line(guideline, result)).collect()
}

/// Care gaps as answered: the measure, and whether there is still time.
pub fn gaps<'a>(guideline: &'a Guideline, gaps: &[CareGap]) -> Vec<AssessmentLine<'a>> {
    gaps.iter()
        .filter_map(|gap| {
            let mut line = line(guideline, &gap.result)?;
            line.state = Some(gap.state.as_str());
            if let GapState::OpenThrough(day) = gap.state {
                line.in_time_through = day;
            }
            Some(line)
        })
        .collect()
}

/// Which statements are met, not met, or cannot be assessed, with the reason and the element; the care gaps; on demand why.
#[utoipa::path(get, path = "/api/v1/cases/{pseudonym}/assessment", tag = "cases",
    params(("pseudonym" = String, Path,), ("measure" = Option<String>, Query,), ("explain" = Option<bool>, Query,)),
    responses((status = 200, description = "One line per measure and unit, then per all-or-none summary and unit; and the care gaps, those still open in time first", body = Assessment),
        (status = 404, description = "No such case here, or no such measure")), security(("key" = [])))]
pub(super) async fn assessment(
    caller: Allowed<SeesCases>,
    pseudonym: web::Path<String>,
    options: web::Query<Options>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    blocking(move || {
        let stored = state
            .store
            .get_case(&caller.scope, &pseudonym)
            .map_err(not_found)?;
        let as_of = stored.submitted_at.date_naive();
        let Some(assessed) = assess(&state, &stored)? else {
            let nothing = Assessment {
                version: stored.version,
                assessed_as_of: as_of,
                assessment: Vec::new(),
                care_gaps: Vec::new(),
            };
            return Reply::json(200, &nothing);
        };
        let wanted = match &options.measure {
            None => None,
            Some(id) => {
                let guideline = assessed.guideline;
                let measure = guideline.measure(id).map(|(at, _)| at);
                let found = measure.or_else(|| guideline.composite(id).map(|(at, _)| at));
                Some(found.ok_or(Problem::new(Kind::NotFound))?)
            }
        };
        let of_interest = |result: &UnitOutcome| wanted.is_none_or(|measure| measure == result.measure);
        let explained = assessed.explained();
        let lines = assessed
            .results
            .iter()
            .filter(|result| of_interest(result))
            .filter_map(|result| {
                let mut line = line(assessed.guideline, result)?;
                if options.explain
                    && let Some(explanation) = explained.of(result.measure, result.unit_index)
                {
                    line.explanation = Some(explained.told(&explanation));
                }
                Some(line)
            })
            .collect();
        let of_measure: Vec<CareGap> = assessed
            .gaps
            .iter()
            .filter(|gap| of_interest(&gap.result))
            .cloned()
            .collect();
        let answer = Assessment {
            version: stored.version,
            assessed_as_of: as_of,
            assessment: lines,
            care_gaps: gaps(assessed.guideline, &of_measure),
        };
        Reply::json(200, &answer)
    })
    .await
}
