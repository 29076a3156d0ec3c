//! The dictionary as people and programs read it: JSON and CSV.

use serde::Serialize;

use super::{Code, Dictionary, Element, Entity};

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
    /// The dictionary as it is told.
    pub fn described(&self) -> DescribedDictionary<'_> {
        DescribedDictionary {
            version: &self.version,
            entities: self.entities.iter().map(DescribedEntity::of).collect(),
        }
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

/// The dictionary of a version of the case schema.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Dictionary)]
pub struct DescribedDictionary<'a> {
    version: &'a str,
    entities: Vec<DescribedEntity<'a>>,
}

/// A section of a record, or a reference table.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = DictionaryEntity)]
struct DescribedEntity<'a> {
    name: &'a str,
    description: &'a str,
    /// `1..1`, `0..1`, `0..n` or `1..n`.
    cardinality: &'static str,
    /// Whether a centre says through which day the section is complete.
    section_attestation: bool,
    kind: &'static str,
    /// The element that dates a row.
    anchor_date: Option<&'a str>,
    elements: Vec<DescribedElement<'a>>,
}

/// An element of a section.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = DictionaryElement)]
struct DescribedElement<'a> {
    name: &'a str,
    description: &'a str,
    r#type: &'static str,
    unit: Option<&'a str>,
    code_list: Option<&'a str>,
    codes: Option<Vec<DescribedCode<'a>>>,
    requirement: &'static str,
    condition: Option<&'a str>,
    /// Codes that may stand in place of a value.
    absence: Vec<&'static str>,
    /// Of a date: whether a year or a month alone is taken.
    partial_date: Option<bool>,
    constraint: Option<&'a str>,
    standard: Option<&'a str>,
    visibility: &'static str,
    /// Version of the schema.
    introduced: &'a str,
    used_by: Option<&'a str>,
}

/// A code and what it means.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CodeWithLabel)]
pub struct DescribedCode<'a> {
    code: &'a str,
    label: Option<&'a str>,
}

impl<'a> From<&'a Code> for DescribedCode<'a> {
    fn from(of: &'a Code) -> Self {
        Self {
            code: &of.code,
            label: of.label.as_deref(),
        }
    }
}

impl<'a> DescribedEntity<'a> {
    fn of(entity: &'a Entity) -> Self {
        let anchor = entity.anchor_date.and_then(|i| entity.elements.get(i));
        Self {
            name: &entity.name,
            description: &entity.description,
            cardinality: entity.cardinality.as_str(),
            section_attestation: entity.attestable,
            kind: entity.kind.as_str(),
            anchor_date: anchor.map(|element| element.name.as_str()),
            elements: entity.elements.iter().map(DescribedElement::of).collect(),
        }
    }
}

impl<'a> DescribedElement<'a> {
    fn of(element: &'a Element) -> Self {
        let codes = element.codes.as_ref();
        Self {
            name: &element.name,
            description: &element.description,
            r#type: element.kind.as_str(),
            unit: element.unit.as_deref(),
            code_list: codes.map(|list| list.name.as_str()),
            codes: codes.map(|list| list.codes.iter().map(DescribedCode::from).collect()),
            requirement: element.requirement.as_str(),
            condition: element.condition.as_deref(),
            absence: element.absence.iter().map(|a| a.as_str()).collect(),
            partial_date: partial_date(element),
            constraint: element.constraint.as_deref(),
            standard: element.standard.as_deref(),
            visibility: element.visibility.as_str(),
            introduced: &element.introduced,
            used_by: element.used_by.as_deref(),
        }
    }
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
