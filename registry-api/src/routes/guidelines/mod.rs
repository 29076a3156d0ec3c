//! `/api/v1/guidelines`: every measure of every version with its logic as run, parameters and provenance.

use actix_web::http::Method;
use actix_web::web;
use registry_core::guideline::{Composite, Guideline, Measure};
use registry_core::rules::{Parameter, ParameterValue};
use registry_etl::measures::engine::COMPOSITE;
use serde::Deserialize;
use serde_json::{Value, json};

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

fn described(guideline: &Guideline, measure: &Measure) -> Value {
    json!({
        "id": measure.id,
        "version": measure.version,
        "statement": measure.statement,
        "statement_in_words": measure.statement_in_words,
        "title": measure.title,
        "level_and_grade": measure.grade,
        "kind": measure.kind.as_str(),
        "domain": measure.domain,
        "unit": measure.unit,
        "unit_entity": measure.unit_entity,
        "population": measure.population,
        "population_expression": guideline.populations.get(&measure.population),
        "denominator_in_words": measure.denominator_in_words,
        "numerator_in_words": measure.numerator_in_words,
        "stratifiers": measure.stratifiers,
        "expressions": measure.expressions,
        "parameters": parameters(guideline, &measure.id),
        "unratified": guideline.unratified(&measure.id),
        "rationale": measure.rationale,
        "review_note": measure.review_note,
        "examples": measure.examples,
        "authored": measure.authored,
        "reviewed": measure.reviewed,
        "next_review": measure.next_review,
    })
}

/// All or none of several measures.
fn composed(guideline: &Guideline, composite: &Composite) -> Value {
    let parts: Vec<&str> = guideline.parts(composite).map(|part| part.id.as_str()).collect();
    json!({
        "id": composite.id,
        "statement": composite.statement,
        "title": composite.title,
        "level_and_grade": composite.grade,
        "kind": COMPOSITE,
        "unit": composite.unit,
        "unit_entity": guideline.parts(composite).next().and_then(|part| part.unit_entity.as_deref()),
        "parts": parts,
        "parameters": parameters(guideline, &composite.id),
        "unratified": guideline.unratified(&composite.id),
    })
}

/// Everything the results of a measure or a composite rest on.
fn parameters(guideline: &Guideline, id: &str) -> Vec<Value> {
    let known = guideline.rests_on(id).into_iter();
    known
        .filter_map(|name| guideline.parameters.get(name))
        .map(parameter)
        .collect()
}

fn parameter(parameter: &Parameter) -> Value {
    let alternatives: Vec<Value> = parameter
        .alternatives
        .iter()
        .map(ParameterValue::to_json)
        .collect();
    json!({
        "name": parameter.name, "value": parameter.value.to_json(), "unit": parameter.value.unit(), "alternatives": alternatives, "basis": parameter.basis, "note": parameter.note,
        "ratified": parameter.is_ratified(),
    })
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
    responses((status = 200, description = "measures, composites, and the versions there are"), (status = 404, description = "No such guideline or version")))]
pub(super) async fn list(
    state: web::Data<AppState>,
    id: web::Path<String>,
    wanted: web::Query<OfVersion>,
) -> Result<Reply, Problem> {
    let guideline = named(&state, &id, &wanted)?;
    let measures = guideline.measures.iter();
    let measures: Vec<Value> = measures.map(|m| described(guideline, m)).collect();
    let composites = guideline.composites.iter();
    let composites: Vec<Value> = composites.map(|c| composed(guideline, c)).collect();
    let all = state.judge.guidelines(&state.schemas.current().version).iter();
    let versions = all.filter(|other| other.id == guideline.id).map(
        |other| json!({ "version": other.version, "status": other.status.as_str(), "digest": other.digest }),
    );
    Reply::json(
        200,
        &json!({
            "id": guideline.id, "version": guideline.version, "title": guideline.title, "source": guideline.source,
            "status": guideline.status.as_str(), "digest": guideline.digest, "definitions": guideline.definitions,
            "populations": guideline.populations, "measures": measures, "composites": composites,
            "versions": versions.collect::<Vec<Value>>(),
        }),
    )
}

/// One measure: grade, kind, populations, logic, parameters, provenance; or one all-or-none summary with its parts.
#[utoipa::path(get, path = "/api/v1/guidelines/{id}/measures/{measure}", tag = "guidelines",
    params(("id" = String, Path,), ("measure" = String, Path,), ("version" = Option<String>, Query, description = "Version of the guideline; the one in force when not given")),
    responses((status = 200, description = "The measure"), (status = 404, description = "No such measure in this version")))]
pub(super) async fn show(
    state: web::Data<AppState>,
    path: web::Path<(String, String)>,
    wanted: web::Query<OfVersion>,
) -> Result<Reply, Problem> {
    let (id, measure) = path.into_inner();
    let guideline = named(&state, &id, &wanted)?;
    let shown = match (guideline.measure(&measure), guideline.composite(&measure)) {
        (Some((_, measure)), _) => described(guideline, measure),
        (None, Some((_, composite))) => composed(guideline, composite),
        (None, None) => return Err(Problem::new(Kind::NotFound)),
    };
    Reply::json(200, &shown)
}
