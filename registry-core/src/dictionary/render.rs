//! The dictionary as people and programs read it: JSON and CSV.

use serde_json::{Value, json};

use super::{Dictionary, Element, Entity};

/// Columns of the CSV form, one line per element.
pub(super) const COLUMNS: [&str; 17] = [
    "entity",
    "element",
    "type",
    "unit",
    "code_list",
    "codes",
    "requirement",
    "condition",
    "absence",
    "partial_date",
    "constraint",
    "standard",
    "visibility",
    "introduced",
    "cardinality",
    "section_attestation",
    "used_by",
];

impl Dictionary {
    /// The dictionary as one JSON document.
    pub fn to_json(&self) -> Value {
        json!({
            "version": self.version,
            "entities": self.entities.iter().map(entity_json).collect::<Vec<_>>(),
        })
    }

    /// The dictionary as CSV (RFC 4180, UTF-8, CRLF line ends), a header and one line per element.
    ///
    /// Codes and absence codes are separated by a blank; neither holds one.
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        line(&mut csv, COLUMNS);
        for entity in &self.entities {
            for element in &entity.elements {
                line(&mut csv, row(entity, element).iter().map(String::as_str));
            }
        }
        csv
    }
}

fn entity_json(entity: &Entity) -> Value {
    json!({
        "name": entity.name,
        "description": entity.description,
        "cardinality": entity.cardinality.as_str(),
        "section_attestation": entity.attestable,
        "kind": entity.kind.as_str(),
        "anchor_date": entity
            .anchor_date
            .and_then(|i| entity.elements.get(i))
            .map(|e| e.name.as_str()),
        "elements": entity.elements.iter().map(element_json).collect::<Vec<_>>(),
    })
}

fn element_json(element: &Element) -> Value {
    let codes = element.codes.as_ref().map(|list| {
        list.codes
            .iter()
            .map(|c| json!({"code": c.code, "label": c.label}))
            .collect::<Vec<_>>()
    });
    json!({
        "name": element.name,
        "description": element.description,
        "type": element.kind.as_str(),
        "unit": element.unit,
        "code_list": element.codes.as_ref().map(|c| c.name.as_str()),
        "codes": codes,
        "requirement": element.requirement.as_str(),
        "condition": element.condition,
        "absence": element.absence.iter().map(|a| a.as_str()).collect::<Vec<_>>(),
        "partial_date": partial_date(element),
        "constraint": element.constraint,
        "standard": element.standard,
        "visibility": element.visibility.as_str(),
        "introduced": element.introduced,
        "used_by": element.used_by,
    })
}

fn row(entity: &Entity, element: &Element) -> [String; COLUMNS.len()] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let joined = |words: Vec<&str>| words.join(" ");
    [
        entity.name.clone(),
        element.name.clone(),
        element.kind.as_str().to_owned(),
        optional(&element.unit),
        element.codes.as_ref().map(|c| c.name.clone()).unwrap_or_default(),
        element
            .codes
            .as_ref()
            .map(|c| joined(c.iter().collect()))
            .unwrap_or_default(),
        element.requirement.as_str().to_owned(),
        optional(&element.condition),
        joined(element.absence.iter().map(|a| a.as_str()).collect()),
        partial_date(element).map(yes_no).unwrap_or_default(),
        optional(&element.constraint),
        optional(&element.standard),
        element.visibility.as_str().to_owned(),
        element.introduced.clone(),
        entity.cardinality.as_str().to_owned(),
        yes_no(entity.attestable),
        optional(&element.used_by),
    ]
}

/// Whether a partial date is accepted; nothing to say for what is no date.
fn partial_date(element: &Element) -> Option<bool> {
    (element.kind == super::ElementKind::Date).then_some(!element.exact_date)
}

fn line<'a>(csv: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            csv.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) {
            csv.push('"');
            csv.push_str(&field.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(field);
        }
    }
    csv.push_str("\r\n");
}
