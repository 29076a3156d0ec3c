//! The dashboards.

use actix_web::{HttpRequest, HttpResponse, ResponseError};

use crate::problem::{Kind, Problem};
use crate::routes::Endpoint;

/// The pages' routes.
pub fn endpoints() -> Vec<Endpoint> {
    Vec::new()
}

/// What an unknown address answers.
pub fn not_found(_request: &HttpRequest) -> HttpResponse {
    Problem::new(Kind::NotFound).error_response()
}
