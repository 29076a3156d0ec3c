//! Query parameters: an unknown one, or a value that cannot be read, is refused by the parameter's name, never by its value.

use std::future::{Ready, ready};

use actix_web::error::QueryPayloadError;
use actix_web::{FromRequest, HttpRequest, dev::Payload};

use crate::problem::{Kind, Problem};

/// Longest name that is repeated to the caller; ours are shorter.
const LONGEST_NAME: usize = 40;

/// What a query that cannot be read is answered with.
pub fn refused(error: &QueryPayloadError, request: &HttpRequest) -> Problem {
    let text = error.to_string();
    let named = |what: &str| {
        let rest = text.split(what).nth(1)?;
        rest.split('`').next().filter(|name| is_name(name))
    };
    let detail = if let Some(name) = named("unknown field `") {
        format!("{name}: no such parameter here")
    } else if let Some(name) = named("duplicate field `") {
        format!("{name}: given twice")
    } else {
        match names(request).as_slice() {
            [] => "a parameter is unknown, or its value cannot be read".to_owned(),
            [one] => format!("{one}: this value cannot be read"),
            several => format!("{}: one of these values cannot be read", several.join(", ")),
        }
    };
    Problem::with(Kind::BadQuery, detail)
}

/// The names of the query's parameters, as far as they could be ours.
fn names(request: &HttpRequest) -> Vec<&str> {
    let mut all: Vec<&str> = request
        .query_string()
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| is_name(name))
        .collect();
    all.dedup();
    all
}

/// What a caller may have put there instead of a name is not repeated.
fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Of an address that takes no parameter: whatever is given is refused.
#[derive(Debug, Clone, Copy)]
pub struct NoQuery;

impl FromRequest for NoQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match (request.query_string(), names(request).first()) {
            ("", _) => Ok(Self),
            (_, Some(name)) => Err(Problem::with(
                Kind::BadQuery,
                format!("{name}: no such parameter here"),
            )),
            (_, None) => Err(Problem::with(Kind::BadQuery, "this address takes no parameter")),
        })
    }
}
