//! What answers have in common, added to the document in one place by what a route is: errors, and the shapes of results.

use actix_web::http::Method;
use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{Content, Header, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use crate::routes::{Access, Endpoint};

/// Method, path and status of answers, and the shape of each (see [`super::answers`]).
const SHAPES: &[(&str, &str, &str, &str)] = &[
    ("GET", "/api/v1/cases", "200", "Cases"),
    ("PUT", "/api/v1/cases/{pseudonym}", "200", "Acceptance"),
    ("PUT", "/api/v1/cases/{pseudonym}", "201", "Acceptance"),
    ("PATCH", "/api/v1/cases/{pseudonym}", "200", "Acceptance"),
    ("GET", "/api/v1/cases/{pseudonym}", "200", "StoredCase"),
    ("GET", "/api/v1/cases/{pseudonym}/versions", "200", "Versions"),
    (
        "GET",
        "/api/v1/cases/{pseudonym}/versions/{version}",
        "200",
        "StoredCase",
    ),
    ("GET", "/api/v1/cases/{pseudonym}/findings", "200", "Findings"),
    (
        "POST",
        "/api/v1/cases/{pseudonym}/findings/{identity}:answer",
        "200",
        "LivingFinding",
    ),
    ("GET", "/api/v1/cases/{pseudonym}/assessment", "200", "Assessment"),
    ("POST", "/api/v1/cases/{pseudonym}:withdraw", "200", "Withdrawn"),
    ("POST", "/api/v1/cases/{pseudonym}:verify", "200", "CaseRow"),
    ("POST", "/api/v1/cases/{pseudonym}:lock", "200", "CaseRow"),
    ("POST", "/api/v1/cases/{pseudonym}:unlock", "200", "CaseRow"),
    ("POST", "/api/v1/cases:validate", "200", "Verdicts"),
    ("POST", "/api/v1/cases:batch", "200", "BatchResults"),
    ("POST", "/api/v1/cases:batch", "202", "Job"),
    ("POST", "/api/v1/imports", "200", "Job"),
    ("POST", "/api/v1/imports", "202", "Job"),
    ("GET", "/api/v1/jobs", "200", "Jobs"),
    ("GET", "/api/v1/jobs/{job}", "200", "Job"),
    ("GET", "/api/v1/queries", "200", "Queries"),
    ("POST", "/api/v1/queries", "201", "Query"),
    ("GET", "/api/v1/queries/{id}", "200", "Query"),
    ("POST", "/api/v1/queries/{id}/messages", "200", "Query"),
    ("POST", "/api/v1/queries/{id}:close", "200", "Query"),
    ("POST", "/api/v1/queries/{id}:reopen", "200", "Query"),
    ("GET", "/api/v1/runs", "200", "Runs"),
    ("GET", "/api/v1/runs/{run}", "200", "Run"),
    ("GET", "/api/v1/releases", "200", "Releases"),
    ("GET", "/api/v1/releases/{id}", "200", "Release"),
    ("POST", "/api/v1/releases", "201", "Release"),
    ("GET", "/api/v1/centres", "200", "Centres"),
    ("POST", "/api/v1/centres", "201", "Centre"),
    ("PUT", "/api/v1/centres/{id}", "200", "Centre"),
    ("PUT", "/api/v1/centres/{id}", "201", "Centre"),
    ("GET", "/api/v1/keys", "200", "Keys"),
    ("POST", "/api/v1/keys", "201", "MadeKey"),
    ("POST", "/api/v1/keys/{key_id}:rotate", "201", "MadeKey"),
    ("POST", "/api/v1/keys/{key_id}:revoke", "200", "Key"),
    ("GET", "/api/v1/users", "200", "Users"),
    ("POST", "/api/v1/users/{person_id}:assign", "200", "User"),
    ("POST", "/api/v1/users/{person_id}:disable", "200", "User"),
    ("GET", "/api/v1/audit", "200", "Audit"),
];

/// Adds them.
pub(super) struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        for endpoint in crate::routes::endpoints() {
            let item = document.paths.paths.get_mut(endpoint.path);
            if let Some(operation) = item.and_then(|item| operation(item, &endpoint.method)) {
                errors(&endpoint, operation);
                shapes(&endpoint, operation);
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
            body || has(ParameterIn::Query) || has(ParameterIn::Header),
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

fn shapes(endpoint: &Endpoint, operation: &mut Operation) {
    let of_route = SHAPES
        .iter()
        .filter(|(method, path, ..)| *method == endpoint.method.as_str() && *path == endpoint.path);
    for (_, _, status, name) in of_route {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(*status) {
            response
                .content
                .insert("application/json".to_owned(), shape(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::SHAPES;
    use crate::routes::openapi::document;

    #[test]
    fn every_shape_has_its_answer_and_is_described() {
        let document: Value = serde_json::from_str(&document().expect("JSON")).expect("JSON");
        for (method, path, status, name) in SHAPES {
            let answer = &document["paths"][path][method.to_lowercase()]["responses"][status];
            let schema = &answer["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(
                schema,
                &Value::String(format!("#/components/schemas/{name}")),
                "{method} {path} {status}: {answer}"
            );
            let described = &document["components"]["schemas"][name]["properties"];
            assert!(described.is_object(), "{name}");
        }
    }

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
