//! `/openapi.json` and `/docs`, offline.

pub mod answers;
mod common;

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOf, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    Endpoint, audit, cases, centres, checks, data_requests, fhir, guidelines, health, imports, keys, open,
    quality, queries, redcap, releases, results, runs, schemas, signals, tasks, users, verifications,
};
use crate::problem::Problem;
use common::Common;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let why = "how to talk to the service is public";
    vec![
        open(Method::GET, "/openapi.json", why, show),
        open(Method::GET, "/docs", why, to_docs),
    ]
}

/// The OpenAPI 3.1 document of the service.
#[derive(OpenApi)]
#[openapi(
    info(title = "RPS registry", description = "A prospective registry for metastatic and multifocally recurrent retroperitoneal sarcoma"),
    modifiers(&Security, &Common, &Choices),
    paths(
        health::live, health::ready, health::show, show, redcap::call,
        schemas::list, schemas::show, schemas::dictionary, schemas::form, schemas::changes, schemas::codelist,
        checks::list, checks::codelists::list,
        guidelines::list, guidelines::show,
        cases::paths::put, cases::paths::patch, cases::paths::current, cases::paths::versions, cases::paths::version,
        cases::paths::findings, cases::paths::answer, cases::paths::assessment, cases::paths::list, cases::paths::validate, cases::paths::batch, cases::paths::export,
        cases::paths::withdraw, cases::paths::verify, cases::paths::lock, cases::paths::unlock,
        cases::paths::transfer, tasks::list, tasks::close,
        imports::start::start, imports::jobs::list, imports::jobs::show, imports::jobs::report,
        imports::mappings::list, imports::mappings::show, imports::mappings::put,
        runs::list, runs::show, runs::start, runs::publish, runs::cases::list, runs::sensitivity::list, runs::sensitivity::compute,
        releases::list, releases::create, releases::show, releases::manifest, releases::file, releases::bundle, releases::fictitious,
        data_requests::list, data_requests::create, data_requests::show, data_requests::approve, data_requests::decline, data_requests::reject, data_requests::revoke,
        data_requests::manifest, data_requests::file, data_requests::bundle, data_requests::recipients,
        results::adherence, results::funnel, results::survival_endpoints, results::survival_endpoint, results::centres::centres, results::benchmarks::list, results::quality,
        signals::list, signals::status, signals::reveal,
        quality::worklist::list, quality::completeness::show, quality::adjudication::list,
        queries::list::list, queries::raise::raise, queries::metrics::metrics, queries::steps::show, queries::steps::messages, queries::steps::message,
        queries::steps::close, queries::steps::reopen,
        verifications::draws::draw, verifications::draws::list, verifications::draws::show, verifications::agreement::show,
        verifications::cases::show, verifications::cases::reenter, verifications::cases::reset,
        fhir::metadata, fhir::measure::search, fhir::measure::read, fhir::report::search, fhir::report::read,
        centres::list, centres::create, centres::put, centres::years, centres::put_year,
        keys::list, keys::create, keys::rotate, keys::revoke,
        users::list, users::create, users::assign, users::reset, users::disable,
        audit::list,
    )
)]
pub struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key = SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("API key"))
                .build(),
        );
        openapi
            .components
            .get_or_insert_default()
            .security_schemes
            .insert("key".to_owned(), key);
    }
}

/// A choice that no field tells apart is `anyOf`: a finding has all that the fault of an item has, so that `oneOf` would refuse it.
struct Choices;

impl Modify for Choices {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        for schema in openapi.components.get_or_insert_default().schemas.values_mut() {
            if let RefOr::T(Schema::OneOf(choice)) = schema {
                *schema = RefOr::T(Schema::AnyOf(AnyOf {
                    items: std::mem::take(&mut choice.items),
                    description: choice.description.take(),
                    ..AnyOf::default()
                }));
            }
        }
    }
}

/// The document as it is served and as `registry openapi` prints it.
///
/// # Errors
/// None in practice: a document that cannot be written as JSON.
pub fn document() -> Result<String, serde_json::Error> {
    Document::openapi().to_pretty_json()
}

/// This document. Written once: it is the same until the program ends.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
async fn show() -> Result<HttpResponse, Problem> {
    static WRITTEN: OnceLock<Bytes> = OnceLock::new();
    let text = match WRITTEN.get() {
        Some(text) => text.clone(),
        None => {
            let text = Bytes::from(document().map_err(Problem::internal)?);
            WRITTEN.get_or_init(|| text).clone()
        }
    };
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

async fn to_docs() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("location", "/docs/"))
        .finish()
}

/// The rendered document under `/docs`: files of our own, nothing from elsewhere.
pub(super) fn docs() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json"))
}
