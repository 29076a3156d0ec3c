//! `/api/v1/cases`

pub mod assessment;
pub(crate) mod batch;
mod batch_job;
mod export;
mod findings;
mod life_cycle;
mod list;
mod patch;
mod put;
mod read;
mod transfer;
pub(super) mod validate;
mod withdraw;

use actix_web::HttpRequest;
use actix_web::http::Method;
use registry_core::storage::{Precondition, StoreError};

use super::{Endpoint, guarded, header_text, readable};
use crate::problem::{Kind, Problem};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::POST, "/api/v1/cases:validate", validate::validate),
        guarded(Method::POST, "/api/v1/cases:batch", batch::batch),
        readable("/api/v1/cases", list::list),
        // Before the cases by name: the first path that fits answers.
        guarded(Method::GET, "/api/v1/cases/export", export::export),
        guarded(Method::PUT, "/api/v1/cases/{pseudonym}", put::put),
        guarded(Method::PATCH, "/api/v1/cases/{pseudonym}", patch::patch),
        readable("/api/v1/cases/{pseudonym}", read::current),
        readable("/api/v1/cases/{pseudonym}/versions", read::versions),
        readable("/api/v1/cases/{pseudonym}/versions/{version}", read::version),
        readable("/api/v1/cases/{pseudonym}/findings", findings::findings),
        guarded(
            Method::POST,
            "/api/v1/cases/{pseudonym}/findings/{identity}:answer",
            findings::answer,
        ),
        readable("/api/v1/cases/{pseudonym}/assessment", assessment::assessment),
        guarded(
            Method::POST,
            "/api/v1/cases/{pseudonym}:withdraw",
            withdraw::withdraw,
        ),
        guarded(
            Method::POST,
            "/api/v1/cases/{pseudonym}:verify",
            life_cycle::verify,
        ),
        guarded(Method::POST, "/api/v1/cases/{pseudonym}:lock", life_cycle::lock),
        guarded(
            Method::POST,
            "/api/v1/cases/{pseudonym}:unlock",
            life_cycle::unlock,
        ),
        guarded(
            Method::POST,
            "/api/v1/cases/{pseudonym}:transfer",
            transfer::transfer,
        ),
    ]
}

/// The handlers with their OpenAPI descriptions.
pub(super) mod paths {
    pub(in crate::routes) use super::assessment::*;
    pub(in crate::routes) use super::batch::*;
    pub(in crate::routes) use super::export::*;
    pub(in crate::routes) use super::findings::*;
    pub(in crate::routes) use super::life_cycle::*;
    pub(in crate::routes) use super::list::*;
    pub(in crate::routes) use super::patch::*;
    pub(in crate::routes) use super::put::*;
    pub(in crate::routes) use super::read::*;
    pub(in crate::routes) use super::transfer::*;
    pub(in crate::routes) use super::validate::*;
    pub(in crate::routes) use super::withdraw::*;
}

/// `If-Match` and `If-None-Match` of a request.
fn precondition(request: &HttpRequest) -> Result<Precondition, Problem> {
    let matches = header_text(request, "if-match")?;
    let none_match = header_text(request, "if-none-match")?;
    match (matches.as_deref(), none_match.as_deref()) {
        (Some(_), Some(_)) => Err(Problem::with(
            Kind::BadHeader,
            "send If-Match or If-None-Match, not both",
        )),
        (Some("*"), None) => Ok(Precondition::IfMatchAny),
        (Some(tags), None) => Ok(Precondition::IfMatch(
            tags.split(',').map(|t| t.trim().to_owned()).collect(),
        )),
        (None, Some("*")) => Ok(Precondition::IfNoneMatchAny),
        (None, Some(_)) => Err(Problem::with(Kind::BadHeader, "If-None-Match takes * here")),
        (None, None) => Ok(Precondition::None),
    }
}

/// Another centre's case and no case at all give the same answer.
pub(crate) fn not_found(error: StoreError) -> Problem {
    match error {
        StoreError::Withdrawn { erased: true } => Problem::new(Kind::NotFound),
        other => other.into(),
    }
}
