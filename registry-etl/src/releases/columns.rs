//! Which columns an entity has in a release, from the dictionary alone.

use registry_core::dictionary::{Element, ElementKind, Entity, EntityKind, Visibility};

use super::described::Holds as Kind;
use super::manifest::Withheld;
use super::projection::{AGE_COLUMN, Approved, never, undeliverable};

/// Ends the name of the column with the words of a code.
pub(super) const LABEL: &str = "__label";
/// Ends the name of the column with the reason for a missing value.
pub(super) const ABSENT: &str = "__absent";

/// The column whose value a column says more of: itself, or the one its twin stands beside.
pub(super) fn of_column(name: &str) -> &str {
    name.strip_suffix(LABEL)
        .or_else(|| name.strip_suffix(ABSENT))
        .unwrap_or(name)
}

/// What a column holds of its element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// The value as recorded.
    Value,
    /// Whether a set holds this code.
    Holds(String),
    /// A key within the record, replaced.
    Key,
    /// Days from metastatic diagnosis, at least and at most.
    DayMin,
    DayMax,
    /// `day`, `month` or `year`.
    Precision,
    /// The absence code.
    Absent,
    /// The words of the code.
    Label,
    /// Age at metastatic diagnosis in bands, from a year of birth.
    Age,
}

/// One column of an entity's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Position of the element in the entity.
    pub(super) element: usize,
    pub(super) field: Field,
}

impl Column {
    /// What its fields are. An integer of a code list stays a number.
    pub(super) fn holds(&self, element: &Element) -> Kind {
        match self.field {
            Field::Holds(_) => Kind::Boolean,
            Field::DayMin | Field::DayMax => Kind::Integer,
            Field::Precision => Kind::Precision,
            Field::Absent => Kind::Absence,
            Field::Key | Field::Age | Field::Label => Kind::Text,
            Field::Value => match element.kind {
                ElementKind::Boolean => Kind::Boolean,
                ElementKind::Integer | ElementKind::Year => Kind::Integer,
                ElementKind::Number | ElementKind::Percent => Kind::Number,
                ElementKind::Code if element.codes.is_some() => Kind::Code,
                _ => Kind::Text,
            },
        }
    }

    /// What the column says, for the dictionary.
    pub(super) fn meaning(&self) -> String {
        match &self.field {
            Field::Value => "value".to_owned(),
            Field::Holds(code) => format!("TRUE when the set holds {code}"),
            Field::Key => "key within the record, replaced".to_owned(),
            Field::DayMin => "earliest possible day, counted from metastatic diagnosis; where one of the two is known to the month or year, by months or years of average length".to_owned(),
            Field::DayMax => "latest possible day, counted from metastatic diagnosis".to_owned(),
            Field::Precision => "how precisely the date is known: day, month, year".to_owned(),
            Field::Absent => "why there is no value".to_owned(),
            Field::Label => "the words of the code; the code itself where its list has none".to_owned(),
            Field::Age => "age at metastatic diagnosis in years, in bands".to_owned(),
        }
    }
}

/// The columns of an entity, in dictionary order, and what is withheld of it: as every release has them, or as a request was approved.
pub(super) fn plan(entity: &Entity, approved: Option<&Approved>) -> (Vec<Column>, Vec<Withheld>) {
    let (mut columns, mut withheld) = (Vec::new(), Vec::new());
    for (at, element) in entity.elements.iter().enumerate() {
        match fields(entity, element, approved) {
            Ok(fields) => columns.extend(fields.into_iter().map(|(name, field)| Column {
                name,
                element: at,
                field,
            })),
            Err(reason) => withheld.push(Withheld {
                entity: entity.name.clone(),
                element: element.name.clone(),
                visibility: element.visibility.as_str().to_owned(),
                reason: reason.to_owned(),
            }),
        }
    }
    (columns, withheld)
}

/// Columns of one element, or why it has none.
fn fields(
    entity: &Entity,
    element: &Element,
    approved: Option<&Approved>,
) -> Result<Vec<(String, Field)>, &'static str> {
    if let Some(approved) = approved {
        if let Some(why) = undeliverable(entity, element) {
            return Err(why);
        }
        if !approved.opens(entity, element) {
            return Err("not part of the approved request");
        }
        if element.kind == ElementKind::Year && element.visibility == Visibility::QuasiIdentifier {
            let mut fields = vec![(AGE_COLUMN.to_owned(), Field::Age)];
            if !element.absence.is_empty() {
                fields.push((format!("{AGE_COLUMN}{ABSENT}"), Field::Absent));
            }
            return Ok(fields);
        }
        return told(element);
    }
    match entity.kind {
        EntityKind::Case => {}
        EntityKind::Envelope => return Err("set by the service, identifies the record"),
        EntityKind::Reference => return Err("describes centres, which are masked"),
    }
    match element.visibility {
        Visibility::Open | Visibility::ShiftedDate => {}
        Visibility::QuasiIdentifier => {
            let on_request = "could identify together with other elements: approved request only";
            return Err(undeliverable(entity, element).unwrap_or(on_request));
        }
        // Of what no request opens none is spoken.
        Visibility::Restricted => {
            return Err(undeliverable(entity, element).unwrap_or("approved request that names it only"));
        }
        Visibility::Internal => return Err(never(element)),
    }
    told(element)
}

/// Columns of an element that may leave, by its type.
fn told(element: &Element) -> Result<Vec<(String, Field)>, &'static str> {
    let name = &element.name;
    let plain = |field| vec![(name.clone(), field)];
    let mut fields = match element.kind {
        ElementKind::Code | ElementKind::Integer if element.codes.is_some() => {
            vec![
                (name.clone(), Field::Value),
                (format!("{name}{LABEL}"), Field::Label),
            ]
        }
        ElementKind::Code
        | ElementKind::Boolean
        | ElementKind::Integer
        | ElementKind::Number
        | ElementKind::Percent
        | ElementKind::Year => plain(Field::Value),
        ElementKind::CodeSet => {
            let codes = element.codes.as_ref().ok_or("a set without a code list")?;
            codes
                .codes
                .iter()
                .map(|c| (format!("{name}___{}", c.code), Field::Holds(c.code.clone())))
                .collect()
        }
        ElementKind::Date => vec![
            (format!("{name}_day_min"), Field::DayMin),
            (format!("{name}_day_max"), Field::DayMax),
            (format!("{name}__precision"), Field::Precision),
        ],
        ElementKind::String | ElementKind::StringSet if name.ends_with("_id") => plain(Field::Key),
        ElementKind::String | ElementKind::StringSet => return Err("free text"),
        ElementKind::Uuid => return Err("identifies the record"),
        ElementKind::DateTime => return Err("an exact point in time"),
    };
    if !element.absence.is_empty() {
        fields.push((format!("{name}{ABSENT}"), Field::Absent));
    }
    Ok(fields)
}
