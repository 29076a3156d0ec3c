//! `/api/v1/worklist`, `/api/v1/quality/completeness`, `/api/v1/adjudications`: how good the data are, and what to do about it.

pub mod adjudication;
pub mod completeness;
pub mod worklist;

use actix_web::http::Method;

use super::{Endpoint, guarded};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::GET, "/api/v1/worklist", worklist::list),
        guarded(Method::GET, "/api/v1/quality/completeness", completeness::show),
        guarded(Method::GET, "/api/v1/adjudications", adjudication::list),
    ]
}
