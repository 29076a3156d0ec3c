//! What a pointer into a body points at, in the words of the dictionary.

use crate::dictionary::{Dictionary, Element, Entity};

/// What a pointer points at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'d> {
    /// The whole body.
    Root,
    /// An entity: its object or its array of rows.
    Entity(&'d Entity),
    /// One row of a repeated entity.
    Row(&'d Entity),
    /// An element; `inside` when the pointer goes on into its value.
    Element {
        entity: &'d Entity,
        element: &'d Element,
        inside: bool,
    },
    /// Anything else (`schema_version`, unknown properties).
    Other,
}

impl<'d> Place<'d> {
    /// Reads an RFC 6901 pointer. Names of the dictionary need no unescaping.
    pub(super) fn of(pointer: &str, dictionary: &'d Dictionary) -> Self {
        let mut tokens = pointer.split('/').skip(1);
        let Some(first) = tokens.next() else {
            return Place::Root;
        };
        let Some(entity) = dictionary.entity(first) else {
            return Place::Other;
        };
        if entity.repeated() {
            match tokens.next() {
                None => return Place::Entity(entity),
                Some(row) if row.parse::<usize>().is_ok() => {}
                Some(_) => return Place::Other,
            }
        }
        match tokens.next() {
            None if entity.repeated() => Place::Row(entity),
            None => Place::Entity(entity),
            Some(name) => match entity.element(name) {
                None => Place::Other,
                Some(element) => Place::Element {
                    entity,
                    element,
                    inside: tokens.next().is_some(),
                },
            },
        }
    }

    /// `entity.element`, or the entity's name.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Place::Root | Place::Other => None,
            Place::Entity(entity) | Place::Row(entity) => Some(entity.name.clone()),
            Place::Element { entity, element, .. } => Some(format!("{}.{}", entity.name, element.name)),
        }
    }
}

/// The part of a pointer that leads to the element: without what goes on into its value.
pub(super) fn leaf_pointer<'p>(pointer: &'p str, entity: &Entity) -> &'p str {
    let tokens = if entity.repeated() { 3 } else { 2 };
    match pointer.match_indices('/').nth(tokens) {
        Some((end, _)) => pointer.get(..end).unwrap_or(pointer),
        None => pointer,
    }
}
