//! `/api/v1/verifications`: samples of cases that another person enters again from the source, and how far the two agree.

pub mod agreement;
pub mod cases;
pub mod draws;

use actix_web::http::Method;

use super::{Endpoint, guarded};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        guarded(Method::POST, "/api/v1/verifications", draws::draw),
        guarded(Method::GET, "/api/v1/verifications", draws::list),
        guarded(Method::GET, "/api/v1/verifications/{verification}", draws::show),
        guarded(
            Method::GET,
            "/api/v1/verifications/{verification}/agreement",
            agreement::show,
        ),
        guarded(
            Method::GET,
            "/api/v1/verifications/{verification}/cases/{pseudonym}",
            cases::show,
        ),
        guarded(
            Method::PUT,
            "/api/v1/verifications/{verification}/cases/{pseudonym}",
            cases::reenter,
        ),
        guarded(
            Method::POST,
            "/api/v1/verifications/{verification}/cases/{pseudonym}:reset",
            cases::reset,
        ),
    ]
}
