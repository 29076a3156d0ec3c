//! JSON answers against the OpenAPI document: every field is described, none that is always there is missing, every value has its type.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::client::Answer;

/// What answers JSON without a shape of ours, by the beginning of its path, and why.
pub const WITHOUT_SHAPE: [(&str, &str); 3] = [
    ("/openapi.json", "a document by its own standard"),
    ("/redcap/", "what REDCap answers"),
    ("/fhir/", "resources by their own standard"),
];

/// Problems that any request may meet; a route need not say so. Pages and their files, which are not in the document, may meet all.
const ANYWHERE: [u16; 4] = [404, 405, 406, 500];

/// The document that the service serves.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let text = registry_api::routes::openapi::document().expect("a document");
        serde_json::from_str(&text).expect("JSON")
    })
}

/// Holds an answer against what the document says of it. What is no JSON is passed over.
///
/// # Panics
/// Where the two differ, with the place.
pub fn hold(method: &str, address: &str, answer: &Answer) {
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    // Neither compressed, nor a part of a document.
    let plain =
        answer.header("content-encoding").is_none() && answer.status != 206 && !answer.body.is_empty();
    if !matches!(media_type, "application/json" | "application/problem+json") || !plain || method == "HEAD" {
        return;
    }
    let path = address.split('?').next().unwrap_or_default();
    if WITHOUT_SHAPE.iter().any(|(start, _)| path.starts_with(start)) {
        return;
    }
    let value: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let place = format!("{method} {path} {}", answer.status);
    let schema = shape(document(), method, path, answer.status, media_type)
        .unwrap_or_else(|why| panic!("{place}: {why}: {value}"));
    if let Err(why) = agrees_with_ours(&schema, &value) {
        panic!("{place}: {why}");
    }
}

/// The shape that the document gives an answer.
///
/// # Errors
/// It gives none.
pub fn shape(
    document: &Value,
    method: &str,
    path: &str,
    status: u16,
    media_type: &str,
) -> Result<Value, String> {
    let templates = document["paths"].as_object().into_iter().flatten();
    let fitting = templates.filter(|(template, _)| fits(template, path));
    // A name that is written out goes before one that may be any.
    let found = fitting.min_by_key(|(template, _)| template.matches('{').count());
    let described = found.map(|(_, methods)| &methods[method.to_lowercase()]["responses"]);
    let described = described.map(|responses| &responses[status.to_string()]["content"][media_type]);
    match described.and_then(|content| content.get("schema")) {
        Some(schema) => Ok(schema.clone()),
        None if media_type == "application/problem+json"
            && (found.is_none() || ANYWHERE.contains(&status)) =>
        {
            Ok(serde_json::json!({ "$ref": "#/components/schemas/Problem" }))
        }
        None => Err(match found {
            Some((template, _)) => format!("{template} describes no {media_type} of this status"),
            None => "no such path is described".to_owned(),
        }),
    }
}

/// Whether a path is one of a template's; a name ends at a slash or a colon.
fn fits(template: &str, path: &str) -> bool {
    let Some((literal, rest)) = template.split_once('{') else {
        return template == path;
    };
    let Some(path) = path.strip_prefix(literal) else {
        return false;
    };
    let (_, rest) = rest.split_once('}').unwrap_or_default();
    let end = path.find(['/', ':']).unwrap_or(path.len());
    end > 0 && fits(rest, &path[end..])
}

/// Whether a value has a shape of a document.
///
/// # Errors
/// Every place where it has not, and what is wrong there.
pub fn agrees(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    told(&validator(document, schema), value)
}

/// The same of the document that the service serves; its shapes are compiled once.
fn agrees_with_ours(schema: &Value, value: &Value) -> Result<(), String> {
    static COMPILED: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().expect("no panic while it was held");
    let known = compiled.entry(schema.to_string());
    let known = Arc::clone(known.or_insert_with(|| Arc::new(validator(document(), schema))));
    drop(compiled);
    told(&known, value)
}

fn told(validator: &Validator, value: &Value) -> Result<(), String> {
    let wrong = validator.iter_errors(value);
    let wrong: Vec<String> = wrong
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("; ")),
    }
}

/// An OpenAPI 3.1 shape is a JSON Schema; here no object has more than it describes.
fn validator(document: &Value, schema: &Value) -> Validator {
    let mut root = json!({ "components": document["components"].clone() });
    for (_, shape) in root["components"]["schemas"]
        .as_object_mut()
        .into_iter()
        .flatten()
    {
        within(document, shape);
    }
    let mut whole = schema.clone();
    close(document, &mut whole);
    let root = root.as_object_mut().expect("an object");
    root.extend(whole.as_object().expect("a schema is an object").clone());
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    options
        .build(&Value::Object(root.clone()))
        .expect("a JSON Schema")
}

/// Closes a shape where a value stands for it alone.
fn close(document: &Value, schema: &mut Value) {
    within(document, schema);
    if schema["oneOf"].is_array() {
        parts(schema, "oneOf").for_each(|option| close(document, option));
    } else if describes_fields(document, schema) {
        schema["unevaluatedProperties"] = json!(false);
    }
}

/// Closes what stands in a shape: fields and items. What it is put together of stays open, and is closed as a whole.
fn within(document: &Value, schema: &mut Value) {
    for name in TOGETHER {
        parts(schema, name).for_each(|part| within(document, part));
    }
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, field) in fields.into_iter().flatten() {
        close(document, field);
    }
    parts(schema, "prefixItems").for_each(|item| close(document, item));
    for name in ["items", "additionalProperties"] {
        if let Some(one) = schema.get_mut(name).filter(|one| one.is_object()) {
            close(document, one);
        }
    }
}

/// What a shape is put together of.
const TOGETHER: [&str; 3] = ["allOf", "anyOf", "oneOf"];

fn parts<'s>(schema: &'s mut Value, name: &str) -> impl Iterator<Item = &'s mut Value> {
    let all = schema.get_mut(name).and_then(Value::as_array_mut);
    all.into_iter().flatten()
}

/// Whether the fields of an object are described: one without is any.
fn describes_fields(document: &Value, schema: &Value) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        let found = document.pointer(name.trim_start_matches('#'));
        let found = found.unwrap_or_else(|| panic!("{name} is not in the document"));
        return describes_fields(document, found);
    }
    let mut parts = TOGETHER
        .iter()
        .filter_map(|name| schema[*name].as_array())
        .flatten();
    schema["properties"].is_object() || parts.any(|part| describes_fields(document, part))
}
