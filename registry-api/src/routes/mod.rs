//! The HTTP interface: a resource is a folder, an action is a file. [`endpoints`] is the whole table.

pub mod audit;
pub mod cases;
pub mod centres;
pub mod checks;
pub mod data_requests;
mod endpoint;
pub mod fhir;
mod frozen;
pub mod guidelines;
pub mod health;
pub mod imports;
pub mod keys;
pub mod openapi;
pub mod quality;
pub mod queries;
mod redcap;
pub mod releases;
mod reply;
pub mod results;
pub mod runs;
pub mod schemas;
pub mod signals;
mod since;
pub mod tasks;
pub mod users;
pub mod verifications;

pub use cases::assessment::{Assessed, assess, gaps_json, lines_json};
pub(crate) use cases::not_found;
pub use endpoint::{Access, Endpoint, guarded, open};
pub use reply::{Idempotent, Reply, header_text};
pub(crate) use since::{Asked, Since};

use actix_web::{HttpRequest, Resource, web};

use crate::problem::{Kind, Problem};

/// Every route of the service.
pub fn endpoints() -> Vec<Endpoint> {
    let mut all = Vec::new();
    all.extend(health::endpoints());
    all.extend(openapi::endpoints());
    all.extend(schemas::endpoints());
    all.extend(checks::endpoints());
    all.extend(guidelines::endpoints());
    all.extend(cases::endpoints());
    all.extend(imports::endpoints());
    all.extend(runs::endpoints());
    all.extend(results::endpoints());
    all.extend(signals::endpoints());
    all.extend(quality::endpoints());
    all.extend(queries::endpoints());
    all.extend(verifications::endpoints());
    all.extend(fhir::endpoints());
    all.extend(releases::endpoints());
    all.extend(data_requests::endpoints());
    all.extend(redcap::endpoints());
    all.extend(centres::endpoints());
    all.extend(keys::endpoints());
    all.extend(users::endpoints());
    all.extend(audit::endpoints());
    all.extend(tasks::endpoints());
    all.extend(crate::pages::endpoints());
    all
}

/// Registers [`endpoints`] and the answer to everything else.
pub fn register(config: &mut web::ServiceConfig) {
    let mut resources: Vec<(&'static str, Resource)> = Vec::new();
    for endpoint in endpoints() {
        match resources.iter_mut().find(|(path, _)| *path == endpoint.path) {
            Some((_, resource)) => {
                let taken = std::mem::replace(resource, web::resource(""));
                *resource = taken.route(endpoint.route);
            }
            None => resources.push((
                endpoint.path,
                web::resource(pattern(endpoint.path)).route(endpoint.route),
            )),
        }
    }
    for (_, resource) in resources {
        config.service(resource.default_service(web::to(wrong_method)));
    }
    config.service(openapi::docs());
    config.default_service(web::to(nothing_here));
}

/// A path segment ends at a slash or at the colon of an action (`/cases/{pseudonym}:withdraw`).
fn pattern(path: &str) -> String {
    path.replace('}', ":[^/:]+}")
}

async fn wrong_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed)
}

async fn nothing_here(request: HttpRequest) -> actix_web::HttpResponse {
    crate::pages::not_found(&request)
}

impl actix_web::Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> actix_web::HttpResponse {
        actix_web::ResponseError::error_response(&self)
    }
}
