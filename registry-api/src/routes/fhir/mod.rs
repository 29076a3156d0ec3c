//! `/fhir`: measures and their results as FHIR R4. Errors below it are `OperationOutcome`s.

pub mod measure;
pub mod report;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use serde::Deserialize;
use serde_json::Value;

use super::{Endpoint, Reply, guarded, open};
use crate::fhir::bundle::Address;
use crate::fhir::{MEDIA_TYPE, capability};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

const WHY: &str = "what is measured, and how, is public";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let why = "how to talk to the service is public";
    vec![
        open(Method::GET, "/fhir/metadata", why, metadata),
        open(Method::GET, "/fhir/Measure", WHY, measure::search),
        open(Method::GET, "/fhir/Measure/{id}", WHY, measure::read),
        guarded(Method::GET, "/fhir/MeasureReport", report::search),
        guarded(Method::GET, "/fhir/MeasureReport/{id}", report::read),
    ]
}

/// In which form to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    _format: Option<String>,
}

/// What is offered.
#[utoipa::path(get, path = "/fhir/metadata", operation_id = "fhir_metadata", tag = "fhir", responses((status = 200, description = "CapabilityStatement (FHIR R4)")))]
pub(super) async fn metadata(
    request: HttpRequest,
    form: web::Query<Form>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    acceptable(&request, form._format.as_deref())?;
    Ok(resource(&capability::statement(
        &Address::of(&state, &request).base,
    )))
}

/// A resource or a bundle.
fn resource(value: &Value) -> Reply {
    Reply::text(MEDIA_TYPE, value.to_string())
}

/// A page of a search; the next one stands in the bundle and in `Link`.
fn page((bundle, next): (Value, Option<String>)) -> Reply {
    let reply = resource(&bundle);
    match next {
        Some(next) => reply.header("link", format!("<{next}>; rel=\"next\"")),
        None => reply,
    }
}

/// JSON is the only form there is.
fn acceptable(request: &HttpRequest, format: Option<&str>) -> Result<(), Problem> {
    let accepts = request.headers().get("accept").and_then(|v| v.to_str().ok());
    let form = format.or(accepts).unwrap_or("*/*");
    match form.contains("json") || form.contains("*/*") || form.contains("application/*") {
        true => Ok(()),
        false => Err(Problem::with(Kind::NotAcceptable, "application/fhir+json only")),
    }
}
