//! What answers have in common, added to the document in one place by what a route is: errors.

use actix_web::http::Method;
use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{Content, Header, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use crate::routes::{Access, Endpoint};

/// Adds them.
pub(super) struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        for endpoint in crate::routes::endpoints() {
            let item = document.paths.paths.get_mut(endpoint.path);
            if let Some(operation) = item.and_then(|item| operation(item, &endpoint.method)) {
                errors(&endpoint, operation);
            }
        }
    }
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    let found = match method.as_str() {
        "GET" => &mut item.get,
        "PUT" => &mut item.put,
        "POST" => &mut item.post,
        "PATCH" => &mut item.patch,
        _ => return None,
    };
    found.as_mut()
}

/// The statuses that a route may answer besides those it describes itself.
fn errors(endpoint: &Endpoint, operation: &mut Operation) {
    let named = |wanted: &str| {
        let mut all = operation.parameters.iter().flatten();
        all.any(|one| one.name == wanted)
    };
    let has = |place: ParameterIn| {
        let mut all = operation.parameters.iter().flatten();
        all.any(|one| one.parameter_in == place)
    };
    let guarded = matches!(endpoint.access, Access::Roles(_));
    let body = operation.request_body.is_some();
    let idempotent = named("Idempotency-Key");
    let matched = named("If-Match");
    let limited = !endpoint.path.starts_with("/health/");
    let possible = [
        (
            "400",
            body || has(ParameterIn::Query) || endpoint.path.starts_with("/api/"),
            "A body, a parameter or a header cannot be read",
        ),
        ("401", guarded, "Credentials are missing or not accepted"),
        ("403", guarded, "The role may not do this"),
        ("404", has(ParameterIn::Path), "There is no such thing here"),
        (
            "409",
            idempotent,
            "A request with this idempotency key is being handled",
        ),
        ("412", matched, "Not at the version that the request names"),
        ("413", body, "The body is too large"),
        ("415", body, "The body's media type is not taken here"),
        (
            "422",
            body || idempotent,
            "A value cannot be stored, or the idempotency key was used with another request",
        ),
        ("428", matched, "If-Match is missing"),
        ("429", limited, "Too many requests"),
        ("503", guarded, "The database does not answer"),
    ];
    let of_fhir = endpoint.path.starts_with("/fhir/");
    // REDCap's clients are told of errors in REDCap's own words.
    let of_redcap = endpoint.path.starts_with("/redcap/");
    let responses = &mut operation.responses.responses;
    for (status, _, description) in possible.into_iter().filter(|(_, may, _)| *may) {
        let new = || RefOr::T(ResponseBuilder::new().description(description).build());
        responses.entry(status.to_owned()).or_insert_with(new);
    }
    for (status, response) in responses.iter_mut() {
        let RefOr::T(response) = response else { continue };
        if status.starts_with(['4', '5']) && !of_redcap {
            let (media_type, content) = if of_fhir {
                ("application/fhir+json", Content::default())
            } else {
                ("application/problem+json", shape("Problem"))
            };
            response.content.insert(media_type.to_owned(), content);
        }
        if matches!(status.as_str(), "429" | "503") {
            header(response, "Retry-After", "Seconds after which to try again");
        }
        if status == "401" {
            header(response, "WWW-Authenticate", "Bearer");
        }
        if idempotent && status.starts_with('2') {
            header(
                response,
                "Idempotent-Replayed",
                "`true` of an answer given before",
            );
        }
    }
}

fn header(response: &mut Response, name: &str, description: &str) {
    let mut header = Header::default();
    header.description = Some(description.to_owned());
    response.headers.insert(name.to_owned(), header);
}

fn shape(name: &str) -> Content {
    Content::new(Some(Ref::from_schema_name(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::routes::openapi::document;

    #[test]
    fn every_error_answer_is_a_problem_and_every_guarded_route_may_refuse() {
        let document: Value = serde_json::from_str(&document().expect("JSON")).expect("JSON");
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("methods") {
                let name = format!("{method} {path}");
                let responses = operation["responses"].as_object().expect("responses");
                for (status, answer) in responses.iter().filter(|(status, _)| status.starts_with('4')) {
                    let told = answer["content"].is_object() || path.starts_with("/redcap/");
                    assert!(told, "{name} {status}");
                }
                if operation.get("security").is_some() {
                    for status in ["401", "403", "429", "503"] {
                        assert!(responses.contains_key(status), "{name} without {status}");
                    }
                }
            }
        }
    }
}
