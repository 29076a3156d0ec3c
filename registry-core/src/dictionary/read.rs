//! Reading the dictionary from JSON Schema files and their annotation keywords.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{
    Absence, AbsenceSet, Cardinality, CodeList, Dictionary, Element, ElementKind, Entity, EntityKind,
    Requirement, Visibility,
};

/// Why schema files do not make a dictionary. Names the file's entity, the element and the keyword.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DictionaryError {
    /// The root schema's `x-entities` is absent or not a list of names.
    #[error("the root schema needs `x-entities`, a list of entity names")]
    Entities,
    /// An entity is listed but has no file.
    #[error("entity `{0}` is listed in `x-entities` but has no file")]
    NoFile(String),
    /// An entity is listed twice.
    #[error("entity `{0}` is listed in `x-entities` twice")]
    Twice(String),
    /// A keyword of an entity is absent or has a value outside its vocabulary.
    #[error("entity `{entity}`: `{keyword}` is absent or not one of its values")]
    EntityKeyword {
        /// Entity name.
        entity: String,
        /// Annotation keyword.
        keyword: &'static str,
    },
    /// A keyword of an element is absent or has a value outside its vocabulary.
    #[error("element `{element}`: `{keyword}` is absent or not one of its values")]
    ElementKeyword {
        /// `entity.element`.
        element: String,
        /// Annotation keyword.
        keyword: &'static str,
    },
    /// `x-codes` names a code list that does not exist.
    #[error("element `{element}`: there is no code list `{list}`")]
    NoCodeList {
        /// `entity.element`.
        element: String,
        /// Name of the list.
        list: String,
    },
    /// The visibility table has no line for an element, or one that opens it further than its schema does.
    #[error("element `{0}` has no line in visibility.toml that is as strict as its schema")]
    Visibility(String),
    /// The visibility table names an element no schema has.
    #[error("visibility.toml names `{0}`, which is in no version of the case schema")]
    StrayVisibility(String),
}

/// One parsed entity file.
#[derive(Debug, Clone)]
pub struct EntityFile {
    /// The schema.
    pub schema: Value,
    /// Names under `properties` in the order of the file, which a parsed object need not keep.
    order: Vec<String>,
}

impl EntityFile {
    /// Parses an entity file.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(serde::Deserialize)]
        struct Ordered {
            #[serde(default)]
            properties: Keys,
        }
        let ordered: Ordered = serde_json::from_str(text)?;
        Ok(EntityFile {
            schema: serde_json::from_str(text)?,
            order: ordered.properties.0,
        })
    }
}

/// The keys of an object, in the order of the text.
#[derive(Default)]
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Dictionary {
    /// Takes over who may see each element from `visibility.toml` (entity, element, visibility): as the schema says, or stricter. What is
    /// published stays as it is; what may leave the service can be taken back all the same.
    pub(crate) fn restrict(
        &mut self,
        table: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<(), DictionaryError> {
        for entity in &mut self.entities {
            for element in &mut entity.elements {
                let line = table.get(&entity.name).and_then(|e| e.get(&element.name));
                let listed = line.and_then(|v| Visibility::from_code(v));
                match listed.filter(|listed| *listed >= element.visibility) {
                    Some(listed) => element.visibility = listed,
                    None => {
                        let path = format!("{}.{}", entity.name, element.name);
                        return Err(DictionaryError::Visibility(path));
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the dictionary of one version.
    ///
    /// `root` is `case.schema.json`, `entities` the entity files by name, `code_lists` all lists by name.
    ///
    /// # Errors
    /// The first annotation that is absent or outside its vocabulary, with the element's path.
    pub fn read(
        version: &str,
        root: &Value,
        entities: &BTreeMap<String, EntityFile>,
        code_lists: &BTreeMap<String, Arc<CodeList>>,
    ) -> Result<Self, DictionaryError> {
        let names = root
            .get("x-entities")
            .and_then(Value::as_array)
            .ok_or(DictionaryError::Entities)?;
        let mut read = Vec::with_capacity(names.len());
        for name in names {
            let name = name.as_str().ok_or(DictionaryError::Entities)?;
            let file = entities
                .get(name)
                .ok_or_else(|| DictionaryError::NoFile(name.to_owned()))?;
            if read.iter().any(|e: &Entity| e.name == name) {
                return Err(DictionaryError::Twice(name.to_owned()));
            }
            read.push(read_entity(name, file, code_lists)?);
        }
        Ok(Dictionary::new(version.to_owned(), read))
    }
}

fn read_entity(
    name: &str,
    entity_file: &EntityFile,
    code_lists: &BTreeMap<String, Arc<CodeList>>,
) -> Result<Entity, DictionaryError> {
    let file = &entity_file.schema;
    let wrong = |keyword| DictionaryError::EntityKeyword {
        entity: name.to_owned(),
        keyword,
    };
    let properties = file
        .get("properties")
        .and_then(Value::as_object)
        .ok_or_else(|| wrong("properties"))?;
    let mut elements = Vec::with_capacity(properties.len());
    for element in &entity_file.order {
        let annotations = properties
            .get(element)
            .and_then(Value::as_object)
            .ok_or_else(|| wrong("properties"))?;
        elements.push(read_element(name, element, annotations, code_lists)?);
    }
    let anchor_date = match text(file, "x-anchor-date") {
        None => None,
        Some(anchor) => Some(
            elements
                .iter()
                .position(|e| e.name == anchor)
                .ok_or_else(|| wrong("x-anchor-date"))?,
        ),
    };
    Ok(Entity::new(
        name.to_owned(),
        text(file, "description")
            .ok_or_else(|| wrong("description"))?
            .to_owned(),
        text(file, "x-cardinality")
            .and_then(Cardinality::from_code)
            .ok_or_else(|| wrong("x-cardinality"))?,
        file.get("x-attestable")
            .and_then(Value::as_bool)
            .ok_or_else(|| wrong("x-attestable"))?,
        text(file, "x-kind")
            .and_then(EntityKind::from_code)
            .ok_or_else(|| wrong("x-kind"))?,
        anchor_date,
        elements,
    ))
}

fn read_element(
    entity: &str,
    name: &str,
    annotations: &Map<String, Value>,
    code_lists: &BTreeMap<String, Arc<CodeList>>,
) -> Result<Element, DictionaryError> {
    let path = || format!("{entity}.{name}");
    let wrong = |keyword| DictionaryError::ElementKeyword {
        element: path(),
        keyword,
    };
    let word = |keyword: &str| annotations.get(keyword).and_then(Value::as_str);
    let owned = |keyword: &str| word(keyword).filter(|s| !s.is_empty()).map(str::to_owned);
    let codes = match owned("x-codes") {
        None => None,
        Some(list) => Some(Arc::clone(code_lists.get(&list).ok_or_else(|| {
            DictionaryError::NoCodeList {
                element: path(),
                list,
            }
        })?)),
    };
    let absence = match annotations.get("x-absence") {
        None => AbsenceSet::EMPTY,
        Some(listed) => listed
            .as_array()
            .and_then(|codes| {
                codes
                    .iter()
                    .map(|c| c.as_str().and_then(Absence::from_code))
                    .collect::<Option<AbsenceSet>>()
            })
            .ok_or_else(|| wrong("x-absence"))?,
    };
    let requirement = word("x-requirement")
        .and_then(Requirement::from_code)
        .ok_or_else(|| wrong("x-requirement"))?;
    let condition = owned("x-condition");
    if (requirement == Requirement::Conditional) != condition.is_some() {
        return Err(wrong("x-condition"));
    }
    Ok(Element {
        name: name.to_owned(),
        description: owned("description").unwrap_or_default(),
        kind: word("x-type")
            .and_then(ElementKind::from_code)
            .ok_or_else(|| wrong("x-type"))?,
        unit: owned("x-unit"),
        codes_enforced: refers_to_code_list(annotations),
        codes,
        requirement,
        condition,
        absence,
        standard: owned("x-standard"),
        constraint: owned("x-constraint"),
        visibility: word("x-visibility")
            .and_then(Visibility::from_code)
            .ok_or_else(|| wrong("x-visibility"))?,
        introduced: owned("x-introduced").ok_or_else(|| wrong("x-introduced"))?,
        used_by: owned("x-used-by"),
        exact_date: annotations
            .get("x-exact-date")
            .and_then(Value::as_bool)
            .unwrap_or(false),
    })
}

/// Whether any `$ref` under a property leads to a code list.
fn refers_to_code_list(annotations: &Map<String, Value>) -> bool {
    fn walk(value: &Value) -> bool {
        match value {
            Value::Object(map) => map.iter().any(|(key, inner)| {
                (key == "$ref" && inner.as_str().is_some_and(|r| r.contains("codelist"))) || walk(inner)
            }),
            Value::Array(items) => items.iter().any(walk),
            _ => false,
        }
    }
    annotations.values().any(walk)
}

fn text<'a>(file: &'a Value, keyword: &str) -> Option<&'a str> {
    file.get(keyword).and_then(Value::as_str)
}
