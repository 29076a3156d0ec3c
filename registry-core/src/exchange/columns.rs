//! Which columns the entities have in flat files.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dictionary::{Dictionary, Element, ElementKind, Entity, EntityKind, Requirement};
use crate::record::Absence;

use super::{KEY_ELEMENT, KEY_ENTITY, VERSION};

/// How columns are named and truth is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One file per entity, names as in releases: `region___chest`, `size_mm__absent`.
    Bundle,
    /// One file; names carry their entity and REDCap takes them: `imaging_region___chest`, absence as a missing-data code.
    Redcap,
}

/// What a column holds of its element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The value; of a list of short texts all of them, separated by semicolons.
    Value,
    /// Whether a list holds this code.
    Holds(String),
    /// The codes in the order they were sent, where it is not the order of the code list.
    Order,
    /// `empty` for a list without members, `value` for a text that looks like a missing-data code.
    State,
    /// How precisely a date is known; derived, not read back.
    Precision,
    /// The absence code.
    Absent,
    /// Whether a list is absent for this reason.
    AbsentFor(Absence),
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Element of the section.
    pub element: String,
    /// What it holds.
    pub part: Part,
}

/// The columns of one entity.
#[derive(Debug, Clone)]
pub struct Section {
    /// The entity's name.
    pub name: String,
    /// Whether it stands around the body (the envelope) and not in it.
    pub envelope: bool,
    /// Whether a case has rows of it and not one object.
    pub repeated: bool,
    /// Its columns, those of one element side by side.
    pub columns: Vec<Column>,
    index: HashMap<String, usize>,
}

impl Section {
    /// Position of the column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The columns element by element: position of the first, and all of them.
    pub(super) fn groups(&self) -> impl Iterator<Item = (usize, &[Column])> {
        let mut at = 0;
        self.columns
            .chunk_by(|a, b| a.element == b.element)
            .map(move |group| {
                let first = at;
                at += group.len();
                (first, group)
            })
    }
}

/// The columns of all entities, over one or several versions of the case schema.
#[derive(Debug, Clone)]
pub struct Layout {
    /// How columns are named.
    pub style: Style,
    /// The sections in dictionary order; the envelope is one of them.
    pub sections: Vec<Section>,
    versions: Vec<Arc<Dictionary>>,
}

impl Layout {
    /// The columns of these versions together, so that cases of different versions share a file. Columns of a later
    /// version that an earlier one lacks stand at the end of their section.
    pub fn new(style: Style, versions: &[Arc<Dictionary>]) -> Self {
        let mut sections: Vec<(Section, Vec<Vec<Column>>)> = Vec::new();
        for dictionary in versions {
            for entity in &dictionary.entities {
                if entity.kind == EntityKind::Reference {
                    continue;
                }
                let at = sections
                    .iter()
                    .position(|(s, _)| s.name == entity.name)
                    .unwrap_or_else(|| {
                        sections.push((empty(entity), Vec::new()));
                        sections.len() - 1
                    });
                if let Some((_, groups)) = sections.get_mut(at) {
                    merge(groups, style, entity);
                }
            }
        }
        Layout {
            style,
            sections: sections.into_iter().map(finish).collect(),
            versions: versions.to_vec(),
        }
    }

    /// The dictionary of this version, if it is one of the layout's.
    pub fn dictionary(&self, version: &str) -> Option<&Arc<Dictionary>> {
        self.versions.iter().find(|d| d.version == version)
    }

    /// The section of this name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|s| s.name == name)
    }

    /// The section that stands around the body.
    pub(super) fn envelope(&self) -> Option<&Section> {
        self.sections.iter().find(|s| s.envelope)
    }

    /// The column in which an envelope names the version of its document.
    pub(super) fn version_column(&self) -> String {
        match (self.style, self.envelope()) {
            (Style::Redcap, Some(envelope)) => format!("{}_{VERSION}", envelope.name),
            _ => VERSION.to_owned(),
        }
    }
}

fn empty(entity: &Entity) -> Section {
    Section {
        name: entity.name.clone(),
        envelope: entity.kind == EntityKind::Envelope,
        repeated: entity.repeated() && entity.kind == EntityKind::Case,
        columns: Vec::new(),
        index: HashMap::new(),
    }
}

fn finish((mut section, groups): (Section, Vec<Vec<Column>>)) -> Section {
    section.columns = groups.into_iter().flatten().collect();
    section.index = section
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| (c.name.clone(), i))
        .collect();
    section
}

/// Adds the columns of an entity that are not there yet.
fn merge(groups: &mut Vec<Vec<Column>>, style: Style, entity: &Entity) {
    for element in &entity.elements {
        let key = entity.name == KEY_ENTITY && element.name == KEY_ELEMENT;
        if key || element.requirement == Requirement::Derived {
            continue;
        }
        let columns = columns_of(style, entity, element);
        let known = groups
            .iter_mut()
            .find(|g| g.first().is_some_and(|c| c.element == element.name));
        match known {
            None => groups.push(columns),
            Some(group) => {
                for column in columns {
                    if !group.contains(&column) {
                        group.push(column);
                    }
                }
            }
        }
    }
}

fn columns_of(style: Style, entity: &Entity, element: &Element) -> Vec<Column> {
    let (name, twin) = match style {
        Style::Bundle => (element.name.clone(), "__"),
        // REDCap squeezes double underscores out of a field's name; `___` is its own, for checkboxes.
        Style::Redcap => (format!("{}_{}", entity.name, element.name), "_"),
    };
    let mut columns = Vec::new();
    let mut add = |name: String, part: Part| {
        columns.push(Column {
            name,
            element: element.name.clone(),
            part,
        });
    };
    let set = element.kind == ElementKind::CodeSet;
    if set {
        for code in element.codes.iter().flat_map(|list| list.iter()) {
            add(format!("{name}___{code}"), Part::Holds(code.to_owned()));
        }
        if style == Style::Redcap {
            for absence in element.absence.iter() {
                add(
                    format!("{name}___{}", missing_code(absence)),
                    Part::AbsentFor(absence),
                );
            }
            add(format!("{name}{twin}state"), Part::State);
        }
        add(format!("{name}{twin}order"), Part::Order);
    } else {
        add(name.clone(), Part::Value);
    }
    match (style, element.kind) {
        (_, ElementKind::StringSet) | (Style::Redcap, ElementKind::String) => {
            add(format!("{name}{twin}state"), Part::State);
        }
        (Style::Bundle, ElementKind::Date) if !element.exact_date => {
            add(format!("{name}__precision"), Part::Precision);
        }
        _ => {}
    }
    if style == Style::Bundle && !element.absence.is_empty() {
        add(format!("{name}__absent"), Part::Absent);
    }
    columns
}

/// REDCap's missing-data code of an absence. The prefix keeps it apart from codes of lists (`unknown`).
pub(super) fn missing_code(absence: Absence) -> String {
    format!("absent_{}", absence.as_str())
}

/// The absence a missing-data code stands for.
pub(super) fn absence_of(text: &str) -> Option<Absence> {
    text.strip_prefix("absent_").and_then(Absence::from_code)
}
