//! The HTTP interface: a resource is a folder, an action is a file. [`endpoints`] is the whole table.

mod accept;
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
mod streamed;
pub mod tasks;
pub mod users;
pub mod verifications;

use accept::wants_csv;
pub use cases::assessment::{Assessed, AssessmentLine, assess, gaps, lines};
pub(crate) use cases::not_found;
pub use endpoint::{Access, Endpoint, guarded, open, readable};
pub use reply::{Idempotent, Reply, header_text, lists};
pub(crate) use since::{Asked, Since};

use actix_web::http::Method;
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
    let mut resources: Vec<(&'static str, Resource, Vec<Method>)> = Vec::new();
    for endpoint in endpoints() {
        let methods = std::iter::once(endpoint.method).chain(endpoint.head.then_some(Method::HEAD));
        match resources.iter_mut().find(|(path, ..)| *path == endpoint.path) {
            Some((_, resource, allowed)) => {
                let taken = std::mem::replace(resource, web::resource(""));
                *resource = taken.route(endpoint.route);
                allowed.extend(methods);
            }
            None => resources.push((
                endpoint.path,
                web::resource(pattern(endpoint.path)).route(endpoint.route),
                methods.collect(),
            )),
        }
    }
    for (_, resource, allowed) in resources {
        let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let allowed = allowed.join(", ");
        let wrong_method = move || std::future::ready(wrong_method(&allowed));
        config.service(resource.default_service(web::to(wrong_method)));
    }
    config.service(openapi::docs());
    config.default_service(web::to(nothing_here));
}

/// A path segment ends at a slash or at the colon of an action (`/cases/{pseudonym}:withdraw`).
fn pattern(path: &str) -> String {
    path.replace('}', ":[^/:]+}")
}

/// Another method than the address takes; `allowed` says which it does (RFC 9110, section 15.5.6).
fn wrong_method(allowed: &str) -> Problem {
    Problem::new(Kind::MethodNotAllowed).header("allow", allowed)
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
