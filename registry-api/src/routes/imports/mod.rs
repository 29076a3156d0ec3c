//! `/api/v1/imports`, `/api/v1/jobs`: a centre's cases from flat files, as a job with progress and a report.

pub mod jobs;
pub mod mappings;
pub mod start;

use actix_web::http::Method;

use super::{Endpoint, guarded};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::POST, "/api/v1/imports", start::start),
        guarded(Method::GET, "/api/v1/imports/mappings", mappings::list),
        guarded(Method::GET, "/api/v1/imports/mappings/{name}", mappings::show),
        guarded(Method::PUT, "/api/v1/imports/mappings/{name}", mappings::put),
        guarded(Method::GET, "/api/v1/jobs", jobs::list),
        guarded(Method::GET, "/api/v1/jobs/{job}", jobs::show),
        guarded(Method::GET, "/api/v1/jobs/{job}/report", jobs::report),
    ]
}
