//! Every JSON answer has a shape in the OpenAPI document, and what the client holds against it can be told from it.

use serde_json::{Value, json};
use support::shapes::{agrees, document, shape};

fn written() -> Value {
    json!({
        "paths": {
            "/things/{id}": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}}},
            "/things/{id}:end": {"post": {"responses": {"202": {"description": "Ended"}}}},
            "/things/all": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": "array"}}}}}}},
        },
        "components": {"schemas": {
            "Thing": {"type": "object", "required": ["id", "parts"], "properties": {
                "id": {"type": "string"},
                "kind": {"$ref": "#/components/schemas/Kind"},
                "size": {"type": ["integer", "null"]},
                "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                "notes": {"type": "object", "additionalProperties": {"type": "string"}},
            }},
            "Kind": {"type": "string", "enum": ["round", "square"]},
            "Part": {"allOf": [
                {"$ref": "#/components/schemas/Measured"},
                {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            ]},
            "Measured": {"anyOf": [
                {"type": "object", "required": ["cm"], "properties": {"cm": {"type": "number"}}},
                {"type": "object", "required": ["unknown"], "properties": {"unknown": {"type": "boolean"}}},
            ]},
        }},
    })
}

fn wrong(thing: &Value) -> Option<String> {
    let document = written();
    let schema = shape(&document, "GET", "/things/7", 200, "application/json").expect("a shape");
    agrees(&document, &schema, thing).err()
}

#[test]
fn an_answer_of_its_shape_agrees() {
    for thing in [
        json!({"id": "a", "parts": []}),
        json!({"id": "a", "kind": "round", "size": null, "parts": [{"name": "b", "cm": 1.5}, {"name": "c", "unknown": true}]}),
        json!({"id": "a", "parts": [], "size": 3, "notes": {"any": "text"}}),
    ] {
        assert_eq!(wrong(&thing), None, "{thing}");
    }
}

#[test]
fn an_answer_of_another_shape_is_told_with_its_place() {
    for (thing, place) in [
        (json!({"parts": []}), ": \"id\" is a required property"),
        (
            json!({"id": "a", "parts": [], "colour": "red"}),
            "('colour' was unexpected)",
        ),
        (json!({"id": 7, "parts": []}), "/id: 7 is not of type"),
        (json!({"id": null, "parts": []}), "/id: null is not of type"),
        (json!({"id": "a", "parts": {}}), "/parts: {} is not of type"),
        (
            json!({"id": "a", "parts": [], "size": 1.5}),
            "/size: 1.5 is not of types",
        ),
        (
            json!({"id": "a", "parts": [], "kind": "flat"}),
            "/kind: \"flat\" is not one of",
        ),
        (
            json!({"id": "a", "parts": [], "kind": null}),
            "/kind: null is not",
        ),
        (
            json!({"id": "a", "parts": [], "notes": {"any": 1}}),
            "/notes/any: 1 is not of type",
        ),
        (
            json!({"id": "a", "parts": [{"cm": 1}]}),
            "/parts/0: \"name\" is a required property",
        ),
        (
            json!({"id": "a", "parts": [{"name": "b", "cm": 1, "colour": 2}]}),
            "/parts/0: Unevaluated properties",
        ),
        (json!({"id": "a", "parts": [{"name": "b"}]}), "/parts/0: "),
        (json!([]), ": [] is not of type"),
    ] {
        let told = wrong(&thing).unwrap_or_else(|| panic!("{thing} agrees"));
        assert!(told.contains(place), "{told}");
    }
}

#[test]
fn an_answer_without_a_shape_is_told() {
    let document = written();
    let of = |method, path, status| shape(&document, method, path, status, "application/json");
    assert_eq!(
        of("GET", "/things/all", 200).expect("a shape"),
        json!({"type": "array"})
    );
    for (method, path, status) in [
        ("GET", "/things/7", 201),
        ("PUT", "/things/7", 200),
        ("GET", "/things/7/parts", 200),
        ("POST", "/things/7:end", 202),
        ("GET", "/other", 200),
    ] {
        assert!(of(method, path, status).is_err(), "{method} {path}");
    }
}

/// Answers with status 2xx that are no JSON, and what they are.
const NO_JSON: [(&str, &str); 9] = [
    ("/api/v1/cases/export", "files, or a record a line"),
    ("/api/v1/jobs/{job}/report", "a finding a line"),
    ("/api/v1/imports/mappings/{name}", "TOML"),
    ("/api/v1/releases/synthetic/bundle.zip", "a zip"),
    ("/api/v1/releases/{id}/bundle.zip", "a zip"),
    ("/api/v1/releases/{id}/files/{name}", "a file of the bundle"),
    ("/api/v1/data-requests/{id}/bundle.zip", "a zip"),
    ("/api/v1/data-requests/{id}/files/{name}", "a file of the bundle"),
    ("/metrics", "Prometheus text"),
];

#[test]
fn every_answer_of_ours_has_a_named_shape() {
    for (path, methods) in document()["paths"].as_object().expect("paths") {
        let ours = path.starts_with("/api/v1/") || path.starts_with("/health/");
        let excused = NO_JSON.iter().any(|(known, _)| known == path);
        for (method, operation) in methods.as_object().expect("methods") {
            for (status, answer) in operation["responses"].as_object().expect("responses") {
                let content = &answer["content"];
                let name = format!("{method} {path} {status}");
                if status.starts_with('2') && ours && !(excused && method == "get") {
                    let shape = content["application/json"]["schema"]["$ref"].as_str();
                    assert!(shape.is_some(), "{name}: {answer}");
                }
                if ours && status.starts_with(['4', '5']) {
                    let shape = &content["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(shape, "#/components/schemas/Problem", "{name}");
                }
            }
        }
    }
}
