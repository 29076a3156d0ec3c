//! The sentences of schema findings: what is allowed, never what was sent.

use super::place::Place;
use crate::dictionary::{Element, ElementKind, Entity};

/// Most codes a sentence lists; a longer list is named.
const MOST_CODES: usize = 60;

pub(super) const ROOT_TYPE: &str = "The body is one JSON object.";
pub(super) const SCHEMA_VERSION: &str =
    "`schema_version` names the version of the case schema the body is written in, for example \"1.0.0\".";
pub(super) const OTHER_TYPE: &str = "The value has another JSON type than the schema wants.";

/// What an element takes.
pub(super) fn expects(entity: &str, element: &Element) -> String {
    let value = match (element.kind, &element.codes) {
        (ElementKind::CodeSet, Some(list)) => {
            format!("an array of distinct codes from: {}", codes(list))
        }
        (ElementKind::CodeSet, None) => "an array of distinct codes".to_owned(),
        (ElementKind::StringSet, _) => "an array of distinct texts".to_owned(),
        (_, Some(list)) if element.codes_enforced => format!("one of: {}", codes(list)),
        (ElementKind::Code, _) => "a code (text)".to_owned(),
        (ElementKind::String, _) => "a short text".to_owned(),
        (ElementKind::Uuid, _) => "a UUID in its hyphenated form".to_owned(),
        (ElementKind::Boolean, _) => "true or false".to_owned(),
        (ElementKind::Integer, _) => "a whole number".to_owned(),
        (ElementKind::Number, _) => "a number".to_owned(),
        (ElementKind::Percent, _) => "a number of percent".to_owned(),
        (ElementKind::Year, _) => "a year as a whole number, YYYY".to_owned(),
        (ElementKind::Date, _) if element.exact_date => "a day that exists, YYYY-MM-DD".to_owned(),
        (ElementKind::Date, _) => {
            "a day that exists, YYYY-MM-DD, or a partial date YYYY-MM or YYYY".to_owned()
        }
        (ElementKind::DateTime, _) => "an RFC 3339 date and time with its zone".to_owned(),
    };
    let unit = element
        .unit
        .as_ref()
        .map(|u| format!(" ({u})"))
        .unwrap_or_default();
    let constraint = element
        .constraint
        .as_ref()
        .map(|c| format!(" [{c}]"))
        .unwrap_or_default();
    format!(
        "`{entity}.{}` takes {value}{unit}{constraint}{}.",
        element.name,
        or_absent(element)
    )
}

/// Which absence codes an element takes.
pub(super) fn absence(entity: &str, element: &Element) -> String {
    let name = &element.name;
    if element.absence.is_empty() {
        return format!("`{entity}.{name}` accepts no absence code: send a value, or leave the element out.");
    }
    format!(
        "`{entity}.{name}` accepts only these absence codes: {}, written {{\"absent\": \"<code>\"}}.",
        absence_codes(element)
    )
}

pub(super) fn too_long(entity: &str, element: &Element, limit: u64) -> String {
    format!("`{entity}.{}` takes at most {limit} characters.", element.name)
}

pub(super) fn too_many_members(entity: &str, element: &Element, limit: u64) -> String {
    format!("`{entity}.{}` takes at most {limit} members.", element.name)
}

pub(super) fn duplicate_member(entity: &str, element: &Element) -> String {
    format!("`{entity}.{}` is a set: each member once.", element.name)
}

pub(super) fn member_type(entity: &str, element: &Element) -> String {
    match element.kind {
        ElementKind::CodeSet | ElementKind::StringSet => {
            format!("Every member of `{entity}.{}` is a text.", element.name)
        }
        _ => expects(entity, element),
    }
}

pub(super) fn bound(entity: &str, element: &Element, which: &str, limit: &serde_json::Value) -> String {
    let unit = element.unit.as_ref().map(|u| format!(" {u}")).unwrap_or_default();
    format!("`{entity}.{}` is {which} {limit}{unit}.", element.name)
}

pub(super) fn derived(path: &str) -> String {
    format!("`{path}` is derived by the service: leave it out.")
}

pub(super) fn service_entity(entity: &Entity) -> String {
    format!(
        "`{}` is set by the service from the credentials and its own tables: leave it out.",
        entity.name
    )
}

pub(super) fn unknown_property(place: &Place<'_>) -> String {
    match place {
        Place::Root => "The case has no entity of this name.".to_owned(),
        Place::Entity(entity) | Place::Row(entity) => {
            format!("`{}` has no element of this name.", entity.name)
        }
        Place::Element { .. } | Place::Other => "No property of this name is known here.".to_owned(),
    }
}

pub(super) fn required(name: &str, place: &Place<'_>) -> String {
    match place {
        Place::Entity(entity) => format!("A case needs `{}`.", entity.name),
        Place::Element { entity, element, .. } => {
            format!(
                "Without `{}.{}` the entry has no meaning. {}",
                entity.name,
                element.name,
                expects(&entity.name, element)
            )
        }
        _ if name == "schema_version" => SCHEMA_VERSION.to_owned(),
        _ => "A property that must be there is missing.".to_owned(),
    }
}

pub(super) fn entity_type(entity: &Entity) -> String {
    if entity.repeated() {
        format!("`{}` is an array of rows; send [] for none.", entity.name)
    } else {
        format!("`{}` is one JSON object.", entity.name)
    }
}

pub(super) fn row_type(entity: &Entity) -> String {
    format!("Every row of `{}` is a JSON object.", entity.name)
}

fn codes(list: &crate::dictionary::CodeList) -> String {
    if list.codes.len() > MOST_CODES {
        return format!("the {} codes of code list `{}`", list.codes.len(), list.name);
    }
    list.iter().collect::<Vec<_>>().join(", ")
}

fn absence_codes(element: &Element) -> String {
    element
        .absence
        .iter()
        .map(|a| a.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn or_absent(element: &Element) -> String {
    if element.absence.is_empty() {
        return String::new();
    }
    format!(", or {{\"absent\": \"<code>\"}} with {}", absence_codes(element))
}
