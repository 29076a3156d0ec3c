//! JSON answers against the OpenAPI document: every field is described, none that is always there is missing, every value has its type.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Map, Value};

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
    if let Err(why) = agrees(document(), &schema, &value) {
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

/// Whether a value has a shape.
///
/// # Errors
/// The first place where it has not, and what is wrong there.
pub fn agrees(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    Shapes { document }.value(schema, value, "")
}

struct Shapes<'a> {
    document: &'a Value,
}

/// The fields of an object, over all parts that it is put together of.
#[derive(Default)]
struct Fields<'a> {
    known: BTreeMap<&'a str, Vec<&'a Value>>,
    required: BTreeSet<&'a str>,
    /// What a field has that is not known by name.
    others: Option<&'a Value>,
}

impl<'a> Shapes<'a> {
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let Some(name) = schema["$ref"].as_str() else {
            return schema;
        };
        let name = name.trim_start_matches("#/components/schemas/");
        let found = &self.document["components"]["schemas"][name];
        assert!(found.is_object(), "{name} is not in the document");
        self.resolved(found)
    }

    fn value(&self, schema: &'a Value, value: &Value, place: &str) -> Result<(), String> {
        let schema = self.resolved(schema);
        for name in ["oneOf", "anyOf"] {
            if let Some(options) = schema[name].as_array() {
                return self.one_of(options, value, place);
            }
        }
        typed(schema, value, place)?;
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            return Err(format!("{place}: {value} is not among {allowed:?}"));
        }
        match value {
            Value::Object(object) => self.object(schema, object, place),
            Value::Array(items) => self.array(schema, items, place),
            _ => Ok(()),
        }
    }

    fn one_of(&self, options: &'a [Value], value: &Value, place: &str) -> Result<(), String> {
        let mut why = Vec::new();
        for option in options {
            match self.value(option, value, place) {
                Ok(()) => return Ok(()),
                Err(wrong) => why.push(wrong),
            }
        }
        Err(why.join("; or "))
    }

    fn array(&self, schema: &'a Value, items: &[Value], place: &str) -> Result<(), String> {
        let first = schema["prefixItems"].as_array().map_or(&[][..], Vec::as_slice);
        for (at, item) in items.iter().enumerate() {
            let Some(schema) = first.get(at).or_else(|| schema.get("items")) else {
                continue;
            };
            if schema == &Value::Bool(false) {
                return Err(format!("{place}/{at}: more items than are described"));
            }
            self.value(schema, item, &format!("{place}/{at}"))?;
        }
        Ok(())
    }

    fn object(&self, schema: &'a Value, object: &Map<String, Value>, place: &str) -> Result<(), String> {
        let mut fields = Fields::default();
        self.gather(schema, object, &mut fields)?;
        if fields.known.is_empty() && fields.others.is_none() {
            // An object by another document: any.
            return Ok(());
        }
        for (name, value) in object {
            let place = format!("{place}/{name}");
            match (fields.known.get(name.as_str()), fields.others) {
                (Some(schemas), _) => schemas
                    .iter()
                    .try_for_each(|schema| self.value(schema, value, &place))?,
                (None, Some(schema)) if schema != &Value::Bool(false) => self.value(schema, value, &place)?,
                (None, _) => return Err(format!("{place} is answered and not described")),
            }
        }
        match fields.required.iter().find(|name| !object.contains_key(**name)) {
            Some(name) => Err(format!("{place}/{name} is described and not answered")),
            None => Ok(()),
        }
    }

    fn gather(
        &self,
        schema: &'a Value,
        object: &Map<String, Value>,
        fields: &mut Fields<'a>,
    ) -> Result<(), String> {
        let schema = self.resolved(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.gather(part, object, fields)?;
        }
        if let Some(options) = schema["oneOf"].as_array() {
            // Of a choice within an object the part that has all its fields there.
            let tagged = |option: &&'a Value| {
                let mut own = Fields::default();
                let fits = self.gather(option, object, &mut own).is_ok();
                let has = own.required.iter().all(|name| object.contains_key(*name));
                let mut fields = own
                    .known
                    .iter()
                    .filter_map(|(name, all)| Some((object.get(*name)?, all)));
                let same = |(value, all): (&Value, &Vec<&'a Value>)| {
                    all.iter().all(|one| self.value(one, value, "").is_ok())
                };
                fits && has && fields.all(same)
            };
            let option = options.iter().find(tagged);
            self.gather(option.ok_or("none of the choices fits")?, object, fields)?;
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            fields.known.entry(name).or_default().push(schema);
        }
        let required = schema["required"].as_array().into_iter().flatten();
        fields.required.extend(required.filter_map(Value::as_str));
        if let Some(others) = schema.get("additionalProperties") {
            fields.others = Some(others);
        }
        Ok(())
    }
}

/// Whether a value has one of the types that are named, if any is.
fn typed(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let named = match &schema["type"] {
        Value::Null => return Ok(()),
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is = |name: &Value| match name.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match named.iter().any(is) {
        true => Ok(()),
        false => Err(format!("{place} is {value} and not {named:?}")),
    }
}
