//! `/api/v1/guidelines`: every measure with its logic as run, parameters and provenance.

use actix_web::http::Method;
use actix_web::web;
use registry_core::guideline::{Guideline, Measure};
use registry_core::rules::{Parameter, ParameterValue};
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
    let parameters: Vec<Value> = measure
        .parameters
        .iter()
        .filter_map(|name| guideline.parameters.get(name))
        .map(parameter)
        .collect();
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
        "expressions": measure.expressions,
        "parameters": parameters,
        "rationale": measure.rationale,
        "review_note": measure.review_note,
        "examples": measure.examples,
        "authored": measure.authored,
        "reviewed": measure.reviewed,
        "next_review": measure.next_review,
    })
}

fn parameter(parameter: &Parameter) -> Value {
    let unit = match &parameter.value {
        ParameterValue::Days(_) => Some("days"),
        ParameterValue::Months(_) => Some("months"),
        _ => None,
    };
    let alternatives: Vec<Value> = parameter
        .alternatives
        .iter()
        .map(ParameterValue::to_json)
        .collect();
    json!({
        "name": parameter.name, "value": parameter.value.to_json(), "unit": unit, "alternatives": alternatives, "basis": parameter.basis, "note": parameter.note,
        "ratified": parameter.basis != "assumption",
    })
}

fn named<'a>(state: &'a AppState, id: &str) -> Result<&'a Guideline, Problem> {
    let current = &state.schemas.current().version;
    let found = state.judge.guidelines(current).iter().find(|g| g.id == id);
    found.ok_or(Problem::new(Kind::NotFound))
}

/// Every measure of a guideline.
#[utoipa::path(get, path = "/api/v1/guidelines/{id}/measures", tag = "guidelines", params(("id" = String, Path,)),
    responses((status = 200, description = "The measures"), (status = 404, description = "No such guideline")))]
pub(super) async fn list(state: web::Data<AppState>, id: web::Path<String>) -> Result<Reply, Problem> {
    let guideline = named(&state, &id)?;
    let measures: Vec<Value> = guideline
        .measures
        .iter()
        .map(|m| described(guideline, m))
        .collect();
    Reply::json(
        200,
        &json!({
            "id": guideline.id, "version": guideline.version, "title": guideline.title, "source": guideline.source,
            "status": guideline.status.as_str(), "digest": guideline.digest, "definitions": guideline.definitions,
            "populations": guideline.populations, "measures": measures,
        }),
    )
}

/// One measure: grade, kind, populations, logic, parameters, provenance.
#[utoipa::path(get, path = "/api/v1/guidelines/{id}/measures/{measure}", tag = "guidelines", params(("id" = String, Path,), ("measure" = String, Path,)),
    responses((status = 200, description = "The measure"), (status = 404, description = "No such measure")))]
pub(super) async fn show(
    state: web::Data<AppState>,
    path: web::Path<(String, String)>,
) -> Result<Reply, Problem> {
    let (id, measure) = path.into_inner();
    let guideline = named(&state, &id)?;
    let (_, measure) = guideline.measure(&measure).ok_or(Problem::new(Kind::NotFound))?;
    Reply::json(200, &described(guideline, measure))
}
