//! From the validator's errors to findings a person can act on.
//!
//! The validator decides *whether* something is wrong; this module says *what*, in the dictionary's words. A leaf is
//! written in the schema as alternatives (a value, an absence code, null); only the alternative the sender
//! evidently meant is reported.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value};

use super::breach::{Breach, child, code};
use super::place::{Place, leaf_pointer};
use super::words;
use crate::dictionary::{Absence, Dictionary, Element, Entity, EntityKind, Requirement};

/// Longest property name a pointer repeats; a longer one is reported at its object.
const LONGEST_NAME: usize = 64;

/// How many breaches an error stands for.
pub(super) fn weight(error: &ValidationError<'_>) -> usize {
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.len()
        }
        _ => 1,
    }
}

/// Appends what one error of the validator means, at most `room` unknown properties of it; returns how many more there are.
pub(super) fn explain(
    error: &ValidationError<'_>,
    dictionary: &Dictionary,
    breaches: &mut Vec<Breach>,
    room: usize,
) -> usize {
    let pointer = error.instance_path().as_str();
    let place = Place::of(pointer, dictionary);
    if let Place::Element { entity, element, .. } = place
        && element.requirement == Requirement::Derived
    {
        breaches.push(breach(
            code::SERVER_SET,
            leaf_pointer(pointer, entity),
            words::derived(&format!("{}.{}", entity.name, element.name)),
            &place,
        ));
        return 0;
    }
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            return alternatives(error, context, &place, dictionary, breaches, room);
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected.iter().take(room) {
                breaches.push(unexpected_property(pointer, name, &place, dictionary));
            }
            return unexpected.len().saturating_sub(room);
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let pointer = child(pointer, name);
            let place = Place::of(&pointer, dictionary);
            let message = words::required(name, &place);
            breaches.push(breach(code::REQUIRED, &pointer, message, &place));
        }
        kind => {
            let inside_absence = matches!(place, Place::Element { entity, .. }
                if pointer.strip_prefix(leaf_pointer(pointer, entity)) == Some("/absent"));
            let found = if inside_absence {
                code::ABSENCE_NOT_ALLOWED
            } else {
                code_of(kind, &place)
            };
            let at = match place {
                Place::Element { entity, .. } if inside_absence => leaf_pointer(pointer, entity),
                _ => pointer,
            };
            breaches.push(breach(found, at, message(found, kind, error, &place), &place));
        }
    }
    0
}

fn breach(code: &'static str, pointer: &str, message: String, place: &Place<'_>) -> Breach {
    Breach {
        code,
        pointer: pointer.to_owned(),
        message,
        element: place.name(),
    }
}

/// The code of an error that is not about alternatives or properties.
fn code_of(kind: &Kind, place: &Place<'_>) -> &'static str {
    match kind {
        Kind::Type { .. } => code::WRONG_TYPE,
        Kind::Enum { .. } | Kind::Constant { .. } => code::NOT_IN_CODE_LIST,
        Kind::Format { .. } => code::BAD_FORMAT,
        Kind::Pattern { .. } | Kind::MinLength { .. } => code::PATTERN,
        Kind::MaxLength { .. } => code::TOO_LONG,
        Kind::MinItems { .. } | Kind::Contains => code::TOO_FEW_ROWS,
        Kind::MaxItems { .. } | Kind::AdditionalItems { .. } => code::TOO_MANY_ROWS,
        Kind::UniqueItems => code::DUPLICATE_MEMBER,
        Kind::Minimum { .. }
        | Kind::Maximum { .. }
        | Kind::ExclusiveMinimum { .. }
        | Kind::ExclusiveMaximum { .. }
        | Kind::MultipleOf { .. } => code::OUT_OF_RANGE,
        Kind::FalseSchema | Kind::PropertyNames { .. } => match place {
            Place::Entity(entity) if entity.kind != EntityKind::Case => code::SERVER_SET,
            _ => code::UNKNOWN_PROPERTY,
        },
        _ => code::SCHEMA,
    }
}

fn message(found: &'static str, kind: &Kind, error: &ValidationError<'_>, place: &Place<'_>) -> String {
    match (found, place, kind) {
        (
            _,
            Place::Element {
                entity,
                element,
                inside,
            },
            _,
        ) => match kind {
            Kind::MaxLength { limit } => words::too_long(&entity.name, element, *limit),
            Kind::MaxItems { limit } => words::too_many_members(&entity.name, element, *limit),
            Kind::UniqueItems => words::duplicate_member(&entity.name, element),
            Kind::Type { .. } if *inside => words::member_type(&entity.name, element),
            Kind::Minimum { limit } => words::bound(&entity.name, element, "at least", limit),
            Kind::Maximum { limit } => words::bound(&entity.name, element, "at most", limit),
            _ if found == code::ABSENCE_NOT_ALLOWED => words::absence(&entity.name, element),
            // How it is spelled is said by its description, the pattern by nobody.
            _ if found == code::PATTERN => {
                format!(
                    "{} {}",
                    words::expects(&entity.name, element),
                    element.description
                )
            }
            _ => words::expects(&entity.name, element),
        },
        (code::WRONG_TYPE, Place::Entity(entity), _) => words::entity_type(entity),
        (code::WRONG_TYPE, Place::Row(entity), _) => words::row_type(entity),
        (code::WRONG_TYPE, Place::Root, _) => words::ROOT_TYPE.to_owned(),
        _ if error.instance_path().as_str() == "/schema_version" => words::SCHEMA_VERSION.to_owned(),
        (code::TOO_FEW_ROWS, Place::Entity(entity), Kind::MinItems { limit }) => {
            format!("A case has at least {limit} row(s) of `{}`.", entity.name)
        }
        (code::TOO_MANY_ROWS, Place::Entity(entity), Kind::MaxItems { limit }) => {
            format!("The registry takes at most {limit} rows of `{}`.", entity.name)
        }
        // Masked: the validator's own words, with a placeholder for the value.
        _ => format!("Not as the schema wants it: {}.", error.masked()),
    }
}

fn unexpected_property(pointer: &str, name: &str, place: &Place<'_>, dictionary: &Dictionary) -> Breach {
    if name.len() > LONGEST_NAME {
        let message =
            format!("This object has a property of more than {LONGEST_NAME} bytes; no element is called so.");
        return breach(code::UNKNOWN_PROPERTY, pointer, message, place);
    }
    let at = child(pointer, name);
    let found = Place::of(&at, dictionary);
    match (place, &found) {
        (Place::Root, Place::Entity(entity) | Place::Row(entity)) if entity.kind != EntityKind::Case => {
            breach(code::SERVER_SET, &at, words::service_entity(entity), &found)
        }
        (_, Place::Element { entity, element, .. }) if element.requirement == Requirement::Derived => {
            let message = words::derived(&format!("{}.{}", entity.name, element.name));
            breach(code::SERVER_SET, &at, message, &found)
        }
        _ => breach(code::UNKNOWN_PROPERTY, &at, words::unknown_property(place), place),
    }
}

/// One finding for a leaf, whatever number of alternatives the schema spells out.
fn alternatives(
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    place: &Place<'_>,
    dictionary: &Dictionary,
    breaches: &mut Vec<Breach>,
    room: usize,
) -> usize {
    let pointer = error.instance_path().as_str();
    let instance = error.instance();
    if let (Place::Element { entity, element, .. }, Some(object)) = (place, instance.as_object()) {
        absence(
            object,
            leaf_pointer(pointer, entity),
            (entity, element),
            place,
            breaches,
        );
        return 0;
    }
    // The alternative meant is the one that wants the JSON type that was sent.
    let meant = context
        .iter()
        .find(|errors| !errors.is_empty() && !errors.iter().any(|e| of_another_type(e, pointer, instance)));
    match meant {
        Some(errors) => {
            let told = errors.iter().take(room);
            let further: usize = told.map(|inner| explain(inner, dictionary, breaches, room)).sum();
            further + errors.len().saturating_sub(room)
        }
        None => {
            let message = match place {
                Place::Element { entity, element, .. } => words::expects(&entity.name, element),
                _ => words::OTHER_TYPE.to_owned(),
            };
            breaches.push(breach(code::WRONG_TYPE, pointer, message, place));
            0
        }
    }
}

/// What is wrong with an object sent for an element: only `{"absent": "<code>"}` may stand there.
fn absence(
    object: &Map<String, Value>,
    leaf: &str,
    (entity, element): (&Entity, &Element),
    place: &Place<'_>,
    breaches: &mut Vec<Breach>,
) {
    let Some(Value::String(sent)) = object.get("absent").filter(|_| object.len() == 1) else {
        let message = words::expects(&entity.name, element);
        breaches.push(breach(code::WRONG_TYPE, leaf, message, place));
        return;
    };
    let accepted = Absence::from_code(sent).is_some_and(|a| element.absence.contains(a));
    if !accepted {
        let message = words::absence(&entity.name, element);
        breaches.push(breach(code::ABSENCE_NOT_ALLOWED, leaf, message, place));
    }
}

/// Whether an error says that its alternative wants another JSON type than the value at `pointer` has.
fn of_another_type(error: &ValidationError<'_>, pointer: &str, instance: &Value) -> bool {
    if error.instance_path().as_str() != pointer {
        return false;
    }
    match error.kind() {
        Kind::Type { .. } => true,
        Kind::Enum { options } => options
            .as_array()
            .is_some_and(|all| !all.iter().any(|o| same_type(o, instance))),
        Kind::Constant { expected_value } => !same_type(expected_value, instance),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => context
            .iter()
            .all(|errors| errors.iter().any(|e| of_another_type(e, pointer, instance))),
        Kind::Required { .. } => false,
        _ => false,
    }
}

fn same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}
