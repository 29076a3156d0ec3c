//! `/api/v1/guidelines`: every measure of every version with its logic as run, parameters and provenance.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::web;
use registry_core::guideline::{Composite, Guideline, GuidelineStatus, Measure};
use registry_core::rules::{Parameter, ParameterValue};
use registry_etl::measures::engine::COMPOSITE;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Endpoint, Reply, open};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

const WHY: &str = "what is measured, and how, is public";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        open(Method::GET, "/api/v1/guidelines/{id}/measures", WHY, list),
        open(
            Method::GET,
            "/api/v1/guidelines/{id}/measures/{measure}",
            WHY,
            show,
        ),
    ]
}

/// A version of a guideline, with everything that is measured by it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Guideline)]
struct ToldGuideline<'a> {
    id: &'a str,
    version: &'a str,
    title: &'a str,
    source: &'a str,
    status: GuidelineStatus,
    digest: &'a str,
    /// Named expressions.
    definitions: &'a BTreeMap<String, String>,
    /// Expressions of the populations.
    populations: &'a BTreeMap<String, String>,
    measures: Vec<ToldMeasure<'a>>,
    composites: Vec<Summary<'a>>,
    /// All versions of this guideline there are.
    versions: Vec<VersionOfGuideline<'a>>,
}

/// A version of a guideline.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = GuidelineVersion)]
struct VersionOfGuideline<'a> {
    version: &'a str,
    status: GuidelineStatus,
    digest: &'a str,
}

/// One measure, or one all-or-none summary.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum MeasureOrSummary<'a> {
    Measure(Box<ToldMeasure<'a>>),
    Summary(Summary<'a>),
}

/// A measure with its logic as run.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Measure)]
struct ToldMeasure<'a> {
    id: &'a str,
    version: &'a str,
    /// Number of the statement.
    statement: u16,
    statement_in_words: &'a str,
    title: &'a str,
    level_and_grade: &'a str,
    /// `adherence`, `avoidance`, `documentation` or `utilisation`.
    kind: &'static str,
    domain: Option<&'a str>,
    /// `patient`, or the event that is counted.
    unit: &'a str,
    unit_entity: Option<&'a str>,
    population: &'a str,
    population_expression: Option<&'a str>,
    denominator_in_words: &'a str,
    numerator_in_words: &'a str,
    stratifiers: &'a [String],
    /// By step, in the registry's rule language.
    expressions: &'a BTreeMap<String, String>,
    parameters: Vec<ToldParameter<'a>>,
    /// Parameters that neither the source fixes nor the committee has ratified.
    unratified: Vec<&'a str>,
    rationale: &'a str,
    review_note: Option<&'a str>,
    examples: &'a BTreeMap<String, String>,
    authored: Option<&'a str>,
    reviewed: Option<&'a str>,
    next_review: Option<&'a str>,
}

/// All or none of several measures.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CompositeMeasure)]
struct Summary<'a> {
    id: &'a str,
    statement: u16,
    title: &'a str,
    level_and_grade: &'a str,
    /// `composite`.
    kind: &'static str,
    unit: &'a str,
    unit_entity: Option<&'a str>,
    /// Ids of its measures.
    parts: Vec<&'a str>,
    parameters: Vec<ToldParameter<'a>>,
    unratified: Vec<&'a str>,
}

/// A parameter of a guideline.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Parameter)]
struct ToldParameter<'a> {
    name: &'a str,
    /// A number, a day, codes or a pattern.
    value: Value,
    /// `days` or `months`.
    unit: Option<&'static str>,
    /// Other values it could have.
    alternatives: Vec<Value>,
    basis: &'a str,
    note: Option<&'a str>,
    /// The source fixes it, or the committee has ratified it.
    ratified: bool,
}

fn described<'a>(guideline: &'a Guideline, measure: &'a Measure) -> ToldMeasure<'a> {
    ToldMeasure {
        id: &measure.id,
        version: &measure.version,
        statement: measure.statement,
        statement_in_words: &measure.statement_in_words,
        title: &measure.title,
        level_and_grade: &measure.grade,
        kind: measure.kind.as_str(),
        domain: measure.domain.as_deref(),
        unit: &measure.unit,
        unit_entity: measure.unit_entity.as_deref(),
        population: &measure.population,
        population_expression: guideline.populations.get(&measure.population).map(String::as_str),
        denominator_in_words: &measure.denominator_in_words,
        numerator_in_words: &measure.numerator_in_words,
        stratifiers: &measure.stratifiers,
        expressions: &measure.expressions,
        parameters: parameters(guideline, &measure.id),
        unratified: guideline.unratified(&measure.id),
        rationale: &measure.rationale,
        review_note: measure.review_note.as_deref(),
        examples: &measure.examples,
        authored: measure.authored.as_deref(),
        reviewed: measure.reviewed.as_deref(),
        next_review: measure.next_review.as_deref(),
    }
}

fn composed<'a>(guideline: &'a Guideline, composite: &'a Composite) -> Summary<'a> {
    let mut parts = guideline.parts(composite);
    Summary {
        id: &composite.id,
        statement: composite.statement,
        title: &composite.title,
        level_and_grade: &composite.grade,
        kind: COMPOSITE,
        unit: &composite.unit,
        parts: guideline.parts(composite).map(|part| part.id.as_str()).collect(),
        unit_entity: parts.next().and_then(|part| part.unit_entity.as_deref()),
        parameters: parameters(guideline, &composite.id),
        unratified: guideline.unratified(&composite.id),
    }
}

/// Everything the results of a measure or a composite rest on.
fn parameters<'a>(guideline: &'a Guideline, id: &str) -> Vec<ToldParameter<'a>> {
    let known = guideline.rests_on(id).into_iter();
    known
        .filter_map(|name| guideline.parameters.get(name))
        .map(parameter)
        .collect()
}

fn parameter(parameter: &Parameter) -> ToldParameter<'_> {
    ToldParameter {
        name: &parameter.name,
        value: parameter.value.to_json(),
        unit: parameter.value.unit(),
        alternatives: parameter
            .alternatives
            .iter()
            .map(ParameterValue::to_json)
            .collect(),
        basis: &parameter.basis,
        note: parameter.note.as_deref(),
        ratified: parameter.is_ratified(),
    }
}

/// Which version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfVersion {
    /// The one in force when not given.
    version: Option<String>,
}

fn named<'a>(state: &'a AppState, id: &str, wanted: &OfVersion) -> Result<&'a Guideline, Problem> {
    let all = state.judge.guidelines(&state.schemas.current().version);
    let is = |guideline: &&Guideline| match &wanted.version {
        Some(version) => guideline.version == *version,
        None => guideline.is_active(),
    };
    let found = all.iter().filter(|guideline| guideline.id == id).find(is);
    found.ok_or(Problem::new(Kind::NotFound))
}

/// Every measure of a version of a guideline, and its all-or-none summaries.
#[utoipa::path(get, path = "/api/v1/guidelines/{id}/measures", tag = "guidelines",
    params(("id" = String, Path,), ("version" = Option<String>, Query, description = "Version of the guideline; the one in force when not given")),
    responses((status = 200, description = "measures, composites, and the versions there are", body = ToldGuideline), (status = 404, description = "No such guideline or version")))]
pub(super) async fn list(
    state: web::Data<AppState>,
    id: web::Path<String>,
    wanted: web::Query<OfVersion>,
) -> Result<Reply, Problem> {
    let guideline = named(&state, &id, &wanted)?;
    let measures = guideline.measures.iter();
    let composites = guideline.composites.iter();
    let all = state.judge.guidelines(&state.schemas.current().version).iter();
    let versions = all
        .filter(|other| other.id == guideline.id)
        .map(|other| VersionOfGuideline {
            version: &other.version,
            status: other.status,
            digest: &other.digest,
        });
    let answer = ToldGuideline {
        id: &guideline.id,
        version: &guideline.version,
        title: &guideline.title,
        source: &guideline.source,
        status: guideline.status,
        digest: &guideline.digest,
        definitions: &guideline.definitions,
        populations: &guideline.populations,
        measures: measures.map(|m| described(guideline, m)).collect(),
        composites: composites.map(|c| composed(guideline, c)).collect(),
        versions: versions.collect(),
    };
    Reply::json(200, &answer)
}

/// One measure: grade, kind, populations, logic, parameters, provenance; or one all-or-none summary with its parts.
#[utoipa::path(get, path = "/api/v1/guidelines/{id}/measures/{measure}", tag = "guidelines",
    params(("id" = String, Path,), ("measure" = String, Path,), ("version" = Option<String>, Query, description = "Version of the guideline; the one in force when not given")),
    responses((status = 200, description = "The measure", body = MeasureOrSummary), (status = 404, description = "No such measure in this version")))]
pub(super) async fn show(
    state: web::Data<AppState>,
    path: web::Path<(String, String)>,
    wanted: web::Query<OfVersion>,
) -> Result<Reply, Problem> {
    let (id, measure) = path.into_inner();
    let guideline = named(&state, &id, &wanted)?;
    let shown = match (guideline.measure(&measure), guideline.composite(&measure)) {
        (Some((_, measure)), _) => MeasureOrSummary::Measure(Box::new(described(guideline, measure))),
        (None, Some((_, composite))) => MeasureOrSummary::Summary(composed(guideline, composite)),
        (None, None) => return Err(Problem::new(Kind::NotFound)),
    };
    Reply::json(200, &shown)
}
