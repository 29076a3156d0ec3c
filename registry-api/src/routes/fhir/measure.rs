//! `/fhir/Measure`: every measure of every guideline version.

use actix_web::{HttpRequest, web};
use serde::Deserialize;
use serde_json::Value;

use super::{Form, acceptable, page, resource};
use crate::fhir::bundle::{Address, Window, searchset};
use crate::fhir::measure;
use crate::problem::{Kind, Problem};
use crate::routes::Reply;
use crate::state::AppState;

/// Filters and the page wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Wanted {
    _id: Option<String>,
    url: Option<String>,
    version: Option<String>,
    status: Option<String>,
    identifier: Option<String>,
    _count: Option<usize>,
    cursor: Option<String>,
    _format: Option<String>,
}

impl Wanted {
    fn takes(&self, measure: &Value) -> bool {
        let is = |asked: &Option<String>, value: &Value| {
            asked.as_ref().is_none_or(|asked| value.as_str() == Some(asked))
        };
        let url = |asked: &String| {
            let text = |name: &str| measure[name].as_str().unwrap_or_default();
            *asked == text("url") || *asked == format!("{}|{}", text("url"), text("version"))
        };
        is(&self._id, &measure["id"])
            && is(&self.version, &measure["version"])
            && is(&self.status, &measure["status"])
            && is(&self.identifier, &measure["identifier"][0]["value"])
            && self.url.as_ref().is_none_or(url)
    }
}

fn every(state: &AppState) -> &[Value] {
    state.fhir_measures.get_or_init(|| {
        let current = &state.schemas.current().version;
        let guidelines = state.judge.guidelines(current).iter();
        guidelines.flat_map(measure::all).collect()
    })
}

/// Measures of every guideline version, and their all-or-none summaries.
#[utoipa::path(get, path = "/fhir/Measure", operation_id = "search_measures", tag = "fhir",
    params(("_id" = Option<String>, Query,), ("url" = Option<String>, Query, description = "Canonical address, with or without |version"),
        ("version" = Option<String>, Query,), ("status" = Option<String>, Query, description = "draft, active or retired"),
        ("identifier" = Option<String>, Query, description = "The registry's own id, as 10b2"),
        ("_count" = Option<usize>, Query,), ("cursor" = Option<String>, Query,), ("_format" = Option<String>, Query,)),
    responses((status = 200, description = "Bundle of Measure (FHIR R4)"), (status = 400, description = "OperationOutcome: a parameter cannot be used")))]
pub(in crate::routes) async fn search(
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    acceptable(&request, wanted._format.as_deref())?;
    let window = Window::read(wanted._count, wanted.cursor.as_deref())?;
    let all = every(&state).iter();
    let found: Vec<&Value> = all.filter(|measure| wanted.takes(measure)).collect();
    Ok(page(searchset(
        &Address::of(&state, &request),
        window,
        &found,
        |measure: &&Value| (*measure).clone(),
    )))
}

/// One measure of one guideline version.
#[utoipa::path(get, path = "/fhir/Measure/{id}", operation_id = "read_measure", tag = "fhir", params(("id" = String, Path,), ("_format" = Option<String>, Query,)),
    responses((status = 200, description = "Measure (FHIR R4)"), (status = 404, description = "OperationOutcome: no such measure")))]
pub(in crate::routes) async fn read(
    request: HttpRequest,
    id: web::Path<String>,
    form: web::Query<Form>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    acceptable(&request, form._format.as_deref())?;
    let mut all = every(&state).iter();
    let found = all.find(|measure| measure["id"].as_str() == Some(id.as_str()));
    found.map(resource).ok_or(Problem::new(Kind::NotFound))
}
